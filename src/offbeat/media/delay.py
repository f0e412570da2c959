"""Measure where a piece of sound comes from: the proof that a written variant has the delay that its row says.

The decoded sound is searched for in the source's span, over every position, without being told the nominal one: the
normalised cross-correlation

    r(k) = sum_i x(i) y(k + i) / (|x| |y_k|),   y_k = the span's samples k ... k + n - 1,

coarsely on every fourth sample of smoothed signals by FFT, then at full rate around the best places, then between
samples by a parabola through the peak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offbeat.fourier import fast_length

Floats = NDArray[np.float32]

_COARSE = 4
_CANDIDATES = 5
_CERTAIN = 0.9
"""A match this good at full rate needs no rival."""
_REACH = 2 * _COARSE
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
    """Finds pieces in one span; what can be computed once for all pieces is.

    Attributes:
        span: float32, shape (n,): the source's sound, mono.
    """

    def __init__(self, span: Floats) -> None:
        self.span = span
        self._coarse_span = _coarse(span)
        # What wraps around is no place at which a piece fits.
        self._size = _GRAIN * fast_length(-(-len(self._coarse_span) // _GRAIN))
        self._spectrum = _spectrum(self._coarse_span, self._size)
        self._energy = np.concatenate([[0.0], np.cumsum(np.square(self._coarse_span, dtype=np.float64))])
        self._norms: Floats = np.zeros(0, np.float32)  # those for the last length of a piece: all are as long, mostly

    def find(self, piece: Floats) -> Match | None:
        """The best place for `piece`, float32, shape (n,); None where it is digital silence or longer than the span."""
        if len(piece) > len(self.span) or np.sqrt(np.mean(np.square(piece))) < _QUIET:
            return None
        best: Match | None = None
        for peak in self._coarse_peaks(_coarse(piece)):
            match = self._refine(piece, peak * _COARSE)
            if best is None or match.correlation > best.correlation:
                best = match
            if match.correlation > _CERTAIN:
                break
        return best

    def correlation_at(self, piece: Floats, position_samples: int) -> float:
        """The correlation at one place, to compare a rival with."""
        return float(self._correlations(piece, position_samples, position_samples)[0])

    def _coarse_peaks(self, piece: Floats) -> list[int]:
        product = np.fft.irfft(np.conj(_spectrum(piece, self._size)) * self._spectrum, self._size, norm="ortho")
        last = len(self._coarse_span) - len(piece)
        if len(self._norms) != last + 1:
            energy = self._energy[len(piece) :][: last + 1] - self._energy[: last + 1]
            self._norms = np.sqrt(np.maximum(energy, 1e-12)).astype(np.float32)
        score = product[: last + 1] / self._norms
        peaks: list[int] = []
        for _ in range(_CANDIDATES):
            peak = int(np.argmax(score))
            if peaks and not score[peak] > 0:
                break
            peaks.append(peak)
            score[max(0, peak - 2) : peak + 3] = -np.inf
        return peaks

    def _refine(self, piece: Floats, around: int) -> Match:
        first = max(0, around - _REACH)
        last = min(len(self.span) - len(piece), around + _REACH)
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
            product += [part @ held[k : k + len(part)] for k in range(len(product))]
            energy += float(held[: len(part)] @ held[: len(part)])
            piece_energy += float(part @ part)
        lost = np.square(self.span[first:last], dtype=np.float64)
        gained = np.square(self.span[first + len(piece) : last + len(piece)], dtype=np.float64)
        energies = energy + np.concatenate([[0.0], np.cumsum(gained - lost)])
        return product / np.sqrt(np.maximum(energies, 1e-12) * piece_energy)


def _spectrum(signal: Floats, size: int) -> NDArray[np.complex64]:
    """Of zeros after the signal, up to `size`."""
    # Without a norm, numpy 2 transforms float32 in double precision, which takes three times as long.
    return np.fft.rfft(signal, size, norm="ortho").astype(np.complex64, copy=False)


def _coarse(signal: Floats) -> Floats:
    """Mean of each four samples."""
    whole = len(signal) // _COARSE * _COARSE
    return np.einsum("ij->i", signal[:whole].reshape(-1, _COARSE)) / np.float32(_COARSE)
