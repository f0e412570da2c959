"""A run: everything asked once, counted truly, resumed without asking again."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from offbeat.errors import ModelError, ModelUnavailable, RunError, SettingsError
from offbeat.evaluation import turn
from offbeat.evaluation.answer import OUTCOMES
from offbeat.evaluation.plan import Selection
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.store import kept_outcomes, put_answer
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Reply
from offbeat.models.registry import make_model


class Spy:
    """Says what `say` returns for a variant, and remembers who asked."""

    looks = False

    def __init__(self, say=lambda row: Reply("sync"), name="spy", revision="1"):
        self.name, self.revision, self._say = name, revision, say
        self.asked: list[tuple[str, str, int]] = []

    def reply(self, variant, prompt):
        self.asked.append((variant.row.clip_id, variant.row.variant_id, threading.get_ident()))
        reply = self._say(variant.row)
        if isinstance(reply, Exception):
            raise reply
        return reply


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "run"


@pytest.mark.parametrize("jobs", [1, 4])
def test_the_oracle_is_always_right_and_every_variant_is_asked_once(dataset, out, jobs):
    seen = []
    summary = run_models(dataset, [make_model("oracle")], out=out, terms=Terms(jobs=jobs), on_progress=seen.append)
    truth = {variant.row.variant_id: variant.row.label for variant in dataset.variants}
    run = open_run(out)
    assert {answer.variant_id: answer.choice for answer in run.answers} == truth
    assert sorted(seen, key=lambda answer: answer.variant_id) == list(run.answers)
    (model,) = summary.models
    assert (model.expected, model.outcomes["ok"], model.missing, model.kept) == (50, 50, 0, 0)
    assert summary.complete


def test_a_clip_is_asked_by_one_thread_in_one_go(dataset, out):
    spy = Spy(lambda row: (time.sleep(0.001), Reply("sync"))[1])
    run_models(dataset, [spy], out=out, terms=Terms(jobs=4))
    by_thread: dict[int, list[str]] = {}
    for clip, _, thread in spy.asked:
        by_thread.setdefault(thread, []).append(clip)
    runs = [clip for clips in by_thread.values() for k, clip in enumerate(clips) if k == 0 or clips[k - 1] != clip]
    assert len(runs) == len(set(runs)) == 10


def test_a_second_run_asks_nothing_again(dataset, out):
    first, second = Spy(), Spy()
    run_models(dataset, [first], out=out, selection=Selection(limit=20))
    summary = run_models(dataset, [second], out=out)
    assert len(first.asked) == 20
    assert len(second.asked) == 30
    assert summary.models[0].kept == 20
    assert not {a[1] for a in first.asked} & {a[1] for a in second.asked}


def test_failures_are_asked_again_and_answers_kept(dataset, out):
    flaky = Spy(lambda row: ModelError(f"no reply for {row.variant_id}") if row.label == "behind" else Reply("sync"))
    summary = run_models(dataset, [flaky], out=out)
    assert summary.models[0].outcomes == {**dict.fromkeys(OUTCOMES, 0), "ok": 30, "error": 20}
    assert not summary.complete
    mended = Spy()
    assert run_models(dataset, [mended], out=out).complete
    assert len(mended.asked) == 20


def test_another_revision_is_asked_again(dataset, out):
    run_models(dataset, [Spy()], out=out)
    newer = Spy(lambda row: Reply("ahead"), revision="2")
    summary = run_models(dataset, [newer], out=out)
    assert len(newer.asked) == 50
    assert summary.models[0].kept == 0
    assert {answer.choice for answer in open_run(out).answers} == {"ahead"}


def test_a_failure_under_another_revision_leaves_the_answer_where_it_is(dataset, out):
    run_models(dataset, [Spy()], out=out)
    broken = Spy(lambda row: ModelError(f"down {row.variant_id}"), revision="2")
    (model,) = run_models(dataset, [broken], out=out).models
    assert (model.kept, model.outcomes["ok"], model.missing, model.complete) == (0, 0, 50, False)
    assert {(answer.revision, answer.choice) for answer in open_run(out).answers} == {("1", "sync")}
    assert run_models(dataset, [Spy(revision="2")], out=out).complete
    assert {answer.revision for answer in open_run(out).answers} == {"2"}


def test_every_outcome_is_counted_and_the_sum_is_what_was_expected(dataset, out):
    says = {
        -2.0: Reply("sync"),
        -1.0: Reply("?"),
        0.0: Reply("", stop="refused"),
        1.0: Reply("sy", stop="truncated"),
        2.0: Reply("behind", stop="unsure"),
    }
    summary = run_models(dataset, [Spy(lambda row: says[row.audio_delay_ms / 1000])], out=out)
    (model,) = summary.models
    assert model.outcomes == {"ok": 10, "unsure": 10, "unparsed": 10, "refused": 10, "truncated": 10, "error": 0}
    assert sum(model.outcomes.values()) + model.missing == model.expected == 50
    assert summary.complete


def test_equal_failures_in_a_row_stop_a_model_but_not_the_next(dataset, out):
    dead, alive = Spy(lambda row: ModelError("401 key refused"), name="dead"), Spy(name="alive")
    summary = run_models(dataset, [dead, alive], out=out)
    assert len(dead.asked) == 2 * 5 + 1
    first, second = summary.models
    assert first.stopped == "3 clips in a row: 401 key refused"
    assert (first.outcomes["error"], first.missing, first.expected) == (11, 39, 50)
    assert second.complete
    assert not summary.complete


def test_failures_of_different_kinds_or_with_answers_between_stop_nobody(dataset, out):
    different = Spy(lambda row: ModelError(f"no file {row.file_name}"), name="different")
    between = Spy(lambda row: Reply("sync") if row.audio_delay_ms == 0 else ModelError("busy"), name="between")
    summary = run_models(dataset, [different, between], out=out)
    assert [model.stopped for model in summary.models] == [None, None]
    assert [model.missing for model in summary.models] == [0, 0]


def test_a_model_that_is_gone_is_asked_once(dataset, out):
    gone = Spy(lambda row: ModelUnavailable("retired"))
    summary = run_models(dataset, [gone], out=out)
    assert len(gone.asked) == 1
    assert summary.models[0].stopped == "retired"


def test_a_fault_in_a_models_code_is_a_failure_with_its_traceback(dataset, out):
    broken = Spy(lambda row: KeyError("frames"))
    summary = run_models(dataset, [broken], out=out)
    assert summary.models[0].stopped == "3 clips in a row: KeyError: 'frames'"
    assert "Traceback" in open_run(out).answers[0].details["traceback"]


def test_a_store_that_fails_ends_the_run(dataset, out, monkeypatch):
    monkeypatch.setattr(turn, "put_answer", _full_after_seven)
    with pytest.raises(RunError, match="disk full"):
        run_models(dataset, [Spy()], out=out)
    assert len(open_run(out).answers) == 7


def _full_after_seven(database, answer):
    if len(kept_outcomes(database, answer.model, answer.question)) >= 7:
        raise RunError("disk full")
    put_answer(database, answer)


def test_a_wrong_setting_leaves_no_folder(dataset, out):
    with pytest.raises(SettingsError, match="genre"):
        run_models(dataset, [Spy()], out=out, selection=Selection(genres=["opera"]))
    assert not out.exists()
    with pytest.raises(SettingsError, match="the dataset itself"):
        run_models(dataset, [Spy()], out=dataset.folder)


INTERRUPTED = """
import os, signal, sys, time
from pathlib import Path
from offbeat.dataset.folder import open_dataset
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Reply

