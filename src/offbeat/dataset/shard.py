"""Share a list out to many machines: which source belongs to which of n shards.

A source's shard follows from its content alone::

    shard = (first 12 hexadecimal digits of the file's SHA-256) mod n, counted from 1

so the split is the same in whatever order the list stands, and the same content twice meets in one shard, where the
second is refused. Each shard notes how many sources the whole list names, and a hash of the list: by these
`offbeat.dataset.merge` knows whether all of one list is there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from offbeat.dataset.offer import source_id_of
from offbeat.dataset.schema import Shard
from offbeat.dataset.sources import Source
from offbeat.errors import SettingsError

MOST_SHARDS = 100_000


@dataclass(frozen=True, slots=True)
class Part:
    """A shard's share of a list.

    Attributes:
        sources: those that belong to it, in the list's order; there may be none.
        shard: what `dataset.json` notes of it; None where the part is the whole list.
    """

    sources: tuple[Source, ...]
    shard: Shard | None


def parse_shard(text: str) -> tuple[int, int]:
    """Number and total from a text such as ``3/8``.

    Raises:
        SettingsError: another form, or a number outside 1 … total.
    """
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    number, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= of <= MOST_SHARDS:
        raise SettingsError(
            f"--shard {text}: expected i/n with i from 1 to n, n at most {MOST_SHARDS}: 1/8 is the first of eight"
        )
    return number, of


def take_part(sources: Sequence[Source], *, number: int, of: int, jobs: int, advance: Callable[[], None]) -> Part:
    """The sources of shard `number` of `of`; every file of the list is read once, to know it by its content.

    Args:
        sources: the whole list.
        number: from 1.
        of: how many shards there are.
        jobs: files read at once.
        advance: called once for each source of the list.
    """

    def belongs(source: Source) -> bool:
        mine = shard_of(source_id_of(source)[0], of) == number
        advance()
        return mine

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        kept = tuple(source for source, mine in zip(sources, pool.map(belongs, sources), strict=True) if mine)
    shard = Shard(number=number, of=of, sources_listed=len(sources), list_sha256=_digest(sources))
    return Part(sources=kept, shard=shard)


def shard_of(source_id: str, of: int) -> int:
    """The number, from 1, of the shard that a source belongs to."""
    return int(source_id, 16) % of + 1


def _digest(sources: Sequence[Source]) -> str:
    """SHA-256 over all that the list says, sorted; where its files lie on this machine does not count."""
    rows = sorted(
        json.dumps(
            [
                source.name,
                source.genre,
                source.language,
                source.licence,
                source.link,
                source.note,
                None if source.start_s is None else str(source.start_s),
                None if source.end_s is None else str(source.end_s),
            ]
        )
        for source in sources
    )
    return hashlib.sha256("\n".join(rows).encode("utf-8")).hexdigest()
