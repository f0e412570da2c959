"""Probabilities of options against the sum over everything that a made-up model could say, token by token.

The model is a tree: at each node a chance for each token. What a server tells is the way that the reply went, and the
tokens that might have stood beside it; the sum over all leaves knows everything.
"""

import math
import re

import numpy as np
import pytest

from offbeat.evaluation.question import shipped_questions, write_prompt
from offbeat.models.choices import chances_of, place_of

QUESTIONS = shipped_questions().values()
END = {}
NONSENSE = ["The", "It", " I", "Un", "\U0001f3b5", "<|im_end|>", "x-", "0"]


def with_chances(draw, children, *, likeliest=None):
    """A node: token -> (chance, what may follow)."""
    chances = draw.dirichlet(np.ones(len(children)))
    if likeliest is not None:
        tokens, top = list(children), int(chances.argmax())
        at = tokens.index(likeliest)
        chances[at], chances[top] = chances[top], chances[at]
    return {token: (chance, child) for (token, child), chance in zip(children.items(), chances, strict=True)}


def surely(token):
    return {token: (1.0, END)}


def ways(draw, words):
    """What may be said at once, and what it turns into where the reply does not go that way."""
    children = {token: surely(" nothing") for token in draw.choice(NONSENSE, 4, replace=False)}
    for word in words:
        spelt = [mark + kind for kind in (word, word.title(), word.upper()) for mark in ("", " ", "\u0120", '"', "\n")]
        children |= dict.fromkeys(draw.choice(spelt, 4, replace=False), END)
        if len(word) > 4:
            # `beh` goes on to `behind`; `A`, `B` and `BE` begin AHEAD, BEHIND, and half of all sentences
            children |= {word[:3]: surely(word[3:]), f" {word[:4].title()}": surely(word[4:])}
            children |= {word[:1].upper(): surely(" dog"), word[:2].upper(): surely("!"), word[:1]: surely("pple")}
    return children


def model_that_says(draw, pieces, words):
    """A tree whose likeliest way is these pieces; at its end the word may turn out to be a longer one."""
    node = with_chances(draw, {"": END, ".": END, " ": END, "\n": END, "ish": END, "S": END})
    for number, piece in reversed(list(enumerate(pieces))):
        others = ways(draw, words) if number == 0 else {"ave": END, " dog": END, "": END}
        node = with_chances(draw, {**others, piece: node}, likeliest=piece)
    return node


def all_that_may_be_said(node, text="", chance=1.0):
    if not node:
        yield text, chance
    for token, (own, child) in node.items():
        yield from all_that_may_be_said(child, text + token, chance * own)


def first_word(text):
    found = re.match(r"[\W\u0120]*([^\W_]+)", text)
    return found[1].casefold() if found else ""


def told_by_a_server(node, likeliest):
    """The places of the reply: at each, all candidates."""
    places = []
    while node:
        token = likeliest.pop(0) if likeliest else max(node, key=lambda token: node[token][0])
        places.append(place_of(token, [(other, math.log(chance)) for other, (chance, _) in node.items()]))
        node = node[token][1]
    return places


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_the_mass_is_that_of_all_ways_to_say_an_option(question):
    for seed in range(40):
        draw = np.random.default_rng(seed)
        prompt = write_prompt(question, clip_id=f"clip-{seed}", length_s=3)
        words = [word.casefold() for word in prompt.words]
        word = words[seed % 3]
        splits = [[word], ["\n", word.title()], ['"', word], [word.upper()]]
        if len(word) > 4:
            # one token, two, and the upper case of Qwen: A·HEAD and BE·H·IND
            splits += [[word[:3], word[3:]], [word[:1].upper(), word[1:].upper()]]
            splits += [[" ", word[:2].upper(), word[2:3].upper(), word[3:].upper()]]
        pieces = splits[seed % len(splits)]
        tree = model_that_says(draw, pieces, words)
        exact = dict.fromkeys(words, 0.0)
        total = 0.0
        for text, chance in all_that_may_be_said(tree):
            total += chance
            if first_word(text) in exact:
                exact[first_word(text)] += chance
        assert total == pytest.approx(1)
        told = chances_of(prompt, told_by_a_server(tree, list(pieces)))
        mass = sum(exact.values())
        assert told.mass == pytest.approx(mass, abs=1e-9), (seed, pieces)
        assert told.probabilities == pytest.approx(
            {option: exact[word] / mass for option, word in zip(prompt.options, words, strict=True)}, abs=1e-9
        ), (seed, pieces)
