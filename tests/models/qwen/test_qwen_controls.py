"""Controls: what each takes away shows in the tokens, and in what the answers depend on."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-qwen")

from offbeat.evaluation.probe.result import needs_probe  # noqa: E402
from offbeat.models.base import Looks  # noqa: E402
from offbeat.models.qwen import QwenOmni  # noqa: E402

SMALL = 32 * 32 * 24


def answers(folder, control, clip, prompt):
    """Log-probabilities for two delays of a clip, and for the first delay with another picture."""
    qwen = QwenOmni(argument=f"{folder}[{control}]", max_pixels=SMALL, answer="probabilities")
    first, second = qwen.replies(clip()[:2], [prompt] * 2)
    other = qwen.reply(clip(seed=1)[0], prompt)
    return (
        qwen,
        [np.array(list(reply.details["log_probabilities"].values())) for reply in (first, second, other)],
        first,
    )


@pytest.mark.parametrize(
    ("control", "video", "sound", "probed"),
    [
        ("none", True, True, True),
        ("separate-sound", True, True, True),
        ("shuffled-frames", True, True, True),
        ("video-only", True, False, False),
        ("audio-only", False, True, False),
        ("text-only", False, False, False),
    ],
)
def test_answers_depend_on_what_is_given_alone(checkpoint, clip, prompt, control, video, sound, probed):
    qwen, (first, second, other), reply = answers(checkpoint, control, clip, prompt)
    assert (reply.usage["video_tokens"] > 0, reply.usage["audio_tokens"] > 0) == (video, sound)
    assert (np.abs(first - second).max() > 1e-3) == sound
    if not sound:
        assert (np.abs(first - other).max() > 1e-5) == video
    assert qwen.name == f"qwen-omni:{checkpoint}[{control}]"
    assert isinstance(qwen, Looks)
    assert needs_probe(qwen) is probed


def test_each_control_is_another_model(qwen25, clip, prompt):
    found = [answers(qwen25, control, clip, prompt) for control in ("none", "separate-sound", "shuffled-frames")]
    for (one, (a, _, _), _), (two, (b, _, _), _) in ((found[0], found[1]), (found[0], found[2]), (found[1], found[2])):
        assert one.revision != two.revision
        assert np.abs(a - b).max() > 1e-5


def test_separate_sound_shares_the_whole_picture(qwen25, clip, prompt):
    plain = QwenOmni(argument=str(qwen25), max_pixels=SMALL).reply(clip()[0], prompt)
    apart = QwenOmni(argument=str(qwen25), max_pixels=SMALL, control="separate-sound").reply(clip()[0], prompt)
    assert plain.details["shared_tokens"] < plain.usage["video_tokens"] < apart.details["shared_tokens"]


def test_the_makers_sampling_says_how_far_it_is_off(qwen25, clip, prompt):
    official = QwenOmni(argument=str(qwen25), max_pixels=SMALL, sampler="official").reply(clip()[0], prompt)
    grid = QwenOmni(argument=str(qwen25), max_pixels=SMALL).reply(clip()[0], prompt)
    assert official.details["most_off_stamp_ms"] == pytest.approx(460)
    assert grid.details["most_off_stamp_ms"] == pytest.approx(20)
    assert official.details["log_probabilities"] != grid.details["log_probabilities"]


def test_smaller_frames_are_fewer_tokens(qwen25, clip, prompt):
    small = QwenOmni(argument=str(qwen25), max_pixels=28 * 28 * 24).reply(clip()[0], prompt)
    assert small.usage["video_tokens"] == 3 * 24
    assert small.details["frame_size"] == "168x112"
