"""What r_scripts/confirm_scales.R found: sentences for everybody, and tables; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from psychoseg.report import words
from psychoseg.report.facts import Cell, Confirmation, Fact, Row, Table, cells, tone

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["confirmation_facts", "confirmation_text"]

#: What the script calls the model of all respondents.
_EVERYBODY = "all respondents"
#: Below the first CFI or above the second RMSEA the script says that a model misfits.
_LEAST_CFI, _MOST_RMSEA = 0.90, 0.08
#: Standardised loadings from which a cell is shaded, and shaded fully.
_SOME, _MUCH = 0.3, 0.6

_LEVELS = {
    "configural": "The same items on the same scales",
    "thresholds": "Steps between answers equal",
    "metric": "Loadings equal as well",
    "scalar": "Intercepts equal as well",
}
#: Columns of the script's tables that hold no number.
_TEXTS = {
    "column", "estimator", "held_equal", "holds", "item", "label", "level", "model", "note",
    "preferred", "same", "scale", "scale_1", "scale_2", "scale_explored", "topic", "version",
}  # fmt: skip
_VERSIONS = {"standard": "standard", "scaled": "scaled test", "robust": "robust"}


def confirmation_text(run: Run) -> str:
    """Say what the confirmation found, or that there was none.

    Parameters
    ----------
    run : Run

    Returns
    -------
    str
    """
    tables = _tables(run)
    if "fit" not in tables:
        return (
            "The scales have not been confirmed: r_scripts/confirm_scales.R tests them, in R, on "
            "the folder of this run."
        )
    parts = []
    for row in tables["fit"].to_dict("records"):
        if not _true(row["preferred"]):
            continue
        whose = "the same respondents, which flatters"
        if row["model"] != _EVERYBODY:
            whose = f"the {row['model']}"
            if "split_half" in tables:
                same = tables["split_half"]["same"]
                parts.append(
                    f"Explored anew on the first half of the respondents, {sum(map(_true, same))} "
                    f"of {words.plural(len(same), 'item')} came to the scale they have here."
                )
        parts.append(
            f"A confirmatory factor analysis of {whose}: CFI {words.number(row['cfi'])} "
            f"({words.fit_index_words(row['cfi'])}), RMSEA {words.fine(row['rmsea'])} "
            f"({words.rmsea_words(row['rmsea'])})."
        )
    if "invariance" in tables:
        parts.append(_invariance_text(run, tables["invariance"]))
    return " ".join(parts)


def confirmation_facts(run: Run) -> Confirmation | None:
    """Return the tables of the confirmation; None where there was none.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Confirmation or None
    """
    tables = _tables(run)
    if "fit" not in tables:
        return None
    labels = {
        str(s): str(t)
        for s, t in zip(run.scales.table["scale"], run.scales.table["label"], strict=True)
    }
    return Confirmation(
        fit=_fit_table(tables["fit"]),
        loadings=_loading_table(tables["loadings"], labels, _base(tables["fit"])),
        correlations=_correlation_table(
            tables["factor_correlations"], labels, _base(tables["fit"])
        ),
        invariance=_invariance_table(run, tables["invariance"]) if "invariance" in tables else None,
        split_half=_half_table(tables["split_half"], labels) if "split_half" in tables else None,
        notes=tuple(
            Fact(words.sentence(str(r["topic"])).rstrip("."), words.sentence(str(r["note"])))
            for r in tables["notes"].to_dict("records")
        ),
    )


def _tables(run: Run) -> dict[str, pd.DataFrame]:
    """Return the script's tables; a gap in a column of numbers may have been read as text."""
    return {
        name: table.assign(
            **{
                str(c): pd.to_numeric(table[c], errors="coerce")
                for c in table.columns
                if c not in _TEXTS
            }
        )
        for name, table in run.confirmation.items()
    }


def _invariance_text(run: Run, steps: pd.DataFrame) -> str:
    """Say up to where the groups answer alike: a step counts if all before it hold."""
    rows = steps.to_dict("records")
    over = run.survey.label(str(rows[0]["column"]))
    reached = ""
    for row in rows[1:]:
        if not _true(row["holds"]):
            break
        reached = str(row["level"])
    if not (rows[0]["cfi"] >= _LEAST_CFI and rows[0]["rmsea"] <= _MOST_RMSEA):
        return (
            f"Whether they measure the same over {over} cannot be told, since the model to start "
            "from does not fit."
        )
    if reached == "scalar":
        return f"Over {over} the scales measure alike: means of the groups may be compared."
    if reached == "metric":
        return (
            f"Over {over} the items belong to the scales alike, but groups answer some from "
            "another level: compare their means with care."
        )
    return f"Over {over} the scales do not measure alike: do not compare the groups on them."


