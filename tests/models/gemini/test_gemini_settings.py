"""Options: what is taken, what is refused and why, and what it costs at most."""

import logging

import pytest

from offbeat.errors import ModelUnavailable
from offbeat.models.base import USAGE, Paid, Prompt
from offbeat.models.gemini import Gemini
from offbeat.models.gemini.settings import settings_from
from offbeat.models.gemini.tokens import least_video_tokens
from offbeat.timing import LABELS

PROMPT = Prompt(text="sync, ahead or behind?", options=LABELS)


@pytest.mark.parametrize(
    ("argument", "options", "words"),
    [
        ("", {}, "expected the name of a model"),
        ("a/../b", {}, "expected the name of a model"),
        ("gemini-3.8-flash?key=1", {}, "expected the name of a model"),
        ("gemini-flash-latest", {}, "name the model itself"),
        ("gemini-3.8-flash", {"fps": 0}, "option fps: .*greater than 0, got 0"),
        ("gemini-3.8-flash", {"fps": 24.5}, "option fps: .*less than or equal to 24, got 24.5"),
        ("gemini-3.8-flash", {"fps": "8"}, "option fps: .*number, got '8'"),
        ("gemini-3.8-flash", {"fps": True}, "option fps"),
        ("gemini-3.8-flash", {"fps": float("nan")}, "option fps"),
        ("gemini-3.8-flash", {"media_resolution": "ultra"}, "option media_resolution: .*'low', 'medium' or 'high'"),
        ("gemini-3.8-flash", {"processing": "agentic"}, "option processing"),
        ("gemini-3.8-flash", {"max_output_tokens": 0}, "option max_output_tokens"),
        ("gemini-3.8-flash", {"max_output_tokens": 65536}, "option max_output_tokens"),
        ("gemini-3.8-flash", {"temperature": 3}, "option temperature"),
        ("gemini-3.8-flash", {"logprobs": 21}, "option logprobs"),
        ("gemini-3.8-flash", {"inline_limit_mb": -1}, "option inline_limit_mb"),
        ("gemini-3.8-flash", {"api_version": "../v1"}, "option api_version"),
        ("gemini-3.8-flash", {"base_url": "ftp://x"}, "option base_url: expected an address"),
        ("gemini-3.8-flash", {"base_url": "https://x/?key=k"}, "option base_url: expected an address"),
        ("gemini-3.8-flash", {"base_url": "https://user:pw@x"}, "option base_url: expected an address"),
        ("gemini-3.8-flash", {"base_url": "http://example.org"}, "option base_url: the key would go there unencrypted"),
        ("gemini-3.8-flash", {"timeout_s": 0}, "option timeout_s"),
        ("gemini-3.8-flash", {"thinking": "minimal"}, "expected low, medium, high, xhigh, got 'minimal'"),
        ("gemini-3.8-flash", {"thinking": 1024}, "it is a level, low, medium, high, xhigh, got 1024"),
        ("gemini-4-argon", {"thinking": "xhigh"}, "expected low, medium, high, got 'xhigh'"),
        ("gemini-2.5-flash", {"thinking": "low"}, "takes a budget in tokens"),
        ("gemini-2.5-flash", {"thinking": -2}, "a budget is -1"),
        ("gemini-2.0-flash", {"thinking": 0}, "do not think"),
    ],
)
def test_refused(argument, options, words):
    with pytest.raises(ModelUnavailable, match=words) as raised:
        Gemini(argument=argument, **options)
    assert f"'gemini:{argument}'" in str(raised.value)


@pytest.mark.parametrize(
    ("argument", "thinking"),
    [
        ("gemini-3.5-flash", "minimal"),
        ("gemini-3.8-flash", "high"),
        ("gemini-4-argon", "low"),
        ("gemini-2.5-pro", -1),
        ("gemini-2.5-flash", 0),
        ("tuned-of-mine", "low"),
        ("tuned-of-mine", 100),
        ("gemini-3.8-flash", None),
    ],
)
def test_thinking_by_generation(argument, thinking):
    assert (
        f"thinking={'server' if thinking is None else thinking}"
        in Gemini(argument=argument, thinking=thinking).revision
    )


