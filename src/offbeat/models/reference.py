"""Three that look at nothing: chance, a constant, and the truth itself.

Chance and the constants are the lines beside which a score is read; the oracle shows that the way from variants to
scores is sound, since anything but 100 % there is a fault of ours.
"""

from __future__ import annotations

import hashlib

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelUnavailable
from offbeat.models.base import Prompt, Reply
from offbeat.timing import LABELS


class Random:
    """Each option with the same chance; ``random``.

    The choice is drawn from the seed and the variant's id alone, so that it is the same in whatever order, in however
    many threads and however often it is asked.

    Args:
        argument: must be empty.
        seed: another seed, other choices.
    """

    name = "random"
    looks = False

    def __init__(self, *, argument: str = "", seed: int = 0) -> None:
        _refuse_argument(self.name, argument)
        self._seed = seed

    @property
    def revision(self) -> str:
        """The code's version and the seed."""
        return f"1 seed={self._seed}"

    def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """One of the options."""
        digest = hashlib.sha256(f"{self._seed}:{variant.row.variant_id}".encode()).digest()
        return Reply(text=prompt.words[int.from_bytes(digest) % len(prompt.words)])


class Always:
    """The same choice every time; ``always:sync``, ``always:ahead``, ``always:behind``.

    Args:
        argument: the choice, whatever its word in the question is.
        seed: not used.
    """

    revision = "1"
    looks = False

    def __init__(self, *, argument: str, seed: int = 0) -> None:
        if argument not in LABELS:
            choices = ", ".join(f"always:{label}" for label in LABELS)
            raise ModelUnavailable(f"'always:{argument}': expected one of {choices}")
        self._option = argument

    @property
    def name(self) -> str:
        """With its choice, such as ``always:sync``."""
        return f"always:{self._option}"

    def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """The word for its choice.

        Raises:
            ModelError: the question does not offer it.
        """
        return Reply(text=prompt.word_for(self._option))


class Oracle:
    """The truth, read from the row; ``oracle``. A check of everything around the models, and no model itself.

    Args:
        argument: must be empty.
        seed: not used.
    """

    name = "oracle"
    revision = "1"
    looks = False

    def __init__(self, *, argument: str = "", seed: int = 0) -> None:
        _refuse_argument(self.name, argument)

    def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """The word for the variant's label.

        Raises:
            ModelError: the question does not offer it.
        """
        return Reply(text=prompt.word_for(variant.row.label))


def _refuse_argument(name: str, argument: str) -> None:
    if argument:
        raise ModelUnavailable(f"'{name}:{argument}': {name} takes nothing after its name")
