"""Copies against the source decoded by another program from its very beginning; and each check seen to refuse."""

from __future__ import annotations

import io
import itertools
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.error import FFmpegError
from builds import card_file
from readers import FFMPEG, frame_digests

from offbeat.errors import MediaError
from offbeat.media.copy import copy_picture, copyable_starts
from offbeat.media.copy_proof import CopyDiffersError, Taken, proved_frames, taken
from offbeat.media.picture import Picture
from offbeat.media.scan import Scan, scan

FPS = Fraction(30)
FRAMES = 60
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-g", "30")
AWKWARD = {
    "open groups": "keyint=30:min-keyint=10:open-gop=1:bframes=3:b-adapt=0:scenecut=40",
    "intra refresh": "keyint=30:intra-refresh=1:bframes=0",
    "pyramid of B-frames": "keyint=30:min-keyint=30:bframes=5:b-pyramid=normal:b-adapt=0:ref=6",
    "four slices": "keyint=30:min-keyint=30:slices=4:bframes=2",
    "one group": "keyint=infinite:bframes=3",
    "headers repeated": "keyint=30:min-keyint=30:repeat-headers=1:aud=1:bframes=2",
    "weighted prediction, explicit": "keyint=30:min-keyint=30:weightp=2:weightb=1:bframes=3:cabac=1:8x8dct=1",
    "marked as of fields": "keyint=30:min-keyint=30:fake-interlaced=1",
    "padded to a constant rate": "keyint=30:bframes=0:nal-hrd=cbr:bitrate=400:vbv-maxrate=400:vbv-bufsize=400",
}
QUICK = (("open groups", "mp4"), ("four slices", "mp4"), ("pyramid of B-frames", "ts"))
Row = tuple[bytes, int, int]
"""A packet: data, shown at, decoded at."""


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("card") / "card.mkv"
    card_file(path, length_s=5, size=256)
    return path


def encoded(card: Path, path: Path, *options: str) -> Path:
    subprocess.run([FFMPEG, "-v", "error", "-i", str(card), *X264, *options, "-c:a", "aac", str(path)], check=True)
    return path


