"""Balls thrown through a room: each bounce sounds, the harder the louder and the higher."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from offbeat.media.synth.canvas import Canvas, Colour, mix, rgb
from offbeat.media.synth.scene import SceneKind, Staging
from offbeat.media.synth.sound import add_ambience, add_echo, burst, mastered, place, ringing, together
from offbeat.media.synth.timeline import Times, fading, on_samples
from offbeat.timing import to_samples

FLOOR = 770.0
GRAVITY = 2600.0
"""Units a second squared: a stage unit is about 4 mm."""
SLOWEST = 200.0
NEAREST_S = 0.12
SQUASH_S = 0.04
COLOURS = (rgb("e4572e"), rgb("f3a712"), rgb("2e86ab"), rgb("7b2d8b"), rgb("3a9d5d"))


@dataclass(frozen=True, slots=True)
class Throw:
    """One ball's way through the room; heights are of its lowest point above the floor.

    Attributes:
        start_s: when it enters, off stage.
        bounces_s: when it touches the floor.
        speeds: how fast it hits, and, times `spring`, leaves.
        height: at which it enters.
        x: where it enters.
        run: horizontal speed.
        radius: of the ball.
        spring: share of the speed that a bounce leaves.
        colour: of the ball.
    """

    start_s: float
    bounces_s: tuple[Fraction, ...]
    speeds: tuple[float, ...]
    height: float
    x: float
    run: float
    radius: float
    spring: float
    colour: Colour

    def height_at(self, time_s: float) -> float:
        """How high it is; meant for times from `start_s` on."""
        around = Times(self.bounces_s).around(time_s)
        if around.before < 0:
            # Counted back from the first bounce, which was moved to a whole sample.
            fall = math.sqrt(2 * self.height / GRAVITY) - around.until_s
            return max(self.height - GRAVITY * fall * fall / 2, 0.0)
        up = self.speeds[around.before] * self.spring
        return max(up * around.since_s - GRAVITY * around.since_s**2 / 2, 0.0)

    @property
    def counts_until_s(self) -> float:
        """The middle of its flight after the last bounce that is heard; it never lands within hearing again."""
        if not self.bounces_s:
            return self.start_s
        return float(self.bounces_s[-1]) + self.speeds[-1] * self.spring / GRAVITY

    def x_at(self, time_s: float) -> float:
        """Where it is."""
        return self.x + self.run * (time_s - self.start_s)


def stage(*, length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> Staging:
    """See `SceneKind`."""
    chance, tone, place_noise = rng.spawn(3)
    throws = _throws(length_s, rate_hz, chance)
    hits = sorted(
        (bounce, number, k) for number, throw in enumerate(throws) for k, bounce in enumerate(throw.bounces_s)
    )
    count = to_samples(length_s, rate_hz)
    track = np.zeros((2, count))
    for hit, number, k in hits:
        throw = throws[number]
        force = throw.speeds[k] / 1500
        pitch_hz = 9000 / throw.radius * (0.85 + 0.3 * force)
        body = ringing(
            rate_hz, [(pitch_hz, 0.05, 0.9), (2.3 * pitch_hz, 0.025, 0.4), (5.1 * pitch_hz, 0.01, 0.3)], glide=0.5
        )
        slap = burst(tone, rate_hz, low_hz=900, high_hz=7000, decay_s=0.005, gain=0.35)
        pan = throw.x_at(float(hit)) / 800 - 1
        place(track, to_samples(hit, rate_hz), together(body, slap), gain=force, pan=pan)
    add_echo(place_noise, rate_hz, track, decay_s=0.12, level=0.25)
    add_ambience(place_noise, rate_hz, track, low_hz=60, high_hz=900, level=0.004)

    def action(canvas: Canvas, time_s: float) -> None:
        for throw in throws:
            if throw.start_s <= time_s and -100 < throw.x_at(time_s) < 1700:
                _ball(canvas, throw, time_s)

    def gap(time_s: float) -> float:
        flying = [throw for throw in throws if throw.start_s <= time_s <= throw.counts_until_s]
        return min([1.0, *(throw.height_at(time_s) / 80 for throw in flying)])

    return Staging(
        events_s=tuple(hit for hit, _, _ in hits),
        sound=mastered(track, rate_hz),
        backdrop=_room,
        action=action,
        gap=gap,
    )


def _throws(length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> list[Throw]:
    throws: list[Throw] = []
    taken: list[Fraction] = []
    start_s = -2.0
    while start_s < float(length_s):
        throw = _throw(start_s, length_s, rate_hz, rng)
        if all(abs(bounce - other) > NEAREST_S for bounce in throw.bounces_s for other in taken[-40:]):
            throws.append(throw)
            taken.extend(throw.bounces_s)
            start_s += float(rng.uniform(0.9, 2.6))
        else:
            start_s += 0.07
    return throws


def _throw(start_s: float, length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> Throw:
    way = 1 if rng.random() < 0.5 else -1
    height, run = float(rng.uniform(330, 540)), way * float(rng.uniform(260, 430))
    radius, spring = float(rng.uniform(36, 66)), float(rng.uniform(0.74, 0.84))
    x = -70.0 if way > 0 else 1670.0
    time_s, speed = start_s + math.sqrt(2 * height / GRAVITY), math.sqrt(2 * height * GRAVITY)
    bounces: list[float] = []
    speeds: list[float] = []
    while speed > SLOWEST and -20 < x + run * (time_s - start_s) < 1620 and time_s < float(length_s) - 0.05:
        if time_s > 0.05:
            bounces.append(time_s)
            speeds.append(speed)
        else:  # over before the scene begins: it comes down from where that bounce sends it
            height = (speed * spring) ** 2 / (2 * GRAVITY)
        speed *= spring
        time_s += 2 * speed / GRAVITY
    return Throw(
        start_s=start_s,
        bounces_s=on_samples(bounces, rate_hz),
        speeds=tuple(speeds),
        height=height,
        x=x,
        run=run,
        radius=radius,
        spring=spring,
        colour=COLOURS[int(rng.integers(len(COLOURS)))],
    )


def _ball(canvas: Canvas, throw: Throw, time_s: float) -> None:
    x, height, r = throw.x_at(time_s), throw.height_at(time_s), throw.radius
    around = Times(throw.bounces_s).around(time_s)
    force = throw.speeds[around.before] / 1500 if around.before >= 0 else 0.0
    squash = 0.3 * force * fading(around.since_s, SQUASH_S)
    wide, tall = r * (1 + squash), r * (1 - squash)
    y = FLOOR - height - tall
    near = max(0.15, 1 - height / 600)
    canvas.ellipse(
        x + height * 0.1, FLOOR + 4, wide * (0.6 + 0.4 * near), 10 * near + 4, rgb("3b2a20"), alpha=0.5 * near
    )
    canvas.ellipse(x, y, wide, tall, throw.colour)
    turn = throw.run * (time_s - throw.start_s) / r / 2
    for side in (0.0, math.pi):
        cx, cy = x + 0.55 * wide * math.cos(turn + side), y + 0.55 * tall * math.sin(turn + side)
        canvas.disc(cx, cy, 0.24 * r, mix(throw.colour, (255, 255, 255), 0.75))
    canvas.ellipse(x - 0.3 * wide, y - 0.4 * tall, 0.3 * wide, 0.2 * tall, (255, 255, 255), turn=-0.6, alpha=0.45)


def _room(canvas: Canvas) -> None:
    canvas.gradient(-200, FLOOR - 70, rgb("f3e3c9"), rgb("e6cda4"))
    canvas.box(150, 110, 520, 470, rgb("fffaf0"), radius=8)
    canvas.box(170, 130, 500, 450, rgb("a9d6e5"))
    canvas.disc(420, 215, 42, rgb("fff3b0"))
    canvas.polygon([(170, 380), (260, 355), (400, 420), (400, 452), (170, 452)], rgb("7fb685"))
    canvas.polygon([(300, 452), (420, 375), (500, 395), (500, 452)], rgb("6ca474"))
    canvas.box(170, 450, 500, 475, rgb("fffaf0"))
    canvas.box(329, 130, 341, 450, rgb("fffaf0"))
    canvas.box(140, 465, 530, 485, rgb("fffaf0"), radius=6)
    canvas.box(840, 150, 1080, 400, rgb("8d6b4f"), radius=4)
    canvas.box(856, 166, 1064, 384, rgb("f7f1e3"))
    canvas.disc(930, 270, 52, rgb("e4572e"), alpha=0.9)
    canvas.box(960, 240, 1040, 340, rgb("2e86ab"), alpha=0.85)
    canvas.gradient(FLOOR - 70, FLOOR - 40, rgb("fffaf0"), rgb("efe2cc"))
    canvas.gradient(FLOOR - 40, 1100, rgb("b9895b"), rgb("8f623b"))
    for k in range(5):
        canvas.box(
            -300, FLOOR - 12 + k * 38 + k * k * 4, 1900, FLOOR - 8 + k * 38 + k * k * 4, rgb("8f623b"), alpha=0.45
        )
    canvas.box(1330, FLOOR - 150, 1450, FLOOR - 30, rgb("d9d4cc"), radius=14)
    for lean in (-0.8, -0.45, -0.1, 0.3, 0.7):
        top = (1390 + 230 * math.sin(lean), FLOOR - 150 - 260 * math.cos(lean))
        canvas.line((1390, FLOOR - 150), top, 10, rgb("4f7d4c"))
        canvas.ellipse(top[0], top[1], 34, 88, rgb("5f9a5b"), turn=lean)


KIND = SceneKind(description="balls bounce through a room", genre="everyday", ambiguous=False, stage=stage)
