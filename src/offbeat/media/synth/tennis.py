"""A rally on a small court, seen from the side: two rackets and a ball that bounces once on each side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from offbeat.media.synth.canvas import Canvas, Colour, Point, mix, rgb
from offbeat.media.synth.figure import joint
from offbeat.media.synth.scene import SceneKind, Staging
from offbeat.media.synth.sound import Wave, add_ambience, add_echo, burst, mastered, place, ringing, together
from offbeat.media.synth.timeline import Times, ease, fading, on_samples
from offbeat.timing import to_samples

GROUND = 740.0
UNITS = 106.0
"""Stage units a metre; the net stands at 0 m."""
GRAVITY = 9.81
REACH = 125.0
"""From a player's middle to the racket's middle when it hits, in stage units."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One moment at which the ball is touched: by the left (-1) or the right (1) racket, or by the ground (0)."""

    time_s: float
    x: float
    height: float
    side: int


def stage(*, length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> Staging:
    """See `SceneKind`."""
    chance, tone = rng.spawn(2)
    touches = _rally(length_s, rate_hz, chance)
    audible = [touch for touch in touches if 0.05 < touch.time_s < float(length_s) - 0.05]
    events = on_samples([touch.time_s for touch in audible], rate_hz)
    count = to_samples(length_s, rate_hz)
    track = np.zeros((2, count))
    for event, touch in zip(events, audible, strict=True):
        wave = _racket(tone, rate_hz) if touch.side else _bounce(tone, rate_hz)
        place(track, to_samples(event, rate_hz), wave, gain=float(tone.uniform(0.8, 1)), pan=touch.x / 7)
    add_echo(tone, rate_hz, track, decay_s=0.06, level=0.15)
    add_ambience(tone, rate_hz, track, low_hz=300, high_hz=5000, level=0.004)
    times = Times([touch.time_s for touch in touches])
    hits = {side: [touch for touch in touches if touch.side == side] for side in (-1, 1)}
    hit_times = {side: Times([touch.time_s for touch in hits[side]]) for side in (-1, 1)}

    def action(canvas: Canvas, time_s: float) -> None:
        for side in (-1, 1):
            _player(canvas, side, hits[side], hit_times[side], time_s)
        _ball(canvas, touches, times, time_s)

    def gap(time_s: float) -> float:
        around = times.around(time_s)
        near = min(around.since_s, around.until_s)
        return min(near / 0.1, 1.0)

    return Staging(events_s=events, sound=mastered(track, rate_hz), backdrop=_court, action=action, gap=gap)


def _rally(length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> list[Touch]:
    """Racket, ground, racket, ground, ... from before the start to after the end."""
    side = 1 if rng.random() < 0.5 else -1
    touch = Touch(time_s=-float(rng.uniform(0.2, 1.0)), x=side * 5.0, height=1.4, side=side)
    touches: list[Touch] = []
    while touch.time_s < float(length_s) + 2:
        touches.append(touch)
        if touch.side:
            after_s, x = float(rng.uniform(0.72, 1.45)), -touch.side * float(rng.uniform(1.9, 3.5))
            touch = _on_sample(touch.time_s + after_s, x, 0.0, 0, rate_hz)
        else:
            here = 1 if touch.x > 0 else -1
            after_s, x = float(rng.uniform(0.35, 0.9)), here * float(rng.uniform(4.5, 5.4))
            touch = _on_sample(touch.time_s + after_s, x, float(rng.uniform(1.0, 2.0)), here, rate_hz)
    return touches


def _on_sample(time_s: float, x: float, height: float, side: int, rate_hz: int) -> Touch:
    return Touch(time_s=float(on_samples([time_s], rate_hz)[0]), x=x, height=height, side=side)


def ball_at(touches: list[Touch], times: Times, time_s: float) -> Point:
    """Metres to the right of the net and above the ground: a parabola from touch to touch."""
    index = min(max(times.around(time_s).before, 0), len(touches) - 2)
    start, stop = touches[index], touches[index + 1]
    span, since = stop.time_s - start.time_s, time_s - start.time_s
    up = (stop.height - start.height) / span + GRAVITY * span / 2
    x = start.x + (stop.x - start.x) * since / span
    return x, max(start.height + up * since - GRAVITY * since * since / 2, 0.0)


def _racket(rng: np.random.Generator, rate_hz: int) -> Wave:
    pitch = float(rng.uniform(0.95, 1.05))
    strings = ringing(rate_hz, [(520 * pitch, 0.02, 0.8), (1180 * pitch, 0.014, 0.5), (2350 * pitch, 0.006, 0.3)])
    return together(strings, burst(rng, rate_hz, low_hz=1500, high_hz=8000, decay_s=0.004, gain=0.35))


def _bounce(rng: np.random.Generator, rate_hz: int) -> Wave:
    pitch = float(rng.uniform(0.94, 1.06))
    body = ringing(rate_hz, [(205 * pitch, 0.03, 0.6), (410 * pitch, 0.015, 0.25)], glide=0.6)
    return together(body, burst(rng, rate_hz, low_hz=700, high_hz=4500, decay_s=0.006, gain=0.22))


def _place(x: float, height: float) -> Point:
    return 800 + x * UNITS, GROUND - height * UNITS


def _ball(canvas: Canvas, touches: list[Touch], times: Times, time_s: float) -> None:
    for back, alpha in ((0.045, 0.15), (0.03, 0.25), (0.015, 0.4)):
        x, y = _place(*ball_at(touches, times, time_s - back))
        canvas.disc(x, y - 17, 14, rgb("e5f77d"), alpha=alpha)
    metres, height = ball_at(touches, times, time_s)
    x, y = _place(metres, height)
    around = times.around(time_s)
    touch = touches[max(around.before, 0)]
    canvas.ellipse(x, GROUND + 6, 16, 5, rgb("1c3b2a"), alpha=0.5)
    squash = 0.35 * fading(around.since_s, 0.02)
    wide, tall = (17 * (1 - squash), 17 * (1 + squash)) if touch.side else (17 * (1 + squash), 17 * (1 - squash))
    flash = fading(around.since_s, 0.05)
    if flash > 0.03:
        where = _place(touch.x, touch.height)
        for k in range(6):
            turn = k * math.pi / 3 + 0.4
            out = 24 + 40 * (1 - flash)
            tip = (where[0] + out * math.cos(turn), where[1] - 15 + 0.7 * out * math.sin(turn))
            canvas.line(
                (where[0] + 0.6 * out * math.cos(turn), where[1] - 15 + 0.42 * out * math.sin(turn)),
                tip,
                5,
                rgb("ffffff"),
                alpha=0.9 * flash,
            )
    canvas.ellipse(x, y - tall, wide, tall, rgb("d7ee3c"))


def _player(canvas: Canvas, side: int, hits: list[Touch], times: Times, time_s: float) -> None:
    """A player stands so that the racket meets the ball, and walks from one place to the next."""
    around = times.around(time_s)
    last = hits[around.before] if around.before >= 0 else hits[0]
    coming = hits[min(around.before + 1, len(hits) - 1)]
    share = ease((around.since_s - 0.25) / max(around.since_s + around.until_s - 0.6, 0.1)) if around.before >= 0 else 1
    if not math.isfinite(around.until_s):
        share = 0
    x = 800 + (last.x + (coming.x - last.x) * share) * UNITS + side * REACH
    step = math.sin((last.x + (coming.x - last.x) * share) * 9)
    hit_height = coming.height if around.until_s < 0.5 else last.height
    # The swing goes from behind the body (-1) through the ball (0) to in front of it (1).
    swing = 0.0
    if around.until_s < 0.45:
        swing = -ease((0.45 - around.until_s) / 0.25) if around.until_s > 0.12 else -((around.until_s / 0.12) ** 1.0)
    elif around.since_s < 0.7:
        swing = (
            math.sin(math.pi * min(around.since_s / 0.7, 1.0)) if around.since_s > 0.35 else ease(around.since_s / 0.2)
        )
    _body(canvas, x, side, step, swing, GROUND - hit_height * UNITS - 15)


def _body(canvas: Canvas, x: float, side: int, step: float, swing: float, hit_y: float) -> None:
    shirt: Colour = rgb("e4572e") if side < 0 else rgb("2e86ab")
    skin = rgb("d99b6c") if side < 0 else rgb("8d5a3a")
    hip, neck = (x, GROUND - 165), (x - side * 10, GROUND - 292)
    canvas.ellipse(x, GROUND + 8, 84, 11, rgb("1c3b2a"), alpha=0.45)
    for leg in (-1, 1):
        foot = (x + leg * (28 + 22 * step), GROUND)
        knee = joint(hip, foot, 90, 90, side=side)
        canvas.path([hip, knee, foot], 30, mix(skin, (0, 0, 0), 0.12 if leg > 0 else 0))
        canvas.line(foot, (foot[0] - side * 24, foot[1]), 24, rgb("f5f5f5"))
    canvas.line(hip, (neck[0], neck[1] + 30), 84, shirt)
    canvas.box(x - 46, GROUND - 186, x + 46, GROUND - 116, rgb("fafafa"), radius=19)
    canvas.disc(neck[0] - side * 5, neck[1] - 56, 45, skin)
    canvas.ellipse(neck[0] + side * 5, neck[1] - 78, 49, 30, rgb("3a2a20"))
    canvas.box(neck[0] - 49, neck[1] - 80, neck[0] + 49, neck[1] - 66, rgb("ffffff"), radius=5)
    canvas.disc(neck[0] - side * 28, neck[1] - 54, 5, rgb("2b1b12"))
    shoulder = (neck[0], neck[1] + 26)
    middle = (x - side * REACH, hit_y)
    lead = math.atan2(middle[1] - shoulder[1], middle[0] - shoulder[0])
    far = math.hypot(middle[0] - shoulder[0], middle[1] - shoulder[1])
    turn = lead - side * swing * (1.5 if swing < 0 else 1.1)
    far *= 1 - 0.12 * abs(swing)
    racket = (shoulder[0] + far * math.cos(turn), shoulder[1] + far * math.sin(turn))
    hand = (shoulder[0] + (far - 84) * math.cos(turn), shoulder[1] + (far - 84) * math.sin(turn))
    canvas.line(hand, racket, 13, rgb("3b3b3b"))
    canvas.ellipse(racket[0], racket[1], 54, 36, rgb("c1121f"), turn=turn)
    canvas.ellipse(racket[0], racket[1], 45, 27, rgb("f1faee"), turn=turn)
    canvas.path([shoulder, joint(shoulder, hand, 57, 54, side=-side), hand], 27, skin)


def _court(canvas: Canvas) -> None:
    canvas.gradient(-200, 470, rgb("8ecae6"), rgb("d8eef5"))
    for x, y, size in ((260, 130, 1.0), (980, 90, 1.2), (1350, 190, 0.8)):
        for k, r in ((-60, 34), (0, 50), (58, 36)):
            canvas.ellipse(x + k * size, y, r * 1.4 * size, r * size * 0.8, rgb("ffffff"), alpha=0.85)
    for k in range(-3, 16):
        canvas.disc(k * 130 + 30, 470 + (k * 37) % 40, 105, rgb("4f9d69") if k % 2 else rgb("468a5d"))
    canvas.box(-300, 520, 1900, 640, rgb("2f5d50"))
    for k in range(-2, 14):
        canvas.box(k * 150, 505, k * 150 + 8, 640, rgb("24483e"))
    canvas.gradient(630, 1100, rgb("c86b45"), rgb("a95636"))
    canvas.box(-300, 664, 1900, 670, rgb("f6e7d8"), alpha=0.85)
    canvas.box(-300, 836, 1900, 846, rgb("f6e7d8"))
    net = GROUND - 0.85 * UNITS
    canvas.box(794, net - 10, 806, GROUND + 60, rgb("2b2b2b"))
    canvas.polygon([(796, net), (804, net), (826, GROUND + 100), (774, GROUND + 100)], rgb("f1f1f1"), alpha=0.85)
    canvas.line((800, net), (800, GROUND + 90), 7, rgb("ffffff"))


KIND = SceneKind(description="two players keep a tennis ball going", genre="sports", ambiguous=False, stage=stage)
