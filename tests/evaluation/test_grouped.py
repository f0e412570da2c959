"""A model that answers a clip's variants together."""

import asyncio
import threading
import time

import pytest

from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError
from offbeat.evaluation.calls.calling import Caller
from offbeat.evaluation.calls.limiter import Limiter
from offbeat.evaluation.calls.patience import MOST_RATE_LIMITED, MOST_TRANSIENT
from offbeat.evaluation.question import STUDY, prompt_for
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Reply


class Grouped:
    name, revision, looks = "grouped", "1", False

    def __init__(self, at_once=1, fault=None):
        self.at_once, self._fault = at_once, fault
        self.groups, self.busy, self.most_busy, self._lock = [], 0, 0, threading.Lock()

    def reply(self, variant, prompt):
        return self.replies([variant], [prompt])[0]

    def replies(self, variants, prompts):
        with self._lock:
            self.groups.append([variant.row.clip_id for variant in variants])
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
        time.sleep(0.02)
        with self._lock:
            self.busy -= 1
        if isinstance(self._fault, Exception):
            raise self._fault
        said = [Reply(prompt.word_for(v.row.label)) for v, prompt in zip(variants, prompts, strict=True)]
        return said if self._fault is None else self._fault(said)


def test_a_clip_at_a_time_all_of_it_in_one_call(dataset, tmp_path):
    model = Grouped(at_once=3)
    assert run_models(dataset, [model], out=tmp_path / "run").complete
    assert len(model.groups) == 10
    assert all(len(group) == 5 and len(set(group)) == 1 for group in model.groups)
    assert 2 <= model.most_busy <= 3
    truth = {variant.row.variant_id: variant.row.label for variant in dataset.variants}
    assert {answer.variant_id: answer.choice for answer in open_run(tmp_path / "run").answers} == truth


def test_a_failure_is_one_variants_alone(dataset, tmp_path):
    model = Grouped(fault=lambda said: [ModelError("out of memory"), *said[1:]])
    (summary,) = run_models(dataset, [model], out=tmp_path / "run").models
    assert (summary.outcomes["ok"], summary.outcomes["error"]) == (40, 10)
    mended = Grouped()
    assert run_models(dataset, [mended], out=tmp_path / "run").complete
    assert [len(group) for group in mended.groups] == [1] * 10


def test_too_few_replies_are_none(dataset, tmp_path):
    (summary,) = run_models(dataset, [Grouped(fault=lambda said: said[1:])], out=tmp_path / "run").models
    assert summary.outcomes["error"] >= 10
    assert "4 replies to 5 variants" in summary.stopped


def test_a_model_that_is_gone_is_asked_once(dataset, tmp_path):
    model = Grouped(fault=ModelUnavailable("no GPU"))
    (summary,) = run_models(dataset, [model], out=tmp_path / "run").models
    assert (len(model.groups), summary.stopped) == (1, "no GPU")


class Fussy(Grouped):
    """Fails as the script says, one entry a call: for the first variant of the call, or for all where it is raised."""

    def __init__(self, *script, raises=False):
        super().__init__()
        self.script, self.raises, self.sizes = list(script), raises, []

    def replies(self, variants, prompts):
        said = super().replies(variants, prompts)
        self.sizes.append(len(variants))
        fault = self.script.pop(0) if self.script else None
        if fault is None:
            return said
        if self.raises:
            raise fault
        return [fault, *said[1:]]


def outcomes(dataset, model, out, **terms):
    (summary,) = run_models(dataset, [model], out=out, terms=Terms(**{"first_wait_s": 1e-6, **terms})).models
    return summary.outcomes["ok"], summary.outcomes["error"]


@pytest.mark.parametrize("raises", [False, True])
def test_what_may_pass_is_asked_again_and_it_alone(dataset, tmp_path, raises):
    model = Fussy(TransientError("reset"), RateLimited("busy"), raises=raises)
    assert outcomes(dataset, model, tmp_path / "run") == (50, 0)
    again = 5 if raises else 1
    assert model.sizes == [5, again, again] + [5] * 9
    told = [a.details["failed_attempts"] for a in open_run(tmp_path / "run").answers if "failed_attempts" in a.details]
    assert told == [["reset", "busy"]] * again


@pytest.mark.parametrize(("kind", "most"), [(TransientError, MOST_TRANSIENT), (RateLimited, MOST_RATE_LIMITED + 1)])
def test_patience_with_a_variant_has_an_end(dataset, tmp_path, kind, most):
    """Where the first "too many requests" was no wonder: the clip's other variants were answered with it."""
    model = Fussy(*[kind("not today")] * most)
    assert outcomes(dataset, model, tmp_path / "run") == (49, 1)
    assert model.sizes == [5] + [1] * (most - 1) + [5] * 9


def test_what_will_not_pass_is_told_at_once(dataset, tmp_path):
    model = Fussy(ModelError("no"), RequestRejected("never"), ZeroDivisionError("a fault"))
    assert outcomes(dataset, model, tmp_path / "run") == (47, 3)
    assert model.sizes == [5] * 10


def test_one_that_asks_to_wait_for_hours_stops(dataset, tmp_path):
    model = Fussy(RateLimited("daily quota", retry_after_s=7200))
    (summary,) = run_models(dataset, [model], out=tmp_path / "run").models
    assert "wait 120 minutes" in summary.stopped


def test_the_others_are_kept_while_one_is_waited_for(dataset, tmp_path):
    kept = []

    class Watching(Fussy):
        def replies(self, variants, prompts):
            kept.append(len(open_run(tmp_path / "run").answers))
            return super().replies(variants, prompts)

    assert outcomes(dataset, Watching(TransientError("reset")), tmp_path / "run") == (50, 0)
    assert kept[:3] == [0, 4, 5]


def test_a_halt_ends_the_waiting_and_keeps_the_reason(make_variant):
    async def main():
        halted = asyncio.Event()
        model = Fussy(TransientError("reset"))
        limiter = Limiter(most=1, halted=halted, clock=time.monotonic)
        caller = Caller(model, limiter=limiter, halted=halted, first_wait_s=1000)
        variants = [make_variant(variant_id=name) for name in "ab"]
        asked = [(variant, prompt_for(STUDY, variant)) for variant in variants]
        found = []
        async for place, called in caller.call_together(asked):
            found.append((place, called.reply and called.reply.text, str(called.failure)))
            halted.set()
        return found

    assert asyncio.run(main()) == [(1, "sync", "None"), (0, None, "reset")]
