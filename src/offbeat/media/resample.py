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
_TOGETHER = 160
"""So many outputs are one product of matrices: most of its weights are 0, and it is quicker all the same."""
_PRODUCTS = 1 << 18
"""So many multiplications at once: too few for BLAS to share them out to threads of its own."""


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
    reach = half // up + 1  # input samples to either side that an output sample may need
    count = -(-samples.shape[1] * up // down)
    turns = -(-_TOGETHER // up)
    inputs, outputs = turns * down, turns * up  # after so many, inputs and outputs lie to each other as at first
    rounds = -(-count // outputs)
    channels = samples.shape[0]
    padded = np.zeros((channels, reach + max(samples.shape[1], rounds * inputs) + reach + 1), np.float32)
    padded[:, reach : reach + samples.shape[1]] = samples
    result = np.empty((channels, rounds, outputs), np.float32)
    for first in range(0, outputs, _TOGETHER):
        some = np.arange(first, min(first + _TOGETHER, outputs))
        nearest = some * down // up
        lowest = int(nearest[0])
        needed = int(nearest[-1]) - lowest + 2 * reach + 1
        at = lowest - reach + np.arange(needed)
        from_centre = half + some * down - at[:, None] * up
        inside = (from_centre >= 0) & (from_centre < len(taps))
        weights = np.where(inside, taps[np.clip(from_centre, 0, len(taps) - 1)], 0).astype(np.float32)
        windows = sliding_window_view(padded[:, lowest:], needed, axis=1)[:, ::inputs][:, :rounds]
        step = max(1, _PRODUCTS // weights.size)
        for k in range(0, rounds, step):
            part = np.ascontiguousarray(windows[:, k : k + step])
            result[:, k : k + step, first : first + len(some)] = part @ weights
    return result.reshape(channels, -1)[:, :count]


def _low_pass(up: int, down: int) -> NDArray[np.float64]:
    """The filter, at `up` times the rate of the input, with the gain that makes up for the zeros put in."""
    widest = max(up, down)
    at = np.arange(-_ZEROS * widest, _ZEROS * widest + 1)
    taps = np.sinc(at / widest) * np.kaiser(len(at), _KAISER_BETA)
    return np.asarray(up * taps / taps.sum())
