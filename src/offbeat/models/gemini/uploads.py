"""Clips that are too large to be sent along: uploaded once, and used until they expire.

A file is ready when the service calls it ACTIVE, which is asked for until a deadline. The service deletes it after 48
hours, or when it says; we take it as gone two hours before.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Awaitable
from typing import TypeVar
from weakref import WeakValueDictionary

from google.genai import Client, types

from offbeat.errors import RequestRejected, TransientError
from offbeat.models.gemini.cache import Upload, UploadCache
from offbeat.models.gemini.errors import CLIENT_ERRORS, error_from, plain
from offbeat.models.gemini.request import MP4, Clip

MARGIN_S = 2 * 3600.0
LIFE_S = 48 * 3600.0 - MARGIN_S
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0

T = TypeVar("T")


class Uploads:
    """The uploads of one connection.

    Args:
        client: of the service.
        cache: of what is there already.
        spec: the model, for errors.
        deadline_s: how long a file may take to be ready.
    """

    def __init__(self, client: Client, cache: UploadCache, *, spec: str, deadline_s: float) -> None:
        self._files = client.aio.files
        self._cache = cache
        self._spec = spec
        self._deadline_s = deadline_s
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def uri_of(self, clip: Clip, *, good_for_s: float) -> str:
        """The address of the clip at the service, uploaded if need be.

        Args:
            clip: its bytes.
            good_for_s: how long it must be there yet.

        Raises:
            ModelError: it was not taken, or not ready in time.
        """
        # one content is uploaded once, however many questions about it are under way
        lock = self._locks.setdefault(clip.sha256, asyncio.Lock())
        async with lock:
            known = await asyncio.to_thread(self._cache.find, clip.sha256, good_for_s=good_for_s)
            if known is not None:
                return known.uri
            upload = await self.upload(clip.data, MP4)
            await asyncio.to_thread(self._cache.keep, clip.sha256, upload)
            return upload.uri

    async def forget(self, sha256: str, uri: str) -> None:
        """The service has it no more."""
        await asyncio.to_thread(self._cache.forget, sha256, uri)

    async def upload(self, data: bytes, mime_type: str) -> Upload:
        """Upload, and wait until it can be used.

        Raises:
            RequestRejected: the service could not process it.
            TransientError: it was not ready in time, or the upload broke off.
        """
        deadline = time.monotonic() + self._deadline_s
        config = types.UploadFileConfig(mime_type=mime_type)
        file = await self._call(self._files.upload(file=io.BytesIO(data), config=config))
        pause_s = FIRST_PAUSE_S
        while file.state is types.FileState.PROCESSING:
            if time.monotonic() + pause_s > deadline:
                raise TransientError(
                    f"{self._spec}: an uploaded file was not ready after {self._deadline_s:g} s; "
                    "more time: --option timeout_s=600"
                )
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            file = await self._call(self._files.get(name=file.name or ""))
        if file.state is types.FileState.FAILED:
            why = file.error.message if file.error and file.error.message else "no reason given"
            raise RequestRejected(plain(f"{self._spec}: the server could not process an uploaded file: {why}"))
        if file.name is None or file.uri is None:
            raise TransientError(f"{self._spec}: the server took a file and gave no address for it")
        expires_at = time.time() + LIFE_S
        if file.expiration_time is not None:
            expires_at = min(expires_at, file.expiration_time.timestamp() - MARGIN_S)
        return Upload(name=file.name, uri=file.uri, expires_at=expires_at)

    async def _call(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except CLIENT_ERRORS as failure:
            error = error_from(failure, self._spec)
        if error.usage is None:
            error.usage = {}  # an upload is free
        raise error
