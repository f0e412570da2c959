"""From a specification such as ``always:sync`` to a model.

A specification is a name, or a name, a colon and the rest, which is the model's own business. Names are looked up in
the entry point group ``offbeat.models``, so that another package can add one; its module is imported when asked for.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from offbeat.errors import ModelUnavailable
from offbeat.models.base import Model

GROUP = "offbeat.models"

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*?;.*\bextra\s*==\s*['\"]([^'\"]+)['\"]")


def known_models() -> dict[str, EntryPoint]:
    """Every installed model by its name; nothing is imported."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


def make_model(spec: str, *, seed: int = 0) -> Model:
    """The model that a specification names.

    Args:
        spec: ``name`` or ``name:rest``.
        seed: for models that draw at random; the others ignore it.

    Raises:
        ModelUnavailable: no such model, a package that it needs is missing, or it refuses the rest.
    """
    name, _, argument = spec.partition(":")
    known = known_models()
    if name not in known:
        raise ModelUnavailable(_unknown(spec, name, list(known)))
    entry = known[name]
    try:
        make = cast("Callable[..., Model]", entry.load())
    except (ImportError, AttributeError) as error:
        raise ModelUnavailable(_not_importable(spec, entry, error)) from error
    try:
        return make(argument=argument, seed=seed)
    except ImportError as error:
        raise ModelUnavailable(_not_importable(spec, entry, error)) from error


def _unknown(spec: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"{spec!r}: there is no model {name!r}{hint} Known: {', '.join(known) or 'none'}"


def _not_importable(spec: str, entry: EntryPoint, error: ImportError | AttributeError) -> str:
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return f"{spec!r}: {entry.value} cannot be imported: {error}"
    return (
        f"{spec!r} needs the package {error.name!r}, which is not installed; type: {_install_line(entry, error.name)}"
    )


def _install_line(entry: EntryPoint, missing: str) -> str:
    """The extra of the model's own distribution that brings the missing module, or else the module itself."""
    wanted, top = missing.replace(".", "-").replace("_", "-").lower(), missing.partition(".")[0].lower()
    if entry.dist is not None:
        for requirement in entry.dist.requires or []:
            match = _REQUIREMENT.match(requirement)
            package = match[1].replace("_", "-").lower() if match else ""
            if match and (package in (wanted, top) or package.startswith(f"{top}-")):
                return f'pip install "{entry.dist.name}[{match[2]}]"'
    return f"pip install {wanted}"
