"""From a picture, sounds and a prompt to what the model is given.

Tokenizer and chat template are the checkpoint's own, and so are the constants of the mel spectrogram. For Qwen2.5-Omni
the makers pad every sound to 300 s before they take its spectrogram; half a window of silence behind it gives the same
numbers for a hundredth of the work. For Qwen3-Omni they pad nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offbeat.errors import ModelError
from offbeat.models.base import Prompt
from offbeat.models.qwen.controls import Control, hears, interleaves, sees
from offbeat.models.qwen.foreign import Tensor
from offbeat.models.qwen.layout import Shape, spread_out
from offbeat.models.qwen.loading import Loaded
from offbeat.models.qwen.picture import Patches
from offbeat.models.qwen.sound import RATE_HZ


@dataclass(frozen=True, slots=True)
class Heard:
    """The sounds of variants of one clip, which are equally long.

    Attributes:
        features: log-mel spectrograms, float32 tensor, shape (variants, mel bands, mel frames).
        tokens: how many each becomes.
    """

    features: Tensor
    tokens: int

    @property
    def mel_frames(self) -> int:
        """Hundredths of a second."""
        return int(self.features.shape[2])


@dataclass(frozen=True, slots=True)
class Given:
    """What all variants of a clip share: tokens, and where picture and sound go.

    Attributes:
        ids: tokens, shape (n,).
        patches: of the picture; None where none is shown.
        shape: how much there is.
        one_item: whether the sound stands inside the video.
    """

    ids: NDArray[np.int64]
    patches: Patches | None
    shape: Shape
    one_item: bool


def spectrograms(loaded: Loaded, sounds: Sequence[NDArray[np.float32]]) -> Heard:
    """The sounds as the model's ear takes them.

    Args:
        loaded: whose ear.
        sounds: 16 kHz, all of one length.

    Raises:
        ModelError: they are not of one length, so that their tokens would stand in different places.
    """
    lengths = {sound.size for sound in sounds}
    if len(lengths) != 1:
        raise ModelError(f"sounds of {sorted(lengths)} samples in one clip, expected one length; build it again")
    extractor = loaded.extractor
    count, hop = lengths.pop(), int(extractor.hop_length)
    frames = -(-count // hop) if loaded.family.padded else count // hop
    found = extractor(
        list(sounds),
        sampling_rate=RATE_HZ,
        padding="max_length",
        max_length=frames * hop + 2 * int(extractor.n_fft) if loaded.family.padded else count,
        truncation=False,
        return_tensors="pt",
    )
    return Heard(found["input_features"][..., :frames].contiguous(), loaded.family.sound_tokens(frames))


def give(
    loaded: Loaded, prompt: Prompt, *, patches: Patches | None, sound_tokens: int, fps: Fraction, control: Control
) -> Given:
    """The tokens of the whole conversation.

    Args:
        loaded: whose tokens.
        prompt: what is asked.
        patches: of the picture, where it is shown.
        sound_tokens: of a sound, where it is given.
        fps: at which the frames are stamped.
        control: what is taken away, or rearranged.

    Raises:
        ModelError: there are not as many tokens as there should be.
        ModelUnavailable: the checkpoint's template does not write what it should.
    """
    shape = Shape(
        pairs=patches.grid[0] if patches else 0,
        tokens_per_pair=patches.tokens_per_pair if patches else 0,
        pair_s=float(2 / fps),
        sound_tokens=sound_tokens,
    )
    one_item = interleaves(control)
    text = loaded.tokenizer.apply_chat_template(
        _conversation(prompt, control), chat_template=loaded.template, tokenize=False, add_generation_prompt=True
    )
    written = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
    ids = spread_out(written, loaded.marks, shape, loaded.family, one_item=one_item)
    return Given(np.array(ids, dtype=np.int64), patches, shape, one_item)


def _conversation(prompt: Prompt, control: Control) -> list[dict[str, Any]]:
    content: list[dict[str, str]] = []
    if sees(control):
        content.append({"type": "video", "video": ""})
    if hears(control) and not interleaves(control):
        content.append({"type": "audio", "audio": ""})
    content.append({"type": "text", "text": prompt.text})
    system = [] if prompt.system is None else [{"role": "system", "content": prompt.system}]
    return [*system, {"role": "user", "content": content}]
