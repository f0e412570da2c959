"""The Croissant page: its structure always, its reading by `mlcroissant` where that is installed.

`make check-croissant` installs the reader into an environment of its own and runs the slow tests here. The reader is
given file paths only, and a process in which every attempt to reach the network fails.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from builds import build, card_file, settings

from offbeat.dataset.folder import open_dataset
from offbeat.dataset.schema import VariantRow, column_texts
from offbeat.files import sha256_of

READER = Path(__file__).resolve().parents[2] / ".venv-croissant/bin/python"
READ = Path(__file__).parent / "read_croissant.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    for seed, name in enumerate(("a.mkv", "b.mkv"), start=1):
        card_file(folder / name, length_s=7, seed=seed)
    card_file(folder / "short.mkv", length_s=1, seed=3)
    rows = [{"path": "a.mkv", "licence": "CC BY 4.0"}, {"path": "b.mkv"}, {"path": "short.mkv", "licence": "secret"}]
    (folder / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for layout in ("files", "compact"):
        build(folder / "list.jsonl", folder.parent / layout, settings(layout=layout))
    return folder.parent


def page_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "croissant.json").read_text())


@pytest.mark.parametrize("layout", ["files", "compact"])
def test_the_page_names_what_is_there(layout: str, made: Path) -> None:
    page = page_of(made / layout)
    assert page["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert page["@type"] == "sc:Dataset"
    assert page["license"] == ["CC BY 4.0"], "of the sources that are used, where they state one"
    assert "Kimura" in page["citeAs"]
    assert not page.keys() & {"creator", "url", "datePublished"}, "nobody knows these here"
    for entry in page["distribution"]:
        if entry["@type"] == "cr:FileObject":
            assert entry["sha256"] == sha256_of(made / layout / entry["contentUrl"])
        else:
            assert list((made / layout).glob(entry["includes"]))
    named = {entry["@id"] for entry in page["distribution"]}
    lists = {path.name for path in (made / layout).glob("*.jsonl")} - {"sources.jsonl"}
    assert named == lists | {path.name for path in (made / layout).iterdir() if path.is_dir() and path.name != ".build"}


def test_every_column_is_a_field_with_its_type_and_its_meaning(made: Path) -> None:
    (records,) = page_of(made / "files")["recordSet"]
    fields = {field["name"]: field for field in records["field"]}
    assert list(fields) == list(VariantRow.model_fields)
    for name, text in column_texts(VariantRow).items():
        assert text.endswith("."), f"{name} of VariantRow has no docstring that says what it is"
        assert fields[name]["description"] == text
        assert fields[name]["source"] == {"fileObject": {"@id": "metadata.jsonl"}, "extract": {"column": name}}
        assert fields[name]["@id"] == f"variants/{name}"
    kinds = {str: "sc:Text", float: "sc:Float", int: "sc:Integer", bool: "sc:Boolean"}
    for line in (made / "files" / "metadata.jsonl").read_text().splitlines():
        for name, value in json.loads(line).items():
            assert value is None or kinds[type(value)] == fields[name]["dataType"], f"{name} is {value!r}"
    assert records["key"] == {"@id": "variants/variant_id"}
    assert "| `variant_id` | Hash of clip, condition and seed" in (made / "files" / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["files", "compact"])
def test_mlcroissant_reads_it(layout: str, made: Path) -> None:
    if not READER.is_file():
        pytest.skip("mlcroissant is not installed here: `make check-croissant` does it")
    read = subprocess.run(
        [str(READER), str(READ), str(made / layout / "croissant.json")], check=True, capture_output=True, text=True
    )
    told = json.loads(read.stdout)
    assert told["errors"] == []
    left_out = ("datePublished", "version")
    assert [text for text in told["warnings"] if not any(name in text for name in left_out)] == []
    assert [text for text in told["said"] if "@context" in text] == []
    rows = [variant.row.model_dump() for variant in open_dataset(made / layout).variants]
    assert len(rows) == 10
    for record, row in zip(told["records"], rows, strict=True):
        assert record == {
            name: pytest.approx(value, abs=1e-12) if isinstance(value, float) else value for name, value in row.items()
        }
