"""The key stays at home, the event loop goes on, and the client does nothing behind our back."""

import asyncio
import logging
import ssl
import time
import traceback

import pytest

from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models.gemini import Gemini
from servers.gemini_wire import KEY, GeminiWire, refused
from servers.stand_in import Fault, Response, StandIn, half_body, html, status

REAL_CONTEXT = ssl.create_default_context


def everything_said(error):
    chain = "".join(traceback.format_exception(error))
    return "\n".join([str(error), repr(error), repr(vars(error)), chain])


@pytest.mark.parametrize(
    "given",
    [
        Fault(refused(400, "INVALID_ARGUMENT", f"API key not valid: {KEY}")),
        Fault(refused(403, "PERMISSION_DENIED", f"project of {KEY}", [{"reason": KEY}])),
        Fault(refused(429, KEY, f"slow down, {KEY}")),
        Fault(refused(500, "INTERNAL", KEY)),
        Fault(Response(200, f"<p>{KEY}".encode(), {})),
        Fault(Response(200, f'{{"candidates": "{KEY}"}}'.encode(), {})),
        Fault(Response(502, f"<p>{KEY}".encode(), {})),
        half_body(),
    ],
)
def test_a_key_that_the_server_repeats_is_not_repeated(ask, server, given, caplog):
    server.queue(given)
    with caplog.at_level(logging.DEBUG), pytest.raises(ModelError) as raised:
        ask()
    assert KEY not in everything_said(raised.value)
    assert KEY not in caplog.text


@pytest.mark.parametrize("field", ["finishReason", "finishMessage", "content", "modelVersion", "responseId"])
def test_nor_one_in_an_answer_of_its_own(ask, wire, field):
    def repeat(answer):
        value = {"parts": [{"text": f"the key is {KEY}"}]} if field == "content" else KEY
        (answer if field in answer else answer["candidates"][0])[field] = value

    wire.amend = repeat
    try:
        told = repr(ask())
    except ModelError as error:
        told = everything_said(error)
    assert KEY not in told


def test_the_key_is_nowhere_but_in_its_header(ask, made, server, tmp_path, caplog):
    with caplog.at_level(logging.DEBUG):
        reply = ask(inline_limit_mb=0)
        model = made()
        connection = model._open()
    assert connection.rest.key == KEY
    for text in (model.name, model.revision, repr(model), repr(connection), repr(reply), caplog.text):
        assert KEY not in text
    for request in server.requests:
        assert KEY not in request.target
        assert KEY.encode() not in request.body
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert KEY.encode() not in path.read_bytes()
    asyncio.run(model.close())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_redirect_to_another_place_does_not_take_the_key_along(ask, server, host):
    """Another port is another place, as is another scheme, by which the key would go unencrypted."""
    with StandIn(GeminiWire()) as elsewhere:
        other = f"http://{host}:{elsewhere.port}/v1beta/models/x:generateContent"
        server.queue(Fault(Response(307, b"", {"location": other})))
        with pytest.raises(ModelError):
            ask()
        (request,) = elsewhere.requests
    assert "x-goog-api-key" not in request.headers
    assert KEY not in str(request.headers)


@pytest.mark.parametrize("given", [status(429), status(500), status(503), html(), half_body()])
def test_one_request_for_one_question(ask, server, given):
    server.queue(given)
    with pytest.raises(ModelError):
        ask()
    assert len(server.requests) == 1


def test_many_at_once(made, server, variants, prompt):
    server.slow_s = 0.3

    async def many():
        model = made()
        replies = await asyncio.gather(*(model.reply(variants[n % 3], prompt) for n in range(120)))
        await model.close()
        return replies

    assert {reply.text for reply in asyncio.run(many())} == {"behind"}
    assert server.most_at_once > 100  # a pool of the client's own would hold them at 100


def test_the_event_loop_goes_on_while_a_clip_is_rendered(made, variants, prompt):
    class Slow:
        row = variants[0].row

        def mp4_bytes(self):
            time.sleep(0.5)
            return variants[0].mp4_bytes()

    async def watched():
        model = made()
        await model.reply(variants[0], prompt)  # opens the connection
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        watch = asyncio.create_task(tick())
        await model.reply(Slow(), prompt)
        watch.cancel()
        await model.close()
        return ticks

    assert asyncio.run(watched()) > 5


def test_making_one_opens_nothing(monkeypatch):
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    model = Gemini(argument="gemini-3.8-flash")
    assert asyncio.run(model.close()) is None


def test_the_clients_own_variables_do_not_change_where_it_goes(ask, server, monkeypatch):
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_API_KEY", "another-key-of-the-environment")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v1alpha")
    assert ask().text == "behind"
    assert server.requests[0].headers["x-goog-api-key"] == KEY


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:9"), ("HTTPS_PROXY", "odd://127.0.0.1:9"), ("SSL_CERT_FILE", "/none/such.pem")],
)
def test_an_environment_by_which_nothing_can_be_reached_is_told(ask, server, monkeypatch, name, value):
    monkeypatch.setattr(ssl, "create_default_context", REAL_CONTEXT)
    monkeypatch.setenv(name, value)
    with pytest.raises(ModelUnavailable, match=r"no connection can be made: .*check the environment") as raised:
        ask()
    assert raised.value.usage == {}


def test_a_call_that_is_given_up_lets_go(made, server, variants, prompt):
    server.slow_s = 30

    async def given_up():
        model = made()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(model.reply(variants[0], prompt), 0.5)
        await model.close()

    asyncio.run(given_up())
