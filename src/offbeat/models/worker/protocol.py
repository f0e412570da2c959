"""What goes between Offbeat and a worker: one JSON object a line, UTF-8, version 1.

The worker speaks first, on its standard output; it then reads its standard input until that ends::

    worker   {"type": "hello", "protocol": 1, "name": "mine", "revision": "3"}
    Offbeat  {"type": "ask", "id": 1, "clip": {…}, "file": "/…/1.mp4", "prompt": {…}}
    worker   {"type": "reply", "id": 1, "text": "ahead"}
    Offbeat  {"type": "ask", "id": 2, …}
    worker   {"type": "error", "id": 2, "kind": "error", "message": "no memory left"}
    Offbeat  {"type": "close"}

Every ask has exactly one reply or error, with its id. A worker that says ``"together": true`` is asked about several
variants of one clip at a time, ``{"type": "ask_together", "asks": […]}``, and may reply in any order. An error whose id
is null stands for all that is open. Lines that do not begin with ``{`` are taken for chatter of libraries and go to the
log with standard error. Fields that are not known are refused, so that a slip of the pen shows.

The truth is not sent: neither label nor delay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError
from offbeat.models.base import JsonValue, Prompt, Reply, Stop

PROTOCOL = 1

ErrorKind = Literal["rate", "transient", "rejected", "unavailable", "error"]
ERRORS: dict[ErrorKind, type[ModelError]] = {
    "rate": RateLimited,
    "transient": TransientError,
    "rejected": RequestRejected,
    "unavailable": ModelUnavailable,
    "error": ModelError,
}
"""By the word for it; the one that they all are comes last."""


class ProtocolError(Exception):
    """A worker said what the protocol does not know; the text says what was found and what was expected."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Hello(_Message):
    """Who a worker is, and how it wants its clips."""

    type: Literal["hello"]
    protocol: int
    """1."""
    name: str = Field(min_length=1, max_length=200)
    """Of the model."""
    revision: str = Field(min_length=1, max_length=2000)
    """What exactly answers: code, weights, every setting that may change an answer."""
    looks: bool = True
    """Whether it looks at the clips; one that does not is not probed."""
    together: bool = False
    """Whether it wants a clip's variants in one message."""
    media: Literal["file", "arrays"] = "file"
    """An MP4 file, or arrays as .npy files."""
    fps: float | None = Field(default=None, gt=0, le=240)
    """Frames a second of the arrays: frame k is what is shown at k / fps seconds. The clip's own where null."""
    height: int | None = Field(default=360, gt=0)
    """Lines of the arrays, at most; null for the clip's own."""
    sound_hz: int | None = Field(default=None, ge=1000, le=192_000)
    """Samples a second of the arrays; the clip's own where null."""


class ReplyMessage(_Message):
    """What the model said; see `offbeat.models.base.Reply`."""

    type: Literal["reply"]
    id: int
    text: str
    stop: Stop = "complete"
    probabilities: dict[str, float] | None = None
    usage: dict[str, Any] = Field(default_factory=dict[str, Any])
    details: dict[str, Any] = Field(default_factory=dict[str, Any])

    def reply(self) -> Reply:
        """As every model gives it."""
        return Reply(self.text, self.stop, self.probabilities, self.usage, self.details)


class ErrorMessage(_Message):
    """Why there is no reply."""

    type: Literal["error"]
    id: int | None
    """Null where it stands for all that is open."""
    kind: ErrorKind
    message: str

    def error(self, spec: str) -> ModelError:
        """As every model raises it."""
        return ERRORS[self.kind](f"{spec}: {self.message}")


Message: TypeAlias = Annotated[Hello | ReplyMessage | ErrorMessage, Field(discriminator="type")]
_MESSAGES: TypeAdapter[Hello | ReplyMessage | ErrorMessage] = TypeAdapter(Message)


def read_message(line: bytes) -> Hello | ReplyMessage | ErrorMessage:
    """One line of a worker.

    Raises:
        ProtocolError: it is no message.
    """
    try:
        return _MESSAGES.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        shown = line[:200].decode("utf-8", errors="replace")
        raise ProtocolError(f"wrote {shown!r}: {where + ': ' if where else ''}{first['msg']}") from None


def prompt_message(prompt: Prompt) -> dict[str, JsonValue]:
    """A prompt as it is sent."""
    return {
        "text": prompt.text,
        "system": prompt.system,
        "options": list(prompt.options),
        "words": list(prompt.words),
    }


def error_kind(error: ModelError) -> ErrorKind:
    """The word for an error; the nearest one."""
    kinds: list[ErrorKind] = [kind for kind, known in ERRORS.items() if isinstance(error, known)]
    return kinds[0]


def line_of(message: Mapping[str, Any]) -> bytes:
    """A message as a line."""
    return json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"
