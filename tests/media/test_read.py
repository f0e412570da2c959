"""Wanted frames of a clip, against OpenCV's frames and the stamps that the ffmpeg command prints."""

from __future__ import annotations

import shutil
import subprocess
import tracemalloc
import weakref
from bisect import bisect_right
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from builds import build, card_file, settings
from hypothesis import given
from hypothesis import strategies as st
from readers import FFMPEG, opencv_frames

from offbeat.dataset.folder import Dataset
from offbeat.dataset.variant import Variant
from offbeat.errors import MediaError
from offbeat.media.read import chosen, read_frames, read_grid, read_images
from offbeat.media.synth.testcard import read_code
from offbeat.media.values import Grid

RATES = [Fraction(2), Fraction(8), Fraction(15, 2), Fraction(25), Fraction(90)]


def stamps_of(path: Path) -> list[Fraction]:
    """When each frame is shown, as the ffmpeg command decodes it."""
    command = [FFMPEG, "-v", "error", "-i", str(path), "-an", "-fps_mode", "passthrough", "-f", "framehash", "-"]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    (base,) = [line.split()[-1] for line in lines if line.startswith("#tb")]
    return [int(line.split(",")[2]) * Fraction(base) for line in lines if not line.startswith("#")]


def both_layouts(sources: Path, out: Path, **changes: object) -> list[Dataset]:
    return [build(sources, out / one, settings(**changes, layout=one))[1] for one in ("files", "compact")]


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    folder = tmp_path_factory.mktemp("read")
    card_file(folder / "in" / "card.mp4", fps=Fraction(30000, 1001))
    return both_layouts(folder / "in", folder, lengths_s=(3,), delays_s=(0,))


@pytest.fixture
def variant(cards: list[Dataset]) -> Variant:
    return cards[0].variants[0]


@pytest.mark.parametrize("fps", RATES)
def test_each_is_the_last_that_begins_at_or_before_its_moment(cards: list[Dataset], fps: Fraction) -> None:
    path = cards[0].variants[0].path
    stamps, codes = stamps_of(path), [read_code(image) for image in opencv_frames(path)]
    assert len(set(codes)) == len(codes) == 90
    for dataset in cards:
        (shown,) = dataset.variants
        numbers = shown.grid().at_rate(fps)
        expected = [codes[bisect_right(stamps, k / fps) - 1] for k in range(len(numbers))]
        assert [read_code(image) for image in shown.images(numbers)] == expected
        assert len(numbers) / fps > stamps[-1], "up to the last frame"
        frames = shown.frames(fps=fps, grey=True, height=45)
        assert [read_code(image) for image in frames.images] == expected
        assert frames.fps == fps


