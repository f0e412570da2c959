"""Batches: handed over, left, collected later; what a server loses is asked again, and nothing twice meanwhile."""

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest

from offbeat.dataset.variant import Variant
from offbeat.errors import MediaError, ModelError, ModelUnavailable, RequestRejected, TransientError
from offbeat.evaluation.batches import turn
from offbeat.evaluation.money.estimate import estimate_run, keys_in_batches
from offbeat.evaluation.money.prices import Price
from offbeat.evaluation.plan import Selection, plan_run
from offbeat.evaluation.question import STUDY
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.status import run_status
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Collected, Reply

PRICE = Price(name="p", input_usd=1.0, output_usd=10.0, batch_share=0.5, since=date(2026, 1, 1), source="a test")
TERMS = Terms(batch=True, prices={"p": PRICE})
USAGE = {"input_tokens": 1000, "output_tokens": 10}


class Server:
    """Keeps jobs by name; `state` and `lose` say what it does with them."""

    def __init__(self):
        self.jobs, self.state, self.lose, self.fail = {}, "ended", set(), {}
        self.upload_error = self.submit_error = self.collect_error = self.lost_error = None


class Batched:
    name, revision, looks, price_name = "batched", "1", False, "p"

    def __init__(self, server):
        self.server = server

    async def reply(self, variant, prompt):
        raise AssertionError("it is asked by batches alone")

    def expected_usage(self, variant, prompt):
        return {"input_tokens": 1000, "output_tokens": 100}

    async def submit(self, items, *, note):
        if self.server.upload_error:
            raise self.server.upload_error
        job = f"batches/{len(self.server.jobs)}"
        note(f"ours for {job}")
        if self.server.submit_error:
            raise self.server.submit_error
        self.server.jobs[job] = [item.key for item in items]
        if self.server.lost_error:
            raise self.server.lost_error
        return job

    async def collect(self, job, items):
        server = self.server
        if server.collect_error:
            raise server.collect_error
        job = job.removeprefix("ours for ")
        assert [item.key for item in items if item.key not in server.jobs[job]] == []
        if server.state == "pending":
            return Collected("pending", {}, "running")
        labels = {item.key: item.variant.row.label for item in items}
        replies = {
            key: server.fail.get(key) or Reply(labels[key], usage=USAGE)
            for key in server.jobs[job]
            if key not in server.lose
        }
        return Collected("ended", replies, "JOB_STATE_SUCCEEDED")


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def run(dataset, tmp_path, server):
    return lambda **changes: run_models(dataset, [Batched(server)], out=tmp_path / "run", terms=TERMS, **changes)


def test_hand_over_leave_and_collect(run, server, dataset, tmp_path):
    server.state = "pending"
    first = run()
    assert not first.complete
    assert first.models[0].missing == 50
    assert first.models[0].stopped == "questions in batches: 50; the same command collects them"
    assert first.spent_usd == pytest.approx(50 * (1000 + 100 * 10) / 2e6)  # set aside
    assert run_status(tmp_path / "run").models[0].in_batches == 50

    again = run()
    assert len(server.jobs) == 1, "what is under way was handed over again"
    assert again.models[0].missing == 50

    server.state = "ended"
    done = run()
    assert done.complete
    assert done.spent_usd == pytest.approx(50 * (1000 + 10 * 10) / 2e6)
    answers = open_run(tmp_path / "run").answers
    truth = {variant.row.variant_id: variant.row.label for variant in dataset.variants}
    assert {answer.variant_id: answer.choice for answer in answers} == truth
    assert {answer.details["batch"] for answer in answers} == {"batches/0"}


def test_what_a_job_loses_or_fails_is_handed_over_anew(run, server, tmp_path):
    server.state = "pending"
    run()
    keys = server.jobs["batches/0"]
    server.lose, server.fail = set(keys[:5]), {keys[5]: RequestRejected("400: blocked")}
    server.state = "ended"
    again = run()
    assert server.jobs["batches/1"] == keys[:6]
    assert (again.models[0].outcomes["ok"], again.models[0].outcomes["error"], again.models[0].missing) == (44, 1, 5)
    server.lose, server.fail = set(), {}
    assert run().complete


