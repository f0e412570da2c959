"""The money of batches: what is set aside, what comes back, and what nobody can tell."""

from contextlib import suppress
from dataclasses import replace

import pytest
from batch_server import PRICE, TERMS, Batched

from offbeat.dataset.variant import Variant
from offbeat.errors import MediaError, ModelError, RequestRejected, TransientError
from offbeat.evaluation.money.estimate import estimate_run, keys_in_batches
from offbeat.evaluation.plan import Selection, plan_run
from offbeat.evaluation.question import STUDY
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models


def test_a_batch_that_is_not_taken_costs_nothing(run, server):
    server.submit_error = RequestRejected("400: too large")
    summary = run()
    assert summary.models[0].stopped == "400: too large"
    assert summary.spent_usd == 0


@pytest.mark.parametrize("lost", [ModelError("half a body", usage=None), KeyboardInterrupt()])
def test_a_batch_that_was_taken_though_nobody_heard_is_collected(run, server, lost):
    server.lost_error = lost
    with suppress(KeyboardInterrupt):  # after which as little is noted as after a kill
        assert (
            run().models[0].stopped.endswith("not known yet. questions in batches: 50; the same command collects them")
        )
    server.lost_error = None
    done = run()
    assert done.complete
    assert len(server.jobs) == 1, "it was handed over, and paid for, twice"
    assert done.spent_usd == pytest.approx(50 * (1000 + 10 * 10) / 2e6)


def test_a_batch_that_turns_out_never_to_have_been_taken_costs_nothing(run, server):
    server.lost_error = ModelError("503", usage=None)
    said = run().models[0].stopped
    assert said.startswith("503. Whether the batch was taken is not known yet. questions in batches: 50;")
    server.lost_error, server.collect_error, server.state = None, RequestRejected("it was never taken"), "pending"
    again = run()
    assert again.spent_usd == pytest.approx(50 * (1000 + 100 * 10) / 2e6), "both are set aside, as if both were there"
    assert len(server.jobs) == 2


@pytest.mark.parametrize("broken", [TransientError("503 at an upload", usage=None), KeyboardInterrupt()])
def test_a_batch_that_was_never_sent_costs_nothing(run, server, broken):
    """A run that is killed again and again while it uploads is not at the end of its money."""
    server.upload_error = broken
    for _ in range(3):
        with suppress(KeyboardInterrupt):
            assert run().spent_usd == 0
    server.upload_error = None
    run()
    done = run()
    assert done.complete
    assert done.spent_usd == pytest.approx(50 * (1000 + 10 * 10) / 2e6)


def test_what_a_job_loses_may_have_been_paid_for(run, server):
    server.state = "pending"
    run()
    first = server.jobs["batches/0"]
    server.lose, server.fail = set(first[:5]), {first[5]: RequestRejected("400"), first[6]: ModelError("?", usage=None)}
    server.state = "ended"
    server.submit_error = RequestRejected("not now")
    most, real = (1000 + 100 * 10) / 2e6, (1000 + 10 * 10) / 2e6
    assert run().spent_usd == pytest.approx(6 * most + 43 * real)  # 5 lost, 1 that nobody can tell, 1 free


def test_where_a_model_cannot_tell_what_a_lost_question_may_cost_all_is_spent(run, server, dataset, tmp_path):
    class Forgetful(Batched):
        def expected_usage(self, variant, prompt):
            raise OSError("the file of rates has gone")

    run()
    server.lose = set(server.jobs["batches/0"][:1])
    told = run_models(dataset, [Forgetful(server)], out=tmp_path / "run", terms=TERMS)
    assert told.models[0].outcomes["ok"] == 49
    assert told.spent_usd == pytest.approx(50 * (1000 + 100 * 10) / 2e6)


def test_a_clip_that_cannot_be_read_is_named_and_costs_nothing(run, server):
    server.submit_error = MediaError("clips/x.mp4: no picture", reason="no_picture")
    summary = run()
    assert summary.models[0].stopped == "clips/x.mp4: no picture"
    assert summary.spent_usd == 0


def test_a_dry_run_does_not_count_what_is_in_a_batch(run, server, dataset, tmp_path):
    """It is paid for already, or will be when it is collected."""
    server.state = "pending"
    run(selection=Selection(limit=20))
    model, out = Batched(server), tmp_path / "run"
    plans = plan_run(dataset, [model], [STUDY], Selection(), 1, out)
    pending = keys_in_batches(out, [model])
    (told,) = estimate_run(plans, {"p": PRICE}, batch=True, pending=pending)
    assert (told.expected, told.kept, told.to_ask, told.in_batches) == (50, 0, 30, 20)
    assert told.most_usd == pytest.approx(30 * (1000 + 100 * 10) / 2e6)
    server.state = "ended"
    run(selection=Selection(limit=20))
    assert keys_in_batches(out, [model]) == set()
    assert keys_in_batches(tmp_path / "nowhere", [model]) == set()


def test_a_job_that_costs_too_much_is_shortened_to_what_the_money_allows(dataset, tmp_path, server):
    server.state = "pending"
    each = (1000 + 100 * 10) / 2e6
    terms = replace(TERMS, most_usd=20.5 * each)
    notes = []
    summary = run_models(dataset, [Batched(server)], out=tmp_path / "run", terms=terms, on_note=notes.append)
    assert notes == ["batched: handing over 20 of 50 questions"]
    assert [len(keys) for keys in server.jobs.values()] == [20]
    assert summary.spent_usd == pytest.approx(20 * each)
    assert "--max-cost; raise it to go on. questions in batches: 20" in summary.models[0].stopped

    server.state = "ended"
    for _ in range(9):  # what was set aside comes back, and pays for further jobs
        summary = run_models(dataset, [Batched(server)], out=tmp_path / "run", terms=terms)
        assert summary.spent_usd <= terms.most_usd
    assert sum(len(keys) for keys in server.jobs.values()) == summary.models[0].outcomes["ok"] == 36


def test_variants_of_the_same_bytes_are_handed_over_once_and_all_answered(server, dataset, tmp_path):
    """They have one key: what the server says of it answers each of them."""
    alike = [Variant(one.row.model_copy(update={"sha256": "0" * 64}), one.folder) for one in dataset.variants]
    few = replace(dataset, variants=tuple(alike[:3]))
    for _ in range(2):
        summary = run_models(few, [Batched(server)], out=tmp_path / "run", terms=TERMS)
    assert [len(keys) for keys in server.jobs.values()] == [1]
    assert summary.complete
    assert len(open_run(tmp_path / "run").answers) == 3
    assert summary.spent_usd == pytest.approx((1000 + 10 * 10) / 2e6)
