"""How much of a file is looked at: bounds that hold before and while a stranger's file is decoded.

A few kilobytes can claim a picture of gigabytes, or hold hours of sound. What lies beyond a bound is refused with the
reason `too_large`; nothing is cut to fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from offbeat.errors import MediaError


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds for one source.

    Attributes:
        file_bytes: size of the file.
        length_s: length that the container claims, and seconds of sound that really decode.
        clock_s: from the first stamp to the last one; a broken clock may jump further than the material lasts.
        pixels: width times height, claimed or decoded.
        streams: in the container.
        frames: of the picture.
        channels: of the sound track.
        audio_hz: rate of the sound track.
    """

    file_bytes: int = 20 << 30
    length_s: Fraction = Fraction(6 * 3600)
    clock_s: Fraction = Fraction(48 * 3600)
    pixels: int = 8192 * 4320
    streams: int = 32
    frames: int = 6 * 3600 * 120
    channels: int = 64
    audio_hz: int = 768_000

    def check(self, path: Path, what: str, found: float | Fraction, bound: float | Fraction) -> None:
        """Refuse what is more than its bound.

        Raises:
            MediaError: `too_large`.
        """
        if found > bound:
            raise MediaError(f"{path}: {what} {_said(found)}; expected at most {_said(bound)}", reason="too_large")


LIMITS = Limits()
"""What is used where nothing else is said."""


def _said(value: float | Fraction) -> str:
    return f"{float(value):,.6g}" if value < 1e6 else f"{round(value):,}"
