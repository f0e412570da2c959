"""Simulated observers, as answers of a run: each with the verdict that it deserves."""

import dataclasses

import numpy as np
from report_samples import answer
from scipy.special import ndtr, softmax

from offbeat.timing import LABELS


def observers(dataset, *, seed=0):
    """All of them, by name: answers to every variant of the dataset."""
    makers = {
        "perfect": perfect,
        "human-like": human_like,
        "always sync, but sensitive": silent_knower,
        "deaf": deaf,
        "blind to direction": blind_to_direction,
        "guessing": guessing,
        "large delays only": large_only,
    }
    return {
        name: answers_of(dataset, name, make(np.random.default_rng((seed, number))))
        for number, (name, make) in enumerate(makers.items())
    }


def answers_of(dataset, name, reply):
    """`reply` maps a row to a choice, and to probabilities or None."""
    found = []
    for variant in dataset.variants:
        choice, probabilities = reply(variant.row)
        one = answer(variant.row, name, choice)
        if probabilities is not None:
            given = dict(zip(LABELS, (float(p) for p in probabilities), strict=True))
            one = dataclasses.replace(one, probabilities=given)
        found.append(one)
    return found


def perfect(rng):
    del rng
    return lambda row: (row.label, None)


def human_like(rng):
    """Limits as in ITU-R BT.1359-1, 80 ms of noise, 2 % of lapses."""

    def reply(row):
        d = row.audio_delay_ms
        if rng.random() < 0.02:
            return LABELS[rng.integers(3)], None
        ahead, behind = ndtr((-45 - d) / 80), 1 - ndtr((125 - d) / 80)
        return LABELS[rng.choice(3, p=[1 - ahead - behind, ahead, behind])], None

    return reply


def silent_knower(rng):
    """Says sync whatever comes; its probabilities follow the delay."""

    def reply(row):
        evidence = np.tanh(row.audio_delay_ms / 1000)
        logits = np.array([4.0 - abs(evidence), -evidence, evidence]) + rng.normal(0, 0.4, 3)
        p = softmax(logits)
        return "sync", p if p.argmax() == 0 else softmax([4.0, 0.0, 0.0])

    return reply


def deaf(rng):
    """Its probabilities differ from clip to clip, and are the same at all delays of one."""
    known = {}

    def reply(row):
        p = known.setdefault(row.clip_id, softmax(rng.normal([1.0, 0.0, 0.0], 0.7)))
        return LABELS[int(p.argmax())], p

    return reply


def blind_to_direction(rng):
    def reply(row):
        noticed = rng.random() < (0.15 if row.audio_delay_ms == 0 else 0.85)
        return (("ahead", "behind")[rng.integers(2)] if noticed else "sync"), None

    return reply


def guessing(rng):
    def reply(row):
        del row
        p = rng.dirichlet([1.0, 1.0, 1.0])
        return LABELS[int(p.argmax())], p

    return reply


def large_only(rng):
    """Notices nothing up to 1.5 s, and much beyond."""

    def reply(row):
        d = row.audio_delay_ms
        if abs(d) > 1500 and rng.random() < 0.8:
            return row.label, None
        return LABELS[rng.choice(3, p=[0.8, 0.1, 0.1])], None

    return reply
