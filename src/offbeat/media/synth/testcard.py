"""A source whose truth is known in every frame and sample: for proving that nothing was moved or lost.

Each frame carries its own number as a bar code of 16 blocks along its upper edge, the lowest bit on the left. The
sound is noise between 200 and 6000 Hz, whose cross-correlation with itself has one sharp peak, with clicks at
irregular times; the frame that a click falls at the start of is white. All samples are whole 16-bit numbers, so that
a lossless file gives back exactly what was synthesised.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from offbeat.media.synth.write import Codec, write_movie
from offbeat.media.values import Sound
from offbeat.timing import round_half_up, to_samples

BLOCKS = 16
BAND_HZ = (200.0, 6000.0)
CLICK_HZ = 3000.0
CLICK_S = Fraction(6, 1000)


@dataclass(frozen=True, slots=True)
class TestCard:
    """What was synthesised.

    Attributes:
        sound: two equal channels.
        fps: frames a second.
        frame_count: how many frames; frame k carries the code k.
        width: in pixels.
        height: in pixels.
        events_s: when the clicks start; the frame that starts then is white below its code.
    """

    __test__ = False  # pytest would take it for a test by its name

    sound: Sound
    fps: Fraction
    frame_count: int
    width: int
    height: int
    events_s: tuple[Fraction, ...]

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The pictures in turn, RGB, uint8, (height, width, 3)."""
        white = {round_half_up(event * self.fps) for event in self.events_s}
        ramp = np.linspace(40, 120, self.height)[:, None] + np.linspace(-20, 20, self.width)[None, :]
        for number in range(self.frame_count):
            grey = (ramp + 10 * np.sin(number / 9)).astype(np.uint8)
            if number in white:
                grey[:] = 235
            _draw_code(grey, number)
            yield np.repeat(grey[..., None], 3, axis=2)


def make_testcard(
    *,
    length_s: Fraction,
    fps: Fraction = Fraction(30),
    rate_hz: int = 48000,
    width: int = 640,
    height: int = 360,
    seed: int = 1,
) -> TestCard:
    """Synthesise a test card; the same arguments give the same samples and pictures.

    Raises:
        ValueError: more frames than the code can count (65,536), or a picture narrower than 128 or lower than 72.
    """
    frame_count = round_half_up(length_s * fps)
    if not 0 < frame_count <= 1 << BLOCKS:
        raise ValueError(f"{frame_count} frames cannot be numbered: expected 1 to {1 << BLOCKS}")
    if width < 128 or height < 72:
        raise ValueError(f"{width}x{height} is too small for a bar code: expected at least 128x72")
    rng = np.random.default_rng(seed)
    count = to_samples(length_s, rate_hz)
    high_hz = min(BAND_HZ[1], 0.4 * rate_hz)
    band = butter(4, (BAND_HZ[0], high_hz), "bandpass", fs=rate_hz, output="sos")
    noise = 0.08 * np.asarray(sosfilt(band, rng.standard_normal(count)))
    events = _events(length_s, fps, rng)
    click_samples = to_samples(CLICK_S, rate_hz)
    click = 0.6 * np.sin(2 * np.pi * CLICK_HZ * np.arange(click_samples) / rate_hz)
    for event in events:
        start = to_samples(event, rate_hz)
        noise[start : start + click_samples] += click[: count - start]
    whole = np.clip(np.rint(noise * 32768), -32767, 32767) / 32768
    samples = np.repeat(whole.astype(np.float32)[None], 2, axis=0)
    return TestCard(
        sound=Sound(samples=samples, rate_hz=rate_hz),
        fps=fps,
        frame_count=frame_count,
        width=width,
        height=height,
        events_s=events,
    )


def write_testcard(path: Path, card: TestCard, *, codec: Codec = "lossless") -> None:
    """Write it: ``lossless`` as FFV1 and PCM in Matroska (.mkv), ``h264`` as H.264 and AAC in MP4 (.mp4).

    Raises:
        OSError: the file cannot be written.
    """
    write_movie(path, images=card.frames(), fps=card.fps, sound=card.sound, codec=codec)


def read_code(image: NDArray[np.uint8]) -> int:
    """The number that a frame carries.

    Args:
        image: (height, width) in grey, or (height, width, 3) in any order of colours; scaled is fine, cropped is not.

    Raises:
        ValueError: a block that is neither dark nor bright: this is no frame of a test card, or two in one.
    """
    grey = image[..., 1] if image.ndim == 3 else image
    height, width = grey.shape
    rows = slice(height // 36, height // 12)  # the middle half of the code's height
    code = 0
    for block in range(BLOCKS):
        left, right = (4 * block + 1) * width // (4 * BLOCKS), (4 * block + 3) * width // (4 * BLOCKS)
        level = float(grey[rows, left : max(right, left + 1)].mean())
        if 80 < level < 176:
            raise ValueError(f"block {block} of the bar code has the level {level:.0f}, neither dark nor bright")
        code |= int(level >= 176) << block
    return code


def _draw_code(grey: NDArray[np.uint8], number: int) -> None:
    height, width = grey.shape
    for block in range(BLOCKS):
        left, right = block * width // BLOCKS, (block + 1) * width // BLOCKS
        grey[: height // 9, left:right] = 235 if number >> block & 1 else 16
    grey[height // 9 : height // 7] = 16


def _events(length_s: Fraction, fps: Fraction, rng: np.random.Generator) -> tuple[Fraction, ...]:
    """Irregular times, 0.5 to 0.9 s apart, each at the start of a frame."""
    events: list[Fraction] = []
    time_s = float(rng.uniform(0.2, 0.6))
    while time_s < float(length_s) - 0.1:
        events.append(round(time_s * fps) / fps)
        time_s += float(rng.uniform(0.5, 0.9))
    return tuple(events)
