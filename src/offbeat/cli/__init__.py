"""The command line: one file per command, imported only when it is called."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import TextIO, cast

import click

import offbeat
from offbeat.cli.table import printable
from offbeat.cli.unheard import Unheard
from offbeat.errors import OffbeatError, SecondInterrupt
from offbeat.models.keys import redacted

COMMANDS = {
    "demo": "A small set from synthesised scenes, reference models, and a report.",
    "build": "Cut clips from videos and shift their sound by exact amounts.",
    "verify": "Is a dataset what it says of itself? Names every difference.",
    "merge": "Make one dataset of the shards that many machines built.",
    "probe": "Does a model hear and see at all? A few clips, muted, swapped, frozen.",
    "run": "Ask models about every variant of a dataset; resumes by itself.",
    "status": "How far a run is: what is there, missing, failing and why.",
    "score": "Read the stored answers again and recompute, without asking.",
    "compare": "What changed between two runs, with paired intervals.",
    "report": "Tables, charts and a page with clips to play.",
    "export": "Write a dataset out in another form.",
    "models": "Who can be asked, and with which options.",
    "questions": "In which wordings a model can be asked.",
    "doctor": "What is installed, what is missing, and the line to type.",
}
"""Name and one line of help; the code is the function of the same name in `offbeat.cli.NAME`."""


class _LazyGroup(click.Group):
    """Knows the names of its commands without importing them, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"offbeat.cli.{cmd_name}")
        return getattr(module, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


_EXAMPLES = """\b
Begin with:
  offbeat demo --open
With videos of your own:
  offbeat build VIDEOS --out set
  offbeat run set --model signal --out run
  offbeat report run --out report --open
"""


@click.group(
    cls=_LazyGroup,
    epilog=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(offbeat.__version__, prog_name="offbeat")
def cli() -> None:
    """Does this observer notice when sound and picture are out of step, and by how much?"""


def main() -> None:
    """Entry point: errors that a user can mend are printed as one line, exit code 2; Ctrl-C exits with 130."""
    # Work is shared out by clips and sources; BLAS's own threads would only spin beside that. Numpy reads this once.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.stderr = cast("TextIO", Unheard(sys.stderr))
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OffbeatError as error:
        _complain(str(error))
        sys.exit(2)
    except OSError as error:
        if error.filename is not None or not _is_stuck(sys.stdout):
            _of_the_disk(error)
            sys.exit(2)
        sys.stdout = None  # it would be tried again, and complain, on the way out
        _complain(f"standard output: cannot be written to ({error.strerror}); is the disk full?")
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort) as error:
        click.echo("\nStopped. What was finished is kept; the same command goes on.", err=True)
        if isinstance(error.__cause__, SecondInterrupt):  # click makes its own of an interrupt
            os._exit(130)  # at an ordinary exit the threads of models would be waited for
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


_MENDED_BY = {
    errno.ENOSPC: "make room, or choose another folder, and give the same command again",
    errno.EDQUOT: "make room, or choose another folder, and give the same command again",
    errno.EROFS: "choose another folder",
    errno.EACCES: "choose another folder, or see who may read and write there",
    errno.EPERM: "choose another folder, or see who may read and write there",
}
"""What the user can do about a disk."""


def _of_the_disk(error: OSError) -> None:
    """Say in one line that a disk is full or must not be written to; another fault is raised again."""
    if error.errno not in _MENDED_BY:
        raise error
    name = error.filename if error.filename2 is None else error.filename2  # of a copy: where to
    where = "" if name is None else os.fsdecode(name).removeprefix("file:") + ": "
    _complain(f"{where}{error.strerror}; {_MENDED_BY[error.errno]}")


def _complain(text: str) -> None:
    click.secho(f"offbeat: {printable(redacted(text))}", fg="red", err=True)


def _is_stuck(stream: TextIO | None) -> bool:
    """Whether nothing more can be written there."""
    try:
        click.echo(file=stream)
    except OSError:
        return True
    return False
