"""People's answers, from a file of them to the report."""

import csv
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from fake_dataset import write_dataset
from offbeat.evaluation.run_folder import open_run


def test_a_file_of_two_people_from_the_run_to_the_report(offbeat, tmp_path):
    rows = [variant.row for variant in write_dataset(tmp_path / "set").variants]
    sheet = ["file_name,answer,person,seconds"]
    sheet += [f"{row.file_name},{row.label.capitalize()},anna,2.5" for row in rows]
    sheet += [f"{row.file_name},sync,7," for row in rows[:20]]
    (tmp_path / "answers.csv").write_text("\n".join(sheet))
    code, out, err = offbeat("run", "set", "--model", "human:answers.csv", "--out", "run")
    assert code == 1
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["human:answers.csv:anna", *["50", "50", "0", "0", "0", "0", "0", "0"]],
        ["human:answers.csv:7", *["50", "20", "0", "0", "0", "0", "30", "0"]],
    ]
    assert "no answer recorded for variant v000" in err
    told = {(answer.model, answer.outcome): answer.details for answer in open_run(tmp_path / "run").answers}
    assert told["human:answers.csv:anna", "ok"] == {"person": "anna", "seconds": 2.5}
    assert told["human:answers.csv:7", "ok"] == {"person": "7"}
    assert offbeat("report", "run", "--out", "report")[0] == 0
    models = json.loads((tmp_path / "report" / "results.json").read_text())["models"]
    assert {name: (model["n"], model["missing"]) for name, model in models.items()} == {
        "human:answers.csv:anna": (50, 0),
        "human:answers.csv:7": (20, 30),
    }
    page = (tmp_path / "report" / "index.html").read_text().replace("<wbr>", "")
    named = re.findall(r"human:answers\.csv:(\w+)</a> <span class=\"range\">people</span>", page)
    assert named == ["anna", "7"]
    methods = (tmp_path / "report" / "paper" / "methods.md").read_text(encoding="utf-8")
    assert "*human:answers.csv:7* (a person; revision 1 sha256=" in methods
    assert "0 had no choice and count as wrong, 30 variants were left open and are not scored." in methods


def test_a_damaged_sheet_is_told_with_its_row(offbeat, tmp_path):
    write_dataset(tmp_path / "set")
    (tmp_path / "answers.csv").write_text("variant_id,answer\nv000000,sync\nv000000,ahead\n")
    code, out, err = offbeat("run", "set", "--model", "human:answers.csv", "--out", "run")
    assert (code, out) == (2, "")
    assert "answers.csv, line 3: variant_id 'v000000' again, first on line 2" in err
    assert not (tmp_path / "run").exists()


def test_the_empty_sheet_of_the_documentation_is_for_what_will_be_asked(offbeat, tmp_path):
    write_dataset(tmp_path / "set")
    page = (Path(__file__).parents[2] / "docs" / "howto" / "people.md").read_text(encoding="utf-8")
    code = textwrap.dedent(re.search(r" *```python\n(.*?)```", page, flags=re.DOTALL)[1])
    subprocess.run([sys.executable, "-c", code, "p1"], cwd=tmp_path, check=True)
    with (tmp_path / "p1.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert (len(rows), rows != sorted(rows)) == (40, True)
    (tmp_path / "p1.csv").write_text(
        "\n".join(map(",".join, [header, *([name, p, "sync", ""] for name, p, *_ in rows)]))
    )
    assert offbeat("run", "set", "--model", "human:p1.csv", "--limit", "40", "--out", "run")[0] == 0
