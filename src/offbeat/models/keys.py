"""Keys of servers: they come from the environment only, and never show in a text that is kept or printed.

A key travels in a header. Should a server, a proxy or an exception repeat it, `redacted` takes it out again: every text
that comes from a model passes through there before it is stored, logged or printed. It finds a key however it was
written on its way: escaped for JSON, Python, URLs or HTML, in hexadecimal, or in Base64 amid something else. It cannot
find what is no whole key any more, so that a text is to be redacted first, and cut then.
"""

from __future__ import annotations

import base64
import html
import logging
import os
import re
from collections.abc import Sequence
from functools import lru_cache

from offbeat.errors import ModelUnavailable

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL)S?$")
_SHORTEST = 8
"""A shorter value of a variable that nobody read a key from may stand in an innocent text by chance."""
_SHORTEST_KEY = 4
"""So may any value that is shorter than this: it is not taken for a key."""
_READ: set[str] = set()
"""Variables that a key was read from: secrets, whatever they are called."""
_LOGS = ("httpx2", *(f"httpcore2.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))
"""Where the client tells what it does; where somebody listens at the level DEBUG, with the headers of responses."""


def key_from(names: Sequence[str], *, spec: str) -> str:
    """The first of these environment variables that is set.

    Args:
        names: of the variables.
        spec: the model that needs it, for the error.

    Raises:
        ModelUnavailable: none of them is set, or what it holds is too short to be kept out of texts.
    """
    for name in names:
        value = os.environ.get(name, "").strip()
        if len(value) >= _SHORTEST_KEY:
            _READ.add(name)
            for log in _LOGS:
                logging.getLogger(log).addFilter(_redact)
            return value
        if value:
            raise ModelUnavailable(
                f"{spec!r}: the key in {name} has {len(value)} characters, expected {_SHORTEST_KEY} or more: a shorter "
                "one could not be told from other text, and kept out of it"
            )
    raise ModelUnavailable(f"{spec!r} needs a key in the environment; type: export {names[0]}=…")


def is_secret(name: str) -> bool:
    """Whether an environment variable is a secret: a key was read from it, or its name says so."""
    return name in _READ or _SECRET_NAME.search(name.upper()) is not None


def secrets_now() -> tuple[tuple[str, str], ...]:
    """Name and value of each environment variable that is a secret, the longest first: one may hold another."""
    named = [(name, os.environ[name].strip()) for name in os.environ if is_secret(name)]
    shortest = {name: _SHORTEST_KEY if name in _READ else _SHORTEST for name, _ in named}
    return tuple(sorted((one for one in named if len(one[1]) >= shortest[one[0]]), key=lambda one: -len(one[1])))


def redacted(text: str, secrets: Sequence[tuple[str, str]] | None = None) -> str:
    """The text without secrets.

    Args:
        text: of whatever origin, not cut yet.
        secrets: as of `secrets_now`; those of this moment by default.
    """
    for name, value in secrets_now() if secrets is None else secrets:
        mark = f"[{name}]"
        spelled, encoded = _written(value)
        for form in encoded:
            text = text.replace(form, mark)
        text = spelled.sub(lambda _, mark=mark: mark, text)
    return text


def _redact(record: logging.LogRecord) -> bool:
    """A filter of logs, which lets everything pass, without secrets."""
    record.msg, record.args = redacted(record.getMessage()), ()
    return True


@lru_cache(maxsize=64)
def _written(value: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """How a secret may be written: character by character, and in other alphabets."""
    raw = value.encode()
    encoded = [raw.hex(), raw.hex().upper()]
    for before in range(3):
        letters = base64.b64encode(b"\0" * before + raw).decode()
        own = letters[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]  # 6 bits each, and none of a neighbour's
        encoded += [own, own.replace("+", "-").replace("/", "_")]
    spelled = "".join(f"(?:{_spelled(character)})" for character in value)
    # what is given to a server that needs none, such as EMPTY, is a word, which an answer may hold as well
    a_word = value.isalpha() and len(value) < _SHORTEST
    pattern = re.compile(rf"(?<!\w){spelled}(?!\w)" if a_word else f"(?i:{spelled})")
    return pattern, tuple(form for form in dict.fromkeys(encoded) if len(form) >= _SHORTEST)


def _spelled(character: str) -> str:
    """A pattern of one character: as it is, behind backslashes, in a URL, or in HTML."""
    itself, number = re.escape(character), ord(character)
    behind = f"u{number:04x}|x{number:02x}" + ("" if character.isalnum() else f"|{itself}")
    url = "%(?:25)*".join(f"{byte:02x}" for byte in character.encode())
    name = re.escape(html.escape(character).strip("&;"))
    ways = (
        rf"\\\\{{0,6}}(?:{behind})",  # more than one where JSON was put into JSON
        f"%(?:25)*{url}",
        f"&(?:amp;)*(?:#0*{number}|#x0*{number:x}|{name});",
    )
    return f"{itself}|(?i:{'|'.join(ways)})"
