"""Keys of servers: they come from the environment only, and never show in a text that is kept or printed.

A key travels in a header. Should a server, a proxy or an exception repeat it, `redacted` takes it out again: every text
that comes from a model passes through there before it is stored, logged or printed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from offbeat.errors import ModelUnavailable

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL)S?$")
_SHORTEST = 8
"""A shorter value may stand in an innocent text by chance."""
_READ: set[str] = set()
"""Variables that a key was read from: secrets, whatever they are called."""


def key_from(names: Sequence[str], *, spec: str) -> str:
    """The first of these environment variables that is set.

    Args:
        names: of the variables.
        spec: the model that needs it, for the error.

    Raises:
        ModelUnavailable: none of them is set.
    """
    for name in names:
        value = os.environ.get(name, "").strip()
        if value:
            _READ.add(name)
            return value
    raise ModelUnavailable(f"{spec!r} needs a key in the environment; type: export {names[0]}=…")


def is_secret(name: str) -> bool:
    """Whether an environment variable is a secret: a key was read from it, or its name says so."""
    return name in _READ or _SECRET_NAME.search(name.upper()) is not None


def secrets_now() -> tuple[tuple[str, str], ...]:
    """Name and value of each environment variable that is a secret."""
    named = ((name, os.environ[name].strip()) for name in os.environ if is_secret(name))
    return tuple((name, value) for name, value in named if len(value) >= _SHORTEST)


def redacted(text: str, secrets: Sequence[tuple[str, str]] | None = None) -> str:
    """The text without secrets.

    Args:
        text: of whatever origin.
        secrets: as of `secrets_now`; those of this moment by default.
    """
    for name, value in secrets_now() if secrets is None else secrets:
        text = text.replace(value, f"[{name}]")
    return text
