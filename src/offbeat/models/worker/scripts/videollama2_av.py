# /// script
# requires-python = ">=3.10,<3.11"
# dependencies = [
#   "torch==2.2.0",
#   "torchaudio==2.2.0",
#   "torchvision==0.17.0",
#   "transformers==4.42.3",
#   "tokenizers==0.19.1",
#   "accelerate==0.26.1",
#   "peft==0.4.0",
#   "timm==1.0.3",
#   "numpy==1.24.4",
#   "decord==0.6.0",
#   "imageio==2.34.0",
#   "imageio-ffmpeg==0.4.9",
#   "moviepy==1.0.3",
#   "opencv-python==4.6.0.66",
#   "librosa",
#   "pytorchvideo==0.1.5",
#   "einops==0.6.1",
#   "sentencepiece==0.1.99",
#   "huggingface_hub==0.23.4",
# ]
# ///
"""VideoLLaMA2.1-7B-AV as a worker of Offbeat: ``python videollama2_av.py PATH_OR_REPO --code FOLDER``.

FOLDER is a checkout of the branch ``audio_visual`` of DAMO-NLP-SG/VideoLLaMA2, with the pins above (its
requirements.txt); the program ``ffmpeg`` must be found. The clip goes through the makers' own reader, so that the model
is what its makers evaluated.

What it cannot perceive, by that reader's construction: it sees 8 frames, from the middles of eight equal parts of the
clip, without times. It hears eight windows of 2 s, joined end to end: 16 s of sound for any clip of 2 s or more, with a
break every 2 s, most of it several times in a short clip, and then silence up to 30 s. Window i begins at i / 8 of what
is left when the last 2 s are taken off, so that the end of the clip is not heard at all. Frames and sound have no
common time axis::

    10-s clip   frames at  0.6   1.9   3.1   4.4   5.6   6.9    8.1     9.3 s
                sound      [0,2) [1,3) [2,4) [3,5) [4,6) [5,7)  [6,8)   [7,9)
                stands at  [0,2) [2,4) [4,6) [6,8) [8,10) [10,12) [12,14) [14,16)

So it can tell that the sound is another one, but hardly that it is half a second late: a score near chance says nothing
about the model's language part. `details` of each reply says how its sound was cut. (So it is with pytorchvideo 0.1.5,
the last release; the windows of its development branch reach the end of the clip.)
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

VERSION = 1
FRAMES = 8
WINDOWS = 8
WINDOW_S = 2.0
MOST_TOKENS = 64


def main(arguments: Sequence[str] | None = None, import_module: Callable[[str], Any] = importlib.import_module) -> int:
    """Speak the protocol until the input ends."""
    parser = argparse.ArgumentParser(description="VideoLLaMA2.1-7B-AV as a worker of Offbeat.")
    parser.add_argument("weights_at", metavar="PATH_OR_REPO")
    parser.add_argument("--code", required=True, metavar="FOLDER", help="checkout of the branch audio_visual")
    parser.add_argument("--label", default="", help="of code and weights, for the record: their commits")
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
        name=f"videollama2-av {given.weights_at}",
        revision=f"{VERSION} label={given.label or 'none'} max_tokens={MOST_TOKENS} greedy",
    )
    parts: tuple[Any, Any, Any] | None = None
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "close":
            break
        try:
            if parts is None:
                parts = load(given.weights_at, given.code, import_module)
        except Exception as error:  # noqa: BLE001  nothing can be asked without it
            say(type="error", id=None, kind="unavailable", message=f"{type(error).__name__}: {error}")
            continue
        try:
            details = {"sound_windows_s": windows_s(message["clip"]["length_s"]), "common_time_axis": False}
            say(type="reply", id=message["id"], text=answer(parts, message, import_module), details=details)
        except Exception as error:  # noqa: BLE001  costs this ask alone
            say(type="error", id=message["id"], kind="error", message=f"{type(error).__name__}: {error}")
    return 0


def load(weights_at: str, code: str, import_module: Callable[[str], Any]) -> tuple[Any, Any, Any]:
    """Model, reader of clips and tokenizer."""
    if not (Path(code) / "videollama2").is_dir():
        raise FileNotFoundError(f"{code}: no folder videollama2 in it; expected a checkout of the branch audio_visual")
    sys.path.insert(0, str(Path(code).resolve()))
    model, readers, tokenizer = import_module("videollama2").model_init(weights_at)
    return model, readers["video"], tokenizer


def answer(parts: tuple[Any, Any, Any], message: Mapping[str, Any], import_module: Callable[[str], Any]) -> str:
    """What the model writes: greedy. Picture and sound both, or the makers' reader would leave the sound out."""
    prompt = message["prompt"]
    if prompt["system"] is not None:
        raise ValueError("this model takes no system prompt; choose a question without one")
    model, read, tokenizer = parts
    clip = read(message["file"], va=True)
    if set(clip) != {"video", "audio"} or len(clip["video"]) != FRAMES:
        raise ValueError(f"the reader gave {sorted(clip)}; expected {FRAMES} frames and the sound")
    infer = import_module("videollama2").mm_infer
    return infer(
        clip,
        prompt["text"],
        model=model,
        tokenizer=tokenizer,
        modal="video",
        do_sample=False,
        max_new_tokens=MOST_TOKENS,
    )


def windows_s(length_s: float) -> list[list[float]]:
    """Where the pieces of sound come from, in seconds of the clip, in the order in which they are joined."""
    last = max(length_s - WINDOW_S, 0.0)
    starts = [last * place / WINDOWS for place in range(WINDOWS)]
    return [[round(start, 4), round(min(start + WINDOW_S, length_s), 4)] for start in starts]


if __name__ == "__main__":
    sys.exit(main())
