"""Everything that a server can do wrong, each asked once: what it becomes, and that it never becomes an answer."""

import json
import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from models.openai.asking import MODEL, ask, ask_one, model_at
from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError, Unreachable
from offbeat.models.base import Reply
from offbeat.models.openai import OpenAI
from offbeat.models.openai.connections import _trusted
from offbeat.models.openai.errors import retry_after_s, transport_failure
from servers.openai_wire import OpenAIWire
from servers.stand_in import Fault, Response, StandIn, closed, half_body, hang, html, reset, say, status


@pytest.fixture(scope="module")
def server():
    with StandIn(OpenAIWire("vllm")) as server:
        yield server


def after(server, fault, variant, **options):
    """What one call gives after a fault, and that it was one call."""
    before = server.calls
    server.queue(fault)
    (got,) = ask(model_at(server.url, **{"preset": "vllm", **options}), variant)
    assert server.calls == before + 1
    return got


def said(code, message, **more):
    return {"error": {"message": message, "code": code, **more}}


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (status(429), RateLimited, "Too Many Requests"),
        (status(500), TransientError, "Internal Server Error"),
        (status(502, body="bad gateway"), TransientError, "bad gateway"),
        (status(503), TransientError, "status 503"),
        (status(504), TransientError, "status 504"),
        (status(503, body=said(503, "quota: RESOURCE_EXHAUSTED")), RateLimited, "RESOURCE_EXHAUSTED"),
        (status(400, body=said("Throttling.RateQuota", "Requests rate limit exceeded")), RateLimited, "rate limit"),
        (status(429, body=said("insufficient_quota", "You exceeded your quota")), ModelUnavailable, "billing"),
        (
            status(429, body=said(None, "You exceeded your quota", type="insufficient_quota")),
            ModelUnavailable,
            "billing",
        ),
        (status(408), TransientError, "status 408"),
        (status(400, body=said("Arrearage", "Access denied, overdue")), ModelUnavailable, "billing"),
        (status(402, body=said(402, "Insufficient credits")), ModelUnavailable, "check credits"),
        (status(402, {"retry-after": "3"}, said(402, "in-flight budget")), RateLimited, "in-flight"),
        (status(401, body=said("invalid_api_key", "Incorrect API key")), ModelUnavailable, "check the key"),
        (status(403), ModelUnavailable, "what it may use"),
        (status(404, body=said(404, "The model `m` does not exist.", type="NotFoundError")), ModelUnavailable, "exist"),
        (status(400, body=said("model_not_found", "gone")), ModelUnavailable, "the model's name"),
        (status(404, body={"detail": "Not Found"}), ModelUnavailable, "ends in /v1"),
        (status(410), ModelUnavailable, "--base-url"),
        (status(307, {"location": "https://elsewhere.example/v1"}), ModelUnavailable, "elsewhere.example"),
        # vLLM from 0.31 on, without the flag
        (
            status(400, body=said(400, "Per-request mm_processor_kwargs are disabled by default because they can")),
            RequestRejected,
            "start vLLM with --trust-request-mm-kwargs",
        ),
        (status(400, body=said(400, "requires equal number of audio and video items")), RequestRejected, "audio=video"),
        (status(400, body=said(None, "This model only support stream mode")), RequestRejected, "--option stream=true"),
        (status(400, body=said(400, "Requested sample logprobs of 20")), RequestRejected, "--option logprobs=0"),
        (
            status(
                400, body=said(400, "The decoder prompt (length 12324) is longer than the maximum model length of 8192")
            ),
            RequestRejected,
            "--option height=",
        ),
        # what a long complaint begins and ends with, and what to do about either
        (status(400, body=said(400, f"maximum context length{' .' * 200} 9")), RequestRejected, ". 9; send less"),
        (status(500, body=said(500, f"{'at x ' * 200}CUDA out of memory")), TransientError, "of memory: send less"),
        (status(413), RequestRejected, "status 413"),
        (status(422, body={"detail": [{"loc": ["body", "model"], "msg": "field required"}]}), RequestRejected, "field"),
        (status(400, body=said("InvalidParameter.DataInspection", "format")), RequestRejected, "format"),
        (html(), TransientError, "sent a page"),
        (html(502), TransientError, "status 502"),
        (half_body(), TransientError, "broke before the answer"),
        (reset(), TransientError, "broke before the answer"),
        (closed(), TransientError, "broke before the answer"),
        (Fault(Response(body=b'{"choices": [{"mess')), TransientError, "half a body"),
        (Fault(Response(body=b"")), TransientError, "half a body"),
        (Fault(Response(body=b"[1, 2]")), TransientError, "expected a JSON object"),
        (Fault(Response(body=b"\xff\xfe\x00")), TransientError, "half a body"),
        (Fault(say(said(429, "Rate limited upstream"))), RateLimited, "upstream"),
        (Fault(say(said(502, "Provider returned error"))), TransientError, "status 502"),
        (Fault(say(said(400, "bad", metadata={"raw": "no video here"}))), RequestRejected, "no video here"),
        (Fault(say({"error": "something"})), TransientError, "something"),
        (Fault(say(said(None, "no such field", type="invalid_request_error"))), RequestRejected, "no such field"),
        (Fault(say({"object": "error", "message": "too long", "code": 400})), RequestRejected, "too long"),
        (Fault(say({"code": "Throttling", "message": "slow down", "request_id": "1"})), RateLimited, "slow down"),
        (Fault(say({"choices": [{"error": {"code": 503, "message": "upstream"}}]})), TransientError, "upstream"),
        (Fault(say({"choices": []})), ModelError, "no choices"),
        (Fault(say({})), ModelError, "no choices"),
        (Fault(say({"choices": [{"finish_reason": "abort"}]})), TransientError, "gave the answer up"),
        (Fault(say({"choices": [{"finish_reason": "error"}]})), TransientError, "gave the answer up"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_what_each_failure_becomes(fault, kind, says, server, variants):
    error = after(server, fault, variants[0])
    assert type(error) is kind, repr(error)
    assert says in str(error)
    assert str(error).startswith(f"openai:{MODEL}")


@pytest.mark.parametrize(
    "body",
    [
        said("data_inspection_failed", "Input data may contain inappropriate content."),
        said("DataInspectionFailed", "Output data may contain inappropriate content."),
        said("content_filter", "blocked"),
        said(403, "flagged", metadata={"reasons": ["violence"], "flagged_input": "…"}),
    ],
)
def test_blocked_is_an_outcome_and_no_failure(body, server, variants):
    for fault in (status(400, body=body), Fault(say(body))):
        reply = after(server, fault, variants[0])
        assert isinstance(reply, Reply)
        assert (reply.text, reply.stop) == ("", "refused")
        assert body["error"]["message"] in str(reply.details["refusal"])


@pytest.mark.parametrize("code", [429, 503, 402, 500])
def test_how_long_to_wait_is_passed_on(code, server, variants):
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    for value, low, high in (("7", 7, 7), ("0.5", 0.5, 0.5), (at, 80, 90)):
        error = after(server, status(code, {"retry-after": value}), variants[0])
        assert low <= error.retry_after_s <= high


def test_odd_waits():
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert retry_after_s({}) is None
    assert retry_after_s({"retry-after": "soon"}) is None
    assert retry_after_s({"retry-after": "nan"}) is None
    assert retry_after_s({"retry-after": "-5"}) == 0
    assert retry_after_s({"retry-after": "Mon, 23 Nov 9999999999999999999 00:02:00 GMT"}) is None
    assert retry_after_s({"retry-after": "1e9"}) == 86_400
    assert retry_after_s({"retry-after": "Sun, 22 Nov 2026 23:00:00 GMT"}, now=now) == 0
    assert retry_after_s({"retry-after": "Mon, 23 Nov 2026 00:02:00 GMT"}, now=now) == 120


def test_a_hang_ends_and_has_an_unknown_price(server, variants):
    error = after(server, hang(), variants[0], timeout_s=0.2)
    assert type(error) is TransientError
    assert "ReadTimeout" in str(error)
    assert error.usage is None


def test_what_cannot_have_been_free_says_so(server, variants):
    assert after(server, half_body(), variants[0]).usage is None
    assert after(server, html(), variants[0]).usage is None
    assert after(server, status(500), variants[0]).usage == {}
    told = {"choices": [], "usage": {"prompt_tokens": 7}}
    assert after(server, Fault(say(told)), variants[0]).usage == {"input_tokens": 7}
    for kind in (httpx2.WriteError, httpx2.ConnectTimeout, httpx2.ProxyError):
        assert transport_failure("openai:m", kind("why")).usage == {}  # it was not sent whole


def test_no_server_there(variants):
    (error,) = ask(model_at("http://127.0.0.1:9", preset="vllm"), variants[0])
    assert type(error) is Unreachable
    assert "is the server (or the proxy before it) running" in str(error)
    assert error.__cause__ is None  # it would hold the request, and with it the key
    assert error.usage == {}


def test_every_exception_of_the_client_has_a_meaning():
    """The client's real classes: whatever it may raise while asking becomes one of ours."""
    kinds = [kind for kind in vars(httpx2).values() if isinstance(kind, type) and issubclass(kind, httpx2.RequestError)]
    assert len(kinds) > 15
    for kind in [*kinds, httpx2.InvalidURL]:
        error = transport_failure("openai:m", kind("why"))
        assert isinstance(error, TransientError | ModelUnavailable)
        assert kind.__name__ in str(error)
        assert "why" in str(error)


def test_a_certificate_that_is_not_trusted():
    error = transport_failure("openai:m", httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    assert isinstance(error, ModelUnavailable)
    assert "export SSL_CERT_FILE=" in str(error)


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:9"), ("HTTPS_PROXY", "foo://127.0.0.1:9"), ("SSL_CERT_FILE", "/no/such.pem")],
)
def test_an_environment_that_cannot_be_used_is_named(name, value, variants, monkeypatch):
    _trusted.cache_clear()  # it is read once
    monkeypatch.setenv(name, value)
    (error,) = ask(OpenAI(argument="m", base_url="https://gpu.example/v1"), variants[0])
    assert type(error) is ModelUnavailable
    assert name in str(error)


def test_no_proxy_stands_before_a_server_that_is_near(server, variants, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask_one(model_at(server.url, preset="vllm"), variants[0]).text == "sync"


def test_a_clip_that_cannot_be_read_is_named(server, variants, tmp_path):
    from dataclasses import replace

    before = server.calls
    (error,) = ask(model_at(server.url, preset="vllm"), replace(variants[0], folder=tmp_path))
    assert type(error) is ModelError
    assert "clips/v0.mp4" in str(error)
    assert server.calls == before


def test_the_model_can_be_asked_again_after_it_was_closed(server, variants):
    model = model_at(server.url, preset="vllm")
    for _ in range(2):  # each time in an event loop of its own, with more calls than places
        assert {reply.text for reply in ask(model, *variants * 5)} == {"sync"}


def test_a_stream_that_breaks_off_is_no_answer(variants):
    pieces = [b'data: {"choices":[{"delta":{"content":"ahead"}}]}\n\n']
    for end, says in [
        ((), "breaks off"),
        ((b'data: {"choi\n\n',), "is broken"),
        ((b'data: {"error":{"code":429,"message":"slow"}}\n\n', b"data: [DONE]\n\n"), "slow"),
        ((b"data: [DONE]\n\n",), "without a finish_reason"),
        ((b'data: {"choices":[{"delta":{"content":""},"finish_reason":""}]}\n\n',), "breaks off"),
        ((b'data: {"choices":[{"delta":{"content":""},"finish_reason":"null"}]}\n\n',), "breaks off"),
    ]:
        with StandIn(lambda _, end=end: Response(body=(*pieces, *end))) as server:
            (error,) = ask(model_at(server.url), variants[0])
        assert isinstance(error, TransientError | RateLimited)
        assert says in str(error)
    # JSON may hold U+2028 as it is, which Python's splitlines takes for the end of a line
    whole = (*pieces, 'data: {"choices":[{"delta":{"content":"\u2028"},"finish_reason":"stop"}]}\r\n\r\n'.encode())
    with StandIn(lambda _: Response(body=(b": hello\n\n", *whole))) as server:
        assert ask_one(model_at(server.url), variants[0]).text == "ahead\u2028"


def test_an_endless_answer_is_cut(variants):
    with StandIn(lambda _: Response(body=tuple([b" " * (1 << 20)] * 18))) as server:
        (error,) = ask(model_at(server.url), variants[0])
        assert "longer than 16 MiB" in str(error)
        # 16 k tokens of thinking, each with 20 candidates, are no endless answer
        (error,) = ask(model_at(server.url, preset="vllm", max_tokens=16_384), variants[0])
        assert "half a body" in str(error)


def test_numbers_that_json_does_not_know(variants):
    """NaN and Infinity pass Python's parser; they must not reach an answer."""
    wire = OpenAIWire("vllm", usage={"cost": math.nan}, logprobs=[{"token": "sync", "logprob": math.nan}])
    with StandIn(wire) as server:
        reply = ask_one(model_at(server.url, preset="vllm"), variants[0])
    json.dumps([dict(reply.usage), dict(reply.details)], allow_nan=False)
    assert reply.probabilities is None
