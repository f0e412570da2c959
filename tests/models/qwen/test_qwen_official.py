"""The front end against the makers' processor: the same tokens, spectrograms and pixels, the same log-probabilities."""

import subprocess
import sys
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
CASES = [(3, 2), (3, 8)]
ALL = [(length_s, fps) for length_s in (3, 5, 7, 10) for fps in (2, 4, 8)]


def official(folder: Path, tmp_path: Path, **given) -> dict[str, np.ndarray]:
    if not TORCHVISION.is_dir():
        pytest.skip("needs torchvision beside the environment: make test-qwen")
    np.savez(tmp_path / "came.npz", **given)
    command = [sys.executable, OFFICIAL, folder, TORCHVISION, tmp_path / "came.npz", tmp_path / "goes.npz"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(np.load(tmp_path / "goes.npz"))


def compare(folder: Path, variants, prompt, tmp_path: Path, fps: int) -> None:
    loaded = load(find_checkpoint(str(folder)), device="cpu", dtype="float32", attention="sdpa")
    frames = variants[0].frames()
    length_s = frames.count / frames.fps
    shown = frames.images[list(sample(frames.count, frames.fps, fps=Fraction(fps), sampler="grid").indices)]
    sounds = [heard(variant.sound(), length_s) for variant in variants]
    theirs = official(folder, tmp_path, frames=shown, sounds=np.stack(sounds), fps=fps, text=prompt.text)
    with torch.inference_mode():
        patches = patches_of(shown, loaded.family)
        ears = spectrograms(loaded, sounds)
        given = give(loaded, prompt, patches=patches, sound_tokens=ears.tokens, fps=Fraction(fps), control="none")
        clip = ClipPass(loaded, given, mel_frames=ears.mel_frames)
        some = (12154, 87962, 73642, *np.random.default_rng(0).integers(0, 150_000, 50).tolist())
        wanted = Wanted(options={str(token): ((token,),) for token in some}, most_said=0, ends=frozenset())
        told = clip.ask(ears.features, wanted)
    assert given.ids.tolist() == theirs["ids"].tolist()
    assert list(patches.grid) == theirs["grid"].tolist()
    assert np.abs(patches.values.numpy() - theirs["pixels"]).max() <= 1e-6
    assert np.array_equal(ears.features[-1].numpy(), theirs["mel"])
    ours = np.array([[one.logprobs[str(token)] for token in some] for one in told])
    assert np.abs(ours - theirs["logprobs"][:, some]).max() <= 1e-5
    # and what is compared does depend on the sound
    assert np.abs(ours[0] - ours[-1]).max() > 1e-3


@pytest.mark.parametrize(("length_s", "fps"), CASES)
def test_as_the_makers_do_it(checkpoint, clip, prompt, tmp_path, length_s, fps):
    compare(checkpoint, clip(length_s=length_s), prompt, tmp_path, fps)


@pytest.mark.slow
@pytest.mark.parametrize(("length_s", "fps"), [case for case in ALL if case not in CASES])
def test_as_the_makers_do_it_at_each_length_and_rate(qwen25, clip, prompt, tmp_path, length_s, fps):
    compare(qwen25, clip(length_s=length_s), prompt, tmp_path, fps)
