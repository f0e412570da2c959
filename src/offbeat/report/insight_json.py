"""The keys `psychometric` and `why` of a model in ``results.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from offbeat.analysis.intervals import Estimate
from offbeat.analysis.sj3_estimates import Psychometric
from offbeat.analysis.why_calibration import Calibration
from offbeat.analysis.why_contrasts import Contrast
from offbeat.report.insight import AtDelay, Insight
from offbeat.timing import LABELS

Json = dict[str, Any]


def insight_json(insight: Insight | None, controls: Sequence[str] = ()) -> Json:
    """Both keys; null where a model has no scored answer. `controls` are the names of its controls."""
    if insight is None:
        return {"psychometric": None, "why": None}
    thresholds, why = insight.thresholds, insight.why
    evidence = why.evidence
    return {
        "psychometric": {
            **_psychometric(thresholds.all),
            "left_out_without_overlap": thresholds.apart,
            "by_genre": {str(key): _psychometric(one) for key, one in thresholds.groups["genre"].items()},
            "by_length": {f"{key:g}": _psychometric(one) for key, one in thresholds.groups["length"].items()},
        },
        "why": {
            "verdict": why.verdict,
            "says": why.says,
            "with_probabilities": why.with_probabilities,
            "words": _contrasts(evidence.words),
            "probabilities": _contrasts(evidence.probabilities),
            "slopes_per_s": {name: figure_json(figure) for name, figure in why.slopes.items()},
            "excess": {label: figure_json(figure) for label, figure in evidence.excess.items()},
            "calibration": None if evidence.calibration is None else _calibration(evidence.calibration),
            "same_at_all_delays": evidence.unmoved,
            "controls": list(controls),
            "probe": {"sound": evidence.probe_sound, "picture": evidence.probe_picture},
            "by_delay": [_at_delay(point) for point in why.points],
        },
    }


def _psychometric(found: Psychometric) -> Json:
    return {
        "n": found.n,
        "n_sources": found.n_sources,
        "not_identifiable": found.reason,
        **{name: figure_json(figure) for name, figure in found.figures.items()},
    }


def _contrasts(route: Mapping[str, Contrast]) -> Json:
    return {
        part: {
            "detection": figure_json(one.detection),
            "direction": figure_json(one.direction),
            "detection_p": one.detection_p,
            "direction_p": one.direction_p,
            "alpha": one.alpha,
        }
        for part, one in route.items()
    }


def _calibration(found: Calibration) -> Json:
    figures = {"words": found.words, "by_mean": found.by_mean, "elsewhere": found.elsewhere, "gain": found.gain}
    return asdict(found) | {name: None if one is None else figure_json(one) for name, one in figures.items()}


def _at_delay(point: AtDelay) -> Json:
    """Shares are of the answers with a choice."""
    shares = dict(zip(LABELS, point.shares, strict=True)) if point.n else None
    mean = None if point.mean is None else dict(zip(LABELS, point.mean, strict=True))
    return {"audio_delay_ms": point.delay_ms, "n": point.n, "shares": shares, "mean_probabilities": mean}


def figure_json(figure: Estimate) -> Json:
    """Any figure of the file: its method is that of its interval, and null without one."""
    return asdict(figure) | {"method": None if figure.low is None else figure.method}
