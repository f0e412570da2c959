"""What calls cost: a table of prices with dates, and the arithmetic of tokens.

``prices.toml`` lies beside this file; a file of the user's with the same form goes before it. A price is in US dollars
for a million tokens and holds from one day on, perhaps until another. A model whose price nobody knows is not free: it
has no price here, and whoever asks it has to say that this is fine.

A call is reckoned at the price of the day on which it is made, however long the run has been under way. A maker's day
begins at another hour than ours, and a call or a batch may end on a later one than it began: so the dearest of that day
and the next is taken, and of the next two for a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import groupby, pairwise
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from offbeat.errors import SettingsError
from offbeat.evaluation.tables import parse_table, text_of
from offbeat.models.base import JsonValue

SHIPPED = "prices.toml"
MOST_TOKENS = 10**15
"""More than this is no count of tokens."""
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One row of the table; US dollars for a million tokens.

    Attributes:
        name: as a model's `price_name`.
        input_usd: of text and picture.
        output_usd: of what is written, thoughts included.
        audio_usd: of sound, where it has a price of its own.
        batch_share: a call in a batch costs this share of the price.
        since: the first day.
        until: the last day; None where none is known.
        source: where the figures come from.
        others: all rows of this name, those that go before others first.
    """

    name: str
    input_usd: float
    output_usd: float
    audio_usd: float | None = None
    batch_share: float = 1.0
    since: date
    until: date | None = None
    source: str
    others: tuple[Price, ...] = ()

    def holds(self, day: date) -> bool:
        """Whether it is the price of this day."""
        return self.since <= day and (self.until is None or day <= self.until)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    name: str = Field(min_length=1)
    input_usd: float = Field(ge=0)
    output_usd: float = Field(ge=0)
    audio_usd: float | None = Field(default=None, ge=0)
    batch_share: float = Field(default=1, gt=0, le=1)
    since: date
    until: date | None = None
    source: str


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    price: list[_Row] = Field(min_length=1)


def this_day() -> date:
    """In UTC."""
    return datetime.now(UTC).date()


def read_prices(own: Path | None, *, today: date) -> dict[str, Price]:
    """The prices of today by name, each with what holds on others; those of the user's file `own` go before ours.

    Raises:
        SettingsError: the file cannot be read, or is not such a table; or it has two prices for one day.
    """
    shipped = files("offbeat.evaluation.money").joinpath(SHIPPED).read_text(encoding="utf-8")
    rows = ([] if own is None else _rows(text_of(own), str(own))) + _rows(shipped, SHIPPED)
    found: dict[str, Price] = {}
    for name in {row.name for row in rows}:
        others = tuple(row for row in rows if row.name == name)
        holding = next((row for row in others if row.holds(today)), None)
        if holding is not None:
            found[name] = replace(holding, others=others)
    return found


def _rows(text: str, where: str) -> list[Price]:
    rows = [Price(**row.model_dump()) for row in parse_table(text, where, _Table).price]
    for row in rows:
        if row.until is not None and row.until < row.since:
            raise SettingsError(f"{where}: {row.name}: until {row.until} is before since {row.since}; mend one of them")
    in_order = sorted(rows, key=lambda row: (row.name, row.since))
    for _, alike in groupby(in_order, key=lambda row: row.name):
        for first, second in pairwise(alike):
            if first.holds(second.since):
                raise SettingsError(
                    f"{where}: two prices of {first.name} hold on {second.since}; end the one since {first.since} with "
                    f"until = {second.since - timedelta(days=1)}"
                )
    return in_order


def cost_usd(
    price: Price, usage: Mapping[str, JsonValue], *, batch: bool = False, day: date | None = None
) -> float | None:
    """What a call cost.

    ::

        (input + tool - audio) * input price + audio * audio price + (output + thoughts) * output price

    Cached tokens are taken at the full price, and the dearest price of some days (see the module): the figure is never
    too small.

    Args:
        price: for a million tokens.
        usage: in the words of `offbeat.models.base.USAGE`, and ``tool_tokens``: what a model has looked up besides.
        batch: the call was one of a batch.
        day: on which it is made; today unless given.

    Returns:
        US dollars; None where the usage does not tell tokens in and out, or what it tells is no count.
    """
    told = {word: count for word in _COUNTED if (count := usage.get(word)) is not None}
    tokens = {word: n for word, n in told.items() if isinstance(n, int | float) and 0 <= n < MOST_TOKENS}
    if tokens.keys() < told.keys() or "input_tokens" not in tokens or not _WRITTEN & tokens.keys():
        return None
    first = this_day() if day is None else day
    days = [first + timedelta(days=later) for later in range(3 if batch else 2)]
    holding = [next((row for row in price.others if row.holds(one)), price) for one in days]
    return max(_cost_usd(row, tokens) * (row.batch_share if batch else 1) for row in holding)


_WRITTEN = {"output_tokens", "thinking_tokens"}
_COUNTED = {"input_tokens", "audio_tokens", "tool_tokens"} | _WRITTEN


def _cost_usd(price: Price, tokens: Mapping[str, float]) -> float:
    audio = tokens.get("audio_tokens", 0)
    audio_usd = price.input_usd if price.audio_usd is None else price.audio_usd
    seen = max(0, tokens["input_tokens"] + tokens.get("tool_tokens", 0) - audio)
    written = sum(tokens.get(word, 0) for word in _WRITTEN)
    return (seen * price.input_usd + audio * audio_usd + written * price.output_usd) / _MILLION


def unknown_prices(names: Sequence[str | None], prices: Mapping[str, Price]) -> list[str]:
    """Those that the table does not have; None stands for a model that costs nothing."""
    return [name for name in names if name is not None and name not in prices]
