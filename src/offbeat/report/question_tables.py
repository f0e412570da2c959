"""The tables of questions: what one model scored under each wording, and by the place of an option in the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offbeat.report.figure_words import ends, number, p_value
from offbeat.report.values import Comparison, ModelResult, Place, Results
from offbeat.report.words import apart, link, visible

_FIGURE = "balanced_accuracy"


@dataclass(frozen=True, slots=True)
class QuestionCell:
    """Balanced accuracy under one question, its interval, and where a click leads."""

    value: str
    range: str
    href: str


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One model: a cell for each question, None where it was not asked it; and how far apart two of them are.

    Attributes:
        name: of the model, with what differs between revisions where several answered.
        cells: in the order of `QuestionTable.questions`.
        widest: of all pairs of its questions, the one whose balanced accuracy differs most, in words, and where a click
            on it leads: to the variants that it has right under one of the two, and wrong under the other.
    """

    name: str
    cells: tuple[QuestionCell | None, ...]
    widest: tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class QuestionTable:
    """All models that were asked more than one question.

    Attributes:
        questions: the columns, by their names.
        rows: in the order of the report: best first.
    """

    questions: tuple[str, ...]
    rows: tuple[QuestionRow, ...]


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One model under one question: for each place in the list of options, what is shown of it.

    Attributes:
        name: of the model, with the question where it needs it.
        cells: accuracy where the true option stood there, its interval; bias to the place, its interval.
    """

    name: str
    cells: tuple[tuple[str, str, str, str], ...]


def place_rows(results: Results) -> tuple[PlaceRow, ...]:
    """A row for each model that was asked in a shuffled order; in the order of the report."""
    return tuple(
        PlaceRow(name=visible(model.name), cells=tuple(_place_cell(place) for place in model.places))
        for model in results.models
        if model.places
    )


def _place_cell(place: Place) -> tuple[str, str, str, str]:
    accuracy, bias = place.accuracy, place.bias
    return (
        number("accuracy", accuracy.value),
        ends("accuracy", accuracy),
        number("bias", bias.value, sign=True),
        ends("bias", bias, sign=True),
    )


def question_table(results: Results) -> QuestionTable | None:
    """The table; None where no model was asked more than one question that is scored."""
    asked: dict[tuple[str, str], list[ModelResult]] = {}
    for model in results.models:
        asked.setdefault((model.model, model.revision), []).append(model)
    several = {key: own for key, own in asked.items() if len(own) > 1}
    if not several:
        return None
    questions = tuple(dict.fromkeys(sorted((model.question for own in several.values() for model in own), key=_order)))
    revisions = {model: apart(other for name, other in several if name == model) for model, _ in several}
    return QuestionTable(
        questions=tuple(visible(question) for question in questions),
        rows=tuple(
            QuestionRow(
                name=visible(model if len(revisions[model]) == 1 else f"{model} · {revisions[model][revision]}"),
                cells=_cells(own, questions),
                widest=_widest(own, results.comparisons),
            )
            for (model, revision), own in several.items()
        ),
    )


def _order(question: str) -> tuple[bool, str]:
    """The study's own wording first, the others by name."""
    return (question != "study", question)


def _cells(own: Sequence[ModelResult], questions: Sequence[str]) -> tuple[QuestionCell | None, ...]:
    found = {
        model.question: QuestionCell(
            value=number(_FIGURE, model.figures[_FIGURE].value),
            range=ends(_FIGURE, model.figures[_FIGURE]),
            href=link(model=model.name),
        )
        for model in own
    }
    return tuple(found.get(question) for question in questions)


def _widest(own: Sequence[ModelResult], pairs: Sequence[Comparison]) -> tuple[str, str | None]:
    """``letters − study: +4.2 [−1.0, 9.5], Holm p 0.310``, and its link."""
    questions = {model.name: model.question for model in own}
    known = [
        (abs(value), pair)
        for pair in pairs
        if pair.first in questions
        and pair.second in questions
        and (value := pair.differences[_FIGURE].value) is not None
    ]
    if not known:
        return "no answers in common", None
    pair = max(known, key=lambda item: item[0])[1]
    difference = pair.differences[_FIGURE]
    words = f"{questions[pair.second]} − {questions[pair.first]}: {number(_FIGURE, difference.value, sign=True)}"
    words += f" {ends(_FIGURE, difference, sign=True)}, Holm p {p_value(pair.holm_p)}"
    return visible(words), link(model=pair.second, unlike=pair.first)
