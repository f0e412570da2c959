"""Before anything is asked: which variants, of which models, and which of them have an answer already."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from offbeat.dataset.folder import Dataset
from offbeat.dataset.variant import Variant
from offbeat.errors import DatasetError, SettingsError
from offbeat.evaluation.question import Question, prompt_for
from offbeat.evaluation.run_folder import INFO, check_dataset, read_info
from offbeat.evaluation.store import FILE, AnswerStore
from offbeat.models.base import Model, Prompt
from offbeat.timing import exact_seconds


@dataclass(frozen=True, slots=True)
class Selection:
    """Which variants of a dataset; an empty filter keeps everything.

    Attributes:
        limit: at most this many variants, spread evenly over the sources: each source gives one, drawn with `seed`,
            then each a second one, and so on. Every model gets the same ones, and a larger limit adds to them.
        genres: of these genres.
        lengths: clips of these lengths in seconds.
        conditions: under these conditions.
        seed: which variants a limit draws.
    """

    limit: int | None = None
    genres: Sequence[str] = ()
    lengths: Sequence[Fraction] = ()
    conditions: Sequence[str] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """One question to one model.

    Attributes:
        variant: about what.
        prompt: as it will be sent.
        key: hash of everything that the answer depends on.
    """

    variant: Variant
    prompt: Prompt
    key: str


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """What one model is asked.

    Attributes:
        model: who.
        planned: everything that wants an answer, in the order of the dataset.
        kept: how many of those have one already.
        to_ask: the others, grouped by clip.
    """

    model: Model
    planned: tuple[Planned, ...]
    kept: int
    to_ask: tuple[tuple[Planned, ...], ...]


def select_variants(dataset: Dataset, selection: Selection) -> tuple[Variant, ...]:
    """The selected variants, in the order of the dataset.

    Raises:
        SettingsError: a filter names what the dataset does not have, or a limit is not positive.
        DatasetError: two rows with one variant_id.
    """
    rows = [variant.row for variant in dataset.variants]
    if len({row.variant_id for row in rows}) < len(rows):
        raise DatasetError(f"{dataset.folder}: a variant_id stands in two rows of the manifest; build it again")
    _check("genre", selection.genres, {row.genre for row in rows})
    _check("length", selection.lengths, {exact_seconds(row.clip_length_s) for row in rows})
    _check("condition", selection.conditions, {row.condition for row in rows})
    chosen = [
        variant
        for variant in dataset.variants
        if (not selection.genres or variant.row.genre in selection.genres)
        and (not selection.lengths or exact_seconds(variant.row.clip_length_s) in selection.lengths)
        and (not selection.conditions or variant.row.condition in selection.conditions)
    ]
    if selection.limit is not None:
        chosen = _spread(chosen, selection.limit, selection.seed)
    if not chosen:
        raise SettingsError(f"{dataset.folder}: no variant is left by the filters; loosen one of them")
    return tuple(chosen)


def plan_models(
    dataset: Dataset, models: Sequence[Model], question: Question, selection: Selection, store: AnswerStore | None
) -> tuple[ModelPlan, ...]:
    """Who is asked what, leaving out what has an answer with the same key; a failure is asked again.

    Raises:
        SettingsError: see `select_variants`; or a model is named twice.
        DatasetError: see `select_variants`.
    """
    names = [model.name for model in models]
    if len(set(names)) < len(names) or not names:
        raise SettingsError(f"expected one or more models, each named once, got {', '.join(names) or 'none'}")
    variants = select_variants(dataset, selection)
    return tuple(_plan(model, variants, question, store) for model in models)


def plan_run(
    dataset: Dataset, models: Sequence[Model], question: Question, selection: Selection, out: Path
) -> tuple[ModelPlan, ...]:
    """What a run into the folder `out` would ask; nothing is written.

    Raises:
        RunError: the folder holds the answers of another dataset, or cannot be read.
        SettingsError, DatasetError: see `select_variants` and `plan_models`.
    """
    if not (out / INFO).exists():
        return plan_models(dataset, models, question, selection, None)
    check_dataset(out, read_info(out), dataset)
    with AnswerStore(out / FILE, readonly=True) as store:
        return plan_models(dataset, models, question, selection, store)


def answer_key(model: Model, variant: Variant, question: Question, prompt: Prompt, repeat: int) -> str:
    """SHA-256 over who is asked, about which bytes, in which words, and which time of asking it is."""
    parts = [model.name, model.revision, variant.row.sha256, question.name, prompt.text, list(prompt.options), repeat]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _plan(model: Model, variants: Sequence[Variant], question: Question, store: AnswerStore | None) -> ModelPlan:
    known: Mapping[str, tuple[str, str]] = {} if store is None else store.outcomes(model.name, question.name, 0)
    planned: list[Planned] = []
    to_ask: defaultdict[str, list[Planned]] = defaultdict(list)
    for variant in variants:
        prompt = prompt_for(question, variant)
        item = Planned(variant, prompt, answer_key(model, variant, question, prompt, 0))
        planned.append(item)
        key, outcome = known.get(variant.row.variant_id, ("", "error"))
        if key != item.key or outcome == "error":
            to_ask[variant.row.clip_id].append(item)
    groups = tuple(tuple(group) for group in to_ask.values())
    return ModelPlan(model, tuple(planned), len(planned) - sum(map(len, groups)), groups)


def _spread(variants: Sequence[Variant], limit: int, seed: int) -> list[Variant]:
    if limit < 1:
        raise SettingsError(f"the limit must be 1 or more, got {limit}")
    by_source: defaultdict[str, list[Variant]] = defaultdict(list)
    for variant in sorted(variants, key=lambda variant: _draw(seed, variant.row.variant_id)):
        by_source[variant.row.source_id].append(variant)
    sources = sorted(by_source, key=lambda source: _draw(seed, source))
    ranked = sorted((turn, place, v) for place, s in enumerate(sources) for turn, v in enumerate(by_source[s]))
    kept = {variant.row.variant_id for _, _, variant in ranked[:limit]}
    return [variant for variant in variants if variant.row.variant_id in kept]


def _draw(seed: int, name: str) -> bytes:
    """A random rank that depends on the seed and the name alone."""
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def _check(what: str, wanted: Iterable[str | Fraction], present: Iterable[str | Fraction]) -> None:
    missing = [item for item in wanted if item not in set(present)]
    if missing:
        there = ", ".join(_written(item) for item in sorted(present, key=str))
        raise SettingsError(f"no clip of {what} {', '.join(map(_written, missing))}; the dataset has {there}")


def _written(item: str | Fraction) -> str:
    return item if isinstance(item, str) else f"{float(item):g} s"
