"""Readers that Offbeat did not write: what other people's programs get out of its files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def ffmpeg_sound(path: Path, *options: str, rate_hz: int = 48_000) -> NDArray[np.float32]:
    """Mono samples as the ffmpeg command decodes them; `options` stand before the input."""
    command = [FFMPEG, "-v", "error", *options, "-i", f"file:{path}", "-vn", "-ac", "1", "-ar", str(rate_hz)]
    done = subprocess.run([*command, "-f", "f32le", "-"], capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.float32)


def ffmpeg_frames(path: Path, *options: str) -> NDArray[np.uint8]:
    """All frames of the picture as the ffmpeg command decodes them, raw in their own format, one a row."""
    command = [FFMPEG, "-v", "error", *options, "-i", f"file:{path}", "-an", "-fps_mode", "passthrough"]
    sizes = subprocess.run([*command, "-f", "framehash", "-"], capture_output=True, check=True, text=True).stdout
    lines = [line for line in sizes.splitlines() if not line.startswith("#")]
    done = subprocess.run([*command, "-f", "rawvideo", "-"], capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(len(lines), -1)


def frame_digests(path: Path) -> list[str]:
    """A digest of all samples of each frame of the picture, as the ffmpeg command decodes them from the beginning."""
    command = [FFMPEG, "-v", "error", "-i", f"file:{path}", "-an", "-fps_mode", "passthrough", "-f", "framehash", "-"]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    return [line.rpartition(",")[2].strip() for line in lines if not line.startswith("#")]


def ffmpeg_times(path: Path) -> tuple[float, float]:
    """Duration and start in seconds, as the ffmpeg command prints them for the whole file."""
    done = subprocess.run([FFMPEG, "-i", f"file:{path}"], capture_output=True, text=True, check=False)
    found = re.search(r"Duration: (\d+):(\d+):([\d.]+), start: ([-\d.]+)", done.stderr)
    assert found is not None, done.stderr
    hours, minutes, seconds, start = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds), float(start)


def opencv_frames(path: Path) -> list[NDArray[np.uint8]]:
    """All frames as OpenCV decodes them, BGR."""
    capture = cv2.VideoCapture(str(path))
    frames: list[NDArray[np.uint8]] = []
    while True:
        there, frame = capture.read()
        if not there:
            capture.release()
            return frames
        frames.append(np.asarray(frame, dtype=np.uint8))


def lag_samples(heard: NDArray[np.float32], expected: NDArray[np.float32], *, finer: int = 8) -> float:
    """How many samples later `heard` is than `expected`, to 1/`finer` sample, by the zero-padded cross-spectrum."""
    size = 1 << int(np.ceil(np.log2(len(heard) + len(expected))))
    cross = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(expected, size))
    padded = np.zeros(size * finer // 2 + 1, complex)
    padded[: len(cross)] = cross
    correlation = np.fft.irfft(padded, size * finer)
    peak = int(np.argmax(correlation))
    return (peak if peak < size * finer / 2 else peak - size * finer) / finer
