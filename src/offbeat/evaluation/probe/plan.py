"""What a probe asks: which clips, altered how, in which words, in which order. Nothing is opened, nothing is asked.

Each clip is shown four times under each of four heads, twice plain and twice altered, and always asked in the very
same words:

===========  =============================  ==========================  =================================
head         question                       altered                     what it can show
===========  =============================  ==========================  =================================
sound        the run's own                  muted; another clip's       its answers depend on the sound
picture      the run's own                  frozen at a third, at two   its answers depend on the picture
heard        is there anything to hear?     muted, twice                it hears, and about which file
moves        does anything move?            frozen at a third, at two   it sees, and about which file
===========  =============================  ==========================  =================================

The two plain replies to the run's own question serve both of its heads. Plain and altered take turns, and every other
clip is asked about in the reverse order: a server that answers about the file before then contradicts the files most of
the time, and a drift favours neither. The words "audible", "silent", "moving" and "frozen" are used
rather than yes and no: they stand in another order for every other clip, and none of them is what an agreeable model
says anyway.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Literal

from offbeat.dataset.altered import Alteration
from offbeat.dataset.variant import Variant
from offbeat.errors import SettingsError
from offbeat.evaluation.question import Question, prompt_for
from offbeat.models.base import Prompt

CLIPS = 4
"""How many are shown unless the user wants another number: fewer than 3 cannot show much."""

Asked = Literal["own", "heard", "moves"]

HEARD = ("audible", "silent")
MOVES = ("moving", "frozen")
"""The second of each is what is true of the altered ones."""
_MEANINGS = {
    "audible": "something can be heard, such as speech, music or noise",
    "silent": "nothing at all can be heard",
    "moving": "something in the picture changes or moves",
    "frozen": "the picture is one still image from beginning to end",
}


@dataclass(frozen=True, slots=True)
class ProbeCall:
    """One thing to be asked.

    Attributes:
        clip: which of the probe's clips, from 0.
        variant: the clip as it is in the dataset; what the altered one will cost, it costs too.
        other: another clip, whose sound is heard where `swapped`.
        alteration: what is done to it; None: it is shown as it is.
            asked: the run's own question, or one whose answer is known.
        prompt: in which words.
    """

    clip: int
    variant: Variant
    other: Variant | None
    alteration: Alteration | None
    asked: Asked
    prompt: Prompt


_SHOWN: dict[Asked, tuple[Alteration | None, ...]] = {
    "own": (None, "muted", "frozen early", None, "swapped", "frozen late"),
    "heard": (None, "muted", None, "muted"),
    "moves": (None, "frozen early", None, "frozen late"),
}


def probe_calls(
    variants: Sequence[Variant], question: Question, *, clips: int = CLIPS, without: Collection[str] = ()
) -> tuple[ProbeCall, ...]:
    """All that is to be asked, clip by clip in the order of asking: 14 calls at most for each clip that is shown.

    Args:
        variants: those that the run is about.
        question: the run's own.
        clips: how many are shown; where there are fewer, they are shown again in turn.
        without: clips that are passed over; those that would be shown before them are the same all the same.

    Raises:
        SettingsError: no variants, or no clips are wanted.
    """
    by_rank = choose_clips(variants, clips + len(without))
    chosen = [variant for variant in by_rank if variant.row.clip_id not in without][: max(clips, 0)]
    if not chosen:
        raise SettingsError(f"a probe needs one or more clips; asked for were {clips}, of {len(variants)} variants")
    variants = [variant for variant in variants if variant.row.clip_id not in without]
    calls: list[ProbeCall] = []
    for number, variant in enumerate(islice(cycle(chosen), clips)):
        other = _other(variant, [*chosen[number + 1 :], *chosen, *variants])
        turned = number % 2 == 1
        prompts: dict[Asked, Prompt] = {
            "own": prompt_for(question, variant),
            "heard": _closed("sound", HEARD, turned=turned),
            "moves": _closed("picture", MOVES, turned=turned),
        }
        for asked, shown in _SHOWN.items():
            for alteration in reversed(shown) if turned else shown:
                if alteration == "swapped" and other is not None:
                    call = ProbeCall(number, variant, other, "swapped", asked, prompts[asked])
                else:
                    silent = "muted" if alteration == "swapped" else alteration
                    call = ProbeCall(number, variant, None, silent, asked, prompts[asked])
                calls.append(call)
    return tuple(calls)


def choose_clips(variants: Sequence[Variant], clips: int) -> list[Variant]:
    """Unshifted variants of clips in which much moves and much is heard, of as many sources as there are.

    Clips in which nothing moves, or which are silent half of the time, come last. Among the others, those come first
    that stand high in both motion and onsets.
    """
    by_clip: dict[str, Variant] = {}
    for variant in variants:
        kept = by_clip.setdefault(variant.row.clip_id, variant)
        if abs(variant.row.audio_delay_ms) < abs(kept.row.audio_delay_ms):
            by_clip[variant.row.clip_id] = variant
    found = list(by_clip.values())
    motions = sorted(variant.row.motion or 0.0 for variant in found)
    onsets = sorted(variant.row.onset_density or 0.0 for variant in found)

    def rank(variant: Variant) -> tuple[bool, float, int, str]:
        row = variant.row
        dull = bool(row.still) or (row.silence_share or 0.0) >= _SILENT_SHARE
        weaker = min(bisect_left(motions, row.motion or 0.0), bisect_left(onsets, row.onset_density or 0.0))
        return (dull, abs(row.audio_delay_ms), -weaker, row.clip_id)

    of_source: Counter[str] = Counter()
    turns: list[tuple[int, int, Variant]] = []
    for place, variant in enumerate(sorted(found, key=rank)):
        turns.append((of_source[variant.row.source_id], place, variant))
        of_source[variant.row.source_id] += 1
    return [variant for _, _, variant in sorted(turns, key=lambda one: one[:2])[:clips]]


_SILENT_SHARE = 0.5


def _other(variant: Variant, candidates: Sequence[Variant]) -> Variant | None:
    """Whose sound the clip is to have: of another source, if possible, and as long."""
    row = variant.row
    others = [
        one for one in candidates if one.row.clip_id != row.clip_id and one.row.clip_length_s >= row.clip_length_s
    ]
    same_length = [one for one in others if one.row.clip_length_s == row.clip_length_s]
    foreign = [[one for one in found if one.row.source_id != row.source_id] for found in (same_length, others)]
    return next((found[0] for found in (*foreign, same_length, others) if found), None)


def _closed(what: str, words: tuple[str, str], *, turned: bool) -> Prompt:
    """A question whose answer is known; the options keep their order, whatever the order in which they are shown."""
    lines = [f"{word} = {_MEANINGS[word]}" for word in (reversed(words) if turned else words)]
    text = "\n".join(
        [f"You will watch a video. This question is about its {what} only.", "Reply with ONLY ONE word:", *lines]
    )
    return Prompt(text=text, options=words)
