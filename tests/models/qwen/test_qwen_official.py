"""The front end against the makers' processor: the same tokens, spectrograms and pixels, the same log-probabilities."""

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-qwen")

from offbeat.models.qwen.checkpoint import find_checkpoint  # noqa: E402
from offbeat.models.qwen.front import give, spectrograms  # noqa: E402
from offbeat.models.qwen.grid import sample  # noqa: E402
from offbeat.models.qwen.loading import load  # noqa: E402
from offbeat.models.qwen.picture import patches_of  # noqa: E402
from offbeat.models.qwen.sharing import ClipPass, Wanted  # noqa: E402
from offbeat.models.qwen.sound import heard  # noqa: E402

TORCHVISION = Path(sys.prefix) / "torchvision"
OFFICIAL = Path(__file__).with_name("official.py")
MOST_PIXELS = 20_000
OWN_SIZE = (3, 2, None)
"""Small frames, made as large as the makers want them at least, and a sound of no whole number of hundredths."""
SMALLER = [(length_s, fps, MOST_PIXELS) for length_s in (3, 5, 7, 10) for fps in (2, 4, 8)]
"""Large frames, made small."""
CASES = [OWN_SIZE, *SMALLER]


def name_of(length_s: int, fps: int, most_pixels: int | None) -> str:
    return f"{length_s} s, {fps} fps, {most_pixels or 'own'} pixels"


def shown_and_heard(variants, fps: int, most_pixels: int | None):
    frames = variants[0].frames()
    shown = frames.images[list(sample(frames.count, frames.fps, fps=Fraction(fps), sampler="grid").indices)]
    larger = 1 if most_pixels is None else 3
    cut_s = Fraction(3, 1000) if most_pixels is None else 0
    sounds = [heard(variant.sound(), frames.count / frames.fps - cut_s) for variant in variants]
    return shown.repeat(larger, axis=1).repeat(larger, axis=2), sounds


@pytest.fixture(scope="module", params=["qwen25", "qwen3"])
def official(request, tmp_path_factory, clip, prompt) -> tuple[Path, Callable[[str], dict[str, np.ndarray]]]:
    """A checkpoint, and what the makers make of each case."""
    if not TORCHVISION.is_dir():
        pytest.skip("needs torchvision beside the environment: make test-qwen")
    checkpoint, folder = request.getfixturevalue(request.param), tmp_path_factory.mktemp("official")
    (folder / "came").mkdir()
    for length_s, fps, most_pixels in CASES:
        shown, sounds = shown_and_heard(clip(length_s, DELAYS), fps, most_pixels)
        bounds = [] if most_pixels is None else [most_pixels // 2, most_pixels]
        np.savez(
            folder / "came" / f"{name_of(length_s, fps, most_pixels)}.npz",
            frames=shown,
            sounds=np.stack(sounds),
            fps=fps,
            bounds=np.array(bounds, dtype=np.int64),
            text=prompt.text,
        )
    command = [sys.executable, OFFICIAL, checkpoint, TORCHVISION, folder / "came", folder / "goes"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return checkpoint, lambda name: dict(np.load(folder / "goes" / f"{name}.npz"))


DELAYS = (-0.5, 0.5)


@pytest.mark.parametrize(("length_s", "fps", "most_pixels"), CASES)
def test_as_the_makers_do_it(official, clip, prompt, length_s, fps, most_pixels):
    checkpoint, found = official
    theirs = found(name_of(length_s, fps, most_pixels))
    loaded = load(find_checkpoint(str(checkpoint)), device="cpu", dtype="float32", attention="sdpa")
    shown, sounds = shown_and_heard(clip(length_s, DELAYS), fps, most_pixels)
    with torch.inference_mode():
        patches = patches_of(shown, loaded.family, most_pixels=most_pixels)
        ears = spectrograms(loaded, sounds)
        given = give(loaded, prompt, patches=patches, sound_tokens=ears.tokens, fps=Fraction(fps), control="none")
        clip_pass = ClipPass(loaded, given, mel_frames=ears.mel_frames)
        some = (12154, 87962, 73642, *np.random.default_rng(0).integers(0, 150_000, 50).tolist())
        wanted = Wanted(options={str(token): ((token,),) for token in some}, most_said=0, ends=frozenset())
        told = clip_pass.ask(ears.features, wanted)
    assert given.ids.tolist() == theirs["ids"].tolist()
    assert list(patches.grid) == theirs["grid"].tolist()
    assert np.abs(patches.values.numpy() - theirs["pixels"]).max() <= 1e-6
    assert np.array_equal(ears.features[-1].numpy(), theirs["mel"])
    ours = np.array([[one.logprobs[str(token)] for token in some] for one in told])
    assert np.abs(ours - theirs["logprobs"][:, some]).max() <= 1e-5
    # and what is compared does depend on the sound
    assert np.abs(ours[0] - ours[-1]).max() > 1e-3
