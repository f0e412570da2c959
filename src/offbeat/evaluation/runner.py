"""A run: models are asked one after the other, and what they answer is kept.

All asking happens in an event loop in a thread of its own, so that a run can be started from anywhere, a notebook
included. On Ctrl-C nothing more goes out, what is in flight is finished and kept, and the interrupt goes on to the
caller; a second Ctrl-C does not wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from offbeat.dataset.folder import Dataset
from offbeat.errors import SettingsError
from offbeat.evaluation.answer import Answer, utc_now
from offbeat.evaluation.calling import CALL_LIMIT_S, FIRST_WAIT_S, Caller, is_asynchronous
from offbeat.evaluation.database import Database
from offbeat.evaluation.limiter import Limiter
from offbeat.evaluation.loop import Halt, run_in_loop
from offbeat.evaluation.money import Price, unknown_prices
from offbeat.evaluation.plan import ModelPlan, Selection, plan_models
from offbeat.evaluation.purse import Purse, spent_usd
from offbeat.evaluation.question import STUDY, Question
from offbeat.evaluation.run_folder import AskedRecord, held_run, note_asked
from offbeat.evaluation.summary import RunSummary, summarise
from offbeat.evaluation.turn import Turn
from offbeat.models.base import Model, Paid


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms models are asked; none of it changes an answer.

    Attributes:
        jobs: clips of a model in process at the same time.
        connections: calls of an awaited model at the same time, at most; see `offbeat.evaluation.limiter`.
        call_limit_s: the longest that such a call may take.
        prices: by name; see `offbeat.evaluation.money`.
        most_usd: what this run folder may cost in all; None for no bound.
        unknown_price_ok: ask models whose price is not known.
        first_wait_s: before the second attempt, on average twice this.
    """

    jobs: int = 1
    connections: int = 32
    call_limit_s: float = CALL_LIMIT_S
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    most_usd: float | None = None
    unknown_price_ok: bool = False
    first_wait_s: float = FIRST_WAIT_S


def run_models(
    dataset: Dataset,
    models: Sequence[Model],
    *,
    out: Path,
    questions: Sequence[Question] = (STUDY,),
    selection: Selection | None = None,
    repeats: int = 1,
    terms: Terms | None = None,
    on_progress: Callable[[Answer], None] | None = None,
) -> RunSummary:
    """Ask each model, one model after the other, about all variants that have no answer of it yet.

    Args:
        dataset: about what.
        models: whom.
        out: the run folder, made if need be.
        questions: in which wordings.
        selection: about which variants; all by default.
        repeats: how often each question is asked.
        terms: on what terms.
        on_progress: is given each answer when it is on the disk; called from another thread than this one.

    Raises:
        RunError: the folder is held by another process, belongs to another dataset, or cannot be written to.
        SettingsError, DatasetError: see `offbeat.evaluation.plan`; or a price is unknown.
    """
    selection = selection or Selection()
    terms = terms or Terms()
    if out.resolve() == dataset.folder.resolve():
        raise SettingsError(f"{out}: is the dataset itself; choose another folder for the answers")
    plan_models(dataset, models, questions, selection, repeats, None)
    _check_prices(models, terms)
    with held_run(out) as database:
        plans = plan_models(dataset, models, questions, selection, repeats, database)
        asked = {model.name: _record(model, plans, selection, repeats) for model in models}
        note_asked(out, database, dataset, questions, asked)
        stopped = run_in_loop(lambda halt: _ask_all(plans, database, terms, halt, on_progress))
        summaries = tuple(summarise(plan, database, stopped=stopped.get(plan.model.name)) for plan in plans)
        return RunSummary(summaries, spent_usd(database))


async def _ask_all(
    plans: Sequence[ModelPlan],
    database: Database,
    terms: Terms,
    halt: Halt,
    on_progress: Callable[[Answer], None] | None,
) -> dict[str, str]:
    """Every plan in turn; why models were stopped, by name."""
    purse = Purse(database, most_usd=terms.most_usd)
    stopped: dict[str, str] = {}
    for name, own in groupby(plans, key=lambda plan: plan.model.name):
        halt.renew()
        for plan in own:
            if halt.asked.is_set():
                break
            caller = make_caller(plan.model, terms=terms, purse=purse, halted=halt.asked)
            turn = Turn(plan, caller=caller, database=database, halted=halt.asked, on_progress=on_progress)
            why = await turn.take(at_once=most_at_once(plan.model, terms))
            if why is not None:
                stopped[name] = why
    return stopped


def make_caller(model: Model, *, terms: Terms, purse: Purse, halted: asyncio.Event) -> Caller:
    """Who asks a model on these terms."""
    return Caller(
        model,
        limiter=Limiter(most=most_at_once(model, terms), halted=halted, clock=time.monotonic),
        halted=halted,
        purse=purse,
        price=terms.prices.get(_price_name(model) or ""),
        call_limit_s=terms.call_limit_s,
        first_wait_s=terms.first_wait_s,
    )


def most_at_once(model: Model, terms: Terms) -> int:
    """Calls at the same time, at most."""
    return terms.connections if is_asynchronous(model) else terms.jobs


def _price_name(model: Model) -> str | None:
    return model.price_name if isinstance(model, Paid) else None


def _check_prices(models: Sequence[Model], terms: Terms) -> None:
    unknown = unknown_prices([_price_name(model) for model in models], terms.prices)
    if not unknown or (terms.unknown_price_ok and terms.most_usd is None):
        return
    what = "nobody could hold --max-cost" if terms.most_usd is not None else "nobody knows what the run would cost"
    raise SettingsError(
        f"the price of {', '.join(unknown)} is not known, so {what}; write it into a table (--prices FILE)"
        + ("" if terms.most_usd is not None else ", or go on all the same (--unknown-price)")
    )


def _record(model: Model, plans: Sequence[ModelPlan], selection: Selection, repeats: int) -> AskedRecord:
    own = [plan for plan in plans if plan.model is model]
    return AskedRecord(
        revision=model.revision,
        probe=None,
        questions=tuple(plan.question.name for plan in own),
        repeats=repeats,
        seed=selection.seed,
        limit=selection.limit,
        genres=tuple(selection.genres),
        lengths=tuple(str(length) for length in selection.lengths),
        conditions=tuple(selection.conditions),
        expected=sum(len(plan.planned) for plan in own),
        asked_at=utc_now(),
    )
