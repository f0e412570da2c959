"""The tables that a paper prints, as values; `offbeat.report.paper.formats` writes them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from offbeat.analysis.intervals import Estimate
from offbeat.report.figure_words import NAMES, unit, verdict
from offbeat.report.left_open import NOTHING_LEFT, Left
from offbeat.report.values import Results
from offbeat.report.words import seconds

Cell = str | int | float | Estimate | None
"""Words, a count, a p-value, a figure, or nothing."""

HEADLINE = (
    "balanced_accuracy",
    "accuracy",
    "macro_f1",
    "kappa",
    "mcc",
    "detection_d_prime",
    "detection_criterion",
    "direction",
    "detection_auroc",
    "direction_auroc",
)
UNPROVEN = "† Nothing shows that it hears and sees: see the method."
NAMING = ("model", "first", "second")
"""The columns that name models."""
GROUPED = ("accuracy", "balanced_accuracy", "noticed", "detection_d_prime")


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        title: with its unit.
        figure: which figure its cells are, for their format; None for words and counts.
    """

    title: str
    figure: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        name: of its files.
        caption: what it shows.
        columns: from left to right.
        rows: a cell for each column; None where there is nothing.
        key: the column that names a row; one before it names the rows that follow each other.
        parts: the columns at which a printed table that would be too wide begins anew.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    key: int = 0
    parts: tuple[int, ...] = ()

    @property
    def heading(self) -> int | None:
        """The column that names rows that follow each other; None where every row has a name of its own."""
        return self.key - 1 if self.key else None


def paper_tables(results: Results, unproven: Collection[str] = (), *, left: Left = NOTHING_LEFT) -> tuple[Table, ...]:
    """The headline, the figures by genre and by length, and the pairs of models where there are several.

    Args:
        results: the figures.
        unproven: names of models of which nothing shows that they hear and see; they bear a dagger.
        left: what was wanted and is not there.
    """
    tables = [_headline(results, left), _grouped(results, "genre", str), _grouped(results, "length", _length)]
    if results.comparisons:
        tables.append(_pairs(results))
    return tuple(_marked(table, unproven) for table in tables)


def _marked(table: Table, names: Collection[str]) -> Table:
    naming = [column.title in NAMING for column in table.columns]
    rows = tuple(
        tuple(f"{cell} †" if names_it and cell in names else cell for names_it, cell in zip(naming, row, strict=True))
        for row in table.rows
    )
    return table if rows == table.rows else replace(table, rows=rows, caption=f"{table.caption} {UNPROVEN}")


def _headline(results: Results, left: Left) -> Table:
    answers = ("answers", "sources", "without a choice", "errors", "never asked")
    rows: list[tuple[Cell, ...]] = [
        (
            model.name,
            *(model.figures[name] for name in HEADLINE),
            model.n,
            model.figures["accuracy"].n_sources,
            model.choiceless,
            model.missing,
            0 if (own := left.of(model)) is None else own.unasked,
        )
        for model in results.models
    ]
    for name, figures in results.baselines.items():
        values = [Estimate(figures.get(figure), None, None, 0) for figure in HEADLINE]
        rows.append((f"baseline: {name}", *values, *(None for _ in answers)))
    return Table(
        name="headline",
        caption="All models, best balanced accuracy first. In brackets: 95 % intervals over sources.",
        columns=(Column("model"), *_columns(HEADLINE), *(Column(title) for title in answers)),
        rows=tuple(rows),
        parts=(1 + HEADLINE.index("detection_d_prime"), 1 + len(HEADLINE)),
    )


def _grouped(results: Results, by: str, name: Callable[[str | float], str]) -> Table:
    rows = [
        (model.name, name(group.key), *(getattr(group, figure) for figure in GROUPED), group.n, sources)
        for model in results.models
        for group, sources in ((group, group.accuracy.n_sources) for group in model.groups[by])
    ]
    return Table(
        name=f"by-{by}",
        caption=f"By {by}. In brackets: 95 % intervals over the sources of the group.",
        columns=(Column("model"), Column(by), *_columns(GROUPED), Column("answers"), Column("sources")),
        rows=tuple(rows),
        key=1,
    )


def _pairs(results: Results) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for pair in results.comparisons:
        test = pair.test
        rows.append(
            (
                pair.first,
                pair.second,
                pair.differences["balanced_accuracy"],
                pair.n,
                None if test is None else test.n_sources,
                None if test is None else test.t_p,
                pair.holm_p,
                None if test is None else test.flip_p,
                None if test is None else Estimate(test.detectable, None, None, test.n_sources),
                pair.mcnemar_p,
                verdict(pair),
            )
        )
    titles = ("answers in common", "sources", "t-test, p", "Holm, p", "sign flips, p")
    return Table(
        name="pairs",
        caption="Pairs of models, second minus first, on what both answered. The test is on the sources' balanced "
        "accuracies; Holm's correction is over all pairs. McNemar's takes answers as independent, which they are not.",
        columns=(
            Column("first"),
            Column("second"),
            Column("difference in balanced accuracy, points", "balanced_accuracy"),
            *(Column(title) for title in titles),
            Column("smallest detectable difference, points", "balanced_accuracy"),
            Column("McNemar, p"),
            Column("in words"),
        ),
        rows=tuple(rows),
        key=1,
        parts=(5, 10),
    )


def _columns(figures: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(Column(f"{NAMES[name]}, {unit(name)}" if unit(name) else NAMES[name], name) for name in figures)


def _length(key: str | float) -> str:
    return f"{seconds(float(key))} s"
