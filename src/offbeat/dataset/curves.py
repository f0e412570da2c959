"""What moves and what sounds in a clip, moment by moment: small curves by which people see what was shifted.

They are kept when the clip is built, where its frames and its sound are decoded anyway; decoding them again for a
report takes 50 to 70 ms of CPU time for each second of a clip of 360 lines. A clip of 10 s takes 1.8 kB.

Motion and onset strength are those of `offbeat.signal`. They span orders of magnitude, and a single cut or bang would
flatten all else, so their square roots are kept, in 256 steps from 0 to the largest of the clip.
"""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offbeat.dataset.flags import Heard
from offbeat.dataset.folder import CURVES, read_rows
from offbeat.dataset.schema import CurvesRow
from offbeat.signal import Motion
from offbeat.signal.onsets import ENVELOPE_HZ

ONSETS_HZ = 50
"""Of the onset strength as it is kept: the largest of four moments, 20 ms apart, finer than most frames."""
_STEPS = 255


def curves_of(clip_id: str, motion: Motion, heard: Heard, *, sync_samples: int) -> CurvesRow:
    """The curves of a clip.

    Args:
        clip_id: whose they are.
        motion: of the clip's frames.
        heard: the span of sound that its variants share.
        sync_samples: the sample of the source that is heard with the first frame when nothing is shifted.
    """
    most = ENVELOPE_HZ // ONSETS_HZ
    whole = len(heard.strength) // most * most
    return CurvesRow(
        clip_id=clip_id,
        motion=packed(motion.levels[-1][:, 0].astype(np.float64)),
        onsets=packed(heard.strength[:whole].reshape(-1, most).max(axis=1)),
        onsets_hz=ONSETS_HZ,
        onsets_start_s=round((heard.start_samples - sync_samples) / heard.rate_hz, 6),
    )


def packed(values: NDArray[np.float64]) -> str:
    """Square roots in 256 steps, a byte each, in base64; values are not negative, shape (n,)."""
    largest = float(values.max(initial=0.0))
    steps = np.sqrt(values / largest) * _STEPS if largest > 0 else np.zeros(len(values))
    return base64.b64encode(np.round(steps).astype(np.uint8).tobytes()).decode("ascii")


def read_curves(folder: Path) -> tuple[CurvesRow, ...]:
    """Those of all clips of a dataset; none where it was built before there were any.

    Raises:
        DatasetError: a row that is not valid.
    """
    path = folder / CURVES
    return read_rows(CurvesRow, path) if path.is_file() else ()
