"""What tells the segments apart: a model's importance, its accuracy, and rules in words.

Prints what the profiles found; computes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from psychoseg.report import words
from psychoseg.report.facts import Cell, Drivers, Fact, Row, Table, cells

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["driver_facts"]


def driver_facts(run: Run) -> Drivers | None:
    """Gather what a report says about what tells the segments apart; None where nothing was fitted.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Drivers or None
    """
    if run.profiles.importance.empty and run.profiles.rules.empty:
        return None
    return Drivers(
        accuracy=_accuracy(run), importance=_importance_table(run), rules=_rules_table(run)
    )


def _accuracy(run: Run) -> tuple[Fact, ...]:
    model = {str(r["what"]): r for r in run.profiles.model.to_dict("records")}
    out = []
    largest = float(model["largest segment"]["value"]) if "largest segment" in model else np.nan
    if "accuracy" in model:
        r = model["accuracy"]
        text = (
            f"From the answers alone a model puts {words.percent(r['value'])} "
            f"({words.percent_interval(r['low'], r['high'])}) of people it has not seen into their "
            f"segment."
        )
        if np.isfinite(largest):
            guess = words.percent(largest)
            text += f" Naming the largest segment every time would be right for {guess}."
        out.append(Fact("The model", text, _base(r["base"])))
    if "balanced accuracy" in model:
        r = model["balanced accuracy"]
        text = (
            f"Every segment counting alike, {words.percent(r['value'])} "
            f"({words.percent_interval(r['low'], r['high'])})."
        )
        out.append(Fact("Segment by segment", text, _base(r["base"])))
    if "tree accuracy" in model:
        r = model["tree accuracy"]
        text = (
            f"The few rules below are right for {words.percent(r['value'])} "
            f"({words.percent_interval(r['low'], r['high'])}): the price of being short."
        )
        out.append(Fact("The rules", text, _base(r["base"])))
    return tuple(out)


def _importance_table(run: Run) -> Table:
    rows = []
    for r in run.profiles.importance.sort_values("rank").to_dict("records"):
        made = r["role"] in ("scale", "active")
        interval = words.points_interval(r["low"], r["high"])
        value = float(r["importance"])
        rows.append(
            Row(
                (
                    Cell(str(r["label"])),
                    Cell("made the segments" if made else "describes them"),
                    Cell(words.tenth_points(value), sort=float(f"{value:.6g}")),
                    Cell(interval),
                )
            )
        )
    return Table(
        "What tells the segments apart, strongest first",
        cells("", "Part played", "Accuracy lost", "95% interval"),
        tuple(rows),
        note="Percentage points of held-out accuracy lost when the answers to one question are "
        "shuffled among people (permutation importance). Variables that say the same share their "
        "importance.",
        text_columns=(1,),
        sortable=True,
    )


def _rules_table(run: Run) -> Table:
    names = dict(zip(run.profiles.personas["segment"], run.profiles.personas["name"], strict=True))
    rows = tuple(
        Row(
            (
                Cell(str(names[int(r["segment"])]), number=int(r["segment"])),
                Cell(str(r["rule"])),
                Cell(words.percent(r["share"])),
                Cell(words.percent(r["precision"])),
                Cell(words.count(r["base"])),
            )
        )
        for r in run.profiles.rules.sort_values(["segment", "rank"]).to_dict("records")
    )
    return Table(
        "Short rules that find a segment",
        cells("Segment", "Rule", "Of the segment it finds", "Of those found belong", "Base (n)"),
        rows,
        note="The leaves of a shallow decision tree. A segment without a rule cannot be found by "
        "so few questions.",
        text_columns=(1,),
    )


def _base(n: object) -> str:
    return f"n = {words.count(float(n))}"  # type: ignore[arg-type]
