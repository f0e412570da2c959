"""Whole runs against the stand-in: batches handed over and collected, money kept, the key nowhere."""

from datetime import date

import pytest
from builds import build, card_file, settings

from offbeat.evaluation.database import FILE, Database
from offbeat.evaluation.money.estimate import estimate_run
from offbeat.evaluation.money.prices import read_prices
from offbeat.evaluation.plan import Selection, plan_models
from offbeat.evaluation.question import STUDY
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.status import run_status
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Prompt
from servers.gemini_wire import KEY, MODEL
from servers.stand_in import half_body, html, status

SUCCEEDED = "BATCH_STATE_SUCCEEDED"
PRICES = read_prices(None, today=date(2026, 11, 23))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gemini-run") / "videos"
    card_file(folder / "one.mkv", seed=1, length_s=6, size=128)
    return build(folder, folder.parent / "set", settings(lengths_s=(2,), delays_s=(-0.5, 0, 0.5)))[1]


def test_a_batch_in_a_run(dataset, made, wire, tmp_path):
    out, terms = tmp_path / "run", Terms(batch=True, prices=PRICES, even_if_deaf=True)
    count = len(dataset.variants)
    handed_over = run_models(dataset, [made()], out=out, terms=terms)
    assert handed_over.models[0].missing == count
    assert run_status(out).models[0].in_batches == count
    (batch,) = wire.batches.values()
    (dry,) = estimate_run(plan_models(dataset, [made()], [STUDY], Selection(), 1, None), PRICES, batch=True)
    asked_once = count * made().expected_usage_in_batch(dataset.variants[0], Prompt("?", ("a", "b")))["output_tokens"]
    assert asked_once == count * 4096  # a reply of a batch that is cut off is not asked for again
    with Database(out / FILE, readonly=True) as database, database.reading() as calls:
        probe_usd, batch_usd = (
            calls.execute("SELECT total(reserved_usd) FROM calls WHERE purpose = ?", (purpose,)).fetchone()[0]
            for purpose in ("probe", "batch")
        )
    assert dry.most_usd == pytest.approx(probe_usd + batch_usd)

    batch.state = SUCCEEDED
    lost = batch.results.pop()
    first = run_models(dataset, [made()], out=out, terms=terms)
    assert first.models[0].outcomes["ok"] == count - 1
    assert len(wire.batches) == 2, "what the first job lost was not handed over anew"
    assert lost["metadata"]["key"] in {r["metadata"]["key"] for r in list(wire.batches.values())[1].results}

    for other in wire.batches.values():
        other.state = SUCCEEDED
    done = run_models(dataset, [made()], out=out, terms=terms)
    assert done.complete
    assert {answer.text for answer in open_run(out).answers} == {"behind"}
    price = PRICES[made().price_name]
    spent = [answer.usage for answer in open_run(out).answers]
    tokens_in = sum(usage["input_tokens"] for usage in spent)
    tokens_out = sum(usage["output_tokens"] + usage.get("thinking_tokens", 0) for usage in spent)
    of_answers = (tokens_in * price.input_usd + tokens_out * price.output_usd) / 1e6 / 2
    assert of_answers < done.spent_usd  # the probe was paid for as well, at the full price


def test_a_server_that_stumbles_loses_nothing(dataset, made, server, tmp_path):
    server.faults = lambda request: {
        3: status(429, {"retry-after": "0"}),
        7: half_body(),
        9: html(),
        11: status(503),
    }.get(request.number)
    summary = run_models(
        dataset, [made()], out=tmp_path / "run", terms=Terms(prices=PRICES, even_if_deaf=True, first_wait_s=0.01)
    )
    assert summary.complete
    assert summary.models[0].outcomes["ok"] == len(dataset.variants)


def test_another_snapshot_in_the_middle_is_told_once(dataset, made, wire, tmp_path, caplog):
    def moved(answer):
        answer["modelVersion"] = f"{MODEL}-{'002' if len(wire.clips) % 2 else '001'}"

    wire.amend = moved
    terms = Terms(prices=PRICES, even_if_deaf=True, connections=1)
    assert run_models(dataset, [made()], out=tmp_path / "run", terms=terms).complete
    (told,) = [record.getMessage() for record in caplog.records if "answers now" in record.getMessage()]
    assert f"{MODEL}-001 answers now, beside {MODEL}-002" in told
    assert len({answer.details["served_model"] for answer in open_run(tmp_path / "run").answers}) == 2


def test_the_bound_on_money_holds_and_the_key_is_nowhere(dataset, made, server, tmp_path):
    model = made(max_output_tokens=1000)
    one_call = 3 * 1000 * PRICES[model.price_name].output_usd / 1e6
    terms = Terms(prices=PRICES, most_usd=one_call * 1.5, even_if_deaf=True)
    summary = run_models(dataset, [model], out=tmp_path / "run", terms=terms)
    assert not summary.complete
    assert "more than the $" in summary.models[0].stopped
    assert summary.spent_usd <= one_call * 1.5
    written = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if KEY.encode() in path.read_bytes()]