def test_name_and_revision():
    model = Gemini(argument="models/gemini-3.8-flash", seed=5)
    assert model.name == "gemini:gemini-3.8-flash"
    assert model.price_name == "gemini/gemini-3.8-flash"
    assert model.revision == (
        "1 api=v1beta host=generativelanguage.googleapis.com fps=8 processing=static resolution=default "
        "thinking=server max_output_tokens=4096 temperature=server logprobs=0"
    )
    assert isinstance(model, Paid)


@pytest.mark.parametrize(
    "options",
    [
        {"fps": 4},
        {"fps": None},
        {"processing": "default"},
        {"media_resolution": "low"},
        {"thinking": "low"},
        {"max_output_tokens": 100},
        {"temperature": 0},
        {"logprobs": 1},
        {"api_version": "v1"},
        {"base_url": "https://example.org"},
    ],
)
def test_whatever_may_change_an_answer_is_in_the_revision(options):
    plain = Gemini(argument="gemini-3.8-flash")
    assert Gemini(argument="gemini-3.8-flash", **options).revision != plain.revision


@pytest.mark.parametrize("options", [{"inline_limit_mb": 0}, {"timeout_s": 5}, {"token_check": False}, {"seed": 9}])
def test_what_does_not_change_an_answer_is_not(options):
    plain = Gemini(argument="gemini-3.8-flash")
    assert Gemini(argument="gemini-3.8-flash", **options).revision == plain.revision


@pytest.mark.parametrize(("fps", "warned"), [(None, True), (0.5, True), (1, True), (1.5, False), (8, False)])
def test_one_frame_a_second_is_warned_of(caplog, fps, warned):
    with caplog.at_level(logging.WARNING):
        Gemini(argument="gemini-3.8-flash", fps=fps)
    assert ("cannot be seen" in caplog.text) is warned


@pytest.mark.parametrize(
    ("argument", "options", "a_frame"),
    [
        ("gemini-3.8-flash", {}, 70),
        ("gemini-3.8-flash", {"media_resolution": "high"}, 280),
        ("gemini-2.5-flash", {}, 258),
        ("gemini-2.5-flash", {"media_resolution": "low"}, 66),
        ("gemini-4-argon", {}, 280),
        ("tuned-of-mine", {}, 280),
    ],
)
def test_the_most_that_a_reply_may_use(variants, argument, options, a_frame):
    usage = Gemini(argument=argument, **options).expected_usage(variants[0], PROMPT)
    # 2 s: 16 frames and one for good measure; both calls, the second with twice the budget
    assert usage["video_tokens"] == 2 * 17 * a_frame
    assert usage["audio_tokens"] == 2 * 3 * 32
    assert usage["output_tokens"] == 3 * 4096
    assert usage["input_tokens"] == sum(usage[f"{kind}_tokens"] for kind in ("text", "video", "audio"))
    assert set(usage) <= set(USAGE)


@pytest.mark.parametrize(("clip_fps", "frames"), [(25, 48), (24, 48), (5, 10), (0.4, 0)])
def test_no_more_frames_are_demanded_than_the_clip_has(variants, clip_fps, frames):
    row = variants[0].row.model_copy(update={"fps": clip_fps})
    settings = settings_from("gemini-3.8-flash", {"fps": 24.0})
    assert least_video_tokens(settings, row) == frames * 70


def test_the_bound_holds_for_what_the_server_counts(ask, wire, variants):
    wire.amend = lambda answer: answer["candidates"][0].update(finishReason="MAX_TOKENS")
    used = ask()
    most = Gemini(argument="gemini-3.8-flash").expected_usage(variants[2], PROMPT)
    for kind in ("input_tokens", "video_tokens", "audio_tokens", "output_tokens"):
        assert used.usage[kind] <= most[kind]


def test_no_media_is_opened_for_the_bound(variants):
    class Closed:
        row = variants[0].row

    assert Gemini(argument="gemini-3.8-flash").expected_usage(Closed(), PROMPT)["video_tokens"] > 0
