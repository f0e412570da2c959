"""The folder ``paper`` of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from offbeat.dataset.folder import Dataset
from offbeat.files import write_whole
from offbeat.report.left_open import NOTHING_LEFT, Left
from offbeat.report.marks import mark_of
from offbeat.report.paper.citation import bibtex
from offbeat.report.paper.formats import as_csv, as_markdown
from offbeat.report.paper.latex import as_latex
from offbeat.report.paper.methods import methods
from offbeat.report.paper.tables import paper_tables
from offbeat.report.values import Results

FOLDER = "paper"
FORMATS = {"md": as_markdown, "tex": as_latex, "csv": as_csv}


def write_paper(
    out: Path, results: Results, dataset: Dataset, runs: Sequence[Mapping[str, Any]], *, left: Left = NOTHING_LEFT
) -> None:
    """Write tables, ``methods.md`` and ``references.bib`` into `out`/paper.

    Args:
        out: the folder of the report.
        results: the figures.
        dataset: what was asked about.
        runs: name and settings of each run.
        left: what was wanted and is not there.
    """
    folder = out / FOLDER
    folder.mkdir(exist_ok=True)
    texts = {"methods.md": methods(results, dataset, runs, left=left), "references.bib": bibtex()}
    unproven = {model.name for model in results.models if mark_of(model, runs) is not None}
    for table in paper_tables(results, unproven, left=left):
        texts |= {f"{table.name}.{suffix}": write(table) for suffix, write in FORMATS.items()}
    for name, text in texts.items():
        write_whole(folder / name, text)
    if not results.comparisons:
        for suffix in FORMATS:
            (folder / f"pairs.{suffix}").unlink(missing_ok=True)
