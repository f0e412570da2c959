"""Every way in which a dataset can be wrong is named; a right one is not accused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from builds import build, card_file, settings

from offbeat.dataset.folder import open_dataset
from offbeat.dataset.remeasure import Remeasured, remeasure
from offbeat.dataset.schema import VariantRow
from offbeat.dataset.verify import Checked, check_dataset, draw_sample
from offbeat.errors import DatasetError
from offbeat.files import sha256_of
from offbeat.media.cut import cut_sound
from offbeat.media.picture import Picture
from offbeat.media.write import VariantWriter

CHOSEN = settings(lengths_s=(1, 2), delays_s=(-2, -0.5, 0, 0.5, 2))
Rows = list[dict[str, object]]


def nothing() -> None:
    pass


def check(folder: Path) -> Checked:
    return check_dataset(folder, jobs=2, advance=nothing)


def measure(folder: Path, *, sources: Path | None = None, count: int | None = None) -> Remeasured:
    checked = check(folder)
    chosen = draw_sample(checked.variants, len(checked.variants) if count is None else count, seed=0)
    return remeasure(checked.variants, chosen, sources=checked.sources, sources_folder=sources, jobs=2, advance=nothing)


def told(folder: Path) -> set[tuple[str, str, str, str]]:
    return {(one.file, one.field, one.found, one.expected) for one in check(folder).differences}


def fields(folder: Path) -> set[tuple[str, str]]:
    return {(file, field) for file, field, _, _ in told(folder)}


def change_rows(folder: Path, change: Callable[[Rows], None], *, name: str = "metadata.jsonl") -> None:
    """Change rows, and let `croissant.json` follow, as a careful forger would."""
    rows = [json.loads(line) for line in (folder / name).read_text().splitlines()]
    change(rows)
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = json.loads((folder / "croissant.json").read_text())
    page["distribution"][0]["sha256"] = sha256_of(folder / "metadata.jsonl")
    (folder / "croissant.json").write_text(json.dumps(page))


def change_row(folder: Path, which: int, **values: object) -> str:
    change_rows(folder, lambda rows: rows[which].update(values))
    return json.loads((folder / "metadata.jsonl").read_text().splitlines()[which])["file_name"]


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    card_file(folder / "speech/one.mp4", length_s=7, rate_hz=44_100)
    card_file(folder / "cooking/two.mkv", length_s=7, seed=2, fps=Fraction(25))
    card_file(folder / "cooking/short.mp4", length_s=2, seed=3)
    return folder


@pytest.fixture(scope="module")
def made(cards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "set"
    build(cards, out, CHOSEN)
    return out


@pytest.fixture
def dataset(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "set"))


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
    assert {("croissant.json", "file"), ("sources.jsonl", "text")} <= fields(dataset)
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


def rewrite(dataset: Path, row: VariantRow, source: Path, *, moved_samples: int) -> None:
    """Write a variant anew, with a delay other than its row says, and put its new hash into the row."""
    path = dataset / row.file_name
    delay = round(row.audio_delay_ms * 48) + moved_samples
    first = round(row.clip_start_s * 48_000) - delay
    span = cut_sound(source, start_samples=first - 4096, stop_samples=first + 2 * 48_000 + 4096, rate_hz=48_000)
    picture = Picture(
        mp4=path.read_bytes(),
        fps=Fraction(row.fps),
        count=round(row.clip_length_s * row.fps),
        width=row.width,
        height=row.height,
    )
    writer = VariantWriter(picture)
    writer.write(path, span, start_samples=first, codec="aac")
    writer.close()
    index = [variant.row for variant in open_dataset(dataset).variants].index(row)
    change_row(dataset, index, sha256=sha256_of(path))


@pytest.mark.parametrize("moved_ms", [-40, 0, 1])
def test_a_delay_that_is_wrong_by_a_millisecond_is_found(moved_ms: int, dataset: Path, cards: Path) -> None:
    """The forged file has the right hash and a plausible row; only its sound tells."""
    row = next(v.row for v in open_dataset(dataset).variants if (v.row.clip_length_s, v.row.audio_delay_ms) == (2, 500))
    rewrite(dataset, row, cards / "cooking/two.mkv", moved_samples=48 * moved_ms)
    assert check(dataset).differences == ()
    against = {(one.file, one.found) for one in measure(dataset, sources=cards).differences}
    between = {(one.file, one.found) for one in measure(dataset).differences}
    if moved_ms == 0:
        assert against == between == set()
        return
    zero = next(v.row for v in open_dataset(dataset).variants if v.row.clip_id == row.clip_id and v.row.label == "sync")
    assert against == {(row.file_name, f"{500 + moved_ms:.3f} against {(cards / 'cooking/two.mkv').resolve()}")}
    assert (row.file_name, f"{500 + moved_ms:.3f} against {zero.file_name}") in between
    assert all(row.file_name in " ".join(one) for one in between), "whoever was compared with it says so"


def test_two_variants_that_changed_places_are_found(dataset: Path, cards: Path) -> None:
    rows = [variant.row for variant in open_dataset(dataset).variants]
    early, late = [row for row in rows if row.clip_length_s == 2 and abs(row.audio_delay_ms) == 500][:2]
    first, second = dataset / early.file_name, dataset / late.file_name
    first.replace(dataset / "x")
    second.replace(first)
    (dataset / "x").replace(second)
    for row in (early, late):
        change_row(dataset, rows.index(row), sha256=sha256_of(dataset / row.file_name))
    assert check(dataset).differences == ()
    for sources in (None, cards):
        found = {one.file for one in measure(dataset, sources=sources).differences}
        assert {early.file_name, late.file_name} <= found
        assert sources is None or len(found) == 2


def test_a_wrong_variant_at_zero_accuses_those_that_are_compared_with_it(dataset: Path, cards: Path) -> None:
    row = next(v.row for v in open_dataset(dataset).variants if (v.row.clip_length_s, v.row.audio_delay_ms) == (2, 0))
    rewrite(dataset, row, cards / "cooking/two.mkv", moved_samples=480)
    assert row.file_name in {one.file for one in measure(dataset).differences}
    assert {one.file for one in measure(dataset, sources=cards).differences} == {row.file_name}


def test_sound_of_another_video_is_found(dataset: Path, cards: Path) -> None:
    rows = [v.row for v in open_dataset(dataset).variants if v.row.clip_length_s == 2]
    mine = next(row for row in rows if row.genre == "cooking" and row.audio_delay_ms == -500)
    other = next(row for row in rows if row.genre == "speech" and row.audio_delay_ms == -500)
    index = [variant.row for variant in open_dataset(dataset).variants].index(mine)
    shutil.copy(dataset / other.file_name, dataset / mine.file_name)
    change_row(dataset, index, sha256=other.sha256)
    assert check(dataset).differences == ()
    for sources in (None, cards):
        found = {one.file: one.found for one in measure(dataset, sources=sources).differences}
        assert found[mine.file_name].startswith("other sound than in ")
        assert all(mine.file_name in file + text for file, text in found.items())


def test_sources_that_are_not_there_or_others(made: Path, cards: Path, tmp_path: Path) -> None:
    (tmp_path / "speech").mkdir()
    shutil.copy(cards / "cooking/two.mkv", tmp_path / "speech/one.mp4")
    told = measure(made, sources=tmp_path)
    assert {(one.file, one.field) for one in told.differences} == {
        ("cooking/two.mkv", "source"),
        ("speech/one.mp4", "source_id"),
    }
    assert (told.measured, told.untold) == (0, 20)


def test_a_source_path_that_climbs_out_is_not_followed(dataset: Path, cards: Path) -> None:
    change_rows(dataset, lambda rows: rows[1].update(path="../cooking/two.mkv"), name="sources.jsonl")
    told = measure(dataset, sources=cards / "speech")
    assert ("../cooking/two.mkv", "path") in {(one.file, one.field) for one in told.differences}


def test_a_file_that_does_not_decode_is_named_and_the_others_are_measured(dataset: Path) -> None:
    row = open_dataset(dataset).variants[5].row
    (dataset / row.file_name).write_bytes(b"not a video at all")
    told = measure(dataset)
    assert row.file_name in {one.file for one in told.differences if one.field == "sound"}
    assert told.measured >= 10


def test_quiet_and_repeating_sound_is_not_accused(tmp_path: Path) -> None:
    """A hum of 100 Hz is the same every 10 ms: no place can be told, and none is claimed."""
    from offbeat.media.synth.testcard import make_testcard, write_testcard

    card = make_testcard(length_s=Fraction(8), width=160, height=90)
    times = np.arange(card.sound.count) / card.sound.rate_hz
    card.sound.samples[:] = 0.2 * np.sin(2 * np.pi * 100 * times, dtype=np.float64).astype(np.float32)
    (tmp_path / "in").mkdir()
    write_testcard(tmp_path / "in/hum.mkv", card, codec="lossless")
    build(tmp_path / "in", tmp_path / "set", settings())
    for sources in (None, tmp_path / "in"):
        told = measure(tmp_path / "set", sources=sources)
        assert (told.differences, told.measured + told.untold) == ([], 5)
        assert told.untold >= 4


@pytest.mark.slow
def test_real_clips_are_not_accused(shared_media: Path, tmp_path: Path) -> None:
    build(shared_media, tmp_path / "set", settings(delays_s=(-1.5, -1, -0.5, 0, 0.5, 1, 1.5)))
    assert check(tmp_path / "set").differences == ()
    between, against = measure(tmp_path / "set"), measure(tmp_path / "set", sources=shared_media)
    assert between.differences == against.differences == []
    assert between.measured > 250
    assert against.measured > 280


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
