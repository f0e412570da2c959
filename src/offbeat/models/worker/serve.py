"""Serve any model that Offbeat knows as a worker: ``python -m offbeat.models.worker.serve SPEC``.

So a model gets a process of its own, and with ``devices=0,1`` one for each device::

    offbeat run set --model "worker:python -m offbeat.models.worker.serve qwen-omni:PATH" --option devices=0,1 --out run

A served model answers as it would in process, as far as it looks at the clip, its ids and the prompt. The truth is not
sent, so that there is none for `oracle` to tell; the rows that it is shown say `sync` throughout.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from offbeat.dataset.schema import VariantRow
from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, OffbeatError
from offbeat.models.base import Closing, Grouped, JsonValue, Looks, Model, Prompt, Reply
from offbeat.models.registry import check_options, make_model
from offbeat.models.worker.protocol import PROTOCOL, error_kind, line_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Speak the protocol on standard input and output until the input ends; what libraries print goes to the log."""
    parser = argparse.ArgumentParser(prog="python -m offbeat.models.worker.serve", description="Serve a model.")
    parser.add_argument("spec", help="as for offbeat run --model")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="as for offbeat run")
    parser.add_argument("--seed", type=int, default=0, help="as for offbeat run")
    given = parser.parse_args(arguments)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        options = _options(given.option)
        check_options([given.spec], options)
        model = make_model(given.spec, seed=given.seed, options=options)
    except OffbeatError as error:
        _send(out, {"type": "error", "id": None, "kind": "unavailable", "message": str(error)})
        return 1
    with asyncio.Runner() as runner:
        try:
            _serve(model, sys.stdin.buffer, out, runner)
        finally:
            if isinstance(model, Closing) and inspect.isawaitable(closing := model.close()):
                runner.run(cast("Any", closing))
    return 0


def _serve(model: Model, source: BinaryIO, out: BinaryIO, runner: asyncio.Runner) -> None:
    hello = {
        "type": "hello",
        "protocol": PROTOCOL,
        "name": model.name,
        "revision": model.revision,
        "looks": not isinstance(model, Looks) or model.looks,
        "together": isinstance(model, Grouped),
    }
    _send(out, hello)
    for line in source:
        message = json.loads(line)
        if message["type"] == "close":
            return
        asks = message["asks"] if message["type"] == "ask_together" else [message]
        for ask, said in zip(asks, _said(model, asks, runner), strict=True):
            out.write(_line(ask["id"], said))
            out.flush()


def _said(model: Model, asks: Sequence[Mapping[str, Any]], runner: asyncio.Runner) -> Sequence[object]:
    """What the model hands over; a fault of its code costs these asks, and not the worker and what it has loaded."""
    variants, prompts = [_variant(ask) for ask in asks], [_prompt(ask["prompt"]) for ask in asks]
    try:
        if not isinstance(model, Grouped):
            reply = model.reply(variants[0], prompts[0])
            return [runner.run(cast("Any", reply)) if inspect.iscoroutinefunction(model.reply) else reply]
        came = list(model.replies(variants, prompts))
        if len(came) != len(asks):
            raise ValueError(f"{len(came)} replies to {len(asks)} variants")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  any fault of a model's code
        return [_told(error)] * len(asks)
    return came


def _line(number: int, said: object) -> bytes:
    """What was said as a line; what is no reply, or cannot be sent, as the error that it is."""
    try:
        return line_of({"id": number, **_message(said)})
    except Exception as error:  # noqa: BLE001  such as a number that JSON does not hold
        return line_of({"id": number, **_message(_told(error))})


def _told(error: BaseException) -> ModelError:
    return error if isinstance(error, ModelError) else ModelError(f"{type(error).__name__}: {error}")


def _message(said: object) -> dict[str, Any]:
    if isinstance(said, ModelError):
        return {"type": "error", "kind": error_kind(said), "message": str(said) or type(said).__name__}
    if not isinstance(said, Reply):
        raise TypeError(f"expected a Reply, got {said!r:.200}")
    chances = None if said.probabilities is None else dict(said.probabilities)
    return {
        "type": "reply",
        "text": said.text,
        "stop": said.stop,
        "probabilities": chances,
        "usage": dict(said.usage),
        "details": dict(said.details),
    }


def _send(out: BinaryIO, message: Mapping[str, Any]) -> None:
    out.write(line_of(message))
    out.flush()


def _variant(ask: Mapping[str, Any]) -> Variant:
    """The clip as the model is shown it, with a row that does not know the truth."""
    clip, path = ask["clip"], Path(ask["file"])
    row = VariantRow(
        file_name=path.name,
        variant_id=clip["variant_id"],
        clip_id=clip["clip_id"],
        source_id="",
        genre="",
        language=None,
        condition="",
        audio_delay_ms=0,
        label="sync",
        clip_start_s=0,
        clip_length_s=clip["length_s"],
        overlap_s=clip["length_s"],
        fps=clip["fps"],
        width=clip["width"],
        height=clip["height"],
        audio_hz=clip["audio_hz"],
        measured_delay_ms=None,
        sha256="",
    )
    return Variant(row=row, folder=path.parent)


def _prompt(prompt: Mapping[str, Any]) -> Prompt:
    return Prompt(prompt["text"], tuple(prompt["options"]), tuple(prompt["words"]), prompt["system"])


def _options(texts: Sequence[str]) -> dict[str, JsonValue]:
    options: dict[str, JsonValue] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            options[name.strip().replace("-", "_")] = json.loads(value)
        except json.JSONDecodeError:
            options[name.strip().replace("-", "_")] = value
    return options


if __name__ == "__main__":
    sys.exit(main())
