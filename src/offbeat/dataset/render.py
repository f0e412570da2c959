"""Render a clip: its picture once, then each variant with its slice of the sound, each proved by reading it back.

In the compact layout the picture and the sound are kept and read again; what is rendered from them is proved in the
same way, and forgotten: it can be rendered again at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from offbeat.conditions.delay import NAME
from offbeat.dataset.compact import keep_picture, keep_sound, load_material
from offbeat.dataset.curves import curves_of
from offbeat.dataset.flags import Heard, PictureFlags, listen, picture_flags, sound_flags
from offbeat.dataset.folder import CLIPS
from offbeat.dataset.plan import Clip, variant_id_of
from offbeat.dataset.schema import ClipRow, CurvesRow, VariantRow
from offbeat.dataset.selection import choose
from offbeat.dataset.settings import BuildSettings
from offbeat.dataset.sources import Source
from offbeat.dataset.window import cut_span, first_sample
from offbeat.errors import MediaError
from offbeat.files import scratch_file, sha256_of
from offbeat.media.copy import copy_picture
from offbeat.media.cut_picture import cut_picture
from offbeat.media.delay import Locator
from offbeat.media.geometry import fitted
from offbeat.media.grey import with_grey_copies
from offbeat.media.picture import Picture, encode_picture
from offbeat.media.scan import Scan
from offbeat.media.span import RoundedSpan
from offbeat.media.values import Frames, Sound
from offbeat.media.verify import lossless_delay_ms, measured_delay_ms, mono_of, read_back
from offbeat.media.write import AUDIO_HZ, VariantWriter, to_count
from offbeat.signal.motion import HEIGHT, measure_motion
from offbeat.timing import label_of, overlap_of, to_milliseconds


@dataclass(frozen=True, slots=True)
class _Cut:
    """A clip's material: what all its variants are made of."""

    picture: Picture
    note: str | None
    span: RoundedSpan
    start_samples: int
    locator: Locator
    heard: Heard
    picture_flags: PictureFlags
    curves: CurvesRow
    draws: int


@dataclass(frozen=True, slots=True)
class RenderedClip:
    """What became of a clip.

    Attributes:
        rows: its variants, in the order of the delays.
        curves: what moves and what sounds in it.
        kept: in the compact layout, what was kept of it.
    """

    rows: tuple[VariantRow, ...]
    curves: CurvesRow
    kept: ClipRow | None


def render_clip(clip: Clip, source: Source, scanned: Scan, settings: BuildSettings, folder: Path) -> RenderedClip:
    """Write all variants of a clip below `folder`, or what they are made of.

    Raises:
        MediaError: the source does not decode throughout the window, a written variant does not prove itself, or no
            window is such as `settings.select` asks for.
    """
    chosen = choose(clip, scanned, settings)
    clip = chosen.clip
    cut = _cut(clip, source, scanned, settings, draws=chosen.draws)
    if settings.layout == "compact":
        kept = _keep(clip, cut, settings, folder)
        material = load_material(folder, kept)
        cut, writer = replace(cut, span=material.span), material.writer  # what is proved is what was kept
    else:
        kept, writer = None, VariantWriter(cut.picture)
    with closing(writer):
        which = range(len(settings.delays_s))
        rows = tuple(_render(clip, source, cut, writer, settings, folder, k) for k in which)
    return RenderedClip(rows, cut.curves, kept)


def _keep(clip: Clip, cut: _Cut, settings: BuildSettings, folder: Path) -> ClipRow:
    """Write what a clip's variants share."""
    return ClipRow(
        clip_id=clip.clip_id,
        source_id=clip.source_id,
        start_s=clip.start_s,
        length_s=clip.length_s,
        picture=keep_picture(folder, clip.clip_id, cut.picture),
        sound=keep_sound(folder, clip.clip_id, cut.span),
        audio=settings.audio,
        heard_from_samples={
            _variant_id(clip, settings, delay_s): first_sample(clip, delay_s) for delay_s in settings.delays_s
        },
    )


def _cut(clip: Clip, source: Source, scanned: Scan, settings: BuildSettings, *, draws: int) -> _Cut:
    small: list[NDArray[np.uint8]] = []
    picture, note = _picture(clip, source, scanned, settings, small)
    start, count = first_sample(clip), to_count(picture.length_s)
    span = cut_span(clip, scanned, settings.delays_s)
    heard, frames = listen(span), Frames(np.stack(small), clip.fps)
    motion = measure_motion(frames)
    return _Cut(
        picture=picture,
        note=note,
        span=span,
        start_samples=start,
        locator=Locator(span.sound.mono()),
        heard=heard,
        picture_flags=picture_flags(frames, Sound(span.slice(start, count), AUDIO_HZ), motion=motion),
        curves=curves_of(clip.clip_id, motion, heard, sync_samples=start),
        draws=draws,
    )


