"""Specifications that cannot be had say what is wrong and what to type."""

from importlib.metadata import EntryPoint

import pytest

from offbeat.errors import ModelUnavailable
from offbeat.models import registry
from offbeat.models.registry import make_model


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "randon",
            r"no model 'randon'; did you mean 'random'\? Known: always, gemini, human, openai, oracle, ",
        ),
        ("randon", r"signal, .*and FILE\.py:Class"),
        ("ORACLE", "did you mean 'oracle'"),
        ("gpt", "no model 'gpt'. Known: "),
        ("", "no model ''"),
        (":sync", "no model ''"),
        ("always", "always:sync, always:ahead, always:behind"),
        ("always:Sync", "always:sync"),
        ("random:7", "takes nothing"),
        ("oracle:x", "takes nothing"),
        ("replay", "replay:FILE"),
    ],
)
def test_unavailable(spec, message):
    with pytest.raises(ModelUnavailable, match=message):
        make_model(spec)


class _Distribution:
    name = "offbeat"
    requires = ("numpy>=2", "google-genai>=1; extra == 'gemini'", "torch>=2 ; extra == 'qwen'")


@pytest.mark.parametrize(
    ("missing", "line"),
    [
        ("torch.nn", r'pip install "offbeat\[qwen\]"'),
        ("google.genai", r'pip install "offbeat\[gemini\]"'),
        ("google", r'pip install "offbeat\[gemini\]"'),
        ("somewhere", "pip install somewhere"),
    ],
)
def test_a_missing_package_names_the_extra(monkeypatch, tmp_path, missing, line):
    (tmp_path / "needs_more.py").write_text(f"raise ModuleNotFoundError('gone', name={missing!r})\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "needs_more", raising=False)
    entry = EntryPoint("needy", "needs_more:Needy", registry.GROUP)
    object.__setattr__(entry, "dist", _Distribution())
    monkeypatch.setattr(registry, "known_models", lambda: {"needy": entry})
    with pytest.raises(ModelUnavailable, match=line):
        make_model("needy")


def test_a_broken_module_is_told_as_it_is(monkeypatch):
    entry = EntryPoint("broken", "offbeat.models.base:NoSuch", registry.GROUP)
    monkeypatch.setattr(registry, "known_models", lambda: {"broken": entry})
    with pytest.raises(ModelUnavailable, match=r"cannot be imported.*NoSuch"):
        make_model("broken")
