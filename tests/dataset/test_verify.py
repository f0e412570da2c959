"""Every way in which a dataset can be wrong is named; a right one is not accused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from builds import build, settings
from verifying import Rows, change_row, change_rows, check, fields, measure, told

from offbeat.dataset.folder import open_dataset
from offbeat.dataset.verify import draw_sample
from offbeat.errors import DatasetError
from offbeat.files import sha256_of


def test_a_right_one_is_not_accused(made: Path, cards: Path) -> None:
    checked = check(made)
    assert (checked.files, checked.differences) == (20, ())
    between, against = measure(made), measure(made, sources=cards)
    assert between.differences == against.differences == []
    assert (against.measured, against.untold) == (20, 0)
    assert (between.measured, between.untold) == (16, 4), "1-s clips: nobody shares half a second with ±2 s"
    assert between.worst_ms is not None
    assert against.worst_ms is not None
    assert max(between.worst_ms, against.worst_ms) <= 0.02


def test_the_sample_is_drawn_by_its_seed(made: Path) -> None:
    variants = check(made).variants
    drawn = draw_sample(variants, 7, seed=3)
    assert drawn == draw_sample(variants, 7, seed=3) != draw_sample(variants, 7, seed=4)
    assert len({one.row.variant_id for one in drawn}) == 7
    assert draw_sample(variants, 99, seed=3) == list(variants)
    assert measure(made, count=0).measured == 0


def test_files_that_changed_are_gone_or_belong_to_nobody(dataset: Path) -> None:
    changed, gone = (variant.path for variant in open_dataset(dataset).variants[:2])
    expected = sha256_of(changed)
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    gone.unlink()
    (dataset / "clips" / "stray.mp4").write_bytes(b"x")
    (dataset / "clips" / "sub").mkdir()
    (dataset / "clips" / "sub" / ".half.part").write_bytes(b"x")
    assert told(dataset) == {
        (f"clips/{changed.name}", "sha256", sha256_of(changed), expected),
        (f"clips/{gone.name}", "file", "none", "one"),
        ("clips/stray.mp4", "file", "one", "none: no row names it"),
        ("clips/sub/.half.part", "file", "one", "none: no row names it"),
    }
    assert measure(dataset).measured > 0, "what is there is measured all the same"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"label": "sync"}, {"label"}),
        ({"overlap_s": 0.5}, {"overlap_s"}),
        ({"measured_delay_ms": -2000.2}, {"measured_delay_ms"}),
        ({"audio_delay_ms": -500.0, "overlap_s": 0.5, "measured_delay_ms": None}, {"variant_id"}),
        ({"audio_delay_ms": -700.0, "overlap_s": 0.3, "measured_delay_ms": None}, {"audio_delay_ms"}),
        ({"clip_length_s": 3.0, "overlap_s": 1.0}, {"clip_length_s"}),
        ({"genre": "speech"}, {"genre"}),
        ({"language": "fr"}, {"language"}),
        ({"source_id": "0" * 12}, {"source_id"}),
        ({"variant_id": "0" * 12}, {"variant_id"}),
    ],
)
def test_rows_that_contradict_themselves_or_each_other(
    values: dict[str, object], expected: set[str], dataset: Path
) -> None:
    """Row 0: 1 s of the cooking, delayed by -2 s."""
    name = change_row(dataset, 0, **values)
    assert expected <= {field for file, field in fields(dataset) if file == name}


@pytest.mark.parametrize("field", ["clip_start_s", "fps", "width", "height", "audio_hz"])
def test_variants_of_a_clip_share_what_is_the_clips(field: str, dataset: Path) -> None:
    name = change_row(dataset, 1, **{field: 7})
    assert (name, field) in fields(dataset)


def test_rows_that_are_missing_there_twice_or_not_valid(dataset: Path) -> None:
    def change(rows: Rows) -> None:
        rows[1] = rows[0]
        rows[7].pop("fps")
        rows[9]["surprise"] = 1

    change_rows(dataset, change)
    found = fields(dataset)
    clip_id = json.loads((dataset / "metadata.jsonl").read_text().splitlines()[0])["clip_id"]
    assert {
        ("metadata.jsonl, row 2", "variant_id"),
        ("metadata.jsonl, row 2", "file_name"),
        ("metadata.jsonl, line 8", "fps"),
        ("metadata.jsonl, line 10", "surprise"),
        (f"clip {clip_id}", "audio_delay_ms"),
        ("dataset.json", "variants"),
    } <= found


def test_sources_and_counts(dataset: Path) -> None:
    def change(rows: Rows) -> None:
        assert [row["status"] for row in rows] == ["refused", "used", "used"]
        rows[1]["clips"] = 9
        del rows[0]

    change_rows(dataset, change, name="sources.jsonl")
    info = json.loads((dataset / "dataset.json").read_text())
    (dataset / "dataset.json").write_text(json.dumps(info | {"clips": 5}))
    assert told(dataset) == {
        ("sources.jsonl, cooking/two.mkv", "clips", "9", "2, as many as there are rows for"),
        ("dataset.json", "sources_refused", "1", "0, as many as there are rows for"),
        ("dataset.json", "clips", "5", "4, as many as there are rows for"),
    }


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "clips/../../x", "clips/\0.mp4"])
def test_a_row_cannot_make_it_read_elsewhere(name: str, dataset: Path) -> None:
    change_row(dataset, 0, file_name=name)
    assert (name, "file_name", "a path out of the folder", "one inside") in told(dataset)
    assert measure(dataset).measured > 0


def test_files_beside_the_rows(dataset: Path) -> None:
    before = (dataset / "croissant.json").read_text()
    (dataset / "croissant.json").write_text(before.replace(sha256_of(dataset / "metadata.jsonl"), "0" * 64))
    assert fields(dataset) == {("croissant.json", "sha256 of metadata.jsonl")}
    (dataset / "croissant.json").write_text("[]")
    assert fields(dataset) == {("croissant.json", "distribution")}
    (dataset / "croissant.json").unlink()
    (dataset / "sources.jsonl").write_bytes(b"\xff\n")
    assert {("croissant.json", "file"), ("sources.jsonl, line 1", "row")} <= fields(dataset)
    (dataset / "metadata.jsonl").unlink()
    assert ("metadata.jsonl", "file") in fields(dataset)


def test_what_is_no_finished_dataset_of_this_version_is_an_error(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no dataset\.json there"):
        check(tmp_path / "nowhere")
    info = json.loads((dataset / "dataset.json").read_text())
    (dataset / "dataset.json").write_text(json.dumps(info | {"settings": {"colour": "red"}}))
    with pytest.raises(DatasetError, match=r"its settings are not those of this version .* verify it with Offbeat"):
        check(dataset)
    (dataset / "dataset.json").write_text(json.dumps(info | {"complete": False}))
    with pytest.raises(DatasetError, match="not finished"):
        check(dataset)


@pytest.fixture(scope="module")
def small(cards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small") / "set"
    build(cards, out, settings(layout="compact"))
    return out


@pytest.fixture
def compact(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "compact"))


def test_a_right_compact_one_is_not_accused(small: Path, cards: Path) -> None:
    checked = check(small)
    assert (checked.files, len(checked.variants), checked.differences) == (4, 10, ())
    for sources in (None, cards):
        told = measure(small, sources=sources)
        assert (told.differences, told.measured + told.untold) == ([], 10)


def test_what_is_wrong_in_a_compact_one_is_named(compact: Path) -> None:
    clips = [clip.clip_id for clip in open_dataset(compact).clips]
    sound = compact / "sound" / f"{clips[0]}.mp4"
    sound.write_bytes(sound.read_bytes()[:-1] + b"x")
    (compact / "pictures" / f"{clips[1]}.mp4").unlink()
    (compact / "clips").mkdir()
    (compact / "clips" / "stray.mp4").write_bytes(b"x")
    assert fields(compact) == {
        (f"sound/{clips[0]}.mp4", "sha256"),
        (f"pictures/{clips[1]}.mp4", "file"),
        ("clips/stray.mp4", "file"),
    }
    told = measure(compact)
    assert (told.measured, {one.field for one in told.differences}) == (0, {"sound"}), "what is damaged is not rendered"


def test_a_list_of_clips_that_is_not_the_one_described_is_named(compact: Path) -> None:
    text = (compact / "clips.jsonl").read_text()
    (compact / "clips.jsonl").write_text(text.replace('"clip_id":', '"clip_id": '))
    assert fields(compact) == {("croissant.json", "sha256 of clips.jsonl")}


def test_a_compact_clip_that_would_be_rendered_otherwise_is_named(compact: Path) -> None:
    """The list says that another sample is heard first: rows and rendered bytes tell."""

    def change(rows: Rows) -> None:
        heard = rows[0]["heard_from_samples"]
        assert isinstance(heard, dict)
        heard[variant_id] += 48
        rows[0]["heard_from_samples"] = heard | {"0" * 12: 7}
        del rows[1]

    variant_id = open_dataset(compact).variants[3].row.variant_id
    lost = open_dataset(compact).variants[5].row.file_name
    change_rows(compact, change, name="clips.jsonl")
    assert (f"clips.jsonl, {variant_id}", "heard_from_samples") in fields(compact)
    assert (lost, "clip_id") in fields(compact)
    assert "heard_from_samples" in {field for file, field in fields(compact) if file.startswith("clips.jsonl, clip")}
    told = measure(compact)
    mine = {(one.field, one.found.split(" ")[0]) for one in told.differences if variant_id in one.file}
    assert {field for field, _ in mine} == {"sha256", "audio_delay_ms"}
    assert ("audio_delay_ms", "499.000") in mine
