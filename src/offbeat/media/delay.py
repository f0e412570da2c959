"""Measure where a piece of sound comes from: the proof that a written variant has the delay that its row says.

The decoded sound is searched for in the source's span, over every position, without being told the nominal one: the
normalised cross-correlation

    r(k) = sum_i x(i) y(k + i) / (|x| |y_k|),   y_k = the span's samples k ... k + n - 1,

coarsely on every eighth sample of smoothed signals by FFT, then at full rate around the best places, then between
samples by a parabola through the peak. The coarse search hears the low end alone: where it finds several places about
as good, the full rate decides between them, and where none of them is good at full rate, the search is done again on
every fourth sample.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offbeat.fourier import fast_length

Floats = NDArray[np.float32]

_STEPS = (8, 4)
_CANDIDATES = 5
_CERTAIN = 0.9
"""A match this good at full rate needs no rivals but those that are as good in the coarse ..."""
_RIVAL = 0.02
"""... or worse by no more than this."""
_REACH = 8
"""How far around a coarse peak the fine search goes."""
_GRAIN = 64
"""Lengths of transforms are a multiple of this: many factors 2 make them quick."""
_BLOCK = 8192
"""So many samples at full rate stay in the cache."""
_QUIET = 1e-5
"""RMS below -100 dBFS: there is nothing to find."""


@dataclass(frozen=True, slots=True)
class Match:
    """Where a piece was found.

    Attributes:
        position_samples: index in the span at which the piece starts, between samples.
        correlation: r at the peak; 1 for an exact copy.
    """

    position_samples: float
    correlation: float


class Locator:
    """Finds pieces in one span; what can be computed once for all pieces is, when it is first needed.

    Attributes:
        span: float32, shape (n,): the source's sound, mono.
    """

    def __init__(self, span: Floats) -> None:
        self.span = span
        self._coarse: dict[int, _Coarse] = {}

    def find(self, piece: Floats) -> Match | None:
        """The best place for `piece`, float32, shape (n,); None where it is digital silence or longer than the span."""
        if len(piece) > len(self.span) or np.sqrt(np.mean(np.square(piece))) < _QUIET:
            return None
        best: Match | None = None
        for step in _STEPS:
            if step not in self._coarse:
                self._coarse[step] = _Coarse(self.span, step)
            highest = 0.0
            for place, score in self._coarse[step].places(piece):
                highest = max(highest, score)
                if best is not None and best.correlation > _CERTAIN and score < highest - _RIVAL:
                    break
                match = self._refine(piece, place)
                if best is None or match.correlation > best.correlation:
                    best = match
            if best is not None and best.correlation > _CERTAIN:
                break
        return best

    def correlation_at(self, piece: Floats, position_samples: int) -> float:
        """The correlation at one place, to compare a rival with."""
        return float(self._correlations(piece, position_samples, position_samples)[0])

    def _refine(self, piece: Floats, around: int) -> Match:
        last = min(len(self.span) - len(piece), around + _REACH)
        first = max(0, min(last, around - _REACH))
        r = self._correlations(piece, first, last)
        k = int(np.argmax(r))
        shift = 0.0
        if 0 < k < len(r) - 1:
            bend = r[k - 1] - 2 * r[k] + r[k + 1]
            shift = float(0.5 * (r[k - 1] - r[k + 1]) / bend) if bend < 0 else 0.0
        return Match(position_samples=first + k + shift, correlation=float(r[k]))

    def _correlations(self, piece: Floats, first: int, last: int) -> NDArray[np.float64]:
        """The correlation r(k) for k = first ... last."""
        product = np.zeros(last - first + 1)
        energy = piece_energy = 0.0
        # A block at a time: it stays in the cache, and is too short for threads of BLAS, which would spin beside the
        # workers that already fill the cores.
        for at in range(0, len(piece), _BLOCK):
            part = piece[at : at + _BLOCK].astype(np.float64)
            held = self.span[first + at : last + at + len(part)].astype(np.float64)
            product += np.correlate(held, part, "valid")
            energy += float(held[: len(part)] @ held[: len(part)])
            piece_energy += float(part @ part)
        lost = np.square(self.span[first:last], dtype=np.float64)
        gained = np.square(self.span[first + len(piece) : last + len(piece)], dtype=np.float64)
        energies = energy + np.concatenate([[0.0], np.cumsum(gained - lost)])
        return product / np.sqrt(np.maximum(energies, 1e-12) * piece_energy)


class _Coarse:
    """A span at a lower rate, and its spectrum.

    Args:
        span: at full rate.
        step: of how many samples each mean is taken.
    """

    def __init__(self, span: Floats, step: int) -> None:
        self._step = step
        signal = _means(span, step)
        self._count = len(signal)
        # What wraps around is no place at which a piece fits.
        self._size = _GRAIN * fast_length(-(-self._count // _GRAIN))
        self._spectrum = _spectrum(signal, self._size)
        self._energy = np.concatenate([[0.0], np.cumsum(np.square(signal, dtype=np.float64))])
        self._norms: Floats = np.zeros(0, np.float32)  # those for the last length of a piece: all are as long, mostly

    def places(self, piece: Floats) -> Iterator[tuple[int, float]]:
        """The best places for a piece, in samples at full rate, and the correlation at each, highest first."""
        means = _means(piece, self._step)
        product = np.fft.irfft(np.conj(_spectrum(means, self._size)) * self._spectrum, self._size, norm="ortho")
        last = self._count - len(means)
        if len(self._norms) != last + 1:
            energy = self._energy[len(means) :][: last + 1] - self._energy[: last + 1]
            self._norms = np.sqrt(np.maximum(energy, 1e-12)).astype(np.float32)
        score = product[: last + 1] / self._norms
        scale = math.sqrt(self._size / max(float(means @ means), 1e-12))
        for number in range(_CANDIDATES):
            peak = int(np.argmax(score))
            if number and not score[peak] > 0:
                break
            yield peak * self._step, float(score[peak]) * scale
            score[max(0, peak - 2) : peak + 3] = -np.inf


def _spectrum(signal: Floats, size: int) -> NDArray[np.complex64]:
    """Of zeros after the signal, up to `size`."""
    # Without a norm, numpy 2 transforms float32 in double precision, which takes three times as long.
    return np.fft.rfft(signal, size, norm="ortho").astype(np.complex64, copy=False)


def _means(signal: Floats, count: int) -> Floats:
    """Mean of each `count` samples, shape (n // count,)."""
    whole = len(signal) // count * count
    return np.einsum("ij->i", signal[:whole].reshape(-1, count)) / np.float32(count)
