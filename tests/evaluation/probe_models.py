"""Models that hear, see, or pretend to; they decode what they are shown, as a server would."""

import asyncio
import hashlib

import numpy as np

from offbeat.errors import ModelError
from offbeat.evaluation.probe.plan import HEARD, MOVES
from offbeat.evaluation.probe.probing import probe_model
from offbeat.evaluation.question import STUDY
from offbeat.models.base import Reply
from offbeat.timing import LABELS

_decoded = {}
TAG_BYTES = 24
"""Of the box that makes each showing a file of its own: 16 letters, and 8 bytes that say what it is."""


def probe(model, variants, **options):
    """What a probe finds that asks the model once, without any patience."""

    async def ask(variant, prompt):
        return model.reply(variant, prompt)

    return asyncio.run(probe_model(model, variants, STUDY, **{"ask": ask, **options}))


def sound_of(variant):
    return _once("sound", variant, lambda: variant.sound().samples)


def picture_of(variant):
    return _once("picture", variant, lambda: variant.frames(height=45, grey=True).images.astype(np.float32))


def _once(what, variant, decode):
    """What is the same but for the tag at its end is decoded once for all tests."""
    key = (what, hashlib.sha256(variant.mp4_bytes()[:-TAG_BYTES]).hexdigest())
    if key not in _decoded:
        _decoded[key] = decode()
    return _decoded[key]


def loud(sound):
    return np.abs(sound).max() > 1e-3


def moving(picture):
    return np.abs(np.diff(picture, axis=0)).mean(axis=(1, 2)).max() > 1


def drawn_from(*arrays):
    """A number from 0 to 1 that depends on every sample or pixel."""
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).digest()
    return int.from_bytes(digest[:4]) / 2**32


class Watching:
    """Says what is true of sound and picture, and something else about each clip; the ground of all others."""

    name, revision = "watching", "1"

    def reply(self, variant, prompt):
        return self.said(self.perceived(variant), prompt)

    def perceived(self, variant):
        return sound_of(variant), picture_of(variant)

    def said(self, perceived, prompt):
        sound, picture = perceived
        if prompt.options == HEARD:
            return Reply(HEARD[0] if loud(sound) else HEARD[1])
        if prompt.options == MOVES:
            return Reply(MOVES[0] if moving(picture) else MOVES[1])
        return Reply(LABELS[int(3 * drawn_from(sound, picture))])


class Deaf(Watching):
    def perceived(self, variant):
        picture = picture_of(variant)
        return picture, picture


class Blind(Watching):
    def perceived(self, variant):
        sound = sound_of(variant)
        return sound, np.stack([np.zeros((2, 2)), np.full((2, 2), 99)])


class StaleSound(Watching):
    """A cache that is keyed by the picture: the sound is that of the first clip with this picture."""

    def __init__(self):
        self._kept = {}

    def perceived(self, variant):
        picture = picture_of(variant)
        return self._kept.setdefault(drawn_from(picture), sound_of(variant)), picture


class OneBehind(Watching):
    """A server that answers about the file before."""

    def __init__(self):
        self._before = None

    def reply(self, variant, prompt):
        perceived = self.perceived(variant)
        before, self._before = self._before or perceived, perceived
        return self.said(before, prompt)


class AlwaysSync(Watching):
    """Takes no other question, and tells no probabilities unless asked to."""

    def __init__(self, *, chances):
        self._chances = chances

    def said(self, perceived, prompt):
        if prompt.options != LABELS:
            raise ModelError(f"it answers {', '.join(LABELS)} only")
        share = 0.1 * drawn_from(*perceived)
        return Reply("sync", probabilities={"sync": 0.9 - share, "ahead": share} if self._chances else None)


class Dice(Watching):
    def __init__(self, seed):
        self._rng = np.random.default_rng(seed)

    def said(self, perceived, prompt):
        return Reply(prompt.options[self._rng.integers(len(prompt.options))])


class Noisy(Watching):
    """Its own answers are dice; of what it hears and sees it says the truth, in other words every time."""

    def __init__(self, seed):
        self._rng = np.random.default_rng(seed)

    def said(self, perceived, prompt):
        if prompt.options == LABELS:
            return Reply(LABELS[self._rng.integers(3)])
        text = super().said(perceived, prompt).text
        return Reply([text, f"{text.capitalize()}.", f"This clip is {text} to me"][self._rng.integers(3)])


class Failing(Watching):
    def __init__(self, failure, *, after):
        self._failure = failure
        self._left = after

    def said(self, perceived, prompt):
        self._left -= 1
        if self._left < 0:
            raise self._failure
        return super().said(perceived, prompt)
