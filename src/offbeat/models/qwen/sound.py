"""The sound as the model takes it: one channel at 16 kHz, exactly as long as the picture.

All variants of a clip then have the same number of tokens in the same places, and differ in what is heard alone. A
codec may leave a few samples more or less at the end; more than a tenth of a second is no rounding but a fault.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from offbeat.errors import ModelError
from offbeat.media.values import Sound
from offbeat.timing import to_samples

RATE_HZ = 16_000
MOST_OFF_S = Fraction(1, 10)


def heard(sound: Sound, length_s: Fraction) -> NDArray[np.float32]:
    """The samples, shape (n,); sample i is heard i / 16000 s after the picture begins.

    Resampled by a symmetric filter (`scipy.signal.resample_poly`), which moves nothing in time.

    Args:
        sound: of a variant.
        length_s: how long the picture lasts.

    Raises:
        ModelError: the sound is not as long as the picture, or is not made of finite numbers.
    """
    if abs(sound.length_s - length_s) > MOST_OFF_S:
        raise ModelError(
            f"the sound lasts {float(sound.length_s):.3f} s and the picture {float(length_s):.3f} s, expected the "
            "same; build the dataset again"
        )
    mono = sound.mono()
    if not np.isfinite(mono).all():
        raise ModelError("the sound is not made of finite numbers; build the dataset again")
    ratio = Fraction(RATE_HZ, sound.rate_hz)
    if ratio != 1:
        mono = resample_poly(mono, ratio.numerator, ratio.denominator).astype(np.float32)
    count = to_samples(length_s, RATE_HZ)
    return np.pad(mono[:count], (0, max(0, count - mono.size)))
