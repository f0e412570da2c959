"""What the compact layout saves, and what rendering a variant on demand costs, on 5-s clips of real 720p material.

The source is 2 minutes, joined from real clips at 1280x720 (see `material.py`): four clips, 21 delays each, once in
either layout and with either codec. All that a dataset needs is counted, the manifest too; only the records by which a
build goes on are not. CPU time is that of this process for `Variant.mp4_bytes()`: the first variant of a clip, which
reads and checks its picture and sound, and the 20 others, clip by clip as a run asks for them. What else one would do
with a kept picture and a kept sound is `ffmpeg -i picture -ss T -t L -i sound -c:v copy -c:a aac` for each.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from build import cost_of
from material import ffmpeg, joined_720p

from offbeat.dataset.compact import material_of
from offbeat.dataset.folder import Dataset, open_dataset
from offbeat.media.write import AUDIO_HZ

LENGTH_S = 5
CLIPS = 4


def built(source: Path, out: Path, *, layout: str, audio: str) -> Dataset:
    command = [sys.executable, "-m", "offbeat", "build", source.parent, "--out", out, "--layout", layout]
    command += ["--audio", audio, "--lengths", LENGTH_S, "--clips-per-source", CLIPS, "--json"]
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    return open_dataset(out)


def size_bytes(folder: Path) -> int:
    paths = (path for path in folder.rglob("*") if path.is_file() and ".build" not in path.parts)
    return sum(path.stat().st_size for path in paths)


def cpu_ms(dataset: Dataset) -> tuple[float, list[float]]:
    """Of the first variant of a clip, the median over clips; and of each of the others."""
    firsts: list[float] = []
    others: list[float] = []
    material_of.cache_clear()
    seen: set[str] = set()
    for variant in dataset.variants:
        began = time.process_time()
        variant.mp4_bytes()
        took_ms = (time.process_time() - began) * 1000
        (others if variant.row.clip_id in seen else firsts).append(took_ms)
        seen.add(variant.row.clip_id)
    return statistics.median(firsts), others


def one_command_each(dataset: Dataset, out: Path) -> None:
    for variant in dataset.variants[:CLIPS]:
        clip = variant.clip
        if clip is None:
            sys.exit(f"{dataset.folder} is not compact")
        picture, sound = (dataset.folder / name for name in clip.files())
        skipped_s = (clip.heard_from_samples[variant.row.variant_id] - clip.sound.start_samples) / AUDIO_HZ
        ffmpeg(
            *("-i", picture, "-ss", skipped_s, "-t", LENGTH_S, "-i", sound, "-map", "0:v:0", "-map", "1:a:0"),
            *("-c:v", "copy", "-c:a", clip.audio, out / f"{variant.row.variant_id}.mp4"),
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = joined_720p(folder / "source")
        for audio in ("aac", "flac"):
            files = built(source, folder / f"{audio}-files", layout="files", audio=audio)
            compact = built(source, folder / f"{audio}-compact", layout="compact", audio=audio)
            sizes = [size_bytes(dataset.folder) / 1e6 for dataset in (files, compact)]
            print(f"{audio}: files {sizes[0]:.1f} MB, compact {sizes[1]:.1f} MB: {sizes[0] / sizes[1]:.1f}x smaller")
            same = sum(
                a.path.read_bytes() == b.mp4_bytes() for a, b in zip(files.variants, compact.variants, strict=True)
            )
            print(f"{audio}: {same} of {len(files.variants)} variants rendered with the bytes of the files")
            first_ms, others_ms = cpu_ms(compact)
            theirs_ms = cost_of(lambda one=compact: one_command_each(one, folder)).cpu_s * 1000 / CLIPS
            print(
                f"{audio}: mp4_bytes {statistics.median(others_ms):.1f} CPU ms (worst {max(others_ms):.1f}), the first "
                f"of a clip {first_ms:.1f}; one ffmpeg command {theirs_ms:.1f}: "
                f"{theirs_ms / statistics.median(others_ms):.1f}x less CPU"
            )


if __name__ == "__main__":
    main()
