"""What is too large is refused before it is decoded."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from builds import card_file
from messy import X264, ffmpeg

from offbeat.errors import MediaError
from offbeat.media import geometry
from offbeat.media.limits import LIMITS, Limits
from offbeat.media.opening import open_media, picture_stream
from offbeat.media.scan import scan


@pytest.fixture(scope="module")
def card_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("card") / "card.mp4"
    card_file(path, length_s=3)
    return path


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (replace(LIMITS, file_bytes=1000), r"bytes [\d.,]+; expected at most 1,000"),
        (replace(LIMITS, length_s=Fraction(1)), r"seconds of sound 1\.\d+; expected at most 1$"),
        (replace(LIMITS, clock_s=Fraction(2)), r"seconds 3(\.\d+)?; expected at most 2$"),
        (replace(LIMITS, pixels=14_399), r"pixels 14,400; expected at most 14,399"),
        (replace(LIMITS, streams=1), r"streams 2; expected at most 1"),
        (replace(LIMITS, frames=60), r"frames 61; expected at most 60"),
        (replace(LIMITS, channels=1), r"channels of sound 2; expected at most 1"),
        (replace(LIMITS, audio_hz=44_100), r"samples a second 48,000; expected at most 44,100"),
    ],
)
def test_each_bound_is_named(limits: Limits, said: str, card_path: Path) -> None:
    with pytest.raises(MediaError, match=said) as caught:
        scan(card_path, limits=limits)
    assert caught.value.reason == "too_large"


def test_the_decoder_itself_is_bounded(card_path: Path) -> None:
    with open_media(card_path) as container:
        assert picture_stream(container, card_path).codec_context.options["max_pixels"] == str(8192 * 4320)


def test_a_header_that_claims_a_huge_picture(tmp_path: Path, card_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size in the container is changed; the decoder's own is what counts, and both are looked at."""
    whole = card_path.read_bytes()
    at = whole.index(b"avc1", whole.index(b"stsd")) + 4 + 24
    assert whole[at : at + 4] == (160).to_bytes(2) + (90).to_bytes(2)
    path = tmp_path / "huge.mp4"
    path.write_bytes(whole[:at] + (65_535).to_bytes(2) * 2 + whole[at + 4 :])
    try:
        assert scan(path).geometry.coded == (160, 90)
    except MediaError as error:
        assert error.reason == "too_large"  # noqa: PT017 - either is right


def test_a_codec_nobody_keeps_up_is_not_tried(tmp_path: Path, card_path: Path) -> None:
    ffmpeg("-i", card_path, "-c:v", "qtrle", "-frames:v", "5", "-c:a", "copy", tmp_path / "old.mov")
    with pytest.raises(MediaError, match="coded as qtrle, which is not read here; convert it") as caught:
        scan(tmp_path / "old.mov")
    assert caught.value.reason == "codec_not_allowed"


def test_too_many_streams_are_not_looked_at(tmp_path: Path, card_path: Path) -> None:
    ffmpeg("-i", card_path, *["-map", "0:v"], *["-map", "0:a"] * 40, *X264, "-c:a", "copy", tmp_path / "many.mkv")
    with pytest.raises(MediaError, match="streams 41; expected at most 32"):
        scan(tmp_path / "many.mkv")


@pytest.mark.parametrize(
    ("height", "size"), [(None, (160, 90)), (90, (160, 90)), (1080, (160, 90)), (45, (78, 44)), (72, (128, 72))]
)
def test_pictures_are_made_smaller_and_never_larger(height: int | None, size: tuple[int, int], card_path: Path) -> None:
    fitted = geometry.fitted(geometry.geometry_of(card_path), height)
    assert (fitted.width, fitted.height) == size
