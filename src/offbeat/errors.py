"""Every exception that Offbeat raises on purpose.

::

    OffbeatError              catch this one; the command line prints its text and nothing more
    ├── MediaError            a file cannot be read, written or trusted; carries a short reason code
    ├── SourceListError       a source list, or a row of it, is not what it should be
    ├── DatasetError          a dataset folder is missing, incomplete, or was made otherwise
    ├── RunError              a run folder is missing, or belongs to something else
    ├── SettingsError         flags or a settings file contradict each other or name what does not exist
    └── ModelError            a model gave no answer; kept with the variant as outcome ``error``
        ├── RateLimited       asked too often: asked again later, and everything goes slower
        ├── TransientError    a fault that may pass (a reset, a time-out, 503): asked again a few times
        │   └── Unreachable   there was no connection: nothing was sent, whatever it was about
        ├── RequestRejected   the server will not have this request: not asked again in this run
        ├── NotHandedOver     some questions of a batch cannot be handed over: the others are, without them
        └── ModelUnavailable  the model cannot be used at all (unknown name, no key, another model answers): it stops

Each text names the file or row, what was found, what was expected, and what to do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


class OffbeatError(Exception):
    """Base of all errors that a user can do something about."""


class MediaError(OffbeatError):
    """A media file cannot be read, written or trusted.

    Attributes:
        reason: a short code for tables and filters: `not_media`, `no_sound`, `no_picture`, `silent`, `too_short`, ...
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class SourceListError(OffbeatError):
    """A list of sources, or one row of it, is not what it should be."""


class DatasetError(OffbeatError):
    """A dataset folder is missing, incomplete, or was made with other settings."""


class RunError(OffbeatError):
    """A run folder is missing, or holds the answers of something else."""


class SettingsError(OffbeatError):
    """Flags or a settings file contradict each other, or name what does not exist."""


class ModelError(OffbeatError):
    """A model gave no answer to this question; the next one may be answered.

    Attributes:
        usage: what the failed call cost all the same, in the words of `offbeat.models.base.Reply`; None where nobody
            knows, so that the money of the whole call has to be taken as spent; empty where it was free.
    """

    def __init__(self, message: str, *, usage: Mapping[str, Any] | None = MappingProxyType({})) -> None:
        super().__init__(message)
        self.usage = usage


class RateLimited(ModelError):
    """The server is asked too often: ask again later, and less at a time.

    Attributes:
        retry_after_s: how long the server wants us to wait; None where it does not say.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = _seconds(retry_after_s)


class TransientError(ModelError):
    """Something that may pass: a reset, a time-out, half a body, a server that is overloaded.

    Attributes:
        retry_after_s: how long the server wants us to wait; None where it does not say.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        usage: Mapping[str, Any] | None = MappingProxyType({}),
    ) -> None:
        super().__init__(message, usage=usage)
        self.retry_after_s = _seconds(retry_after_s)


def _seconds(told: float | str | None) -> float | None:
    """A number, also where a model of somebody's own hands on the text of a header; what is none is its fault."""
    if told is None:
        return None
    wait_s = float(told)
    if math.isnan(wait_s):
        raise ValueError(f"retry_after_s is {told!r}, expected a number of seconds")
    return wait_s


class Unreachable(TransientError):
    """There was no connection to the server, so that it knows nothing of what was to be sent, and has cost nothing."""


class RequestRejected(ModelError):
    """The server will not have this request, however often it is sent."""


class NotHandedOver(ModelError):
    """Some questions of a batch cannot be handed over, as their clips cannot be read; nothing was handed over yet.

    Attributes:
        failures: why, by the key of the question.
    """

    def __init__(self, failures: Mapping[str, ModelError]) -> None:
        first = next(iter(failures.values()), "no reason given")
        super().__init__(f"{len(failures)} of the questions cannot be handed over: {first}")
        self.failures = failures


class ModelUnavailable(ModelError):
    """The model cannot be used at all: unknown name, missing extra, no key, or another model than the one asked for."""


class SecondInterrupt(KeyboardInterrupt):
    """The user has interrupted twice: what is in flight is not waited for."""
