"""What a worker holds in memory, and what two of them gain, on 15 minutes of 1080p.

The source is a real clip, repeated without encoding. The children's highest resident size (VmHWM) and address space
(VmPeak) are read from /proc while `offbeat build` runs; the frames of one 10-s clip alone would take 0.9 GiB.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from material import ffmpeg, shared_media

CLIP = "sports_04_tennis_atp4.mp4"
SECONDS = 900
BOUND_MIB = 300


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "in"
        folder.mkdir()
        ffmpeg("-stream_loop", -1, "-i", shared_media() / CLIP, "-t", SECONDS, "-c", "copy", folder / "long.mp4")
        walls: dict[int, float] = {}
        for jobs in (1, 2):
            out = Path(name) / f"out{jobs}"
            began = time.perf_counter()
            resident, space = peaks([str(folder), "--out", str(out), "--clips-per-source", "2", "--jobs", str(jobs)])
            walls[jobs] = time.perf_counter() - began
            print(
                f"--jobs {jobs}: {walls[jobs]:.1f} s; a worker holds at most {resident:.0f} MiB, maps {space:.0f} MiB"
            )
            if resident > BOUND_MIB:
                sys.exit(f"more than {BOUND_MIB} MiB")
        print(f"two workers: {walls[1] / walls[2]:.2f}x one")


def peaks(arguments: list[str]) -> tuple[float, float]:
    """The highest resident size and address space of any child of the build, in MiB."""
    build = subprocess.Popen([sys.executable, "-m", "offbeat", "build", *arguments], stdout=subprocess.DEVNULL)
    resident = space = 0.0
    while build.poll() is None:
        for status in _children(build.pid):
            resident = max(resident, _mib(status, "VmHWM"))
            space = max(space, _mib(status, "VmPeak"))
        time.sleep(0.02)
    if build.returncode:
        sys.exit(f"the build ended with {build.returncode}")
    return resident, space


def _children(pid: int) -> Iterator[str]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(task).split():
            yield _read(Path(f"/proc/{child}/status"))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # it has just ended


def _mib(status: str, field: str) -> float:
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(f"{field}:")), 0.0)


if __name__ == "__main__":
    main()
