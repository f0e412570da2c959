"""``offbeat report``: tables, charts and a page with clips to play."""

from __future__ import annotations

import json
import sys
import webbrowser
from pathlib import Path

import click

from offbeat.cli.progress import progress
from offbeat.cli.table import clip_count
from offbeat.errors import SettingsError

Folder = click.Path(path_type=Path, file_okay=False)


@click.command(
    epilog="""\b
    Examples:
      offbeat report run --out report --open
      offbeat report run-a run-b --out report --title "Two models"
    """
)
@click.argument("runs", metavar="RUN…", nargs=-1, required=True, type=Folder)
@click.option("--out", required=True, type=Folder, help="A new folder, or one with an earlier report.")
@click.option("--title", help="Of the page.")
@click.option("--dataset", type=Folder, help="Where the dataset lies now, if it was moved.")
@click.option("--bootstrap", default=10_000, show_default=True, type=click.IntRange(min=100), help="Draws of sources.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of the draws.")
@click.option("--figures", is_flag=True, help="Charts as SVG, PNG and PDF too, for a paper (extra: figures).")
@click.option("--json", "as_json", is_flag=True, help="Print results.json to standard output.")
@click.option("--open", "open_page", is_flag=True, help="Show the page in a browser.")
@click.option("--serve", "serve_page", is_flag=True, help="Serve the page on this machine until Ctrl-C.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="For --serve; any free one by default.")
def report(
    runs: tuple[Path, ...],
    out: Path,
    title: str | None,
    dataset: Path | None,
    bootstrap: int,
    seed: int,
    figures: bool,
    as_json: bool,
    open_page: bool,
    serve_page: bool,
    port: int,
) -> int:
    """Tables, charts and a page with clips to play, from one or several runs over one dataset.

    Writes index.html, which needs no network and no server, results.json with the same figures, the clips, and the
    folder paper: tables as Markdown, LaTeX and CSV, a paragraph on the method, and references.

    Exit code: 0 if everything is there, 1 if clips were missing from the dataset, 2 if there is no report.
    """
    from offbeat.report.build import PAPER, TITLE, figures_of, open_material, write_report
    from offbeat.report.paper.figures import FOLDER, converter, write_figures
    from offbeat.report.results import compute_results, entries

    if figures:
        converter()  # a missing extra is told before the work
    material = open_material(runs, dataset_folder=dataset)
    known = {variant.row.variant_id: None for variant in material.dataset.variants}
    with progress("scoring models", len(entries(material.answers, known))) as advance:
        results = compute_results(material.dataset, material.answers, draws=bootstrap, seed=seed, advance=advance)
    with progress("placing clips", len(known)) as advance:
        built = write_report(material, results, out=out, title=title or TITLE, advance=advance)
    if figures:
        specs = figures_of(material, results, built)
        with progress("drawing figures", len(specs)) as advance:
            write_figures(out / PAPER / FOLDER, specs, advance=advance)
    if as_json:
        click.echo(json.dumps(built.results, indent=1, allow_nan=False))
    click.echo(f"{built.page}", err=as_json)
    if built.missing_clips:
        click.echo(
            f"missing: {clip_count(len(built.missing_clips))} of {material.dataset.folder}, "
            f"the first is {built.missing_clips[0]}; build the dataset again and repeat",
            err=True,
        )
    if serve_page:
        _serve(out, port, open_page)
    elif open_page:
        webbrowser.open(built.page.resolve().as_uri())
    return 1 if built.missing_clips else 0


def _serve(out: Path, port: int, open_page: bool) -> None:
    from offbeat.report.serve import serve

    def ready(url: str) -> None:
        click.echo(f"{url}  (Ctrl-C ends it)", err=True)
        if open_page:
            webbrowser.open(url)

    sys.stdout.flush()
    try:
        serve(out, port=port, ready=ready)
    except KeyboardInterrupt:
        return  # the way to end it; the report itself is there
    except OSError as error:
        raise SettingsError(f"--port {port}: {error.strerror}; choose another, or leave it out") from error
