"""Small builds for tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from offbeat.dataset.build import Built, build_dataset, plan_dataset
from offbeat.dataset.folder import Dataset, open_dataset
from offbeat.dataset.offer import scan_sources
from offbeat.dataset.settings import BuildSettings
from offbeat.dataset.sources import read_sources
from offbeat.media.synth.testcard import TestCard, make_testcard, write_testcard


def card_file(
    path: Path,
    *,
    length_s: int = 12,
    rate_hz: int = 48_000,
    fps: Fraction = Fraction(30),
    seed: int = 1,
    size: int = 160,
) -> TestCard:
    """Write a small test card; `.mkv` without loss, `.mp4` as H.264 and AAC."""
    card = make_testcard(
        length_s=Fraction(length_s), rate_hz=rate_hz, fps=fps, seed=seed, width=size, height=size * 9 // 16
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_testcard(path, card, codec="lossless" if path.suffix == ".mkv" else "h264")
    return card


def settings(**changes: object) -> BuildSettings:
    """Two-second clips with five delays of up to 2 s."""
    values: dict[str, object] = {"lengths_s": (2,), "delays_s": (-2, -0.5, 0, 0.5, 2)}
    return BuildSettings.model_validate(values | changes)


def build(sources: Path, out: Path, chosen: BuildSettings, *, jobs: int = 2) -> tuple[Built, Dataset]:
    """Scan, plan, build, open."""
    planned = plan_dataset(
        scan_sources(read_sources(sources), jobs=jobs, advance=lambda: None, audio_track=chosen.audio_track), chosen
    )
    built = build_dataset(planned, chosen, out=out, jobs=jobs, advance=lambda: None)
    return built, open_dataset(out)


def killed_at_work(command: Sequence[str], folder: Path, *, writes: int, then_s: float) -> bool:
    """Run a command and kill it so long after it has written so many files into `folder`; False if it ended first."""
    before = _files(folder)
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None and len(_files(folder) - before) < writes:
        time.sleep(0.002)
    time.sleep(then_s)
    ended = child.poll() is not None
    child.kill()
    child.wait()
    return not ended


def killed_in_the_act(command: Sequence[str], folder: Path, *, writes: int) -> bool:
    """Run a command, and kill it with all its children the moment that so many new names stand in `folder`."""
    before = _names(folder)
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while child.poll() is None and len(_names(folder) - before) < writes:
        time.sleep(0.0002)
    if child.poll() is not None:
        return False
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    return True


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a dataset, the records of its clips too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def check_records(folder: Path) -> None:
    """No record of a finished clip may name what is not there."""
    for path in folder.glob(".build/*.json"):
        record = json.loads(path.read_text())
        names = [row["file_name"] for row in record["rows"]]
        if record["kept"]:
            names = [f"{media}/{record['kept']['clip_id']}.mp4" for media in ("pictures", "sound")]
        lost = [name for name in names if not (folder / name).is_file()]
        assert not lost, f"{path.name} names what is not there: {lost}"


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()


def _files(folder: Path) -> set[tuple[str, int, int]]:
    found: set[tuple[str, int, int]] = set()
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            found.add((path.name, path.stat().st_ino, path.stat().st_mtime_ns))
    return found
