"""From run folders to a folder that shows them: ``index.html``, ``results.json``, ``paper`` and the clips.

The folder is whole in itself: clips are hard-linked into it (copied where that is not possible), so that it takes no
room twice, and can be moved, served, or opened from the file system without a network. Those of a compact dataset are
rendered into it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offbeat.analysis.intervals import DRAWS
from offbeat.dataset.curves import read_curves
from offbeat.dataset.folder import CLIPS, Dataset, open_dataset
from offbeat.errors import DatasetError, MediaError, RunError, SettingsError
from offbeat.evaluation.answer import Answer
from offbeat.evaluation.run_folder import Run, open_run
from offbeat.files import write_whole
from offbeat.report.browser import browser_data
from offbeat.report.insight import Insight, look_into
from offbeat.report.left_open import left_open
from offbeat.report.observers import observers
from offbeat.report.page import render_page
from offbeat.report.paper.figures import Spec, figure_specs
from offbeat.report.paper.write import FOLDER as PAPER
from offbeat.report.paper.write import write_paper
from offbeat.report.published import load_published
from offbeat.report.results import compute_results
from offbeat.report.results_json import results_json
from offbeat.report.values import Results

PAGE = "index.html"
RESULTS = "results.json"
TITLE = "Sound against picture"

Step = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Material:
    """What a report is made of: runs over one dataset."""

    dataset: Dataset
    runs: tuple[Run, ...]

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Those of all runs."""
        return tuple(answer for run in self.runs for answer in run.answers)


@dataclass(frozen=True, slots=True)
class Built:
    """What was made.

    Attributes:
        page: index.html.
        results: the content of results.json.
        insights: thresholds and verdicts, by the models' names.
        missing_clips: `file_name` of variants whose clip the dataset folder no longer has; the page says so.
    """

    page: Path
    results: dict[str, Any]
    insights: Mapping[str, Insight]
    missing_clips: tuple[str, ...]


def build_report(
    run_folders: Sequence[Path],
    *,
    out: Path,
    dataset_folder: Path | None = None,
    title: str = TITLE,
    draws: int = DRAWS,
    seed: int = 0,
) -> Path:
    """Make a report of one or several runs over one dataset.

    Args:
        run_folders: made by `offbeat run`.
        out: a new folder, or one that holds an earlier report.
        dataset_folder: where the dataset lies now, if not where the runs expect it.
        title: of the page.
        draws: how often the sources are drawn for the intervals.
        seed: of these draws.

    Returns:
        The page.

    Raises:
        RunError: a folder is no run, or the runs do not fit together.
        DatasetError: the dataset is not there, or has changed since.
        SettingsError: `out` holds something else.
    """
    material = open_material(run_folders, dataset_folder=dataset_folder)
    results = compute_results(material.dataset, material.answers, draws=draws, seed=seed)
    return write_report(material, results, out=out, title=title).page


def open_material(run_folders: Sequence[Path], *, dataset_folder: Path | None = None) -> Material:
    """Open runs and the dataset that all of them asked about.

    Raises:
        RunError: no runs, or runs over different datasets, or one without answers.
        DatasetError: the dataset is not there, or has changed since the run.
    """
    if not run_folders:
        raise RunError("no run was named; a report needs one or more folders made by `offbeat run`")
    runs = tuple(open_run(folder) for folder in run_folders)
    for run in runs[1:]:
        if run.dataset_fingerprint != runs[0].dataset_fingerprint:
            raise RunError(
                f"{runs[0].folder} and {run.folder} asked about different datasets ({runs[0].dataset_folder} and "
                f"{run.dataset_folder}); make a report of each"
            )
    if not any(run.answers for run in runs):
        raise RunError(f"{runs[0].folder}: no answers yet; `offbeat status {runs[0].folder}` says why")
    dataset = open_dataset(dataset_folder or runs[0].dataset_folder)
    if dataset.fingerprint != runs[0].dataset_fingerprint:
        raise DatasetError(
            f"{dataset.folder}: not the dataset of {runs[0].folder}: its manifest has the fingerprint "
            f"{dataset.fingerprint[:12]}, expected {runs[0].dataset_fingerprint[:12]}; name the right one (--dataset)"
        )
    return Material(dataset=dataset, runs=runs)


def write_report(
    material: Material,
    results: Results,
    *,
    out: Path,
    title: str = TITLE,
    advance: Step = lambda: None,
) -> Built:
    """Write the folder.

    Args:
        material: what was asked and answered.
        results: its figures.
        out: a new folder, or one that holds an earlier report.
        title: of the page.
        advance: called once for each clip that is put in its place.

    Raises:
        SettingsError: `out` holds something else, or is the dataset itself.
        DatasetError: a clip leads out of the dataset folder.
    """
    dataset = material.dataset
    _claim(out, dataset)
    missing = tuple(_place_clips(dataset, out, advance))
    published = load_published()
    runs = [
        {
            "folder": run.folder.resolve().name,
            "settings": dict(run.settings),
            "spent_usd": sum(run.spent_by_model.values()),
            "spent_by_model": dict(run.spent_by_model),
        }
        for run in material.runs
    ]
    insights = look_into(dataset, material.answers, results, runs)
    left = left_open(dataset, [run.settings for run in material.runs], material.answers)
    told = results_json(results, dataset, published, runs, insights, left=left)
    write_paper(out, results, dataset, runs, left=left)
    browser = browser_data(
        dataset,
        material.answers,
        order=[model.name for model in results.models],
        missing=set(missing),
        curves=read_curves(dataset.folder),
    )
    write_whole(out / RESULTS, json.dumps(told, indent=1, allow_nan=False) + "\n")
    page = render_page(results, dataset, published, browser, insights, title=title, runs=runs, left=left)
    write_whole(out / PAGE, page)
    return Built(page=out / PAGE, results=told, insights=insights, missing_clips=missing)


def figures_of(material: Material, results: Results, built: Built) -> dict[str, Spec]:
    """The charts of a report as figures for a paper, by the name of their file; `write_figures` draws them."""
    rows = [variant.row for variant in material.dataset.variants]
    return figure_specs(results, built.insights, observers(results, built.insights, load_published(), rows))


def _claim(out: Path, dataset: Dataset) -> None:
    if out.resolve() == dataset.folder.resolve():
        raise SettingsError(f"--out {out}: that is the dataset's own folder; choose a new one")
    if out.exists() and not out.is_dir():
        raise SettingsError(f"--out {out}: there is a file of that name; choose a new folder")
    there = {path.name for path in out.iterdir()} if out.is_dir() else set[str]()
    begun = there <= {CLIPS, PAPER, RESULTS, PAGE}  # a report that was interrupted is gone on with
    if there and not begun and not ((out / PAGE).is_file() and (out / RESULTS).is_file()):
        raise SettingsError(f"--out {out}: holds other files and no earlier report; choose a new or empty folder")
    out.mkdir(parents=True, exist_ok=True)


def _place_clips(dataset: Dataset, out: Path, advance: Step) -> list[str]:
    """Put every clip into the report's folder; those that the dataset no longer has, or has damaged, are named."""
    missing: list[str] = []
    for variant in dataset.variants:
        try:
            variant.write_to(out / variant.row.file_name)
        except MediaError:
            missing.append(variant.row.file_name)
        advance()
    return missing
