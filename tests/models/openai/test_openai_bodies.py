"""Bodies as servers send them, and as they should not: what they are read as, byte for byte."""

import json
import math
import tracemalloc

import pytest

from models.openai.asking import MODEL, PROMPT
from offbeat.errors import ModelError, RateLimited, RequestRejected, TransientError
from offbeat.evaluation.calls.breaker import kind_of
from offbeat.models.base import Reply
from offbeat.models.openai.errors import error_inside, failure_of
from offbeat.models.openai.payload import payload_of, shown
from offbeat.models.openai.reading import reply_of
from offbeat.models.openai.settings import settings_from
from offbeat.models.openai.usage import usage_of

SETTINGS = settings_from(MODEL, {"preset": "vllm"})


def read(raw):
    """A reply, or the error: what a model makes of the body of a 200."""
    try:
        payload = payload_of(raw, spec="openai:m")
        inside = error_inside(payload)
        return reply_of(payload, SETTINGS, PROMPT) if inside is None else failure_of("m", inside, {}, payload, "")
    except ModelError as error:
        return error


def whole(**choice):
    said = {"index": 0, "message": {"role": "assistant", "content": "sync"}, "finish_reason": "stop"}
    return json.dumps({"model": MODEL, "choices": [{**said, **choice}]}).encode()


def events(*pieces, end="\n\n", start="data: "):
    return "".join(f"{start}{piece if isinstance(piece, str) else json.dumps(piece)}{end}" for piece in pieces).encode()


def delta(content=None, *, index=0, finish=None, **more):
    choice = {"index": index, "delta": {"content": content, **more}, "logprobs": None, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": MODEL, "choices": [choice]}


USAGE = {"id": "c", "model": MODEL, "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}
SAID = (delta("", role="assistant"), delta("beh"), delta("ind"), delta(finish="stop"), USAGE)


@pytest.mark.parametrize(
    "raw",
    [
        events(*SAID, "[DONE]"),
        events(*SAID),  # no [DONE]
        events(*SAID, "[DONE]", end="\r\n\r\n"),
        events(*SAID, "[DONE]", end="\r"),
        events(*SAID, "[DONE]", start="data:"),
        b"\xef\xbb\xbf" + events(*SAID, "[DONE]"),
        b": OPENROUTER PROCESSING\n\n" * 3 + events(*SAID, "[DONE]"),
        b"id: 1\nevent: result\n:HTTP_STATUS/200\n" + events(*SAID, "[DONE]"),
        events(*SAID, "[DONE]") + b"data: what comes after the end\n\n",
        # usage with every piece, as null but for the last; the other choice is none of ours
        events(*[{"usage": None, **piece} for piece in SAID], "[DONE]"),
        events(delta("sync", index=1), *SAID, delta("ahead", index=1), "[DONE]"),
        events(delta([{"type": "text", "text": "behind"}]), delta(finish="stop"), USAGE),
    ],
)
def test_streams_of_all_kinds_say_the_same(raw):
    reply = read(raw)
    assert isinstance(reply, Reply), reply
    assert (reply.text, reply.stop) == ("behind", "complete")
    assert reply.usage == {"input_tokens": 9, "output_tokens": 2}
    assert reply.details["served_model"] == MODEL


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_a_stream_that_thinks_keeps_it_apart(name):
    reply = read(events(delta(**{name: "Lips "}), delta(**{name: "first."}), delta("ahead"), delta(finish="stop")))
    assert (reply.text, reply.details["reasoning"]) == ("ahead", "Lips first.")
    assert "thought first" in reply.details["no_probabilities"]


def test_a_refusal_comes_in_pieces_too():
    reply = read(events(delta(refusal="I cannot "), delta(refusal="watch this."), delta(finish="stop")))
    assert (reply.text, reply.stop) == ("I cannot watch this.", "refused")


def test_who_answered_is_kept_as_far_as_it_is_told():
    told = {"id": "chatcmpl-7" + "x" * 999, "provider": "Somebody", "system_fingerprint": "fp_1", "object": "chat"}
    details = read(json.dumps({**json.loads(whole()), **told}).encode()).details
    assert (details["provider"], details["system_fingerprint"], len(details["id"])) == ("Somebody", "fp_1", 200)
    assert "object" not in details


@pytest.mark.parametrize("text", ["<think>\n\n</think>\n\nsync", "Hm.</think>sync", "<THINK>Hm"])
def test_thinking_that_is_left_in_the_text_forbids_probabilities(text):
    places = [{"token": "sync", "logprob": -0.1, "top_logprobs": []}]
    reply = read(whole(message={"content": text}, logprobs={"content": places}))
    assert (reply.text, reply.probabilities) == (text, None)
    assert "thought first" in reply.details["no_probabilities"]
    assert "option_mass" not in reply.details


def test_log_probabilities_come_in_pieces_too():
    first, second = delta("beh"), delta("ind", finish="stop")
    for piece, token in ((first, "beh"), (second, "ind")):
        top = [{"token": token, "logprob": math.log(0.8)}, {"token": "sync", "logprob": math.log(0.2)}]
        piece["choices"][0]["logprobs"] = {"content": [{**top[0], "bytes": None, "top_logprobs": top}]}
    reply = read(events(first, second, "[DONE]"))
    assert reply.probabilities == pytest.approx({"behind": 0.64 / 0.84, "sync": 0.2 / 0.84, "ahead": 0})


@pytest.mark.parametrize(
    ("top", "chances"),
    [
        # what was said is listed, is not listed, is listed twice; two tokens have one text
        ([("sync", 0.5), ("ahead", 0.25)], (0.5, 0.25)),
        ([("ahead", 0.25)], (0.5, 0.25)),
        ([("sync", 0.5), ("ahead", 0.25), ("sync", 0.5)], (0.5, 0.25)),
        ([("sync", 0.5), ("ahead", 0.25), ("ahead", 0.125)], (0.5, 0.375)),
    ],
)
def test_each_token_counts_once(top, chances):
    listed = [{"token": token, "logprob": math.log(chance)} for token, chance in top]
    reply = read(whole(logprobs={"content": [{"token": "sync", "logprob": math.log(0.5), "top_logprobs": listed}]}))
    assert reply.details["option_mass"] == pytest.approx(sum(chances))
    assert reply.probabilities["ahead"] == pytest.approx(chances[1] / sum(chances))


@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("length", "truncated"),
        ("repetition_truncation", "truncated"),  # MiMo
        ("repetition", "truncated"),  # vLLM
        ("content_filter", "refused"),
        ("tool_calls", "complete"),
        ("stop", "complete"),
    ],
)
def test_why_it_ends(finish, stop):
    assert read(whole(finish_reason=finish)).stop == stop


