"""What every model promises, tried out on three small clips: ten replies, so that a paid model stays cheap.

The clips have a flash and a beep in them, or whatever the caller gives. What is tried:

* made twice, it has one name and one revision, which do not change when it is asked;
* its replies are what `offbeat.models.base.Reply` promises, and can be read;
* asked again by another instance, all at once and in another order, it replies the same. One that does not may be
  quite right, as with servers that draw at random: that is told, and is no fault;
* it replies the same when the truth in the row is another;
* it replies to a question with other words;
* to a clip's variants together it replies as many times, where a run asks it so, and alike;
* the most that a call may use, for one that is paid, is not less than what the calls did use.

Models are asked as a run asks them: ``async def reply`` is awaited, all at once in one event loop, any other runs in
several threads.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias, cast

from offbeat.dataset.variant import Variant
from offbeat.errors import OffbeatError
from offbeat.evaluation.calls.calling import is_asynchronous
from offbeat.evaluation.calls.checking import checked_or_fault, told
from offbeat.evaluation.calls.faults import Failure, caught, caught_of, closed
from offbeat.evaluation.question import STUDY, find_question, prompt_for
from offbeat.evaluation.reading.parsing import read_reply
from offbeat.models.base import USAGE, Grouped, Model, Paid, Prompt, Reply
from offbeat.models.own_file import place_of
from offbeat.timing import Label

Asked: TypeAlias = tuple[Variant, Prompt]

_OTHER: dict[Label, Label] = {"sync": "ahead", "ahead": "behind", "behind": "sync"}
_OTHER_DELAY_MS = 4321.0
_SUM_TOLERANCE = 1e-3
"""Of probabilities; single precision, or a file with rounded figures, is no fault."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried.

    Attributes:
        what: its name.
        verdict: `fault`: a run with this model would go wrong, or prove nothing. `note`: good to know.
        found: what was seen.
    """

    what: str
    verdict: Literal["ok", "note", "fault"]
    found: str


def check_model(make: Callable[[], Model], variants: Sequence[Variant]) -> tuple[Check, ...]:
    """Try a model out.

    Args:
        make: makes the model anew.
        variants: one clip or more under several delays, as files that can be played.

    Returns:
        What was tried, in the order above; it ends early where nothing more can be tried.
    """
    try:
        first, second = make(), make()
    except OffbeatError as error:
        return (Check("made", "fault", str(error)),)
    study = [(variant, prompt_for(STUDY, variant)) for variant in variants]
    replies, failure = _ask(first, study, at_once=False)
    made = _check_made(first, second)  # of one that was asked and one that was not: asking must not change them
    if failure is not None:
        return made, Check("replies", "fault", failure)
    again = _check_again(second, study, replies)
    return (
        made,
        _check_read(study, replies),
        again,
        _check_truth(make(), study, replies, steady=again.verdict == "ok"),
        _check_words(make(), variants[0]),
        *_check_together(make(), study, replies),
        *_check_usage(first, study, replies),
    )


def _check_made(first: Model, second: Model) -> Check:
    names, revisions = {first.name, second.name}, {first.revision, second.revision}
    found = f"name {first.name!r}, revision {first.revision!r}"
    if not all(isinstance(text, str) and text.strip() for text in (*names, *revisions)):  # pyright: ignore[reportUnnecessaryIsInstance]
        return Check("made", "fault", f"{found}: expected two texts with something in them")
    if len(names) > 1 or len(revisions) > 1:
        return Check("made", "fault", f"{found}; made once more: name {second.name!r}, revision {second.revision!r}")
    return Check("made", "ok", found)


def _check_read(asked: Sequence[Asked], replies: Sequence[Reply]) -> Check:
    """Whether the replies can be read, and their figures be counted with; not whether they are right."""
    for reply in replies:
        counts = {word: reply.usage[word] for word in USAGE if reply.usage.get(word) is not None}
        if any(type(count) is not int or count < 0 for count in counts.values()):
            return Check("replies", "fault", f"usage {counts}, expected whole numbers of 0 or more")
        total = sum(reply.probabilities.values()) if reply.probabilities else 1.0
        if abs(total - 1) > _SUM_TOLERANCE:
            return Check("replies", "fault", f"probabilities {dict(reply.probabilities or {})}, expected a sum of 1")
    read = [_read(prompt, reply) for (_, prompt), reply in zip(asked, replies, strict=True)]
    truth = ", ".join(variant.row.label for variant, _ in asked)
    verdict = "ok" if all(outcome in ("ok", "unsure") for outcome, _ in read) else "note"
    found = ", ".join(
        choice or f"{outcome} ({reply.text!r:.60})" for (outcome, choice), reply in zip(read, replies, strict=True)
    )
    return Check("replies", verdict, f"{found}; the truth is {truth}")


def _check_again(model: Model, asked: Sequence[Asked], before: Sequence[Reply]) -> Check:
    after, failure = _ask(model, [*reversed(asked)], at_once=True)
    if failure is not None:
        return Check("asked again", "fault", f"all at once: {failure}")
    if _said(after) == _said([*reversed(before)]):
        return Check("asked again", "ok", "the same replies, all at once and in another order")
    return Check("asked again", "note", "other replies: it is not deterministic, or order matters; see --repeats")


def _check_truth(model: Model, asked: Sequence[Asked], before: Sequence[Reply], *, steady: bool) -> Check:
    after, failure = _ask(model, [(_lie(variant), prompt) for variant, prompt in asked], at_once=False)
    if failure is not None:
        return Check("truth", "fault", f"with another truth in the row: {failure}")
    if _said(after) == _said(before):
        return Check("truth", "ok", "the same replies when label and delay in the row are others")
    if steady:
        return Check("truth", "fault", "other replies when label or delay in the row are others: it reads the truth")
    return Check("truth", "note", "cannot be told, as its replies change by themselves")


def _check_words(model: Model, variant: Variant) -> Check:
    prompt = prompt_for(find_question("letters"), variant)
    replies, failure = _ask(model, [(variant, prompt)], at_once=False)
    if failure is not None:
        return Check("other words", "note", failure)
    outcome, choice = _read(prompt, replies[0])
    found = f"{replies[0].text!r:.60} to the question `letters`: {choice or outcome}"
    return Check("other words", "ok" if choice else "note", found)


def _check_together(model: Model, asked: Sequence[Asked], before: Sequence[Reply]) -> list[Check]:
    """Where a run asks about a clip's variants together, what a single question is told counts for nothing."""
    if not isinstance(model, Grouped):
        return []
    after, failure = _replies(model, partial(_together, model, asked))
    if failure is not None:
        return [Check("together", "fault", f"asked about a clip's variants together: {failure}")]
    if _said(after) == _said(before):
        return [Check("together", "ok", "the same replies to a clip's variants together")]
    found = ", ".join(f"{reply.text!r:.60}" for reply in after)
    return [Check("together", "note", f"other replies to a clip's variants together: {found}")]


