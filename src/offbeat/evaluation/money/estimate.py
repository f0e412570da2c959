"""What a run may cost, before anything is asked: an upper bound, made from the rows of the dataset alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offbeat.evaluation.money.prices import Price, cost_usd
from offbeat.evaluation.plan import ModelPlan
from offbeat.evaluation.probe.plan import ProbeCall, probe_calls
from offbeat.evaluation.probe.probing import needs_probe
from offbeat.models.base import Model, Paid


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one model may cost with one question.

    Attributes:
        name: of the model.
        question: of the question.
        expected: answers wanted.
        kept: of which are there already.
        to_ask: calls, if none has to be made again.
        probe_calls: those of the probe, before the first question.
        tokens: the most that they may use, in the words of `offbeat.models.base.USAGE`; empty where nothing is counted.
        most_usd: the most that they may cost; 0 where a call is free, None where the price is not known.
    """

    name: str
    question: str
    expected: int
    kept: int
    to_ask: int
    probe_calls: int
    tokens: Mapping[str, int]
    most_usd: float | None


def estimate_run(plans: Sequence[ModelPlan], prices: Mapping[str, Price], *, batch: bool) -> tuple[Estimate, ...]:
    """The most that each plan may use and cost.

    Args:
        plans: what is to be asked.
        prices: by name; see `offbeat.evaluation.money.prices`.
        batch: at the price of a batch.
    """
    found: list[Estimate] = []
    probed: set[str] = set()
    for plan in plans:
        found.append(_estimate(plan, prices, batch=batch, with_probe=plan.model.name not in probed))
        probed.add(plan.model.name)
    return tuple(found)


def _estimate(plan: ModelPlan, prices: Mapping[str, Price], *, batch: bool, with_probe: bool) -> Estimate:
    model, tokens, most_usd = plan.model, Counter[str](), 0.0
    asked = [planned for group in plan.to_ask for planned in group]
    probe: Sequence[ProbeCall] = ()
    if asked and with_probe and needs_probe(model):
        probe = probe_calls([planned.variant for planned in plan.planned], plan.question)
    if isinstance(model, Paid):
        for planned in asked:
            tokens.update(model.expected_usage(planned.variant, planned.prompt))
        most_usd = _cost(model, prices, tokens, batch=batch)
        if most_usd is not None:
            most_usd += cost_of_probe(model, probe, prices) or 0.0
        for call in probe:
            tokens.update(model.expected_usage(call.variant, call.prompt))
    return Estimate(
        name=model.name,
        question=plan.question.name,
        expected=len(plan.planned),
        kept=plan.kept,
        to_ask=len(asked),
        probe_calls=len(probe),
        tokens=dict(tokens),
        most_usd=most_usd,
    )


def cost_of_probe(model: Model, calls: Sequence[ProbeCall], prices: Mapping[str, Price]) -> float | None:
    """The most that a probe may cost: 0 where calls are free, None where the price is not known."""
    if not isinstance(model, Paid):
        return 0.0
    tokens = Counter[str]()
    for call in calls:
        tokens.update(model.expected_usage(call.variant, call.prompt))
    return _cost(model, prices, tokens, batch=False)


def _cost(model: Paid, prices: Mapping[str, Price], tokens: Mapping[str, int], *, batch: bool) -> float | None:
    if model.price_name is None:
        return 0.0
    price = prices.get(model.price_name)
    return None if price is None else cost_usd(price, tokens, batch=batch) or 0.0
