"""Who a model is, asked of it once.

Name and revision may be properties of a user's own class, and fail at any time, as where a file of weights has gone.
They are read before anything is asked, and what a run keeps bears what was read then: no answer is lost over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from offbeat.errors import ModelError, ModelUnavailable
from offbeat.evaluation.calls.checking import told
from offbeat.evaluation.calls.faults import caught


class Named(Protocol):
    """Whatever has a name and a revision: a model, or what was read of it."""

    @property
    def name(self) -> str:
        """See `offbeat.models.base.Model`."""
        ...

    @property
    def revision(self) -> str:
        """Likewise."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """What a model said of itself; see `offbeat.models.base.Model`."""

    name: str
    revision: str


def identity_of(model: Named) -> Identity:
    """The model's name and revision.

    Raises:
        ModelUnavailable: one of them cannot be told; the text names the model and the property.
    """
    name = _of(model, "name", f"the model of class {type(model).__name__}")
    return Identity(name, _of(model, "revision", name))


def _of(model: Named, what: str, which: str) -> str:
    value = caught(getattr, model, what)
    if isinstance(value, BaseException):
        raise ModelUnavailable(f"{which}: its {what} cannot be told: {told(value)}") from (
            None if isinstance(value, ModelError) else value
        )
    return value
