"""A model in a file of one's own, and the options that a constructor names."""

import sys
from importlib.metadata import EntryPoint

import pytest

from offbeat.errors import ModelUnavailable, SettingsError
from offbeat.models import registry
from offbeat.models.base import Prompt
from offbeat.models.registry import check_options, extra_of, make_model

MINE = """\
from dataclasses import dataclass

from offbeat.models.base import Reply


class Mine:
    revision = "1"

    def __init__(self, *, argument: str = "x", fps: float = 2, labels: list | None = None) -> None:
        self.name = f"mine:{argument}"
        self.given = (fps, labels)

    def reply(self, variant, prompt):
        return Reply(text=prompt.words[0])


class Bare:
    name, revision = "bare", "1"

    def reply(self, variant, prompt):
        return Reply(text="sync")


class Greedy(Bare):
    def __init__(self, **given) -> None:
        self.given = given


class Needy(Bare):
    def __init__(self, *, path: str) -> None: ...


class Failing(Bare):
    def __init__(self) -> None:
        raise KeyError("no such voice")


class Missing(Bare):
    def __init__(self) -> None:
        import not_there_at_all


@dataclass
class Half:
    name: "str" = "half"

    def reply(self, variant, prompt): ...


class Nameless(Bare):
    name = ""


class Numbered(Bare):
    revision = 3


class Unready(Bare):
    @property
    def name(self):
        return self.weights


class Exits(Bare):
    def __init__(self) -> None:
        raise SystemExit(4)


class Short(Bare):
    def reply(self, clip): ...


class Uncallable(Bare):
    reply = "sync"


class Uncounted(Bare):
    price_name = "gemini/gemini-3.8-flash"


class Endless(Bare):
    def replies(self, variants, prompts): ...


number = 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The folder of the user, whose files are given relative to it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "mymodels.py").write_text(MINE)
    return tmp_path


def test_a_class_in_a_file(own, variants):
    model = make_model("mymodels.py:Mine:loud", seed=3)
    assert (model.name, model.given) == ("mine:loud", (2, None))
    assert model.reply(variants[0], Prompt(text="?", options=("sync", "ahead"))).text == "sync"
    assert make_model("mymodels.py:Mine").name == "mine:"
    assert make_model(f"{own}/mymodels.py:Mine:a:b").name == "mine:a:b"
    assert "mymodels" not in sys.modules


def test_a_class_without_a_constructor(own):
    assert make_model("mymodels.py:Bare", seed=1, options={"fps": 3}).name == "bare"
    with pytest.raises(ModelUnavailable, match=r"'mymodels\.py:Bare:x': takes nothing after its name"):
        make_model("mymodels.py:Bare:x")


def test_options_go_to_the_constructor_that_names_them(own):
    options = {"fps": 8, "labels": ["a"], "other": 1}
    assert make_model("mymodels.py:Mine", options=options).given == (8, ["a"])
    greedy = make_model("mymodels.py:Greedy:arg", seed=5, options=options)
    assert greedy.given == {"argument": "arg", "seed": 5, **options}
    assert make_model("always:sync", options=options).name == "always:sync"
    with pytest.raises(ModelUnavailable, match="needs --option path=VALUE"):
        make_model("mymodels.py:Needy")


def test_an_option_that_nobody_takes_is_refused(own):
    check_options(["mymodels.py:Mine", "random"], ["fps", "labels"])
    check_options(["mymodels.py:Mine", "mymodels.py:Greedy"], ["anything"])
    message = (
        r"no model takes the option 'fsp'; did you mean 'fps'\? "
        r"\(random takes no options; mymodels\.py:Mine takes fps, labels\)"
    )
    with pytest.raises(SettingsError, match=message):
        check_options(["random", "mymodels.py:Mine"], ["fsp"])
    with pytest.raises(SettingsError, match="no model takes the option 'seed'"):
        check_options(["random"], ["seed"])


def test_an_edited_file_is_read_anew_and_neighbours_are_found(own):
    (own / "neighbour_of_mine.py").write_text('NAME = "from next door"\n')
    (own / "mymodels.py").write_text(MINE + "\nfrom neighbour_of_mine import NAME\nBare.name = NAME\n")
    assert make_model("mymodels.py:Bare").name == "from next door"
    (own / "mymodels.py").write_text(MINE)
    assert make_model("mymodels.py:Bare").name == "bare"


def test_a_file_in_a_folder_finds_what_lies_in_the_current_one(own):
    (own / "models").mkdir()
    (own / "tools_of_mine.py").write_text('NAME = "from here"\n')
    (own / "models" / "one.py").write_text(MINE + "\nfrom tools_of_mine import NAME\nBare.name = NAME\n")
    assert make_model("models/one.py:Bare").name == "from here"


def test_a_file_hides_no_installed_module(own, monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    (own / "colorsys.py").write_text("raise RuntimeError\n")
    (own / "mymodels.py").write_text(f"import colorsys\ncolorsys.rgb_to_hsv\n{MINE}")
    assert make_model("mymodels.py:Bare").name == "bare"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("none.py:Mine", r"none\.py: no such file; expected a Python file with the class 'Mine'"),
        ("mymodels.py", r"mymodels\.py: expected mymodels\.py:CLASS; its models are: Mine, Bare, Greedy"),
        ("mymodels.py:", r"expected mymodels\.py:CLASS"),
        ("mymodels.py:Yours", r"mymodels\.py: no class 'Yours' in it; its models are: Mine"),
        ("mymodels.py:number", r"no class 'number'"),
        ("mymodels.py:Failing", r"'mymodels\.py:Failing' cannot be made: mymodels\.py, line \d+: KeyError: 'no such v"),
        ("mymodels.py:Missing", r"needs the package 'not_there_at_all', .*; type: pip install not-there-at-all"),
        ("mymodels.py:Half", r"\(mymodels\.py\): has no revision, which every model needs"),
        ("mymodels.py:Nameless", r"its name is '', expected a text with something in it"),
        ("mymodels.py:Numbered", r"'mymodels\.py:Numbered' \(mymodels\.py\): its revision is 3, expected a text"),
        ("mymodels.py:Unready", r"its name cannot be told: mymodels\.py, line \d+: AttributeError: .*'weights'"),
        ("mymodels.py:Exits", r"'mymodels\.py:Exits' cannot be made: mymodels\.py, line \d+: SystemExit: 4"),
        ("mymodels.py:Short", r"too many positional arguments; expected a method reply\(self, variant, prompt\)"),
        (
            "mymodels.py:Uncallable",
            r"'sync' is not a callable object; expected a method reply\(self, variant, prompt\)",
        ),
        ("mymodels.py:Uncounted", r"has price_name, but no expected_usage: one is of no use without the other"),
        ("mymodels.py:Endless", r"\(mymodels\.py\): has replies, but no at_once"),
        ("mymodels:Mine", r"there is no model 'mymodels'; did you mean 'mymodels\.py:Mine'\?"),
        ("my:models.py", r"my:models\.py: no such file"),
        ("mymodels.pyc:Mine", r"there is no model 'mymodels\.pyc'.*and FILE\.py:Class"),
        ("C:\\models\\mine.py:Mine", r"C:\\models\\mine\.py: no such file"),
    ],
)
def test_what_is_wrong_is_named(own, spec, message):
    with pytest.raises(ModelUnavailable, match=message):
        make_model(spec)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class Mine:\n    def reply(self\n", r"mymodels\.py, line 2: '\(' was never closed: def reply"),
        ("x = 1\ny = x / 0\n", r"mymodels\.py, line 2: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(3)\n", r"mymodels\.py, line 2: SystemExit: 3"),
        ("import torch_of_mine\n", r"needs the package 'torch_of_mine', .* pip install torch-of-mine"),
        ("from offbeat.models.base import Nothing\n", r"mymodels\.py cannot be imported: .*'Nothing'"),
        ("from .neighbour import x\n", r"mymodels\.py, line 1: ImportError: .*; a neighbour is imported by its name"),
        ("import broken_neighbour\n", r"broken_neighbour\.py, line 1: cannot assign to literal: 1 ="),
        ("\x00", r"mymodels\.py"),
    ],
)
def test_a_file_that_does_not_run(own, text, message):
    (own / "mymodels.py").write_text(text)
    (own / "broken_neighbour.py").write_text("1 = = 2\n")
    before = set(sys.modules)
    with pytest.raises(ModelUnavailable, match=message):
        make_model("mymodels.py:Mine")
    assert not [name for name in set(sys.modules) - before if name.startswith("_offbeat_own")]


def test_the_extra_of_a_model():
    class Distribution:
        name = "offbeat"
        requires = (
            "numpy>=2",
            "google-genai>=3; extra == 'gemini'",
            "torch>=2; extra == 'qwen'",
            "t>5; extra == 'qwen'",
        )

    def entry(name):
        made = EntryPoint(name, "x:Y", registry.GROUP)
        object.__setattr__(made, "dist", Distribution())
        return made

    assert extra_of(entry("gemini")) == ("gemini", ["google-genai"])
    assert extra_of(entry("qwen-omni")) == ("qwen", ["torch", "t"])
    assert extra_of(entry("random")) is None
