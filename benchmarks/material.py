"""Real material for the benchmarks, from the clips beside the repository; benchmarks stop where they are absent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg

SHARED_MEDIA = Path(__file__).resolve().parents[2] / "shared" / "media"
CLIPS_720P = (
    "cooking_01_chopping.mp4",
    "events_02_rifle_field.mp4",
    "instrument_15_drums_gt.mp4",
    "objects_07_hair_clipper.mp4",
    "speech_en_03_interview_split.mp4",
    "animation_02_bbb_13s.mp4",
)
SECONDS = 120


def ffmpeg(*arguments: object) -> None:
    """Run the ffmpeg command of the imageio-ffmpeg package."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True)


def shared_media() -> Path:
    """The folder of real clips, or the end of the benchmark."""
    if not SHARED_MEDIA.is_dir():
        sys.exit(f"this benchmark needs the real clips at {SHARED_MEDIA}")
    return SHARED_MEDIA


def joined_720p(folder: Path) -> Path:
    """Two minutes of 1280x720 at 30 frames/s, H.264 at 2.4 Mbit/s and AAC at 44.1 kHz, joined from real clips."""
    folder.mkdir(parents=True)
    inputs: list[object] = []
    chains: list[str] = []
    for number, name in enumerate(CLIPS_720P):
        inputs += ["-i", shared_media() / name]
        chains.append(f"[{number}:v]fps=30,scale=1280:720,setsar=1,format=yuv420p[v{number}];")
        chains.append(f"[{number}:a]aformat=sample_rates=44100:channel_layouts=stereo[a{number}];")
    pairs = "".join(f"[v{number}][a{number}]" for number in range(len(CLIPS_720P)))
    graph = "".join(chains) + f"{pairs}concat=n={len(CLIPS_720P)}:v=1:a=1[v][a]"
    once = folder.parent / "once.mp4"
    codecs = ("-c:v", "libx264", "-preset", "veryfast", "-b:v", "2400k", "-c:a", "aac")
    ffmpeg(*inputs, "-filter_complex", graph, "-map", "[v]", "-map", "[a]", *codecs, once)
    source = folder / "joined.mp4"
    ffmpeg("-stream_loop", -1, "-i", once, "-t", SECONDS, "-c", "copy", source)
    return source
