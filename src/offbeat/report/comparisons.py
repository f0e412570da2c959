"""Models beside each other: all pairs, on what both have answered, source by source.

The family of comparisons is declared here and nowhere else: all pairs of models of a report, on balanced accuracy, by
the t-test on the sources' differences; Holm's correction is over these. Other figures of a pair have intervals and no
test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from offbeat.analysis import scores
from offbeat.analysis.groups import Coded
from offbeat.analysis.holm import holm
from offbeat.analysis.intervals import Estimate, over_draws
from offbeat.analysis.mcnemar import mcnemar
from offbeat.analysis.paired import among, paired_test
from offbeat.evaluation.answer import Answer
from offbeat.report.draws import SCORES, Draws
from offbeat.report.scorer import Scorer, number_or_none
from offbeat.report.values import Comparison

TESTED = "balanced_accuracy"
COMPARED = (TESTED, "accuracy")
"""The figures of each pair in a report."""


def compare_all(
    models: Mapping[str, Sequence[Answer]], scorer: Scorer, draws: Draws, *, figures: Sequence[str] = COMPARED
) -> tuple[Comparison, ...]:
    """Every model with every later one, with Holm's correction over these pairs.

    Args:
        models: the answers of each, by name.
        scorer: which knows the variants.
        draws: of sources.
        figures: of `SCORES`, for which differences are wanted.
    """
    return with_holm(
        [
            compare_pair(names, (models[names[0]], models[names[1]]), scorer, draws, figures=figures)
            for names in combinations(models, 2)
        ]
    )


def with_holm(pairs: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same pairs, with Holm's correction over them; those without a test have no part in it."""
    tests = [pair.test for pair in pairs if pair.test is not None]
    adjusted = iter(holm([test.t_p for test in tests]))
    return tuple(
        pair if pair.test is None else replace(pair, test=among(pair.test, len(tests)), holm_p=next(adjusted))
        for pair in pairs
    )


def compare_pair(
    names: tuple[str, str],
    answers: tuple[Sequence[Answer], Sequence[Answer]],
    scorer: Scorer,
    draws: Draws,
    *,
    figures: Sequence[str] = COMPARED,
) -> Comparison:
    """Two models on the variants and repeats to which both gave an answer; errors are none."""
    first, second = (scorer.coded(own) for own in in_common(*answers))
    tables = first.tables(), second.tables()
    per_source = [scores.recall(own).mean(axis=-1) for own in tables]
    differences = per_source[1] - per_source[0]
    tested = ~np.isnan(differences)
    first_only, second_only = _one_sided(first, second)
    return Comparison(
        first=names[0],
        second=names[1],
        n=first.truth.size,
        figures={name: _value(tables[0], name) for name in figures},
        others={name: _value(tables[1], name) for name in figures},
        differences=_differences(tables, draws, figures),
        test=paired_test(differences[tested], seed=draws.seed),
        left_out=int((~tested).sum()),
        holm_p=None,
        first_only=first_only,
        second_only=second_only,
        mcnemar_p=mcnemar(first_only, second_only),
    )


def in_common(first: Sequence[Answer], second: Sequence[Answer]) -> tuple[list[Answer], list[Answer]]:
    """The answers of both to the same variants and repeats, in one order, without errors."""
    ours, theirs = (
        {(answer.variant_id, answer.repeat): answer for answer in own if answer.outcome != "error"}
        for own in (first, second)
    )
    keys = [key for key in ours if key in theirs]
    return [ours[key] for key in keys], [theirs[key] for key in keys]


def _differences(
    tables: tuple[scores.Counts, scores.Counts], draws: Draws, figures: Sequence[str]
) -> dict[str, Estimate]:
    drawn = draws.tables(tables[0]), draws.tables(tables[1])
    found: dict[str, Estimate] = {}
    for name in figures:
        score = SCORES[name]
        value = score(tables[1].sum(axis=0)) - score(tables[0].sum(axis=0))
        of_draws = None if drawn[0] is None or drawn[1] is None else score(drawn[1]) - score(drawn[0])
        found[name] = over_draws(float(value), of_draws, n_sources=len(tables[0]))
    return found


def _value(tables: scores.Counts, name: str) -> float | None:
    return number_or_none(SCORES[name](tables.sum(axis=0)))


def _one_sided(first: Coded, second: Coded) -> tuple[int, int]:
    """How many answers the first alone, and the second alone, has right."""
    ours, theirs = first.choice == first.truth, second.choice == second.truth
    return int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
