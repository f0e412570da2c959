"""A paragraph on the method, written from what was really built, asked and answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import offbeat
from offbeat.dataset.folder import Dataset
from offbeat.report.left_open import NOTHING_LEFT, Left, LeftOpen
from offbeat.report.marks import Mark, mark_of
from offbeat.report.paper.words import MARKDOWN
from offbeat.report.tables import exactness
from offbeat.report.values import ModelResult, Results
from offbeat.report.words import count, delay, listed, seconds, turned, visible

_ACTED_UPON = f"{MARKDOWN}<>&"


def methods(results: Results, dataset: Dataset, runs: Sequence[Mapping[str, Any]], *, left: Left = NOTHING_LEFT) -> str:
    """Markdown; every number in it is counted from the dataset, the runs and the results.

    Args:
        results: the figures.
        dataset: what was asked about.
        runs: name and settings of each run, as `results.json` has them.
        left: what was wanted and is not there.
    """
    asking = _asking(results, runs, left)
    parts = [_material(dataset), _shifting(dataset), *asking, _scoring(results), _versions(dataset)]
    return "\n\n".join(["# Method", *parts]) + "\n"


def _material(dataset: Dataset) -> str:
    rows = [variant.row for variant in dataset.variants]
    genres = Counter(genre for genre, _ in {(row.genre, row.source_id) for row in rows})
    sources = len({row.source_id for row in rows})
    named = listed(f"{_plain(genre)} ({number})" for genre, number in sorted(genres.items()))
    lengths = listed(seconds(length) for length in sorted({row.clip_length_s for row in rows}))
    refused = f" ({dataset.info.sources_refused} more were refused)" if dataset.info.sources_refused else ""
    return (
        f"The material is {count(sources)} {'source' if sources == 1 else 'sources'}{refused}: {named}. From them come "
        f"{count(len({row.clip_id for row in rows}))} clips of {lengths} s."
    )


def _shifting(dataset: Dataset) -> str:
    rows = [variant.row for variant in dataset.variants]
    delays = sorted({row.audio_delay_ms for row in rows})
    labels = Counter(row.label for row in rows)
    found = exactness(dataset)
    worst = (
        f" Measured in {count(found.measured)} decoded files, no delay is off by more than {found.worst_ms:.3f} ms."
        if found.worst_ms is not None
        else ""
    )
    grid = f"{len(delays)} delays from {delay(delays[0])} to {delay(delays[-1])} s" if delays else "no delays"
    return (
        f"The sound of each clip was moved against its picture by {grid} (> 0: the sound comes later), always cut from "
        f"the source's own sound and never padded: {count(len(rows))} variants, {count(labels['sync'])} in sync, "
        f"{count(labels['ahead'])} ahead, {count(labels['behind'])} behind.{worst}"
    )


def _asking(results: Results, runs: Sequence[Mapping[str, Any]], left: Left) -> list[str]:
    questions: dict[str, Mapping[str, Any]] = {}
    for run in runs:
        questions |= run["settings"].get("questions", {})
    parts: list[str] = []
    for name in sorted({model.question for model in results.models} & questions.keys()):
        text = visible(questions[name]["template"]).strip()
        quoted = "\n".join(f"    {line}" for line in text.splitlines())
        about = f", where {{options}} stands for {_options(questions[name])}" if "{options}" in text else ""
        parts.append(f"The question *{_plain(name)}*{about}:\n\n{quoted}")
    parts += [_answers(model) + _left(left.of(model)) + _mark(mark_of(model, runs)) for model in results.models]
    silent = [(_plain(one.model), _plain(one.question), _plain(one.says)) for one in left.silent_models]
    return parts + [f"*{model}*, asked {asked}, has no answer: {says}" for model, asked, says in silent]


def _options(question: Mapping[str, Any]) -> str:
    """How they are written in the prompt, and what of it changes."""
    shown = zip(question["options"], question["words"], question["meanings"], strict=True)
    texts = [(_plain(label), _plain(f"{word} = {meaning}" if meaning else word)) for label, word, meaning in shown]
    return f"a line for each of {listed(f'*{text}* ({label})' for label, text in texts)}{turned(question)}"


def _left(left: LeftOpen | None) -> str:
    return f" {_plain(left.says)}" if left is not None and left.unasked else ""


def _mark(mark: Mark | None) -> str:
    return "" if mark is None else f" {mark.label.capitalize()}: {_plain(mark.says)}"


def _answers(model: ModelResult) -> str:
    extra = f", {count(model.unasked)} variants were not asked" if model.unasked else ""
    again = (
        ""
        if model.spread is None
        else (f"; {count(model.spread.variants)} variants were answered {model.spread.repeats} times each")
    )
    person = model.model.startswith("human:")
    who, missing = ("a person; revision", "variants were left open") if person else ("revision", "calls failed")
    return (
        f"*{_plain(model.name)}* ({who} {_plain(model.revision)}) gave {count(model.n)} answers to the question "
        f"*{_plain(model.question)}*{again}; {count(model.choiceless)} had no choice and count as wrong, "
        f"{count(model.missing)} {missing} and are not scored{extra}."
    )


def _scoring(results: Results) -> str:
    pairs = len(results.comparisons)
    compared = (
        f" {pairs} {'pair of models was' if pairs == 1 else 'pairs of models were'} compared by a t-test on the "
        f"sources' differences in balanced accuracy, with Holm's correction over {'it' if pairs == 1 else 'them'}, and "
        "by turning the signs of these differences about."
        if pairs
        else ""
    )
    return (
        f"Intervals are 95 % expanded percentile intervals (Hesterberg 2015) over {count(results.draws)} draws of "
        f"sources with all their answers, seed {results.seed}; where a source has one answer at most, Wilson's. Those "
        "of ROC areas and of thresholds leave out one source after the other (jackknife, Student's t). d′ has "
        f"the log-linear correction (Hautus 1995), in proportion to the trials.{compared}"
    )


def _versions(dataset: Dataset) -> str:
    info = dataset.info
    return (
        f"Built by Offbeat {_plain(info.offbeat_version)} with PyAV {_plain(info.av_version)} and FFmpeg "
        f"{_plain(info.ffmpeg_version)}; scored by Offbeat {offbeat.__version__}. Fingerprint of the set: "
        f"`{dataset.fingerprint}`."
    )


def _plain(text: str) -> str:
    """Text of others on one line, with nothing that Markdown would act upon."""
    line = " ".join(visible(text).split())
    return "".join(f"\\{character}" if character in _ACTED_UPON else character for character in line)
