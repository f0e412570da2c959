"""What a run may cost, before anything is asked: an upper bound, made from the rows of the dataset alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from offbeat.errors import SettingsError
from offbeat.evaluation.batches.jobs import pending_jobs
from offbeat.evaluation.database import FILE, Database
from offbeat.evaluation.money.prices import Price, cost_usd
from offbeat.evaluation.plan import ModelPlan
from offbeat.evaluation.probe.plan import CLIPS, ProbeCall, probe_calls
from offbeat.evaluation.probe.result import is_settled, needs_probe
from offbeat.models.base import Model, Paid, most_usage


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one model may cost with one question.

    Attributes:
        name: of the model.
        question: of the question.
        expected: answers wanted.
        kept: of which are there already.
        to_ask: calls, if none has to be made again.
        in_batches: questions that a server has already, and whose answers have not been collected.
        probe_calls: those of the probe, before the first question.
        tokens: the most that they may use, in the words of `offbeat.models.base.USAGE`; empty where nothing is counted.
        most_usd: the most that they may cost; 0 where a call is free, None where the price is not known.
    """

    name: str
    question: str
    expected: int
    kept: int
    to_ask: int
    in_batches: int
    probe_calls: int
    tokens: Mapping[str, int]
    most_usd: float | None


def estimate_run(
    plans: Sequence[ModelPlan],
    prices: Mapping[str, Price],
    *,
    batch: bool,
    probes: Mapping[tuple[str, str], Mapping[str, Any]] = MappingProxyType({}),
    pending: Collection[str] = (),
    even_if_deaf: bool = False,
    probe_clips: int = CLIPS,
) -> tuple[Estimate, ...]:
    """The most that each plan may use and cost; a model's probe counts with the first of its plans.

    Args:
        plans: what is to be asked.
        prices: by name; see `offbeat.evaluation.money.prices`.
        batch: at the price of a batch.
        probes: what former probes for this run have found, by the model's name and revision.
        pending: keys of questions that are in batches: see `keys_in_batches`.
        even_if_deaf: ask whatever a probe finds.
        probe_clips: how many clips a probe shows.
    """
    found: list[Estimate] = []
    for plan in plans:
        model = plan.model
        own = [other for other in plans if other.model is model]
        to_probe = plan is own[0] and any(other.to_ask for other in own) and needs_probe(model)
        if to_probe and not is_settled(
            probes.get((plan.identity.name, plan.identity.revision)), even_if_deaf=even_if_deaf
        ):
            probe = probe_calls([planned.variant for planned in plan.planned], plan.question, clips=probe_clips)
        else:
            probe = ()
        found.append(_estimate(plan, prices, batch=batch, probe=probe, pending=pending))
    return tuple(found)


def _estimate(
    plan: ModelPlan, prices: Mapping[str, Price], *, batch: bool, probe: Sequence[ProbeCall], pending: Collection[str]
) -> Estimate:
    model, tokens, most_usd = plan.model, Counter[str](), 0.0
    left = [planned for group in plan.to_ask for planned in group]
    asked = [planned for planned in left if planned.key not in pending]
    if isinstance(model, Paid):
        for planned in asked:
            tokens.update(most_usage(model, planned.variant, planned.prompt, batch=batch))
        most_usd = _cost(model, prices, tokens, batch=batch)
        if most_usd is not None:
            most_usd += cost_of_probe(model, probe, prices) or 0.0
        for call in probe:
            tokens.update(model.expected_usage(call.variant, call.prompt))
    return Estimate(
        name=plan.identity.name,
        question=plan.question.name,
        expected=len(plan.planned),
        kept=plan.kept,
        to_ask=len(asked),
        in_batches=len(left) - len(asked),
        probe_calls=len(probe),
        tokens=dict(tokens),
        most_usd=most_usd,
    )


def keys_in_batches(folder: Path, models: Sequence[Model]) -> set[str]:
    """Of the questions that these models' batches hold and that have not been collected; none where nothing was asked.

    Raises:
        RunError: the answers in the run folder cannot be read.
    """
    if not (folder / FILE).exists():
        return set()
    with Database(folder / FILE, readonly=True) as database:
        return {key for model in models for job in pending_jobs(database, model.name) for key in job.keys}


def cost_of_probe(model: Model, calls: Sequence[ProbeCall], prices: Mapping[str, Price]) -> float | None:
    """The most that a probe may cost: 0 where calls are free, None where the price is not known."""
    if not isinstance(model, Paid):
        return 0.0
    tokens = Counter[str]()
    for call in calls:
        tokens.update(model.expected_usage(call.variant, call.prompt))
    return _cost(model, prices, tokens, batch=False)


def check_cost_of_probes(
    models: Sequence[Model], calls: Sequence[ProbeCall], prices: Mapping[str, Price], *, most_usd: float | None
) -> None:
    """Refuse probes that might cost more than the user wants to spend, as half a probe tells nothing.

    Args:
        models: each of which is asked all calls.
        calls: of a probe.
        prices: by name.
        most_usd: what all probes together may cost; None for no bound.

    Raises:
        SettingsError: see above.
    """
    total_usd = sum(cost_of_probe(model, calls, prices) or 0.0 for model in models if needs_probe(model))
    if most_usd is not None and total_usd > most_usd:
        raise SettingsError(
            f"the probe may cost ${total_usd:.2f}, more than the ${most_usd:g} of --max-cost; raise it, "
            "or show fewer --clips"
        )


def _cost(model: Paid, prices: Mapping[str, Price], tokens: Mapping[str, int], *, batch: bool) -> float | None:
    if model.price_name is None:
        return 0.0
    price = prices.get(model.price_name)
    return None if price is None else cost_usd(price, tokens, batch=batch) if tokens else 0.0
