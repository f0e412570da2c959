"""What a paper takes: tables that are read back, hostile names that do nothing, a method that was really run."""

import csv
import dataclasses
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from report_samples import STUDY_DELAYS_MS, STUDY_GENRES, guess, sample_answers, sample_dataset

import offbeat
from offbeat.analysis.intervals import Estimate
from offbeat.evaluation.question import find_question
from offbeat.report.build import build_report
from offbeat.report.paper.citation import bibtex
from offbeat.report.paper.formats import as_csv, as_markdown
from offbeat.report.paper.latex import HEAD, as_latex
from offbeat.report.paper.methods import methods
from offbeat.report.paper.tables import Column, Table, paper_tables
from offbeat.report.results import compute_results

ROOT = Path(__file__).parents[2]
HOSTILE = "=cmd|' /C calc'!A0\n\\input{/etc/passwd} % <script>_&#~^$ | x"
LONG = (
    "openai:Qwen/Qwen2.5-Omni-7B · study-shuffled",
    "gemini:gemini-3.5-flash-lite",
    "worker:workers/video_llama_2_1_av.py:VideoLLaMA2",
    "openai:accounts/fireworks/models/qwen3-omni-30b-a3b-instruct · study · host=127.0.0.1:44471",
)


@pytest.fixture(scope="module")
def study():
    return sample_dataset(genres=STUDY_GENRES, lengths=(3.0, 10.0), delays_ms=STUDY_DELAYS_MS)


@pytest.fixture(scope="module")
def results(study):
    answers = [*sample_answers(study, "half", guess(0.5)), *sample_answers(study, "always:sync", lambda row: "sync")]
    return compute_results(study, answers, draws=200)


def test_the_folder_holds_every_table_in_three_formats(run, tmp_path):
    build_report([run], out=tmp_path / "out", draws=100)
    names = sorted(path.name for path in (tmp_path / "out" / "paper").iterdir())
    tables = [
        f"{name}.{kind}" for name in ("by-genre", "by-length", "headline", "pairs") for kind in ("csv", "md", "tex")
    ]
    assert names == sorted([*tables, "methods.md", "references.bib"])


def test_csv_holds_the_figures_of_the_results_to_the_last_digit(results):
    headline = next(table for table in paper_tables(results) if table.name == "headline")
    rows = list(csv.DictReader(io.StringIO(as_csv(headline), newline="")))
    for row, model in zip(rows, results.models, strict=False):
        assert row["model"] == model.name
        assert float(row["balanced accuracy"]) == model.figures["balanced_accuracy"].value
        assert float(row["Cohen's κ, low"]) == model.figures["kappa"].low
        assert int(row["answers"]) == model.n
        assert row["ROC area, direction"] == ""  # missing is not zero
    assert [row["model"] for row in rows[2:]] == [
        "baseline: always:sync", "baseline: always:ahead", "baseline: always:behind", "baseline: uniform guess",
    ]  # fmt: skip


def test_pairs_keep_all_digits_in_csv_and_few_in_words(results):
    pairs, pair = next(table for table in paper_tables(results) if table.name == "pairs"), results.comparisons[0]
    row = next(csv.DictReader(io.StringIO(as_csv(pairs), newline="")))
    assert float(row["t-test, p"]) == pair.test.t_p < 0.001
    assert float(row["difference in balanced accuracy"]) == pair.differences["balanced_accuracy"].value
    assert float(row["smallest detectable difference"]) == pair.test.detectable
    assert "&lt; 0.001" in as_markdown(pairs)
    assert r"\textless{} 0.001" in as_latex(pairs)


def test_tables_by_genre_and_length(results):
    tables = {table.name: table for table in paper_tables(results)}
    assert [row[:2] for row in tables["by-genre"].rows[:2]] == [("half", "ASMR"), ("half", "cooking")]
    assert [row[1] for row in tables["by-length"].rows] == ["3 s", "10 s"] * 2
    assert "| half | 10 s | " in as_markdown(tables["by-length"])


