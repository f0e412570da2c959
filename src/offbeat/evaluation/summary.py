"""How far a run is: counted from what is on the disk, by the keys of what was to be asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from offbeat.evaluation.answer import OUTCOMES
from offbeat.evaluation.database import Database
from offbeat.evaluation.plan import ModelPlan
from offbeat.evaluation.store import kept_outcomes


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """How one model fared with one question.

    Attributes:
        name: of the model.
        question: of the question.
        revision: what exactly answered.
        expected: how many answers were wanted, repeats counted: the sum of `outcomes` and `missing`.
        kept: how many of them there were before this run.
        outcomes: how many there are now of each outcome.
        missing: how many were never asked, or are in a batch that has not been collected.
        stopped: why the model was stopped early; None if it was not.
    """

    name: str
    question: str
    revision: str
    expected: int
    kept: int
    outcomes: dict[str, int]
    missing: int
    stopped: str | None

    @property
    def complete(self) -> bool:
        """Whether there is an answer to everything, readable or not."""
        return self.missing == 0 and self.outcomes["error"] == 0


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How all models fared, in the order in which they were named.

    Attributes:
        models: one for each model and question.
        spent_by_model: what all calls that this run folder has seen have cost, as far as prices are known; without
            those models whose calls have cost nothing.
        unpriced: models of which calls went out at an unknown price, which are not in it.
    """

    models: tuple[ModelSummary, ...]
    spent_by_model: Mapping[str, float]
    unpriced: tuple[str, ...]

    @property
    def spent_usd(self) -> float:
        """By all models together."""
        return sum(self.spent_by_model.values())

    @property
    def complete(self) -> bool:
        """Whether there is an answer to everything, of every model."""
        return all(model.complete for model in self.models)


def summarise(plan: ModelPlan, database: Database, *, stopped: str | None) -> ModelSummary:
    """What became of a plan."""
    kept = kept_outcomes(database, plan.identity.name, plan.question.name)
    found = [kept.get((planned.variant.row.variant_id, planned.repeat), ("", "")) for planned in plan.planned]
    counts = Counter(outcome for (key, outcome), planned in zip(found, plan.planned, strict=True) if key == planned.key)
    return ModelSummary(
        name=plan.identity.name,
        question=plan.question.name,
        revision=plan.identity.revision,
        expected=len(plan.planned),
        kept=plan.kept,
        outcomes={outcome: counts[outcome] for outcome in OUTCOMES},
        missing=len(plan.planned) - counts.total(),
        stopped=stopped,
    )
