"""What a completion is read as: text, end, usage, who answered, probabilities."""

import math

import pytest

from models.openai.asking import MODEL, PROMPT, ask, ask_one, model_at
from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models.base import USAGE, Prompt
from offbeat.models.openai.served import same_model
from offbeat.models.openai.usage import usage_of
from servers.openai_wire import PRESETS, OpenAIWire
from servers.stand_in import StandIn, say


def read(variant, *, preset="vllm", options=None, **wire):
    with StandIn(OpenAIWire(preset, **wire)) as server:
        return ask_one(model_at(server.url, preset=preset, **(options or {})), variant)


def message(**fields):
    return {"message": {"role": "assistant", **fields}}


@pytest.mark.parametrize(
    ("choice", "text", "stop"),
    [
        (message(content="Ahead."), "Ahead.", "complete"),
        (message(content=""), "", "complete"),
        (message(content=None), "", "complete"),
        (message(), "", "complete"),
        ({"message": None}, "", "complete"),
        ({**message(content=""), "finish_reason": "length"}, "", "truncated"),
        ({**message(content="The sound"), "finish_reason": "length"}, "The sound", "truncated"),
        ({**message(content=None), "finish_reason": "content_filter"}, "", "refused"),
        ({**message(content=None), "finish_reason": "SAFETY"}, "", "refused"),
        (message(content=None, refusal="I cannot watch this."), "I cannot watch this.", "refused"),
        ({**message(content="", reasoning_content="Hm, well"), "finish_reason": "length"}, "", "truncated"),
        (message(content=[{"type": "text", "text": "be"}, {"type": "text", "text": "hind"}]), "behind", "complete"),
        ({**message(content="sync"), "finish_reason": None}, "sync", "complete"),
        ({**message(content="sync"), "finish_reason": 7}, "sync", "complete"),
    ],
)
def test_text_and_end(choice, text, stop, variants):
    reply = read(variants[0], choice=choice)
    assert (reply.text, reply.stop) == (text, stop)


def test_thinking_is_kept_beside_and_forbids_probabilities(variants):
    reply = read(variants[0], choice=message(content="sync", reasoning_content="x" * 5000))
    assert reply.text == "sync"
    assert len(reply.details["reasoning"]) == 2000
    assert reply.probabilities is None
    assert "thought first" in reply.details["no_probabilities"]


def test_probabilities_of_the_options(variants):
    def entry(token, top):
        listed = [{"token": name, "logprob": math.log(chance)} for name, chance in top.items()]
        return {"token": token, "logprob": math.log(top[token]), "top_logprobs": listed}

    logprobs = [entry("beh", {"beh": 0.6, "Sync": 0.3, "The": 0.1}), entry("ind", {"ind": 0.9, "ave": 0.1})]
    reply = read(variants[0], answer=lambda _: "behind", logprobs=logprobs)
    assert reply.probabilities == pytest.approx({"behind": 0.54 / 0.84, "sync": 0.3 / 0.84, "ahead": 0.0})
    assert reply.details["option_mass"] == pytest.approx(0.84)


@pytest.mark.parametrize(
    "logprobs",
    [[], None, [None], [{}], [{"token": 3, "logprob": 1}], [{"token": "sync"}], [{"token": "a", "top_logprobs": 5}]],
)
def test_odd_probabilities_are_none(logprobs, variants):
    choice = {"logprobs": {"content": logprobs}} if logprobs is not None else {"logprobs": None}
    reply = read(variants[0], choice=choice)
    assert (reply.text, reply.probabilities) == ("sync", None)
    assert reply.details["no_probabilities"]


def test_usage_in_our_words():
    told = usage_of(
        {
            "prompt_tokens": 100,
            "completion_tokens": 30,
            "total_tokens": 130,
            "prompt_tokens_details": {
                "cached_tokens": 10,
                "text_tokens": 5,
                "audio_tokens": 25,
                "video_tokens": 70,
                "image_tokens": 0,
            },
            "completion_tokens_details": {"reasoning_tokens": 28},
            "cost": 0.0125,
        }
    )
    assert told == {
        "input_tokens": 100,
        "text_tokens": 5,
        "video_tokens": 70,
        "audio_tokens": 25,
        "image_tokens": 0,
        "cached_tokens": 10,
        "output_tokens": 2,
        "thinking_tokens": 28,
        "cost_usd": 0.0125,
    }
    assert set(told) - {"image_tokens", "cost_usd"} == set(USAGE)


