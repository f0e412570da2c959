"""Made-up replies to a probe, without a file or a model."""

from itertools import count

from offbeat.evaluation.probe.plan import HEARD, MOVES
from offbeat.evaluation.probe.rule import Said
from offbeat.timing import LABELS

SHOWN = {
    "own": (None, "muted", "frozen early", None, "swapped", "frozen late"),
    "heard": (None, "muted", None, "muted"),
    "moves": (None, "frozen early", None, "frozen late"),
}
OPTIONS = {"own": LABELS, "heard": HEARD, "moves": MOVES}


def said_by(model, *, clips=4, asked=("own", "heard", "moves")):
    """`model(clip, asked, alteration, turn)` gives a choice, a text that is none, or probabilities."""
    turns = count()
    return [
        reply(clip, question, alteration, model(clip, question, alteration, next(turns)))
        for clip in range(clips)
        for question in asked
        for alteration in SHOWN[question]
    ]


def reply(clip, asked, alteration, what):
    chances = what if isinstance(what, dict) else None
    text = max(chances, key=chances.get) if chances else what
    choice = text if text in OPTIONS[asked] else None
    return Said(
        clip=clip,
        variant_id=f"v{clip}",
        alteration=alteration,
        asked=asked,
        text=text,
        outcome="ok" if choice else "unparsed",
        choice=choice,
        probabilities=chances,
        usage={},
    )


def sounds(alteration):
    return alteration != "muted"


def moves(alteration):
    return alteration is None or not alteration.startswith("frozen")


def truth(asked, alteration):
    if asked == "heard":
        return HEARD[0] if sounds(alteration) else HEARD[1]
    return MOVES[0] if moves(alteration) else MOVES[1]
