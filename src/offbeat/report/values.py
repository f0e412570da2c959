"""The figures of a report as values: `offbeat.report.results` computes them, and tables, charts and words show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from offbeat.analysis.intervals import Estimate
from offbeat.analysis.paired import PairedTest
from offbeat.analysis.repeats import Spread
from offbeat.evaluation.answer import Outcome
from offbeat.timing import LABELS

CODES: Mapping[str, int] = {label: code for code, label in enumerate(LABELS)}
"""The labels as `offbeat.analysis.scores` codes them."""
CHOICES = (*LABELS, "none")
"""The columns of a confusion table."""


@dataclass(frozen=True, slots=True)
class Group:
    """The answers to a part of the variants.

    Attributes:
        key: what they have in common: a genre, a length, a delay.
        n: scored answers.
        choices: how many chose each of `CHOICES`.
        accuracy: of all of them.
        balanced_accuracy: over the truths that occur among them.
        noticed: of those that are shifted, the share taken to be shifted: the hit rate.
        false_alarms: of those in sync, the share taken to be shifted. Where the group is one of delays (``delay``,
            ``size``, ``sign``), all variants in sync are taken.
        detection_d_prime: from these two rates.
    """

    key: str | float
    n: int
    choices: tuple[int, ...]
    accuracy: Estimate
    balanced_accuracy: Estimate
    noticed: Estimate
    false_alarms: Estimate
    detection_d_prime: Estimate


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a score would be had all answers without a choice been wrong, or right."""

    worst: float | None
    best: float | None


@dataclass(frozen=True, slots=True)
class Place:
    """One place in the list of options, of a question whose order is shuffled.

    Attributes:
        place: from 1.
        n: scored answers whose true option stood there.
        chosen: how many chose what stood there.
        accuracy: where the true option stood there.
        bias: how much more often it was chosen than true, as a share of all answers.
    """

    place: int
    n: int
    chosen: int
    accuracy: Estimate
    bias: Estimate


@dataclass(frozen=True, slots=True)
class ModelResult:
    """All figures of one model under one question.

    Attributes:
        name: unique in the report: the model's name, with question or revision where it needs them.
        model: as it was asked for.
        revision: what exactly answered.
        question: the question's name.
        n: scored answers.
        missing: questions that ended in an error: no answer.
        unasked: variants of the dataset without any row.
        outcomes: how many of each, errors included.
        confusion: truths down, `CHOICES` across.
        figures: the headline figures, by the names of `offbeat.report.scorer.FIGURES`.
        bounds: of accuracy and balanced accuracy.
        baselines: the same figures of trivial answerers on the same variants; no area, which needs probabilities.
        with_probabilities: how many scored answers have probabilities of the three options.
        served: the models that said that they had answered, where that is told.
        usage: the sum of each number in the usage of all its answers, errors included.
        oddities: what makes its answers doubtful; see `offbeat.evaluation.oddities`.
        spread: of balanced accuracy over repeats; None without repeats.
        constant: the choice that it gave every time, if it did.
        groups: by ``genre``, ``language``, ``length``, ``delay``, ``size`` (of the delay), ``sign`` (the truth),
            ``overlap``, ``fps`` and ``condition``.
        places: in the list of options, where their order was shuffled; else nothing.
    """

    name: str
    model: str
    revision: str
    question: str
    n: int
    missing: int
    unasked: int
    outcomes: Mapping[Outcome, int]
    confusion: tuple[tuple[int, ...], ...]
    figures: Mapping[str, Estimate]
    bounds: Mapping[str, Bounds]
    baselines: Mapping[str, Mapping[str, float | None]]
    with_probabilities: int
    served: tuple[str, ...]
    usage: Mapping[str, float]
    oddities: tuple[str, ...]
    spread: Spread | None
    constant: str | None
    groups: Mapping[str, tuple[Group, ...]]
    places: tuple[Place, ...]

    @property
    def choiceless(self) -> int:
        """Answers without a choice, which count as wrong."""
        return sum(row[-1] for row in self.confusion)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on what both have answered.

    Attributes:
        first: name of the one.
        second: name of the other.
        n: answers that both gave, to the same variant and repeat.
        figures: the first's, on these answers.
        others: the second's.
        differences: second minus first, each with the interval over draws of sources, the same sources for both.
        test: of the differences in balanced accuracy, source by source; None with fewer than two sources.
        left_out: sources without variants of all three truths, on which the test does not rest.
        holm_p: the t-test's p-value, corrected for all pairs of the report.
        first_only: answers that the first alone has right.
        second_only: answers that the second alone has right.
        mcnemar_p: of these two, as though answers were independent.
    """

    first: str
    second: str
    n: int
    figures: Mapping[str, float | None]
    others: Mapping[str, float | None]
    differences: Mapping[str, Estimate]
    test: PairedTest | None
    left_out: int
    holm_p: float | None
    first_only: int
    second_only: int
    mcnemar_p: float


@dataclass(frozen=True, slots=True)
class Unscored:
    """Answers to a question with other options than the three; they are listed, not scored."""

    name: str
    n: int
    reason: str


@dataclass(frozen=True, slots=True)
class Results:
    """What a report says.

    Attributes:
        models: best balanced accuracy first.
        comparisons: all pairs of them, in this order.
        unscored: answers that are not three-way choices.
        baselines: of trivial answerers on all variants of the dataset.
        draws: how often the sources were drawn for the intervals.
        seed: of these draws.
    """

    models: tuple[ModelResult, ...]
    comparisons: tuple[Comparison, ...]
    unscored: tuple[Unscored, ...]
    baselines: Mapping[str, Mapping[str, float | None]]
    draws: int
    seed: int
