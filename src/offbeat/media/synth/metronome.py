"""A metronome that ticks every half second: where a delay of whole periods cannot be told from none.

The arm passes the middle at each tick, and a lamp lights. All ticks are the same sound.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from offbeat.media.synth.canvas import Canvas, mix, rgb
from offbeat.media.synth.scene import SceneKind, Staging
from offbeat.media.synth.sound import add_ambience, add_echo, burst, mastered, place, ringing, together
from offbeat.media.synth.timeline import Times, fading
from offbeat.timing import to_samples

PERIOD_S = Fraction(1, 2)
"""The step of the study's delays."""
SWING = 0.5
FOOT = (800.0, 660.0)


def stage(*, length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> Staging:
    """See `SceneKind`."""
    first_s = Fraction(int(rng.integers(1, to_samples(PERIOD_S, rate_hz))), rate_hz)
    events: list[Fraction] = []
    while first_s + len(events) * PERIOD_S < length_s:
        events.append(first_s + len(events) * PERIOD_S)
    body = ringing(rate_hz, [(2100, 0.012, 0.6), (3300, 0.008, 0.4), (940, 0.02, 0.5)])
    tick = together(body, burst(rng, rate_hz, low_hz=1500, high_hz=9000, decay_s=0.003, gain=0.4))
    count = to_samples(length_s, rate_hz)
    track = np.zeros((2, count))
    for event in events:
        place(track, to_samples(event, rate_hz), tick)
    add_echo(rng, rate_hz, track, decay_s=0.08, level=0.3)
    add_ambience(rng, rate_hz, track, low_hz=50, high_hz=500, level=0.002, hum_hz=50)
    times = Times(events)

    def angle(time_s: float) -> float:
        return SWING * math.sin(math.pi * (time_s - float(first_s)) / float(PERIOD_S))

    def action(canvas: Canvas, time_s: float) -> None:
        _arm(canvas, angle(time_s), fading(times.around(time_s).since_s, 0.07))

    return Staging(
        events_s=tuple(events),
        sound=mastered(track, rate_hz),
        backdrop=_desk,
        action=action,
        gap=lambda time_s: abs(angle(time_s)) / SWING,
    )


def _arm(canvas: Canvas, angle: float, light: float) -> None:
    x, y = FOOT
    tip = (x + 470 * math.sin(angle), y - 470 * math.cos(angle))
    canvas.line((x + 8, y + 4), (tip[0] + 8, tip[1] + 6), 12, rgb("20130c"), alpha=0.35)
    canvas.line((x, y), tip, 11, rgb("e8e4da"))
    weight = 330
    wx, wy = x + weight * math.sin(angle), y - weight * math.cos(angle)
    sine, cosine = math.sin(angle), math.cos(angle)
    corners = [(-34, -34), (34, -34), (24, 34), (-24, 34)]
    canvas.polygon([(wx + a * cosine - b * sine, wy + a * sine + b * cosine) for a, b in corners], rgb("d9a441"))
    canvas.disc(x, y, 20, rgb("d9a441"))
    canvas.box(590, 675, 1010, 790, rgb("6f3f22"), radius=6)
    canvas.box(620, 700, 980, 708, rgb("8a5532"))
    lamp = mix(rgb("4a1d18"), rgb("ff5b3a"), light)
    canvas.disc(800, 748, 17, rgb("2c1710"))
    canvas.disc(800, 748, 13, lamp)
    canvas.glow(800, 748, 130, rgb("ff8a5c"), alpha=0.75 * light)


def _desk(canvas: Canvas) -> None:
    canvas.gradient(-200, 800, rgb("28535e"), rgb("3d7680"))
    canvas.gradient(800, 1100, rgb("caa472"), rgb("a77f4e"))
    canvas.box(-300, 796, 1900, 806, rgb("e0bd8d"))
    for k, (height, colour) in enumerate(((260, "c8553d"), (300, "f2e2c4"), (235, "588b8b"), (280, "f0a04b"))):
        canvas.box(130 + k * 72, 796 - height, 196 + k * 72, 796, rgb(colour), radius=4)
        canvas.box(130 + k * 72, 830 - height, 196 + k * 72, 842 - height, rgb("2b3a42"), alpha=0.35)
    canvas.box(1180, 560, 1470, 796, rgb("f2e2c4"), radius=4)
    for k in range(5):
        canvas.box(1205, 605 + k * 34, 1445, 609 + k * 34, rgb("6b6b6b"), alpha=0.7)
    for x, y in ((1230, 622), (1290, 690), (1340, 640), (1400, 706), (1420, 656)):
        canvas.ellipse(x, y, 13, 10, rgb("2b2b2b"), turn=-0.3)
        canvas.box(x + 9, y - 54, x + 13, y, rgb("2b2b2b"))
    canvas.ellipse(800, 805, 330, 20, rgb("3b2512"), alpha=0.4)
    canvas.polygon([(560, 790), (1040, 790), (890, 170), (710, 170)], rgb("7d4a2a"))
    canvas.polygon([(620, 770), (980, 770), (862, 210), (738, 210)], rgb("3c2314"))
    canvas.polygon([(700, 172), (900, 172), (850, 110), (750, 110)], rgb("8d5733"))
    for k in range(9):
        canvas.box(770, 260 + k * 42, 830, 264 + k * 42, rgb("d9a441"), alpha=0.6)
    canvas.box(530, 788, 1070, 812, rgb("5b331b"), radius=8)


KIND = SceneKind(
    description="a metronome ticks every half second: whole periods cannot be told apart",
    genre="everyday",
    ambiguous=True,
    stage=stage,
)
