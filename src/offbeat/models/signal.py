"""The detector that learns nothing: motion of the picture against onsets of the sound; ``signal``.

It is the row that a learned model has to beat, and runs wherever Offbeat runs. It looks at the picture and the sound
and at nothing in the row but the clip's id, under which the picture's motion is kept for the clip's other variants.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from offbeat.dataset.variant import Variant
from offbeat.errors import MediaError, ModelError, ModelUnavailable
from offbeat.models.base import JsonValue, Prompt, Reply
from offbeat.signal.confidence import INTERCEPT, SLOPE, SURE_AT
from offbeat.signal.estimate import estimate_delay
from offbeat.signal.motion import HEIGHT, Motion, measure_motion
from offbeat.timing import LABELS

VERSION = 1
"""Goes up whenever the same clip may get another reply."""
CLIPS_KEPT = 16
"""The runner asks clip by clip in a few threads; a clip's motion takes about 200 kB for 10 s."""


class Signal:
    """Answers by the estimated delay; `unsure`, with its best guess, where it cannot tell.

    Args:
        argument: must be empty.
        seed: not used.
    """

    name = "signal"

    def __init__(self, *, argument: str = "", seed: int = 0) -> None:
        if argument:
            raise ModelUnavailable(f"'signal:{argument}': signal takes nothing after its name")
        self._motions: OrderedDict[tuple[Path, str], Motion] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def revision(self) -> str:
        """The version of the method, and the constants of its confidence."""
        return f"{VERSION} intercept={INTERCEPT} slope={SLOPE} sure_at={SURE_AT}"

    def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """The word for the label of the estimated delay, with the chance of each.

        Raises:
            ModelError: the question offers other options than ``sync``, ``ahead`` and ``behind``, or the clip cannot be
                read, or its sound is not made of finite numbers.
        """
        if set(prompt.options) != set(LABELS):
            raise ModelError(f"signal answers {', '.join(LABELS)}; the question offers {', '.join(prompt.options)}")
        try:
            estimate = estimate_delay(self._motion(variant), variant.sound())
        except MediaError as error:
            raise ModelError(str(error)) from error
        except ValueError as error:
            raise ModelError(f"{variant.path}: {error}") from error
        delay_ms = None if estimate.delay_s is None else round(estimate.delay_s * 1000, 1)
        details: dict[str, JsonValue] = {
            "estimated_delay_ms": delay_ms,
            "confidence": round(estimate.confidence, 4),
            "reason": estimate.reason,
        }
        return Reply(
            text=prompt.word_for(estimate.label),
            stop="unsure" if estimate.cannot_tell else "complete",
            probabilities={option: estimate.chances[option] for option in LABELS},
            details=details,
        )

    def _motion(self, variant: Variant) -> Motion:
        key = (variant.folder, variant.row.clip_id)
        with self._lock:
            kept = self._motions.get(key)
            if kept is not None:
                self._motions.move_to_end(key)
                return kept
        motion = measure_motion(variant.frames(height=HEIGHT, grey=True))
        with self._lock:
            self._motions[key] = motion
            while len(self._motions) > CLIPS_KEPT:
                self._motions.popitem(last=False)
        return motion
