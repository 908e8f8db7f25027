"""What carries the segments: blocks of features, and what took no part; computes nothing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from psychoseg.profiles.protect import shown_beside_total
from psychoseg.report import words
from psychoseg.report.facts import BlockLine, Carriers, Cell, Row, Table, cells, tone
from psychoseg.report.tables import MUCH, SOME, kept

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["carrier_facts"]

#: Components side by side in a table.
COMPONENTS_SHOWN = 6
#: What the block of scales is called in the study.
SCALES = "scales"


def carrier_facts(run: Run) -> Carriers:
    """Gather what a report says about what carries the segments.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Carriers
    """
    rows = run.segments.blocks.to_dict("records")
    known = [r for r in rows if np.isfinite(r["between"])]
    most = max(known, key=lambda r: float(r["between"]), default=None)
    warns = most is not None and most["block"] != SCALES
    return Carriers(
        blocks=tuple(
            BlockLine(
                label=words.sentence(str(r["block"])).rstrip("."),
                between=words.percent(r["between"]),
                total=words.percent(r["total"]),
                explained=words.percent(r["eta_squared"]),
                features=words.plural(int(r["features"]), "feature")
                + (f", weight {words.number(r['weight'])}" if float(r["weight"]) != 1 else ""),
                fill=_length(r["between"]),
                tick=_length(r["total"]),
            )
            for r in sorted(rows, key=lambda r: -np.nan_to_num(float(r["between"]), nan=-1.0))
        ),
        meaning=_meaning(most, len(rows)),
        warns=warns,
        supplementary=_supplementary_table(run),
    )


def _length(share: float) -> float:
    return round(min(max(100 * float(np.nan_to_num(share)), 0.0), 100.0), 2)


def _meaning(most: dict[Hashable, Any] | None, n_blocks: int) -> str:
    if most is None:
        return "The segments do not differ in any block of features."
    share = words.percent(most["between"])
    if most["block"] == SCALES:
        if n_blocks == 1:
            return "The segments were made of the scales alone: of what people think."
        return (
            f"{share} of what divides the segments is in the scales: they are segments of what "
            "people think, and who they are comes second."
        )
    if n_blocks == 1:
        return (
            "The segments were made without scales: they say who people are, not what they think."
        )
    return (
        f"Take care: {share} of what divides the segments is in the block “{most['block']}”, more "
        "than in any other. Segments that rest on who people are say little about what they think "
        "or will do. Give that block less weight, or let its columns describe the segments instead "
        "of making them."
    )


def _supplementary_table(run: Run) -> Table | None:
    table = run.segments.supplementary
    if table.empty:
        return None
    columns = [c for c in table.columns if str(c).startswith("comp_")]
    shown = columns[:COMPONENTS_SHOWN]
    strongest = {c: table[c].abs().max() for c in shown}
    rows: list[Row] = []
    last = ""
    left_out = False
    known: dict[str, set[str]] = {}
    for r in table.to_dict("records"):
        category = str(r["category"])
        if not category and _answered(run, str(r["column"])) < run.study.profiles.min_base:
            left_out = True
            continue
        if category and category not in known.setdefault(
            str(r["column"]), _shown_categories(run, str(r["column"]))
        ):
            left_out = True
            continue
        if category and r["column"] != last:
            rows.append(Row((Cell(str(r["label"])),), "group"))
        last = str(r["column"])
        line = [Cell(category or _name_of(run, r))]
        for c in shown:
            best = np.isfinite(r[c]) and abs(r[c]) == strongest[c]
            line.append(
                Cell(words.signed(r[c]), "strongest" if best else "", tone=tone(r[c], SOME, MUCH))
            )
        rows.append(Row(tuple(line)))
    more = len(columns) - len(shown)
    note = (
        f"Base: those of {kept(run):,} who answered. Correlations of numbers; means of categories "
        "in standard deviations of the component. These columns took no part in making the "
        "segments."
    )
    if left_out:
        note += " What too few people answered is left out."
    if more:
        note += f" The first {len(shown)} of {len(columns)} components."
    return Table(
        "Columns that describe: where they lie on the components",
        cells("", *(f"Component {i + 1}" for i in range(len(shown)))),
        tuple(rows),
        note=note,
    )


def _shown_categories(run: Run, column: str) -> set[str]:
    """Return the categories of enough people, without one that subtraction would give away."""
    counts = run.survey.columns[column][run.segments.labels.to_numpy() > 0].value_counts(sort=False)
    shown, _ = shown_beside_total(np.asarray(counts, dtype=np.float64), run.study.profiles.min_base)
    return {str(c) for c, is_shown in zip(counts.index, shown, strict=True) if is_shown}


def _answered(run: Run, column: str) -> int:
    return int(run.survey.columns[column][run.segments.labels.to_numpy() > 0].notna().sum())


def _name_of(run: Run, row: Mapping[Hashable, object]) -> str:
    """Return a column's label; an option stands behind its question."""
    variable = run.survey.codebook.get(str(row["column"]))
    if variable is not None and variable.kind == "choice" and variable.question:
        return f"{variable.question}: {row['label']}"
    return str(row["label"])
