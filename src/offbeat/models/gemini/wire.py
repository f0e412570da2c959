"""The shape of an answer of the service, as far as it is read here; what is new in it is passed over.

The client's own types are not used for it: they warn of each value that they do not know, and the results of a batch
come as plain JSON anyhow.
"""

from __future__ import annotations

import json
from typing import cast

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from offbeat.errors import TransientError
from offbeat.models.gemini.errors import error_for, plain, said_in, sole
from offbeat.models.keys import redacted


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _null_is_left_out(cls, value: object) -> object:
        """As in all JSON of protocol buffers (protobuf.dev/programming-guides/json)."""
        if not isinstance(value, dict):
            return value
        return {name: given for name, given in cast("dict[str, object]", value).items() if given is not None}


class _Part(_Wire):
    text: str | None = None
    thought: bool = False


class _Content(_Wire):
    parts: list[_Part] | None = None


class _Token(_Wire):
    token: str = ""
    log_probability: float = float("nan")


class _Likely(_Wire):
    candidates: list[_Token] = Field(default_factory=list[_Token])


class _LogProbs(_Wire):
    chosen_candidates: list[_Token] = Field(default_factory=list[_Token])
    top_candidates: list[_Likely] = Field(default_factory=list[_Likely])


class Candidate(_Wire):
    """One answer; the service gives one."""

    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    logprobs_result: _LogProbs | None = None


class _Count(_Wire):
    modality: str = "TEXT"
    token_count: NonNegativeInt = 0
    """Left out by the service where it is 0."""


class _Usage(_Wire):
    prompt_token_count: NonNegativeInt | None = None
    prompt_tokens_details: list[_Count] | None = None
    cached_content_token_count: NonNegativeInt | None = None
    candidates_token_count: NonNegativeInt = 0
    thoughts_token_count: NonNegativeInt | None = None
    tool_use_prompt_token_count: NonNegativeInt | None = None


class _Feedback(_Wire):
    block_reason: str | None = None


class Response(_Wire):
    """What the service says, as far as it is read here."""

    candidates: list[Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Usage = Field(default_factory=_Usage)
    model_version: str | None = None
    response_id: str | None = None


def response_in(body: str, spec: str) -> Response:
    """The body of an answer with status 200.

    Raises:
        ModelError: it is an error all the same, or cannot be read.
    """
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        raise TransientError(plain(f"{spec}: expected JSON, got {body[:80]!r}"), usage=None) from None
    return response_from(value, spec)


def response_from(value: object, spec: str) -> Response:
    """The same, of JSON that is read already.

    Raises:
        ModelError: it is an error, or of another shape.
    """
    first = sole(value)
    if isinstance(first, dict) and "error" in first:
        raise error_for(said_in(cast("object", first)), spec)
    try:
        return Response.model_validate(first)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"]) or "its top"
        found = redacted(repr(cast("object", first)))[:120]
        raise TransientError(
            plain(f"{spec}: the answer has another shape than expected, at {where}: {found}"), usage=None
        ) from None
