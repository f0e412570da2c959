"""``results.json``: the figures of the page for other programs.

Shares lie between 0 and 1. Every figure is ``{"value", "low", "high", "n_sources", "method"}``; what does not exist is
null. Releases of Offbeat add keys, and rename none; docs/howto/compare.md names those at the top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import offbeat
from offbeat.analysis.intervals import LEVEL
from offbeat.dataset.folder import Dataset
from offbeat.report.comparisons import TESTED
from offbeat.report.controls import controls_of
from offbeat.report.findings import finding
from offbeat.report.insight import Insight
from offbeat.report.insight_json import figure_json, insight_json
from offbeat.report.left_open import NOTHING_LEFT, Left, LeftOpen
from offbeat.report.marks import probe_record
from offbeat.report.published import Published
from offbeat.report.values import CHOICES, Comparison, Group, ModelResult, Place, Results
from offbeat.timing import LABELS

RESULTS_VERSION = 1
"""Of the keys: goes up should one ever be renamed or mean something else, not where one is added."""

Json = dict[str, Any]

FAMILY = "all pairs of the models below on balanced accuracy; holm_p is corrected over them"

GROUP_KEYS = {
    "by_delay": ("delay", "audio_delay_ms"),
    "by_delay_size": ("size", "audio_delay_size_ms"),
    "by_genre": ("genre", "genre"),
    "by_length": ("length", "clip_length_s"),
    "by_overlap": ("overlap", "overlap"),
    "by_language": ("language", "language"),
    "by_sign": ("sign", "label"),
    "by_fps": ("fps", "fps"),
    "by_condition": ("condition", "condition"),
}
"""The name of each list, the group that it holds, and the name of the key in its items."""


INTERVAL_METHODS = {
    "bootstrap": "expanded percentiles over draws of sources",
    "jackknife": "one source left out after the other, Student's t",
    "wilson": "Wilson's, where a source has one answer at most",
}
"""What the `method` of a figure means."""


def results_json(
    results: Results,
    dataset: Dataset,
    published: Published,
    runs: Sequence[Mapping[str, Any]],
    insights: Mapping[str, Insight] = MappingProxyType({}),
    *,
    left: Left = NOTHING_LEFT,
) -> Json:
    """All of it as plain values that `json` writes; `psychometric` and `why` are null without insights."""
    info = dataset.info
    return {
        "results_version": RESULTS_VERSION,
        "offbeat_version": offbeat.__version__,
        "dataset": {
            "fingerprint": dataset.fingerprint,
            "sources_used": info.sources_used,
            "sources_refused": info.sources_refused,
            "clips": info.clips,
            "variants": info.variants,
            "settings": info.settings,
        },
        "runs": list(runs),
        "intervals": {
            "methods": INTERVAL_METHODS,
            "level": LEVEL,
            "draws": results.draws,
            "seed": results.seed,
        },
        "baselines": results.baselines,
        "comparisons": {
            "family": FAMILY,
            "pairs": [comparison_json(pair) for pair in results.comparisons],
        },
        "models": {
            model.name: {
                **_model(model),
                **_left(left.of(model), model),
                "probe": _probe(model, runs),
                **insight_json(insights.get(model.name), [one.name for one in controls_of(model.name, results)]),
            }
            for model in results.models
        },
        "unanswered": [
            {
                "model": one.model,
                "question": one.question,
                "revision": one.revision,
                "wanted": one.wanted,
                "why": one.why,
            }
            for one in left.silent
        ],
        "unscored": [{"name": item.name, "n": item.n, "reason": item.reason} for item in results.unscored],
        "published": published.model_dump(),
    }


def _model(model: ModelResult) -> Json:
    return {
        "model": model.model,
        "revision": model.revision,
        "question": model.question,
        "finding": finding(model),
        "n": model.n,
        "n_sources": model.figures["accuracy"].n_sources,
        "missing": model.missing,
        "unasked": model.unasked,
        **{name: figure_json(figure) for name, figure in model.figures.items()},
        "outcomes": dict(model.outcomes),
        "served_models": list(model.served),
        "oddities": list(model.oddities),
        "usage": model.usage,
        "confusion": {
            label: dict(zip(CHOICES, row, strict=True)) for label, row in zip(LABELS, model.confusion, strict=True)
        },
        "bounds": {name: asdict(bounds) for name, bounds in model.bounds.items()},
        "with_probabilities": model.with_probabilities,
        "repeats": None if model.spread is None else asdict(model.spread),
        "baselines": model.baselines,
        **{name: [_group(group, key) for group in model.groups[source]] for name, (source, key) in GROUP_KEYS.items()},
        "by_place": [_place(place) for place in model.places],
    }


def _left(left: LeftOpen | None, model: ModelResult) -> Json:
    """How many answers were wanted, how many of them nobody was asked for, and why, as far as a run tells."""
    if left is None:
        return {"wanted": model.n + model.missing, "never_asked": 0, "stopped": None}
    return {"wanted": left.wanted, "never_asked": left.unasked, "stopped": left.why or None}


def _place(place: Place) -> Json:
    return {
        "place": place.place,
        "n": place.n,
        "chosen": place.chosen,
        "accuracy": figure_json(place.accuracy),
        "bias": figure_json(place.bias),
    }


def _probe(model: ModelResult, runs: Sequence[Mapping[str, Any]]) -> Json | None:
    """Its outcome; what was seen stands among the runs."""
    record = probe_record(model, runs)
    return None if record is None else {name: record[name] for name in ("passed", "overridden", "says")}


def _group(group: Group, key: str) -> Json:
    return {
        key: group.key,
        "n": group.n,
        "n_sources": group.accuracy.n_sources,
        "accuracy": figure_json(group.accuracy),
        "balanced_accuracy": figure_json(group.balanced_accuracy),
        "noticed": figure_json(group.noticed),
        "false_alarms": figure_json(group.false_alarms),
        "detection_d_prime": figure_json(group.detection_d_prime),
        "choices": dict(zip(CHOICES, group.choices, strict=True)),
    }


def comparison_json(pair: Comparison) -> Json:
    """Two models on what both have answered."""
    return {
        "first": pair.first,
        "second": pair.second,
        "n": pair.n,
        "figures": {
            name: {"first": pair.figures[name], "second": pair.others[name], "difference": figure_json(difference)}
            for name, difference in pair.differences.items()
        },
        "test": None if pair.test is None else {"measure": TESTED, **asdict(pair.test)},
        "sources_left_out": pair.left_out,
        "holm_p": pair.holm_p,
        "mcnemar": {"first_only": pair.first_only, "second_only": pair.second_only, "p": pair.mcnemar_p},
    }
