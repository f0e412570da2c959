"""What a run may cost, before anything is asked: an upper bound, made from the rows of the dataset alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offbeat.evaluation.money import Price, cost_usd
from offbeat.evaluation.plan import ModelPlan
from offbeat.models.base import Paid


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one model may cost with one question.

    Attributes:
        name: of the model.
        question: of the question.
        expected: answers wanted.
        kept: of which are there already.
        to_ask: calls, if none has to be made again.
        tokens: the most that they may use, in the words of `offbeat.models.base.USAGE`; empty where nothing is counted.
        most_usd: the most that they may cost; 0 where a call is free, None where the price is not known.
    """

    name: str
    question: str
    expected: int
    kept: int
    to_ask: int
    tokens: Mapping[str, int]
    most_usd: float | None


def estimate_run(plans: Sequence[ModelPlan], prices: Mapping[str, Price], *, batch: bool) -> tuple[Estimate, ...]:
    """The most that each plan may use and cost.

    Args:
        plans: what is to be asked.
        prices: by name; see `offbeat.evaluation.money`.
        batch: at the price of a batch.
    """
    return tuple(_estimate(plan, prices, batch=batch) for plan in plans)


def _estimate(plan: ModelPlan, prices: Mapping[str, Price], *, batch: bool) -> Estimate:
    tokens: Counter[str] = Counter()
    model, most_usd = plan.model, 0.0
    if isinstance(model, Paid):
        for group in plan.to_ask:
            for planned in group:
                tokens.update(model.expected_usage(planned.variant, planned.prompt))
        if model.price_name is not None:
            price = prices.get(model.price_name)
            most_usd = None if price is None else cost_usd(price, tokens, batch=batch) or 0.0
    return Estimate(
        name=model.name,
        question=plan.question.name,
        expected=len(plan.planned),
        kept=plan.kept,
        to_ask=len(plan.planned) - plan.kept,
        tokens=dict(tokens),
        most_usd=most_usd,
    )
