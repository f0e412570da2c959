"""Which weights answer: a folder, or a repository of a hub at one commit.

A commit says what the weights are. A folder does not: two trainings of one model have the same configuration and the
same index of tensors. Hashing 18 GB at each start would take longer than many runs, so that a folder is known by its
configuration and its tokens, and of each file of weights the length, the head, and 256 samples of 64 kB from all over
it: another training changes every one of its matrices, and shows in some of them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offbeat.errors import ModelUnavailable
from offbeat.models.qwen.family import FAMILIES, Family
from offbeat.models.qwen.foreign import Foreign
from offbeat.models.qwen.hub import from_hub

_SAMPLES = 256
_SAMPLE_BYTES = 1 << 16
_MOST_HEAD_BYTES = 1 << 25
_SMALL = ("*.json", "*.jinja", "*.txt")
_WEIGHTS = ("*.safetensors",)
_PREPROCESSORS = ("preprocessor_config.json", "processor_config.json")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights that were found, and are not loaded yet.

    Attributes:
        source: as the user named it.
        folder: where its small files are, and where it is no repository, the weights.
        revision: what it is: a commit, or a hash.
        commit: of a repository of a hub; None of a folder.
        family: which generation.
    """

    source: str
    folder: Path
    revision: str
    commit: str | None
    family: Family

    def whole(self) -> Path:
        """The folder with the weights, which are fetched if need be.

        Raises:
            ModelUnavailable: they cannot be had.
        """
        if self.commit is None:
            return self.folder
        folder = from_hub(self.source, self.commit, (*_SMALL, *_WEIGHTS))
        _check_whole(folder)
        return folder


def find_checkpoint(source: str, *, hub_revision: str | None = None) -> Checkpoint:
    """Look for a folder of this name, and for a repository of a hub otherwise; no weights are read.

    Raises:
        ModelUnavailable: there is none, or it is not Qwen-Omni's; the text says what is missing.
    """
    if not source:
        raise ModelUnavailable(
            "'qwen-omni' needs a checkpoint: qwen-omni:FOLDER, or qwen-omni:REPO, such as Qwen/Qwen2.5-Omni-3B"
        )
    folder = Path(source)
    if folder.is_dir():
        _check_whole(folder)
        return Checkpoint(source, folder, f"sha256:{_fingerprint(folder)}", None, _family_of(folder))
    if folder.is_absolute() or source.startswith(("./", "../", "~")) or source.count("/") != 1:
        raise ModelUnavailable(f"{source}: no such folder; expected a checkpoint's, or a repository as OWNER/NAME")
    small = from_hub(source, hub_revision, _SMALL)
    _check_whole(small, weights=False)
    return Checkpoint(source, small, small.name, small.name, _family_of(small))


def template_of(folder: Path, tokenizer: Foreign) -> str:
    """The chat template, wherever this generation of files keeps it.

    Raises:
        ModelUnavailable: it is nowhere.
    """
    if isinstance(tokenizer.chat_template, str):
        return tokenizer.chat_template
    plain, wrapped = folder / "chat_template.jinja", folder / "chat_template.json"
    if plain.is_file():
        return plain.read_text(encoding="utf-8")
    template = _json(wrapped).get("chat_template") if wrapped.is_file() else None
    if not isinstance(template, str):
        raise ModelUnavailable(f"{folder}: no chat template; expected chat_template.json or chat_template.jinja in it")
    return template


def _family_of(folder: Path) -> Family:
    found = _json(folder / "config.json").get("model_type")
    for family in FAMILIES:
        if found in (family.model_type, family.thinker_type):
            return family
    known = ", ".join(family.model_type for family in FAMILIES)
    raise ModelUnavailable(f"{folder}: a checkpoint of the type {found!r}, expected one of {known}")


def _check_whole(folder: Path, *, weights: bool = True) -> None:
    missing = [] if (folder / "config.json").is_file() else ["config.json"]
    if not any((folder / name).is_file() for name in _PREPROCESSORS):
        missing.append(_PREPROCESSORS[0])
    if not (folder / "tokenizer.json").is_file() and not (folder / "vocab.json").is_file():
        missing.append("tokenizer.json")
    if weights:
        missing += _missing_weights(folder)
    if missing:
        raise ModelUnavailable(f"{folder}: no whole checkpoint: {', '.join(missing)} missing")


def _missing_weights(folder: Path) -> list[str]:
    found = {path.name for path in folder.glob(_WEIGHTS[0])}
    index = folder / "model.safetensors.index.json"
    named = _json(index).get("weight_map") if index.is_file() else None
    missing = {str(file) for file in (named or {}).values()} - found
    return sorted(missing) if found or missing else [_WEIGHTS[0]]


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{path}: cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ModelUnavailable(f"{path}: expected a JSON object")
    return found


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _SMALL for path in folder.glob(pattern)):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    for path in sorted(folder.glob(_WEIGHTS[0])):
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            head_bytes = int.from_bytes(file.read(8), "little")
            digest.update(file.read(min(head_bytes, _MOST_HEAD_BYTES)))
            for sample in range(_SAMPLES):
                file.seek(max(0, size - _SAMPLE_BYTES) * sample // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:16]
