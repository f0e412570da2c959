"""What a server tells beside its answers that makes them doubtful, after the probe has been passed.

The probe shows a few clips, at one moment. What is changed later, or at some clips alone, shows in what is kept with
each answer:

* The variants of a clip share their picture, their length and their words, so that a server that is given all of each
  counts as many tokens for one as for another; a second of sound is 6 tokens or more in all models known. One of two
  servers behind one address that drops the sound counts fewer.
* Answers that were refused or cut off are no answers to what was asked, and may be all that there is of a genre.
* Longer clips of one size never take fewer tokens, unless they were cut.
* Where the tokens of the sound are told of some answers, they are to be told of all: else several programs answer.
* Every reply has an id of its own; repeats that share one were not asked anew, but handed out by a cache.
* A version of the model, a fingerprint of the system, or the name of a provider, that changes: another model, other
  software, or another machine, answers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median

from offbeat.dataset.schema import VariantRow
from offbeat.evaluation.answer import Answer, Outcome

_TOKENS_A_SECOND = 5
"""Fewer by that much, and some of the clip is missing."""
_MOST_NAMES = 4
_FEW = 10
"""Less than one in so many need not be told."""
_ENDS: Mapping[Outcome, str] = {
    "refused": "were refused, as by a filter",
    "truncated": "were cut off by the output budget (a larger one, or less thinking, lets it finish)",
}
_NAMES = (
    ("served_model", "versions of the model"),
    ("system_fingerprint", "fingerprints of the server"),
    ("provider", "providers"),
)


def oddities(answers: Iterable[Answer], rows: Mapping[str, VariantRow]) -> list[str]:
    """In sentences; nothing where all is as it should be, or where the server tells nothing.

    Args:
        answers: of one revision of a model to one question.
        rows: of the dataset, by variant.
    """
    ended = [answer for answer in answers if answer.outcome != "error" and answer.variant_id in rows]
    # where a filter refuses a clip, it may be before anything of it was counted
    given = [answer for answer in ended if answer.outcome != "refused"]
    found = [_fewer_tokens(given, rows), _cut(given, rows), _some_counted(given, rows), _handed_out_again(given)]
    for name, what in _NAMES:
        found.append(_several(given, name, what))
    found += [_without_choice(ended, rows, outcome, what) for outcome, what in _ENDS.items()]
    return [sentence for sentence in found if sentence is not None]


def _without_choice(
    answers: Sequence[Answer], rows: Mapping[str, VariantRow], outcome: Outcome, what: str
) -> str | None:
    """What counts as wrong, and says little about hearing and seeing: where it is more than a few."""
    each = Counter(rows[answer.variant_id].genre for answer in answers)
    such = Counter(rows[answer.variant_id].genre for answer in answers if answer.outcome == outcome)
    if such.total() * _FEW < len(answers) or not such:
        return None
    most = [f"{genre} ({times} of {each[genre]})" for genre, times in such.most_common() if 2 * times >= each[genre]]
    where = f"; half or more of them in {', '.join(most)}" if 0 < len(most) < len(each) else ""
    return f"{such.total()} of its {len(answers)} answers {what}, and count as wrong{where}."


def _fewer_tokens(answers: Sequence[Answer], rows: Mapping[str, VariantRow]) -> str | None:
    """Compared with other answers about the same clip."""
    most: defaultdict[str, int] = defaultdict(int)
    counted = [(rows[answer.variant_id], tokens) for answer in answers if (tokens := _tokens(answer)) is not None]
    for row, tokens in counted:
        most[row.clip_id] = max(most[row.clip_id], tokens)
    short = [row for row, tokens in counted if tokens < most[row.clip_id] - _TOKENS_A_SECOND * row.clip_length_s]
    if not short:
        return None
    return (
        f"Fewer tokens were counted for {len(short)} of its {len(answers)} answers than for others about the same clip "
        f"(clips: {len({row.clip_id for row in short})}): some of the clip, such as its sound, may not have reached "
        "the model."
    )


def _cut(answers: Sequence[Answer], rows: Mapping[str, VariantRow]) -> str | None:
    """Clips that took fewer tokens than shorter ones of the same size."""
    sizes: defaultdict[tuple[int, int], defaultdict[float, list[int]]] = defaultdict(lambda: defaultdict(list))
    for answer in answers:
        row, tokens = rows[answer.variant_id], _tokens(answer)
        if tokens is not None:
            sizes[row.width, row.height][row.clip_length_s].append(tokens)
    for lengths in sizes.values():
        middle = sorted((length, median(tokens)) for length, tokens in lengths.items())
        for (short_s, fewer), (long_s, more) in pairwise(middle):
            if more < fewer:
                return (
                    f"Clips of {long_s:g} s took fewer tokens than those of {short_s:g} s ({more:g} and {fewer:g}): "
                    "some of the longer ones, such as their sound, may not have reached the model."
                )
    return None


def _some_counted(answers: Sequence[Answer], rows: Mapping[str, VariantRow]) -> str | None:
    """The tokens of the sound."""
    counted = [answer for answer in answers if _tokens(answer) is not None]
    without = [answer for answer in counted if not answer.usage.get("audio_tokens")]
    if not without or len(without) == len(counted):
        return None
    lengths = [{rows[answer.variant_id].clip_length_s for answer in some} for some in (without, counted)]
    alone = f" (clips of {' and '.join(f'{one:g} s' for one in sorted(lengths[0]))} alone)"
    return (
        f"Tokens for the sound were counted for {len(counted) - len(without)} of its answers, and not for "
        f"{len(without)}{alone if lengths[0] < lengths[1] else ''}: it may not have heard these, or other software has "
        "answered."
    )


def _handed_out_again(answers: Sequence[Answer]) -> str | None:
    """Repeats with one id; a server that gives all replies the same one tells nothing by it."""
    ids: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for answer in answers:
        if isinstance(name := answer.details.get("id"), str):
            ids[answer.variant_id][name] += 1
    again = sum(times - 1 for own in ids.values() for times in own.values())
    if not again or len({name for own in ids.values() for name in own}) < max(2, len(ids)):
        return None
    return (
        f"{again} of its {len(answers)} answers bear the id of another repeat's: they were not asked for anew, but "
        "handed out by a cache, and repeats tell nothing."
    )


def _several(answers: Sequence[Answer], name: str, what: str) -> str | None:
    values = [answer.details.get(name) for answer in answers]
    told = Counter(value if isinstance(value, str) else "none told" for value in values)
    if len(told) < 2:
        return None
    shown = ", ".join(f"{value} ({times})" for value, times in told.most_common(_MOST_NAMES))
    more = f" and {len(told) - _MOST_NAMES} more" if len(told) > _MOST_NAMES else ""
    return f"Its answers come from several {what}: {shown}{more}."


def _tokens(answer: Answer) -> int | None:
    """Of the clip and the words, once, however many calls it took to get the answer."""
    told, calls = answer.usage.get("input_tokens"), answer.details.get("calls", 1)
    if not isinstance(told, int) or isinstance(told, bool) or not isinstance(calls, int) or calls < 1:
        return None
    return told // calls
