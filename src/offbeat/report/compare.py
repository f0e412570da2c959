"""Two runs beside each other: what changed, in figures and answer by answer.

Models are paired by their name and question, so that another version, another server or another prompt of the same name
can be seen; two that are named are paired whatever they are called. Of a model that was asked in several revisions, the
one that was asked last counts.

Runs over different datasets can be compared where variants have the same bytes: those are matched by their SHA-256, and
the rest is left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from offbeat.dataset.folder import Dataset
from offbeat.dataset.schema import VariantRow
from offbeat.errors import RunError
from offbeat.evaluation.answer import Answer
from offbeat.report.comparisons import COMPARED, compare_pair, in_common, with_holm
from offbeat.report.draws import SCORES, Draws
from offbeat.report.scorer import Scorer, scored_choice
from offbeat.report.values import CODES, Comparison
from offbeat.timing import LABELS

Entries = dict[str, list[Answer]]


@dataclass(frozen=True, slots=True)
class Change:
    """An answer that is another one now.

    Attributes:
        row: the variant, as the first run's dataset has it.
        before: the first run's answer.
        after: the second's.
        effect: of the change.
    """

    row: VariantRow
    before: Answer
    after: Answer
    effect: str


GAINED, LOST, OTHER = "wrong -> right", "right -> wrong", "otherwise"
EFFECTS = (GAINED, LOST, OTHER)


@dataclass(frozen=True, slots=True)
class Compared:
    """One model in both runs.

    Attributes:
        whole: on all that both answered.
        genres: the same within each genre.
        changes: answers that are others now, in the order of the first run.
        unmatched: answers of either run that the other lacks; errors are none.
    """

    whole: Comparison
    genres: Mapping[str, Comparison]
    changes: tuple[Change, ...]
    unmatched: tuple[int, int]


@dataclass(frozen=True, slots=True)
class RunsCompared:
    """What `compare_runs` found.

    Attributes:
        pairs: one for each model that both runs have.
        first_alone: models that only the first run has.
        second_alone: models that only the second has.
        unscored: models of either run whose answers are no three-way choices, which cannot be compared.
        common_variants: variants that both datasets have.
        variants: how many each of them has.
    """

    pairs: tuple[Compared, ...]
    first_alone: tuple[str, ...]
    second_alone: tuple[str, ...]
    unscored: tuple[str, ...]
    common_variants: int
    variants: tuple[int, int]

    @property
    def whole(self) -> bool:
        """Whether nothing had to be left out."""
        matched = not any(any(pair.unmatched) for pair in self.pairs)
        alone = self.first_alone or self.second_alone or self.unscored
        return matched and not alone and not self.variants_left_out

    @property
    def variants_left_out(self) -> bool:
        """Whether one of the datasets has variants that the other lacks."""
        return self.variants != (self.common_variants, self.common_variants)


def compare_runs(
    answers: tuple[Sequence[Answer], Sequence[Answer]],
    datasets: tuple[Dataset, Dataset],
    *,
    models: tuple[str, str] | None = None,
    draws: int,
    seed: int = 0,
) -> RunsCompared:
    """Compare what two runs hold.

    Args:
        answers: of either run.
        datasets: that they asked about; the same one twice, or two that share variants.
        models: a model of the first run and one of the second, by name, or ``name · question``; default: all that have
            the same name and question in both.
        draws: of sources.
        seed: of the draws.

    Raises:
        RunError: the datasets share no variant, or the runs no model, or one that was named is not there.
    """
    same = _same_variants(*datasets)
    rows = {variant.row.variant_id: variant.row for variant in datasets[0].variants}
    theirs = [replace(one, variant_id=same[one.variant_id]) for one in answers[1] if one.variant_id in same]
    kept = set(same.values())
    everything = _entries([one for one in answers[0] if one.variant_id in kept]), _entries(theirs)
    entries = _three_way(everything[0]), _three_way(everything[1])
    chosen = _pairs(*entries, models)
    drawn = Draws(draws=draws, seed=seed)
    scorer = Scorer(rows, drawn)
    found = [_compare(names, (entries[0][names[0]], entries[1][names[1]]), rows, scorer, drawn) for names in chosen]
    wholes = with_holm([pair.whole for pair in found])
    unscored = [name for own, scored in zip(everything, entries, strict=True) for name in own if name not in scored]
    return RunsCompared(
        pairs=tuple(replace(pair, whole=whole) for pair, whole in zip(found, wholes, strict=True)),
        first_alone=() if models else tuple(name for name in entries[0] if name not in entries[1]),
        second_alone=() if models else tuple(name for name in entries[1] if name not in entries[0]),
        unscored=() if models else tuple(dict.fromkeys(unscored)),
        common_variants=len(same),
        variants=(len(datasets[0].variants), len(datasets[1].variants)),
    )


def _same_variants(first: Dataset, second: Dataset) -> dict[str, str]:
    """For variants of the second dataset, the `variant_id` of those in the first."""
    if first.fingerprint == second.fingerprint:
        return {variant.row.variant_id: variant.row.variant_id for variant in first.variants}
    ours, theirs = _by_content(first), _by_content(second)
    same = {theirs[key]: ours[key] for key in theirs if key in ours}
    if not same:
        raise RunError(
            f"{first.folder} and {second.folder} are different datasets, and no variant of the one has the bytes of "
            "one of the other; what was asked differs throughout, so there is nothing to compare"
        )
    return same


def _by_content(dataset: Dataset) -> dict[tuple[str, str], str]:
    """`variant_id` by SHA-256 and truth; files that occur more than once cannot be told apart, and are left out."""
    found: dict[tuple[str, str], list[str]] = {}
    for variant in dataset.variants:
        found.setdefault((variant.row.sha256, variant.row.label), []).append(variant.row.variant_id)
    return {key: names[0] for key, names in found.items() if len(names) == 1}


def _entries(answers: Sequence[Answer]) -> Entries:
    """By ``name · question``: the answers of the revision that was asked last."""
    revisions: dict[tuple[str, str], dict[str, list[Answer]]] = {}
    for answer in answers:
        key = answer.model, answer.question
        revisions.setdefault(key, {}).setdefault(answer.revision, []).append(answer)
    found: Entries = {}
    for (model, question), own in revisions.items():
        found[f"{model} · {question}"] = max(own.values(), key=lambda given: max(one.asked_at for one in given))
    return found


def _three_way(entries: Entries) -> Entries:
    """Those whose choices are all of the three that can be scored."""
    return {
        name: own
        for name, own in entries.items()
        if {one.choice for one in own if one.choice is not None} <= set(LABELS)
    }


def _pairs(first: Entries, second: Entries, models: tuple[str, str] | None) -> list[tuple[str, str]]:
    if models is not None:
        return [(_named(models[0], first), _named(models[1], second))]
    common = [(name, name) for name in first if name in second]
    if not common and len(first) == len(second) == 1:
        return [(next(iter(first)), next(iter(second)))]
    if not common:
        raise RunError(
            f"the runs have no model and question in common: {_listed(first)} in the first, {_listed(second)} in the "
            "second; name one of each (--models)"
        )
    return common


def _named(wanted: str, known: Entries) -> str:
    fitting = [name for name in known if wanted in (name, name.rpartition(" · ")[0])]
    if len(fitting) != 1:
        found = "no such model" if not fitting else "it was asked several questions"
        raise RunError(f"--models {wanted!r}: {found}; expected one of {_listed(known)}")
    return fitting[0]


def _listed(entries: Entries) -> str:
    return ", ".join(repr(name) for name in entries) or "none"


def _compare(
    names: tuple[str, str],
    answers: tuple[list[Answer], list[Answer]],
    rows: Mapping[str, VariantRow],
    scorer: Scorer,
    draws: Draws,
) -> Compared:
    genres = dict.fromkeys(sorted({rows[answer.variant_id].genre for answer in answers[0]}))
    before, after = in_common(*answers)

    def of_genre(genre: str) -> tuple[list[Answer], list[Answer]]:
        return (
            [answer for answer in before if rows[answer.variant_id].genre == genre],
            [answer for answer in after if rows[answer.variant_id].genre == genre],
        )

    given = [sum(answer.outcome != "error" for answer in own) for own in answers]
    changes = [
        Change(row=rows[old.variant_id], before=old, after=new, effect=_effect(old, new, rows[old.variant_id]))
        for old, new in zip(before, after, strict=True)
        if (old.outcome, old.choice) != (new.outcome, new.choice)
    ]
    titles = f"first: {names[0]}", f"second: {names[1]}"
    return Compared(
        whole=compare_pair(titles, answers, scorer, draws, figures=tuple(SCORES)),
        genres={genre: compare_pair(titles, of_genre(genre), scorer, draws, figures=COMPARED) for genre in genres},
        changes=tuple(changes),
        unmatched=(given[0] - len(before), given[1] - len(after)),
    )


def _effect(before: Answer, after: Answer, row: VariantRow) -> str:
    truth = CODES[row.label]
    was, now = scored_choice(before) == truth, scored_choice(after) == truth
    return OTHER if was == now else GAINED if now else LOST
