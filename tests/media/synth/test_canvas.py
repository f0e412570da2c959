"""The canvas against geometry, and against OpenCV's drawing."""

import cv2
import numpy as np
import pytest

from offbeat.media.synth.canvas import canvas_of, mix, rgb

WHITE = (255, 255, 255)


def share(image: np.ndarray) -> float:
    """Area that is covered, in pixels."""
    return float(image[..., 0].astype(float).sum() / 255)


def farthest(image: np.ndarray, fine: np.ndarray) -> int:
    expected = cv2.resize(fine, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_AREA)
    return int(np.abs(image[..., 0].astype(int) - expected).max())


@pytest.mark.parametrize(("x", "y", "radius"), [(800, 450, 200), (431.7, 333.3, 87.1), (800, 450, 12)])
def test_a_disc_has_the_area_of_a_circle(x, y, radius):
    canvas = canvas_of(800, 450)  # two units a pixel
    canvas.disc(x, y, radius, WHITE)
    assert share(canvas.image) == pytest.approx(np.pi * (radius / 2) ** 2, rel=0.01)


def test_an_ellipse_has_its_area_however_it_is_turned():
    for turn in (0.0, 0.7, np.pi / 2):
        canvas = canvas_of(800, 450)
        canvas.ellipse(800, 450, 200, 80, WHITE, turn=turn)
        assert share(canvas.image) == pytest.approx(np.pi * 100 * 40, rel=0.01)


def test_shapes_lie_where_opencv_draws_them():
    """OpenCV draws 16 times finer, and the picture is averaged down."""
    corners = [(300.0, 200.0), (900.0, 260.0), (1100.0, 600.0), (500.0, 700.0)]
    canvas, fine = canvas_of(400, 225), np.zeros((3600, 6400), np.uint8)
    canvas.polygon(corners, WHITE)
    cv2.fillConvexPoly(fine, (np.array(corners) * 4).astype(np.int32), 255)
    assert farthest(canvas.image, fine) < 64  # a quarter of a pixel
    canvas, fine = canvas_of(400, 225), np.zeros((3600, 6400), np.uint8)
    canvas.line((300, 200), (900, 500), 60, WHITE)
    cv2.line(fine, (1200, 800), (3600, 2000), 255, 240)
    assert farthest(canvas.image, fine) < 64  # a quarter of a pixel


def test_corners_may_go_round_either_way():
    corners = [(300.0, 200.0), (900.0, 260.0), (700.0, 600.0)]
    one, other = canvas_of(320, 180), canvas_of(320, 180)
    one.polygon(corners, WHITE)
    other.polygon(corners[::-1], WHITE)
    np.testing.assert_array_equal(one.image, other.image)


def test_a_box_ends_where_it_should():
    canvas = canvas_of(160, 90)  # ten units a pixel
    canvas.box(200, 100, 405, 300, (200, 100, 50))
    assert canvas.image[15, 30].tolist() == [200, 100, 50]
    assert canvas.image[15, 40, 0] == 100  # half covered
    assert canvas.image[15, 41, 0] == canvas.image[9, 30, 0] == 0


def test_colours_mix_evenly_and_do_not_creep():
    canvas = canvas_of(160, 90)
    canvas.box(-100, -100, 1700, 1000, (90, 90, 90))
    for _ in range(50):
        canvas.disc(800, 450, 300, (90, 90, 90), alpha=0.5)  # the same colour again changes nothing
    assert np.unique(canvas.image).tolist() == [90]
    canvas.disc(800, 450, 300, (190, 90, 90), alpha=0.5)
    assert canvas.image[45, 80].tolist() == [140, 90, 90]
    assert mix(rgb("000000"), rgb("ff8000"), 0.5) == (128, 64, 0)


def test_what_lies_outside_is_left_out():
    canvas = canvas_of(160, 90)
    canvas.disc(-500, 450, 100, WHITE)
    canvas.line((2000, 0), (3000, 900), 40, WHITE)
    canvas.polygon([(0, 1200), (100, 1200), (50, 1300)], WHITE)
    canvas.box(0, -300, 1600, -100, WHITE)
    canvas.glow(-900, 0, 100, WHITE, alpha=1)
    canvas.gradient(1000, 1200, WHITE, WHITE)
    assert canvas.image.max() == 0


def test_a_shift_moves_the_stage_by_pixels():
    still, moved = canvas_of(160, 90, margin=4), canvas_of(160, 90, margin=4, shift=(2, 1))
    for canvas in (still, moved):
        canvas.disc(800, 450, 200, WHITE)
    np.testing.assert_array_equal(moved.image[1:, 2:], still.image[:-1, :-2])
