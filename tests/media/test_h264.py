from __future__ import annotations

import subprocess
from pathlib import Path

import av
import pytest
from builds import card_file
from hypothesis import given
from hypothesis import strategies as st
from readers import FFMPEG

from offbeat.media.h264 import begins_anew, brings_other_sets, parameter_sets, units_of

HEADER = bytes.fromhex("01640028ffe10004670102030100026801")
"""Lengths of four bytes; one set of each kind: 67 01 02 03, and 68 01."""


def test_units_are_those_that_ffmpeg_finds(tmp_path: Path) -> None:
    """Packets behind lengths, and the same stream behind start codes, as FFmpeg rewrites it."""
    card_file(tmp_path / "card.mkv", length_s=2)
    x264 = ("-c:v", "libx264", "-g", "10", "-bf", "2", "-x264-params", "slices=3:aud=1", "-pix_fmt", "yuv420p", "-an")
    command = [FFMPEG, "-v", "error", "-i", str(tmp_path / "card.mkv"), *x264, str(tmp_path / "card.mp4")]
    subprocess.run(command, check=True)
    rewritten = [
        "-i",
        str(tmp_path / "card.mp4"),
        "-c",
        "copy",
        "-bsf:v",
        "h264_mp4toannexb",
        str(tmp_path / "card.h264"),
    ]
    subprocess.run([FFMPEG, "-v", "error", *rewritten], check=True)
    with av.open(str(tmp_path / "card.mp4")) as container:
        header = container.streams.video[0].codec_context.extradata
        packets = [packet for packet in container.demux(video=0) if packet.size]
        units = [unit for packet in packets for unit in units_of(bytes(packet), header)]
        entries = [begins_anew(units_of(bytes(packet), header)) for packet in packets]
        assert entries == [packet.is_keyframe for packet in packets]
    assert entries.count(True) >= 6
    sets = parameter_sets(header)
    found = units_of((tmp_path / "card.h264").read_bytes(), b"")
    assert [unit for unit in found if unit not in sets] == units
    assert {unit for unit in found if unit in sets} == sets
    assert len(sets) == 2


def test_zeros_between_units_belong_to_none() -> None:
    """Annex B.1: any number of them may stand before a start code and at the end."""
    data = b"\0\0\0\1\x67\1\0\0\0\0\1\x68\2\0\0\1\x65\0\0\3\0\0\0"
    assert units_of(data, b"") == [b"\x67\1", b"\x68\2", b"\x65\0\0\3"]
    assert parameter_sets(data) == {b"\x67\1", b"\x68\2"}


def test_only_other_parameter_sets_are_other() -> None:
    sets = parameter_sets(HEADER)
    assert sets == {bytes.fromhex("67010203"), bytes.fromhex("6801")}
    assert not brings_other_sets([b"\x06supplement", b"\x65picture", *sets], sets)
    assert brings_other_sets([bytes.fromhex("6802")], sets)
    assert brings_other_sets([bytes.fromhex("27010203")], sets), "the same of another importance is another one"


@pytest.mark.parametrize("data", [b"\0\0\0\5\x65abc", b"\0\0\0\4\x65abc\0\0", b"\xff\xff\xff\xffa", b"\0"])
def test_lengths_that_do_not_add_up_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="in a packet of"):
        units_of(data, HEADER)


@pytest.mark.parametrize("length", range(1, len(HEADER)))
def test_headers_that_break_off_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="header"):
        parameter_sets(HEADER[:length])


@given(st.binary(max_size=60), st.sampled_from([b"", HEADER, HEADER[:5] + b"\xff", b"\1"]))
def test_any_bytes_give_units_or_a_refusal(data: bytes, header: bytes) -> None:
    for made in (lambda: units_of(data, header), lambda: [*parameter_sets(header[:4] + data)]):
        try:
            units = made()
        except ValueError:
            continue
        assert sum(map(len, units)) <= len(data) + 4
        assert begins_anew(unit for unit in units if unit) in (True, False)
