"""Write a dataset out in another form.

`files`: a file for each variant. From a compact dataset they are rendered, and each is compared with the SHA-256 in its
row, which was taken when the variant was built and proved: the folder is, byte by byte, what a build in that layout
would have written. Only the records by which a build goes on are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av

from offbeat.dataset.assemble import claim, finish
from offbeat.dataset.curves import read_curves
from offbeat.dataset.folder import CLIPS, Dataset
from offbeat.dataset.schema import DatasetInfo
from offbeat.dataset.variant import Variant
from offbeat.errors import DatasetError, MediaError, SettingsError
from offbeat.files import held_folder, sha256_of

_MOST_NAMED = 5
_AAC_BYTES_PER_S = 24_000
"""Of stereo; mono takes half."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        folder: where to.
        info: its `dataset.json`.
        kept: how many variants were there already, with the right content.
    """

    folder: Path
    info: DatasetInfo
    kept: int


def export_files(dataset: Dataset, *, out: Path, jobs: int, advance: Callable[[], None]) -> Exported:
    """Write a dataset in the layout `files`; goes on with what a former call left there.

    Args:
        dataset: of either layout; one in `files` is linked or copied.
        out: the folder to write.
        jobs: clips at once.
        advance: called once for each variant.

    Raises:
        SettingsError: `out` is the dataset itself.
        DatasetError: `out` holds something else; or variants could not be written as their rows say, they are named.
    """
    if out.resolve() == dataset.folder.resolve():
        raise SettingsError(f"--out {out}: that is the dataset's own folder; choose a new one")
    info = dataset.info.model_copy(update={"settings": dataset.info.settings | {"layout": "files"}})
    by_clip: dict[str, list[Variant]] = {}
    for variant in dataset.variants:
        by_clip.setdefault(variant.row.clip_id, []).append(variant)
    wrong: list[str] = []

    def one_clip(variants: Sequence[Variant]) -> int:
        kept = 0
        for variant in variants:
            try:
                kept += _bring(variant, out)
            except MediaError as error:
                wrong.append(str(error))
            advance()
        return kept

    with held_folder(out, error=DatasetError):
        claim(out, info)
        (out / CLIPS).mkdir(exist_ok=True)
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            futures = [pool.submit(one_clip, variants) for variants in by_clip.values()]
            try:
                kept = sum(future.result() for future in futures)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        if wrong:
            raise DatasetError(_failed(out, dataset.info, sorted(wrong)))
        rows = [variant.row for variant in dataset.variants]
        info = finish(out, info, dataset.sources, rows, curves=read_curves(dataset.folder))
    return Exported(folder=out, info=info, kept=kept)


def is_there(variant: Variant, out: Path) -> bool:
    """Whether `out` has the variant's file with the right content."""
    path = out / variant.row.file_name
    return path.is_file() and sha256_of(path) == variant.row.sha256


def size_bytes(dataset: Dataset) -> int:
    """About how much a dataset takes in the layout `files`."""
    size = 0.0
    for variant in dataset.variants:
        if variant.clip is None:
            size += variant.path.stat().st_size if variant.path.is_file() else 0
            continue
        picture, sound = (dataset.folder / name for name in variant.clip.files())
        size += picture.stat().st_size if picture.is_file() else 0
        if variant.clip.audio == "aac":
            size += variant.row.clip_length_s * _AAC_BYTES_PER_S
        elif sound.is_file():
            share = variant.row.clip_length_s * variant.row.audio_hz / variant.clip.sound.count_samples
            size += sound.stat().st_size * share
    return round(size)


def _bring(variant: Variant, out: Path) -> bool:
    """Write one variant and compare it; says whether it was there.

    Raises:
        MediaError: it cannot be written, or is not what its row says.
    """
    if is_there(variant, out):
        return True
    path = out / variant.row.file_name
    variant.write_to(path)
    if (found := sha256_of(path)) != variant.row.sha256:
        path.unlink()
        raise MediaError(f"{variant.row.file_name}: sha256 {found}, expected {variant.row.sha256}", reason="unproven")
    return False


def _failed(out: Path, made: DatasetInfo, wrong: Sequence[str]) -> str:
    here = (av.__version__, str(av.ffmpeg_version_info))
    advice = "build the dataset again"
    if here != (made.av_version, made.ffmpeg_version):
        advice = (
            f"it was made with PyAV {made.av_version} and FFmpeg {made.ffmpeg_version}, here are {here[0]} and "
            f"{here[1]}, whose encoders may differ: use the former"
        )
    more = f"\n  … and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
    named = "\n  ".join(wrong[:_MOST_NAMED])
    return f"{out}: not finished, {len(wrong)} variants could not be written ({advice}):\n  {named}{more}"
