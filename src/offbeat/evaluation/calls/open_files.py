"""How many calls at once the bound on open files leaves room for.

A process may open 1,024 files on most Linux systems, 256 on macOS, sockets included, unless it asks for more, which it
may up to a second, hard bound. Beyond it clips cannot be opened nor servers reached, and answers would be lost as
errors that speak of clips and servers.
"""

from __future__ import annotations

import resource

FILES_A_CALL = 2
"""A connection, and a clip while it is read or uploaded."""
SPARE = 128
"""For the dataset, the database, logs, and what a model keeps open."""


def calls_that_fit(wanted: int) -> int:
    """Ask for as many open files as these calls need.

    Returns:
        How many calls there is room for; `wanted` at most, one at least.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = SPARE + wanted * FILES_A_CALL
    if _at_least(soft, needed):
        return wanted
    granted = needed if _at_least(hard, needed) else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    return max(1, min(wanted, (granted - SPARE) // FILES_A_CALL))


def _at_least(bound: int, needed: int) -> bool:
    return bound == resource.RLIM_INFINITY or bound >= needed
