"""A handful of tiny variants that can be played, written with PyAV alone."""

import hashlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from offbeat.dataset.schema import VariantRow
from offbeat.dataset.variant import Variant
from offbeat.timing import label_of

FPS = 25
AUDIO_HZ = 48_000


def write_flash_and_beep(path: Path, *, delay_s: float, length_s: float = 2.0) -> None:
    """A white flash every 0.7 s, and a beep `delay_s` after each of them."""
    flashes = [0.5, 1.2]
    with av.open(str(path), "w") as output:
        # The variants of a clip share their picture to the last bit, so: no mbtree (see `media.synth.write`), one
        # thread, and frames in the encoder's own format. Given RGB, it gave another stream 35 times in 250 (PyAV 18.1).
        picture = output.add_stream("libx264", rate=FPS, options={"x264-params": "mbtree=0"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        picture.codec_context.thread_count = 1
        sound = output.add_stream("aac", rate=AUDIO_HZ, layout="mono")
        for k in range(int(length_s * FPS)):
            lit = any(0 <= k / FPS - start < 0.12 for start in flashes)
            image = np.full((48, 64, 3), 255 if lit else 16, np.uint8)
            output.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")))
        output.mux(picture.encode())
        time_s = np.arange(int(length_s * AUDIO_HZ)) / AUDIO_HZ
        envelope = sum(((time_s >= f + delay_s) & (time_s < f + delay_s + 0.12)).astype(float) for f in flashes)
        samples = (0.5 * envelope * np.sin(2 * np.pi * 880 * time_s)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.rate, frame.time_base = AUDIO_HZ, Fraction(1, AUDIO_HZ)
        output.mux(sound.encode(frame))
        output.mux(sound.encode())


@pytest.fixture(scope="session")
def variants(tmp_path_factory) -> list[Variant]:
    folder = tmp_path_factory.mktemp("playable")
    (folder / "clips").mkdir()
    made = []
    for number, delay_s in enumerate([-0.4, 0.0, 0.4]):
        name = f"clips/v{number}.mp4"
        write_flash_and_beep(folder / name, delay_s=delay_s)
        row = VariantRow(
            file_name=name,
            variant_id=f"v{number}",
            clip_id="c0",
            source_id="s0",
            genre="speech",
            language=None,
            condition="delay",
            audio_delay_ms=delay_s * 1000,
            label=label_of(delay_s),
            clip_start_s=0,
            clip_length_s=2,
            overlap_s=2 - abs(delay_s),
            fps=FPS,
            width=64,
            height=48,
            audio_hz=AUDIO_HZ,
            measured_delay_ms=None,
            sha256=hashlib.sha256((folder / name).read_bytes()).hexdigest(),
        )
        made.append(Variant(row=row, folder=folder))
    return made


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> Path:
    """Replies for the variants above, as another tool would have written them."""
    path = tmp_path_factory.mktemp("recorded") / "replies.csv"
    path.write_text("variant_id,text\nv0,ahead\nv1,Sync.\nv2,behind\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def people(tmp_path_factory) -> Path:
    """What one person answered about them."""
    path = tmp_path_factory.mktemp("people") / "answers.csv"
    path.write_text("file_name,answer,seconds\nclips/v0.mp4,ahead,3\nclips/v1.mp4,sync,\nclips/v2.mp4,behind,4.5\n")
    return path
