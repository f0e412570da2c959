"""What the browser of variants needs, packed: tens of thousands of answers must load at once and stay quick.

Variants, clips and answers are arrays; ``static/app.js`` names the places of their items in the same order as here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from offbeat.dataset.folder import Dataset
from offbeat.dataset.schema import MOST_S, CurvesRow, VariantRow, column_texts
from offbeat.evaluation.answer import OUTCOMES, Answer
from offbeat.report.results import entries
from offbeat.report.scorer import scored_choice
from offbeat.report.words import visible
from offbeat.timing import LABELS

LONGEST_TEXT = 4000
"""Characters of a raw reply that the page keeps; the run folder has the whole."""
ESTIMATE = "estimated_delay_ms"
"""The detail of an answer in which a detector says what it takes the delay to be, as `signal` does."""
_MOST_MS = 1000.0 * MOST_S
FLAGS: Mapping[str, tuple[str, str]] = {
    "overlap_s": ("shared by picture and sound", "s"),
    "silence_share": ("silence", "% of the sound"),
    "onset_density": ("onsets", "a second"),
    "periodicity": ("likeness to the unshifted sound", "r, 0 to 1"),
    "periodic": ("the delay falls on a period", ""),
    "motion": ("motion", "black to white, a second"),
    "still": ("nothing moves", ""),
    "scene_cut": ("cut inside", ""),
    "syncability": ("found in step when unshifted", "chance, 0 to 1"),
    "draws": ("windows looked at", ""),
}
"""The flags of a row as the page calls them, and their units: see docs/flags.md."""


def browser_data(
    dataset: Dataset,
    answers: Iterable[Answer],
    *,
    order: Sequence[str],
    missing: set[str],
    curves: Iterable[CurvesRow] = (),
) -> dict[str, object]:
    """Variants and all their answers.

    Args:
        dataset: the variants, in this order.
        answers: all of them.
        order: the names of the models as the page lists them; others follow.
        missing: `file_name` of the variants whose clip is not there.
        curves: what moves and what sounds in the clips, as far as it is known.
    """
    places = {variant.row.variant_id: place for place, variant in enumerate(dataset.variants)}
    named = entries(answers, places)
    names = [name for name in order if name in named] + [name for name in named if name not in order]
    prompts: dict[tuple[str, str | None], int] = {}
    texts = column_texts(VariantRow)
    return {
        "labels": LABELS,
        "outcomes": OUTCOMES,
        "models": [visible(name) for name in names],
        "flags": [[flag, name, unit, texts[flag]] for flag, (name, unit) in FLAGS.items()],
        "variants": [_variant(variant.row, missing) for variant in dataset.variants],
        "sources": {visible(one.source_id): visible(one.path) for one in dataset.sources if one.status == "used"},
        "clips": {visible(one.clip_id): [one.motion, one.onsets, one.onsets_hz, one.onsets_start_s] for one in curves},
        "answers": [_answers(named[name], places, prompts) for name in names],
        "prompts": [[visible(text), None if system is None else visible(system)] for text, system in prompts],
    }


def _variant(row: VariantRow, missing: set[str]) -> list[Any]:
    clip = None if row.file_name in missing else quote(row.file_name)
    return [
        visible(row.variant_id),
        visible(row.clip_id),
        visible(row.source_id),
        visible(row.genre),
        None if row.language is None else visible(row.language),
        row.audio_delay_ms,
        LABELS.index(row.label),
        row.clip_length_s,
        row.overlap_s,
        row.clip_start_s,
        row.measured_delay_ms,
        row.width,
        row.height,
        clip,
        row.fps,
        [getattr(row, flag) for flag in FLAGS],
    ]


def _answers(
    answers: Sequence[Answer], places: Mapping[str, int], prompts: dict[tuple[str, str | None], int]
) -> list[list[Any]]:
    ordered = sorted(answers, key=lambda answer: (places[answer.variant_id], answer.repeat))
    return [
        [
            places[answer.variant_id],
            OUTCOMES.index(answer.outcome),
            _choice(answer),
            None if answer.text is None else _shortened(answer.text),
            None if answer.probabilities is None else dict(answer.probabilities),
            {visible(name): _shown(value) for name, value in answer.details.items()},
            None if answer.error is None else _shortened(answer.error),
            prompts.setdefault((answer.prompt, answer.system), len(prompts)),
            answer.repeat,
            _estimate_ms(answer),
            {visible(name): _shown(value) for name, value in answer.usage.items()},
            round(answer.seconds, 3),
        ]
        for answer in ordered
    ]


def _choice(answer: Answer) -> str | None:
    """What counts as its choice, or an option of another question as it is; an error has none."""
    if answer.choice is None or answer.choice not in LABELS:
        return answer.choice
    code = scored_choice(answer)
    return LABELS[code] if code < len(LABELS) else None


def _estimate_ms(answer: Answer) -> float | None:
    """The delay that it found, where it tells one that can be."""
    value = answer.details.get(ESTIMATE)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -_MOST_MS <= value <= _MOST_MS else None


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return visible(text)
    return f"{visible(text[:LONGEST_TEXT])} … ({len(text):,} characters; the run folder has the whole)"


def _shown(value: object) -> str:
    return _shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
