"""Render a clip: its picture once, then each variant with its slice of the sound, each proved by reading it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from av.video.frame import VideoFrame

from offbeat.conditions.delay import NAME, heard_from
from offbeat.dataset.folder import CLIPS
from offbeat.dataset.plan import Clip, variant_id_of
from offbeat.dataset.schema import VariantRow
from offbeat.dataset.settings import BuildSettings
from offbeat.dataset.sources import Source
from offbeat.errors import MediaError
from offbeat.files import sha256_of
from offbeat.media.copy import copy_picture
from offbeat.media.cut import SoundSpan, cut_picture, cut_sound
from offbeat.media.delay import Locator
from offbeat.media.picture import Picture, encode_picture
from offbeat.media.scan import Scan
from offbeat.media.verify import measured_delay_ms, read_back
from offbeat.media.write import AUDIO_HZ, MARGIN_AFTER_SAMPLES, MARGIN_BEFORE_SAMPLES, VariantWriter, to_count
from offbeat.timing import label_of, overlap_of, to_milliseconds, to_samples


@dataclass(frozen=True, slots=True)
class _Cut:
    """A clip's material: what all its variants are made of."""

    picture: Picture
    note: str | None
    span: SoundSpan
    start_samples: int
    locator: Locator


def render_clip(clip: Clip, source: Source, scanned: Scan, settings: BuildSettings, folder: Path) -> list[VariantRow]:
    """Write all variants of a clip below `folder`, and return their rows, in the order of the delays.

    Raises:
        MediaError: the source does not decode throughout the window, or a written variant does not prove itself.
    """
    cut = _cut(clip, source, scanned, settings)
    writer = VariantWriter(cut.picture)
    try:
        return [_render(clip, source, cut, writer, settings, folder, k) for k in range(len(settings.delays_s))]
    finally:
        writer.close()


def _cut(clip: Clip, source: Source, scanned: Scan, settings: BuildSettings) -> _Cut:
    picture, note = _picture(clip, source, scanned, settings)
    start = to_samples(clip.start_s, AUDIO_HZ)
    count = to_count(picture.length_s)
    firsts = [heard_from(start, audio_delay_s=delay_s, rate_hz=AUDIO_HZ) for delay_s in settings.delays_s]
    span = cut_sound(
        source.path,
        start_samples=min(firsts) - MARGIN_BEFORE_SAMPLES,
        stop_samples=max(firsts) + count + MARGIN_AFTER_SAMPLES,
        rate_hz=AUDIO_HZ,
    )
    locator = Locator(span.sound.mono(), piece_samples=count)
    return _Cut(picture=picture, note=note, span=span, start_samples=start, locator=locator)


def _picture(clip: Clip, source: Source, scanned: Scan, settings: BuildSettings) -> tuple[Picture, str | None]:
    """The picture, copied where that is asked for and possible; and where it is not possible, why."""
    geometry = scanned.geometry

    def frames() -> Iterator[VideoFrame]:
        return cut_picture(source.path, geometry=geometry, start_s=clip.start_s, fps=clip.fps, count=clip.frames)

    note = None
    if settings.picture == "copy":
        copied = copy_picture(scanned, start_s=clip.start_s, fps=clip.fps, count=clip.frames, frames=frames())
        if isinstance(copied, Picture):
            return copied, None
        note = copied
    return encode_picture(frames(), fps=clip.fps, width=geometry.width, height=geometry.height), note


def _render(
    clip: Clip, source: Source, cut: _Cut, writer: VariantWriter, settings: BuildSettings, folder: Path, which: int
) -> VariantRow:
    delay_s = settings.delays_s[which]
    delay_ms = to_milliseconds(delay_s)
    variant_id = variant_id_of(clip, f"{NAME} {delay_s}", seed=settings.seed)
    file_name = f"{CLIPS}/{variant_id}.mp4"
    path = folder / file_name
    first = heard_from(cut.start_samples, audio_delay_s=delay_s, rate_hz=AUDIO_HZ)
    writer.write(path, cut.span, start_samples=first, codec=settings.audio)
    written = read_back(path, length_s=cut.picture.length_s)
    if written.picture_digest != writer.picture_digest:
        raise MediaError(f"{path}: its picture is not the clip's own; expected the same packets", reason="unproven")
    measured_ms = measured_delay_ms(
        path,
        written.samples,
        cut.locator,
        sync_position_samples=cut.start_samples - cut.span.start_samples,
        audio_delay_ms=delay_ms,
    )
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
        sha256=sha256_of(path),
    )