def _check_usage(model: Model, asked: Sequence[Asked], replies: Sequence[Reply]) -> list[Check]:
    if not isinstance(model, Paid):
        return []
    for (variant, prompt), reply in zip(asked, replies, strict=True):
        most = caught(model.expected_usage, variant, prompt)
        if isinstance(most, BaseException):
            return [Check("usage", "fault", f"expected_usage: {place_of(most, inspect.getfile(type(model)))}")]
        if not set(most) <= set(USAGE) or any(count < 0 for count in most.values()):
            return [Check("usage", "fault", f"expected {dict(most)}, which are not counts of {', '.join(USAGE)}")]
        for kind, bound in most.items():
            used = reply.usage.get(kind)
            if isinstance(used, int) and used > bound:
                return [Check("usage", "fault", f"{used} {kind} used, at most {bound} expected: money could run out")]
    return [Check("usage", "ok", f"within what was expected; priced as {model.price_name or 'free'}")]


def _ask(model: Model, asked: Sequence[Asked], *, at_once: bool) -> tuple[list[Reply], str | None]:
    """The replies; or why there is one that is none."""
    return _replies(model, partial(_one_by_one, model, asked, at_once=at_once))


def _replies(model: Model, ask: Callable[[], Awaitable[list[Reply | Failure]]]) -> tuple[list[Reply], str | None]:
    """The same, whichever way it is asked; the model is let go afterwards."""

    async def go() -> list[Reply | Failure]:
        came = await ask()
        failure = await closed(model)
        return came if failure is None else [*came, failure]

    came = asyncio.run(go())
    failure = next((one for one in came if isinstance(one, BaseException)), None)
    if failure is None:
        return [one for one in came if isinstance(one, Reply)], None
    if isinstance(failure, OffbeatError):
        return [], told(failure)
    return [], place_of(failure, inspect.getfile(type(model)))


async def _one_by_one(model: Model, asked: Sequence[Asked], *, at_once: bool) -> list[Reply | Failure]:
    if at_once:
        return await asyncio.gather(*(_reply(model, *one) for one in asked))
    return [await _reply(model, *one) for one in asked]


async def _reply(model: Model, variant: Variant, prompt: Prompt) -> Reply | Failure:
    if is_asynchronous(model):
        came = await caught_of(cast("Callable[..., Awaitable[Reply]]", model.reply), variant, prompt)
    else:
        came = await asyncio.to_thread(caught, cast("Callable[..., Reply]", model.reply), variant, prompt)
    return checked_or_fault(came, prompt.options)


async def _together(model: Grouped, asked: Sequence[Asked]) -> list[Reply | Failure]:
    came = await asyncio.to_thread(caught, model.replies, [one for one, _ in asked], [prompt for _, prompt in asked])
    if isinstance(came, BaseException):
        return [came]
    if len(came) != len(asked):
        return [ValueError(f"{len(came)} replies to {len(asked)} variants")]
    return [checked_or_fault(one, prompt.options) for one, (_, prompt) in zip(came, asked, strict=True)]


def _read(prompt: Prompt, reply: Reply) -> tuple[str, str | None]:
    return read_reply(reply.text, reply.stop, prompt.options, prompt.words, prompt=prompt.text)


def _said(replies: Sequence[Reply]) -> list[tuple[object, ...]]:
    """What must not change; usage and details may."""
    return [(reply.text, reply.stop, reply.probabilities) for reply in replies]


def _lie(variant: Variant) -> Variant:
    label = _OTHER[variant.row.label]
    changes = {
        "label": label,
        "audio_delay_ms": _OTHER_DELAY_MS,
        "overlap_s": 0.1,
        "measured_delay_ms": _OTHER_DELAY_MS,
    }
    return replace(variant, row=variant.row.model_copy(update=changes))
