"""One damaged file: damage it, look at what Offbeat takes from it, compare with the intact one. Runs in a child."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from offbeat.dataset.plan import plan_source
from offbeat.dataset.settings import BuildSettings
from offbeat.errors import MediaError
from offbeat.media.cut_picture import cut_picture
from offbeat.media.cut_sound import cut_sound
from offbeat.media.opening import open_media, start_of
from offbeat.media.scan import Scan, scan
from offbeat.media.synth.testcard import read_code

Kind = Literal["cut", "flip", "zeros", "gap"]
HZ = 48_000
SETTINGS = BuildSettings(lengths_s=(Fraction(1),), delays_s=(Fraction(-1, 2), Fraction(0), Fraction(1, 2)))
MARRED_GREY = 4.0
"""Mean difference of a frame, of 255, that counts as damage that one can see."""
MARRED_SOUND = 0.1
"""The same for the sound: RMS of the difference, as a share of the intact sound's."""
LATE_SAMPLES = 5
"""A tenth of a millisecond."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Where a file is damaged, and how: cut off there, some bytes changed, a stretch zeroed, or a stretch missing."""

    path: Path
    kind: Kind
    at: int
    mask: int
    length: int


def damaged(whole: bytes, damage: Damage) -> bytes:
    """The bytes of the damaged file."""
    at, end = damage.at, damage.at + damage.length
    if damage.kind == "cut":
        return whole[:at]
    if damage.kind == "zeros":
        return whole[:at] + bytes(len(whole[at:end])) + whole[end:]
    if damage.kind == "gap":
        return whole[:at] + whole[end:]
    return whole[:at] + bytes([whole[at] ^ damage.mask]) + whole[at + 1 :]


def look(damage: Damage) -> str:
    """`refused: CODE`, `whole`, or what is wrong with what was taken: `late`, `other frames`, `marred ...`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{damage.path.suffix}"
        path.write_bytes(damaged(damage.path.read_bytes(), damage))
        try:
            scanned = scan(path)
            plan = plan_source("0123456789ab", scanned, SETTINGS)
            if not plan.clips:
                return f"refused: {next(iter(plan.refused.values()))[0]}"
            (clip,) = plan.clips
            window = (clip.start_s, clip.fps, clip.frames)
            mine = _material(scanned, *window)
        except MediaError as error:
            return f"refused: {error.reason}"
        intact = scan(damage.path)
        # where the first packets are lost, the clock that all is counted from starts later
        there = (clip.start_s + _origin_s(path) - _origin_s(damage.path), clip.fps, clip.frames)
        try:
            theirs = _material(intact, *there)
        except MediaError:
            return "other times"
        return _compared(mine, theirs, right_times=set(_stamps(scanned, *window)) <= set(_stamps(intact, *there)))


def _origin_s(path: Path) -> Fraction:
    with open_media(path) as container:
        return start_of(container)


def _stamps(scanned: Scan, start_s: Fraction, fps: Fraction, frames: int) -> list[float]:
    times = scanned.frame_times_s
    inside = times[(times >= float(start_s) - 0.002) & (times < float(start_s + frames / fps) - 0.002)]
    return (inside - float(start_s)).round(3).tolist()


def _material(scanned: Scan, start_s: Fraction, fps: Fraction, frames: int) -> tuple[list[np.ndarray], np.ndarray]:
    picture = [
        frame.to_ndarray(format="gray")
        for frame in cut_picture(
            scanned.path,
            geometry=scanned.geometry,
            start_s=start_s,
            fps=fps,
            count=frames,
            stamped_s=scanned.frame_times_s,
        )
    ]
    start = round(start_s * HZ) - HZ // 2
    stop = start + round(frames / fps * HZ) + HZ
    sound = cut_sound(
        scanned.path, start_samples=start, stop_samples=stop, rate_hz=HZ, track=scanned.audio_track
    ).sound.mono()
    return picture, sound


def _compared(
    mine: tuple[list[np.ndarray], np.ndarray], theirs: tuple[list[np.ndarray], np.ndarray], *, right_times: bool
) -> str:
    if mine[0][0].shape != theirs[0][0].shape:
        return "other size"
    codes = [_code(frame) for frame in mine[0]]
    if any(a not in (-1, b) for a, b in zip(codes, map(_code, theirs[0]), strict=True)):
        return "marred picture" if right_times else "other frames"  # one is lost, or shows what was before
    size = 1 << int(np.ceil(np.log2(2 * len(mine[1]))))
    signs = np.sign(mine[1]), np.sign(theirs[1])  # one loud crack must not outshout all the rest
    cross = np.fft.irfft(np.fft.rfft(signs[0], size) * np.conj(np.fft.rfft(signs[1], size)), size)
    lag = int(np.argmax(cross))
    if min(lag, size - lag) > LATE_SAMPLES:
        return "late sound"
    apart = float(np.sqrt(np.mean(np.square(mine[1] - theirs[1]))) / np.sqrt(np.mean(np.square(theirs[1]))))
    if apart > MARRED_SOUND:
        return "marred sound"
    worst = max(float(np.abs(a.astype(float) - b).mean()) for a, b in zip(*(mine[0], theirs[0]), strict=True))
    return "marred picture" if worst > MARRED_GREY else "whole"


def _code(frame: np.ndarray) -> int:
    try:
        return read_code(frame)
    except ValueError:
        return -1
