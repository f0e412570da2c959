"""Is a dataset what it says of itself? Each hash, each row, nothing missing, nothing beside, delays measured again.

Checked always and in full: the SHA-256 of every media file, each row against the schema and against the others
(`offbeat.dataset.consistency`), the counts, that the media folders hold nothing that no row names, and the hashes of
the lists in `croissant.json`. Measured again on a sample, or on all: the delays (`offbeat.dataset.remeasure`). The card
and the rest of `croissant.json` are yours to edit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import cast

import numpy as np
from pydantic import ValidationError

from offbeat.dataset.consistency import clip_inconsistencies, inconsistencies, valid_rows
from offbeat.dataset.difference import Difference
from offbeat.dataset.folder import CLIP_ROWS, CLIPS, CROISSANT, CURVES, METADATA, SOURCES, files_of, read_info
from offbeat.dataset.schema import PICTURES, SOUND, ClipRow, SourceRow, VariantRow
from offbeat.dataset.settings import BuildSettings
from offbeat.dataset.variant import Variant
from offbeat.errors import DatasetError
from offbeat.files import sha256_of


@dataclass(frozen=True, slots=True)
class Checked:
    """A dataset after all checks but the measuring.

    Attributes:
        variants: those whose files are there.
        sources: all valid rows.
        files: how many media files the rows name.
        differences: everything that is wrong so far.
    """

    variants: tuple[Variant, ...]
    sources: tuple[SourceRow, ...]
    files: int
    differences: tuple[Difference, ...]


def check_dataset(folder: Path, *, jobs: int, advance: Callable[[], None]) -> Checked:
    """Compare a dataset folder with what it says of itself.

    Args:
        folder: the dataset.
        jobs: files read at once.
        advance: called once for each file.

    Raises:
        DatasetError: no dataset, not finished, or made by a version whose settings are not known here.
    """
    info = read_info(folder)
    if not info.complete:
        raise DatasetError(f"{folder}: the build was not finished; run the same `offbeat build` again, it goes on")
    try:
        settings = BuildSettings.model_validate(info.settings)
    except ValidationError as error:
        raise DatasetError(
            f"{folder}: its settings are not those of this version ({error.errors()[0]['msg']}); "
            f"verify it with Offbeat {info.offbeat_version}"
        ) from error
    sources, wrong = valid_rows(SourceRow, folder / SOURCES)
    rows, wrong_rows = valid_rows(VariantRow, folder / METADATA)
    wrong += [*wrong_rows, *inconsistencies(info, settings, sources, rows), *_croissant(folder, settings.layout)]
    clips: list[ClipRow] = []
    if settings.layout == "compact":
        clips, wrong_clips = valid_rows(ClipRow, folder / CLIP_ROWS)
        wrong += [*wrong_clips, *clip_inconsistencies(clips, rows)]
    named = files_of([] if settings.layout == "compact" else rows, clips)
    outside = {name for name in named if _leaves(name)}
    wrong += [Difference(name, "file_name", "a path out of the folder", "one inside") for name in sorted(outside)]
    missing: set[str] = set()

    def hash_of(name: str) -> str | Difference:
        try:
            if not (folder / name).is_file():
                return Difference(name, "file", "none", "one")
            return sha256_of(folder / name)
        except OSError as error:
            return Difference(name, "file", f"unreadable ({error.strerror})", "one")
        finally:
            advance()

    inside = [name for name in named if name not in outside]
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for name, found in zip(inside, pool.map(hash_of, inside), strict=True):
            if isinstance(found, Difference):
                missing.add(name)
                wrong.append(found)
            elif found != named[name]:
                wrong.append(Difference(name, "sha256", found, named[name]))
    wrong += _beside(folder, set(inside))
    by_id = {clip.clip_id: clip for clip in clips}
    variants = [Variant(row=row, folder=folder, clip=by_id.get(row.clip_id)) for row in rows]
    return Checked(
        variants=tuple(one for one in variants if _there(one, settings.layout, outside | missing)),
        sources=tuple(sources),
        files=len(named),
        differences=tuple(wrong),
    )


def draw_sample(variants: Sequence[Variant], count: int, *, seed: int) -> list[Variant]:
    """At most `count` variants, with equal chances, in their order; the same for the same seed."""
    chosen = np.random.default_rng(seed).choice(len(variants), size=min(count, len(variants)), replace=False)
    return [variants[int(index)] for index in np.sort(chosen)]


def _there(variant: Variant, layout: str, lost: set[str]) -> bool:
    """Is all there that reading this variant needs?"""
    clip = variant.clip
    if layout == "files":
        return variant.row.file_name not in lost
    return clip is not None and variant.row.variant_id in clip.heard_from_samples and not lost & clip.files().keys()


def _leaves(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\0" in name


def _beside(folder: Path, named: set[str]) -> Iterator[Difference]:
    """What lies in the folders of the media and belongs to no row."""
    for media in sorted({CLIPS, PICTURES, SOUND, *(PurePosixPath(name).parts[0] for name in named if "/" in name)}):
        for path in sorted((folder / media).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if name not in named and not path.is_dir():
                yield Difference(name, "file", "one", "none: no row names it")


def _croissant(folder: Path, layout: str) -> Iterator[Difference]:
    """Does `croissant.json` describe these lists?"""
    path = folder / CROISSANT
    if not path.is_file():
        yield Difference(CROISSANT, "file", "none", "one")
        return
    try:
        page = cast("dict[str, list[dict[str, object]]]", json.loads(path.read_text(encoding="utf-8")))
        stated = {entry.get("contentUrl"): entry.get("sha256") for entry in page["distribution"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield Difference(CROISSANT, "distribution", f"not readable ({type(error).__name__})", "as it was written")
        return
    for name in (METADATA, CLIP_ROWS, CURVES) if layout == "compact" else (METADATA, CURVES):
        if (folder / name).is_file() and stated.get(name) != (found := sha256_of(folder / name)):
            yield Difference(CROISSANT, f"sha256 of {name}", f"{stated.get(name)}", found)
