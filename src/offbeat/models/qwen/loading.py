"""The checkpoint in memory: the thinker alone, its tokenizer and its ear.

The part that speaks is left on the disk. One checkpoint is held at a time, whatever the number of models that use it:
a model and its controls share it, and another one takes its place.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError

from offbeat.errors import ModelUnavailable
from offbeat.models.qwen.checkpoint import Checkpoint, template_of
from offbeat.models.qwen.family import Family
from offbeat.models.qwen.foreign import Dtype, Foreign
from offbeat.models.qwen.layout import Marks

SPREAD = ("auto", "balanced", "sequential")
"""Devices that mean: over all that there are; the words of transformers, which needs `accelerate` for it."""
_lock = threading.Lock()
_held: dict[tuple[Checkpoint, str, str, str], Loaded] = {}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checkpoint in memory.

    Attributes:
        model: the thinker.
        tokenizer: with its special tokens.
        extractor: of mel spectrograms.
        template: of conversations.
        marks: the tokens that stand for picture and sound.
        family: which generation.
        device: where the tokens' embeddings are, and with them what the model is given.
        dtype: its precision.
    """

    model: Foreign
    tokenizer: Foreign
    extractor: Foreign
    template: str
    marks: Marks
    family: Family
    device: Foreign
    dtype: Dtype


def load(checkpoint: Checkpoint, *, device: str, dtype: str, attention: str) -> Loaded:
    """Load a checkpoint, or hand out the one that is held.

    Args:
        checkpoint: which.
        device: such as ``cuda:1``; empty for the best there is; see also `SPREAD`.
        dtype: such as ``bfloat16``; empty: that on a GPU, ``float32`` on a CPU.
        attention: of transformers: ``sdpa``, ``eager``, ``flash_attention_2``.

    Raises:
        ModelUnavailable: it cannot be loaded, or does not fit.
    """
    key = (checkpoint, device, dtype, attention)
    with _lock:
        if key not in _held:
            _held.clear()
            _free()
            _held[key] = _load(checkpoint, device=device, dtype=dtype, attention=attention)
        return _held[key]


def _load(checkpoint: Checkpoint, *, device: str, dtype: str, attention: str) -> Loaded:
    folder = checkpoint.whole()
    where = device or ("cuda" if torch.cuda.is_available() else "cpu")
    precision = getattr(torch, dtype or ("float32" if where == "cpu" else "bfloat16"))
    model = _thinker(folder, checkpoint.family, where, precision, attention)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        extractor = transformers.WhisperFeatureExtractor.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        raise ModelUnavailable(f"{folder}: tokenizer or preprocessor cannot be read: {error}") from error
    return Loaded(
        model=model,
        tokenizer=tokenizer,
        extractor=extractor,
        template=template_of(folder, tokenizer),
        marks=_marks(folder, checkpoint.family, tokenizer, model.config),
        family=checkpoint.family,
        device=model.get_input_embeddings().weight.device,
        dtype=precision,
    )


def _thinker(folder: Path, family: Family, where: str, precision: Dtype, attention: str) -> Foreign:
    kind = getattr(transformers, family.class_name)
    spread = {"device_map": where} if where in SPREAD else {}
    try:
        if not spread:
            torch.empty(0, device=where)  # tells of a device that is not there before gigabytes are read
        model, found = kind.from_pretrained(
            folder,
            dtype=precision,
            attn_implementation=attention,
            output_loading_info=True,
            local_files_only=True,
            **spread,
        )
        _check_loaded(folder, found)
        return (model if spread else model.to(where)).eval()
    except torch.OutOfMemoryError as error:
        raise ModelUnavailable(
            f"{folder}: does not fit into the memory of {where} in {precision}; type --option dtype=bfloat16, a "
            "smaller checkpoint, or --option device=auto, which spreads it over all devices"
        ) from error
    except SafetensorError as error:
        raise ModelUnavailable(
            f"{folder}: the weights cannot be read ({_first_line(error)}); fetch the checkpoint again"
        ) from error
    except ImportError as error:
        raise ModelUnavailable(f"{folder}: {_first_line(error)}") from error
    except (OSError, ValueError, RuntimeError, AssertionError) as error:  # torch asserts that it was built with CUDA
        raise ModelUnavailable(f"{folder}: cannot be loaded to {where}: {_first_line(error)}") from error


def _check_loaded(folder: Path, found: dict[str, Any]) -> None:
    """Transformers would make up at random what the files do not have."""
    faults = {what: sorted(map(str, found.get(what) or ())) for what in ("missing_keys", "mismatched_keys")}
    for what, names in faults.items():
        if names:
            raise ModelUnavailable(
                f"{folder}: {len(names)} tensors of the thinker are {what.partition('_')[0]}, such as {names[0]}; "
                "fetch the checkpoint again"
            )


def _marks(folder: Path, family: Family, tokenizer: Foreign, config: Foreign) -> Marks:
    """The tokenizer names them, and the configuration of the model must agree."""

    def token(name: str) -> int:
        text = getattr(tokenizer, name, None)
        found = None if text is None else tokenizer.convert_tokens_to_ids(text)
        if not isinstance(found, int) or found == tokenizer.unk_token_id:
            raise ModelUnavailable(f"{folder}: the tokenizer has no {name}; is it Qwen-Omni's?")
        return found

    marks = Marks(
        video=token("video_token"),
        sound=token("audio_token"),
        vision_begins=token("vision_bos_token"),
        vision_ends=token("vision_eos_token"),
        sound_begins=token("audio_bos_token"),
        sound_ends=token("audio_eos_token"),
    )
    if config.position_id_per_seconds != family.places_per_s:
        raise ModelUnavailable(
            f"{folder}: {config.position_id_per_seconds} places a second in config.json, expected {family.places_per_s}"
        )
    expected = (config.video_token_id, config.audio_token_id, config.vision_start_token_id, config.audio_start_token_id)
    found = (marks.video, marks.sound, marks.vision_begins, marks.sound_begins)
    if expected != found:
        raise ModelUnavailable(f"{folder}: the tokenizer's marks {found} are not those of config.json, {expected}")
    return marks


def _free() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
