"""What every model is: something that is shown a variant, asked a prompt, and replies.

A model never decides whether its reply is an answer: it hands over what came back, and
`offbeat.evaluation` reads it. A model that cannot reply raises `ModelError`; it never invents a text.

To add one: a class with `name`, `revision` and `reply`, in a file of your own (``mymodels.py:Mine``) or under the entry
point group ``offbeat.models``. Its constructor is given those of these keywords that it names: ``argument``, what
follows the first colon of the specification (in a file, the one after the class; "" where there is none), ``seed``, an
integer, and the user's ``--option`` keywords. It raises `ModelUnavailable` for what it cannot use, and imports optional
packages itself, so that a missing one is named together with the line to type. What a model promises is tried out by
``offbeat doctor --model SPEC`` (`offbeat.evaluation.contract`)::

    class Constant:
        name, revision = "constant", "1"

        def reply(self, variant: Variant, prompt: Prompt) -> Reply:
            return Reply(text=prompt.words[0])

`reply` may as well be ``async def``: then it is awaited, many at a time, and must not block. What a model may offer
besides is in `Looks`, `Grouped`, `Paid`, `BatchPaid`, `Closing` and `Batch`; the runner asks with `isinstance`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError

Stop = Literal["complete", "refused", "truncated", "unsure"]
"""Why the reply ends: it is whole; the model declined; a limit cut it; the model said that it cannot tell."""

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"

USAGE = (
    "input_tokens",
    "text_tokens",
    "video_tokens",
    "audio_tokens",
    "cached_tokens",
    "output_tokens",
    "thinking_tokens",
)
"""The words for what a call used. `input_tokens` is the sum of its kinds, of which `cached_tokens` are a part;
`output_tokens` does not hold `thinking_tokens`. A server's own words may stand beside them."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The text that a model is given for one variant, and the words that it may answer.

    Attributes:
        text: what is asked, beside the clip.
        options: what can be chosen, such as ``sync``; the same in every wording of a question.
        words: what is to be said for each option, such as ``A``; the options themselves unless given.
        system: what stands before the conversation; None for the model's own default.
    """

    text: str
    options: tuple[str, ...]
    words: tuple[str, ...] = ()
    system: str | None = None

    def __post_init__(self) -> None:
        if not self.words:
            object.__setattr__(self, "words", self.options)

    def word_for(self, option: str) -> str:
        """What is to be said for this option.

        Raises:
            ModelError: it is not among the options.
        """
        if option not in self.options:
            raise ModelError(f"the question offers {', '.join(self.options)} only, not {option}")
        return self.words[self.options.index(option)]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, unread.

    Attributes:
        text: raw, as the model wrote it.
        stop: why it ends; `unsure` may carry a best guess as its text.
        probabilities: of each option (not word), where the model can tell, among the options: they sum to 1. How much
            of all probability lay on options at all stands in `details["option_mass"]`.
        usage: tokens, in the words of `USAGE`.
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
        revision: what exactly answers: code version, weights, and every setting that may change an answer, such as
            the frame rate. Another revision is asked again.
    """

    @property
    def name(self) -> str:
        """See above."""
        ...

    @property
    def revision(self) -> str:
        """See above."""
        ...

    def reply(self, variant: Variant, prompt: Prompt) -> Reply | Awaitable[Reply]:
        """What the model says of this variant. Called from several threads at once, or awaited many times at once.

        Raises:
            RateLimited, TransientError: there may be a reply later; it is asked again. The model itself asks once.
            RequestRejected: there will be none to this request.
            ModelUnavailable: there will be none to any request.
            ModelError: there is no reply; the text says why.
        """
        ...


@runtime_checkable
class Looks(Protocol):
    """A model that says whether it looks at the clips: `looks` is False for those that are not to be probed."""

    looks: bool


@runtime_checkable
class Grouped(Model, Protocol):
    """A model in process that answers a clip's variants together, so as to share what they have in common.

    Its replies are kept when all of them are there: one that is killed loses those of the clip in flight, which the
    next run asks again. Those whose failures may pass are asked again alone.

    Attributes:
        at_once: how many clips it takes at the same time, each from a thread of its own.
    """

    @property
    def at_once(self) -> int:
        """See above."""
        ...

    def replies(self, variants: Sequence[Variant], prompts: Sequence[Prompt]) -> Sequence[Reply | ModelError]:
        """What it says of variants of one clip, in their order; a failure stands for the variant that it belongs to.

        Raises:
            ModelUnavailable: there will be no reply to any request.
            ModelError: there is no reply to any of these.
        """
        ...


@runtime_checkable
class Paid(Model, Protocol):
    """A model whose calls cost something.

    Attributes:
        price_name: by which the table of prices knows it, such as ``gemini/gemini-3.8-flash``; None where a call is
            free, as on a server of one's own.
    """

    @property
    def price_name(self) -> str | None:
        """See above."""
        ...

    def expected_usage(self, variant: Variant, prompt: Prompt) -> Mapping[str, int]:
        """The most that one call may use, in the words of `USAGE`: the whole output budget included.

        Made from the variant's row alone; no media is opened.
        """
        ...


@runtime_checkable
class BatchPaid(Paid, Protocol):
    """A paid model that may use less for a question of a batch than for one that is asked alone."""

    def expected_usage_in_batch(self, variant: Variant, prompt: Prompt) -> Mapping[str, int]:
        """The most that a question of a batch may use; see `Paid.expected_usage`."""
        ...


def most_usage(model: Paid, variant: Variant, prompt: Prompt, *, batch: bool) -> Mapping[str, int]:
    """The most that a question may use, asked alone or in a batch."""
    if batch and isinstance(model, BatchPaid):
        return model.expected_usage_in_batch(variant, prompt)
    return model.expected_usage(variant, prompt)


@runtime_checkable
class Closing(Protocol):
    """A model that holds connections; closed in the event loop in which it was awaited."""

    async def close(self) -> None:
        """Let go of them."""
        ...


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One question of a batch: `key` tells the replies apart."""

    key: str
    variant: Variant
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Collected:
    """What a batch has given so far.

    Attributes:
        state: `pending`: come back later. `ended`: there will be nothing more.
        replies: by key; a failure stands as the error that a single call would have raised. A key without one has
            been lost by the server, and is asked again.
        note: what the server says of the state, such as why it expired.
    """

    state: Literal["pending", "ended"]
    replies: Mapping[str, Reply | ModelError]
    note: str


@runtime_checkable
class Batch(Model, Protocol):
    """A model that takes many questions at once, at a lower price, and answers them within a day."""

    async def submit(self, items: Sequence[BatchItem], *, note: Callable[[str], None]) -> str:
        """Hand over the questions.

        Args:
            items: the questions.
            note: to be told, just before the server may take the batch, a name by which `collect` finds it too: it is
                kept at once, so that a batch is not lost with the process, nor with the server's answer; what breaks
                off before has cost nothing. Where a server knows no names of ours, any that `collect` does not find.

        Returns:
            The name of the job, by which another process can collect it.

        Raises:
            NotHandedOver: some of the questions cannot be handed over; it is called again without them.
            ModelError: the batch was not taken; where nobody can tell, with usage None.
        """
        ...

    async def collect(self, job: str, items: Sequence[BatchItem]) -> Collected:
        """What there is of the job.

        Raises:
            RateLimited, TransientError, ModelUnavailable: it cannot be told now.
            RequestRejected: the server never took it: it has cost nothing, and its questions are handed over anew.
            ModelError: there is no such job any more, so that the same is done; but it may have cost all that it could.
        """
        ...
