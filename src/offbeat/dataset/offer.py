"""Scan what is offered: each source's identity, what it holds, or why it cannot serve."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from offbeat.dataset.sources import Source
from offbeat.dataset.workers import Lost, Threads, Workers
from offbeat.errors import MediaError
from offbeat.files import sha256_of
from offbeat.media.limits import LIMITS
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


def scan_sources(
    sources: Sequence[Source],
    *,
    jobs: int,
    advance: Callable[[], None],
    audio_track: int | None = None,
    workers: Workers | None = None,
) -> list[Offered]:
    """Scan all sources, several at once; one that cannot serve is refused with its reason, and stops nothing.

    Args:
        sources: what is offered.
        jobs: how many at once.
        advance: called once for each.
        audio_track: which sound track of each, counted from 0; the default one where None.
        workers: child processes to do it in, for files of strangers; by default `jobs` threads of this process.

    Returns:
        In the order of their names, whatever the order of the list.
    """
    ordered = sorted(sources, key=_by_name)
    results = (workers or Threads(jobs)).map(partial(_offered, audio_track=audio_track), ordered, advance=advance)
    offered = [
        Offered(source, _id_by_name(source), None, (result.reason, f"{source.path}: {result.detail}"))
        if isinstance(result, Lost)
        else result
        for source, result in zip(ordered, results, strict=True)
    ]
    return [_by_its_name(one) for one in _without_duplicates(offered)]


def source_id_of(source: Source) -> tuple[str, str | None]:
    """The first digits of the file's SHA-256; of its name, and the reason, where it cannot be read."""
    try:
        if not source.path.is_file():  # a pipe or a device would be read for ever
            return _id_by_name(source), f"{source.path}: no such file"
        return sha256_of(source.path)[:ID_DIGITS], None
    except OSError as error:
        return _id_by_name(source), f"{source.path}: {error.strerror}"


def _id_by_name(source: Source) -> str:
    return hashlib.sha256(source.name.encode()).hexdigest()[:ID_DIGITS]


def _by_name(source: Source) -> tuple[str, Fraction, Fraction]:
    """Parts of one video stand in the order of their times."""
    return source.name, source.start_s or Fraction(0), source.end_s or Fraction(0)


def _by_its_name(one: Offered) -> Offered:
    """The same, with the file's name in the reason and not where it lies here."""
    return one if one.refusal is None else replace(one, refusal=(one.refusal[0], one.source.by_name(one.refusal[1])))


def _offered(source: Source, *, audio_track: int | None) -> Offered:
    source_id = _id_by_name(source)
    if source.refusal is not None:
        return Offered(source, source_id, None, source.refusal)
    try:
        LIMITS.check(source.path, "bytes", source.path.stat().st_size, LIMITS.file_bytes)  # before all of it is read
        source_id, unreadable = source_id_of(source)
        if unreadable is not None:
            return Offered(source, source_id, None, ("unreadable", unreadable))
        return Offered(source, source_id, scan(source.path, audio_track=audio_track), None)
    except OSError as error:
        return Offered(source, source_id, None, ("unreadable", f"{source.path}: {error.strerror}"))
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
