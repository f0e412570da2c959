"""Lengths of Fourier transforms."""

from __future__ import annotations


def fast_length(least: int) -> int:
    """The smallest number with no prime factor above 5 that is not less than `least`: such transforms are quick.

    Raises:
        ValueError: `least` is not positive.
    """
    if least < 1:
        raise ValueError(f"a transform has at least one value, got {least}")
    best = 1 << (least - 1).bit_length()
    fives = 1
    while fives < best:
        odd = fives
        while odd < best:
            best = min(best, odd << max(0, (-(-least // odd) - 1).bit_length()))
            odd *= 3
        fives *= 5
    return best
