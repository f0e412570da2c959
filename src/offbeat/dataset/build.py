"""Build a dataset: draw the clips, render what is not there yet, and write the manifest when all is there.

It may be killed at any moment. Each variant is a whole file or none; a clip counts as finished when its record stands
in `.build/` and every file that the record names still has the content that it says. The manifest is assembled from the
records at the end, so it never names what is not there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
from pydantic import BaseModel, ConfigDict, ValidationError

import offbeat
from offbeat.dataset.assemble import claim, finish, is_ours
from offbeat.dataset.folder import CLIPS, RECORDS, files_of
from offbeat.dataset.offer import Offered
from offbeat.dataset.plan import Clip, SourcePlan, plan_source
from offbeat.dataset.render import render_clip
from offbeat.dataset.schema import (
    FORMAT_VERSION,
    PICTURES,
    SOUND,
    ClipRow,
    CurvesRow,
    DatasetInfo,
    Shard,
    SourceRow,
    VariantRow,
)
from offbeat.dataset.settings import BuildSettings
from offbeat.dataset.workers import Lost, Threads, Workers
from offbeat.errors import DatasetError, MediaError
from offbeat.files import held_folder, sha256_of, write_whole
from offbeat.timing import to_milliseconds


@dataclass(frozen=True, slots=True)
class Planned:
    """A source and the clips drawn from it; none where it is refused."""

    offered: Offered
    plan: SourcePlan


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made.

    Attributes:
        folder: the dataset.
        info: as in `dataset.json`.
        sources: one row each, the refused ones with their reason.
        variants: all rows of the manifest.
        kept_clips: how many clips were there already and proved to be whole.
    """

    folder: Path
    info: DatasetInfo
    sources: tuple[SourceRow, ...]
    variants: tuple[VariantRow, ...]
    kept_clips: int


