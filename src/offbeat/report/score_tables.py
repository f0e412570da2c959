"""The tables of scores and of pairs of models, for the page: a row a figure, a column a model or a baseline."""

from __future__ import annotations

from dataclasses import dataclass

from offbeat.report.figure_words import NAMES, ends, number, p_value, unit, verdict
from offbeat.report.values import Comparison, ModelResult, Results
from offbeat.report.words import NOTHING, link, percent, visible
from offbeat.timing import LABELS


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One figure: its name; for each model value, interval and where a click leads; its value for each baseline."""

    name: str
    cells: tuple[tuple[str, str, str], ...]
    baselines: tuple[str, ...]


SHOWS = {
    "false_alarms": {"label": "sync"},
    **{f"bias_{label}": {"choice": label} for label in LABELS},
}
"""The answers that a figure is about, as filters of the browser of variants; all of a model's where it is not here."""


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two models: what differs, how sure that is, and which difference would have been found.

    Attributes:
        first: name of the one.
        second: name of the other.
        hrefs: where a click on either name leads.
        differing: where a click on a figure leads: to the variants that one of the two has right, and the other wrong.
        alone: how many answers the first alone, and the second alone, has right, and where a click on that leads.
        difference: second minus first.
        interval: of the difference.
        sources: how many the tests rest on.
        t_p: of the t-test.
        holm_p: the same, corrected.
        flip_p: of the randomisation test.
        detectable: the smallest difference that would have been found.
        mcnemar_p: of McNemar's test.
        says: the outcome in words.
    """

    first: str
    second: str
    hrefs: tuple[str, str]
    differing: str
    alone: tuple[tuple[int, str], tuple[int, str]]
    difference: str
    interval: str
    sources: str
    t_p: str
    holm_p: str
    flip_p: str
    detectable: str
    mcnemar_p: str
    says: str


def score_rows(results: Results) -> list[ScoreRow]:
    """Every figure that any model has; below the first, its bounds and what repeats say of it, where there are any."""
    rows = [
        ScoreRow(
            name=f"{name}, {unit(figure)}" if unit(figure) else name,
            cells=tuple(
                (
                    number(figure, model.figures[figure].value),
                    ends(figure, model.figures[figure]),
                    link(model=model.name, **SHOWS.get(figure, {})),
                )
                for model in results.models
            ),
            baselines=tuple(number(figure, own.get(figure)) for own in results.baselines.values()),
        )
        for figure, name in NAMES.items()
        if any(model.figures[figure].value is not None for model in results.models)
    ]
    return rows[:1] + _of_balanced_accuracy(results) + rows[1:]


def pair_rows(results: Results) -> list[PairRow]:
    """All pairs of models, in the order of `Results.comparisons`."""
    return [_pair(pair) for pair in results.comparisons]


def _pair(pair: Comparison) -> PairRow:
    difference = pair.differences["balanced_accuracy"]
    test = pair.test
    return PairRow(
        first=visible(pair.first),
        second=visible(pair.second),
        hrefs=(link(model=pair.first), link(model=pair.second)),
        differing=link(model=pair.second, unlike=pair.first),
        alone=(
            (pair.first_only, link(model=pair.first, unlike=pair.second, right="yes")),
            (pair.second_only, link(model=pair.second, unlike=pair.first, right="yes")),
        ),
        difference=number("balanced_accuracy", difference.value, sign=True),
        interval=ends("balanced_accuracy", difference, sign=True),
        sources=NOTHING if test is None else str(test.n_sources),
        t_p=p_value(None if test is None else test.t_p),
        holm_p=p_value(pair.holm_p),
        flip_p=p_value(None if test is None else test.flip_p),
        detectable=percent(None if test is None else test.detectable),
        mcnemar_p=p_value(pair.mcnemar_p),
        says=visible(verdict(pair)),
    )


def _of_balanced_accuracy(results: Results) -> list[ScoreRow]:
    """Bounds and repeats, where there is something to say of them."""
    rows: list[ScoreRow] = []
    blank = ("",) * len(results.baselines)
    bounds = [model.bounds["balanced_accuracy"] for model in results.models]
    if any(both.worst != both.best for both in bounds):
        cells = tuple((_bounds(model), "", link(model=model.name, choice="none")) for model in results.models)
        rows.append(ScoreRow(name="its bounds, unread wrong … right", cells=cells, baselines=blank))
    if any(model.spread is not None for model in results.models):
        cells = tuple((_spread(model), "", link(model=model.name)) for model in results.models)
        rows.append(ScoreRow(name="its SD over repeats, points", cells=cells, baselines=blank))
    return rows


def _bounds(model: ModelResult) -> str:
    bounds = model.bounds["balanced_accuracy"]
    return f"{percent(bounds.worst)} … {percent(bounds.best)}"


def _spread(model: ModelResult) -> str:
    if model.spread is None:
        return NOTHING
    return f"{100 * model.spread.sd:.1f} (of {model.spread.repeats})"
