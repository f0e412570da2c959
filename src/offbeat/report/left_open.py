"""What was wanted of a model and is not there, so that a mean over what came is not taken for one over all.

Wanted is what the last command for a model and question asked for, and whatever else has an answer or a failure. Of
that, what has neither was never asked: the model was stopped or refused, the run was cut short, or a batch has not been
collected. Runs over one dataset complete each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from offbeat.dataset.folder import Dataset
from offbeat.evaluation.answer import Answer
from offbeat.evaluation.plan import select_variants
from offbeat.evaluation.run_folder import AskedRecord, RunInfo
from offbeat.evaluation.status import selection_of
from offbeat.report.values import ModelResult
from offbeat.report.words import count, listed

_Asked = tuple[str, str, str]
"""Model, question and revision."""


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """Where one model stands with one question.

    Attributes:
        model: as it was asked for.
        question: the question's name.
        revision: what was asked.
        wanted: answers, repeats counted.
        failed: of these, calls that failed.
        unasked: of these, those that have neither an answer nor a failure.
        why: what stopped the model, as far as a run tells; else nothing.
    """

    model: str
    question: str
    revision: str
    wanted: int
    failed: int
    unasked: int
    why: str

    @property
    def open(self) -> int:
        """Answers that are missing, for whatever reason."""
        return self.failed + self.unasked

    @property
    def label(self) -> str:
        """A few words."""
        return f"{count(self.open)} of {count(self.wanted)} not answered"

    @property
    def says(self) -> str:
        """What there is to know."""
        because = f" Why: {self.why.rstrip('.')}." if self.why else ""
        if self.unasked == self.wanted:
            return f"{count(self.wanted)} answers were wanted, and none was ever asked for.{because}"
        parts = [f"{count(self.failed)} ended in an error"] if self.failed else []
        if self.unasked:
            parts.append(f"{count(self.unasked)} {'was' if self.unasked == 1 else 'were'} never asked for")
        left = self.wanted - self.open
        about = f" Its figures are about the other {count(left)}." if left else ""
        return f"Of {count(self.wanted)} answers that were wanted, {listed(parts)}.{about}{because}"


@dataclass(frozen=True, slots=True)
class Left:
    """What is left open in a report.

    Attributes:
        every: all models and questions of which anything was wanted, those without a single row included.
    """

    every: tuple[LeftOpen, ...] = ()

    def of(self, model: ModelResult) -> LeftOpen | None:
        """What is open of it; None where nothing is, or where no run tells."""
        asked = (model.model, model.question, model.revision)
        own = [one for one in self.every if (one.model, one.question, one.revision) == asked]
        return own[0] if own and own[0].open else None

    @property
    def silent(self) -> tuple[LeftOpen, ...]:
        """Those of which there is neither an answer nor a failure: they have no row among the figures."""
        return tuple(one for one in self.every if one.unasked == one.wanted)

    @property
    def silent_models(self) -> tuple[LeftOpen, ...]:
        """The same, with the questions of a model together."""
        found: defaultdict[tuple[str, str, str], list[LeftOpen]] = defaultdict(list)
        for one in self.silent:
            found[one.model, one.revision, one.why].append(one)
        return tuple(_together(own) for own in found.values())


def _together(own: Sequence[LeftOpen]) -> LeftOpen:
    total = sum(one.wanted for one in own)
    return replace(own[0], question=listed(one.question for one in own), wanted=total, unasked=total)


NOTHING_LEFT = Left()
"""Where no run tells."""


def left_open(dataset: Dataset, runs: Sequence[Mapping[str, Any]], answers: Sequence[Answer]) -> Left:
    """Count it.

    Args:
        dataset: what was asked about.
        runs: the settings of each run, as run.json has them.
        answers: of all of them, failures included.
    """
    wanted: defaultdict[_Asked, set[tuple[str, int]]] = defaultdict(set)
    why: dict[_Asked, str] = {}
    for settings in runs:
        for name, last in RunInfo.model_validate(settings).models.items():
            for record in last.records:
                shown = [variant.row.variant_id for variant in select_variants(dataset, selection_of(record))]
                items = {(variant_id, repeat) for variant_id in shown for repeat in range(record.repeats)}
                for question in record.questions:
                    wanted[name, question, record.revision] |= items
                    why[name, question, record.revision] = why_stopped(record)
    there: defaultdict[_Asked, set[tuple[str, int]]] = defaultdict(set)
    failed: defaultdict[_Asked, set[tuple[str, int]]] = defaultdict(set)
    for answer in answers:
        asked, item = (answer.model, answer.question, answer.revision), (answer.variant_id, answer.repeat)
        (failed if answer.outcome == "error" else there)[asked].add(item)
    every = [
        LeftOpen(
            *asked,
            wanted=len(wanted[asked] | there[asked] | failed[asked]),
            failed=len(failed[asked] - there[asked]),
            unasked=len(wanted[asked] - there[asked] - failed[asked]),
            why=why.get(asked, ""),
        )
        for asked in dict.fromkeys([*wanted, *there, *failed])
    ]
    return Left(tuple(every))


def why_stopped(record: AskedRecord) -> str:
    """What the run says of it: the probe that refused the model, or what stopped it later."""
    if record.stopped is not None:
        return record.stopped
    probe = record.probe
    if probe is not None and probe["passed"] is False and not probe["overridden"]:
        return f"the probe: {probe['says']}"
    return ""
