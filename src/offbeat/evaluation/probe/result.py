"""What a probe found, as it is told and kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from types import MappingProxyType
from typing import Any, cast

from offbeat.evaluation.identity import Named
from offbeat.evaluation.probe.rule import ALPHA, Finding, Said, Sense, find, repeated
from offbeat.evaluation.probe.words import says
from offbeat.evaluation.question import Question
from offbeat.models.base import USAGE, JsonValue, Looks, Model

LONGEST_TEXT = 2000
"""Characters of a reply that are kept: run.json holds them, and every report."""

NOT_NEEDED: Mapping[str, JsonValue] = {
    "passed": None,
    "overridden": False,
    "says": "It looks at no clip, so there is nothing to probe.",
}
"""The record of a model that is not probed because it looks at nothing."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a probe found.

    Attributes:
        model: the model's name.
        revision: what exactly answered.
        question: the name of the run's own question.
        says: the result in a sentence or two.
        sound: of its hearing; None where the probe could not be carried out.
        picture: of its seeing; likewise.
        repeated: how often it said the same when shown and asked the same again ...
        repeats: ... and how often that was tried.
        usage: tokens, by kind of clip and word of `USAGE`: the mean over its replies to the run's own question.
        said: all that came back.
        clips: how many were shown to the end; of a probe that was cut short, these need not be shown again.
        replaced: clips in place of which others were shown, and why.
        error: why the probe could not be carried out.
    """

    model: str
    revision: str
    question: str
    says: str
    sound: Finding | None
    picture: Finding | None
    repeated: int
    repeats: int
    usage: Mapping[str, Mapping[str, float]]
    said: tuple[Said, ...]
    clips: int
    replaced: Mapping[str, str]
    error: str | None = None

    @property
    def found(self) -> dict[Sense, Finding]:
        """What was found, by sense; empty where the probe could not be carried out."""
        both: dict[Sense, Finding | None] = {"sound": self.sound, "picture": self.picture}
        return {sense: finding for sense, finding in both.items() if finding is not None}

    @property
    def passed(self) -> bool:
        """Whether its answers depend on both the sound and the picture."""
        return bool(self.found) and all(finding.verdict == "depends" for finding in self.found.values())

    def to_json(self) -> dict[str, JsonValue]:
        """All of it as plain values; `overridden` is for the caller to set."""
        found = {"passed": self.passed, "overridden": False, "alpha": ALPHA, **asdict(self)}
        return cast("dict[str, JsonValue]", {**found, "said": [_plain(one) for one in self.said]})


def needs_probe(model: Model) -> bool:
    """Whether the model looks at clips, as far as it says."""
    return not isinstance(model, Looks) or model.looks


def is_settled(former: Mapping[str, Any] | None, *, even_if_deaf: bool) -> bool:
    """Whether a former probe of the same revision is enough: it was passed, or came to its end and the user insists.

    Args:
        former: its record; None where there was none.
        even_if_deaf: the user insists.
    """
    return former is not None and bool(former["passed"] or (even_if_deaf and not former["error"]))


def judge(
    model: Named,
    question: Question,
    said: Sequence[Said],
    *,
    clips: int,
    replaced: Mapping[str, str] = MappingProxyType({}),
    error: str | None = None,
) -> ProbeResult:
    """What a probe found, from all that came back for so many whole clips, and perhaps for part of another."""
    found: dict[Sense, Finding] = (
        {} if error is not None else {sense: find(said, sense) for sense in ("sound", "picture")}
    )
    usage = _usage(said)
    same, tried = repeated(said)
    return ProbeResult(
        model=model.name,
        revision=model.revision,
        question=question.name,
        says=says(found, usage, replaced=list(replaced.values()), error=error),
        sound=found.get("sound"),
        picture=found.get("picture"),
        repeated=same,
        repeats=tried,
        usage=usage,
        said=tuple(said),
        clips=clips,
        replaced=dict(replaced),
        error=error,
    )


def _usage(said: Sequence[Said]) -> dict[str, dict[str, float]]:
    found: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in said:
        if one.asked == "own":
            kind = (one.alteration or "plain").split()[0]
            for word in USAGE:
                count = one.usage.get(word)
                if isinstance(count, int | float) and not isinstance(count, bool):
                    found[kind][word].append(count)
    return {kind: {word: round(fmean(counts), 1) for word, counts in words.items()} for kind, words in found.items()}


def _plain(said: Said) -> dict[str, object]:
    chances = None if said.probabilities is None else dict(said.probabilities)
    return {**asdict(said), "text": said.text[:LONGEST_TEXT], "probabilities": chances, "usage": dict(said.usage)}