def check_copies(scanned: Scan, folder: Path, *, lengths: tuple[int, ...], most: int) -> int:
    """Compare up to `most` copies of each length with the source, all samples of all frames; how many there were."""
    whole: list[str] = []
    made = 0
    for frames in lengths:
        starts = copyable_starts(scanned, frames)
        for start in starts[:: max(1, len(starts) // most)][:most]:
            picture = copy_picture(scanned, start_s=scanned.frame_time_s(start), fps=scanned.fps, count=frames)
            if isinstance(picture, Picture):
                whole = whole or frame_digests(scanned.path)
                (folder / "copy.mp4").write_bytes(picture.mp4)
                digests = frame_digests(folder / "copy.mp4")
                assert digests == whole[start : start + frames], f"{scanned.path} from {start}"
                made += 1
    return made


@pytest.mark.parametrize(
    ("case", "suffix"),
    [
        pytest.param(case, suffix, marks=[] if (case, suffix) in QUICK else [pytest.mark.slow])
        for suffix in ("mp4", "ts")
        for case in AWKWARD
    ],
)
def test_copies_of_awkward_streams_decode_as_the_source_does(
    case: str, suffix: str, card: Path, tmp_path: Path
) -> None:
    options = () if case == "intra refresh" else ("-preset", "medium")
    scanned = scan(encoded(card, tmp_path / f"source.{suffix}", *options, "-x264-params", AWKWARD[case]))
    made = check_copies(scanned, tmp_path, lengths=(1, 30, 58, 61), most=2)
    assert made >= 1


@pytest.mark.slow
def test_copies_of_real_clips_decode_as_the_source_does(shared_media: Path, tmp_path: Path) -> None:
    made: dict[str, int] = {}
    for path in sorted(shared_media.glob("*.mp4")):
        try:
            scanned = scan(path)
        except MediaError:
            continue  # no sound, and other things that tests of scanning look at
        if number := check_copies(scanned, tmp_path, lengths=(int(2 * scanned.fps),), most=3):
            made[path.name] = number
    assert len(made) >= 25, made


@pytest.fixture(scope="module")
def source(card: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoded(card, tmp_path_factory.mktemp("plain") / "source.mp4", "-bf", "2", "-b_strategy", "0")


@pytest.fixture(scope="module")
def copy(source: Path) -> tuple[bytes, Taken]:
    """A copy of the second group on, and what it was made of."""
    scanned = scan(source)
    picture = copy_picture(scanned, start_s=scanned.frame_time_s(30), fps=FPS, count=FRAMES)
    assert isinstance(picture, Picture), picture
    return picture.mp4, taken_from(source)


def taken_from(path: Path) -> Taken:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return taken(list(itertools.islice(container.demux(stream), 30, 30 + FRAMES)), stream)


def rows_of(mp4: bytes) -> list[Row]:
    with av.open(io.BytesIO(mp4)) as container:
        base = container.streams.video[0].time_base
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [(bytes(one), round(one.pts * base * FPS), round(one.dts * base * FPS)) for one in packets]


def remuxed(mp4: bytes, rows: list[Row], *, like: Path | None = None) -> bytes:
    """An MP4 file of these packets, with the header of the copy or that of another file."""
    buffer = io.BytesIO()
    signed = {"movflags": "+negative_cts_offsets"}
    with (
        av.open(io.BytesIO(mp4) if like is None else str(like)) as model,
        av.open(buffer, "w", format="mp4", options=signed) as output,
    ):
        stream = output.add_stream_from_template(model.streams.video[0])
        stream.time_base = 1 / FPS
        for number, (data, pts, dts) in enumerate(rows):
            packet = av.Packet(data)
            packet.pts, packet.dts, packet.duration = pts, dts, 1
            packet.time_base, packet.stream, packet.is_keyframe = 1 / FPS, stream, number % 30 == 0
            output.mux(packet)
    return buffer.getvalue()


def proved(mp4: bytes, source: Taken) -> int:
    return sum(1 for _ in proved_frames(mp4, source, fps=FPS))


def altered(row: Row, at: int) -> Row:
    data = bytearray(row[0])
    data[at] ^= 1
    return bytes(data), *row[1:]


def swapped_times(rows: list[Row]) -> list[Row]:
    first, second = rows[10], rows[11]
    return [*rows[:10], (first[0], second[1], first[2]), (second[0], first[1], second[2]), *rows[12:]]


def swapped_packets(rows: list[Row]) -> list[Row]:
    first, second = rows[10], rows[11]
    return [*rows[:10], (second[0], *first[1:]), (first[0], *second[1:]), *rows[12:]]


CHANGES: dict[str, tuple[Callable[[list[Row]], list[Row]], str]] = {
    "a bit": (
        lambda rows: [*rows[:41], altered(rows[41], -1), *rows[42:]],
        "packet 41 of its copy is not the source's",
    ),
    "the end missing": (lambda rows: rows[:-2], "its copy has 58 packets and 58 frames, not 60"),
    "one missing": (lambda rows: rows[:-1], "frame 58 of its copy is not shown at its time"),
    "a packet more": (lambda rows: [*rows, (rows[-1][0], 60, 59)], "packet 60 of its copy is not the source's"),
    "a packet left out": (lambda rows: rows[:20] + rows[21:], "packet 20 of its copy is not the source's"),
    "two exchanged": (swapped_packets, "packet 10 of its copy is not the source's"),
    "two shown in the wrong order": (swapped_times, "packet 10 of its copy is not shown at its time"),
    "all a frame late": (
        lambda rows: [(data, pts + 1, dts + 1) for data, pts, dts in rows],
        "packet 0 of its copy is not",
    ),
    "no IDR picture first": (lambda rows: rows[1:], "its copy does not begin anew"),
}


def test_a_right_copy_is_proved(copy: tuple[bytes, Taken]) -> None:
    mp4, source = copy
    assert proved(mp4, source) == FRAMES
    assert proved(remuxed(mp4, rows_of(mp4)), source) == FRAMES, "what the tests below change is right before"


@pytest.mark.parametrize("case", CHANGES)
def test_a_copy_that_differs_is_refused(case: str, copy: tuple[bytes, Taken]) -> None:
    mp4, source = copy
    change, said = CHANGES[case]
    with pytest.raises(CopyDiffersError, match=said):
        proved(remuxed(mp4, change(rows_of(mp4))), source)


def test_other_parameter_sets_are_refused(copy: tuple[bytes, Taken], card: Path, tmp_path: Path) -> None:
    """One figure in a set, the first quantiser: all decodes without complaint, to other samples."""
    mp4, source = copy
    other = encoded(card, tmp_path / "other.mp4", "-bf", "2", "-b_strategy", "0", "-qp", "40")
    wrong = remuxed(mp4, rows_of(mp4), like=other)
    with av.open(io.BytesIO(wrong)) as container:
        assert sum(not frame.is_corrupt for frame in container.decode(video=0)) == FRAMES, "nothing else would tell"
    with pytest.raises(CopyDiffersError, match="other parameter sets in its header"):
        proved(wrong, source)
    brought = inside(picture_set(other))
    rows = rows_of(mp4)
    rows[5] = (brought + rows[5][0], *rows[5][1:])
    units = (*source.units[:5], [brought[4:], *source.units[5]], *source.units[6:])
    with pytest.raises(CopyDiffersError, match="packet 5 brings other parameter sets"):
        proved(remuxed(mp4, rows), replace(source, units=units))


def test_frames_that_do_not_look_as_expected_are_refused(copy: tuple[bytes, Taken]) -> None:
    mp4, source = copy
    width, height, form, full_range, matrix = source.look
    for look in ((width, height, form, not full_range, matrix), (width, height, form, full_range, matrix + 5)):
        with pytest.raises(CopyDiffersError, match="frame 0 of its copy is"):
            proved(mp4, replace(source, look=look))


def test_frames_of_two_fields_are_refused(copy: tuple[bytes, Taken], card: Path, tmp_path: Path) -> None:
    path = encoded(card, tmp_path / "fields.mp4", "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-bf", "0")
    rows = [(data, k, k) for k, (data, _, _) in enumerate(rows_of(path.read_bytes())[30 : 30 + FRAMES])]
    with pytest.raises(CopyDiffersError, match="it is interlaced"):
        proved(remuxed(copy[0], rows, like=path), taken_from(path))


def test_damage_that_the_copy_shares_with_its_source_is_refused(copy: tuple[bytes, Taken]) -> None:
    """Equal packets, but not such as decode to whole frames: then nothing is known of them."""
    mp4, source = copy
    rows = rows_of(mp4)
    data = rows[30][0][: len(rows[30][0]) // 2]
    unit = data[-(len(source.units[30][-1]) - (len(rows[30][0]) - len(data))) :]
    whole = rows[30][0][: len(rows[30][0]) - len(source.units[30][-1]) - 4]
    rows[30] = (whole + inside(unit), *rows[30][1:])
    units = (*source.units[:30], [*source.units[30][:-1], unit], *source.units[31:])
    with pytest.raises((CopyDiffersError, FFmpegError), match=r"damaged|Invalid data"):
        proved(remuxed(mp4, rows), replace(source, units=units))


def inside(unit: bytes) -> bytes:
    """As it stands in a packet, behind its length."""
    return len(unit).to_bytes(4, "big") + unit


def picture_set(path: Path) -> bytes:
    """The parameter set of pictures in the header of a file with one of each kind (ISO/IEC 14496-15, 5.3.3.1)."""
    with av.open(str(path)) as container:
        header = container.streams.video[0].codec_context.extradata
    at = 8 + int.from_bytes(header[6:8], "big")
    assert (header[5] & 0x1F, header[at]) == (1, 1)
    return header[at + 3 : at + 3 + int.from_bytes(header[at + 1 : at + 3], "big")]


def test_after_a_change_of_parameter_sets_nothing_is_copied(source: Path, card: Path, tmp_path: Path) -> None:
    """A trap: sets that came once, in the middle of the stream, hold for all that follows, and no header says so."""
    options = ("-bf", "2", "-b_strategy", "0", "-qp", "40")
    other = encoded(card, tmp_path / "other.mp4", *options)
    first, then = rows_of(source.read_bytes())[:60], rows_of(other.read_bytes())[60:]
    then[0] = (inside(picture_set(other)) + then[0][0], *then[0][1:])
    silent = tmp_path / "silent.mp4"
    silent.write_bytes(remuxed(source.read_bytes(), [*first, *then]))
    path = tmp_path / "changing.mp4"
    command = [FFMPEG, "-v", "error", "-i", str(silent), "-i", str(source), "-map", "0:v", "-map", "1:a", "-c", "copy"]
    subprocess.run([*command, str(path)], check=True)
    scanned = scan(path)
    assert copyable_starts(scanned, 30).tolist() == [0, 30]
    note = copy_picture(scanned, start_s=scanned.frame_time_s(90), fps=FPS, count=30)
    assert isinstance(note, str)
    assert "begins anew" in note
    assert check_copies(scanned, tmp_path, lengths=(30,), most=4) == 2
    (tmp_path / "trapped.mp4").write_bytes(
        remuxed(source.read_bytes(), [(d, p - 90, t - 90) for d, p, t in then[30:60]])
    )
    trapped, whole = frame_digests(tmp_path / "trapped.mp4"), frame_digests(path)[90:120]
    assert len(trapped) == len(whole)
    assert trapped != whole, "the trap is one"


def test_a_header_that_takes_the_place_of_another_is_heeded(card: Path, tmp_path: Path) -> None:
    """A Flash file may hold several: here two recordings, one behind the other."""
    first = encoded(card, tmp_path / "first.flv", "-bf", "0", "-t", "2")
    then = encoded(card, tmp_path / "then.flv", "-bf", "0", "-t", "2", "-qp", "40", "-output_ts_offset", "2.023")
    joined = tmp_path / "joined.flv"
    joined.write_bytes(first.read_bytes() + then.read_bytes()[13:])  # what follows the file's own header
    scanned = scan(joined)
    assert copyable_starts(scanned, 30).tolist() == [0, 30]
    assert check_copies(scanned, tmp_path, lengths=(30,), most=4) == 2
    across = copy_picture(scanned, start_s=scanned.frame_time_s(30), fps=FPS, count=40)
    assert across == "its parameter sets change"
