"""`offbeat build` as a user types it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from builds import card_file
from click.testing import CliRunner, Result

from offbeat.cli.build import build
from offbeat.errors import DatasetError, SettingsError, SourceListError
from offbeat.media.synth.testcard import make_testcard
from offbeat.media.synth.write import write_movie
from offbeat.media.values import Sound

SHORT = ("--lengths", "1,2", "--max-delay", "1")


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    card_file(folder / "speech" / "one.mp4", length_s=6)
    card_file(folder / "sports" / "short.mp4", length_s=3, seed=2)
    return folder


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(build, [str(argument) for argument in arguments], standalone_mode=False)


def test_a_dry_run_says_what_would_be_made_and_writes_nothing(videos: Path, tmp_path: Path) -> None:
    result = invoke(videos, "--dry-run", *SHORT)
    assert result.return_value == 0
    assert "speech/one.mp4: 1 s from" in result.stdout
    assert "sports/short.mp4 (1 s, 2 s): too_short: a 1-s clip with these delays needs 3.08 s" in result.stdout
    assert "2 clips, 10 variants, about" in result.stdout
    told = json.loads(invoke(videos, "--dry-run", "--json", *SHORT).stdout)
    assert [clip["length_s"] for clip in told["clips"]] == [1, 2]
    assert told["variants"] == 10
    assert {row["source"] for row in told["refused"]} == {"sports/short.mp4"}


def test_a_build_tells_what_it_made_and_what_it_left(videos: Path, tmp_path: Path) -> None:
    result = invoke(videos, "--out", tmp_path / "set", *SHORT)
    assert result.return_value == 0
    assert (
        "10 variants of 2 clips from 1 of 2 sources. Read back: 10 delays measured, error at most 0.0" in result.stdout
    )
    assert "building clips: 2 of 2" in result.stderr
    again = invoke(videos, "--out", tmp_path / "set", "--strict", "--json", *SHORT)
    assert again.return_value == 3, "--strict: not every source could be used"
    told = json.loads(again.stdout)
    assert (told["variants"], told["kept_clips"], told["complete"]) == (10, 2, True)


def test_delays_that_cannot_be_measured_are_told_of(tmp_path: Path) -> None:
    ticks = np.tile(np.eye(1, 12_000, dtype=np.float32), 24)  # four in a second
    ticks[0, 96_000:100_800] = np.random.default_rng(1).uniform(-0.5, 0.5, 4_800)  # which some variants have
    images = make_testcard(length_s=Fraction(6), width=160, height=90).frames()
    (tmp_path / "in").mkdir()
    write_movie(tmp_path / "in" / "ticks.mp4", images=images, fps=Fraction(30), sound=Sound(ticks, 48_000))
    result = invoke(tmp_path / "in", "--out", tmp_path / "set", "--lengths", "1", "--max-delay", "1")
    rows = [json.loads(line) for line in (tmp_path / "set" / "metadata.jsonl").read_text().splitlines()]
    untold = sum(row["measured_delay_ms"] is None for row in rows)
    assert 0 < untold < 5
    assert f"Read back: {5 - untold} delays measured, error at most 0.0" in result.stdout
    assert result.stdout.endswith(f"; {untold} too quiet or too repetitive to measure.\n")


def test_the_plan_is_what_is_built(videos: Path, tmp_path: Path) -> None:
    planned = json.loads(invoke(videos, "--dry-run", "--json", "--seed", 5, *SHORT).stdout)["clips"]
    invoke(videos, "--out", tmp_path / "set", "--seed", 5, *SHORT)
    rows = [json.loads(line) for line in (tmp_path / "set" / "metadata.jsonl").read_text().splitlines()]
    built = {row["clip_id"]: row["clip_start_s"] for row in rows}
    assert built == {clip["clip_id"]: pytest.approx(clip["start_s"], abs=1e-6) for clip in planned}


def test_a_settings_file_says_what_flags_say_and_flags_win(videos: Path, tmp_path: Path) -> None:
    config = tmp_path / "build.toml"
    config.write_text('lengths_s = [1]\ndelays_s = [-0.04, 0, "0.04"]\nseed = 9\naudio = "flac"\n')
    invoke(videos, "--out", tmp_path / "set", "--config", config, "--seed", 2)
    settings = json.loads((tmp_path / "set" / "dataset.json").read_text())["settings"]
    told = {"lengths_s": [1.0], "delays_s": [-0.04, 0.0, 0.04], "seed": 2, "audio": "flac"}
    assert settings == settings | told | {"clips_per_source": 1, "picture": "encode"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--delays", "0,1", "--max-delay", "2"), "cannot go with"),
        (("--lengths", "3,x"), "--lengths: not a time in seconds: 'x'"),
        (("--max-delay", "1,2"), "--max-delay: not a time in seconds: '1,2'"),
        (("--lengths", "0"), "settings: lengths_s: clip lengths must lie above 0 and at most 600 s, got [0.0]"),
        (("--max-delay", "1", "--step", "0.3"), "no whole number of steps"),
        (("--seed", "-1"), "seed"),
    ],
)
def test_nonsense_is_refused_before_any_work(arguments: tuple[str, ...], said: str, videos: Path) -> None:
    result = invoke(videos, "--dry-run", *arguments)
    assert isinstance(result.exception, SettingsError)
    assert said in str(result.exception)
    assert not str(result.exception).split(said)[1].startswith(", got")
    assert result.stderr == ""


def test_a_settings_file_with_a_typo_names_it(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("lengts_s = [1]\n")
    result = invoke(videos, "--dry-run", "--config", tmp_path / "x.toml")
    assert isinstance(result.exception, SettingsError)
    assert "x.toml: lengts_s: Extra inputs are not permitted" in str(result.exception)


def test_a_folder_that_is_taken_is_refused_before_the_sources_are_scanned(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    invoke(videos, "--out", tmp_path / "set", *SHORT)
    for out, said in [("taken", "holds 'thesis.txt' and no dataset.json"), ("set", "was made with settings")]:
        result = invoke(videos, "--out", tmp_path / out, "--lengths", "1", "--max-delay", "0.5")
        assert isinstance(result.exception, DatasetError)
        assert said in str(result.exception)
        assert result.stderr == ""


def test_a_name_does_not_act_upon_the_terminal_and_stands_there_once(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    for name in ("a\x1b[2J.mp4", "b\x1b[2J.mp4"):
        (tmp_path / "v" / name).write_bytes((videos / "speech" / "one.mp4").read_bytes())
    text = invoke(tmp_path / "v", "--dry-run", *SHORT).stdout
    assert "\x1b" not in text
    assert r"a\x1b[2J.mp4: 1 s from" in text
    assert r"  b\x1b[2J.mp4 (all): duplicate: the same content as a\x1b[2J.mp4; list it once" in text


def test_a_length_that_did_not_fit_a_used_source_is_told_to_machines(videos: Path, tmp_path: Path) -> None:
    told = json.loads(
        invoke(videos, "--out", tmp_path / "set", "--lengths", "1,5", "--max-delay", "0.5", "--json").stdout
    )
    assert told["refused"] == []
    assert told["refused_lengths"].keys() == {"speech/one.mp4", "sports/short.mp4"}
    assert told["refused_lengths"]["sports/short.mp4"]["5"].startswith("too_short")


def test_no_sources_and_a_folder_that_cannot_be_written(videos: Path, tmp_path: Path) -> None:
    assert isinstance(invoke(tmp_path / "nowhere", "--dry-run").exception, SourceListError)
    (tmp_path / "file").write_text("")
    result = invoke(videos, "--out", tmp_path / "file" / "set", *SHORT)
    assert isinstance(result.exception, DatasetError)
    assert "cannot be written to" in str(result.exception)
    assert result.stderr == "", "told before the sources are scanned"


def test_a_single_video_is_no_list(videos: Path) -> None:
    result = invoke(videos / "speech" / "one.mp4", "--dry-run")
    assert isinstance(result.exception, SourceListError)
    assert f"one.mp4: a single video; expected a folder of videos, such as {videos / 'speech'}" in str(result.exception)


def test_a_build_of_nothing_leaves_the_folder_free_for_other_settings(videos: Path, tmp_path: Path) -> None:
    result = invoke(videos, "--out", tmp_path / "set", "--lengths", "9")
    assert "none of the 2 sources can serve" in str(result.exception)
    assert not (tmp_path / "set").exists()