@pytest.mark.parametrize(
    ("raw", "kind", "says"),
    [
        (events(delta("syn")), TransientError, "breaks off"),
        (
            events(delta("sync"), {"error": {"message": "boom", "type": "E", "code": 500}}, "[DONE]"),
            TransientError,
            "boom",
        ),
        (events(delta("sync"), {"code": "Throttling", "message": "slow down"}), RateLimited, "slow down"),
        (events(delta("sync"), {"code": "Throttling", "message": "slow down"}, "[DONE]"), RateLimited, "slow down"),
        (events({"code": "InvalidParameter", "message": "no such field"}), TransientError, "no such field"),
        (events({**delta("syn"), "error": {}}), TransientError, "breaks off"),
        (events({**delta("syn"), "error": None, "message": ""}), TransientError, "breaks off"),
        (events("[DONE]"), ModelError, "no choices"),
        (events(USAGE, "[DONE]"), ModelError, "no choices"),
        (b'{"a":' + b"[" * 100_000, TransientError, "half a body"),
        (events("[" * 100_000), TransientError, "is broken"),
        (b'{"choices":' + b"9" * 5000 + b"}", TransientError, "half a body"),
        (json.dumps({"error": {"code": "²", "message": "odd"}}).encode(), TransientError, "odd"),
        (json.dumps({"error": {"code": "9" * 5000, "message": "odd"}}).encode(), TransientError, "odd"),
        (json.dumps({"error": {"code": "422", "message": "odd"}}).encode(), RequestRejected, "odd"),
    ],
)
def test_what_is_no_answer(raw, kind, says):
    error = read(raw)
    assert type(error) is kind, error
    assert says in str(error)
    assert len(str(error)) < 1000


def test_a_stream_is_read_line_by_line():
    """A quarter of a million keep-alives in 1 MB, and nothing else: a list of the lines would take 15."""
    raw = b": x\n" * (1 << 18)
    tracemalloc.start()
    try:
        assert isinstance(read(raw), TransientError)
        assert tracemalloc.get_traced_memory()[1] < 6e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens", "cost"])
@pytest.mark.parametrize("value", [10**400, -1, True, "9", math.inf, -0.5, math.nan])
def test_counts_that_cannot_be_are_not_told(name, value):
    assert usage_of({name: value}) == {}


def test_a_log_probability_that_no_float_holds_is_none():
    places = [{"token": "sync", "logprob": -(10**400), "top_logprobs": [{"token": "ahead", "logprob": 10**400}]}]
    assert read(whole(logprobs={"content": places})).probabilities is None


def test_long_texts_are_cut_where_their_numbers_do_not_matter():
    told = [
        shown(f"Traceback {'of something ' * 90} tried to allocate {size} GiB of {left} MiB") for size, left in SIZES
    ]
    assert len({kind_of(text) for text in told}) == 1
    assert told[0].startswith("Traceback of something")
    assert told[0].endswith("allocate 1.25 GiB of 9 MiB")
    assert len(shown("x" * 10_000)) < 320


SIZES = ((1.25, 9), (13.5, 10_240), (7, 999))
