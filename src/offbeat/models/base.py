"""What every model is: something that is shown a variant, asked a prompt, and replies.

A model never decides whether its reply is an answer: it hands over what came back, and
`offbeat.evaluation` reads it. A model that cannot reply raises `ModelError`; it never invents a text.

To add one: a class with `name`, `revision` and `reply` under the entry point group ``offbeat.models``. The registry
calls it with two keywords: ``argument``, what follows the first colon of the specification ("" where there is none),
and ``seed``, an integer. It raises `ModelUnavailable` for an argument that it cannot use, and imports optional packages
itself, so that a missing one is named together with the line to type. It must pass tests/models/test_contract.py::

    class Constant:
        name, revision = "constant", "1"

        def __init__(self, *, argument: str = "", seed: int = 0) -> None: ...

        def reply(self, variant: Variant, prompt: Prompt) -> Reply:
            return Reply(text="sync")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from offbeat.dataset.variant import Variant

Stop = Literal["complete", "refused", "truncated", "unsure"]
"""Why the reply ends: it is whole; the model declined; a limit cut it; the model said that it cannot tell."""

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"


@dataclass(frozen=True, slots=True)
class Prompt:
    """The text that a model is given for one variant, and the words that it may answer."""

    text: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, unread.

    Attributes:
        text: raw, as the model wrote it.
        stop: why it ends; `unsure` may carry a best guess as its text.
        probabilities: of each option, where the model can tell; they sum to at most 1.
        usage: tokens and the like, for the record.
        details: anything else worth keeping, such as an estimated delay.
    """

    text: str
    stop: Stop = "complete"
    probabilities: Mapping[str, float] | None = None
    usage: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    details: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


class Model(Protocol):
    """Anything that answers.

    Attributes:
        name: the specification that made it, such as ``always:sync``; the row's name in every table.
        revision: what exactly answered: code version, weights, settings. Another revision is asked again.
    """

    @property
    def name(self) -> str:
        """See above."""
        ...

    @property
    def revision(self) -> str:
        """See above."""
        ...

    def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """What the model says of this variant. Called from several threads at once.

        Raises:
            ModelError: there is no reply; the text says why.
        """
        ...
