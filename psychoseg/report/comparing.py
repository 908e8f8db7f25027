"""A comparison of two runs as ready-to-print facts, and its page; computes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from psychoseg import plots
from psychoseg.plots.change import plot_change
from psychoseg.report import words
from psychoseg.report.facts import Cell, Fact, FigureText, Row, Table, cells
from psychoseg.report.html import inline_figure, render_page

if TYPE_CHECKING:
    from psychoseg.comparison import Comparison
    from psychoseg.run_folder import Run

__all__ = ["ComparisonFacts", "comparison_facts", "write_comparison"]

_CHANGE = {
    "same": "the same",
    "changed": "changed more than chance",
    "new": "new",
    "gone": "gone",
}
#: Changes listed at once; the others are counted.
_MOST_CHANGES = 40


@dataclass(frozen=True, slots=True)
class ComparisonFacts:
    """What the page of a comparison prints.

    Attributes
    ----------
    headline, reason : str
        The answer in a sentence, and what it rests on.
    runs : tuple of Fact
        The first and the second run.
    match, flow : Table
    changes : Table or None
        What changed more than chance; None where nothing was tested.
    changes_text : str
    notes : tuple of str
    figure : FigureText
    """

    title: str
    headline: str
    reason: str
    runs: tuple[Fact, ...]
    match: Table
    flow: Table
    changes: Table | None
    changes_text: str
    notes: tuple[str, ...]
    figure: FigureText


def comparison_facts(comparison: Comparison, a: Run, b: Run) -> ComparisonFacts:
    """Gather what is said of a comparison.

    Parameters
    ----------
    comparison : Comparison
    a, b : Run
        The runs that were compared, the earlier first.

    Returns
    -------
    ComparisonFacts
    """
    solutions = comparison.kind == "solutions"
    headline, reason = _solution_words(comparison) if solutions else _wave_words(comparison)
    pairs = "; ".join(
        f"{r['name_a'] or 'nobody'} ({words.percent(r['share_a'])}) to "
        f"{r['name_b'] or 'nobody'} ({words.percent(r['share_b'])})"
        for r in comparison.match.to_dict("records")
    )
    return ComparisonFacts(
        title="Two solutions side by side" if solutions else "Two waves side by side",
        headline=headline,
        reason=reason,
        runs=(_run_fact("First run", a), _run_fact("Second run", b)),
        match=_match_table(comparison),
        flow=_flow_table(comparison, max(r.study.profiles.min_base for r in (a, b))),
        changes=_change_table(comparison),
        changes_text=_changes_text(comparison),
        notes=comparison.notes,
        figure=FigureText("Who went where", f"Ribbons between the segments of both runs: {pairs}."),
    )


def write_comparison(comparison: Comparison, a: Run, b: Run, path: Path) -> ComparisonFacts:
    """Write the page of a comparison: one file, without scripts.

    Parameters
    ----------
    comparison : Comparison
    a, b : Run
    path : Path
        The file to write; its folder must exist.

    Returns
    -------
    ComparisonFacts
        What the page says.
    """
    facts = comparison_facts(comparison, a, b)
    figure = [
        inline_figure(
            plot_change(comparison, width=width), f"change-{variant}", variant, facts.figure
        )
        for variant, width in (("wide", plots.WIDE), ("narrow", plots.NARROW))
    ]
    numbers = range(1, max(*comparison.names_a, *comparison.names_b) + 1)
    colours = [(c, plots.ink_on(c)) for c in map(plots.segment_colour, numbers)]
    render_page("comparison.html.j2", path, facts=facts, figure=figure, colours=colours)
    return facts


def _solution_words(comparison: Comparison) -> tuple[str, str]:
    stay = comparison.summary.iloc[0]
    rand = comparison.summary.iloc[1]["value"]
    share, base = words.percent(stay["value"]), f"{int(stay['base']):,}"
    headline = f"{share} of the people are in the matching segment of both runs."
    reason = (
        f"Of {base} people in both ({words.percent_interval(stay['low'], stay['high'])} at 95%). "
        f"The adjusted Rand index, 0 for chance and 1 for the same division, is "
        f"{words.number(rand)} ({words.agreement_words(rand)})."
    )
    expected = float(stay["expected"])
    known = np.isfinite(expected)
    again = words.percent(expected) if known else ""
    all_same = known and bool((comparison.match["change"] == "same").all())
    agreement = words.agreement_words(rand)
    if agreement == "excellent" or (all_same and agreement != "poor"):
        would = f"; {again} would if the survey were drawn again" if known else ""
        return (
            f"The two solutions are nearly the same: {share} stay in the matching segment{would}."
        ), reason
    if not known:
        return headline, reason
    if all_same and stay["high"] < expected:
        return (
            f"No segment differs more than chance: {share} stay in the matching segment; {again} "
            "would if the survey were drawn again."
        ), reason
    if stay["high"] < expected:
        return f"The two solutions differ more than chance: {share} stay, {again} would.", (
            f"When the first run's survey is drawn again, {again} of its people keep their "
            "segment. " + reason
        )
    return f"The two solutions differ no more than chance would make them: {share} stay.", (
        f"When the first run's survey is drawn again, {again} of its people keep their segment. "
        + reason
    )


def _wave_words(comparison: Comparison) -> tuple[str, str]:
    kept, rand = comparison.summary.iloc[0], comparison.summary.iloc[1]["value"]
    kinds = comparison.match["change"].value_counts()
    same, new, gone = (int(kinds.get(k, 0)) for k in ("same", "new", "gone"))
    sizes = comparison.changes[(comparison.changes["kind"] == "size") & comparison.changes["real"]]
    moved = (
        "none changed its size more than chance"
        if sizes.empty
        else f"{len(sizes)} of them changed size more than chance"
    )
    headline = f"{words.plural(same, 'segment')} came back; {moved}."
    if new or gone:
        headline = f"{words.plural(same, 'segment')} came back, {new} new, {gone} gone; {moved}."
    reason = (
        f"{words.percent(kept['value'])} of the second run's {int(kept['base']):,} people "
        f"({words.percent_interval(kept['low'], kept['high'])} at 95%) are nearest to the first "
        f"run's segment that matches their own; adjusted Rand index {words.number(rand)}."
    )
    return headline, reason


def _run_fact(label: str, run: Run) -> Fact:
    people = int((run.segments.labels > 0).sum())
    return Fact(
        label,
        run.study.study.title,
        f"{run.folder.name if run.folder else ''}: {people:,} people in "
        f"{words.plural(run.segments.k, 'segment')}, {run.segments.verdict}",
    )


def _match_table(comparison: Comparison) -> Table:
    solutions = comparison.kind == "solutions"
    rows = []
    for r in comparison.match.to_dict("records"):
        first = Cell(str(r["name_a"]) or words.NOTHING, number=int(r["a"]))
        second = Cell(str(r["name_b"]) or words.NOTHING)
        extra = (
            cells(words.number(r["jaccard"]), words.number(r["expected"]), words.number(r["low"]))
            if solutions
            else ()
        )
        rows.append(
            Row(
                (
                    first,
                    second,
                    *cells(words.percent(r["share_a"]), words.percent(r["share_b"])),
                    *extra,
                    *cells(words.number(r["distance"]), _CHANGE[str(r["change"])]),
                )
            )
        )
    heads = ["First run", "Second run", "Share before", "Share after"]
    note = (
        "Distance: between the centres, in standard deviations a feature (first run's). A match is "
        "the assignment of least distance, and counts if no other first segment is nearer."
    )
    if solutions:
        heads += ["Overlap (Jaccard)", "When redrawn", "5 of 100 below"]
        note = (
            "Overlap: people in both segments over people in either. When redrawn: the same for "
            "the first run's segment and resamples of its own survey. An overlap below what 5 of "
            "100 resamples show is a change more than chance."
        )
    heads += ["Distance", "What became of it"]
    return Table(
        "Segments of the first run and what became of them",
        cells(*heads),
        tuple(rows),
        note,
        text_columns=(1, len(heads) - 1),
    )


def _flow_table(comparison: Comparison, least: int) -> Table:
    rows = []
    for a in comparison.names_a:
        part = comparison.flow[comparison.flow["a"] == a]
        shares = part.set_index("b")["share_a"]
        people = int(part["n"].sum())
        if people < least:
            name = Cell(comparison.names_a[a], number=a)
            rows.append(Row((name, *[Cell(f"n < {least}")] * len(comparison.names_b))))
            continue
        rows.append(
            Row(
                (
                    Cell(comparison.names_a[a], base=f"n = {people:,}", number=a),
                    *cells(*(words.percent(shares[b]) for b in comparison.names_b)),
                )
            )
        )
    return Table(
        "Of each segment of the first run: where its people are in the second",
        (Cell(""), *(Cell(f"{b}. {name}") for b, name in comparison.names_b.items())),
        tuple(rows),
        "Rows add up to 100%, weighted as the run is.",
    )


def _change_table(comparison: Comparison) -> Table | None:
    real = comparison.changes[comparison.changes["real"]]
    if real.empty:
        return None
    order = real["p_adjusted"].rank(method="first").sort_values().index[:_MOST_CHANGES]
    rows = []
    for r in real.loc[order].sort_values(["a", "p_adjusted"], kind="stable").to_dict("records"):
        share = r["kind"] != "mean"
        show = words.percent if share else words.number
        difference = (
            f"{100 * r['difference']:+.0f} points".replace("-", "−")
            if share
            else words.signed(r["difference"])
        )
        what = str(r["label"]) + (f": {r['category']}" if r["category"] else "")
        rows.append(
            Row(
                (
                    Cell(what),
                    Cell(comparison.names_a[int(r["a"])], number=int(r["a"])),
                    Cell(show(r["value_a"]), base=f"n = {r['base_a']:,}"),
                    Cell(show(r["value_b"]), base=f"n = {r['base_b']:,}"),
                    *cells(difference, words.p_value(r["p_adjusted"])),
                )
            )
        )
    return Table(
        "What changed more than chance",
        cells("What", "Segment", "Before", "After", "Change", "Adjusted p"),
        tuple(rows),
        "Differences of independent samples, p-values adjusted over all figures (Benjamini and "
        "Hochberg). Segments are found anew in each run, which adds chance of its own.",
        text_columns=(1,),
    )


def _changes_text(comparison: Comparison) -> str:
    if comparison.kind == "solutions":
        return (
            "Both runs divide the same answers, so a segment's figures differ only through who is "
            "in it: there is nothing to test."
        )
    tested = int(comparison.changes["p"].notna().sum())
    real = int(comparison.changes["real"].sum())
    text = f"{real} of {tested:,} figures of the segments that came back changed more than chance."
    return text + (f" The clearest {_MOST_CHANGES} are shown." if real > _MOST_CHANGES else "")
