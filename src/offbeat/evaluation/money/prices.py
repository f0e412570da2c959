"""What calls cost: a table of prices with dates, and the arithmetic of tokens.

``prices.toml`` lies beside this file; a file of the user's with the same form goes before it. A price is in US dollars
for a million tokens and holds from one day on, perhaps until another. A model whose price nobody knows is not free: it
has no price here, and whoever asks it has to say that this is fine.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offbeat.errors import SettingsError
from offbeat.models.base import JsonValue

SHIPPED = "prices.toml"
_MILLION = 1_000_000


class Price(BaseModel):
    """One row of the table; US dollars for a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    """As a model's `price_name`."""
    input_usd: float = Field(ge=0)
    """Of text and picture."""
    audio_usd: float | None = Field(default=None, ge=0)
    """Of sound, where it has a price of its own."""
    output_usd: float = Field(ge=0)
    """Of what is written, thoughts included."""
    batch_share: float = Field(default=1, gt=0, le=1)
    """A call in a batch costs this share of the price."""
    since: date
    until: date | None = None
    """The last day."""
    source: str
    """Where the figures come from."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    price: list[Price]


def read_prices(own: Path | None, *, today: date) -> dict[str, Price]:
    """The prices of today by name; those of the user's file `own` go before ours.

    Raises:
        SettingsError: the file cannot be read, or is not such a table; or it has two prices for one day.
    """
    ours = _table(
        files("offbeat.evaluation.money").joinpath("prices.toml").read_text(encoding="utf-8"), "prices.toml", today
    )
    if own is None:
        return ours
    try:
        text = own.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{own}: cannot be read ({error}); expected a table of prices") from error
    return {**ours, **_table(text, str(own), today)}


def _table(text: str, where: str, today: date) -> dict[str, Price]:
    try:
        rows = _Table.model_validate(tomllib.loads(text)).price
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SettingsError(f"{where}: not a table of prices: {error}") from error
    prices: dict[str, Price] = {}
    for row in rows:
        if row.since <= today and (row.until is None or today <= row.until):
            if row.name in prices:
                raise SettingsError(f"{where}: two prices of {row.name} hold on {today}; end one with `until`")
            prices[row.name] = row
    return prices


def cost_usd(price: Price, usage: Mapping[str, JsonValue], *, batch: bool = False) -> float | None:
    """What a call cost.

    ::

        (input - audio) * input price + audio * audio price + (output + thoughts) * output price

    Cached tokens are taken at the full price: the figure is never too small.

    Args:
        price: for a million tokens.
        usage: in the words of `offbeat.models.base.USAGE`.
        batch: the call was one of a batch.

    Returns:
        US dollars; None where the usage does not tell tokens in and out.
    """
    tokens = {word: count for word, count in usage.items() if isinstance(count, int | float)}
    if "input_tokens" not in tokens or not {"output_tokens", "thinking_tokens"} & set(tokens):
        return None
    audio = tokens.get("audio_tokens", 0)
    audio_usd = price.input_usd if price.audio_usd is None else price.audio_usd
    written = tokens.get("output_tokens", 0) + tokens.get("thinking_tokens", 0)
    total = (tokens["input_tokens"] - audio) * price.input_usd + audio * audio_usd + written * price.output_usd
    return total / _MILLION * (price.batch_share if batch else 1)


def unknown_prices(names: Sequence[str | None], prices: Mapping[str, Price]) -> list[str]:
    """Those that the table does not have; None stands for a model that costs nothing."""
    return [name for name in names if name is not None and name not in prices]