class _Record(BaseModel):
    """A finished clip, or the reason why it cannot be made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: tuple[VariantRow, ...] = ()
    kept: ClipRow | None = None
    """In the compact layout."""
    curves: CurvesRow | None = None
    reason: str | None = None
    detail: str | None = None


def check_out(out: Path, settings: BuildSettings, shard: Shard | None = None) -> None:
    """See that `build_dataset` will take this folder, before hours are spent on scanning.

    Raises:
        DatasetError: it holds something else, or a dataset with other settings; or it cannot be written to.
    """
    is_ours(out, _info(settings, shard))
    place = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise DatasetError(f"{out}: cannot be written to ({place}); choose another folder")


def plan_dataset(offered: Iterable[Offered], settings: BuildSettings) -> list[Planned]:
    """Draw the clips of all sources; pure."""
    return [
        Planned(
            one,
            SourcePlan((), {})
            if one.scanned is None
            else plan_source(one.source_id, one.scanned, settings, part=(one.source.start_s, one.source.end_s)),
        )
        for one in offered
    ]


def build_dataset(
    planned: Sequence[Planned],
    settings: BuildSettings,
    *,
    out: Path,
    jobs: int,
    advance: Callable[[], None],
    shard: Shard | None = None,
    workers: Workers | None = None,
) -> Built:
    """Render every planned clip that is not there yet, several at once, and write the manifest.

    Args:
        planned: from `plan_dataset`.
        settings: as planned with.
        out: the dataset folder; goes on with what a former call with the same settings left there.
        jobs: clips at once; the codecs themselves run on one thread each, so that bytes do not depend on it.
        advance: called once for each clip.
        shard: which part of a list this is; a shard may end up without any clip.
        workers: child processes to do it in, for files of strangers; by default `jobs` threads of this process.

    Raises:
        DatasetError: `out` holds something else, cannot be written to, or no clip could be made.
    """
    if shard is None and not any(one.plan.clips for one in planned):  # before the folder is laid claim to
        raise DatasetError(_nothing(out, [_source_row(one, {}) for one in planned]))
    with held_folder(out, error=DatasetError):
        info = _info(settings, shard)
        claim(out, info)
        for name in (RECORDS, *((CLIPS,) if settings.layout == "files" else (PICTURES, SOUND))):
            (out / name).mkdir(exist_ok=True)
        records, kept = _render_all(planned, settings, out, workers or Threads(jobs), advance)
        sources = [_source_row(one, records) for one in planned]
        rows = [row for record in records.values() for row in record.rows]
        if not rows and shard is None:
            raise DatasetError(_nothing(out, sources))
        clips = [record.kept for record in records.values() if record.kept is not None]
        curves = [record.curves for record in records.values() if record.curves is not None]
        info = finish(out, info, sources, rows, clips, curves)
    return Built(folder=out, info=info, sources=tuple(sources), variants=tuple(rows), kept_clips=kept)


def _render_all(
    planned: Sequence[Planned], settings: BuildSettings, out: Path, workers: Workers, advance: Callable[[], None]
) -> tuple[dict[str, _Record], int]:
    """Records by clip, in the order of the plan, and how many of them were there already."""
    items = [(clip, one.offered) for one in planned for clip in one.plan.clips]
    records: dict[str, _Record] = {}
    kept = 0
    results = workers.map(partial(_make, settings=settings, out=out), items, advance=advance)
    for (clip, offered), result in zip(items, results, strict=True):
        if isinstance(result, Lost):
            records[clip.clip_id] = _Record(reason=result.reason, detail=f"{offered.source.name}: {result.detail}")
        else:
            records[clip.clip_id], was_there = result
            kept += was_there
    return records, kept


def _make(item: tuple[Clip, Offered], *, settings: BuildSettings, out: Path) -> tuple[_Record, bool]:
    """The record of a clip, and whether it was there already."""
    clip, offered = item
    path = out / RECORDS / f"{clip.clip_id}.json"
    record = _finished(path, out)
    if record is not None:
        return record, True
    assert offered.scanned is not None  # clips are drawn from scanned sources only
    try:
        rendered = render_clip(clip, offered.source, offered.scanned, settings, out)
        record = _Record(rows=rendered.rows, kept=rendered.kept, curves=rendered.curves)
    except MediaError as error:
        record = _Record(reason=error.reason, detail=offered.source.by_name(str(error)))
    write_whole(path, record.model_dump_json())
    return record, False


def _finished(path: Path, out: Path) -> _Record | None:
    """The record of a clip, if it is valid and all its files have the content that it says."""
    if not path.is_file():
        return None
    try:
        record = _Record.model_validate_json(path.read_bytes())
    except ValidationError:
        return None
    for name, sha256 in files_of(record.rows, () if record.kept is None else (record.kept,)).items():
        file = out / name
        if not file.is_file() or sha256_of(file) != sha256:
            return None
    return record if record.rows else None


def _info(settings: BuildSettings, shard: Shard | None) -> DatasetInfo:
    """As it stands while the build is under way."""
    return DatasetInfo(
        format_version=FORMAT_VERSION,
        offbeat_version=offbeat.__version__,
        av_version=av.__version__,
        ffmpeg_version=str(av.ffmpeg_version_info),
        settings=settings.model_dump(mode="json"),
        shard=shard,
        sources_used=0,
        sources_refused=0,
        clips=0,
        variants=0,
        complete=False,
    )


def _source_row(one: Planned, records: dict[str, _Record]) -> SourceRow:
    offered, source, scanned = one.offered, one.offered.source, one.offered.scanned
    refused = {f"{float(length):g}": f"{code}: {text}" for length, (code, text) in one.plan.refused.items()}
    failed = [records[clip.clip_id] for clip in one.plan.clips if not records[clip.clip_id].rows]
    for clip in one.plan.clips:
        record = records[clip.clip_id]
        if not record.rows:
            refused[f"{float(clip.length_s):g}"] = f"{record.reason}: {record.detail}"
    made = len(one.plan.clips) - len(failed)
    refusal = offered.refusal or next(
        iter([*one.plan.refused.values(), *((str(record.reason), str(record.detail)) for record in failed)]), None
    )
    return SourceRow(
        source_id=offered.source_id,
        path=source.name,
        genre=source.genre,
        language=source.language,
        licence=source.licence,
        link=source.link,
        note=source.note,
        status="used" if made else "refused",
        reason=None if made or refusal is None else refusal[0],
        detail=None if made or refusal is None else refusal[1],
        length_s=None if scanned is None else round(float(scanned.length_s), 3),
        fps=None if scanned is None else round(float(scanned.fps), 6),
        width=None if scanned is None else scanned.geometry.width,
        height=None if scanned is None else scanned.geometry.height,
        audio_hz=None if scanned is None else scanned.audio_hz,
        audio_track=None if scanned is None else scanned.audio_track,
        sound_offset_ms=None if scanned is None else to_milliseconds(scanned.first_sound_minus_first_picture_s),
        clips=made,
        refused_lengths=refused,
    )


def _nothing(out: Path, sources: Sequence[SourceRow]) -> str:
    reasons = "; ".join(f"{source.path}: {source.reason}" for source in sources[:5])
    return f"{out}: none of the {len(sources)} sources can serve ({reasons}); see --dry-run for each reason"
