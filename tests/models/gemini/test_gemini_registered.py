"""By its name, with the user's options, and with the line to type where the client is not installed."""

import subprocess
import sys

from offbeat.evaluation.contract import check_model
from offbeat.models.registry import find_kind, make_model

MISSING = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name == "google.genai":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Gone())
from offbeat.errors import ModelUnavailable
from offbeat.models.registry import make_model
try:
    make_model("gemini:gemini-3.8-flash")
except ModelUnavailable as error:
    print(error)
"""


def test_it_is_made_by_name_with_options():
    model = make_model("gemini:gemini-3.8-flash", seed=3, options={"fps": 4, "base_url": "http://127.0.0.1:9"})
    assert model.name == "gemini:gemini-3.8-flash"
    assert "fps=4 " in model.revision
    assert "host=127.0.0.1:9 " in model.revision


def test_the_options_are_those_of_the_settings():
    from offbeat.models.gemini.settings import Settings

    options = find_kind("gemini:gemini-3.8-flash").options()
    assert set(options) == set(Settings.model_fields) - {"model"}
    for name, parameter in options.items():
        assert parameter.default == Settings.model_fields[name].default, name


def test_it_keeps_the_contract(made, variants):
    verdicts = {check.what: (check.verdict, check.found) for check in check_model(made, variants)}
    assert {verdict for verdict, _ in verdicts.values()} <= {"ok", "note"}, verdicts


def test_without_the_client_the_line_to_type_is_named():
    told = subprocess.run(
        [sys.executable, "-c", MISSING], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert 'pip install "offbeat[gemini]"' in told
