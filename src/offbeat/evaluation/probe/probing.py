"""The probe: before a run, is the model shown that it hears and sees at all?

Harnesses in wide use have dropped the sound for months without a sign of it, and published the scores. So a few clips
are shown as they are, muted, with another clip's sound and with a frozen picture, and what comes back is compared.

How it is called::

    calls = probe_calls(variants, question)             # nothing is asked: for a dry run and its price
    result = await probe_model(model, variants, question, ask=ask)
    record = result.to_json()                           # for run.json, with "overridden" set by the caller
    if not result.passed and not even_if_deaf: ...      # the run stops; result.says tells the user why

Every showing is a file of its own, of other bytes and under another name, though picture and sound are the same. Else a
cache of replies, or a random number drawn from a file's hash or name, would make a model that answers at random repeat
itself for plain clips and differ for altered ones, as if it heard.

`ask(variant, prompt)` is the caller's own way to a reply, with its retries and its money. A model with
``looks = False`` is not probed: `needs_probe` tells, and `NOT_NEEDED` is its record. What is asked stands in
`offbeat.evaluation.probe.plan`, how it is judged in `.rule`, and what is told and kept of it in `.result`.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from offbeat.dataset.altered import Alteration, alter, copied
from offbeat.dataset.variant import Variant
from offbeat.errors import (
    MediaError,
    ModelError,
    ModelUnavailable,
    RateLimited,
    RequestRejected,
    TransientError,
    Unreachable,
)
from offbeat.evaluation.cut_off import told_of
from offbeat.evaluation.identity import identity_of
from offbeat.evaluation.probe.plan import CLIPS, Asked, ProbeCall, probe_calls
from offbeat.evaluation.probe.result import ProbeResult, judge
from offbeat.evaluation.probe.rule import Said
from offbeat.evaluation.question import Question
from offbeat.evaluation.reading.parsing import read_reply
from offbeat.models.base import Model, Prompt, Reply
from offbeat.models.keys import redacted

Ask = Callable[[Variant, Prompt], Awaitable[Reply]]

MOST_REPLACED = 2
"""A server that refuses one clip in four is probed by the others; one that refuses all is not asked about each."""


async def probe_model(
    model: Model,
    variants: Sequence[Variant],
    question: Question,
    *,
    ask: Ask,
    clips: int = CLIPS,
    former: Mapping[str, Any] | None = None,
    on_clip: Callable[[ProbeResult], Awaitable[None]] | None = None,
) -> ProbeResult:
    """Show the model plain and altered clips, and judge what it says.

    Args:
        model: whom.
        variants: those that the run is about; the clips are chosen among them.
        question: the run's own.
        ask: gets a reply, or raises `ModelError`.
        clips: how many are shown. One call follows the other, since a server that mixes files up could not be told
            from one that answers at random if many were under way.
        former: the record of a probe of this revision; if it was cut short, what it showed to the end is taken over.
        on_clip: is given what there is after each clip but the last, as of a probe that was cut short.

    Returns:
        What was found; an error on the way is told there, and is no verdict. A clip that fails is replaced by another,
        `MOST_REPLACED` times at most, where the failure may be the clip's.

    Raises:
        SettingsError: no variants, or no clips are wanted.
        Exception: whatever `ask` raises that is neither a `ModelError` nor an `OSError`, and whatever `on_clip` raises.
    """
    who = identity_of(model)
    said, replaced = _taken_over(former, variants, question, clips)
    if _nothing_said(model, said, whole=True):
        said, replaced = [], {}
    done = len({one.clip for one in said})
    failed: list[Variant] = []
    in_a_row = 0
    nonce = token_hex(8)

    def found(error: str | None = None) -> ProbeResult:
        return judge(who, question, said, clips=done, replaced=replaced, error=error)

    with tempfile.TemporaryDirectory(prefix="offbeat-probe-") as scratch:
        while done < clips:
            calls = probe_calls(variants, question, clips=clips, without=replaced)
            own = [call for call in calls if call.clip == done]
            try:
                await _show(own, ask, Path(scratch) / f"{done}-{in_a_row}", nonce, said)
            except (ModelError, MediaError) as failure:
                shown, why = own[0].variant, redacted(str(failure) or type(failure).__name__)
                failed.append(shown)
                in_a_row += 1
                others = {variant.row.clip_id for variant in variants} - replaced.keys() - {shown.row.clip_id}
                if (
                    not others
                    or len(replaced) >= MOST_REPLACED
                    or _is_of_all(failure, in_a_row=in_a_row, answered=bool(said))
                ):
                    alike = {variant.row.clip_id for variant in failed[-in_a_row:]}  # and most likely innocent
                    replaced = {clip: why for clip, why in replaced.items() if clip not in alike}
                    whole = {one.variant_id for one in said if one.clip < done}
                    return found(why + _lengths_of(failure, failed, whole, variants))
                replaced = {**replaced, shown.row.clip_id: why}
                said[:] = [one for one in said if one.clip < done]
                continue
            except OSError as failure:
                told = f"{scratch}: no clip could be written there ({failure.strerror}); TMPDIR may name another folder"
                return found(told)
            done, in_a_row = done + 1, 0
            if why := _nothing_said(model, said, whole=done == clips):
                return found(why)
            if on_clip is not None and done < clips:
                await on_clip(found("it was cut short"))
    return found()


def _is_of_all(failure: ModelError | MediaError, *, in_a_row: int, answered: bool) -> bool:
    """Whether no other clip would fare better.

    What may pass was waited for with each clip, and twice is enough; once, where the server has not said a word.
    """
    if isinstance(failure, RateLimited | Unreachable | ModelUnavailable):
        return True
    return isinstance(failure, TransientError) and (in_a_row > 1 or not (answered or failure.usage is not None))


def _lengths_of(
    failure: ModelError | MediaError, failed: Sequence[Variant], shown: Collection[str], variants: Sequence[Variant]
) -> str:
    """How long the clips are at which a model failed, where those that it has borne, by their ids, are shorter."""
    if isinstance(failure, RateLimited | Unreachable | ModelUnavailable | MediaError):
        return ""
    at = {variant.row.clip_length_s for variant in failed}
    borne = {variant.row.clip_length_s for variant in variants if variant.row.variant_id in shown}
    shorter = {variant.row.clip_length_s for variant in variants if variant.row.clip_length_s < min(at)}
    if not shorter >= borne or not (borne or (shorter and isinstance(failure, RequestRejected | TransientError))):
        return ""
    told = " and ".join(f"{length:g}" for length in sorted(at))
    left = ",".join(f"{length:g}" for length in sorted(shorter))
    return f" (at clips of {told} s; --length {left} leaves these out)"


def _taken_over(
    former: Mapping[str, Any] | None, variants: Sequence[Variant], question: Question, clips: int
) -> tuple[list[Said], dict[str, str]]:
    """What a probe that was cut short has shown to the end, and which clips failed before, if it was about the same."""
    if former is None or not former["error"] or former["question"] != question.name:
        return [], {}
    replaced: dict[str, str] = former.get("replaced", {})
    if not {variant.row.clip_id for variant in variants} - replaced.keys():
        return [], {}
    calls = probe_calls(variants, question, clips=clips, without=replaced)
    shown = {call.clip: call.variant.row.variant_id for call in calls}
    said = [Said(**one) for one in former["said"] if one["clip"] < former["clips"]]
    return (said, replaced) if said and all(shown.get(one.clip) == one.variant_id for one in said) else ([], {})


def _nothing_said(model: Model, said: Sequence[Said], *, whole: bool) -> str | None:
    """Why there is nothing to judge; None where there is, or where that may yet come.

    Args:
        model: which.
        said: all that came back.
        whole: these are all clips: one that is refused says nothing about the next.
    """
    if any(one.probabilities for one in said):  # those are told before a word is said, and judged
        return None
    outcomes = {one.outcome for one in said}
    if outcomes == {"truncated"}:
        return f"each of its {len(said)} replies was {told_of(model)}"
    return f"each of its {len(said)} replies was refused, as by a filter" if outcomes == {"refused"} and whole else None


async def _show(calls: Sequence[ProbeCall], ask: Ask, scratch: Path, nonce: str, said: list[Said]) -> None:
    """All calls about one clip, one after the other; a question whose answer is known may be refused."""
    plain = await asyncio.to_thread(copied, calls[0].variant, scratch, nonce=nonce)  # rendered once
    made: dict[Alteration | None, Variant] = {None: plain}
    refused: set[Asked] = set()
    for number, call in enumerate(calls):
        if call.asked in refused:
            continue
        if call.alteration is not None and call.alteration not in made:
            made[call.alteration] = await asyncio.to_thread(
                alter, call.variant, call.alteration, scratch, other=call.other
            )
        shown = await asyncio.to_thread(copied, made[call.alteration], scratch, nonce=f"{nonce}-{number}")
        try:
            reply = await ask(shown, call.prompt)
        except (RateLimited, TransientError, ModelUnavailable):
            raise
        except ModelError:
            if call.asked == "own":
                raise
            refused.add(call.asked)
            continue
        finally:
            shown.path.unlink(missing_ok=True)  # a model may have moved it away
        said.append(_read(call, reply))


def _read(call: ProbeCall, reply: Reply) -> Said:
    prompt = call.prompt
    outcome, choice = read_reply(reply.text, reply.stop, prompt.options, prompt.words, prompt=prompt.text)
    if call.asked != "own" and outcome == "unparsed":
        choice = _only_word(reply.text, prompt.words)
    return Said(
        clip=call.clip,
        variant_id=call.variant.row.variant_id,
        alteration=call.alteration,
        asked=call.asked,
        text=reply.text,
        outcome=outcome,
        choice=choice,
        probabilities=reply.probabilities,
        usage=reply.usage,
    )


def _only_word(text: str, words: Sequence[str]) -> str | None:
    """The one of the words that occurs; a careless reading does no harm where it is only compared with its like."""
    found = [word for word in words if re.search(rf"\b{word}\b", text, re.IGNORECASE)]
    return found[0] if len(found) == 1 else None
