"""Whether a model prefers a place in the list of options, whatever stands there: told where their order was shuffled.

Truth and choice are coded by their places in the prompt in place of their labels; so the figures are those of
`offbeat.analysis`: ``bias = (number that chose the place - number whose true option stood there) / n``. Where letters
are asked for, the first place is that of the first letter. A preference for a word is spread over all places by the
shuffling, and does not show here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from offbeat.analysis import bias, scores
from offbeat.analysis.groups import Coded
from offbeat.analysis.intervals import estimate
from offbeat.evaluation.answer import Answer
from offbeat.report.draws import Draws
from offbeat.report.values import Place
from offbeat.timing import LABELS


def places(answers: Sequence[Answer], coded: Coded, draws: Draws) -> tuple[Place, ...]:
    """Each place in the list of options, the first one first.

    Args:
        answers: those that are scored, to one question.
        coded: the same, in the same order.
        draws: of sources.

    Returns:
        Nothing where all were asked in one order, or a prompt does not show its options one a line.
    """
    known: dict[tuple[str, tuple[str, ...]], tuple[int, ...] | None] = {}
    orders: list[tuple[int, ...] | None] = []
    for answer in answers:
        words = tuple(answer.options.get(label, "") for label in LABELS)
        asked = (answer.prompt, words)
        orders.append(known[asked] if asked in known else known.setdefault(asked, _order(*asked)))
    shown = [order for order in orders if order is not None]
    if len(shown) < len(orders) or len(set(shown)) < 2:
        return ()
    place_of = np.array([(*order, scores.NO_CHOICE) for order in shown], dtype=np.int64)
    each = np.arange(len(shown))
    by_place = Coded(truth=place_of[each, coded.truth], choice=place_of[each, coded.choice], source=coded.source)
    tables = by_place.tables()
    drawn = draws.tables(tables)
    return tuple(
        Place(
            place=place + 1,
            n=int((by_place.truth == place).sum()),
            chosen=int((by_place.choice == place).sum()),
            bias=estimate(tables, bias.towards(place), drawn),
            **draws.estimates(by_place.where(by_place.truth == place).tables(), ("accuracy",)),
        )
        for place in range(len(LABELS))
    )


def _order(prompt: str, words: tuple[str, ...]) -> tuple[int, ...] | None:
    """The place of each label, from 0: its word starts one of the lines that stand together, as ``word = meaning``."""
    line = f"({'|'.join(map(re.escape, words))})(?: = .*)?"
    found = re.search("^" + "\n".join([line] * len(words)) + "$", prompt, re.MULTILINE)
    if found is None or set(found.groups()) != set(words):
        return None
    return tuple(found.groups().index(word) for word in words)
