"""Two hands on a keyboard: letters click, the space bar sounds deeper, and the screen fills with words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from offbeat.media.synth.canvas import Canvas, Point, mix, rgb
from offbeat.media.synth.figure import between
from offbeat.media.synth.scene import SceneKind, Staging
from offbeat.media.synth.sound import Wave, add_ambience, add_echo, burst, mastered, place, ringing, together
from offbeat.media.synth.timeline import Times, ease, fading, on_samples, stroke
from offbeat.timing import to_samples

KEY, PITCH = 88.0, 98.0
ROWS = ((270.0, 430.0, 11), (300.0, 528.0, 10), (350.0, 626.0, 9))
"""Left edge, upper edge and number of keys of each row of letters."""
BAR = (545.0, 724.0, 1015.0, 800.0)
SPACE = -1
LINE = 620.0
SKIN, NAIL, SHADE = rgb("d9a679"), rgb("f0cdb0"), rgb("1d2430")


@dataclass(frozen=True, slots=True)
class Press:
    """A key that goes down: its row and column, or `SPACE` and 0, and the finger that does it, 0 to 9."""

    row: int
    column: int
    finger: int

    @property
    def centre(self) -> Point:
        """Where the finger lands."""
        if self.row == SPACE:
            return (690.0 if self.finger == 4 else 860.0), (BAR[1] + BAR[3]) / 2
        left, top, _ = ROWS[self.row]
        return left + PITCH * self.column + KEY / 2, top + KEY / 2


def stage(*, length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> Staging:
    """See `SceneKind`."""
    chance, tone = rng.spawn(2)
    times_s, presses = _text(length_s, chance)
    events = on_samples(times_s, rate_hz)
    count = to_samples(length_s, rate_hz)
    track = np.zeros((2, count))
    for event, press in zip(events, presses, strict=True):
        place(
            track,
            to_samples(event, rate_hz),
            _click(tone, rate_hz, deep=press.row == SPACE),
            gain=float(tone.uniform(0.7, 1.0)),
            pan=(press.centre[0] - 780) / 900,
        )
    add_echo(tone, rate_hz, track, decay_s=0.07, level=0.25)
    add_ambience(tone, rate_hz, track, low_hz=60, high_hz=700, level=0.0022, hum_hz=120)
    times = Times(events)
    fingers = [[k for k, press in enumerate(presses) if press.finger == finger] for finger in range(10)]
    finger_times = [Times([events[k] for k in mine]) for mine in fingers]

    def action(canvas: Canvas, time_s: float) -> None:
        around = times.around(time_s)
        _words(canvas, presses[: around.before + 1], time_s)
        _keys(canvas, presses, times, time_s)
        tips: list[tuple[Point, float]] = []
        for finger in range(10):
            near = finger_times[finger].around(time_s)
            tips.append(_tip(finger, [presses[k] for k in fingers[finger]], near.before, near.since_s, near.until_s))
        _hand(canvas, tips[:5], side=-1)
        _hand(canvas, tips[5:], side=1)

    def gap(time_s: float) -> float:
        return min(stroke(mine.around(time_s), fall_s=0.06, raise_s=0.08, rebound_s=0.09) for mine in finger_times)

    return Staging(events_s=events, sound=mastered(track, rate_hz), backdrop=_desk, action=action, gap=gap)


def _click(rng: np.random.Generator, rate_hz: int, *, deep: bool) -> Wave:
    pitch = float(rng.uniform(0.92, 1.08)) * (0.5 if deep else 1.0)
    body = ringing(rate_hz, [(1450 * pitch, 0.007, 0.4), (420 * pitch, 0.014, 0.45), (2900 * pitch, 0.004, 0.25)])
    edge = burst(rng, rate_hz, low_hz=1000 if deep else 2200, high_hz=9000, decay_s=0.004, gain=0.3)
    return together(body, edge, ringing(rate_hz, [(130, 0.02, 0.7)])) if deep else together(body, edge)


def _text(length_s: Fraction, rng: np.random.Generator) -> tuple[list[float], list[Press]]:
    """Words of 2 to 8 letters, a space after each, and now and then a pause for thought."""
    times_s: list[float] = []
    presses: list[Press] = []
    time_s, letters = float(rng.uniform(0.3, 0.6)), int(rng.integers(2, 9))
    while time_s < float(length_s) - 0.1:
        times_s.append(time_s)
        if letters == 0:
            presses.append(Press(row=SPACE, column=0, finger=4 if rng.random() < 0.5 else 5))
            letters = int(rng.integers(2, 9))
            if rng.random() < 0.35:
                time_s += float(rng.uniform(0.3, 0.9))
        else:
            row = int(rng.integers(3))
            column = int(rng.integers(ROWS[row][2]))
            presses.append(Press(row=row, column=column, finger=_finger(column)))
            letters -= 1
        time_s += max(0.11, 0.18 * math.exp(0.35 * float(rng.standard_normal())))
    return times_s, presses


def _finger(column: int) -> int:
    """Which finger takes a column: 0 to 3 on the left hand, 6 to 9 on the right; 4 and 5 are the thumbs."""
    return (0, 1, 2, 3, 3, 6, 6, 7, 8, 9, 9)[column]


def _home(finger: int) -> Point:
    if finger in (4, 5):
        return (690.0 if finger == 4 else 860.0), 756.0
    column = (0, 1, 2, 3, 0, 0, 6, 7, 8, 9)[finger]
    return ROWS[1][0] + PITCH * column + KEY / 2, ROWS[1][1] + KEY / 2


def _tip(finger: int, mine: list[Press], before: int, since_s: float, until_s: float) -> tuple[Point, float]:
    """Where a fingertip is over the keyboard, and how far it is lifted off it."""
    spot = _home(finger)
    if before >= 0:
        spot = between(mine[before].centre, spot, ease((since_s - 0.05) / 0.15))
    if before + 1 < len(mine):
        spot = between(mine[before + 1].centre, spot, ease((until_s - 0.03) / 0.13))
    if min(since_s, until_s) > 0.3:
        return spot, 0.2
    lift = 0.2 + 0.8 * ease(1 - abs(until_s - 0.06) / 0.08)
    if until_s < 0.06:
        lift = until_s / 0.06
    return spot, lift * min(since_s / 0.09, 1.0)


def _keys(canvas: Canvas, presses: list[Press], times: Times, time_s: float) -> None:
    """The keys that are down, or were a moment ago."""
    around = times.around(time_s + 0.03)
    for k in range(max(around.before - 4, 0), around.before + 1):
        since = time_s - times.times_s[k]
        down = 1 + since / 0.03 if since < 0 else 1 - ease((since - 0.07) / 0.05)
        light = fading(max(since, 0.0), 0.13) if since >= 0 else 0.0
        if down <= 0 and light < 0.03:
            continue
        press = presses[k]
        x, y = press.centre
        wide, tall = ((BAR[2] - BAR[0]) / 2, (BAR[3] - BAR[1]) / 2) if press.row == SPACE else (KEY / 2, KEY / 2)
        x = (BAR[0] + BAR[2]) / 2 if press.row == SPACE else x
        canvas.box(x - wide, y - tall, x + wide, y + tall, rgb("171c26"), radius=12)
        cap = mix(rgb("3d4757"), rgb("ffb703"), light)
        inset = 5 * down
        canvas.box(
            x - wide + 4 + inset, y - tall + 3 + 2 * inset, x + wide - 4 - inset, y + tall - 9 + inset, cap, radius=10
        )


def _words(canvas: Canvas, typed: list[Press], time_s: float) -> None:
    """Each letter is a bar on the screen; full lines move up."""
    lines: list[list[float]] = [[]]
    used = 0.0
    for press in typed:
        if press.row == SPACE:
            used += 16
            if used > LINE - 90:
                lines.append([])
                used = 0.0
            else:
                lines[-1].append(0.0)
        else:
            wide = 11 + 4 * ((press.column * 7 + press.row) % 3)
            if not lines[-1] or lines[-1][-1] == 0:
                lines[-1].append(wide)
            else:
                lines[-1][-1] += wide
            used += wide
    x = 490.0
    for number, line in enumerate(lines[-4:]):
        x, y = 490.0, 92 + 58 * number
        for wide in line:
            if wide:
                canvas.box(x, y, x + wide, y + 24, rgb("cfe8ff"), radius=6)
            x += wide if wide else 16
        if number == len(lines[-4:]) - 1 and time_s % 1 < 0.6:
            canvas.box(x + 6, y - 6, x + 11, y + 30, rgb("ffb703"))


def _hand(canvas: Canvas, tips: list[tuple[Point, float]], *, side: int) -> None:
    """A hand seen from above; the more a finger is lifted, the further it is from its shadow."""
    long = tips[:4] if side < 0 else tips[1:]
    thumb = tips[4] if side < 0 else tips[0]
    middle = sum(tip[0][0] for tip in long) / 4
    palm = (middle + side * 12, 812.0)
    canvas.line((palm[0] + 10, palm[1] + 40), (palm[0] + side * 90, 1000), 170, SHADE, alpha=0.3)
    knuckles = [(palm[0] + (k - 1.5) * 62, 722 + (14, 0, 2, 20)[k if side < 0 else 3 - k]) for k in range(4)]
    for (spot, lift), knuckle in zip(long, knuckles, strict=True):
        canvas.line(
            (knuckle[0] + 12, knuckle[1] + 16),
            (spot[0] + 8 + 16 * lift, spot[1] + 8 + 22 * lift),
            46,
            SHADE,
            alpha=0.25,
        )
    canvas.line((palm[0] + side * 25, palm[1] + 60), (palm[0] + side * 110, 1020), 150, rgb("5b7db1"))
    canvas.ellipse(palm[0], palm[1], 132, 118, SKIN)
    for (spot, lift), knuckle in zip(long, knuckles, strict=True):
        tip = (spot[0], spot[1] - 26 * lift)
        canvas.line(knuckle, tip, 50, mix(SKIN, (0, 0, 0), 0.06))
        canvas.line(knuckle, tip, 42, mix(SKIN, (255, 255, 255), 0.14 * lift))
        canvas.ellipse(tip[0], tip[1] - 8, 12, 14, NAIL)
    tip = (thumb[0][0], thumb[0][1] - 22 * thumb[1])
    canvas.line((palm[0] - side * 70, palm[1] + 20), tip, 54, mix(SKIN, (0, 0, 0), 0.05))
    canvas.ellipse(tip[0] - side * 8, tip[1] - 4, 14, 11, NAIL)


def _desk(canvas: Canvas) -> None:
    canvas.gradient(-200, 1100, rgb("d8b48a"), rgb("b98f62"))
    for k in range(-1, 8):
        canvas.box(-300, 40 + k * 130, 1900, 44 + k * 130, rgb("a67c50"), alpha=0.35)
    canvas.box(430, -120, 1170, 345, rgb("20252e"), radius=22)
    canvas.box(452, -100, 1148, 322, rgb("12324a"), radius=10)
    canvas.box(452, 20, 1148, 60, rgb("1e4966"))
    for k, colour in enumerate(("ff6b6b", "ffd166", "06d6a0")):
        canvas.disc(482 + 30 * k, 40, 9, rgb(colour))
    canvas.ellipse(1400, 250, 104, 100, rgb("7a5433"), alpha=0.4)
    canvas.disc(1390, 240, 96, rgb("f4f1ea"))
    canvas.disc(1390, 240, 78, rgb("5a3823"))
    canvas.ellipse(1370, 220, 40, 22, rgb("8a5d3d"), turn=-0.5)
    canvas.line((1480, 250), (1520, 290), 24, rgb("f4f1ea"))
    canvas.polygon([(90, 120), (330, 90), (360, 400), (120, 430)], rgb("fdfcf5"))
    for k in range(6):
        canvas.line((130 + 3 * k, 170 + 38 * k), (310 + 3 * k, 148 + 38 * k), 5, rgb("8d99ae"))
    canvas.line((390, 130), (405, 360), 16, rgb("e4572e"))
    canvas.box(232, 402, 1388, 832, rgb("7a5433"), radius=30, alpha=0.35)
    canvas.box(225, 390, 1380, 820, rgb("2a303c"), radius=26)
    for left, top, size in ROWS:
        for k in range(size):
            x = left + PITCH * k
            canvas.box(x, top, x + KEY, top + KEY, rgb("171c26"), radius=12)
            canvas.box(x + 4, top + 3, x + KEY - 4, top + KEY - 9, rgb("4a5568"), radius=10)
            canvas.box(x + 34, top + 26, x + 50, top + 30, rgb("cbd5e0"), alpha=0.7)
    canvas.box(*BAR, rgb("171c26"), radius=12)
    canvas.box(BAR[0] + 4, BAR[1] + 3, BAR[2] - 4, BAR[3] - 9, rgb("4a5568"), radius=10)


KIND = SceneKind(description="two hands type on a keyboard", genre="asmr", ambiguous=False, stage=stage)
