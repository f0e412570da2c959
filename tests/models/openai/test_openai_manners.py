"""The contract, the key, the event loop, the memory: how the model behaves besides what it says."""

import asyncio
import collections
import contextlib
import logging
import threading
import traceback
import tracemalloc

import pytest
from builds import build, card_file, settings
from click.testing import CliRunner

from models.openai.asking import MODEL, PROMPT, ask, ask_one, model_at
from offbeat.cli import cli
from offbeat.errors import ModelError
from offbeat.evaluation.contract import check_model
from offbeat.media.rate import picture_digest
from offbeat.models.base import Closing, Paid
from offbeat.models.openai import OpenAI
from offbeat.models.openai.connections import CALLS_A_POOL, Connections
from offbeat.models.openai.model import SENT_AT_ONCE
from offbeat.models.openai.settings import Options
from offbeat.models.registry import find_kind, make_model
from offbeat.models.sending import Pictures
from servers.openai_wire import OpenAIWire
from servers.stand_in import Fault, Response, StandIn, half_body, say, status
from servers.stand_in_apart import in_another_process

KEY = "sentinel-key-2718281828"


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    return KEY


def test_it_keeps_the_contract(variants):
    with StandIn(OpenAIWire("vllm", answer=lambda clip: "ahead" if clip.digest < "8" else "sync")) as server:
        made = lambda: model_at(server.url, preset="vllm")  # noqa: E731
        verdicts = {check.what: (check.verdict, check.found) for check in check_model(made, variants)}
    assert verdicts.pop("other words")[0] == "note"  # the server says `sync` whatever it is asked
    assert {verdict for verdict, _ in verdicts.values()} == {"ok"}, verdicts
    assert isinstance(made(), Closing)
    assert isinstance(made(), Paid)


def test_it_is_made_by_name_and_its_options_are_those_of_the_settings():
    options = find_kind(f"openai:{MODEL}").options()
    assert set(options) == set(Options.model_fields)
    for name, parameter in options.items():
        default = Options.model_fields[name].get_default(call_default_factory=True)
        assert default == ({} if name == "extra" else parameter.default), name
    model = make_model(f"openai:{MODEL}", options={"base_url": "http://127.0.0.1:1/v1", "preset": "vllm", "fps": 4})
    assert (model.name, "fps=4 " in model.revision) == (f"openai:{MODEL}", True)


def everything_said(error):
    return "\n".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])


@pytest.mark.parametrize(
    "fault",
    [
        status(400, body={"error": {"message": f"no such thing as {KEY}", "code": KEY, "metadata": {"raw": KEY}}}),
        status(401, body={"error": {"message": f"Incorrect API key provided: {KEY}", "type": "invalid_api_key"}}),
        status(429, {"retry-after": KEY}, {"error": {"message": KEY}}),
        status(307, {"location": f"https://elsewhere.example/?key={KEY}"}),
        status(400, body={"error": {"message": KEY, "code": "content_filter"}}),
        status(500, body=[KEY]),
        Fault(Response(200, f"<html>{KEY}".encode())),
        Fault(Response(200, f"{KEY} broken".encode())),
        Fault(Response(200, f"data: {KEY}\n\n".encode())),
        Fault(say({"error": KEY})),
        Fault(say({"model": KEY, "choices": [{"message": {"content": "sync"}}]})),
        Fault(
            say(
                {
                    "id": KEY,
                    "provider": KEY,
                    "choices": [{"message": {"content": KEY, "reasoning": KEY}, "finish_reason": KEY}],
                }
            )
        ),
        half_body(),
    ],
)
def test_a_key_that_the_server_repeats_is_not_repeated(fault, key, variants, caplog):
    with caplog.at_level(logging.INFO), StandIn(OpenAIWire("dashscope", key=key)) as server:
        server.queue(fault)
        (got,) = ask(model_at(server.url, preset="dashscope"), variants[0])
    assert server.requests[0].headers["authorization"] == f"Bearer {key}"
    assert key not in (everything_said(got) if isinstance(got, BaseException) else repr(got))
    assert key not in caplog.text


