"""The flags by which a model's own options are given: ``--option NAME=VALUE``, and ``--base-url`` for one of them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from offbeat.models.base import JsonValue

option_flag = click.option(
    "--option",
    "option_texts",
    metavar="NAME=VALUE",
    multiple=True,
    help="An option of a model, such as fps=8; several times. `offbeat models` lists them.",
)
base_url_flag = click.option("--base-url", metavar="URL", help="Where openai:MODEL is served.")


def finite(ctx: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """For options: NaN is no number, and less than nothing and more than nothing alike."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"expected a number, got {value}")
    return value


def read_options(texts: Sequence[str], base_url: str | None, specs: Sequence[str]) -> dict[str, JsonValue]:
    """The options by name; a value is read as JSON, and as text where it is none.

    Raises:
        click.BadParameter: not NAME=VALUE, or a name twice; or an address for servers of several kinds.
        SettingsError: no model takes such an option.
        ModelUnavailable: there is no such model.
    """
    from offbeat.models.registry import check_options

    options: dict[str, JsonValue] = {}
    for text in [*texts, *([] if base_url is None else [f"base_url={base_url}"])]:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise click.BadParameter(f"{text!r}: expected NAME=VALUE, such as fps=8", param_hint="--option")
        if name in options:
            raise click.BadParameter(f"{name} is given twice", param_hint="--option")
        options[name] = _value(value)
    check_options(specs, options)
    if "base_url" in options:
        _check_one_kind(specs)
    return options


def _check_one_kind(specs: Sequence[str]) -> None:
    """Refuse one address for several kinds of models: each would send its key to the other's server."""
    from offbeat.models.registry import find_kind

    kinds = {kind.place: kind.spec for kind in map(find_kind, specs) if "base_url" in kind.options()}
    if len(kinds) > 1:
        told = " and ".join(kinds.values())
        raise click.BadParameter(f"{told} would all be asked there, each with its key; run one at a time")


def _value(text: str) -> JsonValue:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or more digits or brackets than Python reads
        return text
