"""What every model promises (see `offbeat.evaluation.contract`). To add one, add its specification to SPECS."""

import asyncio
import re
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from offbeat.errors import ModelError, ModelUnavailable
from offbeat.evaluation.contract import check_model
from offbeat.models.base import Grouped, Reply
from offbeat.models.registry import known_models, make_model

SPECS = ["random", "always:sync", "always:ahead", "always:behind", "oracle", "replay:{recorded}", "signal"]
SPECS += ["human:{people}", "worker:{python} {worker}", "worker:{python} {worker} together arrays"]
SERVED = {"gemini", "openai"}
"""Tried out against a server of the tests, in a folder of their own."""
NEEDS_TORCH = {"qwen-omni"}
"""Tried out in a folder of its own, where torch is there."""
KNOWS_THE_TRUTH = {"oracle"}
SAYS_THE_SAME_WHATEVER_IS_ASKED = {"replay", "human"}
WORKER = Path(__file__).parent / "worker" / "tiny_worker.py"


@pytest.fixture(scope="module", params=SPECS)
def spec(request, recorded, people) -> str:
    return request.param.format(recorded=recorded, people=people, python=sys.executable, worker=WORKER)


def test_every_registered_model_is_here():
    assert {spec.partition(":")[0] for spec in SPECS} == set(known_models()) - SERVED - NEEDS_TORCH


def test_it_keeps_the_contract(spec, variants):
    kind = spec.partition(":")[0]
    verdicts = {check.what: (check.verdict, check.found) for check in check_model(lambda: make_model(spec), variants)}
    assert make_model(spec).name == spec
    assert verdicts.pop("truth")[0] == ("fault" if kind in KNOWS_THE_TRUTH else "ok")
    assert verdicts.pop("other words")[0] == ("note" if kind in SAYS_THE_SAME_WHATEVER_IS_ASKED else "ok")
    assert {verdict for verdict, _ in verdicts.values()} == {"ok"}, verdicts
    together = {"together"} if isinstance(make_model(spec), Grouped) else set()
    assert set(verdicts) == {"made", "replies", "asked again"} | together


class Fine:
    """Answers in the words of the question; the others below each break one promise."""

    name, revision = "fine", "1"

    def reply(self, variant, prompt):
        return Reply(text=prompt.word_for("ahead"))


class Asynchronous(Fine):
    """Needs all calls in one event loop, and is closed in it."""

    all_closed = 0

    def __init__(self):
        self.loop = None
        self.closed = False

    async def reply(self, variant, prompt):
        self.loop = self.loop or asyncio.get_running_loop()
        assert self.loop is asyncio.get_running_loop()
        assert not self.closed
        await asyncio.sleep(0)
        return Reply(text=prompt.word_for("ahead"), usage={"output_tokens": 3})

    async def close(self):
        assert self.loop is asyncio.get_running_loop()
        self.closed = True
        type(self).all_closed += 1


class Paid(Asynchronous):
    price_name = "paid/fine"

    def expected_usage(self, variant, prompt):
        return {"output_tokens": 10}


class Overspent(Paid):
    def expected_usage(self, variant, prompt):
        return {"output_tokens": 2}


class Uncounted(Paid):
    def expected_usage(self, variant, prompt):
        return {"tokens": 2}


class Uncounting(Paid):
    def expected_usage(self, variant, prompt):
        return {}["tokens"]


class Learning(Fine):
    """Knows only by its answer which version it is."""

    def __init__(self):
        self.revision = "latest"

    def reply(self, variant, prompt):
        self.revision = "2026-08"
        return super().reply(variant, prompt)


class Drifting(Fine):
    made = 0

    def __init__(self):
        type(self).made += 1
        self.revision = f"{type(self).made}"


class Empty(Fine):
    revision = " "


class Peeking(Fine):
    def reply(self, variant, prompt):
        return Reply(text=prompt.word_for("ahead" if variant.row.audio_delay_ms < 0 else "behind"))


class Remembering(Fine):
    """Replies by what it was asked before."""

    def __init__(self):
        self.asked, self.lock = 0, threading.Lock()

    def reply(self, variant, prompt):
        with self.lock:
            self.asked += 1
        return Reply(text=f"{variant.row.variant_id} {self.asked}")


class Wandering(Fine):
    """Never replies the same."""

    asked = 0

    def reply(self, variant, prompt):
        type(self).asked += 1
        return Reply(text=f"{self.asked}")


class NoReply(Fine):
    def reply(self, variant, prompt):
        return "ahead"


class Surer(Fine):
    def reply(self, variant, prompt):
        return Reply(text="ahead", probabilities={"ahead": 1.5})


class Half(Fine):
    def reply(self, variant, prompt):
        return Reply(text="ahead", probabilities={"ahead": 0.5})


