"""`offbeat demo`: see all of it work, before anything of yours is needed."""

from __future__ import annotations

import json
import os
import webbrowser
from pathlib import Path

import click

from offbeat.cli.progress import progress


@click.command(epilog="Example: offbeat demo --open")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="The folder for all of it; what is there is kept.",
)
@click.option("--takes", type=click.IntRange(min=1), default=2, show_default=True, help="Of each kind of scene.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of scenes, windows and the random model."
)
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1, show_default="cores", help="At once.")
@click.option("--open", "open_page", is_flag=True, help="Open the report in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def demo(out: Path, takes: int, seed: int, jobs: int, open_page: bool, as_json: bool) -> int:
    """Synthesise scenes, shift their sound, ask reference models and a detector, and write a report.

    Needs no key, no graphics card and no network; takes about two minutes on two cores.
    """
    from offbeat.demo import run_demo
    from offbeat.report.findings import finding

    made = run_demo(out, takes=takes, seed=seed, jobs=jobs, progress=progress)
    if as_json:
        figures = {
            model.name: {name: estimate.value for name, estimate in model.figures.items()}
            for model in made.results.models
        }
        click.echo(json.dumps({"page": str(made.page), "variants": len(made.dataset.variants), "models": figures}))
    else:
        info = made.dataset.info
        click.echo(
            f"\n{info.variants} variants of {info.clips} clips from {info.sources_used} scenes. What was found:\n"
        )
        for model in made.results.models:
            click.echo(f"  {finding(model)}")
        click.echo(f"\nThe page, with all clips to play: {made.page.resolve()}")
    if open_page:
        webbrowser.open(made.page.resolve().as_uri())
    return 0
