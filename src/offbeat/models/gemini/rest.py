"""Requests past the client: uploads, jobs and results, of which it does not tell enough.

Of an error inside the answer to an upload the client (google-genai 3.4.0) says ``KeyError: 'file'`` and no more
(googleapis/python-genai#1547), and a piece of an upload that is refused it sends three times. It gives up a whole
batch, paid for as it is, where the details of one error in it are not text (`types.JobError.details`), drops the job's
own error, and holds all results at once. So these are asked for here, one request at a time.

How long each may take, and how much is read of an answer, is bounded (`offbeat.models.gemini.bounds`). None of them
costs anything: errors say so.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import httpx2

from offbeat.errors import ModelError, TransientError
from offbeat.models.gemini.bounds import MOST_BYTES, BoundedClient, whole
from offbeat.models.gemini.errors import Said, error_from, plain, said_in

KEY_HEADER = "x-goog-api-key"
SHORT_BYTES = 1_000_000
"""What is told of a file is about 1 kB."""
LISTED_BYTES = 256_000_000
"""A batch that was handed over as a list, at most 20 MB, holds all its results, and a page tells of 100 batches."""
LONGEST_LINE_BYTES = 64_000_000
LONGEST_FILE_BYTES = 2_000_000_000
"""As the service bounds a file (ai.google.dev/gemini-api/docs/files)."""
_BROKEN = (httpx2.HTTPError, httpx2.InvalidURL)

Refused: TypeAlias = Callable[[Said, str], ModelError]
"""Which error it is that the server said so, of which model."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Asks the service.

    Attributes:
        http: what it is asked through.
        base_url: of the service.
        api_version: of the service.
        key: of the user.
        spec: the model, for errors.
    """

    http: BoundedClient
    base_url: str
    api_version: str
    key: str = field(repr=False)
    spec: str

    async def get(self, path: str, *, refused: Refused, most_bytes: int = LISTED_BYTES) -> Mapping[str, Any]:
        """The JSON object at a path, such as ``files/abc``.

        Raises:
            TransientError: it did not come, or is none, or longer than this.
            ModelError: what `refused` makes of the server's words.
        """
        url = f"{self.base_url}/{self.api_version}/{path}"
        return self.fields_of(await self.send("GET", url, refused=refused, most_bytes=most_bytes))

    async def send(
        self,
        method: str,
        url: str,
        *,
        refused: Refused,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        most_bytes: int = SHORT_BYTES,
    ) -> httpx2.Response:
        """One request, with the key; what the server said to it, unless that is an error, or longer than this."""
        try:
            answer = await self.http.request(
                method,
                url,
                headers={KEY_HEADER: self.key, **(headers or {})},
                content=content,
                extensions={MOST_BYTES: most_bytes},
            )
        except _BROKEN as failure:
            raise TransientError(str(error_from(failure, self.spec))) from None
        if said := _error_in(answer):
            raise refused(said, self.spec)
        return answer

    async def lines(self, path: str, *, refused: Refused) -> AsyncGenerator[bytes]:
        """The lines of a file at a path; one is held at a time."""
        url = f"{self.base_url}/{self.api_version}/{path}"
        rest = bytearray()
        came = 0
        try:
            async with self.http.stream("GET", url, headers={KEY_HEADER: self.key}) as answer:
                if not answer.is_success:
                    told = await whole(answer, SHORT_BYTES)
                    raise refused(_error_in(told) or Said(answer.status_code, "", ""), self.spec)
                async for piece in answer.aiter_bytes():
                    rest += piece
                    came += len(piece)
                    if came > LONGEST_FILE_BYTES:
                        raise TransientError(f"{self.spec}: {path} is longer than {LONGEST_FILE_BYTES:,} bytes")
                    if b"\n" in piece:  # else a long line would be copied with each of its pieces
                        *lines, rest = rest.split(b"\n")
                        for line in lines:
                            yield bytes(line)
                    if len(rest) > LONGEST_LINE_BYTES:
                        raise TransientError(f"{self.spec}: a line of {path} is longer than {LONGEST_LINE_BYTES} bytes")
        except _BROKEN as failure:
            raise TransientError(str(error_from(failure, self.spec))) from None
        yield bytes(rest)

    def fields_of(self, answer: httpx2.Response) -> Mapping[str, Any]:
        """The JSON object in an answer.

        Raises:
            TransientError: there is none.
        """
        if isinstance(value := _json_of(answer), dict):
            return cast("dict[str, Any]", value)
        raise TransientError(plain(f"{self.spec}: expected a JSON object, got {answer.text[:80]!r}"))


def _error_in(answer: httpx2.Response) -> Said | None:
    """What the server refuses and why; it has been seen to do so with status 200."""
    value = _json_of(answer)
    if not answer.is_success:
        return said_in(answer.text if value is None else value, code=answer.status_code, headers=answer.headers)
    only_an_error = isinstance(value, dict) and list(cast("dict[str, Any]", value)) == ["error"]
    return said_in(cast("object", value)) if only_an_error else None


def _json_of(answer: httpx2.Response) -> object:
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
