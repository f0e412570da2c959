"""What the tests of `offbeat.dataset.verify` and `offbeat.dataset.remeasure` share."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from builds import card_file, settings

from offbeat.dataset.remeasure import Remeasured, remeasure
from offbeat.dataset.verify import Checked, check_dataset, draw_sample
from offbeat.files import sha256_of

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
    for entry in page["distribution"]:
        if "sha256" in entry:
            entry["sha256"] = sha256_of(folder / entry["contentUrl"])
    (folder / "croissant.json").write_text(json.dumps(page))


def change_row(folder: Path, which: int, **values: object) -> str:
    change_rows(folder, lambda rows: rows[which].update(values))
    return json.loads((folder / "metadata.jsonl").read_text().splitlines()[which])["file_name"]


def write_cards(folder: Path) -> Path:
    """Two sources that serve, and one that is too short."""
    card_file(folder / "speech/one.mp4", length_s=7, rate_hz=44_100)
    card_file(folder / "cooking/two.mkv", length_s=7, seed=2, fps=Fraction(25))
    card_file(folder / "cooking/short.mp4", length_s=2, seed=3)
    return folder
