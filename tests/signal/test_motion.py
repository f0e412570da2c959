"""Motion of tiles against a loop over pixels."""

from fractions import Fraction

import numpy as np
import pytest

from offbeat.media.values import Frames
from offbeat.signal.motion import MOST_COLUMNS, TILE_ROWS, measure_motion


def grey(images: np.ndarray) -> Frames:
    return Frames(images=images.astype(np.uint8), fps=Fraction(25))


def test_each_tile_is_the_mean_absolute_difference():
    images = np.random.default_rng(0).integers(0, 256, size=(4, 72, 128))
    motion = measure_motion(grey(images))
    assert [level.shape[1] for level in motion.levels] == [8 * 14, 4 * 7, 1]
    change = np.abs(np.diff(images, axis=0)).astype(float)
    np.testing.assert_allclose(motion.levels[2][1:, 0], change.mean(axis=(1, 2)), rtol=1e-6)
    columns = np.round(np.linspace(0, 128, 15)).astype(int)
    expected = change[:, 9:18, columns[3] : columns[4]].mean(axis=(1, 2))
    np.testing.assert_allclose(motion.levels[0][1:, 14 + 3], expected, rtol=1e-6)


def test_the_first_frame_moves_like_the_second():
    motion = measure_motion(grey(np.random.default_rng(1).integers(0, 256, size=(5, 72, 96))))
    for level in motion.levels:
        np.testing.assert_array_equal(level[0], level[1])


def test_a_change_in_frame_k_is_motion_of_frame_k():
    images = np.zeros((10, 72, 96))
    images[6:] = 100
    assert list(measure_motion(grey(images)).levels[-1][:, 0]) == [0] * 6 + [100] + [0] * 3


@pytest.mark.parametrize("shape", [(3, 1, 1), (3, 2, 300), (3, 300, 2), (3, 20, 1840), (1, 72, 128)])
def test_odd_shapes_have_tiles_too(shape):
    motion = measure_motion(grey(np.zeros(shape)))
    assert motion.count == shape[0]
    assert all(1 <= level.shape[1] <= rows * MOST_COLUMNS for level, rows in zip(motion.levels, TILE_ROWS, strict=True))


def test_colour_and_nothing_are_refused():
    with pytest.raises(ValueError, match="grey"):
        measure_motion(grey(np.zeros((3, 72, 128, 3))))
    with pytest.raises(ValueError, match="at least one frame"):
        measure_motion(grey(np.zeros((0, 72, 128))))