def _picture(
    clip: Clip, source: Source, scanned: Scan, settings: BuildSettings, small: list[NDArray[np.uint8]]
) -> tuple[Picture, str | None]:
    """The picture, copied where that is asked for and possible; and where it is not possible, why.

    Grey copies of its frames are left in `small`.
    """
    scanned = replace(scanned, geometry=fitted(scanned.geometry, settings.height))
    geometry = scanned.geometry

    def seen(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        return with_grey_copies(frames, height=HEIGHT, into=small)

    def frames() -> Iterator[VideoFrame]:
        small.clear()  # what an attempt to copy may have left
        cut = cut_picture(
            source.path,
            geometry=geometry,
            start_s=clip.start_s,
            fps=clip.fps,
            count=clip.frames,
            stamped_s=scanned.frame_times_s,
        )
        return seen(cut)

    note = None
    if settings.picture == "copy":
        copied = copy_picture(scanned, start_s=clip.start_s, fps=clip.fps, count=clip.frames, through=seen)
        if isinstance(copied, Picture):
            return copied, None
        note = copied
    return encode_picture(frames(), fps=clip.fps, width=geometry.width, height=geometry.height), note


def _render(
    clip: Clip, source: Source, cut: _Cut, writer: VariantWriter, settings: BuildSettings, folder: Path, which: int
) -> VariantRow:
    delay_s = settings.delays_s[which]
    delay_ms = to_milliseconds(delay_s)
    variant_id = _variant_id(clip, settings, delay_s)
    file_name = f"{CLIPS}/{variant_id}.mp4"
    first = first_sample(clip, delay_s)
    compact = settings.layout == "compact"
    place: AbstractContextManager[Path] = scratch_file() if compact else nullcontext(folder / file_name)
    with place as path:
        (writer.render if compact else writer.write)(path, cut.span, start_samples=first, codec=settings.audio)
        try:
            measured_ms = _proved(path, cut, writer, settings, first, delay_ms)
        except MediaError as error:  # by the name that people know
            raise MediaError(str(error).replace(str(path), file_name), reason=error.reason) from error
        sha256 = sha256_of(path)
    count = to_count(cut.picture.length_s)
    flags = sound_flags(cut.heard, start_samples=first, sync_samples=cut.start_samples, count=count)
    return VariantRow(
        file_name=file_name,
        variant_id=variant_id,
        clip_id=clip.clip_id,
        source_id=clip.source_id,
        genre=source.genre,
        language=source.language,
        condition=NAME,
        audio_delay_ms=delay_ms,
        label=label_of(delay_s),
        clip_start_s=round(float(clip.start_s), 6),
        clip_length_s=float(clip.length_s),
        overlap_s=float(overlap_of(clip.length_s, delay_s)),
        fps=round(float(clip.fps), 6),
        width=cut.picture.width,
        height=cut.picture.height,
        audio_hz=AUDIO_HZ,
        measured_delay_ms=measured_ms,
        picture="copied" if cut.picture.copied else "encoded",
        picture_note=cut.note,
        sha256=sha256,
        draws=cut.draws,
        **asdict(flags),
        **asdict(cut.picture_flags),
    )


def _variant_id(clip: Clip, settings: BuildSettings, delay_s: Fraction) -> str:
    return variant_id_of(clip, f"{NAME} {delay_s}", seed=settings.seed)


def _proved(
    path: Path, cut: _Cut, writer: VariantWriter, settings: BuildSettings, first: int, audio_delay_ms: float
) -> float | None:
    """The delay that is found in a written file; None where nobody can tell.

    Raises:
        MediaError: `unproven`.
    """
    count, sync = to_count(cut.picture.length_s), cut.start_samples - cut.span.start_samples
    heard = read_back(path, length_s=cut.picture.length_s, picture_packets=writer.picture_packets)
    if settings.audio == "flac":
        return lossless_delay_ms(
            path,
            heard,
            cut.span,
            position_samples=first - cut.span.start_samples,
            count=count,
            sync_position_samples=sync,
            audio_delay_ms=audio_delay_ms,
        )
    return measured_delay_ms(
        path, mono_of(heard, count), cut.locator, sync_position_samples=sync, audio_delay_ms=audio_delay_ms
    )
