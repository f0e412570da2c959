"""Whatever a model's code raises, wherever: it costs no answer, no other model, and no money twice."""

import asyncio
import re
from datetime import date

import pytest

from fake_dataset import write_dataset
from offbeat.errors import ModelUnavailable, RateLimited
from offbeat.evaluation.batches import turn
from offbeat.evaluation.money.prices import Price
from offbeat.evaluation.plan import Selection
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Collected, Reply
from offbeat.models.reference import Always

PRICE = Price(name="p", input_usd=1.0, output_usd=10.0, since=date(2026, 1, 1), source="a test")
USAGE = {"input_tokens": 1000, "output_tokens": 10}
EACH_USD = (1000 * 1 + 10 * 10) / 1e6


class Own(BaseException):
    """Of a library that a model uses."""


class Mute(Exception):
    def __str__(self):
        raise KeyError("text")


RAISED = [OSError(28, "No space left"), asyncio.CancelledError(), SystemExit(3), Own("own"), Mute()]
NO_FUTURE_HOLDS = [GeneratorExit(), StopIteration()]


def kind_of(value):
    return value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)


class Faulty:
    """Raises it where it is told to: in one method, or in all of them once `methods` says so."""

    name, revision, looks, price_name = "faulty", "1", False, "p"

    def __init__(self, raised, *methods):
        self.raised, self.methods = raised, methods

    def _may_raise(self, method):
        if method in self.methods:
            raise self.raised

    def expected_usage(self, variant, prompt):
        self._may_raise("expected_usage")
        return USAGE

    async def close(self):
        self._may_raise("close")

    async def reply(self, variant, prompt):
        self._may_raise("reply")
        return Reply("sync", usage=USAGE)


class InProcess(Faulty):
    def reply(self, variant, prompt):
        self._may_raise("reply")
        return Reply("sync", usage=USAGE)

    def close(self):
        self._may_raise("close")


class Grouped(InProcess):
    at_once = 2

    def replies(self, variants, prompts):
        self._may_raise("replies")
        return [Reply("sync", usage=USAGE) for _ in variants]


class Batched(Faulty):
    jobs = 0

    async def submit(self, items, *, note):
        self._may_raise("submit")
        self.jobs += 1
        note(f"job-{self.jobs}")
        self._may_raise("sent")
        return None if "name" in self.methods else f"job-{self.jobs}"

    async def collect(self, job, items):
        self._may_raise("collect")
        return Collected("ended", {item.key: Reply("sync", usage=USAGE) for item in items}, "done")


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("few") / "set")


@pytest.fixture
def run(few, tmp_path):
    """A run with another model behind it; what became of the first, and what was spent."""

    def go(model, **terms):
        summary = run_models(
            few,
            [model, Always(argument="ahead")],
            out=tmp_path / "run",
            selection=Selection(limit=6),
            terms=Terms(prices={"p": PRICE}, **terms),
        )
        assert terms.get("batch") or summary.models[1].complete, "the other model paid for it"
        return summary.models[0], summary.spent_usd

    return go


@pytest.mark.parametrize("raised", [*RAISED, *NO_FUTURE_HOLDS], ids=kind_of)
@pytest.mark.parametrize(
    ("kind", "method"),
    [(Faulty, "reply"), (InProcess, "reply"), (Grouped, "replies"), (Faulty, "expected_usage")],
    ids=kind_of,
)
def test_where_an_answer_was_to_be_it_is_an_error_of_this_model_alone(run, tmp_path, kind, method, raised):
    model, spent = run(kind(raised, method))
    assert model.outcomes["ok"] == 0
    assert type(raised).__name__ in model.stopped
    kept = [answer.error for answer in open_run(tmp_path / "run").answers if answer.model == "faulty"]
    assert all(type(raised).__name__ in error for error in kept)
    assert spent == (0 if method == "expected_usage" else pytest.approx(len(kept) * EACH_USD))
    mended, _ = run(kind(None))
    assert mended.complete


@pytest.mark.parametrize("raised", RAISED, ids=kind_of)
def test_in_a_probe_it_is_told_and_is_no_verdict(run, raised):
    model = Faulty(raised, "reply")
    model.looks = True
    stopped = run(model)[0].stopped
    assert stopped.startswith(f"the probe: The probe could not be carried out: {kind_of(raised)}")


@pytest.mark.parametrize("raised", RAISED, ids=kind_of)
@pytest.mark.parametrize("kind", [Faulty, InProcess])
def test_at_its_end_it_is_a_warning(run, caplog, kind, raised):
    model, _ = run(kind(raised, "close"))
    assert model.complete
    assert re.search(f"faulty could not be closed: .*{type(raised).__name__}", caplog.text)


@pytest.mark.parametrize("raised", RAISED, ids=kind_of)
@pytest.mark.parametrize("method", ["expected_usage", "submit", "sent", "collect"])
def test_of_a_batch_nothing_is_lost_and_nothing_paid_for_twice(run, method, raised):
    model = Batched(raised)
    if method == "collect":
        run(model, batch=True)
    model.methods = (method,)
    faulty, spent = run(model, batch=True)
    assert type(raised).__name__ in faulty.stopped
    assert faulty.missing == 6
    assert spent == (pytest.approx(6 * EACH_USD) if method in ("sent", "collect") else 0)
    model.methods = ()
    run(model, batch=True)
    mended, spent = run(model, batch=True)
    assert (mended.complete, model.jobs) == (True, 1)
    assert spent == pytest.approx(6 * EACH_USD)


def test_a_batch_is_known_by_the_name_that_it_was_noted_under_where_submit_gives_none(run):
    model = Batched(None, "name")
    assert "submit gave None, expected the name of the job" in run(model, batch=True)[0].stopped
    done, _ = run(model, batch=True)
    assert (done.complete, model.jobs) == (True, 1)


def test_jobs_behind_one_that_cannot_be_told_are_collected(run, monkeypatch):
    """Such as one that was handed over with another key."""
    monkeypatch.setattr(turn, "LARGEST", 3)

    class Elsewhere(Batched):
        async def collect(self, job, items):
            if job == "job-1":
                raise ModelUnavailable("another key")
            return await super().collect(job, items)

    model = Elsewhere(None)
    run(model, batch=True)
    left, _ = run(model, batch=True)
    assert (left.outcomes["ok"], left.missing, model.jobs) == (3, 3, 2)
    assert "job-1: cannot be told now: another key" in left.stopped


@pytest.mark.parametrize("told", ["0.01", "soon", float("nan"), float("inf")])
def test_how_long_to_wait_may_be_told_as_a_header_says_it(run, told):
    class Busy(Faulty):
        async def reply(self, variant, prompt):
            if self.methods:
                self.methods = self.methods[1:]
                raise RateLimited("429", retry_after_s=told)
            return Reply("sync", usage=USAGE)

    model, _ = run(Busy(None, "once"), first_wait_s=1e-6)
    if told == "0.01":
        assert model.complete
    else:
        assert (model.outcomes["ok"] + model.missing, model.outcomes["error"]) == (5, 1)


def test_a_model_that_takes_no_clip_at_a_time_takes_one(run):
    model = Grouped(None)
    model.at_once = 0
    assert run(model)[0].complete


def test_what_is_answered_together_is_paid_for_too(run):
    model, spent = run(Grouped(None), most_usd=2.5 * EACH_USD)
    assert 0 < model.outcomes["ok"] < 6
    assert spent == pytest.approx(model.outcomes["ok"] * EACH_USD)
    assert "more than the" in model.stopped