def test_large_sets_are_handed_over_in_parts(run, server, monkeypatch):
    monkeypatch.setattr(turn, "LARGEST", 20)
    run()
    assert [len(keys) for keys in server.jobs.values()] == [20, 20, 10]


def test_a_server_that_cannot_tell_now_is_asked_another_time(run, server):
    server.state = "pending"
    run()
    server.collect_error = TransientError("503")
    stopped = run().models[0].stopped
    assert "batches/0: cannot be told now: 503" in stopped
    assert len(server.jobs) == 1


def test_a_job_that_is_gone_is_handed_over_anew(run, server):
    server.state = "pending"
    run()
    server.collect_error = ModelError("404: no such batch")
    run()
    assert len(server.jobs) == 2


def test_a_batch_that_is_not_taken_costs_nothing(run, server):
    server.submit_error = RequestRejected("400: too large")
    summary = run()
    assert summary.models[0].stopped == "400: too large"
    assert summary.spent_usd == 0


@pytest.mark.parametrize("lost", [ModelError("half a body", usage=None), KeyboardInterrupt()])
def test_a_batch_that_was_taken_though_nobody_heard_is_collected(run, server, lost):
    server.lost_error = lost
    with suppress(KeyboardInterrupt):  # after which as little is noted as after a kill
        assert run().models[0].stopped.startswith("half a body. questions in batches: 50;")
    server.lost_error = None
    done = run()
    assert done.complete
    assert len(server.jobs) == 1, "it was handed over, and paid for, twice"
    assert done.spent_usd == pytest.approx(50 * (1000 + 10 * 10) / 2e6)


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


def test_a_batch_that_was_not_taken_is_noted_no_more(run, server):
    server.submit_error = RequestRejected("400: too large")
    run()
    server.submit_error, server.state = None, "pending"
    assert run().models[0].stopped == "questions in batches: 50; the same command collects them"


def test_a_model_without_batches(dataset, tmp_path):
    class Plain:
        name, revision, looks = "plain", "1", False

        def reply(self, variant, prompt):
            return Reply("sync")

    summary = run_models(dataset, [Plain()], out=tmp_path / "run", terms=TERMS)
    assert summary.models[0].stopped == "it takes no batches; leave --batch out"


def test_what_is_in_a_batch_is_not_asked_one_by_one(run, server, dataset, tmp_path):
    class Single(Batched):
        async def reply(self, variant, prompt):
            raise AssertionError("it would be paid for twice")

    server.state = "pending"
    run()
    plain = replace(TERMS, batch=False)
    (model,) = run_models(dataset, [Single(server)], out=tmp_path / "run", terms=plain).models
    assert (model.missing, model.outcomes["error"]) == (50, 0)
    assert model.stopped == "questions in batches: 50; the same command with --batch collects them"


def test_other_questions_leave_a_job_alone(run, server):
    server.state = "pending"
    run(repeats=2)
    server.state = "ended"
    assert "holds other questions than these" in run(repeats=1).models[0].stopped
    assert run(repeats=2).complete


def test_a_batch_in_which_everything_fails_alike_is_not_paid_for_again(run, server):
    server.state = "pending"
    run()
    server.state = "ended"
    keys = server.jobs["batches/0"]
    server.fail = {
        key: ModelError(f"{number} picture tokens: it left frames out", usage=USAGE) for number, key in enumerate(keys)
    }
    summary = run()
    assert summary.models[0].stopped == "10 clips in a row: 49 picture tokens: it left frames out"
    assert summary.models[0].outcomes["error"] == 50
    assert len(server.jobs) == 1
    run()
    assert len(server.jobs) == 2, "by the next command it is handed over anew"


def test_another_model_in_a_batch_ends_the_handing_over(run, server):
    """What it answered was paid for; the same questions would be answered by it again."""
    server.state = "pending"
    run()
    server.state = "ended"
    server.fail = dict.fromkeys(server.jobs["batches/0"], ModelUnavailable("another answered", usage=USAGE))
    summary = run()
    assert summary.models[0].stopped == "another answered"
    assert summary.models[0].outcomes["error"] == 50
    assert len(server.jobs) == 1
    assert summary.spent_usd == pytest.approx(50 * (1000 + 10 * 10) / 2e6)


