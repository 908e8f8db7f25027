"""The profile tables: means, shares and their tests by segment; computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from psychoseg.report import words
from psychoseg.report.facts import Cell, Row, Table, cell_anchor, tone
from psychoseg.report.tables import kept
from psychoseg.stats.letters import column_names

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = [
    "caption_of",
    "difference_table",
    "hidden_cell",
    "hidden_note",
    "mean_tables",
    "segment_chunks",
    "share_tables",
]

#: Segments side by side in one table: six columns of numbers fit a page.
SEGMENTS_A_TABLE = 5
#: z or Cohen's h from which a cell of a profile table is shaded, and shaded fully.
SHADE, DEEP_SHADE = 0.2, 0.5

_KINDS = (("scale", "Scales"), ("numeric", "Numbers"))
_Record = Mapping[Hashable, Any]


def mean_tables(run: Run) -> tuple[Table, ...]:
    """Return the means of scales and numbers by segment, a few segments a table."""
    means = run.profiles.means
    if means.empty:
        return ()
    used: set[str] = set()
    tables = []
    for numbers in segment_chunks(run):
        rows = []
        for kind, title in _KINDS:
            part = means[means["kind"] == kind]
            if part.empty:
                continue
            rows.append(Row((Cell(title),), "group"))
            for (variable, _), of in part.groupby(["variable", "role"], sort=False):
                at = {int(r["segment"]): r for r in of.to_dict("records")}
                first = next(iter(at.values()))
                line = [
                    Cell(str(first["label"])),
                    _total(of, words.number(_number(first["total"]))),
                ]
                for s in numbers:
                    anchor = _anchor(used, "means", str(variable), "", s)
                    line.append(_mean_cell(at[s], anchor, run))
                rows.append(Row(tuple(line)))
        tables.append(
            Table(
                caption_of("Means by segment", numbers, run),
                _segment_heads(run, numbers),
                tuple(rows),
                note=f"Under each mean its 95% interval and base. {_letters(run)} Shaded: 0.2 "
                "standard deviations or more from everybody's mean; deeper from 0.5."
                + hidden_note(means, run),
                sortable=True,
            )
        )
    return tuple(tables)


def share_tables(run: Run) -> tuple[Table, ...]:
    """Return the shares of categories and of the options of sets, a few segments a table."""
    shares = run.profiles.shares
    if shares.empty:
        return ()
    used: set[str] = set()
    tables = []
    for numbers in segment_chunks(run):
        rows = []
        for (variable, kind, _), of in shares.groupby(["variable", "kind", "role"], sort=False):
            rows.append(_share_head(of, numbers, several=kind == "choice"))
            for category, those in of.groupby("category", sort=False):
                at = {int(r["segment"]): r for r in those.to_dict("records")}
                first = next(iter(at.values()))
                line = [
                    Cell(str(category)),
                    Cell(words.percent(_number(first["total"])), sort=_key(first["total"])),
                ]
                for s in numbers:
                    anchor = _anchor(used, "shares", str(variable), str(category), s)
                    line.append(_share_cell(at[s], anchor, run))
                rows.append(Row(tuple(line)))
        tables.append(
            Table(
                caption_of("Shares by segment", numbers, run),
                _segment_heads(run, numbers),
                tuple(rows),
                note=f"Under each share its 95% interval. {_letters(run)} Shaded: Cohen's h "
                f"against the rest of 0.2 or more; deeper from 0.5.{hidden_note(shares, run)}",
                sortable=True,
            )
        )
    return tuple(tables)


def difference_table(run: Run) -> Table:
    """Return how strongly each variable differs between the segments, and the test of it."""
    tests = run.profiles.tests.sort_values("strength", ascending=False, kind="stable")
    rows = []
    for r in tests.to_dict("records"):
        measure = words.sentence(str(r["measure"])).rstrip(".").replace("Cramer", "Cramér")
        made = r["role"] in ("scale", "active")
        rows.append(
            Row(
                (
                    Cell(str(r["label"])),
                    Cell("made the segments" if made else "describes them"),
                    Cell(measure),
                    Cell(words.number(r["strength"]), sort=_key(r["strength"])),
                    Cell(_test(r)),
                    Cell(words.p_value(r["p_adjusted"]), sort=_key(r["p_adjusted"])),
                    Cell(words.count(r["base"]), sort=_key(r["base"])),
                )
            )
        )
    return Table(
        "What differs between the segments, strongest first",
        tuple(Cell(t) for t in ("", "Part played", "Measure", "Strength", "Test", "p", "Base (n)")),
        tuple(rows),
        note="0 is no difference, 1 the largest possible. What made the segments differs by "
        "construction, so a p-value would say nothing and none is given; the others are adjusted "
        "for the number of tests.",
        text_columns=(1, 2, 4),
        sortable=True,
    )


def hidden_cell(run: Run, anchor: str = "") -> Cell:
    """Return what stands in place of a figure that rests on too few people."""
    return Cell(f"n < {run.study.profiles.min_base}", tone="hidden", anchor=anchor)


def hidden_note(table: pd.DataFrame, run: Run) -> str:
    """Say what is hidden, where something is."""
    if not table["hidden"].any():
        return ""
    least = run.study.profiles.min_base
    return (
        f" “n < {least}”: fewer than {least} people, or a figure by which one on so few could be "
        "worked out."
    )


def segment_chunks(run: Run) -> list[list[int]]:
    """Divide the segments evenly over as few tables as will do."""
    numbers = sorted(int(s) for s in run.profiles.personas["segment"])
    parts = -(-len(numbers) // SEGMENTS_A_TABLE)
    size = -(-len(numbers) // parts)
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def caption_of(text: str, numbers: Sequence[int], run: Run) -> str:
    """Return a caption, with the segments where a table holds some of them."""
    if len(numbers) == run.segments.k:
        return text
    if len(numbers) == 1:
        return f"{text}: segment {numbers[0]}"
    return f"{text}: segments {numbers[0]} to {numbers[-1]}"


def _letters(run: Run) -> str:
    """Say what the letters under the figures stand for, and how sure they are."""
    return (
        "Letters: significantly higher than the segment of that letter, small at 5%, capital at "
        f"0.1% ({words.letters_words(run.study.profiles)}). {words.MADE_OF}"
    )


def _mean_cell(r: _Record, anchor: str, run: Run) -> Cell:
    if r["hidden"]:
        return hidden_cell(run, anchor)
    return Cell(
        words.number(_number(r["mean"])),
        words.interval(_number(r["low"]), _number(r["high"])),
        _base(r),
        tone(_number(r["z"]), SHADE, DEEP_SHADE),
        anchor=anchor,
        sort=_key(r["mean"]),
        letters=str(r["letters"]),
        more=_more(r, words.number, words.signed, words.interval),
    )


def _share_cell(r: _Record, anchor: str, run: Run) -> Cell:
    if r["hidden"]:
        return hidden_cell(run, anchor)
    return Cell(
        words.percent(_number(r["share"])),
        words.percent_interval(_number(r["low"]), _number(r["high"])),
        tone=tone(_number(r["effect"]), SHADE, DEEP_SHADE),
        anchor=anchor,
        sort=_key(r["share"]),
        letters=str(r["letters"]),
        more=_more(r, words.percent, words.points, words.points_interval),
    )


def _more(
    r: _Record,
    show: Callable[[float], str],
    signed: Callable[[float], str],
    between: Callable[[float, float], str],
) -> tuple[str, ...]:
    """Return the lines that open with the details: rest, difference, index, v-test.

    A quantity without a true zero has no index; how far it is from everybody's mean, in standard
    deviations, stands in its place.
    """
    low, high = _number(r["difference_low"]), _number(r["difference_high"])
    index = _number(r["index"])
    of_all = f"index {index:.0f}, " if np.isfinite(index) else ""
    if not of_all and "z" in r:
        of_all = f"{words.signed(_number(r['z']))} SD from all, "
    return (
        f"rest {show(_number(r['rest']))}",
        f"difference {signed(_number(r['difference']))}",
        f"({between(low, high)})",
        f"{of_all}effect {words.signed(_number(r['effect']))}",
        f"v-test {words.signed(_number(r['v_test']))}",
        f"effective base {words.count(round(_number(r['base_effective'])))}",
    )


def _total(of: pd.DataFrame, text: str) -> Cell:
    known = not of["hidden"].any()
    base = f"n = {int(of['base'].sum()):,}" if known else ""
    return Cell(text, base=base, sort=_key(of["total"].iloc[0]))


def _share_head(of: pd.DataFrame, numbers: Sequence[int], *, several: bool) -> Row:
    """Return the row over the categories: the question, and how many answered it."""
    shown = of[~of["hidden"]]
    low = shown.groupby("segment")["base"].min()
    high = shown.groupby("segment")["base"].max()

    def base(segments: Iterable[int]) -> str:
        known = [s for s in segments if s in low.index]
        least, most = int(low[known].sum()), int(high[known].sum())
        return f"n = {least:,}" if least == most else f"n = {least:,}–{most:,}"

    everybody = [int(s) for s in of["segment"].unique()]
    all_known = set(everybody) == set(low.index)
    return Row(
        (
            Cell(str(of["label"].iloc[0]), "several answers possible" if several else ""),
            Cell("", base=base(everybody) if all_known else ""),
            *(Cell("", base=base([s]) if s in low.index else "") for s in numbers),
        ),
        "group",
    )


def _test(r: _Record) -> str:
    statistic, df1, df2 = (_number(r[c]) for c in ("statistic", "df1", "df2"))
    if not np.isfinite(statistic):
        return words.NOTHING
    degrees = ", ".join(words.count(d) for d in (df1, df2) if np.isfinite(d))
    return f"{r['test']} ({degrees}) = {words.number(statistic)}"


def _anchor(used: set[str], table: str, variable: str, category: str, segment: int) -> str:
    """Return a cell's anchor; nothing where a scale and a column of one name would share it."""
    anchor = cell_anchor(table, variable, category, segment)
    if anchor in used:
        return ""
    used.add(anchor)
    return anchor


def _segment_heads(run: Run, numbers: Sequence[int]) -> tuple[Cell, ...]:
    by = {int(r["segment"]): r for r in run.profiles.personas.to_dict("records")}
    letter = dict(zip(sorted(by), column_names(len(by)), strict=True))
    heads = [
        Cell(str(by[s]["name"]), base=str(by[s]["people"]), number=s, letters=letter[s])
        for s in numbers
    ]
    return (Cell(""), Cell("All", base=f"n = {kept(run):,}"), *heads)


def _base(r: _Record) -> str:
    return f"n = {int(_number(r['base'])):,}"


def _number(value: object) -> float:
    return float(value)  # type: ignore[arg-type]


def _key(value: object) -> float:
    """Return what a column is sorted by: no more digits than matter, for the file's size."""
    number = _number(value)
    return float(f"{number:.6g}") if np.isfinite(number) else float("nan")
