"""Probabilities of a question's options, from the log-probabilities of the tokens with which a reply begins.

A server tells for each token of the reply which others it might have been, the likeliest twenty or so, with their
log-probabilities. Followed along the reply that was really given, these are a tree: all that might have been said with
one token more than what is known::

    ""  ──▶ "ahead" .31   option `ahead`
        ──▶ " Ahead" .04  option `ahead`: case, spaces, quotes and marks around a word do not matter
        ──▶ "sync" .22    option `sync`
        ──▶ "The" .01     no option
        ──▶ "beh" .40 ──▶ "ind" .99   option `behind`, .40 x .99: the reply went this way, so the rest is known
                      ──▶ "ave" .01   no option

Where the next token makes another word of an option (`sync`, `hronised`), that much is taken off again.

What did not become the reply cannot be followed. Such a beginning of a word counts in full for the one option that can
begin with it, if it is at least 3 letters or half of the word, or 2 that are written as the prompt writes them: `beh`
of `behind` does, and `to` of `together`; `A` and `BE` of AHEAD and BEHIND do not, as much else begins with them.

The probabilities are normalised to a sum of 1 over the options; an option that was not among the candidates has 0 (less
than the last of them). How much of the model's belief lay on the options at all is the *mass* before that, and is kept
beside them: at a mass of .02 the model was about to say something else, whatever the probabilities are. There are none
where no option is among the candidates, or where more than a hundredth lies on beginnings that fit several options.

For a model that thinks before it answers, the first tokens are not the answer; the caller has to leave these out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from offbeat.models.base import JsonValue, Prompt

AMBIGUOUS_MASS = 0.01
"""More on beginnings that fit several options, and there are no probabilities."""
_LETTERS_ENOUGH, _LETTERS_ENOUGH_AS_ASKED = 3, 2
_SPACES = re.compile(r"[\s\u2581\u0120\u010a]+")
"""The last three are how vocabularies write a space or a line feed inside a token: SentencePiece ▁, byte-level BPE Ġ
and Ċ."""
_GOES_ON = re.compile(r"[A-Za-z0-9]\0[A-Za-z0-9]")
_AROUND = " \"'`*_#:.,;!?()[]{}<>«»“”‘’„「」、。，！？…-"


@dataclass(frozen=True, slots=True)
class Place:
    """One token of a reply.

    Attributes:
        token: as text.
        logprobs: natural logarithms of the probabilities of this token and of others in its place, by text. Where a
            text comes from several tokens, their probabilities have been added.
    """

    token: str
    logprobs: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Chances:
    """What the tokens tell of the options.

    Attributes:
        probabilities: of each option, their sum 1; None where they cannot be told.
        mass: the probability of any option at all; None where nothing is known.
        reason: why there are no probabilities.
    """

    probabilities: Mapping[str, float] | None
    mass: float | None
    reason: str | None = None

    def details(self) -> dict[str, JsonValue]:
        """For `Reply.details`: the mass, and why there are no probabilities."""
        told: dict[str, JsonValue] = {}
        if self.mass is not None:
            told["option_mass"] = round(self.mass, 6)
        if self.reason is not None:
            told["no_probabilities"] = self.reason
        return told


def place_of(token: str, candidates: Sequence[tuple[str, float]]) -> Place:
    """A `Place` from what a server lists; what is no probability (NaN, above 0, minus infinity) is left out.

    Args:
        token: that was said.
        candidates: texts and log-probabilities, in any order; a text may stand there twice.
    """
    added: dict[str, float] = {}
    for text, logprob in candidates:
        if math.isfinite(logprob) and logprob < 1e-3:  # rounding may lift a sure token a little above 0
            added[text] = added.get(text, 0.0) + math.exp(min(logprob, 0.0))
    return Place(token, {text: math.log(min(chance, 1.0)) for text, chance in added.items() if chance > 0})


def chances_of(prompt: Prompt, places: Sequence[Place]) -> Chances:
    """The probability of each option.

    Args:
        prompt: the options and the words for them.
        places: the tokens of the reply, from its first.
    """
    if not places:
        return Chances(None, None, "the server sent no log-probabilities")
    words = {_plain(word): option for option, word in zip(prompt.options, prompt.words, strict=True)}
    if len(words) < len(prompt.options) or "" in words:
        return Chances(None, None, "the words for the options differ only in case or marks")
    tally = _Tally(words, {_plain(word): word for word in prompt.words}, dict.fromkeys(prompt.options, 0.0))
    said, so_far = "", 1.0
    for number, place in enumerate(places):
        begun = _plain(said)
        for token, logprob in place.logprobs.items():
            ends = begun and _plain(said + token) == begun  # after the beginning of a word: a space, a mark, the end
            if token != place.token and not ends:
                tally.add(said + token, so_far * math.exp(logprob), final=True)
        if place.token not in place.logprobs:
            return tally.result()
        said, so_far = said + place.token, so_far * math.exp(place.logprobs[place.token])
        if not tally.goes_on(said):
            if number + 1 < len(places):
                so_far *= 1 - _longer(said, places[number + 1])
            break
    tally.add(said, so_far, final=False)
    return tally.result()


def _longer(word: str, after: Place) -> float:
    """The probability that a word which is complete was the beginning of a longer one: `sync` of `synchronised`."""
    longer = {token: logprob for token, logprob in after.logprobs.items() if _GOES_ON.search(f"{word}\0{token}")}
    return min(1.0, sum(map(math.exp, longer.values())))


@dataclass(slots=True)
class _Tally:
    words: Mapping[str, str]
    asked: Mapping[str, str]
    mass: dict[str, float]
    ambiguous: float = field(default=0.0)

    def goes_on(self, text: str) -> bool:
        """Whether more has to be said before it is clear which option it is, if any."""
        plain = _plain(text)
        return plain not in self.words and (not plain or any(word.startswith(plain) for word in self.words))

    def add(self, text: str, chance: float, *, final: bool) -> None:
        """Count what was said, or might have been.

        Args:
            text: all of it.
            chance: its probability.
            final: it is a token that was not said, and cannot be followed.
        """
        plain = _plain(text)
        if not plain:
            return
        fitting = [word for word in self.words if word.startswith(plain)]
        if len(fitting) > 1:
            # `sync` where `sync-late` is an option too: known to be meant only if it was said, and nothing after it
            if plain in self.words and not final:
                self.mass[self.words[plain]] += chance
            else:
                self.ambiguous += chance
        elif fitting and (plain == fitting[0] or _long_enough(_bare(text), self.asked[fitting[0]])):
            self.mass[self.words[fitting[0]]] += chance

    def result(self) -> Chances:
        total = sum(self.mass.values())
        if self.ambiguous > AMBIGUOUS_MASS:
            return Chances(
                None, min(total, 1.0), f"{self.ambiguous:.3f} lies on beginnings that fit several of the options"
            )
        if total <= 0:
            return Chances(None, 0.0, "no option is among the candidates for the first token")
        return Chances({option: mass / total for option, mass in self.mass.items()}, min(total, 1.0))


def _long_enough(beginning: str, word: str) -> bool:
    enough = _LETTERS_ENOUGH_AS_ASKED if word.startswith(beginning) else _LETTERS_ENOUGH
    return len(beginning) >= enough or 2 * len(beginning) >= len(word)


def _bare(text: str) -> str:
    return _SPACES.sub(" ", text).strip(_AROUND)


def _plain(text: str) -> str:
    return _bare(text).casefold()
