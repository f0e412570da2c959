"""Reading answers such as ``B`` or ``late``, which are letters and words of ordinary sentences too.

Such a word is an answer only where it stands alone:

* it opens a sentence or a line, or follows a marker such as ``Answer:``, with nothing before it but words like *the
  answer is* or *option*;
* and then comes the end, a full stop, colon, comma, bracket or the like, or *because*.

So ``B``, ``(b)``, ``B.``, ``B: audio later than video`` and ``The answer is B because …`` say B, while the *a* in "a
man claps", the *C#* in a tune, *A/V* and "it is late in the evening" say nothing. Another option's word that is not
denied, wherever it stands, takes the answer back: "A or B", "B. C is possible too".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from offbeat.evaluation.reading.doubt import JOINT, SENTENCE_END, TOKEN, is_doubted, is_taken_back, markers

MEANING = 0xE000
"""From here on, a character for what the prompt says of each option: it stands where a reply repeats that."""

_LEAD = (
    "the|my|final|correct|right|best|answer|is|would|be|option|choice|letter|word|response|i|choose|chose|select|pick|"
    "say|it|it['’]s|its|so|therefore|thus|hence|text|sure|okay|ok|[\u2e80-\u9fff\uac00-\ud7af]{1,6}"
)
_MEANINGS = f"[{chr(MEANING)}-\uf8ff]"
_BLANK = r"(?:[^\w%]|[\d_])*+"
_ARTICLES = ("a", "i")
_OF_A_LETTER = re.compile(
    rf"\s*(?:[^\w\s]|\Z|{_MEANINGS}|(?:or|and|is|was|would|could|can|may|maybe|might|perhaps|seems|because)\b)"
)
"""After ``a``: it is the letter, and not the article."""


def lone_words(text: str, words: Sequence[str]) -> tuple[set[str], set[str], str]:
    """The words that are said alone and denied nowhere, those that are mentioned, and the part of the text that counts.

    Args:
        text: levelled, in small letters.
        words: in small letters.
    """
    opening = opening_of(tuple(words))
    starts = [start for start in markers(text) if opening.match(text, start)]
    counting = text[starts[-1] if starts else 0 :]
    said: set[str] = set()
    mentioned: set[str] = set()
    denied: set[str] = set()
    sentences = SENTENCE_END.split(counting)
    if is_taken_back(sentences, words):
        return set(), set(), counting
    for sentence in sentences:
        here, joined = _mentions(sentence, words)
        denied |= joined
        if is_doubted(sentence, words):
            denied |= here
            continue
        mentioned |= here
        if found := opening.match(sentence):
            said.add(found[1])
    return said - denied, mentioned, counting


def _mentions(sentence: str, words: Sequence[str]) -> tuple[set[str], set[str]]:
    """The words in it as such, and those that are a part of a longer one: *too-late*."""
    here: set[str] = set()
    joined: set[str] = set()
    for token in TOKEN.finditer(sentence):
        parts = JOINT.split(token[0])
        for word in words:
            if token[0] == word:
                if word not in _ARTICLES or _OF_A_LETTER.match(sentence, token.end()):
                    here.add(word)
            elif len(word) > 1 and word in parts:
                joined.add(word)
    return here, joined


@lru_cache(maxsize=64)
def opening_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """One of the words, alone, at the place where the match begins."""
    return re.compile(
        rf"(?:{_BLANK}\b(?:{_LEAD})\b){{0,9}}?{_BLANK}\b({'|'.join(words)})"
        r"(?![^\S\n\r]*[:=]\s*\d)(?=[^\S\n\r]*(?:\Z|[.!;。\n\r…):,\]}<>|'’“”–—]|-\s"
        rf"|=?\s*{_MEANINGS}|\([^()\n\r]*\)?\s*(?:\Z|[.!;。\n\r])|(?:because|since|as)\b))"
        r"(?!['’]\w)"
    )
