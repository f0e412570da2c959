r"""The page: one file that needs no network, whose scripts are known by their hashes.

All text of models, files and manifests is hostile. It reaches the page in two ways only: through Jinja2's autoescape,
or in data blocks (``<script type="application/json">``), where every ``<`` is written ``\u003c``; the script puts it
into the page as text, never as markup. Should one of these fail, the content security policy in the head still runs no
script but those whose hashes it names, and loads nothing from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

import offbeat
from offbeat.analysis.human_limits import HUMAN_LIMITS
from offbeat.dataset.folder import Dataset
from offbeat.evaluation.answer import OUTCOMES
from offbeat.report import score_tables, tables, words
from offbeat.report.charts import distribution_chart, genre_chart
from offbeat.report.findings import few_sources, finding, shown
from offbeat.report.insight import Insight
from offbeat.report.insight_page import insight_charts, insight_values
from offbeat.report.left_open import NOTHING_LEFT, Left
from offbeat.report.marks import mark_of
from offbeat.report.observers import PEOPLE, beyond, observers
from offbeat.report.paper.citation import citation
from offbeat.report.published import Published
from offbeat.report.question_tables import place_rows, question_table
from offbeat.report.values import CHOICES, Results

SCRIPTS = (
    *("vega.min.js", "vega-lite.min.js", "vega-embed.min.js"),
    *("timeline.js", "variant.js", "app.js", "keys.js"),
)
"""In the order in which the page runs them."""


def render_page(
    results: Results,
    dataset: Dataset,
    published: Published,
    browser: Mapping[str, object],
    insights: Mapping[str, Insight],
    *,
    title: str,
    runs: Sequence[Mapping[str, Any]],
    left: Left = NOTHING_LEFT,
) -> str:
    """The whole of index.html.

    Args:
        results: the figures.
        dataset: what was asked about.
        published: rows to show apart.
        browser: from `offbeat.report.browser.browser_data`.
        insights: thresholds and verdicts, by the models' names.
        title: of the page.
        runs: name and settings of each run.
        left: what was wanted and is not there.
    """
    scripts = {name: _static(name) for name in SCRIPTS}
    charts = {
        f"{kind}-{number}": make(model)
        for kind, make in (("distribution", distribution_chart), ("genre", genre_chart))
        for number, model in enumerate(results.models)
        if model.n
    }
    charts |= insight_charts(insights)
    rows = [variant.row for variant in dataset.variants]
    partly = any(model.unasked for model in results.models)
    marks = [mark_of(model, runs) for model in results.models]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=words.visible(title),
            version=offbeat.__version__,
            policy=content_security_policy(scripts.values()),
            style=Markup(_static("style.css")),
            scripts=[Markup(script) for script in scripts.values()],
            charts=data_block(charts),
            browser=data_block(browser),
            link=words.link,
            label_words=words.LABEL_WORDS,
            choices=CHOICES,
            results=results,
            findings=[*(finding(model) for model in results.models), *few_sources(results.models)],
            marks=marks,
            marked_at=_first_alike([(model.model, mark) for model, mark in zip(results.models, marks, strict=True)]),
            left=[left.of(model) for model in results.models],
            silent=left.silent_models,
            turned=words.turned,
            shown=shown(results.models, len(rows), unheard=(one.model for one in left.silent)),
            these_variants=f"all {words.count(len(rows))} variants" if partly else "these variants",
            published=published,
            dataset=dataset,
            runs=runs,
            observers=observers(results, insights, published, rows),
            people=PEOPLE,
            beyond=beyond(rows),
            outcomes=OUTCOMES,
            genres=tables.genre_rows(dataset),
            by_genre=tables.group_rows(results.models, "genre", lambda key: words.visible(str(key)), "genre"),
            by_length=tables.group_rows(results.models, "length", _length, "length"),
            by_size=tables.group_rows(results.models, "size", _size, "size"),
            noticed=tables.group_rows(results.models, "size", _size, "size", figure=tables.said_shifted),
            by_overlap=tables.group_rows(results.models, "overlap", _overlap, "overlap")[::-1],
            by_language=tables.group_rows(results.models, "language", lambda key: words.visible(str(key)), "language"),
            by_sign=tables.group_rows(results.models, "sign", str, "label"),
            scores=score_tables.score_rows(results),
            pairs=score_tables.pair_rows(results),
            by_question=question_table(results),
            by_place=place_rows(results),
            cite=citation(),
            human_limits=HUMAN_LIMITS,
            **insight_values(results, insights, charts),
            confusions=[tables.confusion_rows(model) for model in results.models],
            exactness=tables.exactness(dataset),
            refused=[source for source in dataset.sources if source.status == "refused"],
            shortened=[one for one in dataset.sources if one.status != "refused" and one.refused_lengths],
        )
    )


def content_security_policy(scripts: Iterable[str]) -> str:
    """Nothing may run or load but these very scripts, the page's own style, and clips that lie beside it."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; media-src 'self' file:; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def data_block(value: object) -> Markup:
    """JSON that cannot end the script element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("offbeat.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=words.percent,
        place=_place,
        interval=words.interval,
        count=words.count,
        delay=words.delay,
        seconds=words.seconds,
        signed_ms=words.signed_ms,
        whole_ms=words.whole_ms,
        visible=words.visible,
        breakable=_breakable,
        json=_shown,
    )
    return environment


def _breakable(name: str) -> Markup:
    """A name, `openai:Qwen/Qwen2.5-Omni-7B`, that goes on in the next line after its punctuation, not within a word."""
    return Markup("<wbr>").join(re.split(r"(?<=[:/_])", words.visible(name)))


def _first_alike(items: Sequence[object]) -> list[int]:
    """For each item the number of the first that is equal to it."""
    return [items.index(item) for item in items]


def _place(share: float) -> str:
    """Where a share lies on the scale of a row, whose ends are 0 and 100 %."""
    return f"{100 * share:.2f}%"


def _shown(value: object) -> str:
    return words.visible(json.dumps(value, ensure_ascii=False, indent=1 if isinstance(value, dict) else None))


def _length(key: str | float) -> str:
    return f"{words.seconds(float(key))} s"


def _size(key: str | float) -> str:
    return "0" if key == 0 else f"±{words.seconds(float(key) / 1000)} s"


def _overlap(key: str | float) -> str:
    return "picture and sound share a moment" if key == "some" else "they share none: |delay| ≥ length"


def _static(name: str) -> str:
    return files("offbeat.report").joinpath("static", name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
