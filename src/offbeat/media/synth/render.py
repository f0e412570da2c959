"""All kinds of scenes by name, and making one of them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

import numpy as np

from offbeat.media.synth import bounce, chopping, drums, face, metronome, tennis, typist
from offbeat.media.synth.camera import film
from offbeat.media.synth.scene import Scene, SceneKind
from offbeat.timing import round_half_up

SCENES: Mapping[str, SceneKind] = MappingProxyType(
    {
        "bounce": bounce.KIND,
        "drums": drums.KIND,
        "typist": typist.KIND,
        "face": face.KIND,
        "tennis": tennis.KIND,
        "chopping": chopping.KIND,
        "metronome": metronome.KIND,
    }
)
"""The kinds by name."""


def render_scene(
    name: str,
    *,
    length_s: Fraction,
    fps: Fraction = Fraction(30),
    width: int = 640,
    height: int = 360,
    rate_hz: int = 48000,
    seed: int,
) -> Scene:
    """Make up a scene; the same arguments give the same events, samples and pixels.

    Args:
        name: one of `SCENES`.
        length_s: how long.
        fps: frames a second.
        width: in pixels.
        height: in pixels.
        rate_hz: samples a second.
        seed: another one gives other events, another sound and another light.

    Raises:
        ValueError: no such scene, or one shorter than a second, or smaller than 64x36.
    """
    if name not in SCENES:
        raise ValueError(f"there is no scene {name!r}; there are {', '.join(SCENES)}")
    if length_s < 1 or fps <= 0:
        raise ValueError(f"expected at least 1 s at more than 0 frames a second, got {float(length_s)} s at {fps}")
    if width < 64 or height < 36:
        raise ValueError(f"{width}x{height} is too small to see anything; expected at least 64x36")
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    staging_rng, camera_rng = rng.spawn(2)
    staging = SCENES[name].stage(length_s=length_s, rate_hz=rate_hz, rng=staging_rng)
    return Scene(
        name=name,
        events_s=staging.events_s,
        sound=staging.sound,
        fps=fps,
        frame_count=round_half_up(length_s * fps),
        draw=film(staging.backdrop, staging.action, width=width, height=height, rng=camera_rng),
        gap=staging.gap,
    )
