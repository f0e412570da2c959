"""Make one dataset of its shards: the same bytes as one build of the whole list, in whatever order they come.

Nothing is rendered again. The shards must all be there, finished, and made of one list with the same settings and
versions. Every file is compared with its hash as it is linked (or copied, where the file system cannot link); one that
is there already is kept, so an interrupted merge goes on. Rows are put into the order that a single build gives them:
see `offbeat.dataset.assemble`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from offbeat.dataset.assemble import MADE_BY, claim, finish
from offbeat.dataset.curves import read_curves
from offbeat.dataset.folder import INFO, RECORDS, Dataset, files_of, open_dataset, read_info
from offbeat.dataset.schema import DatasetInfo, Shard, SourceRow, VariantRow
from offbeat.dataset.shard import shard_of
from offbeat.errors import DatasetError
from offbeat.files import held_folder, linked_or_copied, sha256_of, whole_file, write_whole

_MOST_NAMED = 20
"""More problems than these are counted and not listed."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge made.

    Attributes:
        folder: the dataset.
        info: as in `dataset.json`.
        linked: files that now share their bytes on disk with a shard.
        copied: files that could not be linked.
        kept: files that were there already and proved to be whole.
    """

    folder: Path
    info: DatasetInfo
    linked: int
    copied: int
    kept: int


def open_shards(folders: Sequence[Path]) -> tuple[Dataset, ...]:
    """All shards of one dataset, in the order of their numbers.

    Raises:
        DatasetError: naming each shard that is missing, not finished, there twice, or made otherwise.
    """
    problems: list[str] = []
    known: list[tuple[Path, DatasetInfo, Shard]] = []
    for folder in folders:
        try:
            info = read_info(folder)
        except DatasetError as error:
            problems.append(str(error))
            continue
        if info.shard is None:
            problems.append(f"{folder}: a whole dataset; expected a shard, made by `offbeat build … --shard i/n`")
        else:
            known.append((folder, info, info.shard))
    problems += _disagreements(known)
    if len({shard.of for _, _, shard in known}) == 1:
        problems += _gaps(known)
    if problems:
        raise DatasetError(_listed("these shards make no dataset", problems))
    known.sort(key=lambda one: one[2].number)
    datasets = tuple(open_dataset(folder) for folder, _, _ in known)
    _check_sources(datasets)
    return datasets


def merge_shards(shards: Sequence[Dataset], *, out: Path, advance: Callable[[], None]) -> Merged:
    """Write one dataset; goes on with what a former merge of the same shards left there.

    Args:
        shards: from `open_shards`.
        out: the dataset folder.
        advance: called once for each file.

    Raises:
        DatasetError: `out` holds something else, or a file of a shard is not what its row says; the shard is named.
    """
    sources, rows = _in_order(shards)
    info = shards[0].info.model_copy(update={"shard": None})
    if not rows:
        raise DatasetError(f"none of the {len(sources)} sources of {len(shards)} shards could serve; nothing to merge")
    done = {"linked": 0, "copied": 0, "kept": 0}
    problems: list[str] = []
    with held_folder(out, error=DatasetError):
        claim(out, info)
        for shard in shards:
            for name, sha256 in files_of((variant.row for variant in shard.variants), shard.clips).items():
                try:
                    done[_bring(shard.folder / name, out / name, sha256)] += 1
                except DatasetError as error:
                    problems.append(f"shard {_named(shard.info)}: {error}")
                advance()
            _bring_records(shard.folder / RECORDS, out / RECORDS)
        if problems:
            raise DatasetError(_listed(f"{out}: not finished", problems))
        clips = [clip for shard in shards for clip in shard.clips]
        curves = [one for shard in shards for one in read_curves(shard.folder)]
        info = finish(out, info, sources, rows, clips, curves)
    return Merged(folder=out, info=info, **done)


def _bring(source: Path, target: Path, sha256: str) -> str:
    """Put one file into its place; says how.

    Raises:
        DatasetError: it is not there, or has other content.
    """
    if target.is_file() and sha256_of(target) == sha256:
        return "kept"
    if not source.is_file():
        raise DatasetError(f"{source}: not there; build that shard again")
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as temporary:
        how = "linked" if linked_or_copied(source, temporary) else "copied"
        if (found := sha256_of(temporary)) != sha256:
            raise DatasetError(f"{source}: sha256 {found}, expected {sha256}; build that shard again")
    return how


def _bring_records(source: Path, target: Path) -> None:
    """So that `offbeat build` with the same list finds all clips finished, and may go on with more sources."""
    target.mkdir(exist_ok=True)
    for record in sorted(source.glob("*.json")):
        if not (target / record.name).is_file():
            write_whole(target / record.name, record.read_bytes())


def _disagreements(known: Sequence[tuple[Path, DatasetInfo, Shard]]) -> Iterable[str]:
    """Where a shard was made otherwise than the first one."""
    for folder, info, shard in known[1:]:
        first, first_info, first_shard = known[0]
        for field in MADE_BY:
            found, expected = getattr(info, field), getattr(first_info, field)
            if field != "shard" and found != expected:
                yield f"{folder}: made with {field} {found}, but {first} with {expected}"
        if shard.of != first_shard.of:
            yield f"{folder}: one of {shard.of} shards, but {first} one of {first_shard.of}"
        elif shard.list_sha256 != first_shard.list_sha256:
            yield (
                f"{folder}: made of another list of sources ({shard.sources_listed} of them) than {first} "
                f"({first_shard.sources_listed}); each shard takes the whole list"
            )


def _gaps(known: Sequence[tuple[Path, DatasetInfo, Shard]]) -> Iterable[str]:
    """Shards that are missing, twice there, or not finished."""
    of = known[0][2].of
    for number in range(1, of + 1):
        mine = [(folder, info) for folder, info, shard in known if shard.number == number]
        if not mine:
            yield f"shard {number}/{of} is missing"
        elif len(mine) > 1:
            yield f"shard {number}/{of} is there {len(mine)} times: {', '.join(str(folder) for folder, _ in mine)}"
        elif not mine[0][1].complete:
            yield (
                f"shard {number}/{of} is not finished ({mine[0][0]}): its build failed or still runs; "
                "run the same `offbeat build` again, it goes on"
            )


def _check_sources(datasets: Sequence[Dataset]) -> None:
    """Each source of the list stands in its own shard.

    Raises:
        DatasetError: one stands elsewhere, or some are in none.
    """
    problems: list[str] = []
    listed, of = 0, len(datasets)
    for dataset in datasets:
        listed = dataset.info.shard.sources_listed if dataset.info.shard else 0
        number = dataset.info.shard.number if dataset.info.shard else 0
        for source in dataset.sources:
            if (belongs := shard_of(source.source_id, of)) != number:
                problems.append(f"{dataset.folder}: {source.path} belongs to shard {belongs}/{of}")
    total = sum(len(dataset.sources) for dataset in datasets)
    if total != listed:
        problems.append(
            f"{total} sources in all shards, {listed} in the list: a file changed, or could not be read everywhere, "
            "while the shards were built; build them again"
        )
    if problems:
        raise DatasetError(_listed("these shards make no dataset", problems))


def _in_order(shards: Sequence[Dataset]) -> tuple[list[SourceRow], list[VariantRow]]:
    """All rows, as a single build orders them.

    Parts of one video are of the same content, so they stand in one shard, in their order; sorting keeps it.

    Raises:
        DatasetError: a variant of a source that is not there.
    """
    sources = sorted((source for shard in shards for source in shard.sources), key=lambda source: source.path)
    by_source: dict[str, list[VariantRow]] = {}
    for shard in shards:
        for variant in shard.variants:
            by_source.setdefault(variant.row.source_id, []).append(variant.row)
    rows = [row for source in sources for row in by_source.pop(source.source_id, [])]
    for source_id, left in by_source.items():
        raise DatasetError(f"variant {left[0].variant_id}: its source {source_id} stands in no sources.jsonl")
    return sources, rows


def _named(info: DatasetInfo) -> str:
    return f"{info.shard.number}/{info.shard.of}" if info.shard else INFO


def _listed(what: str, problems: Sequence[str]) -> str:
    more = f"\n  … and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
    return f"{what}:\n  " + "\n  ".join(problems[:_MOST_NAMED]) + more