class Miscounting(Fine):
    def reply(self, variant, prompt):
        return Reply(text="ahead", usage={"output_tokens": "three"})


class Unstorable(Fine):
    def reply(self, variant, prompt):
        return Reply(text="ahead", details={"delay": np.float32(0.5)})


class Deferred(Fine):
    def reply(self, variant, prompt):
        return Asynchronous().reply(variant, prompt)


class Exhausted(Fine):
    def reply(self, variant, prompt):
        return next(iter([]))


class Leaving(Fine):
    def reply(self, variant, prompt):
        sys.exit("enough")


class TwoAtOnce(Fine):
    at_once = 1

    def replies(self, variants, prompts):
        return [Reply(text=prompt.word_for("ahead")) for prompt in prompts]


class OneForAll(TwoAtOnce):
    def replies(self, variants, prompts):
        return [Reply(text="ahead")]


class OtherwiseTogether(TwoAtOnce):
    def replies(self, variants, prompts):
        return [Reply(text="sync") for _ in prompts]


class PlainTogether(TwoAtOnce):
    def replies(self, variants, prompts):
        return ["ahead" for _ in prompts]


class Failing(Fine):
    def reply(self, variant, prompt):
        raise ModelError(f"{variant.path}: no voice")


class Faulty(Fine):
    def reply(self, variant, prompt):
        return Reply(text=prompt.answer)


class StudyOnly(Fine):
    def reply(self, variant, prompt):
        if prompt.words != prompt.options:
            raise ModelError("only the study's words")
        return Reply(text="mumble")


@pytest.mark.parametrize("kind", [Fine, Asynchronous, Paid])
def test_a_good_model_has_no_fault(kind, variants):
    checks = check_model(kind, variants)
    assert {check.verdict for check in checks} == {"ok"}
    assert [check.what for check in checks][5:] == (["usage"] if kind is Paid else [])


def test_connections_are_closed(variants, monkeypatch):
    monkeypatch.setattr(Asynchronous, "all_closed", 0)
    check_model(Asynchronous, variants)
    assert Asynchronous.all_closed == 4, "one for each that was made"


@pytest.mark.parametrize(
    ("kind", "what", "verdict", "found"),
    [
        (Drifting, "made", "fault", "made once more"),
        (Empty, "made", "fault", "something in them"),
        (Peeking, "truth", "fault", "it reads the truth"),
        (Remembering, "asked again", "note", "not deterministic"),
        (Wandering, "truth", "note", "cannot be told"),
        (NoReply, "replies", "fault", "expected a Reply"),
        (Surer, "replies", "fault", "expected numbers from 0 to 1"),
        (Half, "replies", "fault", r"probabilities \{'ahead': 0\.5\}, expected a sum of 1"),
        (Miscounting, "replies", "fault", r"usage \{'output_tokens': 'three'\}, expected whole numbers"),
        (Unstorable, "replies", "fault", r"details: Object of type float32 .*; expected what JSON holds: .*float\(x\)"),
        (Deferred, "replies", "fault", r"got a coroutine; write `async def reply`"),
        (Exhausted, "replies", "fault", r"test_contract\.py, line \d+: StopIteration"),
        (Leaving, "replies", "fault", r"line \d+: SystemExit: enough"),
        (OneForAll, "together", "fault", "1 replies to 3 variants"),
        (PlainTogether, "together", "fault", "expected a Reply with a text, got 'ahead'"),
        (OtherwiseTogether, "together", "note", "other replies to a clip's variants together: 'sync'"),
        (TwoAtOnce, "together", "ok", "the same replies"),
        (Failing, "replies", "fault", r"v0\.mp4: no voice"),
        (Faulty, "replies", "fault", "AttributeError: .*answer"),
        (StudyOnly, "replies", "note", r"unparsed \('mumble'\)"),
        (StudyOnly, "other words", "note", "only the study's words"),
        (Overspent, "usage", "fault", "3 output_tokens used, at most 2 expected"),
        (Uncounting, "usage", "fault", r"expected_usage: .*line \d+: KeyError: 'tokens'"),
        (Learning, "made", "fault", "revision '2026-08'; made once more: .* revision 'latest'"),
        (Uncounted, "usage", "fault", "not counts of input_tokens"),
    ],
)
def test_a_broken_promise_is_found(kind, what, verdict, found, variants):
    (check,) = [check for check in check_model(kind, variants) if check.what == what]
    assert check.verdict == verdict
    assert re.search(found, check.found), check.found


def test_a_model_that_cannot_be_made(variants):
    def make():
        raise ModelUnavailable("no key")

    assert [(check.verdict, check.found) for check in check_model(make, variants)] == [("fault", "no key")]
