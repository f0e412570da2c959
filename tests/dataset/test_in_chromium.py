"""The promise of `test_exactness`, in the reader with the most users: every written form, in Chromium.

The sound of each variant is what `decodeAudioData` gives, compared with the card's own samples; its frames are what
`requestVideoFrameCallback` announces and a canvas shows, told by their bar codes.
"""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from builds import build, card_file, settings
from chromium import Asked, shown_by_chromium
from exactness import WORST_MS, expected_sound
from readers import FFMPEG, lag_samples

from offbeat.media.synth.testcard import TestCard, read_code
from offbeat.timing import to_samples

pytestmark = pytest.mark.slow

DELAYS = ("-1.2345", "-0.5", "0", "0.04", "0.123456", "0.5")
WORST_FRAME_MS = 1.0
RATES_HZ = (44_100, 48_000, 32_000)
FPS = (Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(30))
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-sc_threshold", "0", "-pix_fmt", "yuv420p")
B_FRAMES, NO_B_FRAMES = ("-bf", "2", "-b_strategy", "0"), ("-bf", "0")
FORMS = {
    "files, AAC": ("files", "aac", None),
    "files, FLAC": ("files", "flac", None),
    "compact, AAC": ("compact", "aac", None),
    "compact, FLAC": ("compact", "flac", None),
    "copied with B-frames, AAC": ("files", "aac", B_FRAMES),
    "copied without B-frames, FLAC, compact": ("compact", "flac", NO_B_FRAMES),
}


def source_file(folder: Path, rate_hz: int, fps: Fraction, options: tuple[str, ...] | None) -> TestCard:
    """A card without loss, or as H.264 with a key frame every second, and AAC."""
    name = "in/card.mkv" if options is None else "card.mkv"
    card = card_file(folder / name, length_s=9, rate_hz=rate_hz, fps=fps, size=256)
    if options is not None:
        (folder / "in").mkdir()
        command = [FFMPEG, "-v", "error", "-i", str(folder / name), *X264, "-g", str(round(fps)), *options]
        subprocess.run([*command, "-c:a", "aac", str(folder / "in/card.mp4")], check=True)
    return card


@pytest.mark.parametrize("fps", FPS, ids=lambda fps: f"{float(fps):.5g} fps")
@pytest.mark.parametrize("form", FORMS)
def test_delays_and_frames(form: str, fps: Fraction, tmp_path: Path) -> None:
    layout, audio, copied = FORMS[form]
    rate_hz = RATES_HZ[(list(FORMS).index(form) + FPS.index(fps)) % len(RATES_HZ)]  # in two forms each with each rate
    card = source_file(tmp_path, rate_hz, fps, copied)
    picture = "encode" if copied is None else "copy"
    chosen = settings(layout=layout, audio=audio, picture=picture, delays_s=DELAYS)
    _, dataset = build(tmp_path / "in", tmp_path / "out", chosen)
    assert {variant.row.picture for variant in dataset.variants} == {"encoded" if copied is None else "copied"}
    frames = round(2 * fps)
    asked = [Asked(variant.mp4_bytes(), frames, fps) for variant in dataset.variants]
    all_shown = shown_by_chromium(asked, tmp_path / "profile", rate_hz=48_000, timeout_s=240)
    count = to_samples(frames / fps, 48_000)
    worst_ms = worst_frame_ms = 0.0
    for variant, shown in zip(dataset.variants, all_shown, strict=True):
        row = variant.row
        heard = shown.samples[:count]
        assert len(heard) == count
        error_ms = abs(lag_samples(heard, expected_sound(card, variant, count))) / 48
        assert error_ms <= WORST_MS
        late_ms = max(abs(time_s - float(k / fps)) * 1000 for k, time_s in enumerate(shown.times_s))
        assert late_ms <= WORST_FRAME_MS
        first = round(row.clip_start_s * fps)
        assert [read_code(image) for image in shown.images] == list(range(first, first + frames))
        assert shown.lasts_s == pytest.approx(float(frames / fps), abs=1e-3)
        worst_ms, worst_frame_ms = max(worst_ms, error_ms), max(worst_frame_ms, late_ms)
    print(f"{form}, {rate_hz} Hz, {float(fps):.5g} fps: sound {worst_ms:.4f} ms, frames {worst_frame_ms:.4f} ms")
