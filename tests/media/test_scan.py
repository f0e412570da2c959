from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from builds import card_file
from readers import FFMPEG

from offbeat.errors import MediaError
from offbeat.media.cut_picture import cut_picture
from offbeat.media.geometry import apply_geometry
from offbeat.media.scan import scan
from offbeat.media.stamps import constant_rate


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([FFMPEG, "-v", "error", "-y", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def card_path(tmp_path: Path) -> Path:
    card_file(tmp_path / "card.mp4", length_s=4)
    return tmp_path / "card.mp4"


def test_what_a_source_holds(card_path: Path) -> None:
    found = scan(card_path)
    assert (found.fps, found.geometry.width, found.geometry.height, found.audio_hz) == (30, 160, 90, 48_000)
    assert [span.start_s for span in found.picture] == [0]
    assert [span.stop_s for span in found.picture] == [4]
    assert len(found.sound) == 1
    assert found.sound[0].stop_s == pytest.approx(4, abs=0.03)
    assert found.levels_dbfs.max() == pytest.approx(-22, abs=6)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>not found</html>" * 100,
        b"ffconcat version 1.0\nfile card.mp4\n",
        b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:4,\ncard.mp4\n#EXT-X-ENDLIST\n",
        b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data\0\x08\0\0"
        + bytes(2048),
    ],
    ids=["nothing", "a page", "a script", "a playlist", "a sound file"],
)
def test_what_is_no_video_is_refused(content: bytes, card_path: Path) -> None:
    path = card_path.with_name("x.mp4")  # beside card.mp4, which the script and the playlist name
    path.write_bytes(content)
    with pytest.raises(MediaError, match="expected a whole MP4") as caught:
        scan(path)
    assert caught.value.reason == "not_media"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"nowhere\.mp4: no such file"):
        scan(tmp_path / "nowhere.mp4")


def test_no_sound_no_picture_silence(card_path: Path) -> None:
    for name, arguments, reason in [
        ("mute.mp4", ("-an", "-c:v", "copy"), "no_sound"),
        ("blind.mp4", ("-vn", "-c:a", "copy"), "no_picture"),
        ("silent.mp4", ("-c:v", "copy", "-af", "volume=0"), "silent"),
    ]:
        path = card_path.with_name(name)
        ffmpeg("-i", card_path, *arguments, path)
        with pytest.raises(MediaError, match=name) as caught:
            scan(path)
        assert caught.value.reason == reason


def test_names_that_look_like_protocols_or_options(card_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(card_path.parent)
    for name in ("12:30.mp4", "-i.mp4", "http:x.mp4", "na me\n.mp4"):
        Path(name).write_bytes(card_path.read_bytes())
        assert scan(Path(name)).fps == 30


def test_a_truncated_file_has_what_decodes(card_path: Path) -> None:
    whole = card_path.read_bytes()
    cut = card_path.with_name("cut.mp4")
    cut.write_bytes(whole[: len(whole) * 2 // 3])  # its index stands at the front and still names 4 s
    found = scan(cut)
    assert found.sound[-1].stop_s < 3.5


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_rotation_as_players_show_it(angle: int, tmp_path: Path) -> None:
    """Against the ffmpeg command, which turns frames by itself."""
    card_file(tmp_path / "flat.mp4", length_s=1)
    ffmpeg("-display_rotation", str(angle), "-i", tmp_path / "flat.mp4", "-c", "copy", tmp_path / "turned.mp4")
    ffmpeg("-i", tmp_path / "turned.mp4", "-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", tmp_path / "raw")
    found = scan(tmp_path / "turned.mp4")
    size = (90, 160) if angle != 180 else (160, 90)
    assert (found.geometry.width, found.geometry.height) == size
    frames = cut_picture(found.path, geometry=found.geometry, start_s=Fraction(0), fps=found.fps, count=1)
    ours = next(frames).to_ndarray(format="gray").astype(float)
    theirs = np.fromfile(tmp_path / "raw", np.uint8).reshape(size[1], size[0]).astype(float)
    assert np.abs(ours - theirs).mean() < 2


def test_oblong_pixels_become_square_and_odd_sides_even(tmp_path: Path) -> None:
    card_file(tmp_path / "card.mp4", length_s=1)
    ffmpeg("-i", tmp_path / "card.mp4", "-vf", "crop=151:81,setsar=4/3", "-pix_fmt", "yuv444p", tmp_path / "odd.mkv")
    found = scan(tmp_path / "odd.mkv")
    assert (found.geometry.width, found.geometry.height) == (200, 80)
    frames = cut_picture(found.path, geometry=found.geometry, start_s=Fraction(0), fps=found.fps, count=3)
    assert {(frame.width, frame.height, frame.format.name) for frame in frames} == {(200, 80, "yuv420p")}


def test_interlaced_pictures_keep_all_their_frames(tmp_path: Path) -> None:
    card_file(tmp_path / "card.mp4", length_s=2)
    ffmpeg(
        "-i",
        tmp_path / "card.mp4",
        "-vf",
        "crop=160:80",
        "-flags",
        "+ildct+ilme",
        "-x264-params",
        "tff=1",
        tmp_path / "laced.mp4",
    )
    found = scan(tmp_path / "laced.mp4")
    assert any(name.startswith("bwdif") for name in found.geometry.filters)
    with av.open(str(found.path)) as container:
        decoded = [(Fraction(k, 30), frame) for k, frame in enumerate(container.decode(video=0))]
    turned = list(apply_geometry(decoded, found.geometry, path=found.path))
    assert [time_s for time_s, _ in turned] == [time_s for time_s, _ in decoded]
    assert len(turned) == 60
    assert not any(frame.interlaced_frame for _, frame in turned)


def test_high_dynamic_range_is_refused_with_its_reason(tmp_path: Path) -> None:
    card_file(tmp_path / "card.mp4", length_s=1)
    tags = ("-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none:transfer=smpte2084:colorprim=bt2020")
    ffmpeg("-i", tmp_path / "card.mp4", "-c:v", "libx265", *tags, tmp_path / "hdr.mp4")
    with pytest.raises(MediaError, match=r"hdr\.mp4: high dynamic range, PQ"):
        scan(tmp_path / "hdr.mp4")


def test_cover_art_is_no_picture(tmp_path: Path) -> None:
    card_file(tmp_path / "card.mp4", length_s=1)
    ffmpeg("-i", tmp_path / "card.mp4", "-frames:v", "1", tmp_path / "cover.png")
    ffmpeg(
        *("-i", tmp_path / "card.mp4", "-i", tmp_path / "cover.png", "-map", "0:a", "-map", "1:v", "-c:a", "copy"),
        *("-c:v", "png", "-disposition:v:0", "attached_pic", tmp_path / "song.mp4"),
    )
    with pytest.raises(MediaError, match="has no picture"):
        scan(tmp_path / "song.mp4")


@pytest.mark.parametrize(
    ("guessed", "expected"),
    [
        (Fraction(2997, 100), Fraction(30000, 1001)),
        (Fraction(25), Fraction(25)),
        (Fraction(374, 25), Fraction(374, 25)),
        (Fraction(240), Fraction(60)),
    ],
)
def test_rates_snap_to_the_usual_ones(guessed: Fraction, expected: Fraction) -> None:
    assert constant_rate(guessed) == expected


def test_frames_before_the_edit_list_do_not_count(shared_media: Path) -> None:
    """This file holds 3.3 s of picture before its start, which lies between two frames; no player shows them."""
    found = scan(shared_media / "objects_07_hair_clipper.mp4")
    assert 0 < found.picture[0].start_s < 1 / found.fps
    assert len(found.picture) == 1
