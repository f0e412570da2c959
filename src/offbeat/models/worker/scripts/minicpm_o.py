# /// script
# requires-python = ">=3.10,<3.13"
# dependencies = [
#   "transformers==4.51.0",
#   "torch>=2.3.0,<=2.8.0",
#   "torchaudio<=2.8.0",
#   "accelerate",
#   "minicpmo-utils>=1.0.5",
#   "numpy",
#   "pillow",
# ]
# ///
"""MiniCPM-o 4.5 as a worker of Offbeat: ``uv run minicpm_o.py openbmb/MiniCPM-o-4_5 --weights COMMIT``.

The model takes a video as units of one second: a frame, the sound of that second, and with five frames a second (the
default; ``--stack 1`` for the frame alone) a picture of two by two further frames of it, which its makers call a high
refresh rate. The units are made here from Offbeat's arrays, and not by the makers' reader, so that every frame is the
one that is shown at its time::

    unit i       frame at i s | sound of [i, i + 1) s, 16 kHz, mono | frames at i + 1/5, 2/5, 3/5, 4/5 s

A last piece of sound shorter than 0.1 s is filled up with silence to 0.1 s, as the makers do. (In a last unit with
fewer than five frames the places that are left stay black; the makers lay those out otherwise.)

By its construction the order of frame and sound within a unit is fixed and carries no time: the model can tell a shift
below a second only by what it sees and hears within one unit, and with ``--stack 1`` by a single frame of it.

The pins are those of the makers' README of 2026, and clash with Offbeat's. The code of the model comes with its weights
and is executed (``trust_remote_code``): name a commit that you trust with ``--weights``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

VERSION = 1
SOUND_HZ = 16_000
FEWEST_SAMPLES = 1_600
MOST_TOKENS = 64
GAP = 6
"""Pixels between two frames of a picture, as the makers draw it."""


def main(arguments: Sequence[str] | None = None, import_module: Callable[[str], Any] = importlib.import_module) -> int:
    """Speak the protocol until the input ends."""
    parser = argparse.ArgumentParser(description="MiniCPM-o 4.5 as a worker of Offbeat.")
    parser.add_argument("weights_at", metavar="PATH_OR_REPO")
    parser.add_argument("--weights", metavar="COMMIT", default="main", help="commit of the weights and their code")
    parser.add_argument("--stack", type=int, choices=(1, 5), default=5, help="frames a second")
    parser.add_argument("--height", type=int, default=448, help="lines of a frame, at most")
    given = parser.parse_args(arguments)
    # whatever a library prints goes to the log: standard output is for messages alone
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**message: object) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    say(
        type="hello",
        protocol=1,
        name=f"minicpm-o {given.weights_at}",
        revision=f"{VERSION} weights={given.weights} stack={given.stack} max_tokens={MOST_TOKENS} greedy",
        media="arrays",
        fps=given.stack,
        height=given.height,
        sound_hz=SOUND_HZ,
    )
    model = None
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "close":
            break
        try:
            if model is None:
                model = load(given.weights_at, given.weights, import_module)
        except Exception as error:  # noqa: BLE001  nothing can be asked without it
            say(type="error", id=None, kind="unavailable", message=f"{type(error).__name__}: {error}")
            continue
        try:
            said = answer(model, message, given.stack, import_module)
            say(type="reply", id=message["id"], text=said, details={"units": units_in(message, import_module)})
        except Exception as error:  # noqa: BLE001  costs this ask alone
            say(type="error", id=message["id"], kind="error", message=f"{type(error).__name__}: {error}")
    return 0


def load(weights_at: str, commit: str, import_module: Callable[[str], Any]) -> Any:  # noqa: ANN401
    """The model on the device that CUDA shows, without the parts that speak."""
    torch, transformers = import_module("torch"), import_module("transformers")
    pinned = {} if Path(weights_at).is_dir() else {"revision": commit}
    model = transformers.AutoModel.from_pretrained(
        weights_at,
        trust_remote_code=True,
        attn_implementation="sdpa",
        torch_dtype=torch.bfloat16,
        init_vision=True,
        init_audio=True,
        init_tts=False,
        **pinned,
    )
    return model.eval().cuda()


def answer(model: Any, message: Mapping[str, Any], stack: int, import_module: Callable[[str], Any]) -> str:  # noqa: ANN401
    """What the model writes: greedy, the prompt after the clip."""
    prompt = message["prompt"]
    numpy, images = import_module("numpy"), import_module("PIL.Image")
    frames = numpy.load(message["arrays"]["frames"], allow_pickle=False)
    sound = numpy.load(message["arrays"]["sound"], allow_pickle=False)
    if message["arrays"]["sound_hz"] != SOUND_HZ:
        raise ValueError(f"sound at {message['arrays']['sound_hz']} Hz; expected {SOUND_HZ}")
    content = [images.fromarray(part) if part.ndim == 3 else part for part in units(frames, sound, stack, numpy)]
    messages = [{"role": "user", "content": [*content, prompt["text"]]}]
    if prompt["system"] is not None:
        messages.insert(0, {"role": "system", "content": [prompt["system"]]})
    return model.chat(
        msgs=messages,
        max_new_tokens=MOST_TOKENS,
        do_sample=False,
        omni_mode=True,
        max_slice_nums=1,
        use_image_id=False,
        use_tts_template=False,
        enable_thinking=False,
        generate_audio=False,
    )


def units(frames: Any, sound: Any, stack: int, numpy: Any) -> list[Any]:  # noqa: ANN401
    """Frame, sound and picture of further frames, second by second, as arrays.

    Args:
        frames: uint8, shape (n, height, width, 3), `stack` of them a second.
        sound: float32, shape (channels, m), at 16 kHz.
        stack: frames a second: 1, or 5.
        numpy: the module.
    """
    mono = sound.mean(axis=0, dtype=numpy.float32)
    content: list[Any] = []
    for second in range(math.ceil(len(frames) / stack)):
        first, *further = frames[second * stack : (second + 1) * stack]
        heard = mono[second * SOUND_HZ : (second + 1) * SOUND_HZ]
        if len(heard) < FEWEST_SAMPLES:
            heard = numpy.concatenate([heard, numpy.zeros(FEWEST_SAMPLES - len(heard), numpy.float32)])
        content += [first, heard]
        if further:
            content.append(grid(further, numpy))
    return content


def grid(frames: Sequence[Any], numpy: Any) -> Any:  # noqa: ANN401
    """Up to four frames as one picture, two by two in the order of reading, black between them and where one lacks."""
    height, width, _ = frames[0].shape
    picture = numpy.zeros((2 * height + GAP, 2 * width + GAP, 3), numpy.uint8)
    for place, frame in enumerate(frames):
        top, left = place // 2 * (height + GAP), place % 2 * (width + GAP)
        picture[top : top + height, left : left + width] = frame
    return picture


def units_in(message: Mapping[str, Any], import_module: Callable[[str], Any]) -> int:
    """How many units the clip was."""
    frames = import_module("numpy").load(message["arrays"]["frames"], mmap_mode="r", allow_pickle=False)
    return math.ceil(len(frames) / message["arrays"]["fps"])


if __name__ == "__main__":
    sys.exit(main())
