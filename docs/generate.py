"""Write the pages of docs/ that are generated; `--check` only says whether they are up to date.

`reference/command-line.md` is what `--help` prints, command by command.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from offbeat.cli import COMMANDS, cli

DOCS = Path(__file__).parent
REFERENCE = DOCS / "reference" / "command-line.md"
WIDTH = 100


def command_line_page() -> str:
    """The help of the group and of each command, in Markdown."""
    parts = [
        "# Command line\n\nGenerated from `--help` by `make docs`; do not edit. All commands exit with 0 only when "
        "everything that was asked for is there (`build` with `--strict`), with 2 where something must be mended "
        "first, with 130 after Ctrl-C.\n",
        _section("offbeat", cli),
    ]
    context = click.Context(cli, info_name="offbeat")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is None:
            sys.exit(f"offbeat {name}: listed but not there")
        parts.append(_section(f"offbeat {name}", command))
    return "\n".join(parts)


def _section(title: str, command: click.Command) -> str:
    settings = command.context_settings | {"terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=title, **settings)
    return f"## {title}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


def main() -> None:
    """Write, or with `--check` compare."""
    page = command_line_page().replace("[default: (cores)]", "[default: cores]")
    if "--check" in sys.argv:
        if not REFERENCE.is_file() or REFERENCE.read_text(encoding="utf-8") != page:
            sys.exit(f"{REFERENCE}: not what --help prints; run `make docs`")
    else:
        REFERENCE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
