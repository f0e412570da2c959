"""How an option may be spelled, and the tokens of each spelling.

The probability of an option is that of the reply beginning with any spelling of its word: as it is asked for, in small
letters, with a capital, in capitals, each with and without a space before it. A spelling may be one token or several
(for Qwen ``behind`` is ``beh`` + ``ind``): all its tokens count, each given those before it, so that words of one and
of two tokens can be compared. Other ways to cut a spelling into tokens are left out: a model that was trained on one
way gives them next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from offbeat.models.base import Prompt
from offbeat.models.qwen.foreign import Foreign

Tokens: TypeAlias = "tuple[int, ...]"


def spellings(word: str) -> tuple[str, ...]:
    """All of them, without repetition."""
    written = (word, word.lower(), word.capitalize(), word.upper())
    return tuple(dict.fromkeys(before + one for before in ("", " ") for one in written))


def option_tokens(prompt: Prompt, tokenizer: Foreign) -> dict[str, tuple[Tokens, ...]]:
    """The tokens of each option's spellings.

    A sequence that begins with another of the same option is left out, as it is counted there.
    """
    found: dict[str, tuple[Tokens, ...]] = {}
    for option, word in zip(prompt.options, prompt.words, strict=True):
        cut = {tuple(tokenizer.encode(one, add_special_tokens=False)) for one in spellings(word)}
        found[option] = tuple(sorted(one for one in cut if not any(_begins(one, other) for other in cut)))
    return found


def fault_of(options: Mapping[str, tuple[Tokens, ...]]) -> str | None:
    """Why these cannot be told apart by how a reply begins; None where they can."""
    for option, own in options.items():
        for other, others in options.items():
            if other != option and any(one == two or _begins(two, one) for one in own for two in others):
                return f"a spelling of {other!r} begins with one of {option!r}"
    return None


def _begins(tokens: Tokens, beginning: Tokens) -> bool:
    """Whether the tokens begin with others, and go on."""
    return len(beginning) < len(tokens) and tokens[: len(beginning)] == beginning
