"""How well the `signal` detector does on real clips, beside chance and beside a plain cross-correlation.

From each clip of the shared folder come windows of 3, 5, 7 and 10 s (2 s where a clip is shorter than 3.6 s; 20 s
besides, where one is long enough, reported apart), two of each length from clips of 13 s or more. Each window's sound
is moved by all delays of the study's grid for which real sound exists and picture and sound share a moment; where the
window's place leaves no room for a delay, another place is drawn for it. Nothing is padded.

The clips are taken to be in sync, which is likely and not proven. The constants of the confidence are fitted on nine
tenths of the sources and used on the rest, in turn, so that every figure below is of sources that the fit never saw.
Intervals resample sources. The other constants of the method were chosen on the same clips, by eye on broad plateaus,
so that the delays themselves are slightly flattered.

    python benchmarks/signal_media.py            about three minutes
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from material import shared_media
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from offbeat.errors import MediaError
from offbeat.media.cut_picture import cut_picture
from offbeat.media.cut_sound import cut_sound
from offbeat.media.scan import scan
from offbeat.media.values import Frames, Sound
from offbeat.signal.confidence import SURE_AT, TOLERANCE_S, label_of_estimate
from offbeat.signal.estimate import MAX_DELAY_S, MIN_OVERLAP_S, estimate_delay
from offbeat.signal.motion import HEIGHT, measure_motion
from offbeat.timing import LABELS, label_of

LENGTHS_S = (3, 5, 7, 10)
LONG_S = 20
DELAYS_S = np.arange(-10, 11) / 2
FOLDS = 10
DRAWS = 2_000
MOST_S = 90
NOTHING = -20.0
"""Log odds where there was nothing to go by."""
SYNTHETIC = {"animation", "test_pattern"}


@dataclass(frozen=True, slots=True)
class Source:
    """A whole clip, in memory."""

    name: str
    genre: str
    grade: str
    frames: Frames
    sound: Sound
    length_s: float


@dataclass(slots=True)
class Case:
    """One window with moved sound, and what was made of it."""

    source: str
    genre: str
    grade: str
    length_s: int
    delay_s: float
    estimate_s: float
    log_odds: float
    plain_s: float
    cpu_s: float
    confidence: float = float("nan")


def load(path: Path, row: dict[str, str]) -> Source:
    """Picture on its constant grid, 72 lines in grey, and the sound of the same span."""
    found = scan(path)
    start_s = max(found.picture[0].start_s, found.sound[0].start_s)
    stop_s = min(found.picture[0].stop_s, found.sound[0].stop_s, start_s + MOST_S)
    count = int((stop_s - start_s) * found.fps) - 1
    pictures = cut_picture(path, geometry=found.geometry, start_s=start_s, fps=found.fps, count=count)
    images = []
    for frame in pictures:
        lines = min(HEIGHT, frame.height)
        width = round(frame.width * lines / frame.height)
        images.append(frame.reformat(width=width, height=lines, format="gray", interpolation="AREA").to_ndarray())
    rate_hz = found.audio_hz
    first = -int(-start_s * rate_hz // 1)
    last = int((start_s + count / found.fps) * rate_hz)
    sound = cut_sound(path, start_samples=first, stop_samples=last, rate_hz=rate_hz).sound
    frames = Frames(images=np.stack(images), fps=found.fps)
    return Source(path.name, row["genre"], row["grade"], frames, sound, float(count / found.fps))


def cases(source: Source) -> Iterator[Case]:
    """All windows of a source, at all delays that it has room for."""
    rng = np.random.default_rng(zlib.crc32(source.name.encode()))
    fps = float(source.frames.fps)
    for length_s in (*LENGTHS_S, LONG_S) if source.length_s >= 3.6 else (2,):
        room_s = source.length_s - length_s
        if room_s < 0:
            continue
        for place_s in rng.uniform(0, room_s, size=2 if source.length_s >= 13 else 1):
            for delay_s in DELAYS_S[np.abs(DELAYS_S) < length_s]:
                low_s, high_s = max(0.0, delay_s), room_s + min(0.0, delay_s)
                if low_s > high_s:
                    continue
                start_s = place_s if low_s <= place_s <= high_s else rng.uniform(low_s, high_s)
                yield one_case(source, length_s, float(delay_s), int(start_s * fps), fps)


def one_case(source: Source, length_s: int, delay_s: float, first_frame: int, fps: float) -> Case:
    rate_hz, count = source.sound.rate_hz, int(length_s * fps)
    first_frame += first_frame / fps < delay_s  # the sound begins inside the source
    first = min(round((first_frame / fps - delay_s) * rate_hz), source.sound.count - length_s * rate_hz)
    frames = Frames(images=source.frames.images[first_frame : first_frame + count], fps=source.frames.fps)
    sound = Sound(samples=source.sound.samples[:, max(0, first) :][:, : length_s * rate_hz], rate_hz=rate_hz)
    began = time.process_time()
    found = estimate_delay(measure_motion(frames), sound)
    cpu_s = time.process_time() - began
    return Case(
        source=source.name,
        genre=source.genre,
        grade=source.grade,
        length_s=length_s,
        delay_s=delay_s,
        estimate_s=found.delay_s if found.delay_s is not None else 0.0,
        log_odds=found.log_odds if found.log_odds is not None else NOTHING,
        plain_s=plain_delay_s(frames, sound),
        cpu_s=cpu_s,
    )


def plain_delay_s(frames: Frames, sound: Sound) -> float:
    """What one would write first: mean frame difference x RMS, argmax of the plain cross-correlation."""
    fps, count = float(frames.fps), frames.count
    picture = np.abs(np.diff(frames.images.astype(np.int16), axis=0)).mean(axis=(1, 2))
    edges = (np.arange(count + 1) / fps * sound.rate_hz).astype(int)
    mono = sound.mono()
    loud = [np.sqrt(np.mean(mono[a:b] ** 2)) if b > a else 0.0 for a, b in pairwise(edges)]
    envelope = np.array(loud)[1:]
    product = np.correlate(envelope - envelope.mean(), picture - picture.mean(), mode="full")
    lags_s = np.arange(-len(picture) + 1, len(picture)) / fps
    inside = np.abs(lags_s) <= min(MAX_DELAY_S, count / fps - MIN_OVERLAP_S)
    return float(lags_s[inside][np.argmax(product[inside])])


def right(case: Case) -> bool:
    return abs(case.estimate_s - case.delay_s) <= TOLERANCE_S


def fit(some: Sequence[Case]) -> NDArray[np.float64]:
    """Intercept and slope of the chance to be right; every source has the same weight."""
    names, index, sizes = np.unique([case.source for case in some], return_inverse=True, return_counts=True)
    weight = 1 / sizes[index] / len(names)
    x = np.array([case.log_odds for case in some])
    y = np.array([right(case) for case in some], dtype=float)

    def loss(b: NDArray[np.float64]) -> float:
        z = b[0] + b[1] * x
        return float((weight * (np.logaddexp(0, z) - y * z)).sum())

    return minimize(loss, np.zeros(2)).x


def set_confidence(everything: Sequence[Case]) -> None:
    """Each source's confidence from a fit on other folds; test patterns are never fitted on."""
    names = np.array(sorted({case.source for case in everything}))
    for fold in np.array_split(np.random.default_rng(0).permutation(names), FOLDS):
        held = set(fold)
        seen = [case for case in everything if case.source not in held and case.genre != "test_pattern"]
        intercept, slope = fit(seen)
        for case in everything:
            if case.source in held:
                case.confidence = float(expit(intercept + slope * case.log_odds)) if case.log_odds > NOTHING else 0.0


