"""``offbeat questions``: in which wordings a model can be asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from offbeat.cli.table import text_table

if TYPE_CHECKING:
    from offbeat.evaluation.question import Question

EXAMPLE_CLIP = "example"
EXAMPLE_LENGTH_S = 5


@click.command(
    epilog="""\b
    Examples:
      offbeat questions
      offbeat questions letters
      offbeat questions my-questions.toml:mine
    """
)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def questions(name: str | None, as_json: bool) -> None:
    """List the questions; with NAME, show one as it is asked about a clip of 5 seconds.

    NAME is one of the list, or FILE.toml:NAME for one of your own; `offbeat run --question` takes the same.
    """
    from offbeat.evaluation.question import find_question, shipped_questions

    chosen = list(shipped_questions().values()) if name is None else [find_question(name)]
    if as_json:
        shown = [_as_json(question) for question in chosen]
        click.echo(json.dumps(shown if name is None else shown[0], indent=2))
    elif name is None:
        rows = [(question.name, " / ".join(question.words), question.about) for question in chosen]
        click.echo(text_table(("question", "answers", "what it is for"), rows))
    else:
        _show(chosen[0])


def _show(question: Question) -> None:
    from offbeat.evaluation.question import unscored, write_prompt

    prompt = write_prompt(question, clip_id=EXAMPLE_CLIP, length_s=EXAMPLE_LENGTH_S)
    if prompt.system is not None:
        click.echo(f"{click.style('system', bold=True)}\n{prompt.system}\n")
        click.echo(click.style("prompt", bold=True))
    click.echo(prompt.text)
    meant = ", ".join(f"{word} means {option}" for word, option in zip(prompt.words, prompt.options, strict=True))
    order = "; shuffled: another order for each clip" if question.order == "shuffled" else ""
    click.echo(f"\n{question.name}: {meant}{order}", err=True)
    if (note := unscored(question)) is not None:
        click.echo(note, err=True)


def _as_json(question: Question) -> dict[str, object]:
    from offbeat.evaluation.question import write_prompt

    prompt = write_prompt(question, clip_id=EXAMPLE_CLIP, length_s=EXAMPLE_LENGTH_S)
    return {
        "name": question.name,
        "about": question.about,
        "order": question.order,
        "fingerprint": question.fingerprint,
        "options": dict(zip(prompt.options, prompt.words, strict=True)),
        "system": prompt.system,
        "prompt": prompt.text,
    }
