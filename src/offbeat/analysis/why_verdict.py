"""Why a model answers as it does, in one verdict.

The rules, the first that holds:

==================================  ====================================================================================
verdict                             rule
==================================  ====================================================================================
``cannot be told``                  fewer than two sources, or nothing in sync, or nothing shifted; or neither deaf nor
                                    blind, and so few choices that a perfect observer would not be beyond chance
                                    either, or not in a contrast whose interval leaves chance out
``deaf``                            no contrast beyond chance; and the probe found that its answers do not depend on the
                                    sound, or its probabilities are the same at all delays of every clip
``blind``                           no contrast beyond chance; and the probe found the same of the picture
``insensitive``                     no contrast beyond chance
``sensitive to large delays only``  a contrast beyond chance among delays above 1 s, none among those up to 1 s, where a
                                    perfect observer would have one
``biased but sensitive``            a contrast beyond chance among delays up to 1 s, and one of: only its probabilities
                                    show it, never its words; a criterion found on other sources adds at least 5
                                    points of balanced accuracy, the interval of the gain above 0; it has no
                                    probabilities, and gives a label at least 25 points too often, by the lower end of
                                    the interval
``sensitive to shifts, not to       shifts are told from sync beyond chance, early from late not, where a perfect
their direction``                   observer would
``sensitive``                       otherwise
==================================  ====================================================================================

A contrast (`offbeat.analysis.why_contrasts`) is beyond chance where its interval over sources leaves chance out and a
permutation test within clips tells: for detection above it, for direction on either side. Words and probabilities both
count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from offbeat.analysis.intervals import Estimate
from offbeat.analysis.why_calibration import Calibration
from offbeat.analysis.why_contrasts import Contrast

Verdict = Literal[
    "cannot be told",
    "deaf",
    "blind",
    "insensitive",
    "sensitive to large delays only",
    "biased but sensitive",
    "sensitive to shifts, not to their direction",
    "sensitive",
]
GAIN = 0.05
EXCESS = 0.25
NOT_DEPENDING = "does not depend"
"""What the probe says of a sense on which no answer depends."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on.

    Attributes:
        words: contrasts of the words, by part of the delays.
        probabilities: the same of option probabilities; empty without these.
        calibration: None without probabilities.
        excess: how much too often each label is given, by its name.
        unmoved: whether probabilities are the same at all delays of every clip; None where it cannot be told.
        probe_sound: what the probe says of its hearing; None where there was none.
        probe_picture: the same of its seeing.
    """

    words: Mapping[str, Contrast]
    probabilities: Mapping[str, Contrast]
    calibration: Calibration | None
    excess: Mapping[str, Estimate]
    unmoved: bool | None
    probe_sound: str | None
    probe_picture: str | None


def judge(evidence: Evidence) -> tuple[Verdict, str]:
    """The verdict, and the rule that it came by, in a sentence."""
    if not any(contrast.detection.low is not None for contrast in evidence.words.values()):
        return "cannot be told", "It takes two sources or more with answers to variants in sync and to shifted ones."
    routes = (evidence.words, evidence.probabilities)
    found = {part: [_beyond(route.get(part)) for route in routes] for part in ("small", "large")}
    if not any(found["small"]) and not any(found["large"]):
        return _nothing(evidence)
    if not any(found["small"]):
        if not any(_could(route.get("small")) for route in routes):
            return _sensitive(evidence)
        return (
            "sensitive to large delays only",
            "Delays above 1 s change its answers beyond chance; of delays up to 1 s that was not found.",
        )
    return _biased(evidence, in_words=found["small"][0] or found["large"][0]) or _sensitive(evidence)


def _beyond(contrast: Contrast | None) -> bool:
    return contrast is not None and (contrast.detects or contrast.directs)


def _could(contrast: Contrast | None) -> bool:
    return contrast is not None and (contrast.could_detect or contrast.could_direct)


def _nothing(evidence: Evidence) -> tuple[Verdict, str]:
    if evidence.unmoved:
        return "deaf", "Its probabilities are the same, to the sixth decimal, whatever the sound of a clip."
    if evidence.probe_sound == NOT_DEPENDING:
        return "deaf", "The probe found that its answers do not depend on the sound, and no delay changes them."
    if evidence.probe_picture == NOT_DEPENDING:
        return "blind", "The probe found that its answers do not depend on the picture, and no delay changes them."
    every = [contrast for route in (evidence.words, evidence.probabilities) for contrast in route.values()]
    if not any(map(_could, every)):
        return (
            "cannot be told",
            "Too few variants of each clip were answered: not even a perfect observer would stand out from chance.",
        )
    if any(contrast.unconfirmed for contrast in every):
        return (
            "cannot be told",
            "Its answers stand out from chance, but too few variants of each clip were answered to confirm it.",
        )
    if evidence.probabilities:
        return "insensitive", "No delay changes its words or its probabilities beyond chance."
    return "insensitive", "No delay changes its words beyond chance; it gave no probabilities that could tell more."


def _biased(evidence: Evidence, *, in_words: bool) -> tuple[Verdict, str] | None:
    name = "biased but sensitive"
    if not in_words:
        return name, "Its probabilities follow the delay beyond chance; its words do not."
    gain = None if evidence.calibration is None else evidence.calibration.gain
    if gain is not None and gain.value is not None and gain.low is not None and gain.value >= GAIN and gain.low > 0:
        return name, "It perceives more than it says: another criterion, found on other sources, makes it better."
    if not evidence.probabilities:
        for label, excess in evidence.excess.items():
            if excess.low is not None and excess.low >= EXCESS:
                return name, f"Its words follow the delay beyond chance, but it says {label} far too often."
    return None


def _sensitive(evidence: Evidence) -> tuple[Verdict, str]:
    every = [*evidence.words.values(), *evidence.probabilities.values()]
    if any(contrast.reversed for contrast in every):
        return "sensitive", "Delays change its answers beyond chance, but it takes early for late."
    if not any(contrast.directs for contrast in every):
        if not any(contrast.could_direct for contrast in every):
            return (
                "sensitive",
                "It tells shifted from in sync beyond chance; too few shifts to say whether early from late.",
            )
        return (
            "sensitive to shifts, not to their direction",
            "It tells shifted from in sync beyond chance; that it tells early from late was not found.",
        )
    return "sensitive", "Delays change its answers beyond chance, and in the right direction."
