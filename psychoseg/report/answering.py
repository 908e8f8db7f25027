"""How people answered: care, gaps and weights, as tables; computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psychoseg.report import words
from psychoseg.report.facts import Cell, Row, Table, cells
from psychoseg.report.profile_tables import hidden_cell

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["margin_table", "missing_table", "quality_table", "style_table", "weighting_table"]

#: Items with gaps that are listed, those with most first.
ITEMS_SHOWN = 20

_WEIGHTING = {
    "n": "Respondents",
    "effective": "Effective base (Kish)",
    "design_effect": "Design effect of weighting",
    "efficiency": "Efficiency",
    "lowest": "Lowest weight, of the mean",
    "highest": "Highest weight, of the mean",
}


def quality_table(run: Run) -> Table | None:
    """Return what each index of careless answering flags; None where none was computed."""
    rules = run.survey.quality_rules
    if rules.empty:
        return None
    rows = []
    for r in rules.to_dict("records"):
        counts = {"alone": "suffices alone", "": "no"}.get(str(r["counts"]), str(r["counts"]))
        if r["not_computed"]:
            label = Cell(str(r["label"]), f"not computed: {r['not_computed']}")
            rows.append(Row((label, *cells(*[words.NOTHING] * 3, counts))))
            continue
        if int(r["n_known"]) < run.study.profiles.min_base:
            hidden = hidden_cell(run)
            rows.append(Row((Cell(str(r["label"])), hidden, hidden, hidden, Cell(counts))))
            continue
        cutoff = f"flagged {r['side']} {_cutoff(float(r['cutoff']))}; {r['source']}"
        rows.append(
            Row(
                (
                    Cell(str(r["label"]), cutoff),
                    Cell(words.number(r["median"])),
                    Cell(f"{int(r['n_flagged']):,}", base=f"of {int(r['n_known']):,}"),
                    Cell(words.percent(r["share_flagged"])),
                    Cell(counts),
                )
            )
        )
    rule = run.study.quality
    what = (
        f"Respondents with {words.plural(rule.at_least, 'flag')} or more that count are left out"
        + (", or with one that suffices alone" if rule.sufficient else "")
        if rule.action == "exclude"
        else "Reported only: nobody is left out for it"
    )
    return Table(
        "How carefully people answered",
        cells("Index", "Median", "Flagged", "Share", "Counts"),
        tuple(rows),
        note=f"{what}. Base n = {len(run.survey.quality):,}.",
        text_columns=(4,),
    )


def style_table(run: Run) -> Table | None:
    """Return how people use the answer scale whatever is asked; None where nothing can be told."""
    styles = run.survey.styles
    if styles.empty:
        return None
    rows = []
    for r in styles.to_dict("records"):
        if not r["n_known"]:
            label = Cell(str(r["label"]), "not computed: no scale has items worded both ways")
            rows.append(Row((label, *cells(*[words.NOTHING] * 3))))
            continue
        if int(r["n_known"]) < run.study.profiles.min_base:
            rows.append(Row((Cell(str(r["label"])), *[hidden_cell(run)] * 3)))
            continue
        rows.append(
            Row(
                cells(
                    str(r["label"]),
                    words.number(r["mean"]),
                    words.number(r["sd"]),
                    f"{int(r['n_known']):,}",
                )
            )
        )
    return Table(
        "How people use the answer scale",
        cells("Style", "Mean", "SD", "Base (n)"),
        tuple(rows),
        note="Styles exclude nobody; each respondent's are in survey/quality.csv. Where they "
        'differ between segments, look at centre = "person" in [scales].',
    )


def missing_table(run: Run) -> Table | None:
    """Return the items with missing answers, most first; None where there is no gap."""
    found = run.survey.missing_answers()
    overall = dict(zip(found.overall["measure"], found.overall["value"], strict=True))
    gaps = found.items[found.items["n_missing"] > 0]
    if gaps.empty:
        return None
    shown = gaps.sort_values("share_missing", ascending=False, kind="stable").head(ITEMS_SHOWN)
    rows = tuple(
        Row(
            cells(
                str(r["label"]),
                f"{int(r['n_answered']):,}",
                f"{int(r['n_missing']):,}",
                words.percent(r["share_missing"]),
            )
        )
        for r in shown.to_dict("records")
    )
    more = len(gaps) - len(shown)
    return Table(
        "Answers not given",
        cells("Item", "Answered", "Missing", "Share"),
        rows,
        note=(f"And {words.plural(more, 'more item')} with fewer. " if more else "")
        + f"Of all answers {words.percent(overall['share_missing'])} are missing; "
        f"{words.percent(overall['share_complete'])} of the respondents answered every item. The "
        f"pair of items that fewest answered both of was answered by "
        f"{words.percent(overall['thinnest_pair'])}. Base n = {run.survey.n:,}.",
    )


def weighting_table(run: Run) -> Table | None:
    """Return what weighting costs; None where nobody is weighted."""
    weighting = run.survey.weighting
    if weighting.empty:
        return None
    rows = []
    for r in weighting.to_dict("records"):
        measure, value = str(r["measure"]), float(r["value"])
        text = words.percent(value) if measure == "efficiency" else words.number(value)
        if value == round(value) and measure != "efficiency":
            text = words.count(value)
        elif measure == "effective":
            text = f"{value:,.0f}"
        label = _WEIGHTING.get(measure, words.sentence(measure.replace("_", " ")).rstrip("."))
        rows.append(Row(cells(label, text)))
    return Table(
        "What weighting costs",
        cells("Measure", "Value"),
        tuple(rows),
        note="Efficiency is the effective base over the respondents; its inverse is the design "
        f"effect (Kish 1965). Base n = {run.survey.n:,}.",
    )


def margin_table(run: Run) -> Table | None:
    """Return the margins that the weights were raked to; None without any."""
    margins = run.survey.margins
    if margins.empty:
        return None
    rows = []
    for column, part in margins.groupby("column", sort=False):
        rows.append(Row((Cell(run.survey.label(str(column))),), "group"))
        for r in part.to_dict("records"):
            shares = (words.percent(r[f"{s}_share"]) for s in ("unweighted", "target", "weighted"))
            rows.append(Row(cells(str(r["category"]), f"{int(r['n']):,}", *shares)))
    return Table(
        "Margins that the weights were raked to",
        cells("", "People", "Unweighted", "Target", "Weighted"),
        tuple(rows),
        note=f"Base n = {run.survey.n:,}.",
    )


def _cutoff(value: float) -> str:
    """Return a cut-off; one of a probability is too small for two decimals."""
    return words.fine(value) if 0 < value < 0.01 else words.number(value)