class Slow:
    name, revision, looks = "slow", "1", False
    def reply(self, variant, prompt):
        os.write(1, f"begun {variant.row.variant_id}\\n".encode())
        time.sleep(0.3)
        return Reply("sync")

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
try:
    run_models(open_dataset(Path(sys.argv[1])), [Slow()], out=Path(sys.argv[2]), terms=Terms(jobs=2))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_a_second_interrupt_waits_for_nothing(dataset, out):
    """By the command, since threads of models are waited for at an ordinary exit."""
    own = out.parent / "mine.py"
    own.write_text(
        "import os, time\nfrom offbeat.models.base import Reply\n"
        "class Slow:\n    name, revision, looks = 'slow', '1', False\n"
        "    def reply(self, variant, prompt):\n        os.write(1, b'begun\\n')\n        time.sleep(60)\n"
    )
    words = ["run", str(dataset.folder), "--model", f"{own}:Slow", "--out", str(out), "--jobs", "1"]
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from offbeat.cli import main; main()"
    )
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "begun\n"
        child.send_signal(signal.SIGINT)
        while "Ctrl-C again" not in child.stderr.readline():
            assert child.poll() is None
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 130
        assert "Stopped." in child.stderr.read()
    assert time.monotonic() - began < 50


def test_an_interrupt_finishes_what_is_in_flight(dataset, out):
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(dataset.folder), str(out)], stdout=subprocess.PIPE, text=True
    )
    with child:
        lines = [child.stdout.readline() for _ in range(2)]
        child.send_signal(signal.SIGINT)
        lines += child.stdout.readlines()
    begun = {line.split()[1] for line in lines if line.startswith("begun")}
    assert lines[-1] == "interrupted\n"
    assert 2 <= len(begun) <= 4
    assert {answer.variant_id for answer in open_run(out).answers} == begun
