"""What a worker is started with: its command, its devices, and an environment that holds no secrets."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from offbeat.errors import ModelUnavailable
from offbeat.models.keys import is_secret

MOST_WORKERS = 64
KEPT = ("PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX")
"""Names that a worker is given, where they are set."""
KEPT_BEGINNINGS = (
    *("LC_", "XDG_", "CUDA_", "NVIDIA_", "PYTORCH_", "OMP_", "MKL_", "OPENBLAS_"),
    *("HF_HOME", "HF_HUB_", "TRANSFORMERS_", "TORCH_HOME", "SSL_CERT_", "HIP_VISIBLE_", "ROCR_VISIBLE_"),
)
"""Beginnings of such names; what looks like a secret is left out all the same."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How workers are started and asked.

    Attributes:
        command: program and arguments.
        environments: of each worker.
        start_s: how long a start may take.
        timeout_s: how long one reply may take.
        memory_bytes: address space of each; 0 for any.
    """

    command: tuple[str, ...]
    environments: tuple[dict[str, str], ...]
    start_s: float
    timeout_s: float
    memory_bytes: int


def settings_from(
    argument: str,
    *,
    workers: int | None,
    devices: object,
    device_env: str,
    env: object,
    start_s: float,
    timeout_s: float,
    memory_gb: float | None,
) -> Settings:
    """Check what the user said.

    Raises:
        ModelUnavailable: something of it cannot be; the text says what.
    """
    spec = f"worker:{argument}"
    try:
        command = tuple(shlex.split(argument))
    except ValueError as error:
        raise ModelUnavailable(f"{spec!r}: the command cannot be split: {error}") from error
    if not command:
        raise ModelUnavailable("'worker:' needs a command, such as worker:'python3 worker.py'")
    if shutil.which(command[0]) is None:
        raise ModelUnavailable(f"{spec!r}: there is no program {command[0]!r}; say where it lies")
    names = names_of(devices, "devices", spec)
    if workers is not None and (type(workers) is not int or not 1 <= workers <= MOST_WORKERS):
        raise ModelUnavailable(f"{spec!r}: workers={workers!r}; expected a whole number from 1 to {MOST_WORKERS}")
    count = max(1, len(names)) if workers is None else workers
    for what, value in (("start_s", start_s), ("timeout_s", timeout_s), ("memory_gb", memory_gb)):
        if value is not None and (not isinstance(value, int | float) or not value > 0):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ModelUnavailable(f"{spec!r}: {what}={value!r}; expected a number above 0")
    base = environment_of(names_of(env, "env", spec), spec)
    return Settings(
        command=command,
        environments=tuple(
            {**base, device_env: names[place % len(names)]} if names else dict(base) for place in range(count)
        ),
        start_s=start_s,
        timeout_s=timeout_s,
        memory_bytes=0 if memory_gb is None else int(memory_gb * (1 << 30)),
    )


def names_of(given: object, what: str, spec: str) -> tuple[str, ...]:
    """``0,1`` as text, ``[0, 1]``, or a single number: as names.

    Raises:
        ModelUnavailable: none of these.
    """
    if given is None:
        return ()
    if isinstance(given, str):
        return tuple(part.strip() for part in given.split(",") if part.strip())
    parts = cast("Sequence[object]", given if isinstance(given, list | tuple) else [given])
    if not all(isinstance(part, str | int) and not isinstance(part, bool) for part in parts):
        raise ModelUnavailable(f"{spec!r}: {what}={given!r}; expected names with commas between, such as 0,1")
    return tuple(str(part) for part in parts)


def environment_of(named: Sequence[str], spec: str) -> dict[str, str]:
    """The part of ours that a worker is given: what it needs to start, and what the user names.

    Raises:
        ModelUnavailable: a name that is not set.
    """
    unset = [name for name in named if name not in os.environ]
    if unset:
        raise ModelUnavailable(f"{spec!r}: env={','.join(unset)}: not set; type: export {unset[0]}=…")
    return {
        name: value
        for name, value in os.environ.items()
        if name in named or ((name in KEPT or name.startswith(KEPT_BEGINNINGS)) and not is_secret(name))
    }
