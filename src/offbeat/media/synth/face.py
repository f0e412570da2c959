"""A face that speaks: the mouth opens with each syllable, and the lips part when its sound begins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from offbeat.media.synth.canvas import Canvas, Colour, mix, rgb
from offbeat.media.synth.scene import SceneKind, Staging
from offbeat.media.synth.sound import add_ambience, add_echo, mastered, place
from offbeat.media.synth.speech import VOWELS, Syllable, Voice, speak
from offbeat.media.synth.timeline import Times, ease, fading, irregular, on_samples
from offbeat.timing import to_samples

CLOSURE_S = 0.065
"""How long the lips stay closed before a syllable."""
LONGEST_S = 0.32


@dataclass(frozen=True, slots=True)
class Looks:
    """Colours of a person."""

    skin: Colour
    hair: Colour
    shirt: Colour


LOOKS = (
    Looks(rgb("f0c8a0"), rgb("6b3e26"), rgb("2a9d8f")),
    Looks(rgb("c68863"), rgb("2d1e18"), rgb("e9c46a")),
    Looks(rgb("8d5a3a"), rgb("1f1613"), rgb("e76f51")),
    Looks(rgb("f3d2b3"), rgb("c98b3c"), rgb("457b9d")),
)


def stage(*, length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> Staging:
    """See `SceneKind`."""
    chance, tone = rng.spawn(2)
    syllables = _phrases(length_s, rate_hz, chance)
    high = bool(chance.random() < 0.5)
    voice = Voice(
        pitch_hz=float(chance.uniform(175, 220) if high else chance.uniform(100, 135)),
        formant_scale=1.14 if high else 1.0,
    )
    looks = LOOKS[int(chance.integers(len(LOOKS)))]
    blinks = Times(irregular(chance, length_s, median_s=2.6, spread=0.4, shortest_s=0.8))
    drift_hz, drift_phase = chance.uniform(0.12, 0.4, 3), chance.uniform(0, 2 * math.pi, 3)
    count = to_samples(length_s, rate_hz)
    track = np.zeros((2, count))
    place(track, 0, speak(syllables, voice, length_s=length_s, rate_hz=rate_hz, rng=tone))
    add_echo(tone, rate_hz, track, decay_s=0.05, level=0.12)
    add_ambience(tone, rate_hz, track, low_hz=70, high_hz=1200, level=0.003, hum_hz=50)
    times = Times([syllable.start_s for syllable in syllables])

    def mouth(time_s: float) -> tuple[float, float]:
        """Opening and width of the mouth, from 0 to 1."""
        around = times.around(time_s)
        if around.before < 0:
            return 0.0, 0.5
        syllable = syllables[around.before]
        opening = syllable.open_at(time_s)
        return opening, 0.5 + (syllable.vowel.width - 0.5) * opening / syllable.vowel.opening

    def action(canvas: Canvas, time_s: float) -> None:
        drift = np.sin(2 * math.pi * drift_hz * time_s + drift_phase)
        around = times.around(time_s)
        nod = 14 * ease(around.since_s / 0.08) * fading(around.since_s, 0.15)
        blink = blinks.around(time_s)
        lids = 1 - ease(abs(min(blink.since_s, blink.until_s)) / 0.09)
        x, y = 800 + 16 * float(drift[0]), 420 + 9 * float(drift[1]) + nod
        _head(canvas, looks, x, y, mouth(time_s), lids, 10 * float(drift[2]))

    return Staging(
        events_s=tuple(syllable.start_s for syllable in syllables),
        sound=mastered(track, rate_hz),
        backdrop=_room,
        action=action,
        gap=lambda time_s: mouth(time_s)[0],
    )


def _phrases(length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> list[Syllable]:
    """Syllables at irregular times, with a pause after every 3 to 8 of them."""
    starts: list[float] = []
    time_s, left = float(rng.uniform(0.3, 0.7)), int(rng.integers(3, 9))
    while time_s < float(length_s) - 0.2:
        starts.append(time_s)
        left -= 1
        time_s += max(0.17, 0.25 * math.exp(0.32 * float(rng.standard_normal())))
        if left == 0:
            time_s += float(rng.uniform(0.35, 0.9))
            left = int(rng.integers(3, 9))
    events = on_samples(starts, rate_hz)
    following = [*[float(event) for event in events[1:]], float(length_s)]
    return [
        Syllable(
            start_s=event,
            stop_s=float(event) + min(coming - float(event) - CLOSURE_S, float(rng.uniform(0.2, LONGEST_S))),
            vowel=VOWELS[int(rng.integers(len(VOWELS)))],
            breathy=bool(rng.random() < 0.5),
            stress=float(rng.uniform(0.85, 1.15)),
        )
        for event, coming in zip(events, following, strict=True)
    ]


def _head(
    canvas: Canvas, looks: Looks, x: float, y: float, mouth: tuple[float, float], lids: float, glance: float
) -> None:
    opening, width = mouth
    drop = 34 * opening
    dark = mix(looks.skin, (60, 20, 0), 0.22)
    canvas.box(430, 780, 1170, 1200, looks.shirt, radius=150)
    canvas.ellipse(x, y - 60, 300, 320, looks.hair)
    canvas.line((x, 640), (800, 830), 190, dark)
    canvas.ellipse(800, 815, 130, 46, dark)
    for side in (-1, 1):
        canvas.ellipse(x + side * 248, y + 20, 40, 62, mix(looks.skin, dark, 0.5))
    canvas.ellipse(x, y, 245, 270, looks.skin)
    canvas.ellipse(x, y + 140 + drop * 0.8, 178, 182, looks.skin)
    canvas.ellipse(x, y - 235, 225, 92, looks.hair)
    canvas.ellipse(x - 150, y - 190, 105, 95, looks.hair, turn=-0.6)
    for side in (-1, 1):
        ex, ey = x + side * 98, y - 20
        canvas.ellipse(ex, ey, 46, 30, rgb("ffffff"))
        canvas.disc(ex + glance, ey, 20, rgb("4b3621"))
        canvas.disc(ex + glance, ey, 10, rgb("120c08"))
        canvas.disc(ex + glance + 7, ey - 7, 5, rgb("ffffff"))
        if lids > 0.02:
            canvas.ellipse(ex, ey - 32 * (1 - lids), 48, 32 * lids, looks.skin)
            canvas.line((ex - 42, ey + 4), (ex + 42, ey + 4), 6, dark, alpha=lids)
        brow = y - 82 - 12 * opening
        canvas.path([(ex - 46, brow + 8), (ex, brow - 3), (ex + 46, brow + 8)], 15, looks.hair)
        canvas.ellipse(x + side * 140, y + 90, 44, 30, rgb("e5735c"), alpha=0.25)
    canvas.path([(x - 6, y + 10), (x - 26, y + 82), (x + 14, y + 86)], 11, dark)
    _mouth(canvas, x, y + 168, opening, width)


def _mouth(canvas: Canvas, x: float, y: float, opening: float, width: float) -> None:
    half = 52 + 52 * width
    tall = 74 * opening
    lip = rgb("b5483f")
    canvas.ellipse(x, y + 0.6 * tall, half + 14, tall + 15, lip)
    if opening < 0.03:
        canvas.path([(x - half - 8, y - 5), (x, y + 3), (x + half + 8, y - 5)], 5, rgb("7d2a26"))
        return
    canvas.ellipse(x, y + 0.6 * tall, half, tall, rgb("3d0f12"))
    if tall > 14:
        canvas.ellipse(x, y + 0.6 * tall + 0.62 * tall, 0.6 * half, 0.32 * tall, rgb("d4696b"))
        canvas.ellipse(x, y + 0.6 * tall - 0.66 * tall, 0.62 * half, 0.24 * tall, rgb("fbf7f0"))


def _room(canvas: Canvas) -> None:
    canvas.gradient(-200, 1100, rgb("cdb4db"), rgb("a2b6df"))
    canvas.disc(260, 260, 190, rgb("ffc8dd"), alpha=0.6)
    canvas.disc(1380, 640, 260, rgb("bde0fe"), alpha=0.6)
    canvas.box(1180, 120, 1500, 150, rgb("7d5a50"), radius=6)
    for k, (size, colour) in enumerate(((110, "e76f51"), (130, "264653"), (95, "e9c46a"), (120, "2a9d8f"))):
        canvas.box(1200 + 52 * k, 120 - size, 1246 + 52 * k, 120, rgb(colour), radius=4)
    canvas.box(130, 560, 250, 700, rgb("f4f1ea"), radius=16)
    for lean in (-0.6, 0.0, 0.6):
        top = (190 + 150 * math.sin(lean), 560 - 150 * math.cos(lean))
        canvas.line((190, 560), top, 9, rgb("588157"))
        canvas.ellipse(top[0], top[1], 30, 64, rgb("6a994e"), turn=lean)
    canvas.box(-300, 700, 1900, 724, rgb("8e7cc3"), alpha=0.35)


KIND = SceneKind(description="a face speaks in made-up syllables", genre="speech", ambiguous=False, stage=stage)
