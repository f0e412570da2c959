"""The demo goes on with what is there, if it is of the same scenes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from offbeat.dataset.folder import INFO
from offbeat.dataset.schema import FORMAT_VERSION, DatasetInfo
from offbeat.dataset.workers import Lost
from offbeat.demo import run_demo, synthesise
from offbeat.errors import MediaError, SettingsError
from offbeat.media.synth import SCENES


class Began(Exception):
    """The demo has begun with its work."""


def beginning(stage: str, steps: int) -> AbstractContextManager[None]:
    raise Began(stage, steps)


@pytest.mark.parametrize(
    ("takes", "seed", "complete", "error"),
    [
        (2, 0, True, Began),
        (1, 0, True, SettingsError),
        (3, 0, True, SettingsError),
        (2, 5, True, SettingsError),
        (2, 5, False, SettingsError),
        (1, 0, False, Began),  # nobody can tell of how many scenes it was to be
    ],
)
def test_other_scenes_are_refused_before_any_work(
    takes: int, seed: int, complete: bool, error: type[Exception], tmp_path: Path
) -> None:
    info = DatasetInfo(
        format_version=FORMAT_VERSION,
        offbeat_version="0",
        av_version="0",
        ffmpeg_version="0",
        settings={"seed": 0},
        sources_used=2 * len(SCENES) if complete else 0,
        sources_refused=0,
        clips=0,
        variants=0,
        complete=complete,
    )
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / INFO).write_text(info.model_dump_json(), encoding="utf-8")
    with pytest.raises(error) as raised:
        run_demo(tmp_path, takes=takes, seed=seed, jobs=1, progress=beginning)
    if error is SettingsError:
        assert f"{tmp_path}: holds a demo of --takes {2 if complete else takes} --seed 0; " in str(raised.value)


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
