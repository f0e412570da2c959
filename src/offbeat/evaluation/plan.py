"""Before anything is asked: which variants, of which models, and which of them have an answer already."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from offbeat.dataset.folder import Dataset
from offbeat.dataset.variant import Variant
from offbeat.errors import DatasetError, SettingsError
from offbeat.evaluation.database import FILE, Database
from offbeat.evaluation.identity import Identity, Named, identity_of
from offbeat.evaluation.question import Question, prompt_for
from offbeat.evaluation.run_folder import INFO, check_dataset, check_questions, read_info
from offbeat.evaluation.store import answers_by_revision, kept_outcomes
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
        repeat: 0 for the first time of asking.
        key: hash of everything that the answer depends on.
    """

    variant: Variant
    prompt: Prompt
    repeat: int
    key: str


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """What one model is asked, in one wording.

    Attributes:
        model: who.
        identity: who that is, as it was before anything was asked.
        question: in which wording.
        planned: everything that wants an answer, in the order of the dataset, all repeats of a variant together.
        kept: how many of those have one already.
        to_ask: the others, grouped by clip; clips with former failures come last, so that they keep nobody waiting.
        replaced: how many of those to ask have an answer all the same, of another revision; by revision.
    """

    model: Model
    identity: Identity
    question: Question
    planned: tuple[Planned, ...]
    kept: int
    to_ask: tuple[tuple[Planned, ...], ...]
    replaced: Mapping[str, int]


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
    dataset: Dataset,
    models: Sequence[Model],
    questions: Sequence[Question],
    selection: Selection,
    repeats: int,
    database: Database | None,
) -> tuple[ModelPlan, ...]:
    """Who is asked what, leaving out what has an answer with the same key; a failure is asked again.

    Returns:
        One plan for each question to each model, model by model.

    Raises:
        SettingsError: see `select_variants`; or a model or a question is named twice.
        DatasetError: see `select_variants`.
        ModelUnavailable: a model cannot tell its name or its revision.
    """
    identities = [identity_of(model) for model in models]
    _check_names("model", [identity.name for identity in identities])
    _check_names("question", [question.name for question in questions])
    variants = select_variants(dataset, selection)
    known = zip(models, identities, strict=True)
    return tuple(_plan(*who, variants, question, repeats, database) for who in known for question in questions)


def without(plan: ModelPlan, keys: Collection[str]) -> ModelPlan:
    """The plan, without asking what has one of these keys."""
    if not keys:
        return plan
    groups = (tuple(planned for planned in group if planned.key not in keys) for group in plan.to_ask)
    return replace(plan, to_ask=tuple(group for group in groups if group))


def plan_run(
    dataset: Dataset,
    models: Sequence[Model],
    questions: Sequence[Question],
    selection: Selection,
    repeats: int,
    out: Path,
) -> tuple[ModelPlan, ...]:
    """What a run into the folder `out` would ask; nothing is written.

    Raises:
        RunError: the folder holds the answers of another dataset, or to another question of the same name, or cannot be
            read.
        SettingsError, DatasetError: see `select_variants` and `plan_models`.
    """
    if not (out / INFO).exists():
        return plan_models(dataset, models, questions, selection, repeats, None)
    info = read_info(out)
    check_dataset(out, info, dataset)
    check_questions(out, info, questions)
    with Database(out / FILE, readonly=True) as database:
        return plan_models(dataset, models, questions, selection, repeats, database)


def answer_key(model: Named, variant: Variant, question: Question, prompt: Prompt, repeat: int) -> str:
    """SHA-256 over who is asked, about which bytes, in which words, and which time of asking it is."""
    words = [prompt.system, prompt.text, list(prompt.options), list(prompt.words)]
    parts = [model.name, model.revision, variant.row.sha256, question.name, words, repeat]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _plan(
    model: Model,
    identity: Identity,
    variants: Sequence[Variant],
    question: Question,
    repeats: int,
    database: Database | None,
) -> ModelPlan:
    known = {} if database is None else kept_outcomes(database, identity.name, question.name)
    planned: list[Planned] = []
    to_ask: defaultdict[str, list[Planned]] = defaultdict(list)
    failed: set[str] = set()
    prompts: dict[str, Prompt] = {}
    for variant in variants:
        clip = variant.row.clip_id
        prompt = prompts.get(clip) or prompts.setdefault(clip, prompt_for(question, variant))
        for repeat in range(repeats):
            item = Planned(variant, prompt, repeat, answer_key(identity, variant, question, prompt, repeat))
            planned.append(item)
            key, outcome = known.get((variant.row.variant_id, repeat), ("", ""))
            if key != item.key or outcome == "error":
                to_ask[clip].append(item)
            if key == item.key and outcome == "error":
                failed.add(clip)
    groups = tuple(tuple(to_ask[clip]) for clip in sorted(to_ask, key=lambda clip: clip in failed))
    kept = len(planned) - sum(map(len, groups))
    replaced = _replaced(identity, question, groups, database)
    return ModelPlan(model, identity, question, tuple(planned), kept, groups, replaced)


def _replaced(
    identity: Identity, question: Question, groups: Iterable[Sequence[Planned]], database: Database | None
) -> Mapping[str, int]:
    if database is None:
        return {}
    revisions = answers_by_revision(database, identity.name, question.name)
    asked = [revisions.get((item.variant.row.variant_id, item.repeat)) for group in groups for item in group]
    return Counter(revision for revision in asked if revision is not None and revision != identity.revision)


def asked_anew(plan: ModelPlan) -> list[str]:
    """What to tell the user before answers are asked for anew, as the settings are others: how many, and which."""
    now = plan.identity.revision.split()
    told: list[str] = []
    for revision, times in plan.replaced.items():
        then = revision.split()
        was, is_ = " ".join(w for w in then if w not in now), " ".join(w for w in now if w not in then)
        told.append(
            f"{plan.identity.name}: answers to {plan.question.name} that were given under other settings and are asked "
            f"for anew: {times}; then {was or revision}, now {is_ or plan.identity.revision}"
        )
    return told


def _check_names(what: str, names: Sequence[str]) -> None:
    if len(set(names)) < len(names) or not names:
        raise SettingsError(f"expected one or more {what}s, each named once, got {', '.join(names) or 'none'}")


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
