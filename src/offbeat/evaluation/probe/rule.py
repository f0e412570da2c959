"""From what a model said to plain, muted, swapped and frozen clips to a verdict on its hearing and its seeing.

**The rule.** Two tests for the sound, two for the picture, each by permutation within clips
(`offbeat.evaluation.probe.exact`), one-sided: are replies to altered clips further from those to plain clips than the
latter are from each other; and does the model call the altered ones silent (frozen) rather than the plain ones? One
that is telling makes the verdict ``depends``. They share 5 %; one that could not be telling in any order of the replies
takes no share (Tarone 1990), such as the first where the model always says the same, and the second where it does not
take the questions whose answer is known.

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
A cache of whole replies between us and a deaf model that answers at random would make the plain replies alike, and
nothing else, and let it pass nearly always; so every showing is a file of its own
(`offbeat.evaluation.probe.probing`).

**What it does not see.** A model of which the sound is dropped in some clips only passes where the others tell enough;
`Finding.unmoved` counts the former. One that is shown a single frame sees that another was frozen than the one that it
is shown; `Finding.alike` says that it calls moving and frozen pictures the same.

Reference:
    R. E. Tarone, *A modified Bonferroni method for discrete data*, Biometrics 46 (1990) 515.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from offbeat.dataset.altered import Alteration
from offbeat.evaluation.answer import Outcome
from offbeat.evaluation.probe.exact import Dealings, chance, least_chance, separation, superiority
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
        alike: whether it called each clip the same throughout, altered or not; None where it was not asked.
        unmoved: in how many clips nothing that it said to an altered one differs from what it said to the plain one ...
        clips: ... and of how many.
    """

    verdict: Verdict
    difference: float
    truth: float | None
    contradiction: float | None
    alike: bool | None
    unmoved: int
    clips: int


def find(said: Sequence[Said], sense: Sense) -> Finding:
    """The verdict on one sense."""
    asked, (_, altered_word) = CLOSED[sense]
    own = _clips(said, "own", sense)
    closed = _clips(said, asked, sense)
    apart = [separation(_distances(replies), plain=plain) for replies, plain in own.values()]
    scores = [(_scores(replies, altered_word), plain) for replies, plain in closed.values()]
    right = [superiority(score, plain=plain) for score, plain in scores]
    wrong = [superiority([-one for one in score], plain=plain) for score, plain in scores]
    difference, truth, contradiction = chance(apart), chance(right), chance(wrong)
    moved = {clip for found in (own, closed) for clip, replies in found.items() if _moved(*replies)}
    in_own = any(_moved(*replies) for replies in own.values())
    alike = all(len({one.choice or one.text for one in replies}) == 1 for replies, _ in closed.values())
    readable = all(one.choice is not None for replies, _ in closed.values() for one in replies)
    verdict: Verdict
    if contradiction <= ALPHA / 2:
        verdict = "answers do not fit the files"
    elif min(difference, truth) <= _level(apart, right):
        verdict = "depends"
    elif alike and ((closed and readable) or not in_own):
        verdict = "does not depend"
    else:
        verdict = "cannot tell"
    return Finding(
        verdict=verdict,
        difference=float(difference),
        truth=float(truth) if closed else None,
        contradiction=float(contradiction) if closed else None,
        alike=alike if closed else None,
        unmoved=len(own.keys() - moved),
        clips=len(own),
    )


def _level(*tests: Sequence[Dealings]) -> float:
    """What each test is held against: all of 5 %, shared by those that could be telling at all."""
    return ALPHA / max(1, sum(least_chance(clips) <= ALPHA for clips in tests))


def repeated(said: Sequence[Said]) -> tuple[int, int]:
    """How often the model said the same when shown and asked the same again, and how often that was tried."""
    pairs: defaultdict[tuple[int, Asked], list[Said]] = defaultdict(list)
    for one in said:
        if one.alteration is None:
            pairs[one.clip, one.asked].append(one)
    both = [pair for pair in pairs.values() if len(pair) == 2]
    return sum(_distances(pair)[0][1] == 0 for pair in both), len(both)


def _clips(said: Sequence[Said], asked: Asked, sense: Sense) -> dict[int, tuple[list[Said], int]]:
    """For each clip its replies, the plain ones first, and how many are plain; only clips that were asked in full."""
    found: dict[int, tuple[list[Said], int]] = {}
    for clip in sorted({one.clip for one in said}):
        own = [one for one in said if one.clip == clip and one.asked == asked]
        plain = [one for one in own if one.alteration is None]
        altered = [one for one in own if one.alteration in ALTERED[sense]]
        if len(plain) == len(altered) == 2:
            found[clip] = ([*plain, *altered], len(plain))
    return found


def _moved(replies: Sequence[Said], plain: int) -> bool:
    """Whether any reply to the altered clip differs from one to the plain one."""
    return any(row[j] > 0 for row in _distances(replies)[:plain] for j in range(plain, len(replies)))


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
