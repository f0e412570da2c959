"""Files of a repository of a hub, at one commit; from the cache where the hub is out of reach.

The client of the hub waits for ever for one that takes a connection and says nothing. So it is asked for the commit
first, with a time limit: `HF_HUB_ETAG_TIMEOUT` in the environment, 10 s by default.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from offbeat.errors import ModelUnavailable


def from_hub(repo: str, revision: str | None, patterns: Sequence[str]) -> Path:
    """Fetch files, or find them in the cache.

    Args:
        repo: as OWNER/NAME.
        revision: commit, branch or tag; None for the newest.
        patterns: of the names of the files.

    Returns:
        Their folder, which is called as the commit. Where the hub is out of reach, some may be missing in it.

    Raises:
        ModelUnavailable: the hub does not have them or hand them out, or it is out of reach, and the cache empty.
    """
    import huggingface_hub as hub
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    where = f"{repo} at {revision}" if revision else repo
    out_of_reach = (OSError, RuntimeError, *_transport_errors())
    absent = None
    try:
        try:
            hub.HfApi().model_info(repo, revision=revision, timeout=constants.HF_HUB_ETAG_TIMEOUT)
        except (RepositoryNotFoundError, RevisionNotFoundError, GatedRepoError):
            raise
        except out_of_reach as error:
            absent = error
        return Path(
            hub.snapshot_download(
                repo, revision=revision, allow_patterns=list(patterns), local_files_only=absent is not None
            )
        )
    except HFValidationError as error:
        raise ModelUnavailable(f"{where}: neither a folder nor the name of a repository: {error}") from error
    except GatedRepoError as error:
        raise ModelUnavailable(f"{where}: its owner has to let you in; agree on its page, and set HF_TOKEN") from error
    except RevisionNotFoundError as error:
        raise ModelUnavailable(f"{where}: the repository has no such commit, branch or tag") from error
    except RepositoryNotFoundError as error:
        raise ModelUnavailable(
            f"{where}: the hub has no such repository, or hides it; HF_TOKEN opens private ones"
        ) from error
    except out_of_reach as error:
        if absent is None:
            raise ModelUnavailable(
                f"{where}: could not be fetched whole ({_told(error)}); the same command tries again"
            ) from error
        raise ModelUnavailable(
            f"{where}: the hub is out of reach ({_told(absent)}), and the cache has not all of it; "
            "fetch it on a machine with a network, and name its folder"
        ) from absent


def _transport_errors() -> tuple[type[Exception], ...]:
    """What the library raises that the hub's client stands on: httpx2 since its 2.0, and httpx before."""
    return tuple(sys.modules[name].HTTPError for name in ("httpx2", "httpx") if name in sys.modules)


def _told(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    text = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return text if status is None else f"it answers {status}"
