"""What broadcasting standards say of people, in the sign of this package: + means that the sound comes later.

The standards count the lead of the sound as positive; their figures are negated here. They are given as others quote
them, and were made for the television of their time: BT.1359 with cathode-ray tubes and viewers of speech.

References:
    ITU-R BT.1359-1, *Relative timing of sound and vision for broadcasting*, 1998. ATSC IS-191, *Relative timing of
    sound and vision for broadcast operations*, 2003.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HumanLimit:
    """A range within which sound and picture pass for being together.

    Attributes:
        name: in a few words.
        early_ms: how early the sound may come; negative.
        late_ms: how late.
        source: the standard.
    """

    name: str
    early_ms: float
    late_ms: float
    source: str


HUMAN_LIMITS = (
    HumanLimit("people notice beyond", -45.0, 125.0, "ITU-R BT.1359-1, detectability"),
    HumanLimit("people mind beyond", -90.0, 185.0, "ITU-R BT.1359-1, acceptability"),
    HumanLimit("broadcasters stay within", -15.0, 45.0, "ATSC IS-191"),
)
