"""Verifying decodes in child processes: a file that crashes or hangs one is named, and the rest is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from builds import build, settings
from verifying import CHOSEN, nothing
from worker_jobs import unless_named

from offbeat.dataset import remeasure as remeasuring
from offbeat.dataset import verify as verifying
from offbeat.dataset.folder import open_dataset
from offbeat.dataset.remeasure import Remeasured, remeasure
from offbeat.dataset.verify import check_dataset
from offbeat.dataset.workers import Children, Workers


@pytest.fixture(scope="module", params=["files", "compact"])
def made(request: pytest.FixtureRequest, cards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "set"
    build(cards, out, settings(layout=request.param))
    return out


class Bad:
    """Children in which the decoder of one file does not come back."""

    def __init__(self, children: Children, name: str, how: str) -> None:
        self.children, self.name, self.how = children, name, how

    def map(self, function: Any, items: Sequence[Any], *, advance: Callable[[], None]) -> list[Any]:
        asked = [(function, item, self.name, self.how) for item in items]
        return self.children.map(unless_named, asked, advance=advance)


def measured(folder: Path, workers: Workers, *, sources: Path | None = None) -> Remeasured:
    checked = check_dataset(folder, jobs=2, advance=nothing)
    assert checked.differences == ()
    return remeasure(
        checked.variants,
        checked.variants,
        sources=checked.sources,
        sources_folder=sources,
        jobs=2,
        advance=nothing,
        workers=workers,
    )


@pytest.mark.parametrize("against", ["each other", "sources"])
def test_children_measure_what_threads_measure(against: str, made: Path, cards: Path) -> None:
    sources = cards if against == "sources" else None
    with Children(2) as children:
        told = measured(made, children, sources=sources)
    checked = check_dataset(made, jobs=2, advance=nothing)
    plain = remeasure(
        checked.variants, checked.variants, sources=checked.sources, sources_folder=sources, jobs=2, advance=nothing
    )
    assert told == plain
    assert (told.measured + told.untold, told.differences) == (10, [])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("crash", "the process that read it was ended by SIGSEGV"),
        ("eat", "more memory would be needed than one file may take"),
        pytest.param("hang", "not done within 4 s; see --file-timeout", marks=pytest.mark.slow),
    ],
)
def test_the_file_is_named_and_the_others_are_measured(how: str, said: str, made: Path) -> None:
    """Of the variants of its clip too; the bad one is that at 0, with which the others would be compared."""
    bad = next(variant.row for variant in open_dataset(made).variants if variant.row.label == "sync")
    with Children(2, timeout_s=4) as children:
        whole = measured(made, children)
        told = measured(made, Bad(children, bad.file_name, how))
    assert [(one.file, one.field, one.found) for one in told.differences] == [(bad.file_name, "sound", said)]
    assert told.measured + told.untold == 9
    assert told.measured >= whole.measured - 3, "the two at ±2 s have no other that is near"


def test_a_source_that_ends_children_is_named_with_each_of_its_clips(cards: Path, made: Path) -> None:
    with Children(2) as children:
        told = measured(made, Bad(children, "two.mkv", "crash"), sources=cards)
    clip_id = next(variant.row.clip_id for variant in open_dataset(made).variants if variant.row.genre == "cooking")
    assert [(one.file, one.field) for one in told.differences] == [
        (f"clip {clip_id} against {(cards / 'cooking/two.mkv').resolve()}", "audio_delay_ms")
    ]
    assert (told.measured, told.untold) == (5, 0)


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_checked(
    cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(cards, tmp_path / "set", CHOSEN)
    victim = open_dataset(tmp_path / "set").variants[3].path
    real = verifying.sha256_of

    def failing(path: Path) -> str:
        if path.name in (victim.name, "two.mkv"):
            raise OSError(5, "Input/output error", str(path))
        return real(path)

    monkeypatch.setattr(verifying, "sha256_of", failing)
    monkeypatch.setattr(remeasuring, "sha256_of", failing)
    checked = check_dataset(tmp_path / "set", jobs=2, advance=nothing)
    assert [str(one) for one in checked.differences] == [
        f"clips/{victim.name}: file: found unreadable (Input/output error), expected one"
    ]
    assert len(checked.variants) == 19
    told = remeasure(
        checked.variants, checked.variants, sources=checked.sources, sources_folder=cards, jobs=2, advance=nothing
    )
    assert [(one.file, one.found) for one in told.differences] == [
        ("cooking/two.mkv", "unreadable (Input/output error)")
    ]
    assert told.measured == 10
