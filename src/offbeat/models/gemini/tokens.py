"""How many tokens a clip is: the most before it is asked, the fewest that show that it was looked at.

Sound is 32 tokens a second (ai.google.dev/gemini-api/docs/audio), a frame what `settings.frame_tokens` says, and each
moment's time stamp about seven of text (docs/video-understanding).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from offbeat.dataset.schema import VariantRow
from offbeat.models.base import Prompt
from offbeat.models.gemini.settings import DEFAULT_FPS, Settings, frame_tokens

SOUND_TOKENS_A_SECOND = 32
STAMP_TOKENS = 7
FRAMING_TOKENS = 64
"""For the turns of the conversation around the prompt."""
CALLS = 2
"""A reply cut off by the output budget is asked for once more, with twice the budget."""
ANSWER_BYTES, BYTES_A_TOKEN = 4_000_000, 256
"""Of an answer as JSON: without its words, and for each token, or candidate for one, that it tells of."""


def expected_usage(settings: Settings, row: VariantRow, prompt: Prompt, *, calls: int = CALLS) -> dict[str, int]:
    """The most that one reply may use, all of its calls and the whole of their output budgets included."""
    frames = math.ceil(row.clip_length_s * (settings.fps or DEFAULT_FPS)) + 1
    seconds = math.ceil(row.clip_length_s) + 1
    # a token is at least one byte
    words = len((prompt.text + (prompt.system or "")).encode()) + FRAMING_TOKENS
    once = {
        "video_tokens": frames * frame_tokens(settings.model, settings.media_resolution)[1],
        "audio_tokens": seconds * SOUND_TOKENS_A_SECOND,
        "text_tokens": words + STAMP_TOKENS * max(frames, seconds),
    }
    usage = {kind: calls * count for kind, count in once.items()}
    return {
        "input_tokens": sum(usage.values()),
        **usage,
        "output_tokens": settings.max_output_tokens * sum(2**call for call in range(calls)),
    }


def longest_answer_bytes(settings: Settings) -> int:
    """Above what any answer to a call takes, in bytes, with its log-probabilities."""
    told = settings.max_output_tokens * 2 ** (CALLS - 1) * (1 + settings.logprobs)
    return ANSWER_BYTES + told * BYTES_A_TOKEN


def least_video_tokens(settings: Settings, row: VariantRow) -> int:
    """What the picture is at the frame rate asked for, or the clip's own where that is lower: the server adds none."""
    frames = math.floor(row.clip_length_s * min(settings.fps or DEFAULT_FPS, row.fps))
    return frames * frame_tokens(settings.model, settings.media_resolution)[0]


def added(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    """What two calls used together."""
    return {kind: first.get(kind, 0) + second.get(kind, 0) for kind in {**first, **second}}
