from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from builds import card_file
from hypothesis import given, settings
from hypothesis import strategies as st
from readers import lag_samples

from offbeat.errors import MediaError
from offbeat.media import cut_picture as pictures
from offbeat.media.cut_picture import cut_picture
from offbeat.media.cut_sound import cut_sound
from offbeat.media.scan import scan
from offbeat.media.synth.testcard import read_code
from offbeat.media.values import Sound, SoundSpan

SPANS = [(1000, 90_000), (100_001, 160_000), (48_000 * 3 + 7, 48_000 * 3 + 5_000)]


@pytest.mark.parametrize("span", SPANS)
def test_sound_at_its_own_rate_is_the_sources_to_the_sample(span: tuple[int, int], tmp_path: Path) -> None:
    card = card_file(tmp_path / "card.mkv", length_s=5)
    piece = cut_sound(tmp_path / "card.mkv", start_samples=span[0], stop_samples=span[1], rate_hz=48_000)
    np.testing.assert_array_equal(piece.sound.samples, card.sound.samples[:, slice(*span)])


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 96_000])
@pytest.mark.parametrize("span", SPANS)
def test_resampled_sound_stays_where_it_was(rate_hz: int, span: tuple[int, int], tmp_path: Path) -> None:
    """Against a sine, whose phase at any moment is known in closed form."""
    path = tmp_path / "sine.mkv"
    _write_sine(path, rate_hz=rate_hz, length_s=5)
    piece = cut_sound(path, start_samples=span[0], stop_samples=span[1], rate_hz=48_000)
    times = np.arange(*span) / 48_000
    np.testing.assert_allclose(piece.sound.samples[0], _sine(times), atol=2e-3)


def test_a_container_offset_between_the_streams_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    _write_sine(path, rate_hz=48_000, length_s=4, late_s=Fraction(3, 2))
    scanned = scan(path)
    assert scanned.first_sound_minus_first_picture_s == pytest.approx(1.5, abs=0.001)
    piece = cut_sound(path, start_samples=96_000, stop_samples=120_000, rate_hz=48_000)
    np.testing.assert_allclose(piece.sound.samples[0], _sine(np.arange(96_000, 120_000) / 48_000 - 1.5), atol=2e-3)


def test_sound_that_is_not_there_is_refused_and_not_padded(tmp_path: Path) -> None:
    card_file(tmp_path / "card.mkv", length_s=3)
    with pytest.raises(MediaError, match=r"card\.mkv: its sound does not decode all the way") as caught:
        cut_sound(tmp_path / "card.mkv", start_samples=48_000, stop_samples=48_000 * 4, rate_hz=48_000)
    assert caught.value.reason == "sound_gap"


def test_picture_on_the_grid_has_each_frame_once(tmp_path: Path) -> None:
    fps = Fraction(30000, 1001)
    card_file(tmp_path / "card.mkv", length_s=5, fps=fps)  # Matroska rounds its stamps to 1 ms
    scanned = scan(tmp_path / "card.mkv")
    assert scanned.fps == fps
    start = scanned.frame_time_s(31)
    frames = cut_picture(tmp_path / "card.mkv", geometry=scanned.geometry, start_s=start, fps=fps, count=100)
    assert [read_code(frame.to_ndarray(format="gray")) for frame in frames] == list(range(31, 131))


def test_a_picture_that_ends_early_is_refused(tmp_path: Path) -> None:
    card_file(tmp_path / "card.mkv", length_s=3)
    scanned = scan(tmp_path / "card.mkv")
    with pytest.raises(MediaError, match="no picture decodes between"):
        list(cut_picture(scanned.path, geometry=scanned.geometry, start_s=Fraction(2), fps=scanned.fps, count=90))


@given(
    gaps=st.lists(st.integers(min_value=10, max_value=120), min_size=5, max_size=60),
    rate=st.sampled_from([Fraction(24), Fraction(30000, 1001), Fraction(15)]),
)
@settings(max_examples=100)
def test_the_grid_shows_the_last_frame_before_each_time(gaps: list[int], rate: Fraction) -> None:
    """Variable rate: against a plain search over all frames."""
    times = [Fraction(sum(gaps[:k]), 1000) for k in range(len(gaps))]
    count = max(1, int(times[-1] * rate))
    shown = list(
        pictures._on_grid(((t, t) for t in times), path=Path("x"), start_s=Fraction(0), fps=rate, count=count)  # pyright: ignore
    )
    half = Fraction(1, 2) / rate
    assert shown == [max(t for t in times if t <= k / rate + half) for k in range(count)]