def test_a_key_is_a_secret_whatever_its_variable_is_called(variants, monkeypatch):
    monkeypatch.setenv("LAB_ACCESS", KEY)
    with StandIn(OpenAIWire("vllm")) as server:
        server.queue(status(400, body={"error": {"message": f"no such key: {KEY}"}}))
        (got,) = ask(model_at(server.url, preset="vllm", key_env="LAB_ACCESS"), variants[0])
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert "no such key: [LAB_ACCESS]" in str(got)
    assert KEY not in everything_said(got)


def test_the_key_is_nowhere_but_in_its_header(key, variants):
    with StandIn(OpenAIWire("dashscope", key=key)) as server:
        model = model_at(server.url, preset="dashscope")
        reply = ask_one(model, variants[0])
        (request,) = server.requests
    others = {name: value for name, value in request.headers.items() if name != "authorization"}
    assert key not in repr((request.target, request.body, others, reply, model.name, model.revision, model))


@pytest.mark.parametrize("odd", ["two words of a key", "key-with-ü-inside", "key\nX-Injected: 1"])
def test_a_key_that_no_header_can_hold_is_not_quoted(odd, monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", odd)
    with pytest.raises(ModelError) as caught:
        OpenAI(argument="m", preset="dashscope")
    assert "characters that no key has" in str(caught.value)
    assert odd not in everything_said(caught.value)


@pytest.mark.slow
def test_a_run_keeps_no_key(key, tmp_path):
    """A whole run and its report, while the server repeats the key wherever it can."""
    card_file(tmp_path / "in" / "card.mp4")
    build(tmp_path / "in", tmp_path / "set", settings(delays_s=(-0.5, 0.5)))
    wire = OpenAIWire("dashscope", key=key, answer=lambda _: f"sync {key}", changes={"provider": key})
    faults = iter([status(500, body={"error": {"message": key}}), status(400, body={"error": {"message": key}})])
    with StandIn(wire, faults=lambda _: next(faults, None)) as server:
        words = (
            f"run {tmp_path}/set --model openai:m --option preset=dashscope --base-url {server.url}/v1 --even-if-deaf"
        )
        told = CliRunner().invoke(cli, [*words.split(), "--out", str(tmp_path / "run")])
        reported = CliRunner().invoke(cli, ["report", str(tmp_path / "run"), "--out", str(tmp_path / "report")])
    assert server.calls >= 3, told.output
    assert reported.exit_code == 0, reported.output
    assert key not in told.output + reported.output
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".mp4"]
    assert any(path.name.startswith("answers.sqlite") for path in files)
    assert [path for path in files if key.encode() in path.read_bytes()] == []


def test_clips_are_rendered_beside_the_event_loop(variants, monkeypatch):
    threads = []

    def slowly(variant, **settings):
        threads.append(threading.current_thread())
        return Pictures().mp4(variant, **settings)

    monkeypatch.setattr("offbeat.models.openai.model.constant_rate_mp4", slowly)
    with StandIn(OpenAIWire("vllm")) as server:
        ask(model_at(server.url, preset="vllm"), *variants)
    assert len(threads) == 3
    assert threading.main_thread() not in threads


def test_the_picture_of_a_clip_is_encoded_once(variants, monkeypatch):
    import offbeat.models.sending as sending

    made = []
    real = sending.picture_at_rate
    monkeypatch.setattr(sending, "picture_at_rate", lambda *given, **more: made.append(given) or real(*given, **more))
    monkeypatch.setattr(sending, "_PICTURES", Pictures(kept=1))
    with StandIn(OpenAIWire("vllm")) as server:
        replies = ask(model_at(server.url, preset="vllm"), *variants * 5)
        assert [reply for reply in replies if isinstance(reply, BaseException)] == []
        assert len({picture_digest(variant.path) for variant in variants}) == 1
        assert len(made) == 1
        ask(model_at(server.url, preset="vllm", fps=2), variants[0])
        ask(model_at(server.url, preset="vllm"), variants[0])
    assert len(made) == 3  # one picture is kept, no more


