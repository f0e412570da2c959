"""Scan what is offered: each source's identity, what it holds, or why it cannot serve."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

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
    """Scan all sources, several at once; one that cannot serve is refused with its reason, and stops nothing.

    Returns:
        In the order of their names, whatever the order of the list.
    """

    def one(source: Source) -> Offered:
        offered = _offered(source)
        advance()
        return offered

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return _without_duplicates(list(pool.map(one, sorted(sources, key=_by_name))))


def source_id_of(source: Source) -> tuple[str, str | None]:
    """The first digits of the file's SHA-256; of its name, and the reason, where it cannot be read."""
    try:
        return sha256_of(source.path)[:ID_DIGITS], None
    except OSError as error:
        return hashlib.sha256(source.name.encode()).hexdigest()[:ID_DIGITS], f"{source.path}: {error.strerror}"


def _by_name(source: Source) -> tuple[str, Fraction, Fraction]:
    """Parts of one video stand in the order of their times."""
    return source.name, source.start_s or Fraction(0), source.end_s or Fraction(0)


def _offered(source: Source) -> Offered:
    source_id, unreadable = source_id_of(source)
    if unreadable is not None:
        return Offered(source, source_id, None, ("unreadable", unreadable))
    try:
        return Offered(source, source_id, scan(source.path), None)
    except MediaError as error:
        return Offered(source, source_id, None, (error.reason, str(error)))


def _without_duplicates(offered: list[Offered]) -> list[Offered]:
    """The same content twice would count double: the second one is refused; other parts of one video are welcome."""
    first: dict[str, str] = {}
    parts: set[tuple[str, Fraction | None, Fraction | None]] = set()
    result: list[Offered] = []
    for one in offered:
        same = first.setdefault(one.source_id, one.source.name)
        part = (one.source_id, one.source.start_s, one.source.end_s)
        if one.scanned is not None and (same != one.source.name or part in parts):
            detail = f"{one.source.path}: the same content as {same}; list it once"
            one = Offered(one.source, one.source_id, None, ("duplicate", detail))
        parts.add(part)
        result.append(one)
    return result
