"""Change the rate of sound by a ratio of whole numbers, so that nothing moves.

The usual polyphase method: put up - 1 zeros between the samples, filter with a linear-phase low pass, keep each
down-th sample; only the products that are not zero are computed. The filter is a sinc with cut-off 1 / max(up, down)
of the Nyquist rate, under a Kaiser window with beta = 5, ten of its zeros long to either side: what
`scipy.signal.resample_poly` takes by default, and `tests/media/test_resample.py` compares with it. It is written out
here because importing `scipy.signal` costs more CPU than everything else that a build does before its first clip.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_KAISER_BETA = 5.0
_ZEROS = 10
"""Of the sinc, to either side."""


def resample(samples: NDArray[np.float32], *, up: int, down: int) -> NDArray[np.float32]:
    """Samples at up / down times the rate; the first sample of both is the same moment.

    Args:
        samples: shape (channels, n); zeros are assumed beyond both ends.
        up: no common divisor with `down`.
        down: as above.

    Returns:
        Shape (channels, ceil(n * up / down)).
    """
    taps = _low_pass(up, down)
    half = len(taps) // 2
    count = -(-samples.shape[1] * up // down)
    reach = half // up + 1  # input samples to either side that an output sample may need
    ends = np.zeros((samples.shape[0], reach), np.float32)
    padded = np.concatenate([ends, samples, ends], axis=1)
    result = np.empty((samples.shape[0], count), np.float32)
    for first in range(min(up, count)):  # outputs first, first + up, ... lie alike between the input samples
        nearest = first * down // up
        at = np.arange(nearest - reach, nearest + reach + 1)
        from_centre = half + first * down - at * up
        inside = (from_centre >= 0) & (from_centre < len(taps))
        weights = np.where(inside, taps[np.clip(from_centre, 0, len(taps) - 1)], 0).astype(np.float32)
        outputs = -(-(count - first) // up)
        windows = sliding_window_view(padded[:, nearest:], len(weights), axis=1)[:, ::down][:, :outputs]
        result[:, first::up] = np.einsum("cki,i->ck", windows, weights)
    return result


def _low_pass(up: int, down: int) -> NDArray[np.float64]:
    """The filter, at `up` times the rate of the input, with the gain that makes up for the zeros put in."""
    widest = max(up, down)
    at = np.arange(-_ZEROS * widest, _ZEROS * widest + 1)
    taps = np.sinc(at / widest) * np.kaiser(len(at), _KAISER_BETA)
    return np.asarray(up * taps / taps.sum())