@pytest.mark.parametrize(
    "told",
    [
        None,
        5,
        [],
        {},
        {"prompt_tokens": None, "prompt_tokens_details": None},
        {"prompt_tokens": -1},
        {"prompt_tokens": "9"},
    ],
)
def test_what_is_not_told_is_not_there(told):
    assert usage_of(told) == {}


def test_zeros_where_nobody_counted_are_nothing():
    zeros = {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0, "video_tokens": 0}}
    assert usage_of(zeros, zeros_count=False) == {"input_tokens": 9, "cached_tokens": 0}
    assert usage_of(zeros)["audio_tokens"] == 0


@pytest.mark.parametrize("stream", [False, True])
def test_no_tokens_for_the_sound_is_an_error(stream, variants):
    deaf = {"prompt_tokens_details": {"audio_tokens": 0, "video_tokens": 160}}
    with pytest.raises(ModelError, match="0 audio_tokens though the sound was sent") as caught:
        read(variants[0], usage=deaf, options={"stream": stream})
    assert type(caught.value) is ModelError
    assert caught.value.usage["video_tokens"] == 160  # it cost all the same
    blind = {"prompt_tokens_details": {"audio_tokens": 50, "video_tokens": 0}}
    with pytest.raises(ModelError, match="0 video_tokens though the picture was sent"):
        read(variants[0], usage=blind, options={"stream": stream})


def test_openrouter_writes_zeros_where_nobody_counted(variants, monkeypatch):
    monkeypatch.setenv("OPENROUTER_API_KEY", "k" * 20)
    nobody = {"prompt_tokens_details": {"audio_tokens": 0, "video_tokens": 0}}
    assert "audio_tokens" not in read(variants[0], preset="openrouter", key="k" * 20, usage=nobody).usage
    deaf = {"prompt_tokens_details": {"audio_tokens": 0, "video_tokens": 160}}
    with pytest.raises(ModelError, match="0 audio_tokens"):
        read(variants[0], preset="openrouter", key="k" * 20, usage=deaf)


def test_no_count_is_no_error(variants):
    for usage in ({"prompt_tokens_details": None}, {"prompt_tokens_details": {"cached_tokens": 4}}):
        assert read(variants[0], usage=usage).text == "sync"
    frames_as_images = {"prompt_tokens_details": {"audio_tokens": 50, "video_tokens": 0, "image_tokens": 99}}
    assert read(variants[0], usage=frames_as_images).text == "sync"


def test_no_sound_is_missed_where_none_was_sent(variants):
    unheard = {"model": MODEL, "choices": [message(content="sync")]}
    unheard |= {"usage": {"prompt_tokens_details": {"audio_tokens": 0, "video_tokens": 160}}}
    with StandIn(lambda _: say(unheard)) as server:
        silent = model_at(server.url, preset="vllm", audio="none")
        assert ask_one(silent, variants[0]).text == "sync"
        assert silent.expected_usage(variants[0], PROMPT)["audio_tokens"] == 0


def test_another_model_stops_the_run(variants):
    with pytest.raises(ModelUnavailable, match=r"Qwen2\.5-Omni-3B has answered, not Qwen/Qwen2\.5-Omni-7B") as caught:
        read(variants[0], served="Qwen/Qwen2.5-Omni-3B")
    assert caught.value.usage["input_tokens"] == 250
    reply = read(variants[0], served="omni", options={"served": "omni"})
    assert (reply.text, reply.details["served_model"]) == ("sync", "omni")
    with pytest.raises(ModelUnavailable):
        read(variants[0], options={"served": "omni"})
    assert read(variants[0], changes={"model": None}).details["served_model"] is None


