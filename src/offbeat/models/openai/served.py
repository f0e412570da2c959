"""Whether the model that has answered is the one that was asked."""

from __future__ import annotations

import re

_DATED = re.compile(r"-(latest|\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4}|\d{3})$")
"""An alias and its snapshot: `-2026-01-19`, `-20260119`, `-0119`, `-001`. A single digit may be another version."""


def same_model(asked: str, served: str) -> bool:
    """Whether `served` is another way of writing `asked`.

    Case, ``models/`` before it, and what follows ``#`` or ``:`` (a deployment, a tariff) do not matter; one may be the
    end of the other's path; and where the one is an alias, the other may be a dated snapshot of it::

        Qwen/Qwen2.5-Omni-7B    Qwen2.5-Omni-7B                yes
        qwen-omni-turbo         qwen-omni-turbo-2026-01-19     yes
        mimo-v2                 mimo-v2-5, mimo-v2.5           no
        m-2026-01-19            m-2026-03-26, m                no: another snapshot, or nobody knows which
    """
    one, other = _bare(asked), _bare(served)
    alias = one.removesuffix("-latest")
    return any(_same_path(name, known) for name in (one, alias) for known in (other, _DATED.sub("", other)))


def _same_path(one: str, other: str) -> bool:
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def _bare(name: str) -> str:
    name = name.strip().strip("/").lower().removeprefix("models/").partition("#")[0]
    return re.sub(r":[a-z]+$", "", name)
