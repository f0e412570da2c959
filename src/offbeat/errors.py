"""Every exception that Offbeat raises on purpose.

::

    OffbeatError              catch this one; the command line prints its text and nothing more
    ├── MediaError            a file cannot be read, written or trusted; carries a short reason code
    ├── SourceListError       a source list, or a row of it, is not what it should be
    ├── DatasetError          a dataset folder is missing, incomplete, or was made otherwise
    ├── RunError              a run folder is missing, or belongs to something else
    ├── SettingsError         flags or a settings file contradict each other or name what does not exist
    └── ModelError            a model gave no answer; kept with the variant as outcome ``error``
        └── ModelUnavailable  the model cannot be used at all (unknown name, missing extra): the run does not start

Each text names the file or row, what was found, what was expected, and what to do.
"""

from __future__ import annotations


class OffbeatError(Exception):
    """Base of all errors that a user can do something about."""


class MediaError(OffbeatError):
    """A media file cannot be read, written or trusted.

    Attributes:
        reason: a short code for tables and filters: `not_media`, `no_sound`, `no_picture`, `silent`, `too_short`, ...
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class SourceListError(OffbeatError):
    """A list of sources, or one row of it, is not what it should be."""


class DatasetError(OffbeatError):
    """A dataset folder is missing, incomplete, or was made with other settings."""


class RunError(OffbeatError):
    """A run folder is missing, or holds the answers of something else."""


class SettingsError(OffbeatError):
    """Flags or a settings file contradict each other, or name what does not exist."""


class ModelError(OffbeatError):
    """A model gave no answer to this question; the next one may be answered."""


class ModelUnavailable(ModelError):
    """The model cannot be used at all: unknown name, missing extra, missing file."""
