"""``offbeat probe``: does a model hear and see at all?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offbeat.cli.model_options import base_url_flag, finite, option_flag
from offbeat.cli.money_flags import max_cost_flag, price_file_flag, unknown_price_flag
from offbeat.cli.opening import open_all
from offbeat.cli.progress import progress
from offbeat.cli.table import one_line, text_table
from offbeat.cli.tracebacks import each_once
from offbeat.timing import exact_seconds

if TYPE_CHECKING:
    from offbeat.dataset.variant import Variant
    from offbeat.evaluation.money.purse import Purse
    from offbeat.evaluation.probe.result import ProbeResult
    from offbeat.evaluation.probe.rule import Finding, Said
    from offbeat.evaluation.question import Question
    from offbeat.evaluation.terms import Terms
    from offbeat.models.base import Model, Prompt, Reply

LONGEST_CELL = 24
_ASKED = {"heard": "anything to hear?", "moves": "anything moves?"}


@click.command(
    epilog="""\b
    Examples:
      offbeat probe set --model signal
      offbeat probe set --model openai:Qwen/Qwen2.5-Omni-7B --option preset=vllm --length 3
    """
)
@click.argument("dataset", type=click.Path(path_type=Path, file_okay=False))
@click.option("--model", "specs", metavar="SPEC", multiple=True, required=True, help="Whom to ask; several times.")
@click.option("--question", "question_spec", metavar="NAME", default="study", show_default=True, help="As of a run.")
@option_flag
@base_url_flag
@click.option("--clips", type=click.IntRange(min=1), metavar="N", default=4, show_default=True, help="How many clips.")
@click.option(
    "--length",
    type=click.FloatRange(min=0, min_open=True),
    callback=finite,
    metavar="S",
    help="Clips of these seconds only.",
)
@click.option(
    "--timeout",
    "call_limit_s",
    type=click.FloatRange(min=0, min_open=True),
    callback=finite,
    metavar="S",
    default=600.0,
    show_default=True,
    help="Longest call to a server.",
)
@price_file_flag
@unknown_price_flag
@max_cost_flag
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, with all that came back.")
def probe(
    dataset: Path,
    specs: tuple[str, ...],
    question_spec: str,
    option_texts: tuple[str, ...],
    base_url: str | None,
    clips: int,
    length: float | None,
    call_limit_s: float,
    price_file: Path | None,
    unknown_price_ok: bool,
    most_usd: float | None,
    as_json: bool,
) -> int:
    """Show a model a few clips of DATASET as they are, muted, with another clip's sound, and frozen.

    A model whose answers do not depend on the sound, or on the picture, cannot tell whether they fit. Each clip takes
    14 calls, which may cost money: where all of them together might cost more than `--max-cost`, nothing is asked, and
    no call goes out that could cross it, as when calls have to be repeated. `offbeat run` does the same before its
    first question.

    Exit code: 0 only if the answers of every model depend on the sound and on the picture, 1 if not, 2 if the probe
    could not start.
    """
    from offbeat.evaluation.money.estimate import check_cost_of_probes
    from offbeat.evaluation.money.purse import passing_purse
    from offbeat.evaluation.plan import Selection, select_variants
    from offbeat.evaluation.probe.plan import probe_calls
    from offbeat.evaluation.probe.result import needs_probe
    from offbeat.evaluation.terms import Terms, check_prices

    opened = open_all(
        dataset,
        specs=specs,
        question_specs=[question_spec],
        option_texts=option_texts,
        base_url=base_url,
        price_file=price_file,
    )
    (question,) = opened.questions
    lengths: tuple[Fraction, ...] = () if length is None else (exact_seconds(length),)
    variants = select_variants(opened.dataset, Selection(lengths=lengths))
    terms = Terms(call_limit_s=call_limit_s, prices=opened.prices, most_usd=most_usd, unknown_price_ok=unknown_price_ok)
    check_prices(opened.models, terms)
    calls = probe_calls(variants, question, clips=clips)
    check_cost_of_probes(opened.models, calls, opened.prices, most_usd=most_usd)
    blank = [model.name for model in opened.models if not needs_probe(model)]
    with passing_purse(most_usd=most_usd) as purse, each_once():
        found = [
            _probe(model, variants, question, clips=clips, terms=terms, purse=purse)
            for model in opened.models
            if needs_probe(model)
        ]
        spent_usd = purse.spent_usd
    if as_json:
        records = [result.to_json() for result in found]
        told = {"dataset": str(dataset), "probes": records, "not_probed": blank, "spent_usd": spent_usd}
        click.echo(json.dumps(told, indent=1))
    else:
        for result in found:
            _tell(result)
        for name in blank:
            click.echo(f"{one_line(name)}: looks at no clip, so there is nothing to probe.")
        if spent_usd:
            click.echo(f"spent, as far as prices are known: ${spent_usd:.4f}")
    return 0 if found and not blank and all(result.passed for result in found) else 1


def _probe(
    model: Model, variants: Sequence[Variant], question: Question, *, clips: int, terms: Terms, purse: Purse
) -> ProbeResult:
    """Ask, as a run does, with patience for servers and with money set aside for each call."""
    from offbeat.errors import SecondInterrupt
    from offbeat.evaluation.admission import asking
    from offbeat.evaluation.calls.faults import closed
    from offbeat.evaluation.calls.loop import Halt, run_in_loop
    from offbeat.evaluation.probe.plan import probe_calls
    from offbeat.evaluation.probe.probing import probe_model
    from offbeat.evaluation.terms import make_caller

    most = len(probe_calls(variants, question, clips=clips))
    with progress(f"probing {one_line(model.name)}, at most", most) as advance:
        left = iter(range(most))

        async def go(halt: Halt) -> ProbeResult:
            ask = asking(make_caller(model, terms=terms, purse=purse, halted=halt.asked))

            async def counted(variant: Variant, prompt: Prompt) -> Reply:
                try:
                    return await ask(variant, prompt)
                finally:
                    if next(left, None) is not None:  # a clip that stands in for another costs calls besides
                        advance()

            try:
                return await probe_model(model, variants, question, clips=clips, ask=counted)
            finally:
                await closed(model)

        try:
            return run_in_loop(go)
        except SecondInterrupt:
            raise
        except KeyboardInterrupt:
            click.echo("\nStopped. Nothing of this probe is kept; the same command begins it anew.", err=True)
            raise SystemExit(130) from None


def _tell(result: ProbeResult) -> None:
    from offbeat.evaluation.probe.words import more_clips

    clips = sorted({one.clip for one in result.said})
    rows: list[tuple[str, ...]] = []
    for asked, shown in dict.fromkeys((one.asked, one.alteration) for one in sorted(result.said, key=_order)):
        alike = [one for one in result.said if (one.asked, one.alteration) == (asked, shown)]
        cells = [[_cell(one) for one in alike if one.clip == clip] for clip in clips]
        for turn in zip_longest(*cells, fillvalue="–"):
            rows.append((_ASKED.get(asked, result.question), shown or "as it is", *turn))
    if rows:
        click.echo(text_table(("question", "shown", *(f"clip {k + 1}" for k in clips)), rows))
    for kind, counts in result.usage.items():
        if counts:
            told = ", ".join(f"{word} {count:g}" for word, count in counts.items())
            click.echo(f"usage, {kind}: {told}")
    if result.repeats:
        click.echo(f"shown and asked the same again, it said the same {result.repeated} times of {result.repeats}")
    for sense, finding in (("sound", result.sound), ("picture", result.picture)):
        if finding is not None:
            click.echo(f"{sense}: {finding.verdict} ({_chances(finding)})")
    click.echo(one_line(f"{result.model}: {result.says}", 1000))
    more = more_clips(result.found, flag="--clips")
    if more is not None:
        click.echo(f"{more}.")


def _order(said: Said) -> tuple[int, int]:
    asked = ("own", "heard", "moves").index(said.asked)
    shown = (None, "muted", "swapped", "frozen early", "frozen late").index(said.alteration)
    return (asked, shown)


def _cell(said: Said) -> str:
    words = said.choice or (said.text.strip() or "(nothing)" if said.outcome == "unparsed" else said.outcome)
    shown = one_line(words, LONGEST_CELL)
    if not said.probabilities:
        return shown
    likeliest = said.choice or max(said.probabilities, key=said.probabilities.__getitem__)
    share = said.probabilities.get(likeliest)
    return shown + ("" if said.choice else f", {likeliest}") + ("" if share is None else f" {share:.4f}")


def _chances(finding: Finding) -> str:
    """How likely what was seen would be if it did not matter."""
    if finding.truth is None:
        return f"replies as far apart by chance: {_percent(finding.difference)}"
    return f"by chance: replies as far apart {_percent(finding.difference)}, as often right {_percent(finding.truth)}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
