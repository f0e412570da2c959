"""Scan what is offered: each source's identity, what it holds, or why it cannot serve."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from offbeat.dataset.sources import Source
from offbeat.errors import MediaError
from offbeat.files import sha256_of
from offbeat.media.scan import Scan, scan

ID_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Offered:
    """A source after the scan.

    Attributes:
        source: as it was listed.
        source_id: the first digits of its content's SHA-256; of its name where the file cannot be read.
        scanned: what it holds, or None where it is refused.
        refusal: reason code and text, or None.
    """

    source: Source
    source_id: str
    scanned: Scan | None
    refusal: tuple[str, str] | None


def scan_sources(sources: Sequence[Source], *, jobs: int, advance: Callable[[], None]) -> list[Offered]:
    """Scan all sources, several at once; one that cannot serve is refused with its reason, and stops nothing."""

    def one(source: Source) -> Offered:
        offered = _offered(source)
        advance()
        return offered

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return _without_duplicates(list(pool.map(one, sources)))


def _offered(source: Source) -> Offered:
    try:
        source_id = sha256_of(source.path)[:ID_DIGITS]
    except OSError as error:
        named = hashlib.sha256(source.name.encode()).hexdigest()[:ID_DIGITS]
        return Offered(source, named, None, ("unreadable", f"{source.path}: {error.strerror}"))
    try:
        return Offered(source, source_id, scan(source.path), None)
    except MediaError as error:
        return Offered(source, source_id, None, (error.reason, str(error)))


def _without_duplicates(offered: list[Offered]) -> list[Offered]:
    """The same content twice would count double: the second one is refused."""
    first: dict[str, str] = {}
    result: list[Offered] = []
    for one in offered:
        same = first.setdefault(one.source_id, one.source.name)
        if one.scanned is not None and same != one.source.name:
            detail = f"{one.source.path}: the same content as {same}; list it once"
            one = Offered(one.source, one.source_id, None, ("duplicate", detail))
        result.append(one)
    return result
