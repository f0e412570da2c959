"""Every fault of the service becomes the error that the runner acts upon; behind them are the client's own."""

import asyncio
import email.utils
import socket
import time

import pytest

from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError, Unreachable
from servers.gemini_wire import refused
from servers.stand_in import Fault, Response, closed, half_body, hang, html, reset, say, status, torn

RETRY_INFO = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]
PER_DAY = [
    {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "50"}],
    },
    *RETRY_INFO,
]
STORE_FULL = [
    {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaMetric": "x/file_storage_bytes", "quotaId": "FileStorageBytesPerProject"}],
    },
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "9223372036854775807s"},
]
"""As in googleapis/python-genai#1172."""


def fault(*arguments, **keywords):
    return Fault(refused(*arguments, **keywords))


def in_seconds(seconds):
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("given", "after_s"),
    [
        (status(429), None),
        (fault(429, "RESOURCE_EXHAUSTED", "slow down", retry_after="7"), 7.0),
        (fault(429, "RESOURCE_EXHAUSTED", "slow down", RETRY_INFO), 34.5),
        (fault(429, "RESOURCE_EXHAUSTED", "slow down", retry_after="soon"), None),
        (fault(429, "RESOURCE_EXHAUSTED", "slow down", retry_after="-3"), None),
        (fault(503, "RESOURCE_EXHAUSTED", "no capacity"), None),
        (Fault(say([refused(429, "RESOURCE_EXHAUSTED", "in a list").body.decode()], 429)), None),
    ],
)
def test_rate(ask, server, given, after_s):
    server.queue(given)
    with pytest.raises(RateLimited) as raised:
        ask()
    assert raised.value.retry_after_s == after_s
    assert raised.value.usage == {}
    assert len(server.requests) == 1


def test_retry_after_as_a_date(ask, server):
    server.queue(fault(429, "RESOURCE_EXHAUSTED", "slow down", retry_after=in_seconds(60)))
    with pytest.raises(RateLimited) as raised:
        ask()
    assert 50 < raised.value.retry_after_s <= 60


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (fault(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", PER_DAY), "comes back tomorrow"),
        (fault(429, "RESOURCE_EXHAUSTED", "Quota exceeded for metric: requests, limit: 0, model: x"), "another plan"),
        (fault(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", STORE_FULL), "store of uploads is full"),
        (fault(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), "see the project's credits"),
        (fault(402, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), "see the project's credits"),
        (fault(402, "", "payment required"), "see the project's credits"),
        (fault(429, "RESOURCE_EXHAUSTED", "Your project has exceeded its monthly spending cap."), "spending cap"),
    ],
)
def test_waiting_that_does_not_help(ask, server, given, advice):
    server.queue(given)
    with pytest.raises(ModelUnavailable, match=advice):
        ask()
    assert len(server.requests) == 1


def test_what_to_do_is_not_lost_behind_where_to_read(ask, server):
    """The words of the service at the end of a day's quota, of which a line shows the beginning."""
    says = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: "
        "https://ai.dev/usage?tab=rate-limit. \n* Quota exceeded for metric: "
        "generativelanguage.googleapis.com/generate_requests, limit: 250, model: gemini-3.8-flash\n"
        "Please retry in 43000.500000000s."
    )
    server.queue(fault(429, "RESOURCE_EXHAUSTED", says, PER_DAY))
    with pytest.raises(ModelUnavailable) as raised:
        ask()
    assert "limit: 250" in str(raised.value)
    assert str(raised.value)[:400].endswith("the same command then goes on")


def test_a_limit_that_only_begins_with_nought_is_no_such_quota(ask, server):
    server.queue(fault(429, "RESOURCE_EXHAUSTED", "limit: 0.5 requests a second; limit: 01000"))
    with pytest.raises(ModelError) as raised:
        ask()
    assert type(raised.value) is RateLimited


@pytest.mark.parametrize("code", [408, 500, 502, 503, 504])
def test_states_that_may_pass(ask, server, code):
    server.queue(Fault(refused(code, "UNAVAILABLE", "overloaded", RETRY_INFO)))
    with pytest.raises(TransientError, match=f"says {code}.*overloaded") as raised:
        ask()
    assert raised.value.retry_after_s == 34.5
    assert raised.value.usage == {}
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (half_body(), "connection broke"),
        (reset(), "connection broke"),
        (closed(), "connection broke"),
        (html(), "expected JSON, got '<!doctype html>"),
        (Fault(Response(200, b"", {"content-type": "application/json"})), "expected JSON, got ''"),
        (Fault(Response(200, b'{"candidates": [', {})), "expected JSON"),
        (Fault(Response(200, b"\xff\xfe{}", {})), "expected JSON"),
        (Fault(Response(200, b"[" * 100_000, {})), "expected JSON"),
        (Fault(Response(500, b"[" * 100_000, {})), "cannot be read: RecursionError"),
        (torn(), "connection broke"),
        (Fault(say("what")), "another shape"),
        (Fault(say({"candidates": "none"})), "at candidates"),
        (Fault(say({"usageMetadata": {"promptTokenCount": -5}})), "at usageMetadata.promptTokenCount"),
    ],
)
def test_answers_that_are_lost_may_have_cost(ask, server, given, words):
    server.queue(given)
    with pytest.raises(TransientError, match=words) as raised:
        ask()
    assert raised.value.usage is None
    assert len(server.requests) == 1


