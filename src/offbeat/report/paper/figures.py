"""The charts of the page as files for a paper: SVG, PNG (300 dots per inch) and PDF.

For each model: its answers at each delay, as in the study's Figures 4 and 5; its answers with the fitted curves; and
how its option probabilities move; besides, all observers with their scores on one axis, and their limits on another.
They are drawn by vl-convert (extra
``figures``), without a browser and without a network, in the colours of the page on white.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from types import ModuleType

from offbeat.errors import SettingsError
from offbeat.files import write_whole
from offbeat.report.charts import Spec, distribution_chart, observers_chart
from offbeat.report.insight import Insight
from offbeat.report.insight_charts import probabilities_chart, psychometric_chart, thresholds_chart
from offbeat.report.observers import Observer
from offbeat.report.values import Results

FOLDER = "figures"
WIDTH = 480
"""Of a chart, in CSS pixels, 96 to an inch, without its axes."""
DOTS_PER_INCH = 300
_LONGEST_NAME = 40
_LEGENDS = ("color", "shape")
_CONFIG = {
    "background": "white",
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "gridColor": "#d9dee3"},
    "legend": {"orient": "top", "title": None, "symbolStrokeWidth": 0},
    "point": {"color": "#1c2126", "fill": "#1c2126"},
    "rule": {"color": "#1c2126"},
}


def converter() -> ModuleType:
    """What draws the figures.

    Raises:
        SettingsError: the extra is missing; the text names the line to type.
    """
    try:
        return importlib.import_module("vl_convert")
    except ModuleNotFoundError as error:
        raise SettingsError('--figures needs the extra "figures"; type: pip install "offbeat[figures]"') from error


def figure_specs(results: Results, insights: Mapping[str, Insight], observers: Sequence[Observer]) -> dict[str, Spec]:
    """All figures by the name of their file, as specifications that stand alone."""
    specs: dict[str, Spec | None] = {"observers": observers_chart(observers), "limits": thresholds_chart(insights)}
    for number, model in enumerate((model for model in results.models if model.n), start=1):
        name = f"{number}-{_file_name(model.name)}"
        specs[f"answers-{name}"] = distribution_chart(model)
        specs[f"curves-{name}"] = psychometric_chart(model.name, insights[model.name])
        specs[f"probabilities-{name}"] = probabilities_chart(model.name, insights[model.name].why.points)
    return {name: _alone(spec) for name, spec in specs.items() if spec is not None}


def write_figures(
    folder: Path, specs: Mapping[str, Spec], *, advance: Callable[[], object] = lambda: None
) -> list[Path]:
    """Write each figure three times.

    Args:
        folder: is made where it is not there; figures of an earlier report in it are removed.
        specs: what `figure_specs` gives.
        advance: called once for each figure that is written.

    Raises:
        SettingsError: the extra is missing.
    """
    draw = converter()
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("observers", "limits", "answers-*", "curves-*", "probabilities-*"):
        for old in (path for suffix in ("svg", "png", "pdf") for path in folder.glob(f"{pattern}.{suffix}")):
            old.unlink()
    written: list[Path] = []
    for name, spec in specs.items():
        contents: dict[str, str | bytes] = {
            "svg": draw.vegalite_to_svg(spec, allowed_base_urls=[]),
            "png": draw.vegalite_to_png(spec, ppi=DOTS_PER_INCH, allowed_base_urls=[]),
            "pdf": draw.vegalite_to_pdf(spec, allowed_base_urls=[]),
        }
        for suffix, content in contents.items():
            write_whole(folder / f"{name}.{suffix}", content)
            written.append(folder / f"{name}.{suffix}")
        advance()
    return written


def _alone(spec: Spec) -> Spec:
    """With a width of its own, with legends, which the page has beside its charts, and without what can be clicked."""
    alone = deepcopy(spec)
    alone |= {"width": WIDTH, "config": _CONFIG}
    for layer in alone["layer"]:
        for channel in _LEGENDS:
            encoding = layer["encoding"].get(channel)
            if isinstance(encoding, dict) and "field" in encoding:
                encoding["legend"] = {}
                encoding["title"] = None
        layer["data"]["values"] = [
            {key: value for key, value in row.items() if key != "link"} for row in layer["data"]["values"]
        ]
    return alone


def _file_name(name: str) -> str:
    """Letters, digits and hyphens; the number before it tells names apart that come out alike."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:_LONGEST_NAME].strip("-") or "model"
