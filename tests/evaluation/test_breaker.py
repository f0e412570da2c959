"""When a model is left alone: for what fails from clip to clip, and not for a clip that it cannot have."""

import asyncio
import itertools
import sys
from dataclasses import replace

import pytest

from fake_dataset import write_dataset
from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, RequestRejected, TransientError
from offbeat.evaluation.calls.breaker import CALLS_PAID, CLIPS_AT_FIRST, CLIPS_LATER, Breaker
from offbeat.evaluation.plan import Selection
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Reply


def stopped_at(clips, errors, *, answered=False, kind=RequestRejected):
    """After how many calls, ended in the order in which they were begun, it would stop; None if never."""
    breaker = Breaker(answered=answered)
    for count, (clip, error) in enumerate(zip(clips, errors, strict=False), start=1):
        if breaker.ended(breaker.begun(clip), error, error and kind(error)) is not None:
            return count
    return None


def paid(text):
    """The server answered, but not what it was asked; lengths of clips are in it."""
    return ModelError(text, usage={"input_tokens": 700})


def test_clips_are_counted_and_not_calls():
    by_21 = [f"clip {k // 21}" for k in range(2100)]
    assert stopped_at(by_21, itertools.repeat("400")) == 2 * 21 + 1
    assert stopped_at(by_21, itertools.repeat("400"), answered=True) == 9 * 21 + 1
    assert stopped_at(["one clip"] * 1000, itertools.repeat("400")) is None


def test_one_that_has_answered_is_given_more_time():
    clips = [f"clip {k}" for k in range(100)]
    assert stopped_at(clips, itertools.repeat("400")) == CLIPS_AT_FIRST
    assert stopped_at(clips, [None, *["400"] * 99]) == 1 + CLIPS_LATER


@pytest.mark.parametrize(
    ("texts", "kind", "alike"),
    [
        (["400: request 1f3a9c0d77", "400: request 08bb1e52aa", "400: request 9e9e9e9e9e"], RequestRejected, True),
        (["503: request 1", "503: request 2", "503: request 3"], TransientError, True),
        (
            ["400: request req_011CSHoQ", "400: request req_9xKzuR7F", "400: request req_Gt4vvwyL"],
            RequestRejected,
            True,
        ),
        (["nothing about v1", "nothing about v2", "nothing about v3"], ModelError, False),
        (["counted 700, expected 1680", "counted 700, expected 2800", "counted 7, expected 3920"], paid, True),
        (["no sound tokens", "no picture tokens", "no sound tokens"], paid, True),
        (["no", "no", "no"], ZeroDivisionError, True),
        (["400: too long", "400: too wide", "400: too long"], RequestRejected, False),
        (["400: too long", None, "400: too long"], RequestRejected, False),
    ],
)
def test_what_is_alike(texts, kind, alike):
    assert (stopped_at("abc", texts, kind=kind) is not None) == alike


def test_what_is_paid_for_in_vain_stops_sooner_than_what_is_free():
    """And no sooner where each clip is asked about once or twice, as chance may have it."""
    whole, few = ([f"clip {k // each}" for k in range(2100)] for each in (21, 2))
    assert stopped_at(whole, itertools.repeat("no sound"), answered=True, kind=paid) == 4 * 21 + 1
    assert stopped_at(few, itertools.repeat("no sound"), answered=True, kind=paid) == 9 * 2 + 1


def cut_off_at(clips, *, read=()):
    """After how many replies that are cut off, but for those of these numbers, it would stop; None if never."""
    breaker = Breaker(answered=False)
    for count, clip in enumerate(clips, start=1):
        if breaker.ended(breaker.begun(clip), None, None, cut_off=count not in read) is not None:
            return count
    return None


def test_replies_cut_off_in_a_row_stop_it_where_there_are_many_of_several_clips():
    by_21, by_1 = ([f"clip {k // each}" for k in range(2100)] for each in (21, 1))
    assert cut_off_at(by_21) == 4 * 21 + 1
    assert cut_off_at(by_1) == CALLS_PAID
    assert cut_off_at(["one clip"] * 1000) is None
    assert cut_off_at(by_1, read=range(CALLS_PAID, 2101, CALLS_PAID)) is None


def test_cut_off_and_failed_are_two_things():
    breaker = Breaker(answered=False)
    for clip in range(CALLS_PAID - 1):
        assert breaker.ended(breaker.begun(f"clip {clip}"), None, None, cut_off=True) is None
    assert breaker.ended(breaker.begun("another"), "no sound", paid("no sound")) is None
    assert breaker.ended(breaker.begun("a third"), None, None, cut_off=True) is None


class Thinking:
    """All its budget goes into its thoughts."""

    name, revision, looks = "thinking", "1", False

    def __init__(self, max_tokens=64, **reply):
        self._reply = {"text": "", "stop": "truncated", "usage": {"output_tokens": max_tokens}, **reply}

    async def reply(self, variant, prompt):
        return Reply(**self._reply)


def test_one_that_thinks_all_its_budget_away_is_stopped_and_it_is_said_what_to_raise(tmp_path):
    dataset = write_dataset(tmp_path / "set", sources=40, lengths=(3.0,), delays=2)
    terms = Terms(connections=1)
    (model,) = run_models(dataset, [Thinking()], out=tmp_path / "run", terms=terms).models
    assert model.stopped == (
        "15 clips in a row: each reply was cut off by the output budget, in which thoughts may count; give it a larger "
        "one (--option max_tokens=…), or let it think less (`offbeat models` lists its options)"
    )
    assert (model.outcomes["truncated"], model.missing) == (CALLS_PAID, 80 - CALLS_PAID)


