"""The demo goes on with what is there, if it is of the same scenes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from offbeat.dataset.workers import Lost
from offbeat.demo import run_demo, synthesise
from offbeat.errors import MediaError, SettingsError


class Began(Exception):
    """The demo has begun with its work."""


def beginning(stage: str, steps: int) -> AbstractContextManager[None]:
    raise Began(stage, steps)


def begin(out: Path, *, takes: int, seed: int) -> None:
    with pytest.raises(Began):
        run_demo(out, takes=takes, seed=seed, jobs=1, progress=beginning)


@pytest.mark.parametrize(("takes", "seed"), [(1, 0), (3, 0), (2, 5)])
def test_other_scenes_are_refused_before_any_work_however_far_the_first_came(
    takes: int, seed: int, tmp_path: Path
) -> None:
    begin(tmp_path / "demo", takes=2, seed=0)
    with pytest.raises(SettingsError, match=r"demo: holds a demo of --takes 2 --seed 0; "):
        run_demo(tmp_path / "demo", takes=takes, seed=seed, jobs=1, progress=beginning)
    begin(tmp_path / "demo", takes=2, seed=0)


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"demo: cannot be written to \(Not a directory\); choose another --out"):
        run_demo(tmp_path / "file" / "demo", takes=1, seed=0, jobs=1, progress=beginning)


def test_a_scene_whose_child_is_lost_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Losing:
        def __init__(self, jobs: int) -> None: ...

        def __enter__(self) -> Losing:
            return self

        def __exit__(self, *_: object) -> None: ...

        def map(self, function: object, items: list[object], *, advance: object) -> list[Lost | None]:
            return [None] * (len(items) - 1) + [Lost("out_of_memory", "more memory would be needed")]

    monkeypatch.setattr("offbeat.demo.Children", Losing)
    with pytest.raises(MediaError, match=r"_1\.mp4: could not be synthesised: more memory would be needed"):
        synthesise(tmp_path, takes=1, seed=0, jobs=1, advance=lambda: None)