def test_a_damaged_frame_is_refused_and_not_shown(tmp_path: Path) -> None:
    card_file(tmp_path / "card.mp4", length_s=3)
    with av.open(str(tmp_path / "card.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        hit = next(packet for packet in packets[20:] if packet.size > 60)
        at, damaged_s = (hit.pos or 0) + hit.size // 2, Fraction(hit.pts or 0) * (hit.time_base or 0)
    whole = bytearray((tmp_path / "card.mp4").read_bytes())
    whole[at : at + 16] = bytes(byte ^ 0xFF for byte in whole[at : at + 16])
    (tmp_path / "hit.mp4").write_bytes(whole)
    scanned = scan(tmp_path / "hit.mp4")
    assert len(scanned.picture) == 1, "its packets look whole"

    def frames(start_s: Fraction, count: int) -> list[int]:
        cut_out = cut_picture(
            scanned.path,
            geometry=scanned.geometry,
            start_s=start_s,
            fps=scanned.fps,
            count=count,
            stamped_s=scanned.frame_times_s,
        )
        return [read_code(frame.to_ndarray(format="gray")) for frame in cut_out]

    assert frames(Fraction(0), round(damaged_s * 30)) == list(range(round(damaged_s * 30)))
    with pytest.raises(MediaError, match=r"hit\.mp4: (its picture is damaged at|the frame of)") as caught:
        frames(damaged_s - Fraction(1, 10), 30)
    assert caught.value.reason == "damaged"


def test_a_frame_that_the_scan_saw_must_come(tmp_path: Path) -> None:
    card_file(tmp_path / "card.mkv", length_s=2)
    scanned = scan(tmp_path / "card.mkv")
    more = np.sort(np.append(scanned.frame_times_s, 0.55))
    with pytest.raises(MediaError, match=r"the frame of 0\.550 s does not decode"):
        list(
            cut_picture(
                scanned.path,
                geometry=scanned.geometry,
                start_s=Fraction(1, 2),
                fps=scanned.fps,
                count=10,
                stamped_s=more,
            )
        )


def test_a_span_gives_out_only_what_it_holds() -> None:
    span = SoundSpan(sound=Sound(samples=np.arange(10, dtype=np.float32)[None], rate_hz=10), start_samples=100)
    np.testing.assert_array_equal(span.slice(103, 4)[0], [3, 4, 5, 6])
    for start, count in [(99, 2), (105, 6), (200, 1)]:
        with pytest.raises(ValueError, match="the span holds 100 to 110"):
            span.slice(start, count)


def test_compressed_sound_is_found_where_it_was_synthesised(tmp_path: Path) -> None:
    card = card_file(tmp_path / "card.mp4", length_s=5)
    piece = cut_sound(tmp_path / "card.mp4", start_samples=100_000, stop_samples=196_000, rate_hz=48_000)
    assert abs(lag_samples(piece.sound.samples[0], card.sound.samples[0, 100_000:196_000])) <= 0.125


def _sine(times: np.ndarray) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * times) + 0.25 * np.sin(2 * np.pi * 1234.5 * times + 1)


def _write_sine(path: Path, *, rate_hz: int, length_s: int, late_s: Fraction = Fraction(0)) -> None:
    """A grey picture at 25 frames/s and a sum of sines, which starts `late_s` after the picture by its stamps."""
    with av.open(str(path), "w") as output:
        picture = output.add_stream("ffv1", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = output.add_stream("pcm_f32le", rate=rate_hz, layout="mono")
        for k in range(25 * length_s):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64), k, np.uint8), format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            output.mux(picture.encode(frame))
        output.mux(picture.encode(None))
        step = rate_hz // 10
        for first in range(0, rate_hz * length_s, step):
            samples = _sine(np.arange(first, first + step) / rate_hz).astype(np.float32)
            part = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
            part.sample_rate, part.pts, part.time_base = rate_hz, first + int(late_s * rate_hz), Fraction(1, rate_hz)
            output.mux(sound.encode(part))
        output.mux(sound.encode(None))
