"""Batches are handed over: as a list or a file, noted before they are sent."""

import asyncio
import json

import pytest

from offbeat.errors import MediaError, ModelUnavailable, NotHandedOver, RateLimited, RequestRejected, TransientError
from offbeat.models.gemini import submitting
from servers.gemini_wire import refused
from servers.stand_in import Fault, half_body, html, reset, status


def test_both_ways_ask_the_same(submit, monkeypatch, server, wire):
    options = {"thinking": "low", "temperature": 0.5, "media_resolution": "low"}
    submit(**options)
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    submit(**options)
    listed, filed = (r.json()["batch"] for r in server.requests if r.path.endswith(":batchGenerateContent"))
    one = listed["inputConfig"]["requests"]["requests"][0]["request"]
    name = filed["inputConfig"]["fileName"]
    two = json.loads(wire.files[name].data.splitlines()[0])["request"]
    assert one["contents"][0]["parts"][0].pop("inlineData")
    assert two["contents"][0]["parts"][0].pop("fileData")["mimeType"] == "video/mp4"
    lower = json.dumps(one).replace("thinking_level", "thinkingLevel")
    assert json.loads(lower) == two
    assert two["store"] is False


def test_the_clips_of_a_file_are_uploaded_once_for_two_jobs(submit, monkeypatch, wire):
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    submit()
    submit()
    kinds = [file.mime_type for file in wire.files.values()]
    assert sorted(kinds) == ["application/jsonl"] * 2 + ["video/mp4"] * 3


def test_an_upload_too_old_for_a_whole_job_is_made_anew(ask, submit, monkeypatch, wire, items):
    for item in items:
        ask(variant=item.variant, inline_limit_mb=0)
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    monkeypatch.setattr(submitting, "WHOLE_JOB_S", 47 * 3600.0)
    submit()
    assert sum(file.mime_type == "video/mp4" for file in wire.files.values()) == 6


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (Fault(refused(429, "RESOURCE_EXHAUSTED", "too many batches")), RateLimited),
        (Fault(refused(400, "INVALID_ARGUMENT", "no")), RequestRejected),
        (reset(), TransientError),
    ],
)
def test_a_batch_that_is_not_taken(submit, server, given, kind):
    server.queue(given)
    with pytest.raises(kind):
        submit()


def test_a_batch_is_noted_before_the_service_may_take_it(session, items, wire):
    async def once():
        async with session() as model:
            return await model.submit(items, note=lambda name: seen.append((name, list(wire.batches))))

    seen = []
    asyncio.run(once())
    ((name, taken),) = seen
    assert taken == []
    assert name.partition("@")[0] == wire.batches["batches/b1"].display_name


def test_few_clips_are_in_memory_at_once(submit, monkeypatch, server):
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    monkeypatch.setattr(submitting, "UPLOADS_AT_ONCE", 1)
    server.slow_s = 0.02
    submit()
    assert server.most_at_once == 1


def test_one_failed_upload_ends_the_others(submit, monkeypatch, server, wire):
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    monkeypatch.setattr(submitting, "UPLOADS_AT_ONCE", 1)
    server.queue(status(401))
    with pytest.raises(ModelUnavailable, match="401"):
        submit()
    assert (wire.batches, wire.files) == ({}, {})


@pytest.mark.parametrize("most", [10, 1])
def test_clips_that_the_service_refuses_are_told_one_by_one_unless_they_are_many(
    submit, monkeypatch, server, wire, most
):
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    monkeypatch.setattr(submitting, "UPLOADS_AT_ONCE", 1)
    monkeypatch.setattr(submitting, "MOST_FAILURES", most)
    server.queue(status(400))
    if most == 1:
        with pytest.raises(
            RequestRejected, match=r"^1 clips cannot be handed over; the last of them: clips/.*: .* 400"
        ):
            submit()
    else:
        with pytest.raises(NotHandedOver, match=r"^1 of the questions cannot be .*: clips/.*\.mp4: .* 400") as raised:
            submit()
        assert list(raised.value.failures) == ["k0"]
    assert (len(wire.batches), len(wire.files)) == (0, 0 if most == 1 else 2)


@pytest.mark.parametrize("limit", [1, 13_000_000])
@pytest.mark.parametrize("broken", [MediaError("x.mp4: no picture", reason="no_picture"), FileNotFoundError("x.mp4")])
def test_clips_that_cannot_be_read_are_told_one_by_one(submit, monkeypatch, items, wire, limit, broken):
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", limit)
    clip_of = submitting.clip_of

    def damaged(variant):
        if variant is items[1].variant:
            raise broken
        return clip_of(variant)

    monkeypatch.setattr(submitting, "clip_of", damaged)
    with pytest.raises(NotHandedOver) as raised:
        submit()
    assert {key: str(error) for key, error in raised.value.failures.items()} == {"k1": str(broken)}
    assert wire.batches == {}


@pytest.mark.parametrize("given", [status(503), status(429, {"retry-after": "0"}), reset(), half_body(), html(502)])
def test_an_upload_that_breaks_off_is_begun_anew(submit, monkeypatch, server, wire, given):
    """Of hundreds, one in a hundred would let no batch be handed over."""
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    monkeypatch.setattr(submitting, "FIRST_PAUSE_S", 0.01)
    broken = iter(range(100))
    server.faults = lambda request: given if "/upload/" in request.path and next(broken) % 3 == 1 else None
    submit()
    assert len(wire.batches["batches/b1"].results) == 3
    assert next(broken) > 8


def test_nor_for_ever(submit, monkeypatch, server, wire):
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    monkeypatch.setattr(submitting, "FIRST_PAUSE_S", 0.01)
    server.faults = lambda request: status(503)
    with pytest.raises(TransientError, match="503"):
        submit(timeout_s=0.1)
    assert len(server.requests) > 3