def test_a_server_that_hangs(ask, server):
    server.queue(hang())
    with pytest.raises(TransientError, match="no answer in time") as raised:
        ask(timeout_s=0.3)
    assert raised.value.usage is None


def test_no_server_at_all(made, variants, prompt, server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    from offbeat.models.gemini import Gemini

    async def once():
        model = Gemini(argument="gemini-3.8-flash", base_url=nobody)
        try:
            await model.reply(variants[0], prompt)
        finally:
            await model.close()

    with pytest.raises(Unreachable, match="no connection") as raised:
        asyncio.run(once())
    assert raised.value.usage == {}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (fault(400, "INVALID_ARGUMENT", "Request contains an invalid argument."), RequestRejected),
        (fault(413, "", "Request payload size exceeds the limit"), RequestRejected),
        (fault(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), ModelUnavailable),
        (fault(400, "FAILED_PRECONDITION", "Please enable billing on project 7"), ModelUnavailable),
        (fault(401, "UNAUTHENTICATED", "no"), ModelUnavailable),
        (fault(403, "PERMISSION_DENIED", "Your project has been denied access."), ModelUnavailable),
        (html(403), ModelUnavailable),
        (fault(404, "NOT_FOUND", "models/gemini-3.8-flash is no longer available"), ModelUnavailable),
    ],
)
def test_states_that_do_not_pass(ask, server, given, kind):
    server.queue(given)
    with pytest.raises(kind) as raised:
        ask()
    assert type(raised.value) is kind
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("given", "way"),
    [
        (fault(400, "INVALID_ARGUMENT", 'Unknown name "mediaProcessing" at ...: Cannot find field.'), "processing="),
        (fault(413, "", "Request payload size exceeds the limit"), "inline_limit_mb=1"),
    ],
)
def test_the_option_that_mends_it_is_named(ask, server, given, way):
    server.queue(given)
    with pytest.raises(RequestRejected, match=f"--option {way}"):
        ask()


@pytest.mark.parametrize(
    ("code", "state", "kind"),
    [
        (429, "RESOURCE_EXHAUSTED", RateLimited),
        ("429", "RESOURCE_EXHAUSTED", RateLimited),
        ("9" * 5000, "", RequestRejected),
        (499, "CANCELLED", TransientError),
        (500, "", TransientError),
        (400, "", RequestRejected),
    ],
)
def test_an_error_with_status_200(ask, server, code, state, kind):
    server.queue(Fault(say({"error": {"code": code, "status": state, "message": "inside"}})))
    with pytest.raises(kind, match="inside"):
        ask()


def test_an_error_without_any_code_is_no_answer(ask, server):
    server.queue(Fault(say({"error": "broken"})))
    with pytest.raises(ModelError, match="broken"):
        ask()


def test_no_candidate_and_no_reason(ask, wire):
    wire.amend = lambda answer: answer.pop("candidates") and None
    with pytest.raises(ModelError, match="without a candidate") as raised:
        ask()
    assert raised.value.usage["input_tokens"] > 0


@pytest.mark.parametrize("instead", [{"modelVersion": "gemini-4-flash"}, {"candidates": []}])
def test_what_does_not_say_what_it_used_was_not_free(ask, wire, instead):
    """A failure with usage {} would be one that cost nothing."""

    def untold(answer):
        del answer["usageMetadata"]
        answer.update(instead)

    wire.amend = untold
    with pytest.raises(ModelError) as raised:
        ask()
    assert raised.value.usage is None


def test_a_model_that_is_not_there(ask, server):
    with pytest.raises(ModelUnavailable, match=r"gemini-2\.0-flash is not found"):
        ask(argument="gemini-2.0-flash")


def test_another_version_of_the_api(ask, server):
    with pytest.raises(ModelUnavailable, match="v1 is not known"):
        ask(api_version="v1")


def test_no_key(ask, monkeypatch):
    monkeypatch.delenv("GEMINI_API_KEY")
    with pytest.raises(ModelUnavailable, match="export GEMINI_API_KEY"):
        ask()


def test_the_other_variable_for_the_key(ask, monkeypatch):
    import os

    monkeypatch.setenv("GOOGLE_API_KEY", os.environ["GEMINI_API_KEY"])
    monkeypatch.delenv("GEMINI_API_KEY")
    assert ask().text == "behind"


def test_a_clip_that_cannot_be_read_is_not_the_servers_fault(ask, server, variants):
    from dataclasses import replace

    gone = replace(variants[0], row=variants[0].row.model_copy(update={"file_name": "clips/none.mp4"}))
    with pytest.raises(FileNotFoundError):
        ask(variant=gone)
    assert server.requests == []
