"""What was found for a model, in one or two sentences that a reader can quote."""

from __future__ import annotations

from collections.abc import Iterable

from offbeat.report.values import CHOICES, ModelResult
from offbeat.report.words import count, percent, visible, with_interval

GUESS = 1 / 3
OFTEN = 0.6
"""A choice given more often than this is worth a sentence."""
FEW_SOURCES = 8
"""With 5 sources some intervals held the truth in less than 90 % of simulated sets, with 8 none (docs/method.md)."""


def finding(model: ModelResult) -> str:
    """Words for the headline: constant or not, better than a guess or not, what it notices, and what is doubtful."""
    return " ".join([_finding(model).rstrip(), *map(visible, model.oddities)])


def _finding(model: ModelResult) -> str:
    if model.n == 0:
        return f"{model.name} gave no answer that can be scored."
    if model.constant is not None:
        return f"{model.name} answered {model.constant} every time: it cannot be told from a constant."
    balanced = model.figures["balanced_accuracy"]
    if sum(1 for row in model.confusion if sum(row)) < 3:
        return f"{model.name} was not asked about variants of all three kinds: there is nothing to hold it against yet."
    if balanced.low is None or balanced.high is None:
        return (
            f"{model.name} has a balanced accuracy of {percent(balanced.value)} % on {_sources(balanced.n_sources)}: "
            "too little to say how it would do on others."
        )
    if balanced.low > GUESS:
        verdict = "does better than a guess"
    elif balanced.high < GUESS:
        verdict = "does worse than a guess"
    else:
        verdict = "cannot be told from a guess"
    return (
        f"{model.name} {verdict}: balanced accuracy {with_interval(balanced)}. "
        f"{_favourite(model)}{_choiceless(model)}{_noticing(model)}{_unequal_repeats(model)}"
    )


def shown(models: Iterable[ModelResult], variants: int, *, unheard: Iterable[str] = ()) -> tuple[str, str]:
    """Who was shown how many variants: what stands before their number, and a sentence behind it, if any.

    Args:
        models: those that have a row.
        variants: how many there are.
        unheard: models that were to be asked, and have neither an answer nor a failure.
    """
    asked = list(models)
    if not asked:
        return "No model has a scored answer to any of", ""
    names = {model.model for model in asked}
    numbers = sorted({variants - model.unasked for model in asked})
    ends = dict.fromkeys((numbers[0], numbers[-1]))
    how_many = "" if numbers == [variants] else f" {' to '.join(map(count, ends))} of"
    silent = len(set(unheard) - names)
    behind = f" {count(silent)} more {'has' if silent == 1 else 'have'} no answer." if silent else ""
    return f"{count(len(names))} {'model was' if len(names) == 1 else 'models were'} shown{how_many}", behind


def few_sources(models: Iterable[ModelResult]) -> list[str]:
    """A warning, where a whole model or one of its genres rests on a few sources; else nothing."""
    scored = [model for model in models if model.n]
    whole = {model.figures["accuracy"].n_sources for model in scored}
    genres = {group.accuracy.n_sources for model in scored for group in model.groups["genre"]}
    if not any(number < FEW_SOURCES for number in whole | genres):
        return []
    what = "all figures here" if min(whole) < FEW_SOURCES else "some genres"
    return [
        f"Few sources: {what} rest on fewer than {FEW_SOURCES}. Intervals over so few are too narrow: with 5 sources, "
        "some that say 95 % held the truth in 83 to 90 % of simulated sets."
    ]


def _favourite(model: ModelResult) -> str:
    columns = [sum(column) for column in zip(*model.confusion, strict=True)]
    most = max(columns)
    if most < OFTEN * model.n:
        return ""
    choice = CHOICES[columns.index(most)]
    words = "gave no choice" if choice == "none" else f"answered {choice}"
    return f"It {words} {percent(most / model.n)} % of the time. "


def _choiceless(model: ModelResult) -> str:
    if not model.choiceless:
        return ""
    best = model.bounds["balanced_accuracy"].best
    return (
        f"Without a choice, and so counted as wrong, were {count(model.choiceless)} of its {count(model.n)} answers; "
        f"had they been right, it would have {percent(best)} %. "
    )


def _noticing(model: ModelResult) -> str:
    noticed, alarms, right = (model.figures[name].value for name in ("noticed", "false_alarms", "direction"))
    words = (
        f"It took {percent(noticed)} % of the shifted variants, and {percent(alarms)} % of those in sync, to be shifted"
    )
    if right is None:
        return f"{words}."
    return f"{words}; of the shifts it noticed, it had the direction right in {percent(right)} %."


def _unequal_repeats(model: ModelResult) -> str:
    """Repeats are pooled, so that a variant that was answered more often weighs more: a reader should know."""
    if model.spread is None:
        return ""
    others = model.n - model.spread.repeats * model.spread.variants
    if not others:
        return ""
    return (
        f" {count(others)} of its {count(model.n)} answers are to variants that were not answered all "
        f"{model.spread.repeats} times: these variants weigh less."
    )


def _sources(number: int) -> str:
    return "one source" if number == 1 else f"{number} sources"
