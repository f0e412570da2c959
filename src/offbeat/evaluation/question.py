"""What is asked: a prompt with its closed set of options."""

from __future__ import annotations

import re
from dataclasses import dataclass

from offbeat.dataset.variant import Variant
from offbeat.models.base import Prompt
from offbeat.timing import LABELS

_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt and the words that answer it.

    Attributes:
        name: by which it is kept and shown.
        template: the prompt; ``{length}`` stands for the clip's length in seconds.
        options: distinct words of small letters a to z.
    """

    name: str
    template: str
    options: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.options)) != len(self.options) or len(self.options) < 2:
            raise ValueError(f"question {self.name!r}: expected two or more distinct options, got {self.options}")
        if not all(_WORD.fullmatch(option) for option in self.options):
            raise ValueError(f"question {self.name!r}: an option must be a word of letters a to z, got {self.options}")


STUDY = Question(
    name="study",
    template=(
        "You will watch a {length}-second video with audio.\n"
        "Reply with ONLY ONE word:\n"
        "sync = audio matches video\n"
        "ahead = audio earlier than video\n"
        "behind = audio later than video"
    ),
    options=LABELS,
)
"""The study's prompt, word for word (its Figure 3)."""


def prompt_for(question: Question, variant: Variant) -> Prompt:
    """The prompt for one variant; a whole number of seconds is written without decimals, as in the study."""
    length_s = variant.row.clip_length_s
    written = str(int(length_s)) if length_s == int(length_s) else str(length_s)
    return Prompt(text=question.template.replace("{length}", written), options=question.options)
