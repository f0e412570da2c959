"""Reading *sync*, *ahead* and *behind*, which models like to put into a sentence.

Such a word is an answer where it stands alone, as in `offbeat.evaluation.reading.lone_words`, and where its sentence
holds nothing else than words that are known to leave it as it is: "The audio is ahead of the video by 2 s." A list of
all that may turn it round would never be complete (*far from sync*, *rarely in sync*, *sync can be excluded*, *senkron
değil*); so a word that is not known leaves the reply unread.

It is denied where the sentence negates or doubts, and where it speaks of the picture instead of the sound: "the video
is behind". Reading "sync" out of "not in sync" would turn the clearest of right answers into a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from offbeat.evaluation.reading.doubt import JOINT, SENTENCE_END, TOKEN, is_doubted, is_taken_back, markers, word_set
from offbeat.evaluation.reading.lone_words import opening_of

_DIRECTIONS = word_set("ahead behind")
_PICTURE = word_set("video videos picture pictures visual visuals image images footage film frame frames")
_SOUND = word_set("audio sound sounds soundtrack voice voices speech music noise")
_OF_THE_PICTURE = re.compile(rf"\b(?:ahead of|behind) (?:the )?(?:{'|'.join(sorted(_SOUND))})\b")
_NO_ANSWER = re.compile(
    r"\bgo(?:es|ing)? ahead\b|\bbehind (?:him|them|me|us)\b"
    rf"|\bbehind (?:a|an|the|his|her|its|their|my|your) (?!(?:{'|'.join(sorted(_PICTURE | _SOUND))})\b)\w+"
)
"""Ordinary English that a description of a clip is full of: a man *behind a counter*."""

_AMOUNT = re.compile(
    r"(?<![-–−.\d])(?=[\d.]{0,9}[1-9])\d{1,5}(?:\.\d{1,5})? ?(?:s|secs?|seconds?|ms|milliseconds?|frames?)\b"
)
"""Of a delay: neither nothing nor negative."""
_START = re.compile(r"^\W*(?:so|therefore|thus|hence|overall|based on (?:the|this) (?:video|clip))\b")
_PLAIN = (
    word_set(
        "the a an is are be would to seem seems appear appears look looks like both so comes coming arrives "
        "plays playing runs running heard of in with by about around approximately roughly it its it's it’s "
        "this that i i'd i’d my option choice answer word response text final correct right best say think "
        "believe choose pick select yes sure okay ok likely probably most very slightly clearly definitely "
        "noticeably significantly well perfectly exactly completely fully far bit two three four five second "
        "seconds milliseconds video's audio's clip track"
    )
    | _PICTURE
    | _SOUND
)
"""Around an option these change nothing; any other word may: *far from*, *rarely*, *değil*."""
_FITTING = {
    "sync": word_set("and each other match matches matching"),
    "ahead": word_set("earlier than leads leading"),
    "behind": word_set("later than lags lagging lag delayed trails"),
}


def own_words(text: str, options: tuple[str, ...]) -> tuple[set[str], set[str], str]:
    """The options that are said and denied nowhere, those that are mentioned, and the part of the text that counts.

    Args:
        text: levelled, in small letters.
        options: of sync, ahead and behind.
    """
    last_option = max((text.rfind(option) for option in options), default=-1)
    counting = text[max((end for end in markers(text) if end <= last_option), default=0) :]
    said, mentioned, denied = _named(counting, options)
    return said - denied, mentioned - denied, counting


def _named(text: str, options: tuple[str, ...]) -> tuple[set[str], set[str], set[str]]:
    """The options that are said, those that are mentioned, and those that are denied."""
    said: set[str] = set()
    mentioned: set[str] = set()
    denied: set[str] = set()
    sentences = SENTENCE_END.split(text)
    if not options or is_taken_back(sentences, options):
        return said, mentioned, denied
    for sentence in sentences:
        answer = _START.sub(" ", _AMOUNT.sub(" ", _NO_ANSWER.sub(" ", sentence)))
        tokens = TOKEN.findall(answer)
        opening = opening_of(options).match(answer)
        plain = [option for option in options if "?" not in answer and _is_plain(tokens, option)]
        doubted = is_doubted(answer) or _OF_THE_PICTURE.search(answer) is not None
        of_the_picture = _of_the_picture(tokens)
        for place, token in enumerate(tokens):
            parts = JOINT.split(token)
            for option in (option for option in options if option in parts):
                misplaced = option in _DIRECTIONS and place in of_the_picture
                if doubted or misplaced or parts not in ([option], ["in", option]):
                    denied.add(option)
                    continue
                mentioned.add(option)
                if option in plain or (opening and opening[1] == option):
                    said.add(option)
    return said, mentioned, denied


def _of_the_picture(tokens: Sequence[str]) -> range:
    """Where in a sentence it is the picture that is ahead or behind: it is named first, and the sound only later."""
    picture = next((place for place, token in enumerate(tokens) if token in _PICTURE), len(tokens))
    sound = next((place for place, token in enumerate(tokens) if token in _SOUND), len(tokens))
    if picture > sound:
        return range(0)
    return range(0 if sound < len(tokens) else picture, sound)


def _is_plain(tokens: Sequence[str], option: str) -> bool:
    """Whether the sentence holds but the option and words that leave it as it is."""
    fitting = _PLAIN | _FITTING.get(option, frozenset()) | {option, f"in-{option}"}
    return all(token in fitting for token in tokens)
