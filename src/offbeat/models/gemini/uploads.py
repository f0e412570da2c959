"""Clips that are too large to be sent along: uploaded once, and used until they expire.

A file is ready when the service calls it ACTIVE, which is asked for until a deadline. One that is not ready by then is
not sent again: the next attempt, of another process too, goes on waiting for it, for an hour at most, since a file may
be stuck. The service deletes a file after 48 hours, or when it says; we take it as gone two hours before
(ai.google.dev/gemini-api/docs/files, resumable upload).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

import httpx2

from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError
from offbeat.models.gemini.cache import Upload, UploadCache
from offbeat.models.gemini.errors import MORE_TIME, Said, UploadGone, error_for, inside, plain, told
from offbeat.models.gemini.request import MP4, Clip
from offbeat.models.gemini.rest import SHORT_BYTES, Rest

MARGIN_S = 2 * 3600.0
LIFE_S = 48 * 3600.0 - MARGIN_S
WAITED_FOR_S = 3600.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0


class Uploads:
    """The uploads of one connection.

    Args:
        rest: by which the service is asked.
        cache: of what is there already.
        deadline_s: how long a file may take to be ready.
    """

    def __init__(self, rest: Rest, cache: UploadCache, *, deadline_s: float) -> None:
        self._rest = replace(rest, spec=f"{rest.spec}: an upload")  # so that errors tell which step it was
        self._cache = cache
        self._begun = replace(cache, scope=f"{cache.scope} processing")
        """Those that were sent, and not ready when they were last asked about."""
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
            begun = await asyncio.to_thread(self._begun.find, clip.sha256, good_for_s=0)
            if begun is not None:
                with suppress(UploadGone):
                    return await self._awaited(clip.sha256, begun, {})
            begun, file = await self._sent(clip.data, MP4)
            await asyncio.to_thread(self._begun.keep, clip.sha256, begun)
            try:
                return await self._awaited(clip.sha256, begun, file)
            except UploadGone as error:
                raise _gone_again(error) from None

    async def forget(self, sha256: str, uri: str) -> None:
        """The service has it no more."""
        await asyncio.to_thread(self._cache.forget, sha256, uri)

    async def upload(self, data: bytes, mime_type: str) -> Upload:
        """Upload, and wait until it can be used.

        Raises:
            ModelUnavailable: nothing can be uploaded with this key, or there.
            RequestRejected: the service could not process it.
            TransientError: it was not ready in time, or the upload broke off.
        """
        begun, file = await self._sent(data, mime_type)
        try:
            return await self._ready(begun, file)
        except UploadGone as error:
            raise _gone_again(error) from None

    async def _awaited(self, sha256: str, begun: Upload, file: Mapping[str, Any]) -> str:
        """The address of a clip that was sent, once it is ready; what came to nothing is not waited for again."""
        try:
            ready = await self._ready(begun, file)
        except RequestRejected:
            await asyncio.to_thread(self._begun.forget, sha256, begun.uri)
            raise
        await asyncio.to_thread(self._cache.keep, sha256, ready)
        await asyncio.to_thread(self._begun.forget, sha256, begun.uri)
        return ready.uri

    async def _sent(self, data: bytes, mime_type: str) -> tuple[Upload, Mapping[str, Any]]:
        """The upload, and what the service says of the file; it is sent in one piece."""
        rest = self._rest
        begun = await rest.send(
            "POST",
            f"{rest.base_url}/upload/{rest.api_version}/files",
            headers={
                "Content-Type": "application/json",
                "X-Goog-Upload-Protocol": "resumable",
                "X-Goog-Upload-Command": "start",
                "X-Goog-Upload-Header-Content-Length": str(len(data)),
                "X-Goog-Upload-Header-Content-Type": mime_type,
            },
            content=json.dumps({"file": {"mimeType": mime_type, "sizeBytes": str(len(data))}}).encode(),
            refused=_not_taken,
        )
        home = httpx2.URL(rest.base_url)
        try:
            # wherever it points to: the clip and the key go to the address that the user gave
            url = httpx2.URL(begun.headers["x-goog-upload-url"]).copy_with(scheme=home.scheme, netloc=home.netloc)
        except (KeyError, httpx2.InvalidURL):
            text = plain(f"{rest.spec}: the server gave no address to send it to, but {begun.text[:80]!r}")
            raise TransientError(text) from None
        headers = {"X-Goog-Upload-Offset": "0", "X-Goog-Upload-Command": "upload, finalize"}
        ended = await rest.send("POST", str(url), headers=headers, content=data, refused=_not_taken)
        file = inside(rest.fields_of(ended), "file")
        name, uri = file.get("name"), file.get("uri")
        if not (isinstance(name, str) and isinstance(uri, str)):
            raise TransientError(f"{rest.spec}: the server took a file and gave no address for it")
        return Upload(name=name, uri=uri, expires_at=time.time() + WAITED_FOR_S), file

    async def _ready(self, begun: Upload, file: Mapping[str, Any]) -> Upload:
        """The upload as soon as it can be used; a question about it that fails is put again.

        Args:
            begun: the upload.
            file: what the service said of it, as far as it did.

        Raises:
            UploadGone: it is not there.
            RequestRejected: the service could not process it.
            TransientError: it was not ready in time.
            RateLimited: the service wants to be asked later than that.
        """
        deadline = time.monotonic() + self._deadline_s
        pause_s = FIRST_PAUSE_S
        said = self._rest.spec
        while file.get("state") not in ("ACTIVE", "FAILED"):
            if time.monotonic() + pause_s > deadline:
                raise TransientError(
                    f"{said}: the file was not ready after {self._deadline_s:g} s, and is not sent again for now"
                    f"{MORE_TIME}"
                )
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            try:
                file = await self._rest.get(begun.name, refused=_of_the_file, most_bytes=SHORT_BYTES)
            except (RateLimited, TransientError) as error:
                wait_s = error.retry_after_s or 0.0
                if time.monotonic() + wait_s > deadline:
                    raise
                pause_s = max(pause_s, wait_s)
                said = str(error).removesuffix(MORE_TIME)
        if file.get("state") == "FAILED":
            why = inside(file, "error").get("message", "no reason given")
            raise RequestRejected(plain(f"{self._rest.spec}: the server could not process the file: {why}"))
        return replace(begun, expires_at=_expires_at(file.get("expirationTime")))


def _gone_again(error: UploadGone) -> TransientError:
    return TransientError(f"{error}. The file was gone before it was ready")


def _of_the_file(said: Said, spec: str) -> ModelError:
    """For one who asks about a file, 404 is of the file, whatever the words."""
    return UploadGone(told(said, spec)) if said.code == 404 else error_for(said, spec)


def _not_taken(said: Said, spec: str) -> ModelError:
    """Of a file that is to be, 403 and 404 mean another thing than of one that was there."""
    if said.code in (403, 404):
        return ModelUnavailable(
            f"{told(said, spec)}. Nothing can be uploaded with this key, or to this address; "
            "more clips are sent along with --option inline_limit_mb=70"
        )
    return error_for(said, spec)


def _expires_at(expiration: object) -> float:
    """When we take a file as gone."""
    latest = time.time() + LIFE_S
    try:
        return min(latest, datetime.fromisoformat(str(expiration)).timestamp() - MARGIN_S)
    except (ValueError, OverflowError):
        return latest
