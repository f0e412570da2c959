"""What the browser of variants needs, packed: tens of thousands of answers must load at once and stay quick.

Variants and answers are arrays; ``static/app.js`` names the places of their items in the same order as here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from offbeat.dataset.folder import Dataset
from offbeat.dataset.schema import VariantRow
from offbeat.evaluation.answer import OUTCOMES, Answer
from offbeat.report.results import entries
from offbeat.report.scorer import scored_choice
from offbeat.report.words import visible
from offbeat.timing import LABELS

LONGEST_TEXT = 4000
"""Characters of a raw reply that the page keeps; the run folder has the whole."""


def browser_data(
    dataset: Dataset, answers: Iterable[Answer], *, order: Sequence[str], missing: set[str]
) -> dict[str, object]:
    """Variants and all their answers.

    Args:
        dataset: the variants, in this order.
        answers: all of them.
        order: the names of the models as the page lists them; others follow.
        missing: `file_name` of the variants whose clip is not there.
    """
    places = {variant.row.variant_id: place for place, variant in enumerate(dataset.variants)}
    named = entries(answers, places)
    names = [name for name in order if name in named] + [name for name in named if name not in order]
    prompts: dict[str, int] = {}
    return {
        "labels": LABELS,
        "outcomes": OUTCOMES,
        "models": [visible(name) for name in names],
        "variants": [_variant(variant.row, missing) for variant in dataset.variants],
        "answers": [_answers(named[name], places, prompts) for name in names],
        "prompts": [visible(prompt) for prompt in prompts],
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
    ]


def _answers(answers: Sequence[Answer], places: Mapping[str, int], prompts: dict[str, int]) -> list[list[Any]]:
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
            prompts.setdefault(answer.prompt, len(prompts)),
            answer.repeat,
        ]
        for answer in ordered
    ]


def _choice(answer: Answer) -> str | None:
    """What counts as its choice, or an option of another question as it is; an error has none."""
    if answer.choice is None or answer.choice not in LABELS:
        return answer.choice
    code = scored_choice(answer)
    return LABELS[code] if code < len(LABELS) else None


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return visible(text)
    return f"{visible(text[:LONGEST_TEXT])} … ({len(text):,} characters; the run folder has the whole)"


def _shown(value: object) -> str:
    return _shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
