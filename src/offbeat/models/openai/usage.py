"""What a call used, in Offbeat's words."""

from __future__ import annotations

import math

from offbeat.dataset.schema import VariantRow
from offbeat.media.rate import frames_at_rate
from offbeat.models.base import JsonValue, Prompt
from offbeat.models.openai.payload import mapping_of
from offbeat.models.openai.settings import Settings
from offbeat.timing import exact_seconds

_PATCH_PIXELS = 28
_MOST_TOKENS_A_GRID = 1280
_FEWEST_TOKENS_A_GRID = 280
"""A frame at high resolution where the server counts frames and not pixels."""
_SOUND_TOKENS_A_SECOND = 40
_TOKENS_A_STAMP = 10
_TEMPLATE_TOKENS = 100
_MOST = 1 << 53
"""No count and no cost is as high; beyond, whole numbers and floats are no longer the same."""


def usage_of(told: object, *, zeros_count: bool = True) -> dict[str, JsonValue]:
    """Tokens in the words of `offbeat.models.base.USAGE`; what the server does not tell is not there.

    Args:
        told: the field ``usage`` of a response.
        zeros_count: off where a server writes 0 for what it has not counted.
    """
    usage = mapping_of(told)
    seen, said = mapping_of(usage.get("prompt_tokens_details")), mapping_of(usage.get("completion_tokens_details"))
    found: dict[str, int | None] = {"input_tokens": _count(usage.get("prompt_tokens"))}
    kinds = {f"{kind}_tokens": _count(seen.get(f"{kind}_tokens")) for kind in ("text", "video", "audio", "image")}
    if zeros_count or any(kinds.values()):
        found |= kinds
    found["cached_tokens"] = _count(seen.get("cached_tokens"))
    thinking = _count(said.get("reasoning_tokens"))
    output = _count(usage.get("completion_tokens"))
    if output is not None and thinking is not None and thinking <= output:
        output -= thinking  # theirs is the sum of both
    found |= {"output_tokens": output, "thinking_tokens": thinking}
    words: dict[str, JsonValue] = {name: count for name, count in found.items() if count is not None}
    cost = usage.get("cost")
    if isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < _MOST:
        words["cost_usd"] = float(cost)
    return words


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST else None


def most_usage(settings: Settings, row: VariantRow, prompt: Prompt) -> dict[str, int]:
    """The most that one call may use, from the row alone.

    A frame, or two where the model takes them in pairs, is a grid of patches of 28 pixels, 1280 at most (Qwen-Omni;
    others count fewer); a second of sound is 25 to 32 tokens, with a margin 40; a byte of text is a token at most.
    """
    preset, options = settings.preset, settings.options
    frames = frames_at_rate(exact_seconds(row.clip_length_s), options.fps) + 2
    height = min(row.height, options.height or row.height)
    width = row.width * height / row.height
    patches = math.ceil(width / _PATCH_PIXELS) * math.ceil(height / _PATCH_PIXELS)
    grid = min(max(patches, _FEWEST_TOKENS_A_GRID), _MOST_TOKENS_A_GRID)
    video = -(-frames // preset.frames_a_grid) * grid
    audio = (math.ceil(row.clip_length_s) + 1) * _SOUND_TOKENS_A_SECOND if settings.sound_sent else 0
    text = len(prompt.text.encode()) + len((prompt.system or "").encode())
    text += _TEMPLATE_TOKENS + frames * _TOKENS_A_STAMP
    return {
        "input_tokens": video + audio + text,
        "text_tokens": text,
        "video_tokens": video,
        "audio_tokens": audio,
        "output_tokens": options.max_tokens,
    }
