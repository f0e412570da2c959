"""Batches: submitted, left, and collected by another process; whatever is lost comes back without a reply."""

from datetime import UTC, datetime, timedelta

import pytest
from google.genai import types

from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError
from offbeat.models.base import Batch, Reply
from offbeat.models.gemini import rest, submitting
from servers.gemini_wire import refused
from servers.stand_in import Fault, closed, half_body, html, say, status

SUCCEEDED = "BATCH_STATE_SUCCEEDED"


def test_is_a_batch(made):
    assert isinstance(made(), Batch)


def test_submitted_left_and_collected(job, wire, collect, items):
    for state in ("BATCH_STATE_PENDING", "BATCH_STATE_RUNNING"):
        wire.batches[job.partition("@")[0]].state = state
        pending = collect(job)
        assert (pending.state, pending.replies) == ("pending", {})
    wire.batches[job.partition("@")[0]].state = SUCCEEDED
    ended = collect(job)
    assert (ended.state, ended.note) == ("ended", "succeeded")
    assert set(ended.replies) == {"k0", "k1", "k2"}
    for reply in ended.replies.values():
        assert isinstance(reply, Reply)
        assert (reply.text, reply.stop, reply.details["finish_reason"]) == ("behind", "complete", "STOP")
        assert reply.usage["audio_tokens"] > 0
    assert wire.clips == [item.variant.mp4_bytes() for item in items]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (8, RateLimited),
        (429, RateLimited),
        (13, TransientError),
        (3, RequestRejected),
        (5, ModelUnavailable),
    ],
)
def test_a_failed_question_is_the_error_of_a_single_call(job, wire, collect, code, kind):
    wire.batches[job.partition("@")[0]].state = SUCCEEDED
    result = wire.batches[job.partition("@")[0]].results[1]
    del result["response"]
    # details that are no text: the client itself cannot read a batch with these
    result["error"] = {"code": code, "message": "not this one", "details": [{"@type": "x"}]}
    ended = collect(job)
    assert type(ended.replies["k1"]) is kind
    assert "not this one" in str(ended.replies["k1"])
    assert isinstance(ended.replies["k0"], Reply)


def test_a_second_result_takes_no_answer_away(job, wire, collect):
    batch = wire.batches[job.partition("@")[0]]
    batch.state = SUCCEEDED
    failed = {name: value for name, value in batch.results[0].items() if name != "response"}
    failed["error"] = {"code": 13, "message": "once more"}
    batch.results = [failed, *batch.results, failed]
    assert isinstance(collect(job).replies["k0"], Reply)


def test_an_upload_that_expired_before_its_turn_is_asked_again(job, wire, collect):
    wire.batches[job.partition("@")[0]].state = SUCCEEDED
    result = wire.batches[job.partition("@")[0]].results[0]
    del result["response"]
    result["error"] = {"code": 7, "message": "You do not have permission to access the File up1 or it may not exist."}
    error = collect(job).replies["k0"]
    assert isinstance(error, TransientError)
    assert "expired before the batch" in str(error)


def test_a_result_is_checked_like_a_single_answer(job, wire, collect):
    wire.batches[job.partition("@")[0]].state = SUCCEEDED
    zero, one, two = (result["response"] for result in wire.batches[job.partition("@")[0]].results)
    zero["modelVersion"] = "gemini-3.5-flash-lite"
    one["usageMetadata"]["promptTokensDetails"].pop()
    two["candidates"][0] = {"finishReason": "MAX_TOKENS"}
    replies = collect(job).replies
    assert isinstance(replies["k0"], ModelUnavailable)
    assert "no sound tokens" in str(replies["k1"])
    assert replies["k1"].usage["video_tokens"] > 0
    assert (replies["k2"].stop, replies["k2"].text) == ("truncated", "")


def test_lines_that_cannot_be_read_are_missing(submit, monkeypatch, wire, collect):
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    job = submit()
    wire.batches[job.partition("@")[0]].state = SUCCEEDED
    cut = b'{"key": "k0", "resp'
    strange = [b'{"no": "key"}', b"[1]", b'{"key": [1]}', b"\xff\xfe", b"null", b"[" * 100_000]
    wire.amend_lines = lambda lines: [b"", lines[2], cut, *strange, b'{"key": "k9", "response": {}}']
    ended = collect(job)
    assert set(ended.replies) == {"k2"}
    assert ended.note == "succeeded; 7 results could not be read; 2 of 3 questions have no result"


@pytest.mark.parametrize("given", [html(), Fault(say({})), Fault(say({"error": {"code": 500}})), None])
def test_a_job_that_has_succeeded_is_not_paid_for_again_while_its_results_may_be_there(
    submit, monkeypatch, wire, server, collect, given
):
    """As where a proxy gives a page of its own in place of them."""
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    job = submit()
    batch = wire.batches["batches/b1"]
    batch.state, batch.in_file = SUCCEEDED, given is not None
    results, batch.results = batch.results, [] if given is None else batch.results
    server.queue(None, given)
    with pytest.raises(TransientError, match="succeeded, but there is no result"):
        collect(job)
    batch.results, batch.in_file = results, True
    assert len(collect(job).replies) == 3
    wire.amend_lines = lambda lines: []
    batch.ended_at = (datetime.now(UTC) - timedelta(hours=49)).isoformat()
    assert collect(job).note == "succeeded; 3 of 3 questions have no result"


