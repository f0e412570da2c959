"""A service on loopback, a key that must not show anywhere, and a cache folder of the test's own."""

import asyncio
import ssl

import pytest

from offbeat.models.base import Prompt
from offbeat.models.gemini import Gemini
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
