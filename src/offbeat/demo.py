"""The whole way in two minutes, with nothing but what is installed: scenes, clips, models, a report.

The scenes are synthesised, so that their truth is known; the models are references and the detector `signal`, so that
neither a key nor a graphics card is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from offbeat.dataset.build import build_dataset, plan_dataset
from offbeat.dataset.folder import Dataset, open_dataset
from offbeat.dataset.offer import scan_sources
from offbeat.dataset.settings import BuildSettings
from offbeat.dataset.sources import read_sources
from offbeat.dataset.workers import Children
from offbeat.errors import MediaError, SettingsError
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.files import whole_file, write_whole
from offbeat.media.synth import SCENES, render_scene, write_scene
from offbeat.models.registry import make_model
from offbeat.report.build import open_material, write_report
from offbeat.report.results import compute_results
from offbeat.report.values import Results

MODELS = ("oracle", "signal", "random", "always:sync")
LENGTHS_S = (Fraction(3), Fraction(5))
SCENE_S = Fraction(17)
"""Room for 5 s with 5 s on either side, and for some choice of the window."""
NOTE = "demo.txt"
"""Of which scenes the folder is."""
TITLE = "Offbeat demo: synthesised scenes"

Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
"""Shows one stage: its name and number of steps to a context that gives out what to call at each step."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo made.

    Attributes:
        page: of the report.
        dataset: the shifted clips.
        results: the figures.
    """

    page: Path
    dataset: Dataset
    results: Results


def run_demo(out: Path, *, takes: int, seed: int, jobs: int, progress: Progress) -> Demo:
    """Synthesise, build, ask, report; below `out` in the folders scenes, set, run and report.

    What is there already is kept, so an interrupted demo goes on.

    Args:
        out: a folder, made if need be.
        takes: of each kind of scene.
        seed: of scenes, windows and the random model.
        jobs: how many things at once.
        progress: shows each stage.

    Raises:
        SettingsError: `out` holds a demo of other scenes, or cannot be written to.
    """
    _see_same_scenes(out, takes=takes, seed=seed)
    settings = BuildSettings(lengths_s=LENGTHS_S, seed=seed)
    scenes = out / "scenes"
    with progress("synthesising scenes", len(SCENES) * takes) as advance:
        synthesise(scenes, takes=takes, seed=seed, jobs=jobs, advance=advance)
    sources = read_sources(scenes)
    with progress("scanning", len(sources)) as advance:
        planned = plan_dataset(scan_sources(sources, jobs=jobs, advance=advance), settings)
    with progress("building clips", sum(len(one.plan.clips) for one in planned)) as advance:
        build_dataset(planned, settings, out=out / "set", jobs=jobs, advance=advance)
    dataset = open_dataset(out / "set")
    models = [make_model(spec, seed=seed) for spec in MODELS]
    with progress("asking models", len(models) * len(dataset.variants)) as advance:
        run_models(dataset, models, out=out / "run", terms=Terms(jobs=jobs), on_progress=lambda _: advance())
    material = open_material([out / "run"])
    with progress("scoring", len(models)) as advance:
        results = compute_results(dataset, material.answers, advance=advance)
    with progress("writing the report", len(dataset.variants)) as advance:
        built = write_report(material, results, out=out / "report", title=TITLE, advance=advance)
    return Demo(page=built.page, dataset=dataset, results=results)


def _see_same_scenes(out: Path, *, takes: int, seed: int) -> None:
    """Note of which scenes this is, or see that those there are the same: files do not tell of which seed they are."""
    asked, note = f"--takes {takes} --seed {seed}", out / NOTE
    if not note.is_file():
        try:
            out.mkdir(parents=True, exist_ok=True)
            write_whole(note, f"{asked}\n")
        except OSError as error:
            raise SettingsError(f"{out}: cannot be written to ({error.strerror}); choose another --out") from error
    elif (there := note.read_text(encoding="utf-8").strip()) != asked:
        raise SettingsError(
            f"{out}: holds a demo of {there}; ask for the same, choose another --out, or delete that folder"
        )


def synthesise(folder: Path, *, takes: int, seed: int, jobs: int, advance: Callable[[], None]) -> None:
    """Write `takes` of each kind of scene, in a sub-folder for each genre; those that are there are kept.

    Raises:
        MediaError: one could not be made.
    """
    scenes = [
        (folder / kind.genre / f"{name}_{take}.mp4", name, seed * 1000 + take)
        for take in range(1, takes + 1)
        for name, kind in SCENES.items()
    ]
    with Children(jobs) as workers:
        made = workers.map(_synthesise_one, scenes, advance=advance)
    for (path, _, _), lost in zip(scenes, made, strict=True):
        if lost is not None:
            raise MediaError(f"{path}: could not be synthesised: {lost.detail}", reason=lost.reason)


def _synthesise_one(scene: tuple[Path, str, int]) -> None:
    path, name, seed = scene
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        write_scene(temporary, render_scene(name, length_s=SCENE_S, seed=seed))
