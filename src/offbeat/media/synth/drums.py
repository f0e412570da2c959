"""A drummer with two sticks: one for the drum, one for the cymbal."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from offbeat.media.synth.canvas import Canvas, Point, mix, rgb
from offbeat.media.synth.figure import between, joint
from offbeat.media.synth.scene import SceneKind, Staging
from offbeat.media.synth.sound import Wave, add_ambience, add_echo, burst, mastered, place, ringing, together
from offbeat.media.synth.timeline import Around, Times, ease, fading, irregular, on_samples, stroke
from offbeat.timing import to_samples

DRUM = (455.0, 635.0)
CYMBAL = (1145.0, 525.0)
STICK = 225.0
DRUM_SHARE = 0.62
SKIN, SHIRT, HAIR = rgb("d99b6c"), rgb("3d5a80"), rgb("4a2f22")


def stage(*, length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> Staging:
    """See `SceneKind`."""
    chance, tone = rng.spawn(2)
    events = on_samples(irregular(chance, length_s, median_s=0.34, spread=0.5, shortest_s=0.17), rate_hz)
    on_drum = [bool(chance.random() < DRUM_SHARE) for _ in events]
    force = [float(chance.uniform(0.6, 1.0)) for _ in events]
    count = to_samples(length_s, rate_hz)
    track = np.zeros((2, count))
    drum_body, cymbal_body = _drum_body(rate_hz), _cymbal_body(tone, rate_hz)
    for event, drum, strength in zip(events, on_drum, force, strict=True):
        wave = together(drum_body if drum else cymbal_body, _stick(tone, rate_hz, on_drum=drum))
        place(track, to_samples(event, rate_hz), wave, gain=strength, pan=-0.3 if drum else 0.4)
    add_echo(tone, rate_hz, track, decay_s=0.15, level=0.25)
    add_ambience(tone, rate_hz, track, low_hz=80, high_hz=2500, level=0.004, hum_hz=60)
    everything = Times(events)
    drum_times = Times([event for event, drum in zip(events, on_drum, strict=True) if drum])
    cymbal_times = Times([event for event, drum in zip(events, on_drum, strict=True) if not drum])

    def action(canvas: Canvas, time_s: float) -> None:
        since_s = everything.around(time_s).since_s
        nod = 16 * ease(since_s / 0.06) * fading(since_s, 0.1)
        _player(canvas, nod)
        _drum(canvas, drum_times.around(time_s))
        _cymbal(canvas, cymbal_times.around(time_s))
        y = 400 + nod / 2
        _arm(canvas, _lift(drum_times.around(time_s)), (705, y), (DRUM[0] - 8, DRUM[1] - 6), side=1)
        _arm(canvas, _lift(cymbal_times.around(time_s)), (895, y), (CYMBAL[0] - 40, CYMBAL[1] - 14), side=-1)

    return Staging(
        events_s=events,
        sound=mastered(track, rate_hz),
        backdrop=_studio,
        action=action,
        gap=lambda time_s: min(_lift(drum_times.around(time_s)), _lift(cymbal_times.around(time_s))),
    )


def _lift(around: Around) -> float:
    return stroke(around, fall_s=0.085, raise_s=0.2, rebound_s=0.16)


def _drum_body(rate_hz: int) -> Wave:
    return ringing(rate_hz, [(178, 0.09, 0.9), (282, 0.06, 0.5), (331, 0.05, 0.3), (505, 0.03, 0.25)], glide=0.25)


def _cymbal_body(rng: np.random.Generator, rate_hz: int) -> Wave:
    modes = [(float(rng.uniform(2200, 9500)), float(rng.uniform(0.08, 0.3)), 0.09) for _ in range(18)]
    modes += [(float(rng.uniform(380, 1500)), 0.12, 0.05) for _ in range(4)]
    return ringing(rate_hz, modes)


def _stick(rng: np.random.Generator, rate_hz: int, *, on_drum: bool) -> Wave:
    if on_drum:
        return burst(rng, rate_hz, low_hz=1200, high_hz=9000, decay_s=0.045, gain=0.3)
    return burst(rng, rate_hz, low_hz=3500, high_hz=14000, decay_s=0.07, gain=0.3)


def _arm(canvas: Canvas, lift: float, shoulder: Point, target: Point, *, side: int) -> None:
    """An arm and its stick, whose tip is on the target at a lift of 0."""
    level = math.radians(90 + 70 * side)  # from the hand to the tip, clockwise from the right: outwards, a little down
    angle = level + 0.95 * side * lift
    grip = (target[0] - STICK * math.cos(level), target[1] - STICK * math.sin(level))
    hand = between(grip, (grip[0] + 12 * side, grip[1] - 95), lift)
    tip = (hand[0] + STICK * math.cos(angle), hand[1] + STICK * math.sin(angle))
    elbow = joint(shoulder, hand, 120, 115, side=side)
    canvas.line(shoulder, elbow, 50, mix(SHIRT, (0, 0, 0), 0.12))
    canvas.line(elbow, hand, 36, SKIN)
    tail = (hand[0] - 45 * math.cos(angle), hand[1] - 45 * math.sin(angle))
    canvas.line(tail, tip, 12, rgb("f0d9a8"))
    canvas.disc(tip[0], tip[1], 9, rgb("f7ead0"))
    canvas.disc(hand[0], hand[1], 25, SKIN)


def _player(canvas: Canvas, nod: float) -> None:
    y = 272 + nod
    canvas.box(755, 300, 845, 400, mix(SKIN, (0, 0, 0), 0.12), radius=30)
    canvas.box(675, 365 + nod / 2, 925, 720, SHIRT, radius=60)
    canvas.ellipse(800, y - 10, 88, 102, HAIR)
    canvas.ellipse(800, y + 14, 77, 88, SKIN)
    canvas.ellipse(800, y - 62, 84, 46, HAIR)
    for x in (770, 830):
        canvas.ellipse(x, y + 8, 9, 10, rgb("2b1b12"))
        canvas.line((x - 15, y - 15), (x + 15, y - 15), 6, HAIR)
    canvas.line((778, y + 60), (822, y + 60), 8, rgb("9c4a3c"))


def _drum(canvas: Canvas, around: Around) -> None:
    hit = fading(around.since_s, 0.09)
    shake = 9 * hit * math.cos(2 * math.pi * 11 * min(around.since_s, 1.0))
    x, y = DRUM[0], DRUM[1] + shake
    canvas.box(x - 190, y, x + 190, y + 190, rgb("b3202c"), radius=30)
    canvas.ellipse(x, y + 182, 190, 38, rgb("8a1620"))
    for k in (-130, -45, 45, 130):
        canvas.box(x + k - 6, y + 30, x + k + 6, y + 185, rgb("e3e3e3"))
    canvas.ellipse(x, y, 198, 56, rgb("d7d7d7"))
    canvas.ellipse(x, y, 180, 47, mix(rgb("efe9dc"), rgb("ffd166"), 0.9 * hit))
    if hit > 0.05:
        ring = 1 - hit
        canvas.ellipse(x, y, 40 + 130 * ring, 10 + 34 * ring, rgb("ffffff"), alpha=0.7 * hit)


def _cymbal(canvas: Canvas, around: Around) -> None:
    ringing_on = fading(around.since_s, 0.35)
    tilt = 0.1 - 0.2 * ringing_on * math.sin(2 * math.pi * 3.1 * min(around.since_s, 3.0))
    x, y = CYMBAL
    flash = fading(around.since_s, 0.1)
    canvas.ellipse(x, y, 168, 20, mix(rgb("c9962e"), rgb("fff3b0"), 0.8 * flash), turn=tilt)
    canvas.ellipse(x, y - 4, 120, 9, mix(rgb("e3b74f"), rgb("ffffff"), 0.8 * flash), turn=tilt)
    canvas.ellipse(x, y - 14, 34, 17, rgb("dba93b"), turn=tilt)
    canvas.disc(x, y - 30, 8, rgb("555555"))


def _studio(canvas: Canvas) -> None:
    canvas.gradient(-200, 760, rgb("2b2d42"), rgb("4a4e69"))
    for k in range(7):
        for row in range(4):
            shade = rgb("353852") if (k + row) % 2 else rgb("3f4361")
            canvas.box(40 + k * 220, 20 + row * 180, 240 + k * 220, 180 + row * 180, shade, radius=10)
    canvas.gradient(760, 1100, rgb("7a5c48"), rgb("5a4334"))
    canvas.ellipse(800, 840, 560, 70, rgb("9c3848"))
    canvas.ellipse(800, 840, 510, 56, rgb("b5525f"))
    canvas.glow(800, 250, 620, rgb("ffe8c2"), alpha=0.28)
    canvas.box(CYMBAL[0] - 6, CYMBAL[1] - 10, CYMBAL[0] + 6, 820, rgb("9a9a9a"))
    canvas.line((CYMBAL[0], 740), (CYMBAL[0] - 90, 840), 10, rgb("8a8a8a"))
    canvas.line((CYMBAL[0], 740), (CYMBAL[0] + 90, 840), 10, rgb("8a8a8a"))
    for k in (-120, 120):
        canvas.line((DRUM[0] + k, 760), (DRUM[0] + k * 1.2, 860), 12, rgb("8a8a8a"))
    canvas.ellipse(800, 810, 110, 26, rgb("2a2230"))
    canvas.box(785, 720, 815, 810, rgb("2a2230"))
    canvas.box(690, 700, 910, 745, rgb("2a2230"), radius=18)
    for side in (-1, 1):
        canvas.path([(800 + 60 * side, 700), (800 + 170 * side, 705), (800 + 160 * side, 850)], 76, rgb("33364d"))
        canvas.box(770 + 175 * side, 850, 830 + 175 * side, 890, rgb("20161a"), radius=16)


KIND = SceneKind(description="a drummer plays a drum and a cymbal", genre="instrument", ambiguous=False, stage=stage)
