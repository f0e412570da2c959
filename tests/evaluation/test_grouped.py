"""A model that answers a clip's variants together."""

import threading
import time

from offbeat.errors import ModelError, ModelUnavailable
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
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