Statistic = Callable[[Sequence[Case]], float]


def accuracy(some: Sequence[Case], pick: Callable[[Case], float] = lambda case: case.estimate_s) -> float:
    return float(np.mean([label_of_estimate(pick(case)) == label_of(case.delay_s) for case in some]))


def balanced(some: Sequence[Case], pick: Callable[[Case], float] = lambda case: case.estimate_s) -> float:
    parts = [[case for case in some if label_of(case.delay_s) == label] for label in LABELS]
    return float(np.mean([accuracy(part, pick) for part in parts])) if all(parts) else float("nan")


def told(some: Sequence[Case]) -> list[Case]:
    return [case for case in some if case.confidence >= SURE_AT]


def with_interval(some: Sequence[Case], statistic: Statistic, scale: float = 100) -> str:
    """The statistic, and the middle 95 % of what it is when sources are drawn with replacement."""
    if not some or np.isnan(value := statistic(some)):
        return "–"
    by_source: dict[str, list[Case]] = {}
    for case in some:
        by_source.setdefault(case.source, []).append(case)
    groups = list(by_source.values())
    if len(groups) < 2:
        return f"{value * scale:.0f}"
    rng = np.random.default_rng(1)
    drawn = [
        statistic([case for i in rng.integers(len(groups), size=len(groups)) for case in groups[i]])
        for _ in range(DRAWS if len(some) < 500 else DRAWS // 10)
    ]
    low, high = np.nanpercentile(drawn, [2.5, 97.5]) * scale
    return f"{value * scale:.0f} [{low:.0f}, {high:.0f}]"


def row(name: str, some: Sequence[Case]) -> str:
    sure = told(some)
    cells = [
        name,
        str(len({case.source for case in some})),
        str(len(some)),
        with_interval(some, accuracy),
        with_interval(some, balanced),
        with_interval(some, lambda these: balanced(these, lambda case: case.plain_s)),
        with_interval(some, lambda these: float(np.mean([right(case) for case in these]))),
        f"{100 * (1 - len(sure) / len(some)):.0f}",
        with_interval(sure, accuracy),
        f"{1000 * np.median([abs(c.estimate_s - c.delay_s) for c in sure]):.0f} ({len(sure)})" if sure else "–",
    ]
    return "| " + " | ".join(cells) + " |"


HEAD = """
| {} | sources | variants | accuracy | balanced | plain | within 0.2 s | cannot tell | told: accuracy | ms (n) |
|---|---|---|---|---|---|---|---|---|---|"""


def print_tables(everything: Sequence[Case]) -> None:
    study = [case for case in everything if case.length_s <= max(LENGTHS_S)]
    judged = [case for case in study if case.grade in "AB" and case.genre not in SYNTHETIC]
    print(HEAD.format("grades A, B"))
    for genre in sorted({case.genre for case in judged}):
        print(row(genre, [case for case in judged if case.genre == genre]))
    print(row("**all of these**", judged))
    for genre in sorted(SYNTHETIC):
        print(row(f"apart: {genre}", [case for case in study if case.genre == genre]))
    print(row("apart: grades C, D", [c for c in study if c.grade in "CD" and c.genre not in SYNTHETIC]))
    gain = with_interval(judged, lambda these: balanced(these) - balanced(these, lambda case: case.plain_s))
    print(f"\nbalanced less plain, paired by source, grades A and B: {gain} points")
    print(HEAD.format("length"))
    everybody = [case for case in everything if case.grade in "AB" and case.genre not in SYNTHETIC]
    for length_s in sorted({case.length_s for case in everybody}):
        print(row(f"{length_s} s", [case for case in everybody if case.length_s == length_s]))
    print("\n| confidence | sources | variants | mean confidence | within 0.2 s |\n|---|---|---|---|---|")
    real = [case for case in everything if case.genre != "test_pattern"]
    edges = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.01]
    for low, high in pairwise(edges):
        inside = [case for case in real if low <= case.confidence < high]
        if inside:
            print(
                f"| {low:.1f} to {min(high, 1):.1f} | {len({c.source for c in inside})} | {len(inside)} | "
                f"{100 * np.mean([c.confidence for c in inside]):.0f} | "
                f"{with_interval(inside, lambda these: float(np.mean([right(c) for c in these])))} |"
            )


def main() -> None:
    folder = shared_media()
    everything: list[Case] = []
    for line in (folder / "media.jsonl").read_text(encoding="utf-8").splitlines():
        about = json.loads(line)
        try:
            source = load(folder / about["file"], about)
        except MediaError as error:
            print(f"left out: {error}")
            continue
        everything += cases(source)
    set_confidence(everything)
    print_tables(everything)
    intercept, slope = fit([case for case in everything if case.genre != "test_pattern"])
    print(f"\nfit on all sources but test patterns: INTERCEPT {intercept:.2f}, SLOPE {slope:.2f}")
    ten = [case.cpu_s for case in everything if case.length_s == 10]
    print(f"CPU beside decoding and scaling, 10-s clips: median {np.median(ten):.3f} s, largest {max(ten):.3f} s")
    near = [case for case in everything if right(case) and case.grade in "AB" and case.genre not in SYNTHETIC]
    bias = with_interval(near, lambda these: float(np.median([c.estimate_s - c.delay_s for c in these])), 1000)
    print(f"median of estimate - truth where within {TOLERANCE_S} s, grades A and B: {bias} ms")
    print("chance: 33 in accuracy (uniform guess) and in balanced accuracy (any constant or uniform guess)")


if __name__ == "__main__":
    main()
