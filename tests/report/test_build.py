"""The report folder: what lies in it, what is refused, and the command."""

import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from dataclasses import replace

import pytest
from click.testing import CliRunner
from report_samples import Parsed, guess, sample_answers, sample_dataset, write_dataset, write_run

from offbeat.cli.report import report
from offbeat.errors import DatasetError, RunError, SettingsError
from offbeat.evaluation.database import Database
from offbeat.evaluation.money.purse import Purse
from offbeat.report.build import build_report


def test_the_folder_holds_page_figures_and_clips(run, tmp_path):
    page = build_report([run], out=tmp_path / "out", title="A title", draws=100)
    assert page == tmp_path / "out" / "index.html"
    assert "<title>A title</title>" in page.read_text(encoding="utf-8")
    told = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert told["models"]["always:sync"]["n"] == 24
    assert told["runs"][0]["folder"] == "run"
    clips = sorted((tmp_path / "out" / "clips").iterdir())
    assert len(clips) == 24
    assert clips[0].samefile(tmp_path / "set" / "clips" / clips[0].name)


def test_the_same_run_gives_the_same_bytes(run, tmp_path):
    for name in ("a", "b"):
        build_report([run], out=tmp_path / name, draws=100)
    for name in ("index.html", "results.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_report_is_made_again_over_an_earlier_one(run, tmp_path):
    build_report([run], out=tmp_path / "out", title="first", draws=100)
    page = build_report([run], out=tmp_path / "out", title="second", draws=100)
    assert "<title>second</title>" in page.read_text(encoding="utf-8")
    assert not list((tmp_path / "out").rglob("*.part"))


def test_clips_are_copied_where_linking_fails(run, tmp_path, monkeypatch):
    def no_link(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", no_link)
    build_report([run], out=tmp_path / "out", draws=100)
    clip = next((tmp_path / "out" / "clips").iterdir())
    original = tmp_path / "set" / "clips" / clip.name
    assert clip.read_bytes() == original.read_bytes()
    assert not clip.samefile(original)


def test_several_runs_stand_in_one_report(run, tmp_path):
    dataset = sample_dataset(tmp_path / "set", lengths=(3.0, 5.0))
    other = write_run(tmp_path / "other", dataset, sample_answers(dataset, "third", guess(0.9)))
    build_report([run, other], out=tmp_path / "out", draws=100)
    told = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert list(told["models"]) == ["third", "half right", "always:sync"]


def test_the_page_tells_who_answered_with_how_many_tokens_and_what_it_cost(tmp_path, clip):
    dataset = sample_dataset(tmp_path / "set")
    write_dataset(dataset, clip)
    used = {"usage": {"input_tokens": 1200}, "details": {"served_model": "m-2026<b>"}}
    run = write_run(tmp_path / "run", dataset, [replace(one, **used) for one in sample_answers(dataset, "m", guess(1))])
    words = "".join(Parsed(build_report([run], out=tmp_path / "free", draws=50).read_text(encoding="utf-8")).words)
    assert "m-2026<b>" in words
    assert "input tokens 14,400" in words
    assert "Spent, as far as prices are known" not in words
    with Database(run / "answers.sqlite") as database:
        purse = Purse(database)
        for purpose, cost in (("probe", 0.25), ("answer", None)):
            call = purse.begin(model="m", key="k", purpose=purpose, most_usd=0.5)
            purse.end(call, ended="ok", usage=None, cost_usd=cost)
    words = "".join(Parsed(build_report([run], out=tmp_path / "paid", draws=50).read_text(encoding="utf-8")).words)
    assert "Spent, as far as prices are known: $0.7500" in words
    told = json.loads((tmp_path / "paid" / "results.json").read_text(encoding="utf-8"))
    assert told["runs"][0]["spent_usd"] == 0.75


def test_a_source_that_was_refused_is_listed_once(tmp_path, clip):
    dataset = sample_dataset(tmp_path / "set")
    first, second, *others = dataset.sources
    unfit = {"refused_lengths": {"3": "too short"}}
    refused = first.model_copy(update={"path": "gone.mp4", "status": "refused", "reason": "too_short", **unfit})
    dataset = replace(dataset, sources=(refused, second.model_copy(update=unfit), *others))
    write_dataset(dataset, clip)
    run = write_run(tmp_path / "run", dataset, sample_answers(dataset, "m", guess(1)))
    words = Parsed(build_report([run], out=tmp_path / "out", draws=50).read_text(encoding="utf-8")).words
    assert (words.count("gone.mp4"), words.count(second.path)) == (1, 1)


def test_a_folder_with_other_files_is_refused(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(SettingsError, match="holds other files and no earlier report"):
        build_report([run], out=tmp_path / "mine", draws=100)
    with pytest.raises(SettingsError, match="dataset's own folder"):
        build_report([run], out=tmp_path / "set", draws=100)


def test_a_changed_dataset_is_refused(run, tmp_path):
    metadata = tmp_path / "set" / "metadata.jsonl"
    metadata.write_text("".join(metadata.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    with pytest.raises(DatasetError, match="not the dataset of"):
        build_report([run], out=tmp_path / "out", draws=100)


def test_a_moved_dataset_can_be_named(run, tmp_path):
    shutil.move(tmp_path / "set", tmp_path / "moved")
    with pytest.raises(DatasetError, match=r"no dataset\.json"):
        build_report([run], out=tmp_path / "out", draws=100)
    build_report([run], out=tmp_path / "out", dataset_folder=tmp_path / "moved", draws=100)


def test_runs_over_different_datasets_are_refused(run, tmp_path, clip):
    dataset = sample_dataset(tmp_path / "set 2", genres={"sports": 2})
    write_dataset(dataset, clip)
    other = write_run(tmp_path / "other", dataset, sample_answers(dataset, "m", guess(0.5)))
    with pytest.raises(RunError, match="different datasets"):
        build_report([run, other], out=tmp_path / "out", draws=100)


def test_a_run_without_answers_is_refused(tmp_path, clip):
    dataset = sample_dataset(tmp_path / "set")
    write_dataset(dataset, clip)
    with pytest.raises(RunError, match="no answers yet"):
        build_report([write_run(tmp_path / "run", dataset, [])], out=tmp_path / "out")


def test_a_clip_that_leads_out_of_the_dataset_is_refused(run, tmp_path):
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    clip = next((tmp_path / "set" / "clips").iterdir())
    clip.unlink()
    clip.symlink_to(tmp_path / "secret")
    with pytest.raises(DatasetError, match="leads out of the dataset folder"):
        build_report([run], out=tmp_path / "out", draws=100)


def invoke(*arguments):
    result = CliRunner().invoke(report, [str(argument) for argument in arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


def test_the_command_prints_the_page_or_the_figures(run, tmp_path):
    result = invoke(run, "--out", tmp_path / "out", "--bootstrap", 100)
    assert (result.return_value, result.stdout.strip()) == (0, str(tmp_path / "out" / "index.html"))
    result = invoke(run, "--out", tmp_path / "out", "--bootstrap", 100, "--json")
    assert json.loads(result.stdout) == json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))


def test_the_command_tells_of_missing_clips(run, tmp_path):
    clips = sorted((tmp_path / "set" / "clips").iterdir())
    clips[0].unlink()
    result = invoke(run, "--out", tmp_path / "out", "--bootstrap", 100)
    assert result.return_value == 1
    assert f"missing: 1 clip of {tmp_path / 'set'}, the first is clips/{clips[0].name}" in result.stderr
    assert (tmp_path / "out" / "index.html").is_file()


def test_serving_ends_well_with_an_interrupt(run, tmp_path):
    """Served to the end of a clip by range, then Ctrl-C: exit code 0."""
    command = [sys.executable, "-c", "from offbeat.cli import main; main()", "report", run, "--out", tmp_path / "out"]
    with subprocess.Popen([*command, "--bootstrap", "100", "--serve"], stderr=subprocess.PIPE, text=True) as served:
        address = next(line for line in served.stderr if line.startswith("http://127.0.0.1:")).split()[0]
        with urllib.request.urlopen(address, timeout=30) as response:
            assert b"<title>" in response.read()
        served.send_signal(signal.SIGINT)
        assert served.wait(30) == 0


@pytest.mark.parametrize("choice", ["error", "yes"])
def test_a_report_without_any_score_is_still_a_page(tmp_path, clip, choice):
    dataset = sample_dataset(tmp_path / "set")
    write_dataset(dataset, clip)
    run = write_run(tmp_path / "run", dataset, sample_answers(dataset, "m", lambda row: choice))
    page = build_report([run], out=tmp_path / "out", draws=100).read_text(encoding="utf-8")
    assert ("m gave no answer that can be scored." if choice == "error" else "m is not scored (12 answers)") in page


def test_help_shows_an_example():
    result = invoke("--help")
    assert "offbeat report run --out report --open" in result.stdout


def test_a_report_that_was_interrupted_is_gone_on_with(run, tmp_path):
    build_report([run], out=tmp_path / "out", draws=100)
    (tmp_path / "out" / "index.html").unlink()
    build_report([run], out=tmp_path / "out", draws=100)
    assert (tmp_path / "out" / "index.html").is_file()
