"""Splitting answers into groups: by genre, length, delay.

A group has the tables of its own sources only: intervals within a genre resample the sources of that genre.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from offbeat.analysis.scores import Codes, Counts, confusion_by_source

KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Coded:
    """Scored answers as arrays of one length, coded as in `offbeat.analysis.scores`.

    Attributes:
        truth: 0..2.
        choice: 0..3.
        source: an integer for each source.
    """

    truth: Codes
    choice: Codes
    source: Codes

    def where(self, mask: NDArray[np.bool_]) -> Coded:
        """Those answers for which the mask is true."""
        return Coded(truth=self.truth[mask], choice=self.choice[mask], source=self.source[mask])

    def tables(self) -> Counts:
        """The confusion table of each source, shape (n_sources, 3, 4)."""
        return confusion_by_source(self.truth, self.choice, self.source)


def split(coded: Coded, keys: Sequence[KeyT]) -> dict[KeyT, Coded]:
    """The answers of each key, in the order in which keys first appear; keys without answers do not appear.

    Raises:
        ValueError: not one key for each answer.
    """
    if len(keys) != coded.truth.size:
        raise ValueError(f"expected {coded.truth.size} keys, one for each answer, got {len(keys)}")
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    codes = np.array([numbers[key] for key in keys], dtype=np.int64)
    return {key: coded.where(codes == number) for key, number in numbers.items()}
