"""What the two generations do differently, beside their weights.

==========================  ===========================================  ====================================
                            Qwen2.5-Omni                                 Qwen3-Omni
==========================  ===========================================  ====================================
tokens of sound a second    25                                           13
places in time a second     25, whole numbers                            13, fractions
sound inside the video      by chunks of 2 s: video, sound, video, …     token by token, by time
behind the sound            silence up to 300 s                          nothing
colours                     the means and spreads of CLIP                0.5 and 0.5
frames, in pixels           128 x 28² to 768 x 28²                       128 x 32² to 768 x 32²
==========================  ===========================================  ====================================

References:
    Qwen2.5-Omni Technical Report, arXiv:2503.20215. Qwen3-Omni Technical Report, arXiv:2509.17765.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """One generation.

    Attributes:
        name: as people call it.
        model_type: of the whole checkpoint's configuration.
        thinker_type: of the thinker's own.
        class_name: of the thinker in transformers; the part that speaks is never loaded.
        places_per_s: places in time a second.
        whole_places: whether these are whole numbers.
        chunk_places: how many a chunk of video or sound takes up; None where they alternate token by token.
        padded: whether silence stands behind a sound, which its last hundredths of a second then see.
        sound_tokens: from frames of the mel spectrogram to tokens.
        mean: of red, green, blue, from 0 to 1.
        spread: the same for their standard deviations.
        patch_px: the side of a patch; two by two become a token.
    """

    name: str
    model_type: str
    thinker_type: str
    class_name: str
    places_per_s: int
    whole_places: bool
    chunk_places: int | None
    padded: bool
    sound_tokens: Callable[[int], int]
    mean: tuple[float, float, float]
    spread: tuple[float, float, float]
    patch_px: int

    @property
    def fewest_pixels(self) -> int:
        """Of a frame."""
        return 128 * (2 * self.patch_px) ** 2

    @property
    def most_pixels(self) -> int:
        """Of a frame, unless a setting says less."""
        return 768 * (2 * self.patch_px) ** 2


def _halved_twice(mel_frames: int) -> int:
    return ((mel_frames - 1) // 2 + 1 - 2) // 2 + 1


def _thirteen_a_second(mel_frames: int) -> int:
    whole, rest = divmod(mel_frames, 100)
    for _ in range(3):
        rest = (rest - 1) // 2 + 1
    return 13 * whole + rest


QWEN25 = Family(
    name="Qwen2.5-Omni",
    model_type="qwen2_5_omni",
    thinker_type="qwen2_5_omni_thinker",
    class_name="Qwen2_5OmniThinkerForConditionalGeneration",
    places_per_s=25,
    whole_places=True,
    chunk_places=50,
    padded=True,
    sound_tokens=_halved_twice,
    mean=(0.48145466, 0.4578275, 0.40821073),
    spread=(0.26862954, 0.26130258, 0.27577711),
    patch_px=14,
)
QWEN3 = Family(
    name="Qwen3-Omni",
    model_type="qwen3_omni_moe",
    thinker_type="qwen3_omni_moe_thinker",
    class_name="Qwen3OmniMoeThinkerForConditionalGeneration",
    places_per_s=13,
    whole_places=False,
    chunk_places=None,
    padded=False,
    sound_tokens=_thirteen_a_second,
    mean=(0.5, 0.5, 0.5),
    spread=(0.5, 0.5, 0.5),
    patch_px=16,
)
FAMILIES = (QWEN25, QWEN3)
