"""Batches: handed over, left, collected later; what a server loses is asked again, and nothing twice meanwhile."""

import asyncio
import os
import signal
from dataclasses import replace

import pytest
from batch_server import TERMS, USAGE, Batched

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, ModelUnavailable, RequestRejected, TransientError
from offbeat.evaluation.batches import turn
from offbeat.evaluation.plan import Selection
from offbeat.evaluation.question import STUDY
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.status import run_status
from offbeat.models.base import Reply


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


def test_a_model_that_tells_of_a_job_in_another_way_ends_no_run(run, server, dataset, tmp_path):
    class Careless(Batched):
        async def collect(self, job, items):
            return {item.key: Reply("sync") for item in items}

    run()
    told = run_models(dataset, [Careless(server)], out=tmp_path / "run", terms=TERMS).models[0]
    assert told.stopped.startswith("batches/0: cannot be told now: TypeError: collect gave {'")
    assert run().complete


def test_a_job_that_is_gone_is_handed_over_anew(run, server):
    server.state = "pending"
    run()
    server.collect_error = ModelError("404: no such batch")
    run()
    assert len(server.jobs) == 2


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
    left = "batches/0 with other questions than these: collected by the command that handed them over"
    assert run(repeats=1).models[0].stopped == f"questions in batches: 100; {left}"
    assert list(server.jobs) == ["batches/0"], "what is in it already was handed over again"
    assert run(repeats=2).complete


def test_other_questions_are_handed_over_beside_it(run, server):
    letters = replace(STUDY, name="letters", words=("A", "B", "C"))
    server.state = "pending"
    run()
    assert "questions in batches: 100; batches/0 with other" in run(questions=[letters]).models[0].stopped
    assert [len(keys) for keys in server.jobs.values()] == [50, 50]
    assert (
        run(questions=[STUDY, letters]).models[0].stopped == "questions in batches: 100; the same command collects them"
    )
    server.state = "ended"
    assert run().models[0].outcomes["ok"] == 50
    assert run(questions=[STUDY, letters]).complete


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


def test_a_model_that_forgets_its_name_loses_no_batch(dataset, server, tmp_path):
    class Forgetful(Batched):
        @property
        def name(self):
            if server.jobs:
                raise OSError("the file of names has gone")
            return "batched"

    told = run_models(dataset, [Forgetful(server)], out=tmp_path / "run", terms=TERMS)
    assert told.models[0].stopped == "questions in batches: 50; the same command collects them"
    assert run_models(dataset, [Batched(server)], out=tmp_path / "run", terms=TERMS).complete


def test_what_cannot_be_handed_over_keeps_nobody_waiting(run, server, tmp_path, caplog):
    """Of the thousands of clips of a set one is damaged: the others are handed over all the same."""
    server.state = "pending"
    run()
    keys = server.jobs["batches/0"]
    server.collect_error, server.state = ModelError("no such job"), "ended"
    server.unfit = {key: RequestRejected(f"clips/{key}: it cannot be read") for key in keys[:2]}
    told = run().models[0]
    assert server.jobs["batches/1"] == keys[2:]
    assert (told.outcomes["error"], told.missing) == (2, 48)
    assert "batched: 2 of the questions cannot be handed over: clips/" in caplog.text
    server.collect_error = None
    told = run().models[0]
    assert told.outcomes == {**told.outcomes, "ok": 48, "error": 2}
    assert told.stopped.startswith("2 of the questions cannot be handed over: clips/"), "nothing else is left"
    assert len(server.jobs) == 2
    server.unfit = {}
    run()
    assert run().complete


def test_what_cannot_be_handed_over_takes_no_answer_away(server, dataset, tmp_path):
    """Variants of the same bytes share a key; one of them has been asked about alone."""

    class Both(Batched):
        async def reply(self, variant, prompt):
            return Reply("sync")

    alike = [Variant(one.row.model_copy(update={"sha256": "0" * 64}), one.folder) for one in dataset.variants[:3]]
    few, out = replace(dataset, variants=tuple(alike)), tmp_path / "run"
    run_models(few, [Both(server)], out=out, terms=replace(TERMS, batch=False), selection=Selection(limit=1))
    server.unfit = {open_run(out).answers[0].key: RequestRejected("no")}
    told = run_models(few, [Both(server)], out=out, terms=TERMS).models[0]
    assert (told.outcomes["ok"], told.outcomes["error"]) == (1, 2)


def test_a_model_that_names_no_question_that_it_was_given_is_not_asked_for_ever(run, server):
    class Lost(dict):
        def __contains__(self, key):
            return True

        def __getitem__(self, key):
            return RequestRejected("no")

    server.unfit = Lost()
    assert run().models[0].stopped.startswith("50 of the questions cannot be handed over: no")


def test_replies_that_are_cut_off_clip_after_clip_are_not_paid_for_again(run, server):
    server.state = "pending"
    run()
    keys = server.jobs["batches/0"]
    server.state, server.lose = "ended", set(keys[-5:])
    server.fail = dict.fromkeys(keys, Reply("", stop="truncated", usage=USAGE))
    assert run().models[0].stopped.startswith("9 clips in a row: each reply was cut off by the output budget")
    assert len(server.jobs) == 1


def test_a_name_that_another_batch_has_is_no_name(run, server):
    """Of a server that begins anew, or a proxy that says again what it said before."""
    run(selection=Selection(limit=20))
    assert run(selection=Selection(limit=20)).complete
    server.jobs.clear()
    assert run().models[0].stopped.startswith("the batch was given the name of a former one, batches/0. questions in")
    assert run().complete
    assert len(server.jobs) == 1
