"""The tables of a report, one function each, from a run's frames; computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psychoseg.report import words
from psychoseg.report.facts import Cell, Row, Table, cells, tone
from psychoseg.survey.ledger import count_reasons

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = [
    "MUCH",
    "SOME",
    "agreement_table",
    "axes_table",
    "item_table",
    "kept",
    "n_segments",
    "people_table",
    "sample_table",
    "set_aside_table",
]

#: Correlations from which a cell is shaded, and shaded fully.
SOME, MUCH = 0.3, 0.6


def kept(run: Run) -> int:
    """Return the number of respondents in the results."""
    return int((run.segments.labels > 0).sum())


def n_segments(run: Run) -> int:
    """Return the number of segments, those who fit none not being one."""
    return run.segments.k - bool(run.segments.unassigned)


def people_table(run: Run) -> Table:
    """Return how those read became those in the results."""
    ledger = run.survey.ledger
    n_read = run.survey.n_read
    rows = [Row(cells("Respondents read", "", f"{n_read:,}", words.percent(1)))]
    for stage, reason, n in count_reasons(ledger[ledger["effect"] == "excluded"]):
        what = f"− {words.stage_name(stage)}"
        rows.append(Row(cells(what, words.sentence(reason), f"{n:,}", words.percent(n / n_read))))
    last = cells("In the results", "", f"{kept(run):,}", words.percent(kept(run) / n_read))
    return Table(
        "From respondents read to respondents in the results",
        cells("", "Reason", "People", "Share"),
        (*rows, Row(last, "chosen")),
        text_columns=(1,),
    )


def set_aside_table(run: Run) -> Table | None:
    """Return the answers and rows that were set aside without excluding a respondent."""
    ledger = run.survey.ledger
    rows = []
    for effect, what in (("set missing", "Answers set to missing"), ("unused", "Rows not used")):
        for stage, reason, n in count_reasons(ledger[ledger["effect"] == effect]):
            rows.append(Row(cells(what, words.stage_name(stage), words.sentence(reason), f"{n:,}")))
    if not rows:
        return None
    return Table(
        "Also set aside, without leaving a respondent out",
        cells("", "Stage", "Reason", "Cases"),
        tuple(rows),
        text_columns=(1, 2),
    )


def sample_table(run: Run) -> Table | None:
    """Return the whole sample by its demographics; totals are those of the profile tables."""
    means, shares = run.profiles.means, run.profiles.shares
    tests = run.profiles.tests
    people = dict(zip(tests["variable"], tests["base"], strict=True))
    rows: list[Row] = []
    for variable, part in means[means["kind"] == "numeric"].groupby("variable", sort=False):
        first = part.to_dict("records")[0]
        base = words.count(people.get(variable, np.nan))
        rows.append(Row(cells(str(first["label"]), "mean", words.number(first["total"]), base)))
    for variable, part in shares[shares["kind"] == "categorical"].groupby("variable", sort=False):
        base = words.count(people.get(variable, np.nan))
        once = part.drop_duplicates("category").to_dict("records")
        rows.append(Row((Cell(str(once[0]["label"])),), "group"))
        rows += [
            Row(cells(str(r["category"]), "share", words.percent(r["total"]), base)) for r in once
        ]
    if not rows:
        return None
    return Table(
        "Who took part",
        cells("", "Measure", "Value", "Base (n)"),
        tuple(rows),
        note="Respondents in the results; weighted where the survey is. The base counts those who "
        "answered.",
        text_columns=(1,),
    )


def item_table(label: str, items: pd.DataFrame) -> Table:
    """Return the items of one scale."""
    rows = tuple(
        Row(
            (
                Cell(str(r["label"]), "answers turned round" if r["key"] < 0 else ""),
                *cells(
                    words.number(r["loading"]),
                    words.number(r["item_rest"]),
                    words.number(r["alpha_if_dropped"]),
                    words.number(r["mean"]),
                    f"{int(r['base']):,}",
                ),
            )
        )
        for r in items.to_dict("records")
    )
    head = cells("Item", "Loading", "Item–rest r", "Alpha without it", "Mean", "Base (n)")
    return Table(f"Items: {label}", head, rows)


def axes_table(run: Run) -> Table:
    """Return what the map's axes mean."""
    segments = run.segments
    columns = [c for c in ("comp_1", "comp_2") if c in segments.components]
    label = dict(zip(segments.features["feature"], segments.features["label"], strict=True))
    shares = segments.eigenvalues["share"].to_numpy(dtype=float)
    head = [
        Cell(f"Component {i + 1}", f"{words.percent(shares[i])} of the variance")
        for i in range(len(columns))
    ]
    values = segments.components[columns].to_numpy(dtype=float)
    made = segments.contributions
    share = {} if made.empty else made.set_index(["feature", "component"])["contribution"].to_dict()
    rows = tuple(
        Row(
            (
                Cell(str(label.get(feature, feature))),
                *(
                    Cell(
                        words.signed(v),
                        f"makes {words.percent(share[feature, j])} of it"
                        if (feature, j) in share
                        else "",
                        tone=tone(v, SOME, MUCH),
                    )
                    for j, v in enumerate(row, start=1)
                ),
            )
        )
        for feature, row in zip(segments.components.index, values, strict=True)
    )
    return Table(
        "What the strongest components mean: correlation of each feature with them, and share",
        (Cell("Feature"), *head),
        rows,
        note=f"Base n = {kept(run):,}.",
    )


def agreement_table(run: Run) -> Table | None:
    """Return how far the two engines agree, where both ran."""
    if run.agreement is None:
        return None
    rows = tuple(
        Row(
            cells(
                words.stage_name(str(r["stage"])),
                words.sentence(str(r["measure"])).rstrip("."),
                str(r["what"]),
                words.tiny(float(r["value"])),
            )
        )
        for r in run.agreement.to_dict("records")
    )
    return Table(
        "The two engines, Python and R, held against each other",
        cells("Stage", "Measure", "Of", "Value"),
        rows,
        note="A congruence or an adjusted Rand index of 1.00 is full agreement; a difference of "
        "0.00 is none.",
        text_columns=(1, 2),
    )
