"""Lengths of transforms against scipy."""

import pytest
from scipy.fft import next_fast_len

from offbeat.fourier import fast_length


def test_lengths_are_those_of_scipy():
    tried = [*range(1, 3000), 180_800, 2**20 + 1, 10**7 + 19]
    assert [fast_length(least) for least in tried] == [next_fast_len(least, real=True) for least in tried]


def test_nothing_cannot_be_transformed():
    with pytest.raises(ValueError, match="got 0"):
        fast_length(0)
