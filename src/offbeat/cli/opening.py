"""What the commands that ask models open alike: the dataset, the models, the questions and the prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offbeat.cli.model_options import read_options

if TYPE_CHECKING:
    from offbeat.dataset.folder import Dataset
    from offbeat.evaluation.money.prices import Price
    from offbeat.evaluation.question import Question
    from offbeat.models.base import Model


@dataclass(frozen=True, slots=True)
class Opened:
    """Who is asked, about what.

    Attributes:
        dataset: about what.
        models: whom.
        questions: in which wordings.
        prices: of today, by name.
    """

    dataset: Dataset
    models: Sequence[Model]
    questions: Sequence[Question]
    prices: Mapping[str, Price]


def open_all(
    dataset: Path,
    *,
    specs: Sequence[str],
    question_specs: Sequence[str],
    option_texts: Sequence[str],
    base_url: str | None,
    price_file: Path | None,
    seed: int = 0,
) -> Opened:
    """Open what the flags name.

    Args:
        dataset: its folder.
        specs: of models; one that stands for several is spelled out.
        question_specs: names of questions, or FILE.toml:NAME.
        option_texts: NAME=VALUE each.
        base_url: one of these options, as it has a flag of its own.
        price_file: a table that goes before ours.
        seed: of models that draw at random.

    Raises:
        OffbeatError: one of them is not there, or not what it should be.
        click.BadParameter: see `read_options`.
    """
    from offbeat.dataset.folder import open_dataset
    from offbeat.evaluation.money.prices import read_prices, this_day
    from offbeat.evaluation.question import find_question
    from offbeat.models.registry import make_model, spelled_out

    opened = open_dataset(dataset)
    options = read_options(option_texts, base_url, specs)
    models = [make_model(spec, seed=seed, options=options) for spec in spelled_out(specs)]
    questions = [find_question(spec) for spec in question_specs]
    return Opened(opened, models, questions, read_prices(price_file, today=this_day()))
