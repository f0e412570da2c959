"""Sentences of a reply, their words, and whether a sentence asserts what it says.

The text is levelled before: small letters, no decoration (see `offbeat.evaluation.reading.parsing`).
"""

from __future__ import annotations

import re
from collections.abc import Collection

SENTENCE_END = re.compile(r"[.!;\n\r。]|\bbut\b")
TOKEN = re.compile(r"\w+(?:['’‑-]\w+)*")
JOINT = re.compile(r"['’‑-]")
MARKER = re.compile(
    r"\b(?:answer|verdict|conclusion)(?:\s{1,9}(?:is|would be)\b|\s{0,9}(?::|=|->|→|[-–—]\s))|<answer>|\\boxed\{"
)
"""After this, an answer is to be expected."""


def word_set(text: str) -> frozenset[str]:
    """The words between the blanks."""
    return frozenset(text.split())


_DOUBT = word_set(
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


def is_doubted(sentence: str, words: Collection[str] = ()) -> bool:
    """Whether it negates or doubts; `words` are those that are an answer here, such as ``no``."""
    tokens = TOKEN.findall(sentence)
    return (
        any((token in _DOUBT and token not in words) or token.endswith(("n't", "n’t")) for token in tokens)
        or _DOUBT_CJK.search(sentence) is not None
    )
