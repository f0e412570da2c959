"""Read a written variant back and prove what its row will say.

Read again are: where the two streams start, how long they last, that the picture's header, packets and stamps are the
clip's own, and where in the source the decoded sound really comes from. Sound that was coded without loss is compared
with the source's, sample by sample, at the place where it should come from (`offbeat.media.lossless`); other sound is
looked up in the source's, over every position (`offbeat.media.delay`).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.decode import joined, samples_of_all
from offbeat.media.delay import Locator
from offbeat.media.lossless import is_quiet, repeats
from offbeat.media.opening import exact, open_media, picture_stream, sound_stream
from offbeat.media.span import RoundedSpan
from offbeat.media.write import AUDIO_HZ, Content, header_of, to_count

TOLERANCE_MS = 0.1
_DECODED = "aac,flac"
"""The picture is compared packet by packet; while opening, FFmpeg would decode its first frames, to no end here."""
_RECOGNISED = 0.5
"""Below this correlation the sound was not found again: nothing is claimed."""
_TIE = 0.002
"""Two places whose correlations differ by less are the same to the ear: the sound repeats itself."""


def read_back(path: Path, *, length_s: Fraction, picture_packets: Sequence[Content]) -> AudioFrame:
    """Decode the sound of a written variant, and compare its picture with the clip's own.

    Args:
        path: the file.
        length_s: how long its picture is to last.
        picture_packets: the clip's header and packets, in order.

    Returns:
        All of the sound in one frame, as it was decoded: as many samples as the picture lasts, or more.

    Raises:
        MediaError: `unproven`: a stream does not start at 0, the picture is not the clip's, or the sound is shorter.
    """
    frames: list[AudioFrame] = []
    with open_media(path, codec_whitelist=_DECODED) as container:
        picture, sound = picture_stream(container, path), sound_stream(container, path)
        for stream in (picture, sound):
            if stream.start_time != 0:
                raise _unproven(path, f"its {stream.type} starts at {stream.start_time} ticks", "0")
        lasts_s = (picture.duration or 0) * exact(picture.time_base or Fraction(0))
        if lasts_s != length_s:
            raise _unproven(path, f"its picture lasts {float(lasts_s)} s", f"{float(length_s)} s")
        packets = [header_of(picture)]
        for packet in container.demux(picture, sound):
            if not isinstance(packet.stream, VideoStream):
                frames += [frame for frame in packet.decode() if isinstance(frame, AudioFrame)]
            elif packet.size:
                packets.append((packet.pts, packet.dts, bytes(packet)))
    if packets != [*picture_packets]:
        raise _unproven(path, f"it has {len(packets) - 1} packets of picture, or others", "the clip's own")
    heard = joined(frames)
    count = to_count(length_s)
    if heard is None or heard.samples < count:
        raise _unproven(path, f"it has {0 if heard is None else heard.samples} samples of sound", f"{count}")
    return heard


def lossless_delay_ms(
    path: Path,
    heard: AudioFrame,
    span: RoundedSpan,
    *,
    position_samples: int,
    count: int,
    sync_position_samples: int,
    audio_delay_ms: float,
) -> float | None:
    """The delay of sound that was coded without loss, after comparing it with the source's; None where nobody can tell.

    Args:
        path: for the error's text.
        heard: what was read back.
        span: the source's.
        position_samples: from where in the span the sound should come.
        count: how many samples are heard with the picture.
        sync_position_samples: where in the span the sound would be at a delay of 0.
        audio_delay_ms: what the delay should be.

    Raises:
        MediaError: `unproven`: a sample is another one, or the sound is found elsewhere than where it should be.
    """
    expected = span.steps[position_samples : position_samples + count]
    found = heard.to_ndarray().reshape(heard.samples, -1)[:count]
    if heard.format.name != "s16" or not np.array_equal(found, expected):
        measured_delay_ms(
            path,
            mono_of(heard, count),
            Locator(span.sound.mono()),
            sync_position_samples=sync_position_samples,
            audio_delay_ms=audio_delay_ms,
        )  # raises where it has moved, and says by how much
        raise _unproven(path, "its sound differs from the source's where it should come from", "the same samples")
    found_ms = (sync_position_samples - position_samples) * 1000 / AUDIO_HZ
    if abs(found_ms - audio_delay_ms) > TOLERANCE_MS:
        raise _unproven(path, f"its sound is delayed by {found_ms:.3f} ms", f"{audio_delay_ms:.3f} ms")
    if is_quiet(expected) or repeats(span.steps, position_samples, count):
        return None
    return round(found_ms, 3) + 0.0  # no minus zero


def measured_delay_ms(
    path: Path, samples: NDArray[np.float32], locator: Locator, *, sync_position_samples: int, audio_delay_ms: float
) -> float | None:
    """The delay with which `samples` are heard, from where in the span they are found; None where nobody can tell.

    Args:
        path: for the error's text.
        samples: the decoded sound, mono.
        locator: of the source's span.
        sync_position_samples: where in the span the sound would be at a delay of 0.
        audio_delay_ms: what it should be; it is not used for the search, only to judge its result.

    Raises:
        MediaError: `unproven`: the sound is found elsewhere than where it should be.
    """
    match = locator.find(samples)
    if match is None or match.correlation < _RECOGNISED:
        return None
    measured_ms = (sync_position_samples - match.position_samples) * 1000 / AUDIO_HZ
    if abs(measured_ms - audio_delay_ms) <= TOLERANCE_MS:
        return round(measured_ms, 3) + 0.0  # no minus zero
    nominal = sync_position_samples - round(audio_delay_ms * AUDIO_HZ / 1000)
    if locator.correlation_at(samples, nominal) > match.correlation - _TIE:
        return None
    raise _unproven(path, f"its sound is delayed by {measured_ms:.3f} ms", f"{audio_delay_ms:.3f} ms")


def mono_of(heard: AudioFrame, count: int) -> NDArray[np.float32]:
    """The mean of the channels of what was read back, its first `count` samples, shape (count,)."""
    samples = samples_of_all([heard])
    return np.zeros(0, np.float32) if samples is None else samples[:, :count].mean(axis=0)


def _unproven(path: Path, found: str, expected: str) -> MediaError:
    return MediaError(f"{path}: read back, {found}; expected {expected}", reason="unproven")
