"""How a model fails: in which words, how often, and about clips of which lengths."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from offbeat.evaluation.calls.breaker import kind_of

CHANCE = 0.01
"""Below this chance of falling on clips of some lengths only, failures are taken to be confined to these."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of a model: its text, how many answers have it, and how long the clips are that these are about."""

    text: str
    times: int
    lengths_s: tuple[float, ...]


def failures_of(failed: Iterable[tuple[str, float]]) -> tuple[Failure, ...]:
    """Failures by their texts, the most frequent first.

    Args:
        failed: for each answer that is an error its text, and the length of its clip in seconds.
    """
    times: Counter[str] = Counter()
    lengths: defaultdict[str, set[float]] = defaultdict(set)
    for text, length_s in failed:
        times[text] += 1
        lengths[text].add(length_s)
    return tuple(Failure(text, number, tuple(sorted(lengths[text]))) for text, number in times.most_common())


def kinds_of(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    """The same, where texts that differ in their numbers alone are one failure; it has the first of them."""
    alike: defaultdict[str, list[Failure]] = defaultdict(list)
    for failure in failures:
        alike[kind_of(failure.text)].append(failure)
    kinds = [
        Failure(
            ones[0].text,
            sum(one.times for one in ones),
            tuple(sorted({length for one in ones for length in one.lengths_s})),
        )
        for ones in alike.values()
    ]
    return tuple(sorted(kinds, key=lambda kind: -kind.times))


def is_confined(failure: Failure, lengths_s: Collection[float]) -> bool:
    """Whether only clips of its lengths fail so, and hardly by chance.

    Args:
        failure: which.
        lengths_s: of all clips that the model was to be asked about; taken to be equally many of each.
    """
    return (len(failure.lengths_s) / max(1, len(lengths_s))) ** failure.times < CHANCE
