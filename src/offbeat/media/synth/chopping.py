"""A cook cuts carrots on a board, seen from where the cook stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from offbeat.media.synth.canvas import Canvas, Point, rgb
from offbeat.media.synth.scene import SceneKind, Staging
from offbeat.media.synth.sound import add_ambience, add_echo, burst, mastered, place, ringing, together
from offbeat.media.synth.timeline import Times, ease, fading, irregular, on_samples, stroke
from offbeat.timing import to_samples

CUT_X, CUT_Y = 800.0, 560.0
SLICE = 40.0
FULL = 520.0
CHANGE_S = 1.1
"""What the cook needs to clear the board and take another carrot."""
CARROT, CORE, SKIN = rgb("ee8434"), rgb("f9b16e"), rgb("e0ac7e")


@dataclass(frozen=True, slots=True)
class Carrot:
    """One carrot: when it comes, and the cuts that are made of it, as indices of events."""

    first: int
    last: int
    angles: tuple[float, ...]
    reach: tuple[float, ...]


def stage(*, length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> Staging:
    """See `SceneKind`."""
    chance, tone = rng.spawn(2)
    times_s, carrots = _cuts(length_s, chance)
    events = on_samples(times_s, rate_hz)
    count = to_samples(length_s, rate_hz)
    track = np.zeros((2, count))
    for event in events:
        force, pitch = float(tone.uniform(0.7, 1.0)), float(tone.uniform(0.93, 1.07))
        thud = ringing(
            rate_hz, [(118 * pitch, 0.05, 0.9), (236 * pitch, 0.03, 0.6), (540 * pitch, 0.014, 0.4)], glide=0.2
        )
        blade = ringing(rate_hz, [(3900 * pitch, 0.02, 0.06), (6100 * pitch, 0.015, 0.04)])
        crunch = burst(tone, rate_hz, low_hz=1200, high_hz=6500, decay_s=0.009, gain=0.3)
        place(track, to_samples(event, rate_hz), together(thud, blade, crunch), gain=force, pan=0.1)
    add_echo(tone, rate_hz, track, decay_s=0.1, level=0.3)
    add_ambience(tone, rate_hz, track, low_hz=90, high_hz=1800, level=0.004, hum_hz=100)
    times = Times(events)

    def lift(time_s: float) -> float:
        return stroke(times.around(time_s), fall_s=0.1, raise_s=0.18, rebound_s=0.2, rest=0.45)

    def action(canvas: Canvas, time_s: float) -> None:
        around = times.around(time_s)
        hop = 7 * fading(around.since_s, 0.05)
        for number, carrot in enumerate(carrots):
            comes_s = times.times_s[carrots[number - 1].last] + 0.45 * CHANGE_S if number else -math.inf
            goes_s = times.times_s[carrot.last] + 0.1 if number + 1 < len(carrots) else math.inf
            if comes_s - 0.1 <= time_s < goes_s + 0.7:
                _carrot(canvas, carrot, times, time_s, comes_s, goes_s, hop)
        _knife(canvas, lift(time_s))

    return Staging(events_s=events, sound=mastered(track, rate_hz), backdrop=_kitchen, action=action, gap=lift)


def _cuts(length_s: Fraction, rng: np.random.Generator) -> tuple[list[float], list[Carrot]]:
    """Times of the cuts, with a pause wherever a carrot is used up."""
    times_s = irregular(rng, length_s, median_s=0.36, spread=0.35, shortest_s=0.2)
    kept: list[float] = []
    carrots: list[Carrot] = []
    late_s, first = 0.0, 0
    left = int(rng.integers(7, 11))
    for time_s in times_s:
        if time_s + late_s >= float(length_s) - 0.1:
            break
        kept.append(time_s + late_s)
        left -= 1
        if left == 0:
            carrots.append(_piece(first, len(kept) - 1, rng))
            first, left = len(kept), int(rng.integers(7, 11))
            late_s += CHANGE_S
    if first < len(kept):
        carrots.append(_piece(first, len(kept) - 1, rng))
    return kept, carrots


def _piece(first: int, last: int, rng: np.random.Generator) -> Carrot:
    size = last - first + 1
    return Carrot(
        first=first,
        last=last,
        angles=tuple(float(angle) for angle in rng.uniform(-0.5, 0.5, size)),
        reach=tuple(float(reach) for reach in rng.uniform(0, 1, size)),
    )


def _carrot(
    canvas: Canvas, carrot: Carrot, times: Times, time_s: float, comes_s: float, goes_s: float, hop: float
) -> None:
    """The carrot up to the knife, the hand that holds it, and the slices."""
    swept = 900 * ease((time_s - goes_s) / 0.45) if math.isfinite(goes_s) else 0.0
    done = sum(1 for k in range(carrot.first, carrot.last + 1) if times.times_s[k] <= time_s + 1e-9)
    for k in range(done):
        since = time_s - times.times_s[carrot.first + k]
        fall = ease(since / 0.16)
        x = CUT_X + 25 + fall * (70 + 330 * carrot.reach[k]) + swept
        y = CUT_Y + fall * (70 * math.sin(7 * carrot.reach[k] + k)) - 50 * math.sin(math.pi * min(since / 0.16, 1.0))
        y -= hop if since > 0.16 else 0
        wide = 16 + 30 * fall
        canvas.ellipse(x + 5, y + 8, wide, 44, rgb("3b2314"), turn=carrot.angles[k] * fall, alpha=0.3)
        canvas.ellipse(x, y, wide, 44, CARROT, turn=carrot.angles[k] * fall)
        canvas.ellipse(x, y, wide * 0.6, 27, CORE, turn=carrot.angles[k] * fall)
    if time_s > goes_s + 0.35:
        return
    moved = (done + ease((time_s - times.times_s[carrot.first + done - 1] - 0.05) / 0.13) - 1) * SLICE if done else 0.0
    away = 900 * (1 - ease((time_s - comes_s) / 0.45)) if math.isfinite(comes_s) else 0.0
    away += 900 * ease((time_s - goes_s) / 0.35) if math.isfinite(goes_s) else 0.0
    right, left = CUT_X - away, CUT_X - FULL + moved - away
    canvas.ellipse((left + right) / 2, CUT_Y + 46, (right - left) / 2, 16, rgb("3b2314"), alpha=0.35)
    for lean in (-0.5, 0.0, 0.5):
        canvas.line((left + 20, CUT_Y), (left - 90, CUT_Y + 80 * lean), 22, rgb("5d9c4f"))
    canvas.polygon([(left, CUT_Y - 30), (right, CUT_Y - 46), (right, CUT_Y + 46), (left, CUT_Y + 30)], CARROT)
    canvas.disc(left + 4, CUT_Y, 30, CARROT)
    for k in range(8):
        x = left + 45 + k * 60
        if x < right - 20:
            canvas.line((x, CUT_Y - 30), (x + 8, CUT_Y - 8), 4, rgb("c9651c"))
    canvas.ellipse(right, CUT_Y, 15, 46, CORE)
    _holding_hand(canvas, left + 75)


def _holding_hand(canvas: Canvas, x: float) -> None:
    canvas.line((x - 70, CUT_Y + 120), (x - 330, 1000), 130, rgb("f4f1ea"))
    canvas.line((x - 20, CUT_Y + 60), (x - 95, CUT_Y + 160), 96, SKIN)
    for k in range(4):
        canvas.line((x - 40 + 31 * k, CUT_Y + 40), (x - 18 + 31 * k, CUT_Y - 38 + 5 * k), 33, SKIN)
        canvas.disc(x - 17 + 31 * k, CUT_Y - 41 + 5 * k, 9, rgb("f1cdb0"))
    canvas.line((x + 30, CUT_Y + 75), (x + 85, CUT_Y + 40), 32, SKIN)


def _knife(canvas: Canvas, lift: float) -> None:
    """The blade stands upright and reaches away from the cook; its edge is on the board at a lift of 0."""
    rise = 190 * lift
    shade = 0.4 * (1 - 0.6 * lift)
    drift = 50 * lift
    canvas.polygon(
        [(CUT_X - 75 + drift, 455), (CUT_X + 65 + drift, 660), (CUT_X + 95 + drift, 655), (CUT_X - 50 + drift, 450)],
        rgb("2b1a10"),
        alpha=shade,
    )

    def at(x: float, y: float) -> Point:
        return CUT_X + x, y - rise

    hand = (CUT_X + 205, 745 - 0.8 * rise)
    canvas.line((hand[0] + 40, hand[1] + 40), (hand[0] + 230, 1040 - 0.4 * rise), 140, rgb("f4f1ea"))
    canvas.polygon([at(-80, 452), at(75, 668), at(82, 560), at(-58, 410)], rgb("dfe4e8"))
    canvas.polygon([at(-80, 452), at(75, 668), at(76, 646), at(-78, 440)], rgb("f8fafb"))
    canvas.line(at(80, 562), at(-58, 412), 7, rgb("9aa3ab"))
    canvas.line(at(80, 606), (hand[0] + 8, hand[1] + 8), 44, rgb("33261f"))
    canvas.ellipse(hand[0], hand[1], 74, 62, SKIN, turn=0.7)
    for k in range(4):
        x, y = hand[0] - 48 + 25 * k, hand[1] - 28 + 26 * k
        canvas.line((x, y), (x + 34, y - 30), 33, rgb("d39b6b") if k % 2 else SKIN)
    canvas.line((hand[0] - 10, hand[1] + 20), (hand[0] - 85, hand[1] - 50), 34, SKIN)


def _kitchen(canvas: Canvas) -> None:
    canvas.gradient(-200, 330, rgb("cfe3e2"), rgb("b4d0cf"))
    for k in range(-2, 14):
        for row in range(-1, 3):
            x, y = k * 140 + (70 if row % 2 else 0), row * 110
            canvas.box(x, y, x + 134, y + 104, rgb("dcebea"), radius=4)
    canvas.gradient(330, 1100, rgb("6e7f80"), rgb("566566"))
    canvas.box(-300, 322, 1900, 336, rgb("8fa1a2"))
    canvas.ellipse(1340, 330, 150, 26, rgb("37474f"), alpha=0.5)
    canvas.box(1210, 150, 1470, 330, rgb("c8553d"), radius=30)
    canvas.ellipse(1340, 158, 130, 30, rgb("a8432e"))
    canvas.box(1180, 190, 1215, 215, rgb("8f3a28"), radius=8)
    canvas.box(1465, 190, 1500, 215, rgb("8f3a28"), radius=8)
    canvas.box(150, 170, 240, 332, rgb("8fbf9f"), radius=16)
    canvas.box(170, 130, 220, 180, rgb("6fa783"), radius=8)
    canvas.box(290, 215, 370, 332, rgb("f2d492"), radius=12)
    canvas.box(284, 200, 376, 226, rgb("8d6b4f"), radius=6)
    canvas.polygon([(270, 392), (1340, 392), (1500, 792), (110, 792)], rgb("2d3838"), alpha=0.35)
    canvas.polygon([(280, 380), (1320, 380), (1480, 775), (120, 775)], rgb("c89b62"))
    canvas.polygon([(120, 775), (1480, 775), (1480, 805), (120, 805)], rgb("9a7040"))
    for k in range(1, 6):
        y = 380 + 66 * k
        canvas.line((280 - 27 * k, y), (1320 + 27 * k, y), 3, rgb("a97d49"), alpha=0.5)


KIND = SceneKind(description="a cook cuts carrots on a board", genre="cooking", ambiguous=False, stage=stage)
