"""Reading the stored replies again, by the rules of today, without asking anybody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from offbeat.evaluation.answer import Answer
from offbeat.evaluation.reading.parsing import read_reply
from offbeat.evaluation.run_folder import held_run, read_info
from offbeat.evaluation.store import all_answers, reread_answers

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
    read_info(folder)
    with held_run(folder) as database:
        answers = [answer for answer in all_answers(database) if answer.outcome in DECIDED_BY_READING]
        pairs = [(answer, _read_again(answer)) for answer in answers]
        changed = tuple((before, after) for before, after in pairs if before != after)
        reread_answers(database, (after for _, after in changed))
    return Reread(read=len(answers), changed=changed)


def _read_again(answer: Answer) -> Answer:
    stop = "unsure" if answer.outcome == "unsure" else "complete"
    options, words = tuple(answer.options), tuple(answer.options.values())
    outcome, choice = read_reply(answer.text or "", stop, options, words, prompt=answer.prompt)
    return replace(answer, outcome=outcome, choice=choice)
