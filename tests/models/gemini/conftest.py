"""A service on loopback, a key that must not show anywhere, a cache folder of the test's own, and batches."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest

from offbeat.models.base import BatchItem, Prompt
from offbeat.models.gemini import Gemini, submitting
from offbeat.timing import LABELS
from servers.gemini_wire import KEY, MODEL, GeminiWire
from servers.stand_in import StandIn


@pytest.fixture(scope="module", autouse=True)
def _one_ssl_context():
    """Each client loads all certificates three times, 0.1 s of CPU; nothing here is encrypted."""
    context = ssl.create_default_context()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", lambda *arguments, **keywords: context)
        yield


@pytest.fixture
def wire():
    return GeminiWire()


@pytest.fixture
def server(wire, monkeypatch, tmp_path):
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("offbeat.models.gemini.uploads.FIRST_PAUSE_S", 0.01)
    with StandIn(wire) as server:
        yield server
    assert server.failures == []
    assert wire.leaks == []


@pytest.fixture
def prompt():
    return Prompt(text="You will watch a 2-second video with audio. sync, ahead or behind?", options=LABELS)


@pytest.fixture
def made(server):
    """A model that talks to the server, with these options."""

    def make(argument=MODEL, **options):
        return Gemini(argument=argument, base_url=server.url, **options)

    return make


@pytest.fixture
def ask(made, variants, prompt):
    """One reply, or what was raised, of a model with these options."""

    def do(variant=None, question=None, **options):
        async def once():
            model = made(**options)
            try:
                return await model.reply(variant or variants[2], question or prompt)
            finally:
                await model.close()

        return asyncio.run(once())

    return do


@pytest.fixture
def items(variants, prompt):
    return [BatchItem(key=f"k{number}", variant=variant, prompt=prompt) for number, variant in enumerate(variants)]


@pytest.fixture
def session(made):
    @asynccontextmanager
    async def open_(**options):
        model = made(**options)
        try:
            yield model
        finally:
            await model.close()

    return open_


@pytest.fixture
def noted():
    """The names by which jobs are found before the service has named them."""
    return []


@pytest.fixture
def submit(session, items, noted):
    def do(**options):
        async def once():
            async with session(**options) as model:
                return await model.submit(items, note=noted.append)

        return asyncio.run(once())

    return do


@pytest.fixture
def collect(session, items):
    def do(job, **options):
        async def once():
            async with session(**options) as model:
                return await model.collect(job, items)

        return asyncio.run(once())

    return do


@pytest.fixture(params=["list", "file"])
def job(request, monkeypatch, submit, wire):
    """A batch that was taken, as a list in the request and as a file."""
    if request.param == "file":
        monkeypatch.setattr(submitting, "LIST_LIMIT_BYTES", 1)
    name = submit()
    assert wire.batches[name.partition("@")[0]].in_file is (request.param == "file")
    return name
