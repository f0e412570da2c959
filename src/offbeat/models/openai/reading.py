"""From a chat completion to a `Reply`: what was said, why it ends, what it used, who answered, and how sure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from offbeat.errors import ModelError, ModelUnavailable, TransientError
from offbeat.models.base import JsonValue, Prompt, Reply, Stop
from offbeat.models.choices import Place, chances_of, place_of
from offbeat.models.keys import redacted
from offbeat.models.openai.payload import mapping_of, shown, text_of
from offbeat.models.openai.served import same_model
from offbeat.models.openai.settings import Settings
from offbeat.models.openai.usage import usage_of

_THINKS = re.compile(r"</?think", re.IGNORECASE)
"""Where a server leaves the thinking in the text, or the end of it."""
_MOST_THOUGHTS = 2000
"""Characters of a model's thinking that are kept with the answer."""
_STOPS: Mapping[str, Stop] = {
    "length": "truncated",
    "max_tokens": "truncated",
    "repetition": "truncated",
    "repetition_truncation": "truncated",
    "content_filter": "refused",
    "safety": "refused",
    "recitation": "refused",
    "sensitive": "refused",
}


def reply_of(payload: Mapping[str, Any], settings: Settings, prompt: Prompt) -> Reply:
    """The reply.

    Args:
        payload: a chat completion without an error in it.
        settings: what was asked.
        prompt: the same.

    Raises:
        ModelUnavailable: another model has answered.
        ModelError: there is no choice in it, or the server counts no tokens for the sound or the picture.
        TransientError: the server gave the answer up.
    """
    usage = usage_of(payload.get("usage"), zeros_count=not settings.preset.fills_in_zeros)
    served = payload.get("model")
    _check_served(settings, served, usage)
    choices = payload.get("choices")
    choice = mapping_of(cast("list[Any]", choices)[0]) if isinstance(choices, list) and choices else None
    if choice is None:
        raise ModelError(f"{settings.spec}: the server sent no choices; expected one", usage=usage)
    _check_seen(settings, usage)
    message = mapping_of(choice.get("message"))
    finish = choice.get("finish_reason")
    if finish in ("abort", "error"):
        raise TransientError(f"{settings.spec}: the server gave the answer up ({finish})", usage=usage)
    refusal = message.get("refusal")
    stop: Stop = "refused" if refusal else _STOPS.get(str(finish).lower(), "complete")
    text = text_of(message.get("content")) or (refusal if isinstance(refusal, str) else "")
    thoughts = text_of(message.get("reasoning_content")) or text_of(message.get("reasoning"))
    details: dict[str, JsonValue] = {
        "served_model": redacted(served) if isinstance(served, str) else None,
        "finish_reason": redacted(finish) if isinstance(finish, str) else None,
    }
    for name in ("system_fingerprint", "provider", "id"):
        if isinstance(payload.get(name), str):
            details[name] = redacted(payload[name])[:200]
    if thoughts:
        details["reasoning"] = redacted(thoughts)[:_MOST_THOUGHTS]
    probabilities: Mapping[str, float] | None = None
    if settings.preset.top_logprobs:
        if thoughts or _THINKS.search(text):
            details["no_probabilities"] = "the model thought first, so that its first tokens are not the answer"
        else:
            chances = chances_of(prompt, _places(choice.get("logprobs")))
            probabilities = chances.probabilities
            details |= chances.details()
    return Reply(text=redacted(text), stop=stop, probabilities=probabilities, usage=usage, details=details)


def _check_served(settings: Settings, served: object, usage: Mapping[str, JsonValue]) -> None:
    expected = settings.options.served or settings.model
    if not isinstance(served, str) or not served or same_model(expected, served):
        return
    raise ModelUnavailable(
        f"{settings.spec}: {shown(served)} has answered, not {expected}; if that is right, type: "
        f"--option served={shown(served)}",
        usage=usage,
    )


def _check_seen(settings: Settings, usage: Mapping[str, JsonValue]) -> None:
    for word, what, sent in (("audio_tokens", "sound", settings.sound_sent), ("video_tokens", "picture", True)):
        # some servers count the frames of a video as images
        if sent and usage.get(word) == 0 and not (what == "picture" and usage.get("image_tokens")):
            raise ModelError(
                f"{settings.spec}: the server counts 0 {word} though the {what} was sent: the model was not given it; "
                "see docs/howto/servers.md",
                usage=usage,
            )


def _places(told: object) -> list[Place]:
    content = mapping_of(told).get("content")
    places: list[Place] = []
    for entry in cast("list[Any]", content) if isinstance(content, list) else []:
        said = _candidate(entry)
        if said is None:
            break
        top = mapping_of(entry).get("top_logprobs")
        listed = [_candidate(other) for other in cast("list[Any]", top)] if isinstance(top, list) else []
        # what was said may stand among the others or not; several tokens may have one text
        candidates = list(dict.fromkeys(other for other in listed if other is not None))
        if said[0] not in dict(candidates):
            candidates.append(said)
        places.append(place_of(said[0], candidates))
    return places


def _candidate(entry: object) -> tuple[str, float] | None:
    told = mapping_of(entry)
    token, logprob = told.get("token"), told.get("logprob")
    if not isinstance(token, str) or isinstance(logprob, bool) or not isinstance(logprob, int | float):
        return None
    return (token, float(logprob)) if -1e6 < logprob < 1e6 else None