@pytest.mark.parametrize(
    ("asked", "served", "same"),
    [
        (MODEL, MODEL, True),
        (MODEL, "qwen2.5-omni-7b", True),
        ("/models/Qwen2.5-Omni-7B/", "Qwen2.5-Omni-7B", True),
        ("Qwen2.5-Omni-7B", "/srv/models/Qwen2.5-Omni-7B", True),
        ("models/gemini-3.8-flash", "gemini-3.8-flash", True),
        ("gemini-3.8-flash", "gemini-3.8-flash-001", True),
        ("qwen-omni-turbo", "qwen-omni-turbo-2026-01-19", True),
        ("qwen-omni-turbo-latest", "qwen-omni-turbo-0119", True),
        ("qwen-omni-turbo-latest", "qwen-omni-turbo-latest", True),
        ("qwen/qwen3-omni:free", "qwen/qwen3-omni", True),
        ("accounts/me/models/q#accounts/me/deployments/d", "accounts/me/models/q", True),
        (MODEL, "Qwen/Qwen2.5-Omni-3B", False),
        (MODEL, "someone/Qwen2.5-Omni-7B", False),
        ("Omni-7B", "Qwen2.5-Omni-7B", False),
        ("gemini-3.7-flash", "gemini-3.8-flash", False),
        ("gemini-3.8-flash", "gemini-3.8-flash-lite", False),
        ("mimo-v2", "mimo-v2-5", False),
        ("mimo-v2", "mimo-v2.5", False),
        ("m-2026-01-19", "m-2026-03-26", False),
        ("m-2026-01-19", "m", False),
        ("qwen3-omni", "qwen3-omni-30b", False),
        ("m", "/", False),
    ],
)
def test_names_of_one_model(asked, served, same):
    assert same_model(asked, served) is same


@pytest.mark.parametrize("length_s", [1, 3, 10])
@pytest.mark.parametrize("fps", [1, 8, 25])
def test_expected_usage_is_an_upper_bound(length_s, fps, variants):
    """Against the counts of Qwen2.5-Omni: (H/28)(W/28) for two frames, 768 at most; 25 a second of sound."""
    row = variants[0].row.model_copy(update={"clip_length_s": length_s, "width": 1280, "height": 720})
    variant = type(variants[0])(row=row, folder=variants[0].folder)
    for preset in PRESETS:
        if preset in ("dashscope", "mimo", "fireworks", "openrouter"):
            continue
        model = model_at("http://127.0.0.1:1", preset=preset, fps=fps, max_tokens=99)
        most = model.expected_usage(variant, Prompt(text="ü" * 50, options=("a", "b"), system="s" * 10))
        assert set(most) <= set(USAGE)
        assert most["video_tokens"] >= math.ceil(length_s * fps / 2) * min(768, 26 * 46)
        assert most["audio_tokens"] >= length_s * 32
        assert most["text_tokens"] >= 60
        assert most["output_tokens"] == 99
        assert most["input_tokens"] == most["video_tokens"] + most["audio_tokens"] + most["text_tokens"]
        assert model.price_name is None  # a server on this machine


def test_what_is_paid_has_a_name(monkeypatch):
    from offbeat.models.openai import OpenAI

    for name in ("DASHSCOPE_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.setenv(name, "k" * 20)
    assert OpenAI(argument="qwen3-omni-flash", preset="dashscope").price_name == "dashscope/qwen3-omni-flash"
    assert OpenAI(argument="google/g", preset="openrouter").price_name == "openrouter/google/g"
    assert OpenAI(argument="m", base_url="https://gpu.example/v1").price_name == "gpu.example/m"
    for near in ("10.0.0.7", "gpu-box", "gpu.local", "[::1]", "GPU-BOX"):
        assert OpenAI(argument="m", base_url=f"http://{near}:8000/v1").price_name is None
    assert OpenAI(argument="m", base_url="https://gpu.example/v1", preset="vllm").price_name is None


def test_many_at_once_get_their_own_answers(variants):
    wire = OpenAIWire("vllm", answer=lambda clip: clip.digest)
    with StandIn(wire) as server:
        replies = ask(model_at(server.url, preset="vllm"), *variants * 20)
    assert (wire.complaints, server.failures) == ([], [])
    alone = {variant.row.variant_id: set() for variant in variants}
    for variant, reply in zip(variants * 20, replies, strict=True):
        alone[variant.row.variant_id].add(reply.text)
    assert sorted(map(len, alone.values())) == [1, 1, 1]
    assert len(set.union(*alone.values())) == 3
