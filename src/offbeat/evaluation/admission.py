"""Whether a model may be asked at all: the probe before its first question, and what is kept of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, ModelUnavailable
from offbeat.evaluation.asking import log_fault
from offbeat.evaluation.calls.calling import Caller
from offbeat.evaluation.calls.checking import told
from offbeat.evaluation.money.purse import OutOfMoney
from offbeat.evaluation.plan import ModelPlan
from offbeat.evaluation.probe.plan import CLIPS, HEARD, MOVES, probe_calls
from offbeat.evaluation.probe.probing import Ask, probe_model
from offbeat.evaluation.probe.result import NOT_NEEDED, ProbeResult, is_settled, needs_probe
from offbeat.evaluation.probe.words import more_clips
from offbeat.models.base import JsonValue, Model, Prompt, Reply


@dataclass(frozen=True, slots=True)
class Admission:
    """What the probe led to.

    Attributes:
        record: of the probe, for run.json; None where there was no need to ask anything.
        refusal: why the model is not asked; None if it is.
    """

    record: Mapping[str, JsonValue] | None
    refusal: str | None


async def admit(
    model: Model,
    plans: Sequence[ModelPlan],
    caller: Caller,
    *,
    former: Mapping[str, JsonValue] | None,
    even_if_deaf: bool,
    clips: int = CLIPS,
    on_note: Callable[[str], None] | None = None,
    keep: Callable[[Mapping[str, JsonValue]], Awaitable[None]] | None = None,
) -> Admission:
    """Probe the model, unless it looks at nothing, has nothing left to answer, or has been probed for this run before.

    A probe that could not be carried out to its end is none; the next one goes on with the clip at which it was cut
    short.

    Args:
        model: whom.
        plans: what it is to be asked; the first question is also the probe's.
        caller: by which it is asked.
        former: the record of a former probe of this revision in this run folder.
        even_if_deaf: ask it whatever the probe finds, unless it cannot be asked at all.
        clips: how many are shown.
        on_note: is told that a probe begins, and what it found where the model is asked.
        keep: is given the record of what there is after each clip.

    Raises:
        RunError: see `Caller.call`.
    """
    if not any(plan.to_ask for plan in plans):
        return Admission(former, None)
    if not needs_probe(model):
        return Admission(NOT_NEEDED, None)
    if former is not None and is_settled(former, even_if_deaf=even_if_deaf):
        if on_note is not None and not former["passed"]:
            on_note(f"{caller.identity.name}: the probe: {former['says']} It is asked all the same.")
        return Admission({**former, "overridden": not former["passed"]}, None)
    name = caller.identity.name
    variants = list({planned.variant.row.variant_id: planned.variant for planned in plans[0].planned}.values())
    if on_note is not None:
        calls = len(probe_calls(variants, plans[0].question, clips=clips))
        on_note(f"{name}: does it hear and see? A probe, {calls} calls at most (more where clips fail)")

    async def on_clip(result: ProbeResult) -> None:
        if keep is not None:
            await keep(result.to_json())

    gone: list[ModelUnavailable] = []

    async def ask(variant: Variant, prompt: Prompt) -> Reply:
        try:
            return await asking(caller)(variant, prompt)
        except ModelUnavailable as failure:
            gone.append(failure)
            raise

    result = await probe_model(model, variants, plans[0].question, clips=clips, ask=ask, former=former, on_clip=on_clip)
    admitted = result.passed or (even_if_deaf and not gone)  # no key, no money, Ctrl-C: to insist is of no use
    overridden = not result.passed and (admitted or bool(former and former["overridden"]))
    record = {**result.to_json(), "overridden": overridden}
    if not admitted:
        return Admission(record, f"the probe: {result.says}{_hint(result)}")
    if on_note is not None:
        asked = "" if result.passed or caller.halted else " It is asked all the same."
        on_note(f"{name}: the probe: {result.says.rstrip('.')}.{asked}")
    return Admission(record, None)


def _hint(result: ProbeResult) -> str:
    """What to do about a refusal, in brackets; an error says so itself."""
    if result.error:
        return ""
    more = more_clips(result.found, flag="--probe-clips")
    ways = ["`offbeat probe` shows what it said", more, "--even-if-deaf asks it all the same"]
    return f" ({'; '.join(way for way in ways if way)})"


def asking(caller: Caller) -> Ask:
    """The way of a probe to a reply: with patience, and with the money noted as the probe's."""

    async def ask(variant: Variant, prompt: Prompt) -> Reply:
        try:
            called = await caller.call(variant, prompt, key="", purpose="probe")
        except OutOfMoney as failure:
            raise ModelUnavailable(str(failure)) from failure
        if called.reply is not None:
            return called.reply
        if isinstance(called.failure, ModelError):
            raise called.failure
        if called.failure is None:
            # a plain ModelError might be taken for the model's own, and one that may pass for a server's
            raise ModelUnavailable("the run was interrupted")
        if prompt.options not in (HEARD, MOVES):  # those it need not be able to answer
            log_fault(caller.identity, "a clip of the probe", called.failure)
        raise ModelError(told(called.failure)) from called.failure

    return ask
