"""The tables of the page that are more than a list: one row a group and one column a model, and the set itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offbeat.analysis.intervals import Estimate
from offbeat.dataset.folder import Dataset
from offbeat.report.values import CHOICES, Group, ModelResult
from offbeat.report.words import NOTHING, link, listed, visible
from offbeat.timing import LABELS


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, and where a click on it leads."""

    figure: Estimate
    n: int
    href: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group: its name, and its cell for each model; None where a model was not asked about it."""

    name: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """One cell of a confusion table: how many, their share of the row, the column's choice, and where a click leads."""

    n: int
    share: float
    choice: str
    href: str


@dataclass(frozen=True, slots=True)
class GenreRow:
    """A genre as the study's Table 1 lists it, with what was made of it."""

    genre: str
    sources: int
    clips: int
    variants: int
    languages: str
    href: str


@dataclass(frozen=True, slots=True)
class Exactness:
    """How the delays came out: the decoded files, measured against their sources.

    Attributes:
        measured: how many variants could be measured.
        unmeasured: how many could not: too quiet, or alike at several places.
        worst_ms: the largest |measured - intended|; None where nothing could be measured.
    """

    measured: int
    unmeasured: int
    worst_ms: float | None


def said_shifted(group: Group) -> Estimate:
    """How often it was taken to be shifted: the hit rate of a delay, and at 0 the false alarms."""
    return group.noticed if group.noticed.value is not None else group.false_alarms


def group_rows(
    models: Sequence[ModelResult],
    by: str,
    name: Callable[[str | float], str],
    filter_key: str,
    *,
    figure: Callable[[Group], Estimate] = lambda group: group.accuracy,
) -> list[GroupRow]:
    """A figure of every model in every group of one kind.

    Args:
        models: the columns.
        by: the kind: a key of `ModelResult.groups`.
        name: what a group's key is called on the page.
        filter_key: the filter of the browser that shows the group.
        figure: which one; accuracy unless given.
    """
    found: dict[str | float, dict[str, Group]] = {}
    for model in models:
        for group in model.groups[by]:
            found.setdefault(group.key, {})[model.name] = group
    return [
        GroupRow(
            name=name(key), cells=tuple(_cell(model, groups.get(model.name), filter_key, figure) for model in models)
        )
        for key, groups in sorted(found.items(), key=lambda item: (isinstance(item[0], str), item[0]))
    ]


def confusion_rows(model: ModelResult) -> list[tuple[str, list[Count], int]]:
    """For each truth: its label, its cells in the order of `CHOICES`, and their sum."""
    rows: list[tuple[str, list[Count], int]] = []
    for label, numbers in zip(LABELS, model.confusion, strict=True):
        total = sum(numbers)
        cells = [
            Count(
                n=number,
                share=number / total if total else 0.0,
                choice=choice,
                href=link(model=model.name, label=label, choice=choice),
            )
            for choice, number in zip(CHOICES, numbers, strict=True)
        ]
        rows.append((label, cells, total))
    return rows


def genre_rows(dataset: Dataset) -> list[GenreRow]:
    """What the set is made of, genre by genre."""
    rows = [variant.row for variant in dataset.variants]
    variants = Counter(row.genre for row in rows)
    clips = Counter(genre for genre, _ in {(row.genre, row.clip_id) for row in rows})
    sources = Counter(genre for genre, _ in {(row.genre, row.source_id) for row in rows})
    return [
        GenreRow(
            genre=visible(genre),
            sources=sources[genre],
            clips=clips[genre],
            variants=variants[genre],
            languages=_languages({row.language for row in rows if row.genre == genre}),
            href=link(genre=genre),
        )
        for genre in sorted(variants)
    ]


def exactness(dataset: Dataset) -> Exactness:
    """The worst error of a written delay, from the rows."""
    errors = [
        abs(variant.row.measured_delay_ms - variant.row.audio_delay_ms)
        for variant in dataset.variants
        if variant.row.measured_delay_ms is not None
    ]
    return Exactness(
        measured=len(errors),
        unmeasured=len(dataset.variants) - len(errors),
        worst_ms=max(errors) if errors else None,
    )


def _cell(model: ModelResult, group: Group | None, filter_key: str, figure: Callable[[Group], Estimate]) -> Cell | None:
    if group is None:
        return None
    return Cell(figure=figure(group), n=group.n, href=link(**{"model": model.name, filter_key: group.key}))


def _languages(found: set[str | None]) -> str:
    names = sorted(visible(language) for language in found if language)
    return listed(names) if names else NOTHING
