"""A deaf server, a blind one, one with a stale cache and one that mixes files up, each met by a whole run."""

import io
import json

import av
import numpy as np
import pytest
from builds import build, card_file, settings

from offbeat.evaluation.plan import Selection
from offbeat.evaluation.probe.plan import HEARD, MOVES
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.openai import OpenAI
from offbeat.report.build import open_material, write_report
from offbeat.report.results import compute_results
from servers.openai_wire import OpenAIWire
from servers.stand_in import StandIn

ASKED_OF_EACH = 2


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("asked")
    for seed in range(4):
        card_file(root / "videos" / f"{seed}.mkv", seed=seed, length_s=4, size=128)
    return build(root / "videos", root / "set", settings(lengths_s=(1,), delays_s=(0, 0.5)))[1]


def decoded(mp4):
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        frames = [frame.to_ndarray(format="gray").astype(np.float32) for frame in container.decode(video=0)]
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    return np.stack(frames), sound


class Server:
    """Decodes what it is sent and says what is true of it; `perceive` is what goes wrong before that."""

    def __init__(self, perceive=lambda picture, sound: (picture, sound)):
        self._perceive = perceive
        self._wire = OpenAIWire(answer=self._said, logprobs=[])
        self._text = ""

    def __call__(self, request):
        self._text = json.loads(request.body)["messages"][-1]["content"][-1]["text"]
        return self._wire(request)

    def _said(self, clip):
        picture, sound = self._perceive(*decoded(clip.mp4))
        if HEARD[0] in self._text:
            return HEARD[0] if np.abs(sound).max() > 1e-3 else HEARD[1]
        if MOVES[0] in self._text:
            return MOVES[0] if np.abs(np.diff(picture, axis=0)).mean(axis=(1, 2)).max() > 1 else MOVES[1]
        return "sync"


class StaleSound:
    """Keyed by the picture alone, as in vllm #44538."""

    def __init__(self):
        self._kept = {}

    def __call__(self, picture, sound):
        return picture, self._kept.setdefault(picture.tobytes(), sound)


class OneBehind:
    def __init__(self):
        self._before = None

    def __call__(self, *clip):
        before, self._before = self._before or clip, clip
        return before


def run(server, dataset, out, **terms):
    with StandIn(server) as stand_in:
        model = OpenAI(argument="m", base_url=f"{stand_in.url}/v1", logprobs=0)
        summary = run_models(
            dataset, [model], out=out, selection=Selection(limit=ASKED_OF_EACH), terms=Terms(first_wait_s=0.01, **terms)
        )
        assert not stand_in.failures
    (record,) = open_run(out).settings["models"].values()
    return summary.models[0], record["probe"]


@pytest.mark.parametrize(
    ("perceive", "sound", "picture"),
    [
        (lambda picture, _: (picture, np.ones((1, 9))), "does not depend", "depends"),
        (lambda _, sound: (np.zeros((2, 2, 2)), sound), "depends", "does not depend"),
        (StaleSound(), "does not depend", "depends"),
        (OneBehind(), "answers do not fit the files", "answers do not fit the files"),
    ],
    ids=["deaf", "blind", "stale sound", "one file behind"],
)
def test_a_server_at_fault_is_stopped_before_its_first_answer(perceive, sound, picture, dataset, tmp_path):
    summary, record = run(Server(perceive), dataset, tmp_path / "run")
    assert (record["sound"]["verdict"], record["picture"]["verdict"]) == (sound, picture)
    assert record["passed"] is False
    assert summary.missing == ASKED_OF_EACH
    assert summary.stopped.startswith("the probe: ")
    assert "--even-if-deaf" in summary.stopped
    assert open_run(tmp_path / "run").answers == ()


def test_a_server_that_hears_and_sees_is_asked(dataset, tmp_path):
    summary, record = run(Server(), dataset, tmp_path / "run")
    assert record["passed"] is True
    assert record["usage"]["plain"]["audio_tokens"] == 50
    assert summary.complete


def test_a_deaf_one_is_asked_if_the_user_insists_and_the_report_says_so(dataset, tmp_path):
    deaf = Server(lambda picture, _: (picture, np.ones((1, 9))))
    summary, record = run(deaf, dataset, tmp_path / "run", even_if_deaf=True)
    assert summary.complete
    assert (record["passed"], record["overridden"]) == (False, True)
    material = open_material([tmp_path / "run"])
    results = compute_results(material.dataset, material.answers, draws=50)
    built = write_report(material, results, out=tmp_path / "report")
    assert built.results["models"]["openai:m"]["probe"]["overridden"] is True
    assert "probe not passed" in built.page.read_text(encoding="utf-8")
