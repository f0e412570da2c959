"""Draws of sources, the same for every model, so that the order of models changes no figure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from offbeat.analysis import agreement, bias, detection, scores
from offbeat.analysis.intervals import Estimate, Score, estimate, resample, seeded_weights

SCORES: dict[str, Score] = {
    "accuracy": scores.accuracy,
    "balanced_accuracy": scores.balanced_accuracy,
    "macro_f1": scores.macro_f1,
    "kappa": agreement.kappa,
    "mcc": agreement.mcc,
    "noticed": scores.noticed,
    "false_alarms": scores.false_alarms,
    "detection_d_prime": detection.detection_d_prime,
    "detection_criterion": detection.detection_criterion,
    "direction": scores.direction,
    "direction_d_prime": detection.direction_d_prime,
    "direction_criterion": detection.direction_criterion,
    "bias_sync": bias.towards(0),
    "bias_ahead": bias.towards(1),
    "bias_behind": bias.towards(2),
}
"""The headline figures that come from tables of counts, by the name that they have in results.json."""
TRIALS: dict[str, Score] = {
    "accuracy": lambda counts: counts.sum(axis=(-2, -1)),
    "noticed": lambda counts: counts[..., 1:, :].sum(axis=(-2, -1)),
    "false_alarms": lambda counts: counts[..., 0, :].sum(axis=-1),
}
"""Of those that are shares: out of how many."""


class Draws:
    """How often each source is drawn, for any number of sources."""

    def __init__(self, *, draws: int, seed: int) -> None:
        self.draws = draws
        self.seed = seed
        self._weights: dict[int, NDArray[np.uint16]] = {}

    def weights(self, n_sources: int) -> NDArray[np.uint16]:
        """Shape (draws, n_sources); the same every time."""
        if n_sources not in self._weights:
            self._weights[n_sources] = seeded_weights(n_sources, draws=self.draws, seed=self.seed)
        return self._weights[n_sources]

    def tables(self, tables: scores.Counts) -> scores.Counts | None:
        """The summed tables of all draws; None with fewer than two sources."""
        return resample(tables, self.weights(len(tables))) if len(tables) > 1 else None

    def estimates(self, tables: scores.Counts, names: Iterable[str]) -> dict[str, Estimate]:
        """Figures of `SCORES` with their intervals, from a table for each source."""
        drawn = self.tables(tables)
        return {name: estimate(tables, SCORES[name], drawn, trials=TRIALS.get(name)) for name in names}