@pytest.mark.parametrize("state", ["EXPIRED", "FAILED", "CANCELLED"])
def test_a_job_that_came_to_nothing(job, wire, collect, state):
    wire.batches[job.partition("@")[0]].state = f"BATCH_STATE_{state}"
    wire.batches[job.partition("@")[0]].error = {"code": 4, "message": "was pending for more than 48 hours"}
    ended = collect(job)
    assert (ended.state, ended.replies) == ("ended", {})
    assert ended.note == (f"{state.lower()}: was pending for more than 48 hours; 3 of 3 questions have no result")


def test_every_state_that_the_client_knows_is_pending_or_ended(submit, wire, collect):
    """One that nobody knows is not given up: its questions would be paid for twice."""
    job = submit()
    ended = {"SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"}
    known = {state.value.removeprefix("JOB_STATE_") for state in types.JobState}
    assert ended < known
    for state in [*known, "SOMETHING_NEW"]:
        for prefix in ("JOB_STATE_", "BATCH_STATE_"):
            wire.batches["batches/b1"].state, wire.batches["batches/b1"].done = prefix + state, None
            assert collect(job).state == ("ended" if state in ended else "pending"), state
    wire.batches["batches/b1"].done = True
    assert collect(job).state == "ended"


@pytest.mark.parametrize("given", [status(429), status(503), half_body(), closed(), html(), html(502)])
def test_a_job_that_cannot_be_told_now(job, server, collect, given):
    server.queue(given)
    with pytest.raises(TransientError):
        collect(job)


@pytest.mark.parametrize("given", [status(429), status(503), half_body(), closed()])
def test_results_that_cannot_be_fetched_now(submit, monkeypatch, wire, server, collect, given):
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    job = submit()
    wire.batches[job.partition("@")[0]].state = SUCCEEDED
    server.queue(None, given)
    with pytest.raises(TransientError):
        collect(job)
    assert len(collect(job).replies) == 3


@pytest.mark.parametrize("name", ["../files/x", "batches/b1?key=x@01234567", "batches/b1", ""])
def test_no_job_of_this_service(collect, server, name):
    with pytest.raises(ModelError, match="no batch of this service") as raised:
        collect(name)
    assert type(raised.value) is ModelError
    assert server.requests == []


def test_a_job_that_is_gone(job, wire, collect):
    wire.batches.clear()
    with pytest.raises(ModelError, match="404") as raised:
        collect(job)
    assert type(raised.value) is ModelError


def test_results_come_in_pieces_and_in_any_order(submit, monkeypatch, wire, collect):
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    wire.text = "be\u2028hind"
    job = submit()
    wire.batches["batches/b1"].state = SUCCEEDED
    wire.amend_lines = lambda lines: [line.replace(b"\\u2028", "\u2028".encode()) for line in reversed(lines)]
    wire.piece_bytes = 7
    assert [reply.text for reply in collect(job).replies.values()] == ["be\u2028hind"] * 3
    monkeypatch.setattr(rest, "LONGEST_LINE_BYTES", 50)
    with pytest.raises(TransientError, match="is longer than 50 bytes"):
        collect(job)


@pytest.mark.parametrize(("hours", "kind"), [(1, TransientError), (49, ModelError), (None, TransientError)])
def test_results_of_which_403_is_said_are_gone_after_two_days(submit, monkeypatch, wire, server, collect, hours, kind):
    """Of a file that it has deleted the service says the same as of one that is somebody else's, or not paid for."""
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    job = submit()
    wire.batches["batches/b1"].state = SUCCEEDED
    if hours is not None:
        wire.batches["batches/b1"].ended_at = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    server.queue(None, Fault(refused(403, "PERMISSION_DENIED", "You do not have permission to access the File x")))
    with pytest.raises(ModelError) as raised:
        collect(job)
    assert type(raised.value) is kind


def test_results_that_are_gone(submit, monkeypatch, wire, server, collect):
    monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    job = submit()
    wire.batches[job.partition("@")[0]].state = SUCCEEDED
    server.queue(None, status(404))
    with pytest.raises(ModelError, match="404") as raised:
        collect(job)
    assert type(raised.value) is ModelError


@pytest.mark.parametrize("key", [None, "another-key-of-the-user"])
def test_the_wrong_key_does_not_lose_a_batch(job, wire, collect, server, monkeypatch, key):
    asked = len(server.requests)
    with monkeypatch.context() as patch:
        patch.delenv("GEMINI_API_KEY")
        if key:
            patch.setenv("GEMINI_API_KEY", key)
        with pytest.raises(TransientError):
            collect(job)
    assert len(server.requests) == asked
    wire.batches[job.partition("@")[0]].state = SUCCEEDED
    assert len(collect(job).replies) == 3


@pytest.mark.parametrize("code", [400, 401, 403])
def test_nor_does_any_refusal(job, collect, server, code):
    server.queue(status(code))
    with pytest.raises(TransientError):
        collect(job)
