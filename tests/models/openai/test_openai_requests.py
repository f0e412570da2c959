"""What goes out: one golden body for each preset, checked as the real server would, and the clip inside."""

import hashlib
import json
import logging
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from readers import ffmpeg_sound, opencv_frames

from models.openai.asking import KEY_NAMES, MODEL, PROMPT, ask_one, model_at
from offbeat.errors import ModelUnavailable
from offbeat.models.base import Prompt
from offbeat.models.openai.settings import _warn
from offbeat.models.openai.wire import body_of
from servers.openai_wire import PRESETS, OpenAIWire
from servers.stand_in import StandIn

GOLDEN = Path(__file__).parent / "golden"
KEY = "sentinel-key-2718281828"


@pytest.fixture(autouse=True)
def _keys(monkeypatch):
    for name in KEY_NAMES.values():
        monkeypatch.setenv(name, KEY)


def asked(preset, variant, *, prompt=PROMPT, **options):
    """The reply, the wire and the request."""
    wire = OpenAIWire(preset, key=KEY if preset in KEY_NAMES else None)
    with StandIn(wire) as server:
        reply = ask_one(model_at(server.url, preset=preset, **options), variant, prompt)
    assert (wire.complaints, server.failures) == ([], [])
    return reply, wire, server.requests[0]


@pytest.mark.parametrize("preset", PRESETS)
def test_the_body_of_each_preset(preset, variants):
    reply, _, request = asked(preset, variants[0])
    assert (reply.text, reply.stop, reply.details["frames_sent"]) == ("sync", "complete", 16)
    body = re.sub(rb"(base64,)[A-Za-z0-9+/=]+", rb"\1...", request.body)
    path = GOLDEN / f"{preset}.json"
    assert json.loads(body) == json.loads(path.read_text(encoding="utf-8")), body.decode()


@pytest.mark.parametrize("fps", [2, "25/2", 8, 10, "30000/1001", 60])
def test_the_rate_that_is_said_is_the_rate_that_is_sent(fps, variants):
    for preset in ("vllm", "mimo") if fps in (2, 8, 10) else ("vllm",):
        reply, wire, request = asked(preset, variants[0], fps=fps)
        assert wire.clips[0].fps == Fraction(fps)
        assert reply.details["frames_sent"] == wire.clips[0].frames
        assert reply.details["bytes_sent"] == len(request.body)


