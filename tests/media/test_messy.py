"""Every awkward source is used rightly or refused with its reason; `docs/messy.md` says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from messy import Case
from messy_cases import CASES
from messy_measure import measure
from messy_page import PAGE, outcome_of, outcomes_of

QUICK = ("edit-list", "ts", "drm", "clock-drift", "ts-back", "avi-b", "no-index")


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.name, marks=() if case.name in QUICK else pytest.mark.slow) for case in CASES],
)
def test_awkward_sources(case: Case, tmp_path: Path) -> None:
    found = measure(case, tmp_path)
    assert found.reason == case.reason, found.detail
    if found.worst_ms is not None:
        assert found.worst_ms <= case.worst_ms
        assert found.right == found.frames > 0
    assert outcomes_of(PAGE.read_text(encoding="utf-8"))[case.title] == outcome_of(case, found), "run `make messy`"


@pytest.mark.slow
def test_what_is_written_down_of_the_streams(tmp_path: Path) -> None:
    by_name = {case.name: case for case in CASES}
    late = measure(by_name["sound-late-mp4"], tmp_path / "late").source
    assert late is not None
    assert late.sound_offset_ms == pytest.approx(1500, abs=25), "one frame of AAC before its edit list"
    second = measure(by_name["tracks"], tmp_path / "tracks").source
    assert second is not None
    assert second.audio_track == 1


def test_the_page_names_every_case_once() -> None:
    titles = list(outcomes_of(PAGE.read_text(encoding="utf-8")))
    assert titles == [case.title for case in CASES]
    assert len({case.name for case in CASES}) == len(CASES)
