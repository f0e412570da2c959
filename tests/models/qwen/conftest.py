"""Tiny checkpoints, made once a session, and a clip of noise and moving stripes under several delays."""

import importlib.util
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from offbeat.dataset.schema import VariantRow
from offbeat.dataset.variant import Variant
from offbeat.models.base import Prompt
from offbeat.timing import label_of

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

NEEDS_TORCH = "needs torch: make test-qwen"
RATE_HZ = 48_000


def _made(write, tmp_path_factory, name: str) -> Path:
    pytest.importorskip("torch", reason=NEEDS_TORCH)
    pytest.importorskip("transformers", reason=NEEDS_TORCH)
    return write(tmp_path_factory.mktemp("checkpoint") / name)


@pytest.fixture(scope="session")
def qwen25(tmp_path_factory) -> Path:
    from checkpoints import write_qwen25

    return _made(write_qwen25, tmp_path_factory, "qwen25")


@pytest.fixture(scope="session")
def qwen3(tmp_path_factory) -> Path:
    from checkpoints import write_qwen3

    return _made(write_qwen3, tmp_path_factory, "qwen3")


@pytest.fixture(params=["qwen25", "qwen3"])
def checkpoint(request) -> Path:
    """Either generation."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Models this small are slower with more, and test files run side by side."""
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def prompt() -> Prompt:
    text = "You will watch a video with audio.\nReply with ONLY ONE word:\nsync\nahead\nbehind"
    return Prompt(text=text, options=("sync", "ahead", "behind"))


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Makes the variants of a clip."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "clips").mkdir()
    made: dict[tuple, list[Variant]] = {}

    def variants(length_s: float = 3, delays_s: tuple[float, ...] = (-0.5, 0.0, 0.5), seed: int = 0) -> list[Variant]:
        key = (length_s, delays_s, seed)
        if key not in made:
            made[key] = [
                _write(folder, length_s, delay_s, seed, len(made) * 100 + n) for n, delay_s in enumerate(delays_s)
            ]
        return made[key]

    return variants


def _write(folder: Path, length_s: float, delay_s: float, seed: int, number: int) -> Variant:
    name = f"clips/v{number}.mp4"
    write_clip(folder / name, length_s=length_s, delay_s=delay_s, seed=seed)
    row = VariantRow(
        file_name=name,
        variant_id=f"v{number}",
        clip_id=f"c{length_s}-{seed}",
        source_id="s0",
        genre="speech",
        language=None,
        condition="delay",
        audio_delay_ms=delay_s * 1000,
        label=label_of(delay_s),
        clip_start_s=0,
        clip_length_s=length_s,
        overlap_s=max(0, length_s - abs(delay_s)),
        fps=25,
        width=96,
        height=64,
        audio_hz=RATE_HZ,
        measured_delay_ms=None,
        sha256="0" * 64,
    )
    return Variant(row=row, folder=folder)


def write_clip(
    path: Path, *, length_s: float, delay_s: float = 0.0, seed: int = 0, sound_s: float | None = None
) -> None:
    """Stripes that move, and bursts of noise of the same source at each delay; FLAC, so that every sample counts."""
    chance = np.random.default_rng(seed)
    span = round((length_s + 20) * RATE_HZ)
    loud = np.repeat(chance.random(span // 4800 + 1) > 0.6, 4800)[:span]
    source = (0.3 * loud * chance.standard_normal(span)).clip(-1, 1).astype(np.float32)
    start = round((10 - delay_s) * RATE_HZ)
    samples = source[start : start + round((length_s if sound_s is None else sound_s) * RATE_HZ)]
    with av.open(str(path), "w") as output:
        picture = output.add_stream("libx264", rate=25, options={"x264-params": "mbtree=0"})
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuv420p"
        picture.codec_context.thread_count = 1  # one picture for all delays, to the last bit
        track = output.add_stream("flac", rate=RATE_HZ, layout="mono")
        track.codec_context.format = "s16"
        columns = np.arange(96)
        for k in range(round(length_s * 25)):
            stripes = (127 + 120 * np.sin((columns + 7 * k + seed) / 6)).astype(np.uint8)
            image = np.repeat(np.repeat(stripes[None, :, None], 64, 0), 3, 2)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            output.mux(picture.encode(frame.reformat(format="yuv420p")))
        output.mux(picture.encode())
        for first in range(0, samples.size, 4096):
            block = (samples[None, first : first + 4096] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), first
            output.mux(track.encode(frame))
        output.mux(track.encode())
