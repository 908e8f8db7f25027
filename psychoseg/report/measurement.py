"""How sure the scales are: sentences for everybody, tables for the statistician; computes nothing.

The number of factors, their fit, reliability, loadings, and what speaks against items.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psychoseg.report import words
from psychoseg.report.confirmation import confirmation_facts, confirmation_text
from psychoseg.report.facts import Cell, Fact, Measurement, Row, Table, cells, tone
from psychoseg.scales.reliability import ALL_ITEMS, COEFFICIENTS

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["measurement_facts"]

#: Items with something against them that the body names, and reasons that the appendix lists.
ATTENTION_SHOWN, FLAGS_SHOWN = 6, 40
#: Pairs of items with large residuals that are listed.
RESIDUALS_SHOWN = 10
#: Loadings from which a cell is shaded fully; shading begins at the study's least loading.
MUCH = 0.6

#: A column of the table of reliability: its heading and its coefficient.
_RELIABILITY = (
    ("Alpha", "alpha"),
    ("Std. alpha", "alpha, standardised"),
    ("Ordinal alpha", "alpha, ordinal"),
    ("Omega total", "omega total"),
    ("General part", "omega, general part"),
    ("Own part", "omega, own part"),
    ("Lambda 6", "lambda 6"),
    ("Split half", "split half, mean"),
    ("Mean r", "average correlation"),
    ("CR", "composite reliability"),
    ("AVE", "average variance extracted"),
    ("Deter\u00adminacy", "determinacy"),
)

#: Measure of fit -> its name, and what convention asks of it.
_FIT = {
    "chi_square": ("Chi-square", "Tests whether the factors explain everything; with "
                   "many respondents nearly every model fails."),
    "rmsea": ("RMSEA", "Up to 0.05 close, 0.08 reasonable (Browne & Cudeck 1992), 0.10 mediocre "
              "(MacCallum, Browne & Sugawara 1996)."),
    "tli": ("TLI", "From 0.95 good (Hu & Bentler 1999), from 0.90 acceptable (Bentler & Bonett "
            "1980)."),
    "cfi": ("CFI", "As TLI."),
    "srmr": ("SRMR", "Up to 0.08 (Hu & Bentler 1999)."),
    "rmsr": ("RMSR", "No convention: the typical residual correlation."),
    "bic": ("BIC", "Lower is better, among models of the same answers."),
    "kmo": ("KMO", "From 0.50 to be factored at all, from 0.80 meritorious (Kaiser & Rice 1974)."),
    "bartlett_chi_square": ("Bartlett's test", "Whether the items correlate at all."),
}  # fmt: skip
#: Measures of a factor model, which principal components are not.
_OF_A_MODEL = ("chi_square", "rmsea", "tli", "cfi", "bic")
_NO_MODEL = (
    "Components sum up the answers and are no model of them, so chi-square, RMSEA, TLI, CFI and "
    "BIC do not apply."
)


def measurement_facts(run: Run) -> Measurement:
    """Gather what a report says about how sure the scales are.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Measurement
    """
    attention = _attention(run)
    n_more = len(attention) - ATTENTION_SHOWN
    return Measurement(
        sure=(
            Fact("Number of factors", _number_text(run)),
            Fact("Fit", _fit_text(run)),
            Fact("Confirmation", confirmation_text(run)),
        ),
        attention=attention[:ATTENTION_SHOWN],
        attention_more=(
            f"And {words.plural(n_more, 'more item')}, in the section for the statistician."
            if n_more > 0
            else ""
        ),
        number=_number_table(run),
        recommendation=words.sentence(run.scales.number_reason),
        eigenvalues=_eigenvalue_table(run),
        factors=_factor_table(run),
        reliability=_reliability_table(run),
        coefficients=tuple(
            Fact(words.sentence(name).rstrip("."), words.sentence(meaning))
            for name, meaning in COEFFICIENTS.items()
            if name in set(run.scales.reliability["coefficient"])
        ),
        fit=_fit_table(run),
        residuals=_residual_table(run),
        loadings=_loading_table(run),
        structure=_structure_table(run),
        factor_correlations=_factor_correlation_table(run),
        flags=_flag_table(run),
        drops=_drop_table(run),
        confirmation=confirmation_facts(run),
    )


def _number_text(run: Run) -> str:
    """Say how many factors there are and how far the rules agree."""
    scales = run.scales
    used, advised = len(scales.factors), scales.n_factors_suggested
    rules = scales.number[~scales.number["footnote"].astype(bool)]
    says = [int(s) for s in rules["suggested"] if not pd.isna(s)]
    for_used = says.count(used)
    others = [f"{says.count(m)} {_say(says.count(m))} {m}" for m in sorted({*says} - {used})]
    silent = len(rules) - len(says)
    if silent:
        others.append(f"{silent} cannot tell")
    text = f"The scales rest on {words.plural(used, 'factor')}. "
    if not others:
        text += f"All {len(rules)} rules for their number agree."
    elif for_used:
        text += (
            f"{for_used} of {len(rules)} rules for their number {_say(for_used)} so; "
            f"{', '.join(others)}."
        )
    else:
        text += f"None of the {len(rules)} rules for their number says so: {', '.join(others)}."
    if used != advised:
        text += (
            f" Weighed together the rules recommend {advised}; the study sets the number itself."
        )
    elif others:
        text += (
            f" Weighed together they recommend {advised}: as many as stand out from chance, are "
            "larger than one item and have three items of their own."
        )
    return text


def _say(n: int) -> str:
    return "says" if n == 1 else "say"


def _fit_text(run: Run) -> str:
    """Say how well the factors fit, against what convention asks."""
    fit = _fit_values(run)
    unknown = {"value": np.nan}
    suited = (
        f"Kaiser would call the items' fitness for a factor analysis "
        f"{words.kmo_words(run.scales.kmo)} (KMO {words.number(run.scales.kmo)})."
    )
    if _components(run):
        return (
            f"{_NO_MODEL} What they leave unexplained of a correlation between two items is "
            f"typically {words.fine(fit.get('rmsr', unknown)['value'])} (RMSR). {suited}"
        )
    rmsea, tli = fit.get("rmsea", unknown), fit.get("tli", unknown)
    if not (np.isfinite(rmsea["value"]) and np.isfinite(tli["value"])):
        return f"How well the factors fit these items cannot be tested. {suited}"
    return (
        f"The factors reproduce how the answers go together with an RMSEA of "
        f"{words.fine(rmsea['value'])} ({words.rmsea_words(rmsea['value'])}) and a TLI of "
        f"{words.number(tli['value'])} ({words.fit_index_words(tli['value'])}). These words are "
        f"conventions, not laws: RMSEA up to 0.05 close, 0.08 reasonable, 0.10 mediocre (Browne & "
        f"Cudeck 1992; MacCallum, Browne & Sugawara 1996); TLI from 0.95 good, 0.90 acceptable (Hu "
        f"& Bentler 1999; Bentler & Bonett 1980). {suited}"
    )


def _components(run: Run) -> bool:
    return run.study.scales.extraction == "components"


def _fit_values(run: Run) -> Mapping[str, Mapping[str, float]]:
    values: dict[str, Mapping[str, float]] = {
        str(r["measure"]): {end: float(r[end]) for end in ("value", "low", "high")}
        for r in run.scales.fit.to_dict("records")
    }
    return values


def _attention(run: Run) -> tuple[Fact, ...]:
    """Return the items that something speaks against, each with all of it."""
    remarks: dict[str, list[str]] = {}
    labels: dict[str, str] = {}
    for r in run.scales.flags.to_dict("records"):
        remarks.setdefault(str(r["item"]), []).append(str(r["remark"]))
        labels[str(r["item"])] = str(r["label"])
    return tuple(
        Fact(labels[item], words.sentence("; ".join(said))) for item, said in remarks.items()
    )


def _number_table(run: Run) -> Table:
    advised = run.scales.n_factors_suggested
    counted: list[Row] = []
    known: list[Row] = []
    for r in run.scales.number.to_dict("records"):
        missing = pd.isna(r["suggested"])
        agrees = not missing and int(r["suggested"]) == advised and not r["footnote"]
        row = Row(
            (
                Cell(words.sentence(str(r["criterion"])).rstrip("."), str(r["meaning"])),
                Cell(
                    "cannot tell" if missing else str(int(r["suggested"])),
                    tone="high" if agrees else "",
                ),
                Cell(words.fine(r["statistic"])),
            )
        )
        (known if r["footnote"] else counted).append(row)
    if known:
        known.insert(0, Row((Cell("Shown because readers know them, not counted"),), "group"))
    return Table(
        "What each rule says of the number of factors",
        cells("Rule, and what its value is", "Factors", "Value"),
        (*counted, *known),
        note=f"Shaded: the rules that say what is recommended. {_base(run)}",
    )


def _eigenvalue_table(run: Run) -> Table:
    table = run.scales.eigenvalues
    shown = table.head(int(table["retained"].sum()) + 3)
    columns = ("observed", "threshold", "factor", "factor_threshold")
    return Table(
        "Eigenvalues, against chance",
        cells("Number", "Components", "by chance", "Factors", "by chance", "Used"),
        tuple(
            Row(
                cells(
                    str(r["component"]),
                    *(words.number(r[name]) for name in columns),
                    "yes" if r["retained"] else "no",
                )
            )
            for r in shown.to_dict("records")
        ),
        note=f"The first {len(shown)} of {len(table)}. {_base(run)}",
    )


def _factor_table(run: Run) -> Table:
    of = _scale_labels(run)
    rows = tuple(
        Row(
            (
                Cell(of.get(str(r["scale"]), str(r["label"])) or "No scale", str(r["factor"])),
                *cells(words.number(r["ss_loadings"]), words.percent(r["share"])),
            )
        )
        for r in run.scales.factors.to_dict("records")
    )
    head = cells("Scale and factor", "Sum of squares", "Variance explained")
    return Table("Factors", head, rows, note=_base(run))


def _reliability_table(run: Run) -> Table:
    found = {
        (str(r["scale"]), str(r["coefficient"])): r
        for r in run.scales.reliability.to_dict("records")
    }
    there = {coefficient for scale, coefficient in found if scale != ALL_ITEMS}
    columns = [(head, name) for head, name in _RELIABILITY if name in there]
    rows = []
    for scale, label in _scale_labels(run).items():
        line = [Cell(label)]
        for _, name in columns:
            r = found.get((scale, name))
            if r is None:
                line.append(Cell(words.NOTHING))
                continue
            ends = (np.nan, np.nan)
            if name == "alpha":
                ends = float(r["low"]), float(r["high"])
            elif name == "split half, mean":
                lowest, highest = (
                    found.get((scale, f"split half, {end}")) for end in ("lowest", "highest")
                )
                if lowest is not None and highest is not None:
                    ends = float(lowest["value"]), float(highest["value"])
            between = words.interval(*ends) if np.isfinite(ends).all() else ""
            line.append(Cell(words.number(r["value"]), between))
        rows.append(Row(tuple(line)))
    general = [
        f"{name} {words.number(found[ALL_ITEMS, name]['value'])}"
        for name in ("omega total", "omega hierarchical", "explained common variance")
        if (ALL_ITEMS, name) in found
    ]
    if general:
        whole = Cell(f"All items together: {', '.join(general)}")
        rows.append(Row((whole,), "group"))
    return Table(
        "Reliability of the scales",
        (Cell("Scale"), *cells(*(head for head, _ in columns))),
        tuple(rows),
        note="Under alpha its 95% interval, which holds under ceilings and for answers that are "
        "not normal (Maydeu-Olivares, Coffman & Hartmann 2007, with the jackknife's correction of "
        f"small samples); under split half the lowest and the highest. {_base(run)}",
    )


def _fit_table(run: Run) -> Table:
    fit = _fit_values(run)
    left_out = _OF_A_MODEL if _components(run) else ()
    rows = []
    for measure, (label, convention) in _FIT.items():
        if measure in left_out or measure not in fit:
            continue
        of = fit[measure]
        note = ""
        if measure.endswith("chi_square"):
            start = measure.removesuffix("chi_square")
            df, p = fit[f"{start}df"]["value"], fit[f"{start}p"]["value"]
            note = f"df {words.count(df)}, p {words.p_value(p)}"
        show = words.number if measure in ("tli", "cfi", "kmo") else words.fine
        if np.isfinite(of["low"]):
            note = f"90% {words.fine_interval(of['low'], of['high'])}"
        rows.append(Row((Cell(label, convention), Cell(show(of["value"]), note))))
    n = len(run.scales.factors)
    note = (
        "The tests suppose continuous answers without gaps; with polychoric or pairwise "
        "correlations read them as descriptions."
    )
    return Table(
        f"How well {words.plural(n, 'component' if _components(run) else 'factor')} "
        f"fit{'s' if n == 1 else ''}",
        cells("Measure, and what convention asks", "Value"),
        tuple(rows),
        note=f"{_NO_MODEL if _components(run) else note} {_base(run)}",
    )


def _residual_table(run: Run) -> Table:
    label = _item_labels(run)
    residuals = run.scales.residuals
    rows = tuple(
        Row(
            cells(
                label.get(str(r["item"]), str(r["item"])),
                label.get(str(r["other"]), str(r["other"])),
                words.number(r["observed"]),
                words.fine(r["residual"]),
            )
        )
        for r in residuals.head(RESIDUALS_SHOWN).to_dict("records")
    )
    return Table(
        "The pairs of items that the factors explain worst",
        cells("Item", "And item", "Correlation", "Left unexplained"),
        rows,
        note=_base(run),
        text_columns=(1,),
    )


def _loading_table(run: Run) -> Table:
    """Return all pattern loadings by scale, with communality and MSA."""
    known = {
        str(r["item"]): cells(words.number(r["communality"]), words.number(r["msa"]))
        for r in run.scales.items.to_dict("records")
    }
    rows = _by_scale(run, run.scales.loadings, known)
    columns = run.scales.loadings.columns
    return Table(
        "Pattern loadings of all items",
        cells("Item", *(str(c) for c in columns), "Commu\u00adnality", "MSA"),
        rows,
        note=f"After the declared reversals. {_base(run)}",
    )


def _structure_table(run: Run) -> Table:
    structure = run.scales.structure
    return Table(
        "Structure matrix: correlations of the items with the factors",
        cells("Item", *(str(c) for c in structure.columns)),
        _by_scale(run, structure, {}),
        note=f"After the declared reversals. {_base(run)}",
    )


def _by_scale(
    run: Run, matrix: pd.DataFrame, more: Mapping[str, tuple[Cell, ...]]
) -> tuple[Row, ...]:
    """Return a row an item under the heading of its scale, and after its numbers ``more``."""
    items = run.scales.items
    values = dict(zip(matrix.index, matrix.to_numpy(dtype=float).tolist(), strict=True))
    factor = dict(zip(run.scales.factors["scale"], run.scales.factors["factor"], strict=True))
    some = run.study.scales.min_loading
    rows = []

    def turned(item: str) -> str:
        line = run.survey.codebook.get(item)
        return "answers turned round" if line is not None and line.reversed else ""

    for scale, label in [*_scale_labels(run).items(), ("", "In no scale")]:
        own = [
            Row(
                (
                    Cell(str(r["label"]), turned(r["item"])),
                    *(Cell(words.number(v), tone=tone(v, some, MUCH)) for v in values[r["item"]]),
                    *more.get(str(r["item"]), ()),
                )
            )
            for r in items[items["scale"] == scale].to_dict("records")
            if r["item"] in values
        ]
        if own:
            of = f" ({factor[scale]})" if scale in factor and scale else ""
            rows += [Row((Cell(f"{label}{of}"),), "group"), *own]
    return tuple(rows)


def _factor_correlation_table(run: Run) -> Table | None:
    """Return the correlations between the factors, if there are several."""
    phi = run.scales.phi
    if len(phi) < 2:
        return None
    of = _scale_labels(run)
    scale = dict(zip(run.scales.factors["factor"], run.scales.factors["scale"], strict=True))
    return Table(
        "Correlations between the factors",
        cells("Factor", *(str(c) for c in phi.columns)),
        tuple(
            Row(
                (
                    Cell(str(name), of.get(str(scale.get(name, "")), "")),
                    *cells(*(words.number(v) for v in row)),
                )
            )
            for name, row in zip(phi.index, phi.to_numpy(dtype=float), strict=True)
        ),
        note=_base(run),
    )


def _flag_table(run: Run) -> Table | None:
    flags = run.scales.flags
    if flags.empty:
        return None
    rows = []
    previous = ""
    for r in flags.head(FLAGS_SHOWN).to_dict("records"):
        # An item with several things against it has its label once.
        label = Cell(str(r["label"])) if r["item"] != previous else Cell("", "the same item")
        previous = r["item"]
        reason, remark = (words.sentence(str(r[c])) for c in ("reason", "remark"))
        rows.append(Row((label, Cell(remark, reason.rstrip(".")))))
    more = len(flags) - len(rows)
    note = f"And {more:,} more; all in scales/flags.csv. " if more > 0 else ""
    return Table(
        "What speaks against items",
        cells("Item", "What was found, by which rule"),
        tuple(rows),
        note=f"{note}A flag is a question to the item, not a verdict. {_base(run)}",
        text_columns=(1,),
    )


def _drop_table(run: Run) -> Table | None:
    drops = run.scales.drops
    if drops.empty:
        return None
    of = _scale_labels(run)
    rows = []
    for r in drops.head(FLAGS_SHOWN).to_dict("records"):
        text = (
            f"Without it alpha {_moves(r['alpha'], r['alpha_without'])}, the mean residual "
            f"{_moves(r['rmsr'], r['rmsr_without'])}."
        )
        scale = of.get(str(r["scale"]), str(r["scale"]))
        done = "Left out, as the study asks" if r["applied"] else "Proposed, kept"
        label = Cell(str(r["label"]), f"{scale}, step {int(r['step'])}")
        rows.append(Row((label, Cell(text, done))))
    more = len(drops) - len(rows)
    note = f"And {more:,} more; all in scales/drops.csv. " if more > 0 else ""
    return Table(
        "What leaving items out would do",
        cells("Item, its scale", "What leaving it out does"),
        tuple(rows),
        note=f"{note}Steps of one scale follow on each other. The mean residual is the root mean "
        f"square, of all items left. Nothing is left out unless the study asks for it. "
        f"{_base(run)}",
        text_columns=(1,),
    )


def _moves(before: float, after: float) -> str:
    """Say how a number changes, as it is printed."""
    old, new = words.fine(before), words.fine(after)
    if not (np.isfinite(before) and np.isfinite(after)):
        return "cannot be told"
    if old == new:
        return f"stays at {old}"
    return f"{'rise' if after > before else 'fall'}s from {old} to {new}"


def _scale_labels(run: Run) -> dict[str, str]:
    table = run.scales.table
    return {str(s): str(t) for s, t in zip(table["scale"], table["label"], strict=True)}


def _item_labels(run: Run) -> dict[str, str]:
    items = run.scales.items
    return {str(i): str(t) for i, t in zip(items["item"], items["label"], strict=True)}


def _base(run: Run) -> str:
    """Return the base of what was factored: people by item, and what they count for."""
    base = run.scales.items["base"]
    low, high = int(base.min()), int(base.max())
    text = f"base n = {high:,}" if low == high else f"base n = {low:,} to {high:,}, by item"
    if run.survey.weight_kind != "none":
        text += f"; effective {run.survey.n_effective:,.0f}"
    return words.sentence(text)