@pytest.mark.parametrize(
    "name",
    [
        "instrument_27_drums_long.mp4",
        "animals_01_dog_shih_tzu.mp4",
        pytest.param("speech_en_08_webcam_artcritic.mp4", marks=pytest.mark.slow),
    ],
)
def test_of_real_clips_too(shared_media: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(shared_media / name, tmp_path / "in")
    datasets = both_layouts(tmp_path / "in", tmp_path, lengths_s=(2,), delays_s=(0,))
    found = [list(one.variants[0].images(one.variants[0].grid().at_rate(Fraction(4)))) for one in datasets]
    np.testing.assert_array_equal(found[0], found[1])
    path = datasets[0].variants[0].path
    stamps, theirs = stamps_of(path), [frame[::8, ::8, ::-1].astype(np.int16) for frame in opencv_frames(path)]
    told = 0
    for k, image in enumerate(found[0]):
        errors = [np.abs(image[::8, ::8] - other).mean() for other in theirs]
        number = bisect_right(stamps, Fraction(k, 4)) - 1
        assert errors[number] == min(errors), f"what is shown at {k / 4} s is not frame {number}"
        told += sorted(errors)[1] > 2 * errors[number]
    assert told > len(found[0]) / 2, "or a frame is hardly told from its neighbours"
    assert read_grid(path) == Grid(len(theirs), 1 / (stamps[1] - stamps[0]))


def test_any_order_as_often_as_named(variant: Variant) -> None:
    whole = variant.frames()
    numbers = [5, 5, 80, 3, 5, 0, 89]
    np.testing.assert_array_equal(list(variant.images(numbers)), whole.images[numbers])
    assert list(variant.images([])) == []


def test_scaled_alike_whether_few_or_all(variant: Variant) -> None:
    whole = read_frames(variant.path, height=32, grey=True)
    assert whole.images.shape == (90, 32, 57)
    np.testing.assert_array_equal(variant.frames(height=32, grey=True).images, whole.images)
    np.testing.assert_array_equal(list(variant.images([7, 8], height=32, grey=True)), whole.images[7:9])
    assert next(variant.images([0], height=900)).shape == (90, 160, 3), "never larger than it is"


def test_one_at_a_time(shared_media: Path) -> None:
    """Of sixty full frames, never more than a few are in memory."""
    path = shared_media / "sports_03_tennis_atp3.mp4"
    tracemalloc.start()
    try:
        sizes = {image.nbytes for image in read_images(path, range(60))}
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sizes == {1920 * 1080 * 3}
    assert peak < 4 * 1920 * 1080 * 3


def test_no_more_is_decoded_and_held_than_needed() -> None:
    class Frame:
        def __init__(self, number: int) -> None:
            self.number = number

    made: list[weakref.ref[Frame]] = []

    def decoded():
        for number in range(100):
            frame = Frame(number)
            made.append(weakref.ref(frame))
            yield frame
            del frame

    most, found = 0, []
    for frame in chosen(decoded(), [2, 30, 30, 50], path=Path("x")):
        found.append(frame.number)
        del frame
        most = max(most, sum(ref() is not None for ref in made))
    assert found == [2, 30, 30, 50]
    assert len(made) == 51, "decoding ends with the last one wanted"
    assert most <= 2


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_clip_that_breaks_off_is_said_to_be_damaged(variant: Variant, tmp_path: Path, share: float) -> None:
    """Its index stands at its front: it opens, and says that it has all frames."""
    whole = variant.path.read_bytes()
    broken = Variant(row=variant.row, folder=tmp_path)
    broken.path.parent.mkdir()
    broken.path.write_bytes(whole[: int(len(whole) * share)])
    assert broken.grid().count == 90
    for read in (lambda: list(broken.images([89])), broken.frames, lambda: broken.frames(fps=30)):
        with pytest.raises(MediaError) as caught:
            read()
        assert caught.value.reason == "damaged"
        assert broken.path.name in str(caught.value)


def test_what_is_no_clip_is_refused(variant: Variant, tmp_path: Path) -> None:
    other = Variant(row=variant.row, folder=tmp_path)
    with pytest.raises(MediaError) as caught:
        other.grid()
    assert caught.value.reason == "not_found"
    other.path.parent.mkdir()
    other.path.write_text("<html>")
    with pytest.raises(MediaError) as caught:
        list(other.images([0]))
    assert caught.value.reason == "not_media"
    with pytest.raises(MediaError, match="frame 90"):
        list(variant.images([90]))


RATE = st.sampled_from(
    [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60), Fraction(14963, 1000)]
)


@given(st.integers(1, 60), RATE, st.fractions(0, 20, max_denominator=1000))
def test_the_grid_against_counting(count: int, fps: Fraction, time_s: Fraction) -> None:
    begun = [k for k in range(count) if k / fps <= time_s]
    assert Grid(count, fps).shown_at(time_s) == begun[-1]


@given(st.integers(1, 60), RATE, st.sampled_from(RATES))
def test_a_rate_against_counting(count: int, fps: Fraction, wanted: Fraction) -> None:
    moments = [k / wanted for k in range(600) if k / wanted <= (count - 1) / fps]
    grid = Grid(count, fps)
    assert grid.at_rate(wanted) == tuple(grid.shown_at(moment) for moment in moments)


def test_the_frames_own_rate_is_every_frame() -> None:
    for fps in (Fraction(30000, 1001), Fraction(25)):
        assert Grid(90, fps).at_rate(fps) == tuple(range(90))
    assert Grid(90, Fraction(30000, 1001)).at_rate(Fraction(2)) == (0, 14, 29, 44, 59, 74)
    assert Grid(90, Fraction(30000, 1001)).at_rate(Fraction(3)) == (0, 9, 19, 29, 39, 49, 59, 69, 79)
    assert Grid(90, Fraction(30)).length_s == 3


@pytest.mark.parametrize("spoilt", [(0, Fraction(25)), (10, Fraction(0)), (10, Fraction(-1))])
def test_no_grid_of_nothing(spoilt: tuple[int, Fraction]) -> None:
    with pytest.raises(ValueError, match=r"at least one frame|must be positive"):
        Grid(*spoilt)


def test_nothing_before_the_beginning() -> None:
    grid = Grid(10, Fraction(25))
    with pytest.raises(ValueError, match="before 0 s"):
        grid.shown_at(Fraction(-1, 100))
    with pytest.raises(ValueError, match="must be positive"):
        grid.at_rate(Fraction(0))
