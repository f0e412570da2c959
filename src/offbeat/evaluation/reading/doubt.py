"""Sentences of a reply, their words, and whether a sentence asserts what it says or takes back what was said before.

The text is levelled before: small letters, no decoration (see `offbeat.evaluation.reading.parsing`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

SENTENCE_END = re.compile(r"(?<!\d)\.|\.(?!\d)|[!;\n\r。]|(?<=\?)|(?<!thing )(?<!all )\bbut\b")
"""A question keeps its mark; *anything but* is no end."""
TOKEN = re.compile(r"\w+(?:['’‑-]\w+)*")
JOINT = re.compile(r"['’‑-]")
MARKER = re.compile(
    r"\b(?:answer|verdict|conclusion)(?:\s{1,9}(?:is|would be)\b|\s{0,9}(?::|=|->|→|[-–—]\s))|<answer>|\\boxed\{"
)
"""After this, an answer is to be expected."""
LONGEST_LEAD = 100
"""So many characters before a marker are looked at: a bound on the time."""


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
    "if whether unclear unsure uncertain kidding joking"
)
_DOUBT_SIGN = re.compile(r"[不没沒未非無无否别別勿错錯]|ない|ません|아니|않|[❌✗✘✖☐☒⬜🚫]|~~|<(?:s|del|strike)>|\[ *\]")
"""Words of languages without blanks, and what is crossed out or not ticked."""
_TAKEN_BACK = re.compile(
    r"\W*(?:(?:oh|hm+|but|or|and|i['’]?m|i am)\b\W*)*(?:wait|actually|nope|nah|no\W*\Z|no\W+wait|oops|sorry|correction|"
    r"scratch|never ?mind|not (?:really|sure|certain)|unsure|uncertain|(?:just )?(?:kidding|joking)|i take|"
    r"(?:that|this|it)(?:['’]s| is| was| may be| might be| could be) (?:\w+ )?"
    r"(?:wrong|incorrect|false|not|mistaken|a guess))\b"
)
_BOTH = re.compile(r"\bnot (?:only|just|merely|simply)\b")


def is_doubted(sentence: str, words: Collection[str] = ()) -> bool:
    """Whether it negates or doubts; `words` are those that are an answer here, such as ``no``."""
    tokens = TOKEN.findall(sentence)
    return (
        any((token in _DOUBT and token not in words) or token.endswith(("n't", "n’t")) for token in tokens)
        or _DOUBT_SIGN.search(sentence) is not None
    )


def is_taken_back(sentences: Sequence[str], words: Collection[str]) -> bool:
    """Whether a sentence without any of the words takes back the one before it: "wait, no", "that is wrong"."""
    said = False
    for sentence in sentences:
        names_one = any(token in words for token in TOKEN.findall(sentence))
        if _BOTH.search(sentence) or (said and not names_one and _TAKEN_BACK.match(sentence)):
            return True
        said = said or names_one
    return False


def markers(text: str) -> Iterator[int]:
    """Where each marker ends; not one whose sentence has denied before: *the wrong answer is*."""
    for marker in MARKER.finditer(text):
        if not is_doubted(SENTENCE_END.split(text[max(0, marker.start() - LONGEST_LEAD) : marker.start()])[-1]):
            yield marker.end()
