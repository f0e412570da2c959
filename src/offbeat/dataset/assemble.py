"""Lay claim to a dataset folder, and finish it: what `build` and `merge` have in common.

The order of the manifest is that of the sources' names, and within a source that of the plan: lengths, windows, delays.
It depends neither on the order of the list nor on how the work was shared out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from offbeat.dataset.card import card_of
from offbeat.dataset.croissant import croissant_of
from offbeat.dataset.folder import CARD, CLIP_ROWS, CLIPS, CROISSANT, CURVES, INFO, METADATA, SOURCES, files_of
from offbeat.dataset.schema import PICTURES, SOUND, ClipRow, CurvesRow, DatasetInfo, SourceRow, VariantRow
from offbeat.errors import DatasetError
from offbeat.files import write_whole

MADE_BY = ("format_version", "offbeat_version", "av_version", "ffmpeg_version", "settings", "shard")
"""The fields of `dataset.json` in which two parts of one dataset must agree."""
_NOTHING_YET = {"sources_used": 0, "sources_refused": 0, "clips": 0, "variants": 0, "complete": False}


def claim(out: Path, info: DatasetInfo) -> None:
    """Make `out` ours, with nothing in it yet, or recognise it as ours.

    Raises:
        DatasetError: as of `is_ours`.
    """
    if not is_ours(out, info):
        write_whole(out / INFO, info.model_copy(update=_NOTHING_YET).model_dump_json(indent=2) + "\n")


def is_ours(out: Path, info: DatasetInfo) -> bool:
    """Whether `out` holds a dataset that was made in this way, finished or not; else it is empty, or not there.

    Raises:
        DatasetError: it holds other things, or a dataset that was made otherwise.
    """
    path = out / INFO
    if not path.is_file():
        ours = {".lock", f".{INFO}.part"}  # the latter of a process that was killed in its first moments
        others = sorted(entry.name for entry in out.iterdir() if entry.name not in ours) if out.is_dir() else []
        if others:
            raise DatasetError(f"{out}: holds {others[0]!r} and no {INFO}; expected an empty folder or a dataset")
        return False
    try:
        former = DatasetInfo.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DatasetError(f"{path}: not readable as a dataset of this version; choose another --out") from error
    for field in MADE_BY:
        was, now = getattr(former, field), getattr(info, field)
        if was != now:
            if field == "settings":
                was, now = _only_in(former.settings, info.settings), _only_in(info.settings, former.settings)
            raise DatasetError(
                f"{path}: was made with {field} {was}, now it is {now}; choose another --out, or delete that folder"
            )
    return True


def _only_in(settings: Mapping[str, object], others: Mapping[str, object]) -> dict[str, object]:
    """Those settings that the others do not have, or have otherwise."""
    return {name: value for name, value in settings.items() if name not in others or others[name] != value}


def finish(
    out: Path,
    info: DatasetInfo,
    sources: Sequence[SourceRow],
    rows: Sequence[VariantRow],
    clips: Sequence[ClipRow] = (),
    curves: Sequence[CurvesRow] = (),
) -> DatasetInfo:
    """Remove what belongs to no variant, write the manifest and what describes it; `dataset.json` comes last.

    Args:
        out: the dataset folder.
        info: how it was made.
        sources: all of them.
        rows: of the variants, in order.
        clips: of the compact layout, in any order.
        curves: of the clips, in any order.

    Returns:
        `info` with its counts, complete.
    """
    info = info.model_copy(
        update={
            "sources_used": sum(source.status == "used" for source in sources),
            "sources_refused": sum(source.status == "refused" for source in sources),
            "clips": len({row.clip_id for row in rows}),
            "variants": len(rows),
            "complete": True,
        }
    )
    _sweep(out, set(files_of(rows, clips)))
    write_whole(out / SOURCES, _lines(sources))
    places = {row.clip_id: place for place, row in enumerate(rows)}
    lists = {METADATA: _write_lines(out / METADATA, rows)}
    if info.layout == "compact":
        in_order = sorted(clips, key=lambda clip: places[clip.clip_id])
        lists[CLIP_ROWS] = _write_lines(out / CLIP_ROWS, in_order)
    if known := sorted((one for one in curves if one.clip_id in places), key=lambda one: places[one.clip_id]):
        lists[CURVES] = _write_lines(out / CURVES, known)
    write_whole(out / CARD, card_of(info, sources, rows))
    write_whole(out / CROISSANT, croissant_of(info, sources, lists=lists))
    write_whole(out / INFO, info.model_dump_json(indent=2) + "\n")
    return info


def _sweep(out: Path, named: set[str]) -> None:
    """Remove what belongs to no variant: half-written files, clips of a former plan."""
    for folder in (CLIPS, PICTURES, SOUND):
        for entry in os.scandir(out / folder) if (out / folder).is_dir() else ():
            if f"{folder}/{entry.name}" not in named:
                Path(entry.path).unlink()


def _write_lines(path: Path, rows: Iterable[BaseModel]) -> str:
    """Write a `.jsonl` file; its SHA-256."""
    content = _lines(rows).encode("utf-8")
    write_whole(path, content)
    return hashlib.sha256(content).hexdigest()


def _lines(rows: Iterable[BaseModel]) -> str:
    return "".join(row.model_dump_json() + "\n" for row in rows)