def test_the_clip_is_the_variant(variants, tmp_path):
    """Its sound to the sample, its picture frame by frame, by readers that we did not write."""
    for variant in variants:
        _, wire, _ = asked("vllm", variant)
        (tmp_path / "sent.mp4").write_bytes(wire.clips[0].mp4)
        np.testing.assert_array_equal(ffmpeg_sound(tmp_path / "sent.mp4"), ffmpeg_sound(variant.path))
        shown, sent = opencv_frames(variant.path), opencv_frames(tmp_path / "sent.mp4")
        for k, frame in enumerate(sent):
            assert abs(float(frame.mean()) - float(shown[k * 25 // 8].mean())) < 6


def test_the_picture_is_encoded_once_a_clip(variants, tmp_path):
    """The three variants share a picture, so that the packets that are sent are the same."""
    pictures = set()
    for variant in variants:
        _, wire, _ = asked("vllm", variant)
        pictures.add(hashlib.sha256(b"".join(map(bytes, opencv_frames_of(wire.clips[0].mp4, tmp_path)))).hexdigest())
    assert len(pictures) == 1


def opencv_frames_of(mp4, folder):
    (folder / "one.mp4").write_bytes(mp4)
    return opencv_frames(folder / "one.mp4")


def test_the_system_prompt_stands_first(variants):
    prompt = Prompt(text="Überhaupt?", options=("a", "b"), system="You see and hear.\nSay a or b.")
    _, _, request = asked("vllm", variants[0], prompt=prompt)
    system, user = request.json()["messages"]
    assert system == {"role": "system", "content": "You see and hear.\nSay a or b."}
    assert user["content"][-1] == {"type": "text", "text": "Überhaupt?"}


def test_options_change_the_preset(variants, tmp_path):
    _, wire, request = asked("vllm", variants[0], logprobs=0, temperature=None, max_tokens=7, height=24)
    body = request.json()
    assert "logprobs" not in body
    assert "temperature" not in body
    assert body["max_tokens"] == 7
    assert wire.clips[0].frames == 16
    assert opencv_frames_of(wire.clips[0].mp4, tmp_path)[0].shape == (24, 32, 3)
    _, _, request = asked("plain", variants[0], stream=True)
    assert request.json()["stream"] is True


def test_sound_in_a_part_of_its_own_and_none_at_all(variants):
    wire = OpenAIWire("vllm")
    with StandIn(wire) as server:
        for audio in ("part", "none"):
            with pytest.raises(Exception, match="status 400"):
                ask_one(model_at(server.url, preset="vllm", audio=audio), variants[0])
        bodies = [request.json() for request in server.requests]
    assert [part["type"] for part in bodies[0]["messages"][0]["content"]] == ["video_url", "input_audio", "text"]
    assert "use_audio_in_video" not in bodies[0]["mm_processor_kwargs"]
    assert "no sound in the video" in wire.complaints


def test_extra_fields_are_sent_and_recorded(variants):
    wire = OpenAIWire("plain")
    with StandIn(wire) as server:
        model = model_at(server.url, extra={"seed": 3})
        with pytest.raises(Exception, match="not permitted"):
            ask_one(model, variants[0])
    assert server.requests[0].json()["seed"] == 3
    assert 'extra={"seed":3}' in model.revision
    own = {"use_audio_in_video": True}
    settings = model_at(server.url, preset="vllm-omni", extra={"seed": 3, "mm_processor_kwargs": own}).settings
    body = body_of(settings, PROMPT)
    assert (body["seed"], body["modalities"], body["mm_processor_kwargs"]) == (3, ["text"], own)


def test_the_revision_says_all_that_may_change_an_answer():
    base = model_at("http://127.0.0.1:1", preset="vllm")
    assert base.name == f"openai:{MODEL}"
    assert base.revision == (
        "2 preset=vllm host=127.0.0.1:1 fps=8 height=source audio=video logprobs=20 max_tokens=512 temperature=0"
    )
    changes = [
        {"fps": 2},
        {"height": 360},
        {"audio": "none"},
        {"logprobs": 0},
        {"max_tokens": 9},
        {"temperature": 1.0},
        {"temperature": None},
        {"served": "x"},
        {"extra": {"a": 1}},
        {"preset": "sglang"},
    ]
    revisions = {model_at("http://127.0.0.1:1", **{"preset": "vllm", **change}).revision for change in changes}
    assert len(revisions | {base.revision}) == len(changes) + 1


@pytest.mark.parametrize(
    ("url", "preset"),
    [
        ("https://dashscope.aliyuncs.com/compatible-mode/v1/", "dashscope"),
        ("https://ws-1.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1", "dashscope"),
        ("https://token-plan-cn.xiaomimimo.com/v1", "mimo"),
        ("https://api.fireworks.ai/inference/v1/chat/completions", "fireworks"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://notopenrouter.ai/api/v1", "plain"),
        ("http://localhost:8000/v1", "plain"),
        (" http://[::1]:8000/v1/chat/completions/\n", "plain"),
        ("http://127.0.0.1:8000/v1//", "plain"),
    ],
)
def test_the_preset_is_guessed_from_the_host(url, preset):
    from offbeat.models.openai import OpenAI

    model = OpenAI(argument="m", base_url=url)
    assert model.settings.preset_name == preset
    assert model.settings.base_url.endswith("/v1")
    assert model.settings.base_url.startswith("http")
    assert (model.settings.key == KEY) == (preset != "plain")  # no key goes to a host that nobody knows


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"preset": "vlm"}, "there is no preset 'vlm'; known: plain, vllm"),
        ({"fps": "fast"}, "option fps: expected frames a second, such as 8 or 30000/1001, got 'fast'"),
        ({"fps": 0}, "option fps: Input should be greater than 0"),
        ({"audio": "both"}, "option audio: Input should be 'video', 'part' or 'none', got 'both'"),
        ({"height": 3}, "option height"),
        ({"max_tokens": 0}, "option max_tokens"),
        ({"logprobs": True, "temperature": 3}, "option "),
        ({"preset": "mimo", "fps": 12}, "mimo takes 10 frames a second at most, got 12"),
        ({"extra": {"messages": []}}, "option extra: messages have options of their own"),
        ({"argument": ""}, "expected the name of a model"),
        ({"key_env": "NO_SUCH_KEY"}, "type: export NO_SUCH_KEY=…"),
    ],
)
def test_bad_options_say_what_was_expected(options, says):
    with pytest.raises(ModelUnavailable) as caught:
        model_at("http://127.0.0.1:1", **options)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "which server?"),
        ("localhost:8000", "expected a base url such as"),
        ("file:///etc/passwd", "expected a base url such as"),
        ("http://host:notaport/v1", "expected a base url such as"),
        ("https://user:pass@host.example/v1", "holds no key"),
        ("https://host.example/v1?key=1", "holds no key"),
        ("http://host.example/v1", "unencrypted"),
    ],
)
def test_bad_urls_say_what_was_expected(url, says, monkeypatch):
    from offbeat.models.openai import OpenAI

    with pytest.raises(ModelUnavailable) as caught:
        OpenAI(argument="m", base_url=url, key_env="MIMO_API_KEY")
    assert says in str(caught.value)
    assert "pass@" not in str(caught.value)


def test_cautions_are_said_once_at_the_start(caplog):
    _warn.cache_clear()
    with caplog.at_level(logging.WARNING):
        model_at("http://127.0.0.1:1", preset="sglang")
        model_at("http://127.0.0.1:1", preset="sglang")
        model_at("http://127.0.0.1:1", preset="vllm", fps=1)
        model_at("http://127.0.0.1:1")
    said = [record.getMessage() for record in caplog.records]
    assert sum("SGLang drops the sound" in text for text in said) == 1
    assert any("--mm-processor-cache-gb 0" in text and "--trust-request-mm-kwargs" in text for text in said)
    assert any("a server of your own has to be named" in text for text in said)
    assert any("is sent 1 frame(s) a second" in text for text in said)
