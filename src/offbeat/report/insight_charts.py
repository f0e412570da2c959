"""The charts of thresholds and of the section "Why?", as Vega-Lite specifications.

The three answers differ in colour, in the shape of their points and in the dashes of their lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
from numpy.typing import NDArray

from offbeat.analysis import sj3
from offbeat.analysis.human_limits import HUMAN_LIMITS
from offbeat.report.charts import COLOURS, SHARES, Spec, as_spec
from offbeat.report.insight import AtDelay, Insight
from offbeat.report.words import link, percent, visible
from offbeat.timing import LABELS

_STILL = 1e-4
"""Points below which probabilities do not move at all."""
_ORDER = ("ahead", "sync", "behind")
_CURVE_POINTS = 61
"""Over all delays, and as many again where the curves turn."""
_DELAY = "sound earlier  ←  audio delay (s)  →  sound later"


def thresholds_chart(insights: Mapping[str, Insight]) -> Spec | None:
    """All observers on one axis: early limit, PSS and late limit, and what standards say of people.

    Returns:
        None where no observer has thresholds.
    """
    rows: list[Spec] = []
    for name, insight in insights.items():
        figures = insight.thresholds.all.figures
        if figures:
            early, pss, late = (_seconds(figures[key].value) for key in ("early_limit_ms", "pss_ms", "late_limit_ms"))
            rows.append({"name": visible(name), "early": early, "pss": pss, "late": late, "link": link(model=name)})
    if not rows:
        return None
    people = [
        {"name": limit.name, "source": limit.source, "early": limit.early_ms / 1000, "late": limit.late_ms / 1000}
        for limit in HUMAN_LIMITS
    ]
    names = [str(row["name"]) for row in [*rows, *people]]
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=190))
    # ending at the axis' end, its title has room beside the names on a narrow screen
    x = alt.X("early:Q", title=_DELAY, axis=alt.Axis(domain=False, ticks=False, tickCount=7, titleAnchor="end"))
    tooltip = [alt.Tooltip(f"{key}:Q", format="+.3f") for key in ("early", "late")]
    both = [
        alt.Chart(alt.Data(values=values))
        .mark_rule(strokeWidth=width, opacity=opacity)
        .encode(x=x, x2="late:Q", y=y, tooltip=[alt.Tooltip("name:N"), *tooltip])
        for values, width, opacity in ((rows, 3, 1.0), (people, 7, 0.35))
    ]
    points = (
        alt.Chart(alt.Data(values=rows))
        .mark_point(filled=True, size=80, opacity=1, cursor="pointer")
        .encode(x=alt.X("pss:Q"), y=y, tooltip=[alt.Tooltip("name:N"), alt.Tooltip("pss:Q", format="+.3f")])
    )
    zero = alt.Chart(alt.Data(values=[{"early": 0}])).mark_rule(strokeDash=[3, 3], opacity=0.5).encode(x=x)
    words = "Limits of all observers, and of people by broadcasting standards"
    return as_spec(
        (zero + both[0] + both[1] + points).properties(width="container", height=26 * len(names), description=words)
    )


def psychometric_chart(name: str, insight: Insight) -> Spec | None:
    """Answers over the delay with the fitted curves; people's limits as bands.

    Returns:
        None where there are no thresholds.
    """
    thresholds = insight.thresholds
    if thresholds.all.curve is None:
        return None
    delays_ms = np.array([point.delay_ms for point in thresholds.points])
    grid = _grid(delays_ms, thresholds.all.curve)
    shares = sj3.shares(grid, np.array([thresholds.all.curve]))[0]
    curve = [
        {"delay": round(float(d) / 1000, 4), "choice": label, "share": round(float(shares[k, LABELS.index(label)]), 4)}
        for label in _ORDER
        for k, d in enumerate(grid)
    ]
    points = [
        {
            "delay": point.delay_ms / 1000,
            "choice": label,
            "share": round(point.shares[LABELS.index(label)], 4),
            "told": f"{percent(point.shares[LABELS.index(label)])} %",
            "n": point.n,
            "link": link(model=name, delay=point.delay_ms, choice=label),
        }
        for point in thresholds.points
        if point.n
        for label in _ORDER
    ]
    y = alt.Y(
        "share:Q",
        title="share of answers",
        scale=alt.Scale(domain=[0, 1]),
        axis=SHARES,
    )
    drawn = _bands() + _lines(curve, y) + _points(points, y)
    words = f"Answers of {visible(name)} over the delay, with fitted curves"
    return as_spec(drawn.properties(width="container", height=190, description=words))


def probabilities_chart(name: str, points: Sequence[AtDelay]) -> Spec | None:
    """How far each option's mean probability lies from its own mean over delays, in points.

    Returns:
        None without probabilities.
    """
    told = [point for point in points if point.mean is not None]
    if not told:
        return None
    means = np.array([point.mean for point in told])
    moved = 100 * (means - means.mean(axis=0))
    values = [
        {
            "delay": point.delay_ms / 1000,
            "choice": label,
            "share": round(float(moved[row, LABELS.index(label)]), 6),
            "told": f"{percent(float(means[row, LABELS.index(label)]))} %",
            "n": point.n,
            "link": link(model=name, delay=point.delay_ms),
        }
        for row, point in enumerate(told)
        for label in _ORDER
    ]
    most = float(np.abs(moved).max())
    scale = alt.Scale(domain=[-1, 1]) if most < _STILL else alt.Undefined
    y = alt.Y(
        "share:Q",
        title="change of probability (points)",
        scale=scale,
        axis=alt.Axis(domain=False, ticks=False, tickCount=5),
    )
    words = f"How the option probabilities of {visible(name)} move with the delay"
    drawn = _lines(values, y) + _points(values, y)
    return as_spec(drawn.properties(width="container", height=190, description=words))


def _grid(delays_ms: NDArray[np.float64], curve: Sequence[float]) -> NDArray[np.float64]:
    """Delays at which curves are drawn, closer where they turn."""
    first, last = float(delays_ms.min()), float(delays_ms.max())
    noise = float(np.exp(curve[sj3.LOG_EARLY]))
    reach = noise * (float(np.exp(curve[sj3.LOG_H])) + 4)
    turning = np.linspace(max(first, curve[sj3.PSS] - reach), min(last, curve[sj3.PSS] + reach), _CURVE_POINTS)
    return np.asarray(np.union1d(np.linspace(first, last, _CURVE_POINTS), turning), dtype=np.float64)


def _bands() -> alt.Chart:
    values = [
        {"from": one.early_ms / 1000, "to": one.late_ms / 1000, "told": f"{one.name}: {one.source}"}
        for one in HUMAN_LIMITS[:2]
    ]
    chart = alt.Chart(alt.Data(values=values)).mark_rect(color="#999999", opacity=0.22)
    return chart.encode(x=alt.X("from:Q"), x2="to:Q", tooltip=[alt.Tooltip("told:N", title="people")])


def _lines(values: Sequence[Spec], y: alt.Y) -> alt.Chart:
    dashes = alt.Scale(domain=list(_ORDER), range=[[6, 3], [1, 0], [2, 2]])
    chart = alt.Chart(alt.Data(values=list(values))).mark_line(strokeWidth=2, clip=True)
    return chart.encode(x=_x(), y=y, color=_colour(), strokeDash=alt.StrokeDash("choice:N", scale=dashes, legend=None))


def _points(values: Sequence[Spec], y: alt.Y) -> alt.Chart:
    shapes = alt.Scale(domain=list(_ORDER), range=["triangle-left", "circle", "triangle-right"])
    chart = alt.Chart(alt.Data(values=list(values))).mark_point(filled=True, size=45, opacity=1, cursor="pointer")
    return chart.encode(
        x=_x(),
        y=y,
        color=_colour(),
        shape=alt.Shape("choice:N", scale=shapes, legend=None),
        tooltip=[
            alt.Tooltip("delay:Q", title="delay (s)"),
            alt.Tooltip("choice:N", title="answer"),
            alt.Tooltip("told:N", title="share"),
            alt.Tooltip("n:Q", title="answers"),
        ],
    )


def _x() -> alt.X:
    return alt.X("delay:Q", title=_DELAY, axis=alt.Axis(domain=False, ticks=False, grid=False))


def _colour() -> alt.Color:
    scale = alt.Scale(domain=list(_ORDER), range=[COLOURS[label] for label in _ORDER])
    return alt.Color("choice:N", scale=scale, legend=None)


def _seconds(value_ms: float | None) -> float | None:
    return None if value_ms is None else round(value_ms / 1000, 4)
