"""What a build will take, before it is begun: rough figures from the plan alone.

The constants were measured with `benchmarks/build.py` on 720p material; real material varies by a factor of two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from offbeat.dataset.build import Planned
from offbeat.dataset.settings import BuildSettings
from offbeat.media.geometry import fitted

_PICTURE_BYTES_PER_PIXEL = 0.012
_SOUND_BYTES_PER_S = {"aac": 24_000, "flac": 90_000}
_PICTURE_CPU_S_PER_PIXEL = {"encode": 20e-9, "copy": 6e-9}
_LOOK_CPU_S_PER_PIXEL = 6e-9
"""Of a window that is decoded and measured only; with a condition not all of them are."""
_VARIANT_CPU_S_PER_S = {"aac": 0.013, "flac": 0.007}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a build will take.

    Attributes:
        clips: how many.
        variants: clips times delays.
        size_bytes: on disk.
        cpu_s: seconds of one core.
    """

    clips: int
    variants: int
    size_bytes: int
    cpu_s: float


def estimate(planned: Iterable[Planned], settings: BuildSettings) -> Estimate:
    """Add up over all planned clips."""
    clips, size, cpu = 0, 0.0, 0.0
    delays = len(settings.delays_s)
    for one in planned:
        if one.offered.scanned is None:
            continue
        geometry = fitted(one.offered.scanned.geometry, settings.height)
        for clip in one.plan.clips:
            clips += 1
            pixels = clip.frames * geometry.width * geometry.height
            length_s = float(clip.length_s)
            picture = pixels * _PICTURE_BYTES_PER_PIXEL
            if settings.layout == "compact":
                reach_s = length_s + float(max(0, *settings.delays_s) - min(0, *settings.delays_s))
                size += picture + reach_s * _SOUND_BYTES_PER_S["flac"]
            else:
                size += delays * (picture + length_s * _SOUND_BYTES_PER_S[settings.audio])
            cpu += len(clip.alternatives) * pixels * _LOOK_CPU_S_PER_PIXEL
            cpu += (
                pixels * _PICTURE_CPU_S_PER_PIXEL[settings.picture]
                + delays * length_s * _VARIANT_CPU_S_PER_S[settings.audio]
            )
    return Estimate(clips=clips, variants=clips * delays, size_bytes=round(size), cpu_s=cpu)
