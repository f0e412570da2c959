"""Replies in pieces that stall, trickle, never end, or end without an end: they cost a while, and never an answer."""

import asyncio
import itertools
import time

import pytest

from models.openai.asking import PROMPT, ask, ask_one, model_at
from offbeat.errors import TransientError
from offbeat.evaluation.calls.calling import Caller
from offbeat.evaluation.calls.limiter import Limiter
from offbeat.models.base import Reply
from offbeat.models.openai import receiving
from servers.stand_in import Response, StandIn, drip, stalled

BEGUN = b'data: {"choices":[{"delta":{"content":"ahead"},"finish_reason":null}]}\n\n'
WHOLE = b'data: {"choices":[{"delta":{"content":"behind"},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"


def called(model, variant, *, limit_s):
    """What a run makes of one attempt."""

    async def go():
        halted = asyncio.Event()
        limiter = Limiter(most=1, halted=halted, clock=time.monotonic)
        caller = Caller(model, limiter=limiter, halted=halted, call_limit_s=limit_s, first_wait_s=3600)
        calling = asyncio.create_task(caller.call(variant, PROMPT, key="k"))
        await asyncio.sleep(limit_s + 0.2)
        halted.set()  # no second attempt
        try:
            return await calling
        finally:
            await model.close()

    return asyncio.run(go())


def until(holds):
    end = time.monotonic() + 30
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


@pytest.mark.parametrize("fault", [stalled(), drip()], ids=["stalls", "trickles"])
def test_a_reply_that_never_ends_runs_out_of_time_and_is_hung_up_on(fault, variants):
    with StandIn(lambda _: Response(body=(BEGUN, BEGUN)), faults=lambda _: fault) as server:
        got = called(model_at(server.url, stream=True), variants[0], limit_s=0.5)
        assert (type(got.failure), got.reply) == (TransientError, None)
        assert got.failure.usage is None  # it may have been paid for
        assert "--timeout sets how long" in str(got.failure)
        assert until(lambda: server.open == 0)


def test_a_body_without_end_is_hung_up_on(variants):
    with StandIn(lambda _: Response(body=itertools.repeat(BEGUN * 1000))) as server:
        (error,) = ask(model_at(server.url, stream=True), variants[0])
        assert "longer than 16 MiB" in str(error)
        assert until(lambda: server.open == 0)


@pytest.mark.parametrize("end", [DONE, b"data:[DONE]", b"data: [DO\0NE]\n\n"])
def test_a_whole_reply_is_not_lost_where_the_connection_is_left_open(end, variants, monkeypatch):
    monkeypatch.setattr(receiving, "END_S", 0.05)
    pieces = [WHOLE, *end.split(b"\0")]  # also where the end comes in two pieces
    with StandIn(lambda _: Response(body=[*pieces, *pieces]), faults=lambda _: stalled()) as server:
        model = model_at(server.url, stream=True, timeout_s=10)
        for _ in range(2):
            reply = ask_one(model, variants[0])
            assert isinstance(reply, Reply)
            assert (reply.text, reply.stop) == ("behind", "complete")
        assert until(lambda: server.open == 0)


def test_a_word_of_the_answer_does_not_end_it(variants, monkeypatch):
    monkeypatch.setattr(receiving, "END_S", 0.0)
    said = b'data: {"choices":[{"delta":{"content":"data: [DONE]\\ndata: [DONE]"}}]}\n\n'

    def pieces():
        yield said
        time.sleep(0.2)
        yield from (WHOLE, DONE)

    with StandIn(lambda _: Response(body=pieces())) as server:
        assert ask_one(model_at(server.url, stream=True), variants[0]).text.endswith("behind")


def test_streams_share_a_connection(variants, monkeypatch):
    monkeypatch.setattr(receiving, "END_S", 30)

    def pieces():
        yield from (WHOLE, DONE)
        time.sleep(0.1)  # before the end of the body

    with StandIn(lambda _: Response(body=pieces())) as server:
        model = model_at(server.url, stream=True)

        async def in_turn():
            for _ in range(3):
                assert (await model.reply(variants[0], PROMPT)).text == "behind"
            await model.close()

        asyncio.run(in_turn())
        assert server.connections == 1


def test_what_was_not_sent_whole_has_cost_nothing(variants):
    """As where a proxy hangs up on what is too large for it."""

    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async def go():
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        model = model_at(f"http://127.0.0.1:{port}", extra={"more than a socket holds": "x" * (1 << 24)})
        try:
            with pytest.raises(TransientError) as raised:
                await model.reply(variants[0], PROMPT)
        finally:
            await model.close()
            server.close()
        return raised.value

    error = asyncio.run(go())
    assert "sent whole" in str(error)
    assert error.usage == {}
