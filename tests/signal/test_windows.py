"""Neighbourhoods against scipy.ndimage."""

import numpy as np
import pytest
from scipy import ndimage

from offbeat.signal.windows import moving_max, moving_mean, smoothed


@pytest.mark.parametrize("count", [1, 2, 7, 300])
@pytest.mark.parametrize("size", [1, 3, 41])
def test_they_are_those_of_scipy(count, size):
    values = np.random.default_rng(count).standard_normal(count)
    weights = np.hanning(size + 2)
    np.testing.assert_allclose(moving_mean(values, size), ndimage.uniform_filter1d(values, size, mode="nearest"))
    assert moving_max(values, size).tolist() == ndimage.maximum_filter1d(values, size, mode="nearest").tolist()
    np.testing.assert_allclose(
        smoothed(values, weights[1:-1]), ndimage.convolve1d(values, weights[1:-1], mode="nearest"), atol=1e-12
    )


def test_either_axis_of_a_picture():
    image = np.random.default_rng(0).uniform(0, 255, (72, 128))
    ours = moving_mean(moving_mean(image, 9), 9, axis=1)
    np.testing.assert_allclose(ours, ndimage.uniform_filter(image, 9, mode="nearest"))


def test_an_even_size_has_no_middle():
    with pytest.raises(ValueError, match="odd size, got 4"):
        moving_mean(np.zeros(9), 4)