def test_what_a_job_loses_may_have_been_paid_for(run, server):
    server.state = "pending"
    run()
    first = server.jobs["batches/0"]
    server.lose, server.fail = set(first[:5]), {first[5]: RequestRejected("400"), first[6]: ModelError("?", usage=None)}
    server.state = "ended"
    server.submit_error = RequestRejected("not now")
    most, real = (1000 + 100 * 10) / 2e6, (1000 + 10 * 10) / 2e6
    assert run().spent_usd == pytest.approx(6 * most + 43 * real)  # 5 lost, 1 that nobody can tell, 1 free


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
    summary = run_models(dataset, [Batched(server)], out=tmp_path / "run", terms=terms)
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


def test_ctrl_c_while_clips_are_uploaded_hands_nothing_over(dataset, server, tmp_path):
    """What is in flight is finished; a batch that was not sent is none, and hundreds of its clips may be to come."""

    class Uploading(Batched):
        async def submit(self, items, *, note):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(1)
            return await super().submit(items, note=note)

    with pytest.raises(KeyboardInterrupt):
        run_models(dataset, [Uploading(server)], out=tmp_path / "run", terms=TERMS)
    assert server.jobs == {}
    assert run_status(tmp_path / "run").spent_usd == 0
    assert run_status(tmp_path / "run").models[0].in_batches == 0


def test_ctrl_c_while_a_batch_is_sent_keeps_it(dataset, server, tmp_path):
    class Sending(Batched):
        async def submit(self, items, *, note):
            note("ours for batches/0")
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.2)
            return await super().submit(items, note=note)

    with pytest.raises(KeyboardInterrupt):
        run_models(dataset, [Sending(server)], out=tmp_path / "run", terms=TERMS)
    assert list(server.jobs) == ["batches/0"]
    assert run_status(tmp_path / "run").models[0].in_batches == 50


def test_ctrl_c_while_a_job_is_collected_leaves_it_there(dataset, server, tmp_path):
    """Nobody waits for hundreds of megabytes that can be fetched another time, at no cost."""

    class Fetching(Batched):
        async def collect(self, job, items):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)

    run_models(dataset, [Batched(server)], out=tmp_path / "run", terms=TERMS)
    with pytest.raises(KeyboardInterrupt):
        run_models(dataset, [Fetching(server)], out=tmp_path / "run", terms=TERMS)
    assert run_status(tmp_path / "run").models[0].in_batches == 50
    assert run_models(dataset, [Batched(server)], out=tmp_path / "run", terms=TERMS).complete
    assert len(server.jobs) == 1


def test_progress_tells_of_what_is_wanted_alone(server, dataset, tmp_path):
    """A job may hold more than this command wants, and one result may answer several variants."""
    alike = [Variant(one.row.model_copy(update={"sha256": "0" * 64}), one.folder) for one in dataset.variants[:20]]
    some = replace(dataset, variants=(*alike, *dataset.variants[20:]))
    seen = []

    def run(limit=None):
        few = Selection(limit=limit)
        told = run_models(
            some, [Batched(server)], out=tmp_path / "run", terms=TERMS, selection=few, on_progress=seen.append
        )
        return told.models[0]

    server.state = "pending"
    run()
    server.state = "ended"
    assert run(limit=15).outcomes["ok"] == len(seen) == 15
    assert run().outcomes["ok"] == 50
    assert len(seen) == 15, "what was collected before came again"


def test_a_job_that_ends_without_results_is_told_of(run, server, tmp_path, caplog):
    server.state = "pending"
    run()
    keys = server.jobs["batches/0"]
    server.state, server.lose = "ended", set(keys[:20])
    run()
    server.collect_error = ModelError("no such job")
    run()
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("batched: batches/0: JOB_STATE_SUCCEEDED; to be handed over anew: 20; what was set")
    assert second.startswith("batched: batches/1: lost: no such job; to be handed over anew: 20; what was set")
