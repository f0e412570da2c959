"""Servers that never come to an end: how long each step may take, and how much is read of an answer."""

import asyncio
import gzip
import itertools
import threading
import time

import httpx2
import pytest

from offbeat.errors import TransientError
from offbeat.models.gemini import bounds, rest
from offbeat.models.gemini.bounds import BoundedClient, TooLong
from servers.stand_in import Fault, Response, StandIn, drip, say, stalled
from servers.stand_in_apart import count_at

ENDLESS = Fault(Response(body=itertools.repeat(b" " * 65536)))
STEPS = {"call": 0, "start of an upload": 0, "its end": 1, "question about it": 2}
"""How many requests come before."""


@pytest.fixture
def ask_at(ask, server, wire):
    """Ask, with a fault in one step; and all connections must be let go."""

    def do(step, fault, **options):
        wire.new_states = ["PROCESSING", "ACTIVE"]
        server.queue(*[None] * STEPS[step], fault)
        limit = {} if step == "call" else {"inline_limit_mb": 0}
        with pytest.raises(TransientError) as raised:
            ask(**limit, **options)
        let_go(server)
        return raised.value

    return do


def let_go(server):
    deadline = time.monotonic() + 10
    while count_at(server.url)["open"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert count_at(server.url)["open"] == 0


@pytest.fixture
def client():
    async def nothing(request):
        pass

    def make(*, limit_s=30.0, most_bytes=1_000_000):
        return BoundedClient(limit_s=limit_s, most_bytes=most_bytes, limits=httpx2.Limits(), on_request=nothing)

    return make


@pytest.fixture
def got(client):
    """The body of one answer."""

    def get(url, **limits):
        async def once():
            async with client(**limits) as opened:
                return (await opened.get(url)).content

        return asyncio.run(once())

    return get


@pytest.mark.parametrize("step", [step for step in STEPS if step != "question about it"])
def test_an_answer_without_end_is_not_read_to_its_end(ask_at, step):
    error = ask_at(step, ENDLESS)
    assert "the answer is longer than" in str(error)
    assert error.usage == (None if step == "call" else {})  # a call may have been paid


def test_a_question_about_a_file_that_is_answered_without_end_is_put_again(ask, server, wire):
    wire.new_states = ["PROCESSING", "ACTIVE"]
    server.queue(None, None, ENDLESS)
    assert ask(inline_limit_mb=0).text == "behind"
    let_go(server)


@pytest.mark.parametrize(("step", "fault"), [*((step, drip()) for step in STEPS), ("call", stalled())])
def test_an_answer_that_drips_or_stalls_ends_with_the_time(ask_at, step, fault):
    error = ask_at(step, fault, timeout_s=0.4)
    assert "no answer in time" in str(error) or "not ready after" in str(error)
    assert str(error).count("--option timeout_s=600") == 1
    assert error.usage == (None if step == "call" else {})


@pytest.mark.parametrize("fault", [drip(), ENDLESS], ids=["drip", "endless"])
def test_a_call_that_is_given_up_leaves_nothing_behind(made, server, variants, prompt, fault):
    server.queue(fault)

    async def given_up():
        model = made(max_output_tokens=32_768, logprobs=20)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(model.reply(variants[0], prompt), 0.3)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await model.close()

    before = threading.active_count()
    asyncio.run(given_up())
    assert threading.active_count() == before
    let_go(server)


def test_a_batch_is_taken_whatever_the_length_of_the_answer(submit, server):
    server.queue(Fault(say({"name": "batches/b1", "metadata": {"inputConfig": "x" * 20_000_000}})))
    assert submit().startswith("batches/b1@")


def test_an_answer_that_unfolds(got):
    packed = gzip.compress(bytes(50_000_000), 1)
    with StandIn(lambda _: Response(200, packed, {"content-encoding": "gzip"})) as server:
        assert len(packed) < 1_000_000
        with pytest.raises(TooLong):
            got(server.url)
        assert got(server.url, most_bytes=50_000_000) == bytes(50_000_000)


def test_a_redirect_is_followed_and_not_read(got):
    def wire(request):
        if request.path == "/":
            return Response(307, itertools.repeat(b" " * 65536), {"location": "/there"})
        return say({"path": request.path})

    with StandIn(wire) as server:
        assert got(server.url) == b'{"path": "/there"}'
        let_go(server)


def test_what_was_sent_buys_no_time_for_the_answer(client):
    async def once():
        async with client(limit_s=0.4) as opened:
            await opened.post(server.url, content=bytes(10_000_000))  # 625 s

    with StandIn(lambda _: say({})) as server:
        server.queue(drip())
        with pytest.raises(httpx2.ReadTimeout):
            asyncio.run(once())


@pytest.mark.slow
def test_what_is_sent_and_received_buys_time(client, monkeypatch):
    monkeypatch.setattr(bounds, "SLOWEST_BYTES_A_SECOND", 1000)

    def slowly():
        for _ in range(5):
            yield bytes(20_000)
            time.sleep(0.3)

    def wire(request):
        if request.body:
            time.sleep(1.2)
        return say(len(request.body)) if request.body else Response(body=slowly())

    async def both():
        async with client(limit_s=1.0) as opened:
            opened.timeout = 30.0  # of silence
            received = await opened.get(server.url)
            sent = await opened.post(server.url, content=bytes(30_000))
        return len(received.content), sent.json()

    with StandIn(wire) as server:
        assert asyncio.run(both()) == (100_000, 30_000)


async def lines(http, server):
    """All lines of a file."""
    async with http:
        asked = rest.Rest(http=http, base_url=server.url, api_version="v1", key="k", spec="gemini:x")
        return [line async for line in asked.lines("files/x", refused=lambda said, spec: TransientError(spec))]


def test_a_trickle_that_is_streamed_ends_as_well(client):
    with StandIn(lambda _: say({})) as server:
        server.queue(drip())
        with pytest.raises(TransientError, match="no answer in time"):
            asyncio.run(lines(client(limit_s=0.4), server))
        let_go(server)


def test_results_without_end_have_one(client, monkeypatch):
    monkeypatch.setattr(rest, "LONGEST_FILE_BYTES", 5_000_000)

    with StandIn(lambda _: Response(body=itertools.repeat(b"{}\n" * 1000))) as server:
        with pytest.raises(TransientError, match="files/x is longer than 5,000,000 bytes"):
            asyncio.run(lines(client(), server))
        let_go(server)


def test_an_upload_that_is_hardly_read_ends(client, monkeypatch):
    """The server reads a byte now and then, so that there is no silence."""
    monkeypatch.setattr(bounds, "SLOWEST_BYTES_A_SECOND", 1e9)

    async def sent():
        over, closed = asyncio.Event(), asyncio.Event()

        async def reads_slowly(reader, writer):
            while not over.is_set():
                await reader.read(1000)
                await asyncio.sleep(0.01)
            writer.transport.abort()
            closed.set()

        server = await asyncio.start_server(reads_slowly, "127.0.0.1", 0, limit=1000)
        async with server, client(limit_s=0.5) as opened:
            opened.timeout = 30.0  # of silence
            with pytest.raises(httpx2.ReadTimeout):
                await opened.post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", content=bytes(30_000_000))
            over.set()
            await closed.wait()

    asyncio.run(sent())