def _fit_table(fit: pd.DataFrame) -> Table:
    rows = []
    for r in fit.to_dict("records"):
        version = _VERSIONS.get(str(r["version"]), str(r["version"]))
        test = f"df {words.count(r['df'])}, p {words.p_value(r['p'])}"
        rmsea = words.fine_interval(r["rmsea_low"], r["rmsea_high"])
        rows.append(
            Row(
                (
                    Cell(_capital(r["model"]), f"{r['estimator']}, {version}"),
                    Cell(words.number(r["chi_square"]), test),
                    *cells(words.fine(r["cfi"]), words.fine(r["tli"])),
                    Cell(words.fine(r["rmsea"]), rmsea),
                    Cell(words.fine(r["srmr"])),
                    Cell(f"{int(r['n']):,}"),
                ),
                "chosen" if _true(r["preferred"]) else "",
            )
        )
    return Table(
        "Fit of the confirmatory factor analysis",
        cells("Model", "Chi-square", "CFI", "TLI", "RMSEA", "SRMR", "Base (n)"),
        tuple(rows),
        note="Marked: the version to read. Under RMSEA its 90% interval.",
    )


def _loading_table(loadings: pd.DataFrame, labels: Mapping[str, str], base: str) -> Table:
    own = loadings[loadings["model"] == _EVERYBODY]
    rows = []
    for scale, items in own.groupby("scale", sort=False):
        rows.append(Row((Cell(labels.get(str(scale), str(scale))),), "group"))
        for r in items.to_dict("records"):
            loading = float(r["loading"])
            rows.append(
                Row(
                    (
                        Cell(str(r["label"])),
                        Cell(words.number(loading), tone=tone(loading, _SOME, _MUCH)),
                        Cell(words.interval(r["low"], r["high"])),
                        Cell(words.number(r["r_square"])),
                    )
                )
            )
    return Table(
        "Standardised loadings, confirmed",
        cells("Item", "Loading", "95% interval", "R²"),
        tuple(rows),
        note=base,
    )


def _correlation_table(pairs: pd.DataFrame, labels: Mapping[str, str], base: str) -> Table | None:
    own = pairs[pairs["model"] == _EVERYBODY]
    if own.empty:
        return None
    rows = tuple(
        Row(
            cells(
                labels.get(str(r["scale_1"]), str(r["scale_1"])),
                labels.get(str(r["scale_2"]), str(r["scale_2"])),
                words.number(r["r"]),
                words.interval(r["low"], r["high"]),
            )
        )
        for r in own.to_dict("records")
    )
    return Table(
        "Correlations between the scales, free of measurement error",
        cells("Scale", "And scale", "r", "95% interval"),
        rows,
        note=base,
        text_columns=(1,),
    )


def _invariance_table(run: Run, steps: pd.DataFrame) -> Table:
    rows = []
    for i, r in enumerate(steps.to_dict("records")):
        level = str(r["level"])
        verdict = "holds" if _true(r["holds"]) else "does not hold"
        rows.append(
            Row(
                (
                    Cell(_LEVELS.get(level, _capital(level)), level),
                    Cell(
                        words.number(r["chi_square"]),
                        f"df {words.count(r['df'])}, p {words.p_value(r['p'])}",
                    ),
                    *cells(words.fine(r["cfi"]), words.fine(r["rmsea"])),
                    *cells(words.fine(r["delta_cfi"]), words.fine(r["delta_rmsea"])),
                    Cell(words.p_value(r["delta_p"])),
                    Cell(verdict if i else "starting point"),
                )
            )
        )
    first = steps.to_dict("records")[0]
    over = run.survey.label(str(first["column"]))
    return Table(
        f"Do the scales measure the same in all groups? Over {over}",
        cells(
            "Step",
            "Chi-square",
            "CFI",
            "RMSEA",
            "Change in CFI",
            "Change in RMSEA",
            "p of the change",
            "Verdict",
        ),
        tuple(rows),
        note="Each step against the one before. It holds where CFI falls by at most 0.010 and "
        f"RMSEA rises by at most 0.015 (Chen 2007). Base n = {int(first['n']):,} in "
        f"{int(first['groups'])} groups.",
        text_columns=(7,),
    )


def _half_table(halves: pd.DataFrame, labels: Mapping[str, str]) -> Table:
    rows = []
    for r in halves.to_dict("records"):
        here, there = (
            labels.get(str(r[c]), "Another factor") if _is_text(r[c]) else "No scale"
            for c in ("scale", "scale_explored")
        )
        rows.append(
            Row(
                (
                    Cell(str(r["label"])),
                    Cell(here, "" if _true(r["same"]) else f"first half: {there}"),
                    *cells(
                        *(
                            words.number(r[c])
                            for c in ("loading_explored", "next_loading", "loading_confirmed")
                        ),
                        "yes" if _true(r["same"]) else "no",
                    ),
                )
            )
        )
    first = halves.to_dict("records")[0]
    return Table(
        "Explored on one half, confirmed on the other",
        cells("Item", "Scale", "Loading, first half", "Next", "Confirmed, second half", "Same"),
        tuple(rows),
        note="Next: its second largest loading, without the sign. Base n = "
        f"{int(first['n_explored']):,} explored, {int(first['n_confirmed']):,} confirmed.",
        text_columns=(1,),
    )


def _base(fit: pd.DataFrame) -> str:
    own = fit[fit["model"] == _EVERYBODY]
    return f"Base n = {int(own['n'].iloc[0]):,}." if len(own) else ""


def _true(value: object) -> bool:
    """Read R's TRUE, whatever made of it a column with gaps."""
    return str(value).lower() == "true"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _capital(text: object) -> str:
    return words.sentence(str(text)).rstrip(".")
