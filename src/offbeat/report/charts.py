"""The charts of the page, as Vega-Lite specifications: plain values that can be read, compared and tested.

Every mark carries a ``link``: where a click on it leads in the browser of variants.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from offbeat.analysis import scores
from offbeat.report.observers import Observer
from offbeat.report.values import CHOICES, Group, ModelResult
from offbeat.report.words import delay, interval, link, percent, visible
from offbeat.timing import label_of

COLOURS = {"sync": "#009E73", "ahead": "#56B4E9", "behind": "#E69F00", "none": "#999999"}
"""Told apart by people with any of the usual colour deficiencies (Okabe & Ito 2008); the same all over the page."""

_STACK = ("ahead", "sync", "behind", "none")
"""From the bottom of a bar to its top: the order of the delays themselves."""
_BALANCED, _RAW, _INK = "balanced accuracy", "accuracy", "#1c2126"
_BAR = "M-0.2,-0.9H0.2V0.9H-0.2Z"
_NAMES = alt.Axis(ticks=False, domain=False, grid=False, labelLimit=420)
SHARES = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".0%", domain=False, ticks=False)
_WORDS = {"sync": "sync", "ahead": "ahead", "behind": "behind", "none": "no choice"}

Spec = dict[str, Any]


def distribution_chart(model: ModelResult) -> Spec:
    """What a model answered at each delay: one stacked bar a delay, as in the study's Figures 4 and 5.

    The strip above the bars has the colour of the right answer.
    """
    bars: list[Spec] = []
    strip: list[Spec] = []
    for group in model.groups["delay"]:
        bars += _bar_of(model, group)
        truth = label_of(float(group.key))
        strip.append({"delay": delay(float(group.key)), "truth": truth, "from": 1.03, "to": 1.08})
    order = [item["delay"] for item in strip]
    x = alt.X(
        "delay:N",
        sort=order,
        title="sound earlier  ←  audio delay (s)  →  sound later",
        axis=alt.Axis(labelAngle=0, labelOverlap=True, ticks=False, domain=False),
    )
    colour = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    answers = (
        alt.Chart(alt.Data(values=bars))
        .mark_bar(cursor="pointer")
        .encode(
            x=x,
            y=alt.Y(
                "from:Q",
                title="share of answers",
                scale=alt.Scale(domain=[0, 1.08], nice=False),
                axis=SHARES,
            ),
            y2="to:Q",
            color=alt.Color("choice:N", scale=colour, legend=None),
            tooltip=[
                alt.Tooltip("delay:N", title="delay (s)"),
                alt.Tooltip("words:N", title="answer"),
                alt.Tooltip("told:N", title="share"),
                alt.Tooltip("n:Q", title="answers"),
            ],
        )
    )
    truths = (
        alt.Chart(alt.Data(values=strip))
        .mark_rect()
        .encode(
            x=x,
            y=alt.Y("from:Q"),
            y2="to:Q",
            color=alt.Color("truth:N", scale=colour, legend=None),
            tooltip=[alt.Tooltip("delay:N", title="delay (s)"), alt.Tooltip("truth:N", title="right answer")],
        )
    )
    words = f"What {visible(model.name)} answered at each delay"
    return as_spec((answers + truths).properties(width="container", height=190, description=words))


def _bar_of(model: ModelResult, group: Group) -> list[Spec]:
    parts: list[Spec] = []
    start = 0.0
    for choice in _STACK:
        n = group.choices[CHOICES.index(choice)]
        if n == 0:
            continue
        share = n / group.n
        parts.append(
            {
                "delay": delay(float(group.key)),
                "choice": choice,
                "words": _WORDS[choice],
                "n": n,
                "told": f"{percent(share)} %",
                "from": start,
                "to": start + share,
                "link": link(model=model.name, delay=group.key, choice=choice),
            }
        )
        start += share
    return parts


def genre_chart(model: ModelResult) -> Spec:
    """Accuracy by genre: a dot with its interval, and a dashed line where a uniform guess lies."""
    dots = [
        {
            "genre": visible(str(group.key)),
            "value": group.accuracy.value,
            "low": group.accuracy.low,
            "high": group.accuracy.high,
            "told": f"{percent(group.accuracy.value)} % {interval(group.accuracy)}",
            "sources": group.accuracy.n_sources,
            "link": link(model=model.name, genre=str(group.key)),
        }
        for group in model.groups["genre"]
    ]
    y = alt.Y("genre:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False))
    x = alt.X(
        "value:Q",
        title="accuracy",
        scale=alt.Scale(domain=[0, 1]),
        axis=SHARES,
    )
    tooltip = [
        alt.Tooltip("genre:N", title="genre"),
        alt.Tooltip("told:N", title="accuracy"),
        alt.Tooltip("sources:Q", title="sources"),
    ]
    data = alt.Data(values=dots)
    guess = alt.Chart(alt.Data(values=[{"value": 1 / scores.CLASSES}])).mark_rule(strokeDash=[3, 3], opacity=0.6)
    intervals = alt.Chart(data).mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q", y=y, tooltip=tooltip)
    points = alt.Chart(data).mark_point(filled=True, size=70, opacity=1, cursor="pointer")
    chart = guess.encode(x=x) + intervals + points.encode(x=x, y=y, tooltip=tooltip)
    words = f"Accuracy of {visible(model.name)} by genre"
    return as_spec(chart.properties(width="container", height=24 * len(dots), description=words))


def observers_chart(rows: Sequence[Observer]) -> Spec:
    """The first screen as a figure: balanced accuracy with its interval and raw accuracy; hollow where not measured."""
    values: list[Spec] = []
    names: list[str] = []
    for row, before in zip(rows, [None, *rows], strict=False):
        if before is not None and before.group != row.group:
            names.append(" " * len(names))  # a gap
        about = row.about or ("computed" if row.group == "reference" else "")
        name = f"{row.name} ({about})" if about else row.name
        names.append(name + "\u200b" * names.count(name))  # alike to the eye, two rows all the same
        values += [
            {
                "observer": names[-1],
                "figure": figure,
                "measured": row.group == "measured",
                "value": found.value,
                "low": found.low if figure == _BALANCED else None,
                "high": found.high if figure == _BALANCED else None,
            }
            for figure, found in ((_BALANCED, row.balanced), (_RAW, row.accuracy))
            if found.value is not None
        ]
    y = alt.Y("observer:N", title=None, scale=alt.Scale(domain=names), axis=_NAMES)
    x = alt.X("value:Q", title="share right", scale=alt.Scale(domain=[0, 1]), axis=SHARES)
    data = alt.Data(values=values)
    guess = alt.Chart(alt.Data(values=[{"value": 1 / scores.CLASSES}])).mark_rule(strokeDash=[3, 3], opacity=0.6)
    spans = alt.Chart(data).mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q", y=y)
    points = (
        alt.Chart(data)
        .mark_point(size=60, opacity=1, strokeWidth=1.2, stroke=_INK)
        .encode(
            x=x,
            y=y,
            shape=alt.Shape("figure:N", scale=alt.Scale(domain=[_RAW, _BALANCED], range=[_BAR, "circle"])),
            fill=alt.Fill("measured:N", scale=alt.Scale(domain=[True, False], range=[_INK, "white"]), legend=None),
        )
    )
    words = "Balanced and raw accuracy of all observers; filled where measured, hollow where computed or published"
    return as_spec(
        (guess.encode(x=x) + spans + points).properties(width="container", height=alt.Step(16), description=words)
    )


def as_spec(chart: alt.LayerChart | alt.FacetChart) -> Spec:
    """A chart as plain values."""
    spec: Spec = chart.to_dict()
    spec.pop("config", None)  # colours and type belong to the page, which knows whether it is dark
    return spec
