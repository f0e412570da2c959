"""From what the model makes of a variant to a reply: text, probabilities, tokens, and what was shown."""

from __future__ import annotations

from collections.abc import Mapping

from offbeat.models.base import JsonValue, Prompt, Reply
from offbeat.models.qwen.front import Given
from offbeat.models.qwen.grid import Sampled
from offbeat.models.qwen.loading import Loaded
from offbeat.models.qwen.sharing import Told, normalised


def ends_of(loaded: Loaded) -> frozenset[int]:
    """The tokens that end a reply: the tokenizer's, and those that the checkpoint's generation settings name."""
    named = getattr(loaded.model.generation_config, "eos_token_id", None)
    more = named if isinstance(named, list) else [named]
    return frozenset(token for token in (loaded.tokenizer.eos_token_id, *more) if isinstance(token, int))


def details_of(sampled: Sampled, given: Given) -> dict[str, JsonValue]:
    """What was shown; nothing where no picture is."""
    if given.patches is None:
        return {}
    _, rows, columns = given.patches.grid
    side = int((given.patches.values.shape[1] // 6) ** 0.5)
    return {
        "frames": len(sampled.indices),
        "frame_size": f"{columns * side}x{rows * side}",
        "most_off_stamp_ms": round(float(sampled.off_stamp_s) * 1000, 3),
    }


def reply_of(told: Told, prompt: Prompt, loaded: Loaded, given: Given, shared: Mapping[str, JsonValue]) -> Reply:
    """A variant's reply.

    Args:
        told: what the model makes of it.
        prompt: what was asked.
        loaded: whose tokens they are.
        given: what was put in.
        shared: details of the whole clip.
    """
    details = dict(shared)
    probabilities = None
    if told.logprobs:
        probabilities, details["option_mass"] = normalised(told.logprobs)
        details["log_probabilities"] = dict(told.logprobs)
    spoken = bool(told.said) or told.ended or probabilities is None
    if spoken:
        text = loaded.tokenizer.decode(list(told.said), skip_special_tokens=True)
    else:
        text = prompt.word_for(max(prompt.options, key=lambda option: (probabilities or {})[option]))
        details["text_is"] = "the likeliest option"
    picture = given.shape.pairs * given.shape.tokens_per_pair
    return Reply(
        text=text,
        stop="complete" if told.ended or not spoken else "truncated",
        probabilities=probabilities,
        usage={
            "input_tokens": int(given.ids.size),
            "text_tokens": int(given.ids.size) - picture - given.shape.sound_tokens,
            "video_tokens": picture,
            "audio_tokens": given.shape.sound_tokens,
            "output_tokens": len(told.said),
        },
        details=details,
    )
