"""What each figure is called, in which unit it is shown, and what a comparison of two models says in words."""

from __future__ import annotations

from offbeat.analysis.intervals import Estimate
from offbeat.analysis.paired import ALPHA, POWER
from offbeat.report.values import Comparison
from offbeat.report.words import NOTHING

NAMES = {
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "kappa": "Cohen's κ",
    "mcc": "MCC",
    "noticed": "shifts noticed",
    "false_alarms": "false alarms",
    "detection_d_prime": "d′, shifted or not",
    "detection_criterion": "criterion, shifted or not",
    "direction": "direction right",
    "direction_d_prime": "d′, direction",
    "direction_criterion": "criterion, direction",
    "detection_auroc": "ROC area, shifted or not",
    "direction_auroc": "ROC area, direction",
    "bias_sync": "bias to sync",
    "bias_ahead": "bias to ahead",
    "bias_behind": "bias to behind",
}
"""Every figure, in the order in which they are shown."""
PLAIN = frozenset(name for name in NAMES if name.endswith(("_f1", "kappa", "mcc", "_d_prime", "_criterion", "_auroc")))
"""Figures that are no shares: shown as they are, all others in per cent."""


def number(name: str, value: float | None, *, sign: bool = False) -> str:
    """A figure without its unit: ``47.6`` for a share of 0.476, ``0.215`` for a figure that is none."""
    if value is None:
        return NOTHING
    shown = f"{value:+.3f}" if name in PLAIN else f"{100 * value:+.1f}"
    if not shown.strip("+-0."):
        return shown.lstrip("+-")  # what rounds to nothing has no sign
    return (shown if sign or name.startswith("bias") else shown.lstrip("+")).replace("-", "−")


def ends(name: str, estimate: Estimate, *, sign: bool = False) -> str:
    """``[41.0, 54.2]``, in the unit of the figure."""
    if estimate.low is None or estimate.high is None:
        return NOTHING
    return f"[{number(name, estimate.low, sign=sign)}, {number(name, estimate.high, sign=sign)}]"


def unit(name: str) -> str:
    """``%``, or nothing."""
    return "" if name in PLAIN else "%"


def p_value(p: float | None) -> str:
    """``0.031``, ``< 0.001``."""
    if p is None:
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def verdict(pair: Comparison) -> str:
    """Whether the two differ in balanced accuracy; and where nothing was found, what would have been."""
    test = pair.test
    if test is None:
        sources = pair.differences["balanced_accuracy"].n_sources
        if sources < 2:
            return "Fewer than two sources in common: nothing can be said."
        return f"Of {sources} sources in common fewer than two have all three truths among the answers: no test."
    if test.detectable is None and test.mean == 0:
        return "Alike on every source."
    p = test.t_p if pair.holm_p is None else pair.holm_p
    if p <= ALPHA:
        better = pair.second if test.mean > 0 else pair.first
        return f"{better} is better by {100 * abs(test.mean):.1f} points."
    if test.detectable is None:
        return f"{100 * abs(test.mean):.1f} points apart on every source, but on too few of them to tell."
    found = pair.differences["balanced_accuracy"]
    leaves_zero = found.low is not None and found.high is not None and not found.low <= 0 <= found.high
    nothing = (
        "The interval leaves 0 out, but the test finds no difference" if leaves_zero else "No difference was found"
    )
    return (
        f"{nothing}; a true one of {100 * test.detectable:.1f} points would have been found with "
        f"{100 * POWER:.0f} % power."
    )
