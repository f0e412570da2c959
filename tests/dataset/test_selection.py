"""Which windows become clips: random, eventful, or by a condition; always the same for a seed, and told why not."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from builds import build, settings
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from offbeat.cli.build import build as build_command
from offbeat.dataset.build import Planned, plan_dataset
from offbeat.dataset.folder import Dataset
from offbeat.dataset.offer import scan_sources
from offbeat.dataset.schema import VariantRow
from offbeat.dataset.settings import BuildSettings
from offbeat.dataset.sources import read_sources
from offbeat.errors import DatasetError, SettingsError
from offbeat.media.synth import write_movie
from offbeat.media.values import Sound

HZ = 48_000
FPS = 20
QUIET_S = 16
"""Nothing happens for so long, ..."""
LIVELY_S = 12
"""... and then a square jumps, with a click each time."""


def film(path: Path, *, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    count = (QUIET_S + LIVELY_S) * FPS
    images = np.full((count, 64, 96, 3), 90, np.uint8)
    sound = 0.004 * rng.standard_normal((1, (QUIET_S + LIVELY_S) * HZ))
    frame = QUIET_S * FPS
    while frame < count:
        pause = int(rng.integers(4, 12))
        top, left = int(rng.integers(0, 40)), int(rng.integers(0, 70))
        images[frame : frame + pause, top : top + 16, left : left + 16] = 230
        click = frame * HZ // FPS
        sound[:, click : click + 960] += 0.5 * rng.standard_normal(960) * np.exp(-np.arange(960) / 200)
        frame += pause
    path.parent.mkdir(parents=True, exist_ok=True)
    write_movie(path, images=images, fps=Fraction(FPS), sound=Sound(sound.astype(np.float32), HZ))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    film(folder / "one.mp4")
    film(folder / "two.mp4", seed=1)
    return folder


def choosing(select: str, **changes: object) -> BuildSettings:
    return settings(delays_s=(-1, 0, 1), select=select, **changes)


def planned(folder: Path, chosen: BuildSettings) -> list[Planned]:
    return plan_dataset(scan_sources(read_sources(folder), jobs=2, advance=lambda: None), chosen)


def unshifted(dataset: Dataset) -> list[VariantRow]:
    return [variant.row for variant in dataset.variants if variant.row.audio_delay_ms == 0]


def starts_s(dataset: Dataset) -> NDArray[np.float64]:
    return np.array([row.clip_start_s for row in unshifted(dataset)])


def test_random_is_the_first_candidate_of_all_rules(films: Path) -> None:
    random = [clip for one in planned(films, choosing("random", clips_per_source=3)) for clip in one.plan.clips]
    assert all(clip.alternatives == () for clip in random)
    for select, windows in (("eventful", 8), ("still", 20)):
        clips = [clip for one in planned(films, choosing(select, clips_per_source=3)) for clip in one.plan.clips]
        assert [clip.clip_id for clip in clips] == [clip.clip_id for clip in random]
        offered = [window.clip_id for clip in clips for window in (clip, *clip.alternatives)]
        assert len(offered) == len(set(offered)) == 6 * windows, "no window is offered to two clips"


def test_a_random_row_says_that_one_window_was_drawn(films: Path, tmp_path: Path) -> None:
    _, dataset = build(films, tmp_path / "set", choosing("random"))
    assert {variant.row.draws for variant in dataset.variants} == {1}
    assert dataset.info.settings["select"] == "random"


def test_eventful_goes_where_something_happens(films: Path, tmp_path: Path) -> None:
    chosen = choosing("eventful", clips_per_source=3)
    _, dataset = build(films, tmp_path / "set", chosen)
    clips = [clip for one in planned(films, chosen) for clip in one.plan.clips]
    rows = {row.clip_id: row for row in unshifted(dataset)}
    choices = 0
    for clip in clips:
        offered = [clip, *clip.alternatives]
        (row,) = [rows[window.clip_id] for window in offered if window.clip_id in rows]
        assert row.draws == 8
        if max(window.start_s for window in offered) > QUIET_S > min(window.start_s for window in offered):
            choices += 1
            assert row.clip_start_s > QUIET_S - 1
            assert (row.onset_density or 0) > 1
    assert choices >= 3


@pytest.mark.parametrize(
    ("select", "low_s", "high_s"),
    [
        ("onset_density >= 1 and motion > 0.02 and not still", QUIET_S - 1.5, QUIET_S + LIVELY_S),
        ("still", 0, QUIET_S - 1),
        ("onset_density < 1 and syncability > 0.99 or still", 0, QUIET_S),
    ],
)
def test_a_condition_holds_for_what_is_chosen(
    films: Path, tmp_path: Path, select: str, low_s: float, high_s: float
) -> None:
    _, dataset = build(films, tmp_path / "set", choosing(select, clips_per_source=2))
    assert len(starts_s(dataset)) == 4
    assert (starts_s(dataset) >= low_s).all()
    assert (starts_s(dataset) <= high_s).all()
    assert dataset.info.settings["select"] == select


def test_draws_count_the_windows_that_were_looked_at(films: Path, tmp_path: Path) -> None:
    chosen = choosing("onset_density >= 1")
    _, dataset = build(films, tmp_path / "set", chosen)
    for clip, row in zip([c for p in planned(films, chosen) for c in p.plan.clips], unshifted(dataset), strict=True):
        order = [window.clip_id for window in (clip, *clip.alternatives)]
        assert order.index(row.clip_id) == row.draws - 1


def test_the_choice_depends_on_the_seed_and_not_on_the_jobs(films: Path, tmp_path: Path) -> None:
    select = "motion > 0.01"
    one, _ = build(films, tmp_path / "one", choosing(select), jobs=1)
    two, _ = build(films, tmp_path / "two", choosing(select), jobs=3)
    assert one.variants == two.variants
    again, _ = build(films, tmp_path / "one", choosing(select), jobs=2)
    assert again.kept_clips == 2
    assert again.variants == one.variants
    other, _ = build(films, tmp_path / "other", choosing(select, seed=1))
    assert {row.clip_id for row in other.variants}.isdisjoint(row.clip_id for row in one.variants)


def test_what_no_window_satisfies_is_refused_with_how_near_it_came(films: Path, tmp_path: Path) -> None:
    chosen = choosing("silence_share >= 0 and onset_density > 9", lengths_s=(1,))
    with pytest.raises(DatasetError, match="none of the 2 sources can serve"):
        build(films, tmp_path / "set", chosen)
    records = [json.loads(path.read_text()) for path in (tmp_path / "set" / ".build").glob("*.json")]
    assert len(records) == 2
    texts = [f"{record['reason']}: {record['detail']}" for record in records]
    for text in texts:
        assert text.startswith(
            "not_selected: none of 20 windows satisfies 'silence_share >= 0 and onset_density > 9'; "
        )
        near = float(text.split("onset_density is ")[1].split(";")[0])
        assert near <= 9
        assert "fails at 'onset_density > 9'" in text
        assert text.endswith("; loosen --select")


def test_a_condition_on_periods_looks_at_all_delays(films: Path, tmp_path: Path) -> None:
    _, dataset = build(films, tmp_path / "set", choosing("periodicity < 0.3 and onset_density > 0.5"))
    for row in unshifted(dataset):
        others = [v.row.periodicity for v in dataset.variants if v.row.clip_id == row.clip_id and v.row.audio_delay_ms]
        assert all(value is not None and value < 0.3 for value in others)


# --- as it is typed ---------------------------------------------------------------------------------------------------


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(build_command, [str(argument) for argument in arguments], standalone_mode=False)


SHORT = ("--lengths", "2", "--max-delay", "1", "--step", "1")


def test_a_dry_run_says_that_a_rule_needs_decoding(films: Path) -> None:
    text = invoke(films, "--dry-run", *SHORT, "--select", "eventful").stdout
    assert "--select 'eventful' chooses while building, by decoding: up to 16 windows, 8 a clip at most." in text
    assert "by decoding" not in invoke(films, "--dry-run", *SHORT).stdout
    told = json.loads(invoke(films, "--dry-run", "--json", *SHORT, "--select", "not still").stdout)
    assert (told["windows"], len(told["clips"])) == (40, 2)


def test_a_condition_that_is_none_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    result = invoke(tmp_path / "absent", "--dry-run", "--select", "motion > 1 and loudness > 2")
    assert isinstance(result.exception, SettingsError)
    assert "select: at character 16: there is no flag 'loudness'; there are silence_share" in str(result.exception)
    for text in ("__import__('os')", "().__class__", ""):
        assert isinstance(invoke(tmp_path / "absent", "--dry-run", "--select", text).exception, SettingsError)


def test_a_settings_file_can_say_it(films: Path, tmp_path: Path) -> None:
    config = tmp_path / "build.toml"
    config.write_text('select = """\nstill\nand not scene_cut\n"""\nlengths_s = [2]\ndelays_s = [0]\n')
    told = json.loads(invoke(films, "--out", tmp_path / "set", "--config", config, "--json").stdout)
    assert told["settings"]["select"] == "still and not scene_cut"
    assert told["clips"] == 2