def test_markdown_and_latex_show_what_the_page_shows(results):
    headline = next(table for table in paper_tables(results) if table.name == "headline")
    figure = results.models[0].figures["balanced_accuracy"]
    shown = f"{100 * figure.value:.1f} [{100 * figure.low:.1f}, {100 * figure.high:.1f}]"
    assert f"| half | {shown.replace('[', chr(92) + '[').replace(']', chr(92) + ']')} |" in as_markdown(headline)
    lines = as_latex(headline).splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("half & "))
    value, interval = shown.split(" ", 1)
    assert lines[place].startswith(f"half & {value} & ")
    assert lines[place + 1].startswith(rf" & \scriptsize {interval.replace('[', '{[}').replace(']', '{]}')} & ")


def test_a_wide_table_is_printed_in_parts_that_all_name_the_row(results):
    text = as_latex(next(table for table in paper_tables(results) if table.name == "headline"))
    parts = text.split(r"\begin{tabular}")[1:]
    assert [part[: part.index("\n")] for part in parts] == ["{lrrrrr}", "{lrrrrr}", "{lrrrrr}"]
    assert all("\nhalf & " in part and "\nbaseline: always: & " in part for part in parts)
    (pairs,) = (table for table in paper_tables(results) if table.name == "pairs")
    assert re.findall(r"begin\{tabular\}\{(.*)\}", as_latex(pairs)) == ["lrrr", "lrrrrr", "lp{60mm}"]
    (by_genre,) = (table for table in paper_tables(results) if table.name == "by-genre")
    lines = as_latex(by_genre).splitlines()
    assert [line for line in lines if "multicolumn" in line] == [
        rf"\multicolumn{{7}}{{l}}{{\emph{{{name}}}}} \\" for name in ("half", "always:sync")
    ]


def test_a_long_name_goes_on_below_beside_its_intervals():
    name = "openai:Qwen/Qwen2.5-Omni-7B_" + "x" * 20
    columns = (Column("model"), Column("accuracy", "accuracy"))
    figures = Estimate(0.5, 0.25, 0.75, 3), Estimate(None, None, None, 0)
    table = Table(name="t", caption="", columns=columns, rows=tuple((name, figure) for figure in figures))
    body = as_latex(table).split(r"\midrule" + "\n")[1].split("\n" + r"\bottomrule")[0]
    rows = [line.removesuffix(r" \\").split(" & ") for line in body.splitlines()]
    names, cells = ["openai:Qwen/", "Qwen2.5-Omni-", r"7B\_", "x" * 16, "x" * 4], ["", "", ""]
    assert [row[0] for row in rows] == names * 2
    assert [row[1] for row in rows] == ["50.0", r"\scriptsize {[}25.0, 75.0{]}", *cells, "--", "", *cells]


def test_a_name_in_a_sentence_may_break_after_its_punctuation(study):
    name = "openai:Qwen/video_llama"
    answers = [*sample_answers(study, name, lambda row: row.label), *sample_answers(study, "n", guess(0.1))]
    (pairs,) = (table for table in paper_tables(compute_results(study, answers, draws=50)) if table.name == "pairs")
    broken = r"openai:\allowbreak{}Qwen/\allowbreak{}video\_\allowbreak{}llama is better by "
    assert broken in as_latex(pairs)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", [*LONG, HOSTILE], ids=["qwen", "gemini", "worker", "fireworks", "hostile"])
