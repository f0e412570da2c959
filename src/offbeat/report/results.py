"""From a dataset and answers to figures: a pure function.

What counts: every answer with the outcome ``ok`` or ``unsure`` counts with its choice; ``unparsed``, ``refused`` and
``truncated`` ones, and those without a choice, count as wrong. ``error`` is no answer: it is not scored, and counted
as missing. Repeats of a question are answers of their own; as sources are resampled, they do not narrow an interval
unduly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from offbeat.analysis.intervals import DRAWS
from offbeat.dataset.folder import Dataset
from offbeat.errors import RunError
from offbeat.evaluation.answer import Answer
from offbeat.report.comparisons import compare_all
from offbeat.report.draws import Draws
from offbeat.report.scorer import Scorer, baselines, truth_totals
from offbeat.report.values import ModelResult, Results, Unscored
from offbeat.report.words import apart
from offbeat.timing import LABELS


def compute_results(
    dataset: Dataset,
    answers: Iterable[Answer],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    advance: Callable[[], object] = lambda: None,
) -> Results:
    """Score all answers; the same input gives the same figures, to the last digit.

    Args:
        dataset: what was asked about.
        answers: of one or several runs over it.
        draws: how often the sources are drawn for the intervals.
        seed: of these draws.
        advance: called once for each model that is done.

    Raises:
        RunError: an answer to a variant that the dataset does not have, or two that differ to the same question and
            repeat.
    """
    rows = {variant.row.variant_id: variant.row for variant in dataset.variants}
    drawn = Draws(draws=draws, seed=seed)
    scorer = Scorer(rows, drawn)
    scored: dict[str, list[Answer]] = {}
    models: list[ModelResult] = []
    unscored: list[Unscored] = []
    for name, own in entries(answers, rows).items():
        foreign = sorted({answer.choice for answer in own if answer.choice is not None} - set(LABELS))
        if foreign:
            reason = f"its answers are {', '.join(foreign)}; only sync, ahead and behind are scored here"
            unscored.append(Unscored(name=name, n=len(own), reason=reason))
        else:
            models.append(scorer.score(name, own))
            scored[name] = own
        advance()
    models.sort(key=_rank)
    return Results(
        models=tuple(models),
        comparisons=compare_all({model.name: scored[model.name] for model in models}, scorer, drawn),
        unscored=tuple(unscored),
        baselines=baselines(truth_totals(variant.row for variant in dataset.variants)),
        draws=draws,
        seed=seed,
    )


def entries(answers: Iterable[Answer], known: Mapping[str, object]) -> dict[str, list[Answer]]:
    """The answers of each model under each question, by a name that tells them apart, in order of appearance.

    The name is the model's, with the question where there are several, and with what differs between revisions.

    One that two runs hold alike, as of a reference model that both asked, counts once.

    Raises:
        RunError: an answer to an unknown variant, or two that differ to the same question and repeat.
    """
    found: dict[tuple[str, str, str], dict[tuple[str, int], Answer]] = {}
    for answer in answers:
        if answer.variant_id not in known:
            raise RunError(
                f"{answer.model} answered for variant {answer.variant_id!r}, which the dataset does not have; "
                "the run belongs to another dataset"
            )
        own = found.setdefault((answer.model, answer.question, answer.revision), {})
        given = own.setdefault((answer.variant_id, answer.repeat), answer)
        if not _same(given, answer):
            raise RunError(
                f"{answer.model} has two answers for variant {answer.variant_id!r}, question {answer.question!r}, "
                f"repeat {answer.repeat}; give only one of the runs that hold them"
            )
    questions = Counter(model for model, _ in {(model, question) for model, question, _ in found})
    named: dict[str, list[Answer]] = {}
    for (model, question, revision), own in found.items():
        revisions = apart(other for name, asked, other in found if (name, asked) == (model, question))
        parts = [model, *([question] if questions[model] > 1 else [])]
        parts += [revisions[revision]] if len(revisions) > 1 else []
        named[" · ".join(parts)] = list(own.values())
    return named


def _same(one: Answer, other: Answer) -> bool:
    return (one.key, one.outcome, one.choice, one.text) == (other.key, other.outcome, other.choice, other.text)


def _rank(model: ModelResult) -> tuple[float, str]:
    value = model.figures["balanced_accuracy"].value
    return (float("inf") if value is None else -value, model.name)
