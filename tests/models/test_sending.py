"""What is sent, in both layouts, and how much of it."""

import base64
import io
import threading
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from builds import build, card_file, settings
from readers import ffmpeg_sound, opencv_frames

from offbeat.errors import MediaError
from offbeat.media.values import Sound
from offbeat.models.sending import (
    Pictures,
    base64_length,
    base64_pieces,
    constant_rate_mp4,
    frames_sent,
    wav_bytes,
)


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sending")
    card_file(folder / "in" / "card.mp4", fps=Fraction(30000, 1001))
    return [
        build(folder / "in", folder / layout, settings(lengths_s=(3,), delays_s=(-0.5, 0.5), layout=layout))[1].variants
        for layout in ("files", "compact")
    ]


def test_both_layouts_send_the_same(layouts):
    for filed, compact in zip(*layouts, strict=True):
        assert compact.clip is not None
        sent = [constant_rate_mp4(variant, fps=Fraction(8)) for variant in (filed, compact)]
        assert sent[0] == sent[1]
    assert constant_rate_mp4(layouts[0][0], fps=Fraction(8)) != constant_rate_mp4(layouts[0][1], fps=Fraction(8))


@pytest.mark.parametrize("fps", [Fraction(1), Fraction(8), Fraction(25, 2), Fraction(30)])
def test_as_many_frames_as_are_said(layouts, tmp_path, fps):
    (tmp_path / "sent.mp4").write_bytes(constant_rate_mp4(layouts[0][0], fps=fps))
    assert len(opencv_frames(tmp_path / "sent.mp4")) == frames_sent(layouts[0][0], fps=fps)


def test_the_picture_alone(layouts, tmp_path):
    (tmp_path / "still.mp4").write_bytes(constant_rate_mp4(layouts[0][0], fps=Fraction(8), sound=False))
    assert len(opencv_frames(tmp_path / "still.mp4")) == 24
    with pytest.raises(Exception, match="non-zero exit status"):
        ffmpeg_sound(tmp_path / "still.mp4")


def test_another_picture_under_the_same_name_is_sent(layouts, tmp_path):
    """A control may freeze the picture of a clip and leave its row as it is."""
    first = layouts[0][0]
    frozen = replace(first, folder=tmp_path)
    card_file(tmp_path / "other" / "card.mp4", fps=Fraction(30), seed=2, length_s=14)
    _, other = build(tmp_path / "other", tmp_path / "built", settings(lengths_s=(3,), delays_s=(-0.5, 0.5)))
    frozen.path.parent.mkdir(parents=True)
    frozen.path.write_bytes(other.variants[0].path.read_bytes())
    pictures = Pictures()
    before, after = (pictures.mp4(one, fps=Fraction(8), sound=False) for one in (first, frozen))
    assert before != after
    assert pictures.mp4(first, fps=Fraction(8), sound=False) == before


def test_many_threads_make_a_picture_once(layouts, monkeypatch):
    import offbeat.models.sending as sending

    made, real, gate = [], sending.picture_at_rate, threading.Barrier(4, timeout=10)
    monkeypatch.setattr(sending, "picture_at_rate", lambda *a, **k: made.append(a) or real(*a, **k))
    pictures = Pictures()

    def ask(variant):
        gate.wait()
        return pictures.mp4(variant, fps=Fraction(8))

    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(ask, [*layouts[0], *layouts[0]]))
    assert len(made) == 1
    assert sent[0] == sent[2]


def test_nothing_is_kept_of_a_picture_that_cannot_be_made(layouts, tmp_path):
    """A thousand clips that are damaged leave no thousand locks; and who comes after is not locked out."""
    damaged = replace(layouts[0][0], folder=tmp_path)
    damaged.path.parent.mkdir(parents=True)
    whole = layouts[0][0].path.read_bytes()
    pictures = Pictures(kept=1)
    for size, what in ((len(whole) // 2, "ends before its frame|cannot be read"), (len(whole) - 3000, "its sound")):
        damaged.path.write_bytes(whole[:size])
        with pytest.raises(MediaError, match=what):
            pictures.mp4(damaged, fps=Fraction(8))
    for variant, fps in ((layouts[0][0], 8), (layouts[0][1], 4), (layouts[1][0], 2)):
        pictures.mp4(variant, fps=Fraction(fps))
    assert len(pictures._making) == 0
    assert len(pictures._pictures) == 1


def test_the_sound_as_wav_is_the_variant_s(layouts):
    variant = layouts[0][0]
    with wave.open(io.BytesIO(wav_bytes(variant))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48_000)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    heard = ffmpeg_sound(variant.path)
    assert len(samples) == pytest.approx(len(heard), abs=1024)
    count = min(len(samples), len(heard))
    ours, theirs = samples[:count], heard[:count].astype(float)
    within = np.abs(ours) < 1  # what overshoots is cut
    gain = float(ours[within] @ theirs[within]) / float(theirs[within] @ theirs[within])  # the command mixes louder
    np.testing.assert_allclose(ours, np.clip(gain * theirs, -1, 1), atol=1e-3)


def test_a_sound_beyond_full_scale_is_cut_and_does_not_wrap():
    """AAC overshoots: +1.1 must not become -0.9."""
    loud = Sound(samples=np.array([[1.1, -1.1, 1.0, 0.0]], np.float32), rate_hz=8000)
    with wave.open(io.BytesIO(wav_bytes(SimpleNamespace(sound=lambda: loud)))) as file:
        assert np.frombuffer(file.readframes(4), "<i2").tolist() == [32767, -32768, 32767, 0]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 98_303, 98_304, 98_305, 300_000])
def test_base64_in_pieces_is_base64(size):
    data = np.random.default_rng(size).bytes(size)
    assert b"".join(base64_pieces(data)) == base64.b64encode(data)
    assert base64_length(data) == len(base64.b64encode(data))
