"""The stand-in server against the clients of urllib and httpx, which we did not write."""

import asyncio
import itertools
import json
import time

import httpx2 as httpx
import pytest

from offbeat.evaluation.calls.open_files import calls_that_fit
from servers.stand_in import (
    Fault,
    Response,
    StandIn,
    closed,
    drip,
    half_body,
    hang,
    html,
    reset,
    say,
    stalled,
    status,
    torn,
)
from servers.stand_in_apart import count_at, in_another_process, told_by


def echo(request):
    return say({"number": request.number, "got": len(request.body), "path": request.path})


def test_keeps_what_it_was_sent():
    with StandIn(echo) as server, httpx.Client() as client:
        reply = client.post(f"{server.url}/a/b?key=1", content=b"x" * 3_000_000, headers={"X-Mine": "yes"})
        chunked = client.post(f"{server.url}/c", content=iter([b"ab", b"cde"]))
    assert reply.json() == {"number": 1, "got": 3_000_000, "path": "/a/b"}
    assert chunked.json()["got"] == 5
    first, second = server.requests
    assert (first.method, first.query, first.headers["x-mine"]) == ("POST", {"key": ["1"]}, "yes")
    assert second.body == b"abcde"
    assert second.at_s >= first.at_s
    assert (server.calls, server.answered, server.failures) == (2, 2, [])


def test_misbehaves_on_command_and_then_behaves():
    with StandIn(echo) as server, httpx.Client(timeout=0.3) as client:
        server.queue(status(429, {"retry-after": "7"}), html(), half_body(), reset(), closed(), hang(), None)
        limited = client.get(server.url)
        assert (limited.status_code, limited.headers["retry-after"], limited.json()["error"]["code"]) == (429, "7", 429)
        assert client.get(server.url).text.startswith("<!doctype html>")
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(server.url)
        with pytest.raises(httpx.ReadError):
            client.get(server.url)
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(server.url)
        with pytest.raises(httpx.ReadTimeout):
            client.get(server.url)
        assert client.get(server.url).json()["number"] == 7


def test_stops_in_the_middle_of_a_reply_in_every_way():
    with StandIn(echo) as server, httpx.Client(timeout=0.3) as client:
        for fault, kind in ((stalled(), httpx.ReadTimeout), (torn(), httpx.ReadError)):
            server.queue(fault)
            with client.stream("GET", server.url) as reply, pytest.raises(kind):
                reply.read()
            assert reply.status_code == 200
        server.queue(drip(0.0))
        with client.stream("GET", server.url) as reply:
            pieces = reply.iter_raw(1)
            came = b"".join(next(pieces) for _ in range(200))
        assert json.loads(came)["number"] == 3
        assert came.endswith(b" " * 100)
        assert client.get(server.url).json()["number"] == 4


def test_a_reply_may_have_no_end():
    with StandIn(lambda _: Response(body=itertools.repeat(b"x" * 65536))) as server:
        with httpx.stream("GET", server.url) as reply:
            assert sum(len(piece) for piece in itertools.islice(reply.iter_raw(65536), 100)) == 6_553_600
        deadline = time.monotonic() + 10
        while count_at(server.url)["open"] and time.monotonic() < deadline:
            time.sleep(0.01)
        assert count_at(server.url)["open"] == 0


def test_faults_may_look_at_the_request():
    with StandIn(echo, faults=lambda request: status(500) if request.number % 2 else None) as server:
        assert [httpx.get(server.url).status_code for _ in range(4)] == [500, 200, 500, 200]


def test_a_body_in_pieces_is_whole_or_cut():
    pieces = (b"one,", b"two,", b"three", b"!")
    with StandIn(lambda _: Response(body=pieces)) as server:
        server.queue(None, half_body())
        assert httpx.get(server.url).text == "one,two,three!"
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(server.url)


def test_a_mistake_of_the_wire_shows():
    def wire(request):
        return say(request.json()["missing"])

    with StandIn(wire) as server:
        assert httpx.post(server.url, json={}).status_code == 500
    assert "KeyError" in server.failures[0]


def test_holds_a_thousand_slow_requests():
    async def ask(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        return head.startswith(b"HTTP/1.1 200 OK")

    async def ask_all(port):
        return await asyncio.gather(*(ask(port) for _ in range(at_once)))

    at_once = calls_that_fit(1000)  # both ends of each lie in this process
    with StandIn(echo, faults=lambda _: Fault(wait_s=2.0)) as server:
        assert sum(asyncio.run(ask_all(server.port))) == at_once
    # all were sent before the first was answered, unless the machine took longer than that over it
    assert server.most_at_once > at_once // 4


def test_lives_in_a_process_of_its_own(tmp_path):
    with in_another_process("servers.test_stand_in:echo", tmp_path, "--slow-s", "0.01", "--faults", "503,,half") as url:
        assert [httpx.get(url).status_code for _ in range(2)] == [503, 200]
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url)
        counted = count_at(url)
        assert (counted["calls"], counted["answered"], counted["open"]) == (3, 2, 0)
        assert [entry["number"] for entry in told_by(url)] == [1, 2, 3]


def test_a_client_that_hangs_up_is_let_go():
    with StandIn(echo) as server:
        server.queue(hang())
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(server.url, timeout=0.1)
        deadline = time.monotonic() + 10
        while count_at(server.url)["open"] and time.monotonic() < deadline:
            time.sleep(0.01)
        assert count_at(server.url)["open"] == 0
