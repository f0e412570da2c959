"""What is taken away or rearranged on purpose, to find out why a model answers as it does.

==============  =====================  ===============================================================
control         picture                sound
==============  =====================  ===============================================================
(none)          frames in their order  inside the video, interleaved with it by time
separate-sound  frames in their order  an item of its own after the video: both begin at a time of their own
video-only      frames in their order  none
audio-only      none                   an item of its own
shuffled-frames the same, in disorder  inside the video
text-only       none                   none
==============  =====================  ===============================================================

With ``video-only``, ``audio-only`` and ``text-only`` nobody could tell a delay: what the model answers then is its
bias. They are not probed: the probe would find that they are deaf or blind, which is what was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

Control = Literal["none", "separate-sound", "video-only", "audio-only", "shuffled-frames", "text-only"]
CONTROLS: tuple[Control, ...] = get_args(Control)
_SHUFFLE_SEED = 20260


def sees(control: Control) -> bool:
    """Whether frames are shown."""
    return control not in ("audio-only", "text-only")


def hears(control: Control) -> bool:
    """Whether the sound is given."""
    return control not in ("video-only", "text-only")


def interleaves(control: Control) -> bool:
    """Whether the sound stands inside the video."""
    return control in ("none", "shuffled-frames")


def order_of(control: Control, indices: Sequence[int]) -> list[int]:
    """The frames as they are shown: the same disorder for every clip with as many frames."""
    if control != "shuffled-frames":
        return list(indices)
    chance = np.random.default_rng([_SHUFFLE_SEED, len(indices)])
    return [indices[place] for place in chance.permutation(len(indices))]