@pytest.mark.parametrize(
    "reply",
    [
        {"usage": {}},  # as of a recording
        {"stop": "refused"},
        {"text": "sync", "stop": "complete"},
        {"text": "I think that", "stop": "complete"},
        {"probabilities": {"sync": 0.9}},
    ],
)
def test_what_costs_nothing_or_says_something_stops_nobody(reply, tmp_path):
    dataset = write_dataset(tmp_path / "set", sources=40, lengths=(3.0,), delays=1)
    (model,) = run_models(dataset, [Thinking(**reply)], out=tmp_path / "run").models
    assert (model.stopped, model.missing) == (None, 0)


def test_a_call_in_flight_may_yet_be_answered():
    breaker = Breaker(answered=False)
    numbers = [breaker.begun(clip) for clip in "abcdef"]
    refused = RequestRejected("400")
    assert [breaker.ended(numbers[k], "400", refused) for k in (0, 2, 3, 5)] == [None] * 4
    assert breaker.ended(numbers[4], "400", refused) == 4  # c, d, e and f
    assert breaker.ended(numbers[1], None, None) is None


def _rejects(clips, *, seconds):
    class Remote:
        """Refuses some clips at once, and takes its time with the others."""

        name, revision, looks = "remote", "1", False

        async def reply(self, variant, prompt):
            if variant.row.clip_id in clips:
                raise RequestRejected(f"400: at most 32768 tokens, got {hash(variant.row.variant_id) % 10**6}")
            await asyncio.sleep(seconds)
            return Reply("sync")

    return Remote()


@pytest.mark.parametrize("limit", [None, 40])
def test_one_clip_of_five_that_is_refused_costs_only_its_own_answers(tmp_path, limit):
    """Refusals come back before the first answer does, be they about one clip, or, with a limit, about several."""
    dataset = write_dataset(tmp_path / "set", sources=40, lengths=(3.0,), delays=5)
    refused = {f"c{source}-3" for source in range(0, 40, 5)}
    for _ in range(2):
        summary = run_models(
            dataset, [_rejects(refused, seconds=0.05)], out=tmp_path / "run", selection=Selection(limit=limit)
        )
        (model,) = summary.models
        wanted = limit or 200
        assert (model.outcomes["ok"], model.outcomes["error"]) == (wanted * 4 // 5, wanted // 5)
        assert model.stopped is None


def test_what_was_never_asked_goes_before_what_failed(tmp_path):
    """A model that is stopped again and again by the same clips still gets on."""
    dataset = write_dataset(tmp_path / "set", sources=30, lengths=(3.0,), delays=1)
    refused = {f"c{source}-3" for source in range(CLIPS_LATER + 2)}
    terms = Terms(connections=1)
    (first,) = run_models(dataset, [_rejects(refused, seconds=0)], out=tmp_path / "run", terms=terms).models
    assert "3 clips in a row: 400" in first.stopped
    (second,) = run_models(dataset, [_rejects(refused, seconds=0)], out=tmp_path / "run", terms=terms).models
    assert second.outcomes["ok"] == 0  # the clips between have never been asked, and are refused too
    runs = [second]
    while runs[-1].missing:
        runs += run_models(dataset, [_rejects(refused, seconds=0)], out=tmp_path / "run", terms=terms).models
        assert runs[-1].missing < runs[-2].missing
    assert runs[-1].outcomes["ok"] == 30 - len(refused)


def test_a_server_that_is_down_is_not_asked_about_every_clip(tmp_path):
    dataset = write_dataset(tmp_path / "set", sources=60, lengths=(3.0,), delays=2)

    class Down:
        name, revision, looks = "down", "1", False

        async def reply(self, variant, prompt):
            raise TransientError("ConnectError")

    terms = Terms(connections=4, first_wait_s=1e-4)
    (model,) = run_models(dataset, [Down()], out=tmp_path / "run", terms=terms).models
    assert model.stopped in {  # the last to fail may join two rows of two clips
        "3 clips in a row: ConnectError",
        "4 clips in a row: ConnectError",
    }
    assert len(open_run(tmp_path / "run").answers) <= 2 * 4 + 4


def test_variants_of_the_same_bytes_are_told_apart(tmp_path):
    """As where a clip's sound is the same from one second to the next."""
    dataset = write_dataset(tmp_path / "set", sources=5, lengths=(3.0,), delays=4)
    alike = [Variant(one.row.model_copy(update={"sha256": "0" * 64}), one.folder) for one in dataset.variants]

    class Together:
        name, revision, looks = "together", "1", False

        def reply(self, variant, prompt):
            raise RequestRejected("400")

        def replies(self, variants, prompts):
            return [RequestRejected("400") for _ in variants]

    (model,) = run_models(replace(dataset, variants=tuple(alike)), [Together()], out=tmp_path / "run").models
    assert model.stopped == "3 clips in a row: 400"


def test_the_cost_of_a_failure_does_not_grow_with_those_before():
    """A clip that a server will not have may be asked about ten thousand times."""

    def lines(count):
        breaker, passed = Breaker(answered=False), 0

        def tracer(frame, event, _):
            nonlocal passed
            passed += event == "line" and frame.f_code.co_name == "ended"
            return tracer

        numbers = [breaker.begun("a clip") for _ in range(count)]
        former = sys.gettrace()
        sys.settrace(tracer)
        try:
            for number in numbers:
                breaker.ended(number, "no", ZeroDivisionError())
        finally:
            sys.settrace(former)
        return passed

    assert lines(400) < 3 * lines(200)  # a row that is gone through each time: 4
