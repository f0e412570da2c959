"""A run over the network in a process of its own, for tests that kill it.

Usage: child_server_run.py DATASET OUT URL ACKNOWLEDGED. Each answer's variant id is appended to ACKNOWLEDGED once it is
on the disk.
"""

import os
import sys
from pathlib import Path

import httpx2

from offbeat.dataset.folder import open_dataset
from offbeat.errors import TransientError
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Reply

CONNECTIONS = 6


class Remote:
    """Says a variant's label, by way of a server."""

    name, revision, looks = "remote", "1", False

    def __init__(self, url: str):
        self._url, self._client = url, None

    async def reply(self, variant, prompt):
        self._client = self._client or httpx2.AsyncClient()
        try:
            response = await self._client.post(self._url, json={"say": variant.row.label})
        except httpx2.TransportError as error:
            raise TransientError(str(error)) from error
        return Reply(response.json()["text"])

    async def close(self):
        if self._client:
            await self._client.aclose()


if __name__ == "__main__":
    dataset, out, url, acknowledged = sys.argv[1:]
    file = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    run_models(
        open_dataset(Path(dataset)),
        [Remote(url)],
        out=Path(out),
        terms=Terms(connections=CONNECTIONS),
        on_progress=lambda answer: os.write(file, f"{answer.variant_id}\n".encode()),
    )
