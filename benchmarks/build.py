"""Building 21 variants of each of four 5-s clips of real 720p material, against one ffmpeg command a variant.

The source is 2 minutes, joined from real clips at 1280x720 (see `material.py`). The other way is what one would type:
for each variant `ffmpeg -ss T -t L -i S -ss T-delay -t L -i S -c:v libx264 -c:a aac`, with ffmpeg's default preset,
at the same windows. One of the 21 is run for each clip (`--all` runs them all) and scaled. Ours is the whole command
`offbeat build`, from the start of Python to the manifest: scan, cut, encode, write 84 files, read each back and measure
its delay.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from material import ffmpeg, joined_720p

LENGTH_S = 5
CLIPS = 4
DELAYS_S = [k / 2 for k in range(-10, 11)]


@dataclass(frozen=True, slots=True)
class Cost:
    """What the machine spent."""

    cpu_s: float
    wall_s: float


def cost_of(work: Callable[[], object]) -> Cost:
    """CPU of the child processes that `work` starts and waits for, and its wall time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    work()
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall_s)


def one_command_a_variant(source: Path, out: Path, starts_s: list[float], delays_s: list[float]) -> None:
    for start_s in starts_s:
        for delay_s in delays_s:
            ffmpeg(
                *("-ss", start_s, "-t", LENGTH_S, "-i", source, "-ss", start_s - delay_s, "-t", LENGTH_S, "-i", source),
                *("-map", "0:v:0", "-map", "1:a:0", "-c:v", "libx264", "-c:a", "aac", out / f"{start_s}_{delay_s}.mp4"),
            )


def offbeat_build(source: Path, *options: object) -> str:
    command = [sys.executable, "-m", "offbeat", "build", source.parent, "--lengths", LENGTH_S]
    command += ["--clips-per-source", CLIPS, "--json", *options]
    return subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="run all commands of the other way")
    delays_s = DELAYS_S if parser.parse_args().all else [-3.5]
    with tempfile.TemporaryDirectory() as folder:
        source = joined_720p(Path(folder) / "source")
        planned = json.loads(offbeat_build(source, "--dry-run"))
        starts_s = [clip["start_s"] for clip in planned["clips"]]
        other = cost_of(lambda: one_command_a_variant(source, Path(folder), starts_s, delays_s))
        scale = len(DELAYS_S) / len(delays_s)
        print(
            f"one command a variant ({len(delays_s)} of 21 run for each of {CLIPS} clips, scaled): "
            f"{other.cpu_s * scale:.1f} CPU s, {other.wall_s * scale:.1f} s wall"
        )
        for audio in ("aac", "flac"):
            out = Path(folder) / audio
            ours = cost_of(lambda audio=audio, out=out: offbeat_build(source, "--out", out, "--audio", audio))
            print(
                f"offbeat build --audio {audio}: {ours.cpu_s:.2f} CPU s, {ours.wall_s:.2f} s wall: "
                f"{other.cpu_s * scale / ours.cpu_s:.1f}x less CPU, {other.wall_s * scale / ours.wall_s:.1f}x less wall"
            )


if __name__ == "__main__":
    main()
