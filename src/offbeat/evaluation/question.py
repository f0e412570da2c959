"""What is asked: a prompt with its closed set of options, as data.

Options have labels, the same in every question (``sync``, ``ahead``, ``behind``), and words, which are what is to be
said for them in this one (``A``, ``late``). A question whose order is shuffled is put in another order for each clip,
drawn from the question's name and the clip's id alone: all delays of a clip are asked in the same order, so that they
can be compared, and over many clips each option stands about equally often in each place.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from offbeat.dataset.variant import Variant
from offbeat.errors import SettingsError
from offbeat.evaluation.tables import parse_table, text_of
from offbeat.models.base import Prompt
from offbeat.timing import LABELS

SHIPPED = "questions.toml"
OPTIONS = "{options}"
LENGTH = "{length}"

_LABEL = re.compile(r"[a-z]+")
_WORD = re.compile(r"[A-Za-z]+")
_IN_FILE = re.compile(r"(?P<file>.*\.toml)(?::(?P<name>.+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt, and what may be answered.

    Attributes:
        name: by which it is kept and shown.
        template: the prompt; ``{length}`` stands for the clip's length in seconds, ``{options}`` for the options, one a
            line, as ``word = meaning``.
        options: their labels: distinct words of small letters a to z.
        words: what is to be said for each: all single letters, or all longer; the labels unless given.
        meanings: what the prompt says of each; an option without one is shown by its word alone.
        system: what stands before the conversation; None for the model's own default. ``{length}`` works here too.
        order: ``shuffled``: another order for each clip. Letters stay in place and change what they mean; words keep
            their meaning and change place.
        about: one line for those who choose among questions.
    """

    name: str
    template: str
    options: tuple[str, ...]
    words: tuple[str, ...] = ()
    meanings: tuple[str, ...] = ()
    system: str | None = None
    order: Literal["fixed", "shuffled"] = "fixed"
    about: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", self.words or self.options)
        object.__setattr__(self, "meanings", self.meanings or ("",) * len(self.options))
        reason = self._fault()
        if reason is not None:
            raise ValueError(f"question {self.name!r}: {reason}")

    def _fault(self) -> str | None:
        if len(set(self.options)) != len(self.options) or len(self.options) < 2:
            return f"expected two or more distinct options, got {', '.join(self.options) or 'none'}"
        if not all(_LABEL.fullmatch(option) for option in self.options):
            return f"the label of an option must be a word of letters a to z, got {', '.join(self.options)}"
        if not len(self.words) == len(self.meanings) == len(self.options):
            return f"expected a word and a meaning for each option, got {len(self.words)} and {len(self.meanings)}"
        if not all(_WORD.fullmatch(word) for word in self.words):
            return f"what is to be said must be one word of letters, got {', '.join(map(repr, self.words))}"
        if len({word.lower() for word in self.words}) != len(self.words):
            return f"two options have the same word: {', '.join(self.words)}"
        if len({len(word) == 1 for word in self.words}) != 1:
            return f"expected single letters or longer words, not both, got {', '.join(self.words)}"
        if self.order == "shuffled" and OPTIONS not in self.template:
            return f"nothing can be shuffled: put {OPTIONS} into the template where the options shall stand"
        return None

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all that an answer may depend on; two questions of one name with different ones are two."""
        parts = [self.template, self.options, self.words, self.meanings, self.system, self.order]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def unscored(question: Question) -> str | None:
    """What to know before anything is asked, where a report could not score the answers; None where it can."""
    foreign = [option for option in question.options if option not in LABELS]
    if not foreign:
        return None
    return (
        f"{question.name}: a report lists its answers and scores none: {', '.join(foreign)} "
        f"{'is' if len(foreign) == 1 else 'are'} none of the labels {', '.join(LABELS)}; `word` is what is to be said "
        "for a label"
    )


def prompt_for(question: Question, variant: Variant) -> Prompt:
    """The prompt for one variant."""
    return write_prompt(question, clip_id=variant.row.clip_id, length_s=variant.row.clip_length_s)


def write_prompt(question: Question, *, clip_id: str, length_s: float) -> Prompt:
    """The prompt for a clip; a whole number of seconds is written without decimals, as in the study.

    The prompt's options are in the question's own order, whatever the order in which they are shown.
    """
    length = str(int(length_s)) if length_s == int(length_s) else str(length_s)
    shown = _order(question, clip_id)
    letters = len(question.words[0]) == 1
    words = [question.words[place if letters else option] for place, option in enumerate(shown)]
    lines = [
        f"{word} = {question.meanings[option]}" if question.meanings[option] else word
        for word, option in zip(words, shown, strict=True)
    ]
    word_of = dict(zip(shown, words, strict=True))
    return Prompt(
        text=question.template.replace(OPTIONS, "\n".join(lines)).replace(LENGTH, length),
        options=question.options,
        words=tuple(word_of[option] for option in range(len(question.options))),
        system=None if question.system is None else question.system.replace(LENGTH, length),
    )


def _order(question: Question, clip_id: str) -> list[int]:
    """Which option stands in each place."""

    def rank(place: int) -> bytes:
        return hashlib.sha256(f"{question.name}:{clip_id}:{question.options[place]}".encode()).digest()

    places = range(len(question.options))
    return sorted(places, key=rank) if question.order == "shuffled" else list(places)


def shipped_questions() -> dict[str, Question]:
    """The questions that come with Offbeat, by name."""
    text = files("offbeat.evaluation").joinpath(SHIPPED).read_text(encoding="utf-8")
    return _parse(text, SHIPPED)


def find_question(spec: str) -> Question:
    """The question that is meant.

    Args:
        spec: the name of one that comes with Offbeat; or ``FILE.toml:NAME``, one of the user's own; or ``FILE.toml``
            where there is one in the file.

    Raises:
        SettingsError: there is none, or the file is not what it should be; the text names file and key.
    """
    in_file = _IN_FILE.fullmatch(spec)
    if in_file is None:
        known, file, name = shipped_questions(), "", spec
    else:
        file, name = str(in_file["file"]), str(in_file["name"] or "")
        known = _read(Path(file))
        if not name and len(known) == 1:
            return next(iter(known.values()))
    if name in known:
        return known[name]
    if not file:
        raise SettingsError(
            f"there is no question {name!r}; expected one of {', '.join(known)}, or FILE.toml:NAME for one of your own"
        )
    found = f"no question {name!r} in it" if name else "more than one question in it"
    raise SettingsError(f"{file}: {found}; expected one of {', '.join(f'{file}:{other}' for other in known)}")


class _OptionRow(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    label: str
    word: str = ""
    meaning: str = ""


class _QuestionRow(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    template: str = Field(min_length=1)
    options: list[_OptionRow]
    system: str | None = None
    order: Literal["fixed", "shuffled"] = "fixed"
    about: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    question: list[_QuestionRow] = Field(min_length=1)


def _read(path: Path) -> dict[str, Question]:
    questions = _parse(text_of(path), str(path))
    taken = sorted(questions.keys() & shipped_questions().keys())
    if taken:
        raise SettingsError(f"{path}: {taken[0]!r} is the name of a question of Offbeat's; choose another name")
    return questions


def _parse(text: str, where: str) -> dict[str, Question]:
    rows = parse_table(text, where, _File).question
    questions: dict[str, Question] = {}
    for row in rows:
        if row.name in questions:
            raise SettingsError(f"{where}: two questions are named {row.name!r}; rename one")
        _check_placeholders(row, where)
        try:
            questions[row.name] = Question(
                name=row.name,
                template=row.template,
                options=tuple(option.label for option in row.options),
                words=tuple(option.word or option.label for option in row.options),
                meanings=tuple(option.meaning for option in row.options),
                system=row.system,
                order=row.order,
                about=row.about,
            )
        except ValueError as error:
            raise SettingsError(f"{where}: {error}") from error
    return questions


def _check_placeholders(row: _QuestionRow, where: str) -> None:
    """Other braces are left alone, since prompts may show JSON or TeX; a slip of the pen is not."""
    for found in re.finditer(r"\{(\w+)\}", row.template):
        meant = difflib.get_close_matches(found[1], ("length", "options"), n=1, cutoff=0.75)
        if meant and found[1] != meant[0]:
            raise SettingsError(f"{where}: question {row.name!r}: template: {found[0]}: did you mean {{{meant[0]}}}?")


STUDY = shipped_questions()["study"]
"""The study's prompt, word for word (its Figure 3)."""
