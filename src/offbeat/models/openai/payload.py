"""From the bytes of a response to a JSON object: whole bodies, and streams of server-sent events put together.

What is read here is hostile until it is proved otherwise: every field may be missing, of another type, or a lie.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

from offbeat.errors import TransientError
from offbeat.models.keys import redacted

_LINE = re.compile(r"[^\r\n]+")
"""Of a stream: `splitlines` would also break at U+2028 and others, which JSON leaves as they are."""
_NOT_YET = ("", "null")
"""What some servers write in place of null where a reply goes on."""
_WORDS_SHOWN, _MOST_SHOWN = 16, 150
"""Words of each end of a long text, and characters."""


def payload_of(raw: bytes, *, spec: str) -> dict[str, Any]:
    """The JSON object of a body, or of a stream put together.

    Raises:
        TransientError: it is half a body, a page, or a stream that breaks off.
    """
    text = raw.decode("utf-8-sig", errors="replace").strip()
    if text.startswith(("data:", ":", "event:", "id:", "retry:")):
        return _joined(text, spec=spec)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        found = "a page" if text[:15].lower().startswith(("<!doctype", "<html")) else "half a body, or no JSON"
        raise TransientError(
            redacted(f"{spec}: the server sent {found}: {shown(text)}; expected a chat completion"), usage=None
        ) from error
    if not isinstance(value, dict):
        raise TransientError(redacted(f"{spec}: expected a JSON object, got {shown(text)}"), usage=None)
    return cast("dict[str, Any]", value)


def _joined(text: str, *, spec: str) -> dict[str, Any]:
    """One completion from the pieces of a stream of server-sent events."""
    whole: dict[str, Any] = {}
    said: list[str] = []
    thought: list[str] = []
    refused: list[str] = []
    logprobs: list[Any] = []
    finish: str | None = None
    there = done = False
    for line in _LINE.finditer(text):
        if not line[0].startswith("data:"):
            continue  # comments, which keep the connection open, and names of events
        data = line[0].removeprefix("data:").strip()
        if data == "[DONE]":
            done = True
            break
        try:
            piece = mapping_of(json.loads(data))
        except (ValueError, RecursionError) as error:
            raise TransientError(redacted(f"{spec}: a piece of the stream is broken: {shown(data)}"), usage=None) from (
                error
            )
        whole |= {name: value for name, value in piece.items() if name != "choices" and value}
        choices = piece.get("choices")
        for entry in map(mapping_of, cast("list[Any]", choices) if isinstance(choices, list) else []):
            if entry.get("index"):
                continue  # another choice than the first, if somebody has asked for more
            there = True
            delta = mapping_of(entry.get("delta"))
            said.append(text_of(delta.get("content")))
            thought.append(text_of(delta.get("reasoning_content")) or text_of(delta.get("reasoning")))
            refused.append(text_of(delta.get("refusal")))
            content = mapping_of(entry.get("logprobs")).get("content")
            logprobs += cast("list[Any]", content) if isinstance(content, list) else []
            reason = entry.get("finish_reason")
            if isinstance(reason, str) and reason not in _NOT_YET:
                finish = reason
            if entry.get("error"):
                whole["error"] = entry["error"]
    if finish is None and "error" not in whole:
        if "message" in whole:
            whole["error"] = {name: whole.get(name) for name in ("code", "message")}  # DashScope: side by side
        elif not done:
            raise TransientError(f"{spec}: the stream breaks off before its end", usage=None)
        elif there:  # some gateways write [DONE] when the server behind them has gone
            raise TransientError(
                f"{spec}: the stream ends without a finish_reason, so that what came may be half an answer; where the "
                "server never gives one, type: --option stream=false",
                usage=None,
            )
    message = {"content": "".join(said), "reasoning_content": "".join(thought), "refusal": "".join(refused)}
    choice = {"message": message, "finish_reason": finish, "logprobs": {"content": logprobs}}
    return whole | {"choices": [choice] if there else []}


def text_of(content: object) -> str:
    """Text as such, or as a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [mapping_of(part).get("text") for part in cast("list[Any]", content)]
    return "".join(part for part in parts if isinstance(part, str))


def mapping_of(value: object) -> dict[str, Any]:
    """An object as such; anything else is empty."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def shown(text: str) -> str:
    """A text in one line, without keys, for errors; of a long one, such as a traceback, its beginning and its end.

    It is cut between words, so that texts that differ in their numbers alone are cut at the same place.
    """
    words = redacted(" ".join(text.split())).split(" ")
    if len(" ".join(words)) <= 2 * _MOST_SHOWN:
        return " ".join(words)
    return f"{' '.join(words[:_WORDS_SHOWN])[:_MOST_SHOWN]} … {' '.join(words[-_WORDS_SHOWN:])[-_MOST_SHOWN:]}"
