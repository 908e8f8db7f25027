"""What people want and say in their own words: jobs and outcomes, and distinctive words.

Prints what the profiles found; computes nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from psychoseg.report import words
from psychoseg.report.facts import Cell, Row, Table, cells
from psychoseg.report.profile_tables import (
    caption_of,
    hidden_cell,
    hidden_note,
    segment_chunks,
)

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["job_tables", "word_tables"]

#: Ulwick (2005), What Customers Want, chapter 3: opportunity scores from 10 are worth pursuing,
#: those from 15 extreme.
GOOD, EXTREME = 10.0, 15.0


def job_tables(run: Run) -> tuple[Table, ...]:
    """Return opportunity, importance and satisfaction of each job, a few segments a table."""
    jobs = run.profiles.jobs
    if jobs.empty:
        return ()
    people = run.profiles.personas
    names = dict(zip(people["segment"], people["name"], strict=True))
    at = {(int(r["segment"]), str(r["job"])): r for r in jobs.to_dict("records")}
    once = jobs.drop_duplicates("job").to_dict("records")
    rules = _rules(once)
    return tuple(
        Table(
            caption_of("Opportunity of each job and outcome by segment", numbers, run),
            (Cell(""), Cell("All"), *(Cell(str(names[s]), number=s) for s in numbers)),
            tuple(
                Row(
                    (
                        Cell(str(r["label"]), "job" if r["kind"] == "job" else "outcome"),
                        *(_job_cell(at.get((s, str(r["job"]))), run) for s in (0, *numbers)),
                    )
                )
                for r in once
            ),
            note="Opportunity is importance plus what satisfaction leaves open, from 0 to 20, with "
            "its 95% interval: from 10 (shaded) worth pursuing, from 15 (deeper) extreme (Ulwick "
            "2005). Importance and satisfaction are the shares of the top answers, times 10."
            + rules
            + hidden_note(jobs, run),
            sortable=True,
        )
        for numbers in segment_chunks(run)
    )


def word_tables(run: Run) -> tuple[Table, ...]:
    """Return the distinctive words of each open question."""
    found = run.profiles.words
    if found.empty:
        return ()
    people = run.profiles.personas
    names = dict(zip(people["segment"], people["name"], strict=True))
    out = []
    for _, of in found.groupby("variable", sort=False):
        rows = []
        for segment, those in of.sort_values(["segment", "rank"]).groupby("segment", sort=True):
            number = int(str(segment))
            shown = those[~those["hidden"]].to_dict("records")
            rows.append(Row((Cell(str(names[number]), number=number),), "group"))
            rows += [
                Row(
                    (
                        Cell(str(r["word"])),
                        Cell(words.percent(r["share"])),
                        Cell(words.percent(r["rest"])),
                        Cell(words.signed(r["log_odds"])),
                        Cell(words.signed(r["z"])),
                        Cell(words.count(r["base"])),
                    )
                )
                for r in shown
            ]
            if not shown:
                rows.append(Row(cells(words.NOTHING, *[""] * 5)))
        out.append(
            Table(
                f"Distinctive words: {of['label'].iloc[0]}",
                cells("", "Use it", "Of the rest", "Log-odds", "z", "Base (n)"),
                tuple(rows),
                note="Words that a segment uses more than the others do (log-odds with an "
                "informative Dirichlet prior, Monroe, Colaresi & Quinn 2008); z from about 2 is "
                "more than chance. A word that fewer people use than the least base allows is left "
                "out.",
            )
        )
    return tuple(out)


def _rules(jobs: Sequence[Mapping[Hashable, Any]]) -> str:
    """Say which answers count: once where it is the same for all jobs."""
    said = {str(r["label"]): str(r["top"]) for r in jobs if r.get("top")}
    if len(set(said.values())) == 1:
        return f" Top answers are: {next(iter(said.values()))}."
    each = "; ".join(f"of “{label}” {text}" for label, text in said.items())
    return f" Top answers are, {each}." if each else ""


def _job_cell(r: Mapping[Hashable, Any] | None, run: Run) -> Cell:
    if r is None:
        return Cell(words.NOTHING)
    if r["hidden"]:
        return hidden_cell(run)
    score = float(r["opportunity"])
    return Cell(
        words.number(score),
        words.interval(r["low"], r["high"]),
        f"n = {words.count(r['base'])}",
        tone="higher" if score >= EXTREME else "high" if score >= GOOD else "",
        sort=float(f"{score:.6g}") if np.isfinite(score) else float("nan"),
        more=(
            f"importance {words.number(r['importance'])}",
            f"satisfaction {words.number(r['satisfaction'])}",
        ),
    )
