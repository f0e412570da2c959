"""Reading the stored replies again, by the rules of today, without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from offbeat.errors import RunError
from offbeat.evaluation.answer import Answer
from offbeat.evaluation.parsing import read_reply
from offbeat.evaluation.run_folder import INFO, QuestionRecord, held_run, read_info

DECIDED_BY_READING = ("ok", "unparsed", "unsure")
"""The outcomes that depend on the text; that a model refused, was cut or failed is no matter of reading."""


@dataclass(frozen=True, slots=True)
class Reread:
    """What came of it.

    Attributes:
        read: how many texts were read.
        changed: the answers that are read otherwise now: before, and after.
    """

    read: int
    changed: tuple[tuple[Answer, Answer], ...]


def reread_run(folder: Path) -> Reread:
    """Read all raw texts of a run again, and keep the outcomes and choices that follow; the texts stay.

    Raises:
        RunError: not a run folder, held by another process, or it cannot be written to.
    """
    questions = read_info(folder).questions
    with held_run(folder) as store:
        answers = [answer for answer in store.answers() if answer.outcome in DECIDED_BY_READING]
        pairs = [(answer, _read_again(answer, questions, folder)) for answer in answers]
        changed = tuple((before, after) for before, after in pairs if before != after)
        store.reread(after for _, after in changed)
    return Reread(read=len(answers), changed=changed)


def _read_again(answer: Answer, questions: Mapping[str, QuestionRecord], folder: Path) -> Answer:
    question = questions.get(answer.question)
    if question is None:
        raise RunError(f"{folder / INFO}: no question {answer.question!r}, but answers to it; put a copy of it back")
    stop = "unsure" if answer.outcome == "unsure" else "complete"
    outcome, choice = read_reply(answer.text or "", stop, question.options)
    return replace(answer, outcome=outcome, choice=choice)
