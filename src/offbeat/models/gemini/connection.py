"""The client of the service, set up so that it does one call at a time and nothing behind our back.

The version of the API is set and not left to the client, whose default moved from v1beta to v1 with its version 3. It
is v1beta: there the service documents what decides what a model sees, media resolution and video metadata among them,
and the files and batches that are used here (ai.google.dev/gemini-api/docs/media-resolution, /api/batch-api).
"""

from __future__ import annotations

from dataclasses import dataclass

import httpx2
from google.genai import Client, types

from offbeat.errors import ModelUnavailable
from offbeat.models.gemini.bounds import MOST_BYTES, BoundedClient
from offbeat.models.gemini.cache import UploadCache, cache_folder, scope_of
from offbeat.models.gemini.rest import KEY_HEADER, LISTED_BYTES, Rest
from offbeat.models.gemini.settings import Settings
from offbeat.models.gemini.tokens import longest_answer_bytes
from offbeat.models.gemini.uploads import Uploads
from offbeat.models.keys import key_from, redacted

KEY_NAMES = ("GEMINI_API_KEY", "GOOGLE_API_KEY")


@dataclass(frozen=True, slots=True)
class Connection:
    """What one event loop uses.

    Attributes:
        client: of the service.
        rest: for what is asked past the client.
        uploads: of clips.
        scope: stands for the key and the address of the service where something belongs to them.
    """

    client: Client
    rest: Rest
    uploads: Uploads
    scope: str

    async def close(self) -> None:
        """Let go of all sockets."""
        await self.rest.http.aclose()
        self.client.close()


def connect(settings: Settings) -> Connection:
    """A connection; nothing is sent yet.

    Raises:
        ModelUnavailable: there is no key, or the environment names a proxy or certificates that cannot be used.
    """
    spec = f"gemini:{settings.model}"
    key = key_from(KEY_NAMES, spec=spec)
    home = _origin(httpx2.URL(settings.base_url))

    async def prepare(request: httpx2.Request) -> None:
        if _origin(request.url) != home:
            request.headers.pop(KEY_HEADER, None)
        if request.url.path.endswith(":batchGenerateContent"):
            # the service may repeat a batch that it takes, and one that is paid for must not be lost over it
            request.extensions[MOST_BYTES] = LISTED_BYTES

    try:
        http = BoundedClient(
            limit_s=settings.timeout_s,
            most_bytes=longest_answer_bytes(settings),
            # how many calls are under way is the runner's business
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64),
            on_request=prepare,
        )
        client = Client(
            vertexai=False,  # whatever GOOGLE_GENAI_USE_VERTEXAI says
            api_key=key,
            http_options=types.HttpOptions(
                base_url=settings.base_url,
                api_version=settings.api_version,
                timeout=int(settings.timeout_s * 1000),
                retry_options=types.HttpRetryOptions(attempts=1),
                httpx_async_client=http,
            ),
        )
    except (ImportError, OSError, ValueError) as error:  # a proxy of an unknown kind, certificates that are not there
        raise ModelUnavailable(
            f"{spec}: no connection can be made: {redacted(str(error))}; check the environment variables of proxies "
            "(HTTPS_PROXY, ALL_PROXY, ...) and SSL_CERT_FILE"
        ) from None
    scope = scope_of(settings.base_url, key)
    cache = UploadCache(folder=cache_folder(), scope=scope)
    rest = Rest(http=http, base_url=settings.base_url, api_version=settings.api_version, key=key, spec=spec)
    uploads = Uploads(rest, cache, deadline_s=settings.timeout_s)
    return Connection(client=client, rest=rest, uploads=uploads, scope=scope)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    """Another scheme of the same host is not home: there the key would be unencrypted."""
    return url.scheme, url.host, url.port
