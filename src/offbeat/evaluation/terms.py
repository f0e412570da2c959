"""On what terms models are asked: how many calls at once, how long each may take, and what all of it may cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from offbeat.errors import SettingsError
from offbeat.evaluation.calls.calling import CALL_LIMIT_S, Caller, is_asynchronous
from offbeat.evaluation.calls.limiter import Limiter
from offbeat.evaluation.calls.open_files import calls_that_fit
from offbeat.evaluation.calls.patience import FIRST_WAIT_S
from offbeat.evaluation.identity import Identity
from offbeat.evaluation.money.prices import Price, unknown_prices
from offbeat.evaluation.money.purse import Purse
from offbeat.evaluation.probe.plan import CLIPS
from offbeat.models.base import Grouped, Model, Paid


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms models are asked; none of it changes an answer.

    Attributes:
        jobs: clips of a model in process at the same time.
        connections: calls of an awaited model at the same time, at most; see `offbeat.evaluation.calls.limiter`.
        call_limit_s: the longest that such a call may take.
        prices: by name; see `offbeat.evaluation.money.prices`.
        most_usd: what this run folder may cost in all; None for no bound.
        unknown_price_ok: ask models whose price is not known.
        even_if_deaf: ask models of which the probe did not show that they hear and see.
        probe_clips: how many clips the probe shows.
        batch: hand over batches and collect them; see `offbeat.evaluation.batches`.
        first_wait_s: before the second attempt, on average twice this.
    """

    jobs: int = 1
    connections: int = 32
    call_limit_s: float = CALL_LIMIT_S
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    most_usd: float | None = None
    unknown_price_ok: bool = False
    even_if_deaf: bool = False
    probe_clips: int = CLIPS
    batch: bool = False
    first_wait_s: float = FIRST_WAIT_S


def make_caller(
    model: Model, *, terms: Terms, purse: Purse, halted: asyncio.Event, identity: Identity | None = None
) -> Caller:
    """Who asks a model on these terms; see `Caller`."""
    return Caller(
        model,
        identity=identity,
        limiter=Limiter(most=most_at_once(model, terms), halted=halted, clock=time.monotonic),
        halted=halted,
        purse=purse,
        price=terms.prices.get(price_name(model) or ""),
        call_limit_s=terms.call_limit_s,
        first_wait_s=terms.first_wait_s,
    )


def most_at_once(model: Model, terms: Terms) -> int:
    """Calls at the same time, at most."""
    if isinstance(model, Grouped):
        return max(1, model.at_once)
    return calls_that_fit(terms.connections) if is_asynchronous(model) else terms.jobs


def price_name(model: Model) -> str | None:
    """By which the table of prices knows the model; None where its calls are free."""
    return model.price_name if isinstance(model, Paid) else None


def check_prices(models: Sequence[Model], terms: Terms) -> None:
    """Refuse models whose price nobody knows, unless that is fine.

    Raises:
        SettingsError: see above.
    """
    unknown = unknown_prices([price_name(model) for model in models], terms.prices)
    if not unknown or (terms.unknown_price_ok and terms.most_usd is None):
        return
    what = "nobody could hold --max-cost" if terms.most_usd is not None else "nobody knows what the run would cost"
    raise SettingsError(
        f"the price of {', '.join(unknown)} is not known, so {what}; write it into a table (--prices FILE)"
        + ("" if terms.most_usd is not None else ", or go on all the same (--unknown-price)")
    )
