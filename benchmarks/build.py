"""Building 21 variants of each of four 5-s clips of real 720p material, against one ffmpeg command a variant.

The source is 2 minutes, joined from real clips at 1280x720 (see `material.py`). Four clips pay as much for the start
of Python as four hundred, so `--sources 4 --clips 3` and the like tell what remains where there is more to do: sources
after the first are the same with their last seconds cut off. The other way is what one would type:
for each variant `ffmpeg -ss T -t L -i S -ss T-delay -t L -i S -c:v libx264 -c:a aac`, with ffmpeg's default preset,
at the same windows. One of the 21 is run for each clip (`--all` runs them all) and scaled. Ours is the whole command
`offbeat build`, from the start of Python to the manifest: scan, cut, encode or copy, write 84 files, read each back and
measure its delay; with all its child processes. The floor is `floor.py`: decode once, encode once, and nothing else;
as many at once as there are `--jobs`.

All figures of CPU hold on a busy machine as well, within some ten per cent; those of wall time do not, so the load is
printed. `--repeat` runs everything so often, in turns, and takes the lowest.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from material import SECONDS, ffmpeg, joined_720p

LENGTH_S = 5
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


@dataclass(frozen=True, slots=True)
class Clips:
    """What is built: a folder of sources, how many clips of each, and where they were drawn."""

    folder: Path
    per_source: int
    starts_s: dict[Path, list[float]]

    @property
    def count(self) -> int:
        """Of all sources together."""
        return sum(map(len, self.starts_s.values()))


def draw(folder: Path, per_source: int) -> Clips:
    """The windows that `offbeat build` draws."""
    drawn = Clips(folder, per_source, {})
    for clip in json.loads(offbeat_build(drawn, "--dry-run"))["clips"]:
        drawn.starts_s.setdefault(folder / clip["source"], []).append(clip["start_s"])
    return drawn


def one_command_a_variant(clips: Clips, out: Path, delays_s: list[float]) -> None:
    for source, start_s in ((source, start_s) for source, starts_s in clips.starts_s.items() for start_s in starts_s):
        for delay_s in delays_s:
            ffmpeg(
                *("-ss", start_s, "-t", LENGTH_S, "-i", source, "-ss", start_s - delay_s, "-t", LENGTH_S, "-i", source),
                *("-map", "0:v:0", "-map", "1:a:0", "-c:v", "libx264", "-c:a", "aac", out / f"{start_s}_{delay_s}.mp4"),
            )


def offbeat_build(clips: Clips, *options: object) -> str:
    command = [sys.executable, "-m", "offbeat", "build", clips.folder, "--lengths", LENGTH_S]
    command += ["--clips-per-source", clips.per_source, "--json", *options]
    return subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout


def floor_cpu_s(clips: Clips, audio: str, jobs: int) -> float:
    """One process a window, `jobs` at once: a core that shares memory and clock with a busy one takes longer."""

    def one(source: Path, start_s: float) -> float:
        command = [sys.executable, Path(__file__).with_name("floor.py"), source, start_s, LENGTH_S]
        command += [_joined(DELAYS_S), audio]
        return float(subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout)

    with ThreadPoolExecutor(jobs) as pool:
        windows = [(source, start_s) for source, starts_s in clips.starts_s.items() for start_s in starts_s]
        return sum(pool.map(lambda window: one(*window), windows))


def _joined(values: list[float]) -> str:
    return ",".join(map(str, values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="run all commands of the other way")
    parser.add_argument("--sources", type=int, default=1)
    parser.add_argument("--clips", type=int, default=4, help="of each source")
    parser.add_argument("--aac", action="store_true", help="measure encoded pictures with AAC alone")
    parser.add_argument("--copy", action="store_true", help="measure copied pictures alone")
    parser.add_argument("--repeat", type=int, default=1, help="take the lowest of so many")
    chosen = parser.parse_args()
    delays_s = DELAYS_S if chosen.all else [-3.5]
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as `offbeat` sets it for itself
    scale = len(DELAYS_S) / len(delays_s)
    ours: dict[tuple[str, str, int], list[Cost]] = {}
    others: list[Cost] = []
    floors: dict[tuple[str, int], list[float]] = {}
    runs = [(picture, audio, 2) for picture in ("encode", "copy") for audio in ("aac", "flac")] + [("encode", "aac", 1)]
    if chosen.aac:
        runs = [("encode", "aac", 1), ("encode", "aac", 2)]
    elif chosen.copy:
        runs = [("copy", audio, jobs) for audio in ("aac", "flac") for jobs in (1, 2)]
    with tempfile.TemporaryDirectory() as folder:
        source = joined_720p(Path(folder) / "source")
        for cut_s in range(1, chosen.sources):
            ffmpeg("-i", source, "-t", SECONDS - cut_s, "-c", "copy", source.with_stem(f"shorter-{cut_s}"))
        clips = draw(source.parent, chosen.clips)
        for turn in range(chosen.repeat):
            print(f"turn {turn + 1}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
            others.append(cost_of(lambda: one_command_a_variant(clips, Path(folder), delays_s)))
            for run in runs:
                out = Path(folder) / f"{turn}-{'-'.join(map(str, run))}"
                ours.setdefault(run, []).append(cost_of(lambda run=run, out=out: _build(clips, out, *run)))
                if run[0] == "encode":
                    floors.setdefault(run[1:], []).append(floor_cpu_s(clips, *run[1:]))
    other_cpu_s = scale * min(cost.cpu_s for cost in others)
    other_wall_s = scale * min(cost.wall_s for cost in others)
    print(f"lowest of {chosen.repeat}, load {os.getloadavg()[0]:.1f} at the end, {os.cpu_count()} cores")
    print(
        f"one command a variant ({len(delays_s)} of 21 run for each of {clips.count} clips of {chosen.sources} "
        f"sources, scaled): {other_cpu_s:.1f} CPU s, {other_wall_s:.1f} s wall"
    )
    for (picture, audio, jobs), costs in ours.items():
        cpu_s, wall_s = min(cost.cpu_s for cost in costs), min(cost.wall_s for cost in costs)
        line = (
            f"--picture {picture} --audio {audio} --jobs {jobs}: {cpu_s:.2f} CPU s, {wall_s:.2f} s wall: "
            f"{other_cpu_s / cpu_s:.1f}x less CPU, {other_wall_s / wall_s:.1f}x less wall"
        )
        if picture == "encode":
            floor_s = min(floors[audio, jobs])
            over_s = (cpu_s - floor_s) / clips.count
            line += f"; {cpu_s / floor_s:.2f}x the floor of {floor_s:.2f} CPU s, {over_s:.2f} CPU s a clip above it"
        print(line)
    picture = "copy" if chosen.copy else "encode"
    one, two = (min(cost.wall_s for cost in ours[picture, "aac", jobs]) for jobs in (1, 2))
    print(f"two workers: {one / two:.2f}x the speed of one, at the loads above")


def _build(clips: Clips, out: Path, picture: str, audio: str, jobs: int) -> None:
    offbeat_build(clips, "--out", out, "--picture", picture, "--audio", audio, "--jobs", jobs)
    rows = [json.loads(line) for line in (out / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    made = {row["picture"] for row in rows}
    if len(rows) != clips.count * len(DELAYS_S) or made != {"encoded" if picture == "encode" else "copied"}:
        sys.exit(f"{out}: {len(rows)} variants, pictures {made}: not what was to be measured")


if __name__ == "__main__":
    main()
