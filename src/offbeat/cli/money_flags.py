"""The flags about money that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

from offbeat.cli.model_options import finite

max_cost_flag = click.option(
    "--max-cost",
    "most_usd",
    type=click.FloatRange(min=0),
    callback=finite,
    metavar="USD",
    help="Spend no more; for a run, in this run folder.",
)
price_file_flag = click.option(
    "--prices",
    "price_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A table of prices that goes before ours.",
)
unknown_price_flag = click.option(
    "--unknown-price", "unknown_price_ok", is_flag=True, help="Ask although nobody knows the price."
)
