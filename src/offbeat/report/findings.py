"""What was found for a model, in one or two sentences that a reader can quote."""

from __future__ import annotations

from offbeat.report.results import ModelResult
from offbeat.report.words import percent, with_interval

GUESS = 1 / 3


def finding(model: ModelResult) -> str:
    """Words for the headline: constant or not, better than a guess or not, and what it notices."""
    if model.n == 0:
        return f"{model.name} gave no answer that can be scored."
    if model.constant is not None:
        return f"{model.name} answered {model.constant} to every clip: it cannot be told from a constant."
    balanced = model.figures["balanced_accuracy"]
    if sum(1 for row in model.confusion if sum(row)) < 3:
        return f"{model.name} was not asked about clips of all three kinds: there is nothing to hold it against yet."
    if balanced.low is None or balanced.high is None:
        return (
            f"{model.name} has a balanced accuracy of {percent(balanced.value)} % on {_sources(balanced.n_sources)}: "
            "too little to say how it would do on others."
        )
    figure = with_interval(balanced)
    if balanced.low > GUESS:
        verdict = f"{model.name} does better than a guess: balanced accuracy {figure}, where a guess has 33.3 %."
    elif balanced.high < GUESS:
        verdict = f"{model.name} does worse than a guess: balanced accuracy {figure}, where a guess has 33.3 %."
    else:
        verdict = f"{model.name} cannot be told from a guess: balanced accuracy {figure}, where a guess has 33.3 %."
    return f"{verdict} {_noticing(model)}"


def _noticing(model: ModelResult) -> str:
    noticed, alarms, right = (model.figures[name].value for name in ("noticed", "false_alarms", "direction"))
    words = (
        f"It called {percent(noticed)} % of the shifted clips out of step, "
        f"and {percent(alarms)} % of those that were in sync"
    )
    if right is None:
        return f"{words}."
    return f"{words}; where it noticed a shift, its direction was right in {percent(right)} % (a coin: 50 %)."


def _sources(number: int) -> str:
    return "one source" if number == 1 else f"{number} sources"
