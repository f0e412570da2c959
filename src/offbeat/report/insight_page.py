"""What the page needs for its sections "Thresholds" and "Why?": charts by their places, and rows by model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offbeat.report.charts import Spec
from offbeat.report.controls import control_rows
from offbeat.report.insight import Insight
from offbeat.report.insight_charts import probabilities_chart, psychometric_chart, thresholds_chart
from offbeat.report.insight_tables import evidence_rows, group_threshold_rows, threshold_row
from offbeat.report.values import Results
from offbeat.report.words import link


def insight_charts(insights: Mapping[str, Insight]) -> dict[str, Spec]:
    """The charts that there are, by the name of their place on the page."""
    charts: dict[str, Spec | None] = {"limits": thresholds_chart(insights)}
    for number, (name, insight) in enumerate(insights.items()):
        charts[f"psychometric-{number}"] = psychometric_chart(name, insight)
        charts[f"why-{number}"] = probabilities_chart(name, insight.why.points)
    return {place: spec for place, spec in charts.items() if spec is not None}


def insight_values(results: Results, insights: Mapping[str, Insight], charts: Mapping[str, Spec]) -> dict[str, Any]:
    """What the template of both sections is given."""
    rows = [threshold_row(name, insight.thresholds.all, link(model=name)) for name, insight in insights.items()]
    items = [
        {
            "number": number,
            "name": name,
            "row": rows[number],
            "groups": group_threshold_rows(name, insight),
            "why": insight.why,
            "evidence": evidence_rows(insight.why),
            "controls": control_rows(name, results, insights),
            "curves": f"psychometric-{number}" in charts,
            "probabilities": f"why-{number}" in charts,
        }
        for number, (name, insight) in enumerate(insights.items())
    ]
    return {"thresholds": rows, "insights": items, "limits_chart": "limits" in charts}
