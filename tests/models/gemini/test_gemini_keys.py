"""A service that names things by the key: such names are used, and never kept."""

import asyncio

from offbeat.models.base import BatchItem
from offbeat.models.gemini.cache import FILE, Upload, UploadCache
from servers.gemini_wire import KEY


def test_an_upload_whose_address_holds_the_key_is_not_remembered(server, tmp_path):
    cache = UploadCache(folder=tmp_path, scope="s")
    cache.keep("1", Upload(name="files/1", uri="https://host/files/1", expires_at=4e9))
    cache.keep("2", Upload(name="files/2", uri=f"https://host/files/2?key={KEY}", expires_at=4e9))
    assert cache.find("1", good_for_s=0) is not None
    assert cache.find("2", good_for_s=0) is None
    assert KEY.encode() not in (tmp_path / FILE).read_bytes()


def test_a_batch_whose_name_holds_the_key_is_known_by_ours(made, wire, variants, prompt, monkeypatch):
    told = wire._told
    monkeypatch.setattr(wire, "_told", lambda batch: {**told(batch), "name": f"batches/{KEY}"})
    noted = []

    async def once():
        model = made()
        try:
            return await model.submit([BatchItem("k", variants[0], prompt)], note=noted.append)
        finally:
            await model.close()

    assert asyncio.run(once()) == noted[0]
    assert noted[0].startswith("offbeat-")
