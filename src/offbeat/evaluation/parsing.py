"""Reading a raw reply: which of the options does it name, if it names exactly one?

Nothing is guessed: a reply that would have to be interpreted names none. In this order:

1. What a reasoning model thinks aloud (up to ``</think>``) is passed over; a block that never ends hides everything.
2. Case, full-width forms, invisible characters, quotes and markdown are levelled.
3. Where a marker such as ``Answer:`` is followed by an option, only what follows the last such marker counts.
4. An option is *said* where it stands as a word of its own, and *denied* where its sentence negates, doubts, or
   speaks of the picture instead of the sound: "out of sync", "not ahead", "hard to say whether it is ahead", "the
   video is behind". Reading "sync" out of "not in sync" would turn the clearest of right answers into a wrong one.
5. The reply is read if exactly one option is said, and that one is not denied elsewhere.

Whole words only: "async", "synced" and "synchronised" are none of the options; the question asks for one word.
All of it takes time linear in the length of the text, which is bounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from offbeat.evaluation.answer import Outcome
from offbeat.models.base import Stop

MAX_CHARACTERS = 20_000
"""Longer than this after its reasoning, a reply is no answer of one word by any reading."""

_THINKING = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_DECORATION = re.compile(r"[*_`\"“”„«»‘]")
_CJK = re.compile("([\u2e80-\u9fff\uac00-\ud7af]+)")
_MARKER = re.compile(
    r"\b(?:answer|verdict|conclusion)(?:\s{1,9}(?:is|would be)\b|\s{0,9}(?::|=|->|→|[-–—]\s))|<answer>|\\boxed\{"
)
_SENTENCE_END = re.compile(r"[.!;\n\r。]|\bbut\b")
_TOKEN = re.compile(r"\w+(?:['’‑-]\w+)*")
_JOINT = re.compile(r"['’‑-]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DOUBT = _words(
    # a negation, in the languages of the study's clips and some more
    "no not non none never neither nor cannot cant dont doesnt didnt isnt arent wasnt wont without nicht kein keine "
    "ne pas ni sin nunca não niet не нет ни ليس لا غير "
    # what is amiss with it, rather than what it is
    "lack lacks lacking loss lost off out issue issues problem problems error errors mismatch bad poor false wrong "
    "incorrect fails failed unlikely hardly impossible unable "
    # no assertion at all
    "if whether unclear unsure uncertain"
)
_DOUBT_CJK = re.compile("[不没沒未非無无否]|ない|ません")

_DIRECTIONS = _words("ahead behind")
_PICTURE = _words("video videos picture pictures visual visuals image images footage film frame frames")
_SOUND = _words("audio sound sounds soundtrack voice voices speech music noise")
_OF_THE_PICTURE = re.compile(rf"\b(?:ahead of|behind) (?:the )?(?:{'|'.join(sorted(_SOUND))})\b")
_NO_ANSWER = re.compile(
    r"\bgo(?:es|ing)? ahead\b|\bbehind (?:him|them|me|us)\b"
    rf"|\bbehind (?:a|an|the|his|her|its|their|my|your) (?!(?:{'|'.join(sorted(_PICTURE | _SOUND))})\b)\w+"
)
"""Ordinary English that a description of a clip is full of: a man *behind a counter*."""


def read_reply(text: str, stop: Stop, options: Sequence[str]) -> tuple[Outcome, str | None]:
    """What became of a reply, and its choice; one that was refused or cut has none, whatever words are in it."""
    if stop in ("refused", "truncated"):
        return stop, None
    choice = read_choice(text, options)
    if stop == "unsure":
        return "unsure", choice
    return ("unparsed" if choice is None else "ok"), choice


def read_choice(text: str, options: Sequence[str]) -> str | None:
    """The one option that the text names, or None.

    Args:
        text: the raw reply.
        options: words of small letters, as in `Question.options`.
    """
    if text in options:
        return text
    answer = _after_reasoning(text)
    if answer is None or len(answer) > MAX_CHARACTERS:
        return None
    levelled = _level(answer)
    said, denied = _named(levelled[_last_marker(levelled, options) :], options)
    return next(iter(said)) if len(said) == 1 and not said & denied else None


def _after_reasoning(text: str) -> str | None:
    """What follows the last block of reasoning; None where the last one is not closed."""
    start: int | None = 0
    for tag in _THINKING.finditer(text):
        start = tag.end() if tag[1] else None
    return None if start is None else text[start:]


def _level(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(character for character in text if unicodedata.category(character) != "Cf")
        text = _CJK.sub(r" \1 ", text)
    return _DECORATION.sub(" ", text.casefold())


def _last_marker(text: str, options: Sequence[str]) -> int:
    """Where the last marker ends that an option follows; 0 where there is none."""
    last_option = max((text.rfind(option) for option in options), default=-1)
    return max((marker.end() for marker in _MARKER.finditer(text) if marker.end() <= last_option), default=0)


def _named(text: str, options: Sequence[str]) -> tuple[set[str], set[str]]:
    """The options that are said, and those that are denied."""
    said: set[str] = set()
    denied: set[str] = set()
    for sentence in _SENTENCE_END.split(text):
        answer = _NO_ANSWER.sub(" ", sentence)
        tokens = _TOKEN.findall(answer)
        doubted = (
            any(token in _DOUBT or token.endswith(("n't", "n’t")) for token in tokens)
            or _DOUBT_CJK.search(answer) is not None
            or _OF_THE_PICTURE.search(answer) is not None
        )
        subject = ""
        for token in tokens:
            parts = _JOINT.split(token)
            if token in _PICTURE and not subject:
                subject = "picture"
            elif token in _SOUND:
                subject = "sound"
            for option in options:
                if option in parts:
                    misplaced = option in _DIRECTIONS and subject == "picture"
                    plain = parts in ([option], ["in", option])
                    (said if plain and not doubted and not misplaced else denied).add(option)
    return said, denied
