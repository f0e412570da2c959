"""Numbers and names as the page shows them.

Shares are given in per cent with one decimal, intervals as ``[low, high]``, what does not exist as ``–``. A true minus
sign is used, so that columns of numbers line up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from offbeat.analysis.intervals import Estimate
from offbeat.timing import Label

NOTHING = "–"

LABEL_WORDS: dict[Label, str] = {
    "sync": "sound and picture together",
    "ahead": "sound earlier than picture",
    "behind": "sound later than picture",
}


def percent(share: float | None) -> str:
    """``47.6`` for 0.476; the unit stands in the heading."""
    return NOTHING if share is None else f"{100 * share:.1f}"


def interval(estimate: Estimate) -> str:
    """``[41.0, 54.2]``, in per cent."""
    if estimate.low is None or estimate.high is None:
        return NOTHING
    return f"[{percent(estimate.low)}, {percent(estimate.high)}]"


def with_interval(estimate: Estimate) -> str:
    """``47.6 % [41.0, 54.2]``, for sentences."""
    if estimate.value is None:
        return NOTHING
    low_high = interval(estimate)
    return f"{percent(estimate.value)} %" + ("" if low_high == NOTHING else f" {low_high}")


def count(number: int) -> str:
    """``4,284``."""
    return f"{number:,}"


def seconds(value: float) -> str:
    """``3``, ``2.5``: no trailing zeros."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def delay(audio_delay_ms: float) -> str:
    """``+0.5``, ``−0.04``, ``0``: in seconds, with its sign."""
    if audio_delay_ms == 0:
        return "0"
    return ("+" if audio_delay_ms > 0 else "−") + seconds(abs(audio_delay_ms) / 1000)


def signed_ms(value: float) -> str:
    """``+0.02``, ``−1.50``: milliseconds with their sign."""
    return f"{value:+.2f}".replace("-", "−")


def whole_ms(value: float) -> str:
    """``+125``, ``−45``: whole milliseconds with their sign."""
    return f"{value:+,.0f}".replace("-", "−")


def link(**filters: str | float | None) -> str:
    """A link to the browser of variants with these filters set; None leaves one open."""
    chosen = {key: value for key, value in filters.items() if value is not None}
    return "#" + urlencode({k: visible(v) if isinstance(v, str) else seconds(v) for k, v in chosen.items()})


def visible(text: str) -> str:
    """Text of others, with all that would not be seen, or would change how the rest is read, made visible.

    Control characters become their pictures (``␛`` for escape); C1 controls, lone surrogates and marks that turn the
    direction of writing become the replacement character. Line breaks and tabs stay.
    """
    return "".join(_visible(character) for character in text)


def listed(items: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    words = list(items)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else NOTHING


def turned(question: Mapping[str, Any]) -> str:
    """What changes from clip to clip, of a question as run.json has it; nothing where its order is fixed."""
    if question["order"] != "shuffled":
        return ""
    letters = all(len(word) == 1 for word in question["words"])
    return ", where the letters change meanings from clip to clip" if letters else ", in another order for each clip"


def apart(texts: Iterable[str]) -> dict[str, str]:
    """Of each of several texts the words that not all have; the whole texts where these would not tell them apart."""
    words = {text: text.split() for text in texts}
    shared = {word for own in words.values() for word in own if all(word in other for other in words.values())}
    short = {text: " ".join(word for word in own if word not in shared) for text, own in words.items()}
    return short if all(short.values()) and len(set(short.values())) == len(short) else {text: text for text in short}


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20 and character not in "\n\t":
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    turns = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 or code in (0x200E, 0x200F, 0x061C)
    if 0x80 <= code < 0xA0 or 0xD800 <= code <= 0xDFFF or turns or code in (0x2028, 0x2029):
        return "\ufffd"
    return character
