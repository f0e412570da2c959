"""Reading a raw reply: which of the options does it name, if it names exactly one?

Nothing is guessed: a reply that would have to be interpreted names none. In this order:

1. What a reasoning model thinks aloud (up to ``</think>``) is passed over; a block that never ends hides everything.
2. Case, full-width forms, invisible characters, quotes and markdown are levelled.
3. Where a marker such as ``Answer:`` is followed by an option, only what follows the last such marker counts.
4. An option is *said* where its word stands alone (`offbeat.evaluation.reading.lone_words`), and *denied* where its
   sentence negates, doubts or crosses it out. Of *sync*, *ahead* and *behind* some plain sentences are read as well
   (`offbeat.evaluation.reading.own_words`). What comes after may take it back: "B. Wait, no."
5. The reply is read if exactly one option is said, that one is not denied elsewhere, no other one is mentioned, and
   what the prompt says of an option is repeated of no other one: "B = audio later than video", where that was said of
   C, is no answer.

Whole words only: "async", "synced" and "synchronised" are none of the options; the question asks for one word.
All of it takes time linear in the length of the text, which is bounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from offbeat.evaluation.answer import Outcome
from offbeat.evaluation.reading.lone_words import MEANING, lone_words
from offbeat.evaluation.reading.own_words import own_words
from offbeat.models.base import Stop
from offbeat.timing import LABELS

MAX_CHARACTERS = 20_000
"""Longer than this after its reasoning, a reply is no answer of one word by any reading."""
SHORTEST_MEANING = 3
"""In words: of a shorter one, such as "it is", nobody can tell whether a reply repeats it."""

_THINKING = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_DECORATION = re.compile(r"[*_$`\"“”„«»‘]")
_CJK = re.compile("([\u2e80-\u9fff\uac00-\ud7af]+)")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e)\b\.?")
_TAG = re.compile(r"</?(?:b|i|u|em|strong|p|br|code|span|div|h\d) ?/?>|<\|\w{1,30}\|>", re.IGNORECASE)


def read_reply(
    text: str, stop: Stop, options: Sequence[str], words: Sequence[str] = (), *, prompt: str = ""
) -> tuple[Outcome, str | None]:
    """What became of a reply, and its choice; one that was refused or cut has none, whatever words are in it.

    Args:
        text: the raw reply.
        stop: why it ends.
        options: what can be chosen, as in `offbeat.models.base.Prompt`.
        words: what was to be said for each; the options themselves unless given.
        prompt: the text that was sent, for what it says of each option.
    """
    if stop in ("refused", "truncated"):
        return stop, None
    choice = read_choice(text, options, words, prompt=prompt)
    if stop == "unsure":
        return "unsure", choice
    return ("unparsed" if choice is None else "ok"), choice


def read_choice(text: str, options: Sequence[str], words: Sequence[str] = (), *, prompt: str = "") -> str | None:
    """The one option that the text names, or None; for the arguments see `read_reply`."""
    words = words or options
    if text in words:
        return options[words.index(text)]
    answer = _after_reasoning(text)
    if answer is None or len(answer) > MAX_CHARACTERS:
        return None
    option_of = {word.casefold(): option for word, option in zip(words, options, strict=True)}
    levelled = _mark_meanings(_level(answer), prompt, tuple(words))
    if option_of.keys() <= set(LABELS):
        said, mentioned, levelled = own_words(levelled, tuple(option_of))
        also = set[str]()
    else:
        said, mentioned, levelled = lone_words(levelled, tuple(option_of))
        _, also, _ = own_words(levelled, tuple(option for option in options if option not in option_of))
    also |= {option_of[word] for word in mentioned}
    also |= {option for place, option in enumerate(options) if chr(MEANING + place) in levelled}
    choice = {option_of[word] for word in said}
    return next(iter(choice)) if len(choice) == 1 and also <= choice else None


def _after_reasoning(text: str) -> str | None:
    """What follows the last block of reasoning; None where the last one is not closed."""
    start: int | None = 0
    for tag in _THINKING.finditer(text):
        start = tag.end() if tag[1] else None
    return None if start is None else text[start:]


def _level(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(character for character in text if unicodedata.category(character) not in ("Cf", "Co"))
        text = _CJK.sub(r" \1 ", text)
    return _DECORATION.sub(" ", _ABBREVIATION.sub(" example ", _TAG.sub(" ", text.casefold())))


def _mark_meanings(text: str, prompt: str, words: tuple[str, ...]) -> str:
    """Put one character for what the prompt says of an option, so that no word of it is read for itself."""
    pattern, places = _meanings(prompt, words)
    return pattern.sub(lambda found: f" {chr(MEANING + places[(found.lastindex or 1) - 1])} ", text) if places else text


@lru_cache(maxsize=256)
def _meanings(prompt: str, words: tuple[str, ...]) -> tuple[re.Pattern[str], list[int]]:
    """Finds what the prompt says of each option, the longest first, and the places of those options."""
    lines = [re.search(rf"^{re.escape(word)} = (.+)$", prompt, re.MULTILINE) for word in words]
    meanings = [(_level(line[1]).split() if line else [], place) for place, line in enumerate(lines)]
    long = sorted((m for m in meanings if len(m[0]) >= SHORTEST_MEANING), key=lambda m: -len(" ".join(m[0])))
    spaced = [r"\s+".join(map(re.escape, parts)) for parts, _ in long]
    return re.compile("|".join(rf"(?<!\w)({text})(?!\w)" for text in spaced)), [place for _, place in long]
