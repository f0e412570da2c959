"""From what a model said to plain, muted, swapped and frozen clips to a verdict on its hearing and its seeing.

**The rule.** Two tests for the sound, two for the picture, each by permutation within clips
(`offbeat.evaluation.probe.exact`), one-sided, at half of 5 %: are replies to altered clips further from those to plain
clips than the latter are from each other; and does the model call the altered ones silent (frozen) rather than the
plain ones? One that is telling makes the verdict ``depends``. Where a model does not take the questions whose answer is
known, the first test has all of 5 %.

===============================  ==========================================================================
verdict                          when
===============================  ==========================================================================
``answers do not fit the files`` it calls plain clips silent (frozen) and altered ones not, beyond chance
``depends``                      one of the two tests is telling
``does not depend``              a clip is called audible (moving) or silent (frozen) alike, altered or not; where it
                                 does not take that question: nothing that it says changes at all
``cannot tell``                  otherwise: its answers change, but as much without any reason
===============================  ==========================================================================

**How often it errs.** A model that does not hear and repeats itself exactly never passes. One that does not hear and
answers at random, with whatever preferences, passes the sound by chance in at most 5 of 100 probes, whatever the
number of clips. "Any difference counts if it repeated itself" would be no rule: with four clips, a deaf model that says
"sync" nine times out of ten repeats itself in all of them in 45 of 100 probes, and would pass in 27 of 100.
What the rule cannot see through is a cache of whole replies between us and a deaf model that answers at random: it
makes the plain replies alike, and nothing else. Such caches have to be off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from offbeat.dataset.altered import Alteration
from offbeat.evaluation.answer import Outcome
from offbeat.evaluation.probe.exact import chance, separation, superiority
from offbeat.evaluation.probe.plan import HEARD, MOVES, Asked
from offbeat.models.base import JsonValue

ALPHA = 0.05
SAME_WITHIN = 1e-6
"""Probabilities that differ by less are the same."""
_TEXT_ALONE = 0.01
"""The distance of two replies that make the same choice in other words, where that of two choices is 1."""

Sense = Literal["sound", "picture"]
Verdict = Literal["depends", "does not depend", "cannot tell", "answers do not fit the files"]

ALTERED: Mapping[Sense, tuple[Alteration, ...]] = {
    "sound": ("muted", "swapped"),
    "picture": ("frozen early", "frozen late"),
}
CLOSED: Mapping[Sense, tuple[Asked, tuple[str, str]]] = {"sound": ("heard", HEARD), "picture": ("moves", MOVES)}


@dataclass(frozen=True, slots=True)
class Said:
    """What came back for one call of the probe.

    Attributes:
        clip: which of the probe's clips, from 0.
        variant_id: of the variant in the dataset.
        alteration: what was done to it; None: nothing.
        asked: the run's own question, or one whose answer is known.
        text: raw.
        outcome: what became of it.
        choice: which option it named, if one.
        probabilities: of each option, where the model gave them.
        usage: tokens, in the words of `offbeat.models.base.USAGE`.
    """

    clip: int
    variant_id: str
    alteration: Alteration | None
    asked: Asked
    text: str
    outcome: Outcome
    choice: str | None
    probabilities: Mapping[str, float] | None
    usage: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one sense.

    Attributes:
        verdict: see the module.
        difference: how likely replies as far apart are if they do not depend on it.
        truth: how likely so many right answers are, likewise; None where it was not asked.
        contradiction: the same of so many wrong ones.
    """

    verdict: Verdict
    difference: float
    truth: float | None
    contradiction: float | None


def find(said: Sequence[Said], sense: Sense) -> Finding:
    """The verdict on one sense."""
    asked, (_, altered_word) = CLOSED[sense]
    own = _clips(said, "own", sense)
    closed = _clips(said, asked, sense)
    apart = [_distances(replies) for replies, _ in own]
    difference = chance([separation(d, plain=plain) for d, (_, plain) in zip(apart, own, strict=True)])
    moved = any(
        d[i][j] > 0
        for d, (_, plain) in zip(apart, own, strict=True)
        for i in range(plain)
        for j in range(plain, len(d))
    )
    if not closed:
        verdict = "depends" if difference <= ALPHA else "cannot tell" if moved else "does not depend"
        return Finding(verdict, float(difference), None, None)
    scores = [(_scores(replies, altered_word), plain) for replies, plain in closed]
    truth = chance([superiority(score, plain=plain) for score, plain in scores])
    contradiction = chance([superiority([-one for one in score], plain=plain) for score, plain in scores])
    alike = all(len({one.choice or one.text for one in replies}) == 1 for replies, _ in closed)
    readable = all(one.choice is not None for replies, _ in closed for one in replies)
    if contradiction <= ALPHA / 2:
        verdict = "answers do not fit the files"
    elif min(difference, truth) <= ALPHA / 2:
        verdict = "depends"
    elif alike and (readable or not moved):
        verdict = "does not depend"
    else:
        verdict = "cannot tell"
    return Finding(verdict, float(difference), float(truth), float(contradiction))


def repeated(said: Sequence[Said]) -> tuple[int, int]:
    """How often the model said the same when shown and asked the same again, and how often that was tried."""
    pairs: defaultdict[tuple[int, Asked], list[Said]] = defaultdict(list)
    for one in said:
        if one.alteration is None:
            pairs[one.clip, one.asked].append(one)
    both = [pair for pair in pairs.values() if len(pair) == 2]
    return sum(_distances(pair)[0][1] == 0 for pair in both), len(both)


def _clips(said: Sequence[Said], asked: Asked, sense: Sense) -> list[tuple[list[Said], int]]:
    """For each clip its replies, the plain ones first, and how many are plain; only clips that were asked in full."""
    found: list[tuple[list[Said], int]] = []
    for clip in sorted({one.clip for one in said}):
        own = [one for one in said if one.clip == clip and one.asked == asked]
        plain = [one for one in own if one.alteration is None]
        altered = [one for one in own if one.alteration in ALTERED[sense]]
        if len(plain) == len(altered) == 2:
            found.append(([*plain, *altered], len(plain)))
    return found


def _distances(replies: Sequence[Said]) -> list[list[float]]:
    """Between all replies to one clip: of their probabilities, or of what they say where these do not differ."""
    by_chances = [[_between_chances(a, b) for b in replies] for a in replies]
    if any(d > 0 for row in by_chances for d in row):
        return by_chances
    return [[_between_words(a, b) for b in replies] for a in replies]


def _between_chances(a: Said, b: Said) -> float:
    """Half the sum of the differences (total variation), 0 where it is too small to count."""
    if a.probabilities is None or b.probabilities is None:
        return float((a.probabilities is None) != (b.probabilities is None))
    options = {*a.probabilities, *b.probabilities}
    differences = [abs(a.probabilities.get(option, 0.0) - b.probabilities.get(option, 0.0)) for option in options]
    return sum(differences) / 2 if max(differences, default=0.0) > SAME_WITHIN else 0.0


def _between_words(a: Said, b: Said) -> float:
    if (a.outcome, a.choice) != (b.outcome, b.choice):
        return 1.0
    return 0.0 if a.text == b.text else _TEXT_ALONE


def _scores(replies: Sequence[Said], altered_word: str) -> list[float]:
    """How much each reply says that the clip is altered, from 0 to 1."""
    if all(one.probabilities is not None and altered_word in one.probabilities for one in replies):
        return [round((one.probabilities or {})[altered_word] / SAME_WITHIN) * SAME_WITHIN for one in replies]
    return [0.5 if one.choice is None else float(one.choice == altered_word) for one in replies]
