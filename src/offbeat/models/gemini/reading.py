"""What came back, read: text, why it ends, what it used, and whether clip and model were the ones that were meant.

The service answers when it saw no picture and heard no sound, and when another model than the one asked for has taken
its place. So nothing is a reply before these are looked at: the model that served it, the tokens that picture and sound
were counted as, and whether the picture's are at least half of what the frame rate makes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from offbeat.dataset.schema import VariantRow
from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models.base import JsonValue, Prompt, Reply, Stop
from offbeat.models.choices import Chances, chances_of, place_of
from offbeat.models.gemini.errors import plain
from offbeat.models.gemini.settings import DEFAULT_FPS, Settings
from offbeat.models.gemini.tokens import least_video_tokens
from offbeat.models.gemini.wire import Candidate, Response
from offbeat.models.keys import redacted

_STOPS: dict[str, Stop] = {
    "STOP": "complete",
    "MAX_TOKENS": "truncated",
    "CONTINUATION": "truncated",
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "LANGUAGE",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "ESCALATION",
            "MODEL_ARMOR",
            "OTHER",
        ),
        "refused",
    ),
}
_DATED = re.compile(r"(-\d{3}|-\d{2}-\d{2}|-\d{2}-\d{4}|-\d{8})?")
"""The number of a version, or a date: what may follow the name that was asked for."""
_KINDS = {"MODALITY_UNSPECIFIED": "text_tokens"}
"""Others go by their names; what has none is text (`MediaModality` of the client)."""


def usage_of(response: Response) -> dict[str, int]:
    """Tokens, in the words of `offbeat.models.base.USAGE`; what the service does not say is left out."""
    told = response.usage_metadata
    if told.prompt_token_count is None:
        return {}
    usage = {
        # what tools bring is input as well, and paid as such, but not counted there by the service
        "input_tokens": told.prompt_token_count + (told.tool_use_prompt_token_count or 0),
        "cached_tokens": told.cached_content_token_count,
        "output_tokens": told.candidates_token_count,
        "thinking_tokens": told.thoughts_token_count,
        "tool_tokens": told.tool_use_prompt_token_count,
    }
    for count in told.prompt_tokens_details or []:
        kind = _KINDS.get(count.modality, f"{count.modality.lower()}_tokens")
        usage[kind] = (usage.get(kind) or 0) + count.token_count
    return {kind: count for kind, count in usage.items() if count is not None}


def reply_from(response: Response, *, settings: Settings, row: VariantRow, prompt: Prompt) -> Reply:
    """The reply, once it is sure that it is one.

    Args:
        response: what came back.
        settings: how it was asked.
        row: of the variant.
        prompt: of whose options the probabilities are.

    Raises:
        ModelUnavailable: another model served it, or the account is closed.
        ModelError: picture or sound were not looked at; or nothing came, and no reason for it. With its usage.
    """
    spec = f"gemini:{settings.model}"
    usage = usage_of(response)
    spent = usage or None  # where it does not tell, an answer was not free, and nobody knows what it cost
    _check_model(response, settings, spent)
    details: dict[str, JsonValue] = {"served_model": response.model_version}
    if response.response_id:
        details["response_id"] = plain(response.response_id)
    expected = least_video_tokens(settings, row)
    details["video_tokens_expected"] = expected
    blocked = response.prompt_feedback and response.prompt_feedback.block_reason
    if blocked and not response.candidates:
        return Reply(text="", stop="refused", usage=_json(usage), details={**details, "block_reason": plain(blocked)})
    if settings.token_check:
        _check_tokens(response, usage, expected, settings, spent)
    if not response.candidates:
        raise ModelError(f"{spec}: an answer without a candidate, and without a reason", usage=spent)
    first = response.candidates[0]
    reason = first.finish_reason or "FINISH_REASON_UNSPECIFIED"
    details["finish_reason"] = reason
    if first.finish_message:
        details["finish_message"] = plain(first.finish_message)
    if reason == "PUP_LIMITED_DISABLED":
        raise ModelUnavailable(f"{spec}: the account is limited for breaking the terms of use ({reason})", usage=spent)
    if reason not in _STOPS:
        raise ModelError(f"{spec}: the answer ended with {plain(reason)}, so it is none", usage=spent)
    parts = (first.content.parts if first.content else None) or []
    text = redacted("".join(part.text or "" for part in parts if not part.thought))
    probabilities: Mapping[str, float] | None = None
    if first.logprobs_result is not None:
        chances = _chances(first, prompt)
        probabilities, details = chances.probabilities, {**details, **chances.details()}
    return Reply(text=text, stop=_STOPS[reason], probabilities=probabilities, usage=_json(usage), details=details)


def _chances(candidate: Candidate, prompt: Prompt) -> Chances:
    """Of the options, from the tokens of the answer; thoughts are not among these."""
    told = candidate.logprobs_result
    if told is None:
        return chances_of(prompt, [])
    places = [
        place_of(chosen.token, [(token.token, token.log_probability) for token in likely.candidates])
        for chosen, likely in zip(told.chosen_candidates, told.top_candidates, strict=False)
    ]
    return chances_of(prompt, places)


def _check_model(response: Response, settings: Settings, spent: Mapping[str, int] | None) -> None:
    if not response.model_version:
        return  # a gateway that does not tell
    served = response.model_version.removeprefix("models/")
    if served.startswith(settings.model) and _DATED.fullmatch(served.removeprefix(settings.model)):
        return
    raise ModelUnavailable(
        f"gemini:{settings.model}: {plain(served)} answered in its place; the service has moved the name. "
        f"Type: --model gemini:{plain(served)}",
        usage=spent,
    )


def _check_tokens(
    response: Response, usage: Mapping[str, int], expected: int, settings: Settings, spent: Mapping[str, int] | None
) -> None:
    if not response.usage_metadata.prompt_tokens_details:
        return  # not told: the probe before the run has to show it
    spec = f"gemini:{settings.model}"
    for kind, thing in (("audio_tokens", "sound"), ("video_tokens", "picture")):
        if not usage.get(kind):
            raise ModelError(
                f"{spec}: the server counted no {thing} tokens: it answered without the {thing}", usage=spent
            )
    if usage["video_tokens"] < expected / 2:
        raise ModelError(
            f"{spec}: the server counted {usage['video_tokens']} picture tokens, expected about {expected} at "
            f"{settings.fps or DEFAULT_FPS:g} frames a second: it left frames out",
            usage=spent,
        )


def _json(usage: Mapping[str, int]) -> dict[str, JsonValue]:
    return dict(usage)