def test_pdflatex_compiles_all_tables_and_none_is_too_wide(study, name, tmp_path):
    answers = [*sample_answers(study, name, guess(0.4)), *sample_answers(study, "oracle", lambda row: row.label)]
    compared = compute_results(study, answers, draws=50)
    for table in paper_tables(compared):
        (tmp_path / f"{table.name}.tex").write_text(as_latex(table), encoding="utf-8")
    inputs = "".join(rf"\input{{{table.name}}}" for table in paper_tables(compared))
    needs = "".join(re.findall(r"\\usepackage(?:\[\w+\])?\{\w+\}", HEAD))
    text = rf"\documentclass{{article}}{needs}\begin{{document}}{inputs}\end{{document}}"
    (tmp_path / "all.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "Overfull" not in done.stdout


@pytest.fixture
def hostile():
    columns = (Column("model"), Column(HOSTILE), Column("n"))
    return Table(name="t", caption=HOSTILE, columns=columns, rows=((HOSTILE, "+1", 1), ("@x", "-y", 2)))


def test_no_cell_of_a_csv_is_a_formula(hostile):
    rows = list(csv.reader(io.StringIO(as_csv(hostile), newline="")))
    assert [len(row) for row in rows] == [3, 3, 3]
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert rows[2][:2] == ["'@x", "'-y"]
    assert not [cell for cell in cells if "\n" in cell]


def test_hostile_names_are_text_in_latex(hostile):
    text = as_latex(hostile)
    assert text.startswith(HEAD)
    text = text.removeprefix(HEAD)
    commands = set(re.findall(r"\\([a-zA-Z]+)", text))
    assert commands == {
        "begin", "end", "caption", "label", "toprule", "midrule", "bottomrule", "textbackslash", "textless",
        "textgreater", "textbar", "textasciitilde", "textasciicircum", "centering", "footnotesize", "setlength",
        "tabcolsep",
    }  # fmt: skip
    assert r"\textbackslash{}input\{/etc/passwd\} \%" in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {2}


def test_hostile_names_are_text_in_markdown(hostile):
    text = as_markdown(hostile)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [4, 4, 4, 4]
    assert "<script>" not in text
    assert not re.search(r"(?<!\\)[$~^@{}]", text)
    read = [token.content for token in MarkdownIt().enable("table").parse(text) if token.type == "inline"]
    words = MarkdownIt().parseInline(read[0])[0].children
    assert {token.type for token in words} <= {"text", "text_special"}
    assert "".join(token.content for token in words) == " ".join(HOSTILE.split())


def test_hostile_names_are_text_in_the_method():
    dataset = sample_dataset()
    text = methods(compute_results(dataset, sample_answers(dataset, HOSTILE, guess(0.5)), draws=50), dataset, [])
    line = next(line for line in text.splitlines() if "etc/passwd" in line)
    assert not re.search(r"(?<!\\)[$~^@{}]", line)
    assert " ".join(HOSTILE.split()) in MarkdownIt().render(line).replace("&lt;", "<").replace("&gt;", ">").replace(
        "&amp;", "&"
    )


TEMPLATES = {"study": "Watch {length} s.\n<b>{options}", "other": "No."}


def test_the_method_is_what_was_run(study, results):
    letters = dataclasses.asdict(find_question("letters"))
    asked = {name: letters | {"template": template} for name, template in TEMPLATES.items()}
    text = methods(results, study, [{"folder": "run", "settings": {"questions": asked}}])
    for words in (
        "51 sources: ASMR (10), cooking (11), instrument (10), speech (10) and sports (10)",
        "102 clips of 3 and 10 s",
        "21 delays from −5 to +5 s",
        "2,142 variants, 102 in sync, 1,020 ahead, 1,020 behind",
        "2,142 decoded files, no delay is off by more than 0.020 ms",
        "    Watch {length} s.\n    <b>{options}",
        "*A = audio matches video* (sync), *B = audio earlier than video* (ahead) and *C = audio later than video* "
        "(behind), where the letters change meanings from clip to clip:",
        "*half* (revision 1) gave 2,142 answers",
        "over 200 draws of sources",
        "1 pair of models was compared",
        f"scored by Offbeat {offbeat.__version__}",
    ):
        assert words in text, words
    assert "No." not in text


def test_what_failed_stands_in_the_method():
    dataset = sample_dataset()
    replies = iter(["refused", "error", None] + ["sync"] * 9)
    answers = sample_answers(dataset, "m*_", lambda row: next(replies))
    answers += [dataclasses.replace(one, repeat=1) for one in answers]
    text = methods(compute_results(dataset, answers, draws=50), dataset, [])
    assert "*m\\*\\_* (revision 1) gave 20 answers" in text
    assert "; 10 variants were answered 2 times each; 2 had no choice and count as wrong, 2 calls failed" in text
    assert "1 variants were not asked" in text


def test_the_citation_is_of_this_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {offbeat.__version__}\n" in text
    assert f"version = {{{offbeat.__version__}}}" in bibtex()