def test_few_clips_are_in_memory_at_once(variants, monkeypatch):
    """Many calls at once: a clip is made only when one of the few places is free, and is gone once it is sent."""
    alive, most = set(), 0
    begun = threading.Lock()

    class Held(bytes):
        def __del__(self):
            alive.discard(id(self))

    def make(variant, **settings):
        nonlocal most
        clip = Held(Pictures().mp4(variant, **settings))
        with begun:
            alive.add(id(clip))
            most = max(most, len(alive))
        return clip

    monkeypatch.setattr("offbeat.models.openai.model.constant_rate_mp4", make)
    with StandIn(OpenAIWire("vllm"), slow_s=1.0) as server:
        replies = ask(model_at(server.url, preset="vllm"), *variants * 20)
    assert {reply.text for reply in replies} == {"sync"}
    assert server.most_at_once > 2 * SENT_AT_ONCE
    assert most <= SENT_AT_ONCE
    assert not alive


def test_a_call_that_failed_holds_no_clip(variants, monkeypatch):
    """An error that is kept keeps the frames in which it was raised."""
    made, gone = [], []

    class Held(bytes):
        def __del__(self):
            gone.append(len(self))

    def make(variant, **settings):
        clip = Held(Pictures().mp4(variant, **settings))
        made.append(len(clip))
        return clip

    monkeypatch.setattr("offbeat.models.openai.model.constant_rate_mp4", make)
    errors = ask(model_at("http://127.0.0.1:9", preset="vllm"), *variants)
    assert all(isinstance(error, ModelError) and error.__traceback__ is not None for error in errors)
    assert sorted(made) == sorted(gone)


@pytest.mark.slow
def test_a_thousand_calls_that_wait_hold_no_clips(variants, monkeypatch, tmp_path):
    """The peak of memory does not grow with the size of the clips: 1,000 of 200 kB would be 200 MB."""

    def peak_mb(size):
        monkeypatch.setattr("offbeat.models.openai.model.constant_rate_mp4", lambda *_, **__: bytes(size))
        tracemalloc.start()
        try:
            replies = ask(model_at(url, preset="vllm"), *[variants[0]] * 1000)
            return tracemalloc.get_traced_memory()[1] / 1e6, replies
        finally:
            tracemalloc.stop()

    with in_another_process("servers.openai_wire:trusting", tmp_path, "--slow-s", "10") as url:
        small, _ = peak_mb(300)
        large, replies = peak_mb(200_000)
    assert sum(getattr(reply, "text", None) == "sync" for reply in replies) == 1000
    assert large - small < 2 * SENT_AT_ONCE * 0.2 + 5, (small, large)


def test_connections_are_used_again_and_spread_over_pools():
    async def main():
        connections = Connections(timeout_s=1, trust_env=False)
        for _ in range(3 * CALLS_A_POOL):
            async with connections.client():
                pass
        assert len(connections._pools) == 1
        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(connections.client()) for _ in range(3 * CALLS_A_POOL)]
        await connections.close()
        return collections.Counter(map(id, clients))

    assert list(asyncio.run(main()).values()) == [CALLS_A_POOL] * 3


def test_a_call_that_is_cancelled_gives_its_place_back(variants):
    async def main(url):
        model = model_at(url, preset="vllm")
        calls = [asyncio.create_task(model.reply(variants[0], PROMPT)) for _ in range(2 * SENT_AT_ONCE)]
        await asyncio.sleep(0.3)
        for call in calls:
            call.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        server.faults = None
        reply = await asyncio.wait_for(model.reply(variants[0], PROMPT), 30)
        await model.close()
        return ended, reply

    with StandIn(OpenAIWire("vllm"), faults=lambda _: Fault(wait_s=60)) as server:
        ended, reply = asyncio.run(main(server.url))
    assert all(isinstance(one, asyncio.CancelledError) for one in ended)
    assert reply.text == "sync"
