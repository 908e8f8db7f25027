"""The tables as an Excel workbook: banner tables and the evidence, a sheet a block, no ids.

Numbers are numbers, texts are texts: nothing here is a formula. Computes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psychoseg.report.banner import mean_banner, share_banner
from psychoseg.report.context import build_context
from psychoseg.report.facts import ReportContext, Table
from psychoseg.report.leaving import leaving_run
from psychoseg.report.sheets import Column, Workbook, letter_of

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["write_workbook"]

_SEGMENT = Column("segment", "Segment", "0", 9)
_LABEL = Column("label", "Variable", "", 44)
_INTERVAL = (Column("low", "95% low", "0.00", 9), Column("high", "95% high", "0.00", 9))
#: Block of columns that the study file puts into none.
_NO_BLOCK = "Demographics"


def write_workbook(run: Run, path: Path) -> None:
    """Write the tables of a run as an Excel workbook.

    Parameters
    ----------
    run : Run
    path : Path
        The file to write; its folder must exist.

    Notes
    -----
    A hidden figure prints as "<10" (the study's ``min_base``). Text that a spreadsheet would run,
    here or after saving as CSV, has an apostrophe before it. Same run, same bytes.
    """
    run = leaving_run(run)
    context = build_context(run)
    book = Workbook(path, title=context.title, min_base=run.study.profiles.min_base)
    _overview(book, context)
    _segments(book, run)
    _banners(book, run)
    _frames(book, run)
    _personas(book, run)
    _stability(book, run)
    _ledger(book, context)
    _method(book, context)
    book.close()


def _overview(book: Workbook, context: ReportContext) -> None:
    verdict = context.verdict
    rows = [
        ("Read this first", context.lost),
        ("Study", context.title),
        ("Description", context.description),
        ("Population", context.population),
        ("Source", context.source),
        ("Weighting", context.weighting),
        ("Verdict", verdict.headline),
        ("Why", verdict.reason),
        ("What it means", verdict.meaning),
        *((f.label, f.value) for f in verdict.facts),
        *((f.label, f"{f.value} ({f.note})" if f.note else f.value) for f in context.key_numbers),
    ]
    rows.append(("Kept in the house", context.confidential))
    book.facts(
        "Overview",
        "What was found, and how far it may be trusted",
        [(label, text) for label, text in rows if text],
    )


def _segments(book: Workbook, run: Run) -> None:
    people = run.profiles.personas[["segment", "name", "suggested"]]
    table = people.merge(run.segments.table, on="segment").sort_values("segment")
    table = table.assign(letter=[letter_of(int(s)) for s in table["segment"]])
    told = table["n"].notna() & ~table["people"].str.contains(" with ")
    book.frame(
        "Segments",
        "The segments: size and stability",
        table,
        (
            _SEGMENT,
            Column("letter", "Column", "", 9),
            Column("name", "Name", "", 36),
            Column("suggested", "Suggested name", "", 36),
            Column("n", "Base (n)", "#,##0", 10),
            *([] if told.all() else [Column("people", "Base in words", "", 24)]),
            Column("weighted", "Weighted", "#,##0.0", 10),
            Column("share", "Share", "0%", 9),
            Column("share_low", "95% low", "0%", 9),
            Column("share_high", "95% high", "0%", 9),
            Column("jaccard", "Jaccard", "0.00", 9),
            Column("band", "In words", "", 24),
            Column("slsw", "SLSw", "0.00", 9),
            Column("certainty", "Certainty", "0%", 10),
            Column("border_share", "On a border", "0%", 11),
            Column("silhouette", "Silhouette", "0.00", 10),
        ),
        note="Share: weighted, with Wilson's 95% interval on the effective base. Jaccard (Hennig "
        "2007): below 0.60 not to be trusted, from 0.75 valid, from 0.85 highly stable.",
    )


def _banners(book: Workbook, run: Run) -> None:
    profiles, survey = run.profiles, run.survey
    for kind, name, title in (
        ("scale", "Scales", "Means of the scales by segment"),
        ("numeric", "Numeric", "Means of the numbers by segment"),
    ):
        part = profiles.means[profiles.means["kind"] == kind]
        if len(part):
            mean_banner(book, run, part, name=name, title=title)
    if profiles.shares.empty:
        return
    sets = profiles.shares["kind"] == "choice"
    columns = profiles.shares[~sets]
    blocks = [survey.codebook[v].block if v in survey.codebook else "" for v in columns["variable"]]
    for block, part in columns.groupby(
        np.array([b or _NO_BLOCK for b in blocks], dtype=object), sort=False
    ):
        name = str(block)[:1].upper() + str(block)[1:]
        share_banner(book, run, part, name=name, title=f"Shares by segment: {block}")
    if sets.any():
        share_banner(
            book,
            run,
            profiles.shares[sets],
            name="Multiple response",
            title="Multiple-response questions by segment: share of those asked who chose each",
        )


def _frames(book: Workbook, run: Run) -> None:
    """Write the tables that are lists."""
    profiles = run.profiles
    book.frame(
        "Tests",
        "How strongly each variable differs between the segments",
        profiles.tests.sort_values("strength", ascending=False, kind="stable"),
        (
            _LABEL,
            Column("kind", "Kind", "", 12),
            Column("role", "Role", "", 10),
            Column("measure", "Measure", "", 14),
            Column("strength", "Strength", "0.000", 10),
            Column("test", "Test", "", 14),
            Column("statistic", "Statistic", "0.00", 10),
            Column("df1", "df 1", "0.0", 8),
            Column("df2", "df 2", "0.0", 8),
            Column("p", "p", "0.0000", 9),
            Column("p_adjusted", "p, adjusted", "0.0000", 11),
            Column("base", "Base (n)", "#,##0", 10),
        ),
        note="What made the segments differs by construction: it has no test. p is adjusted for "
        "the number of tests (Benjamini and Hochberg 1995).",
    )
    book.frame(
        "Drivers",
        "What sets each segment apart, strongest first",
        profiles.drivers.sort_values(["segment", "rank"]),
        (
            _SEGMENT,
            Column("rank", "Rank", "0", 7),
            _LABEL,
            Column("category", "Category", "", 28),
            Column("value", "Segment", "0.00", 10),
            Column("total", "All", "0.00", 10),
            Column("effect", "Effect", "0.00", 9),
            Column("size", "In words", "", 12),
            Column("base", "Base (n)", "#,##0", 10),
            Column("text", "Sentence", "", 70),
        ),
        note="Effect: Cohen's d, of shares Cohen's h, against the rest. Values of categories are "
        "shares (1 is all).",
    )
    book.frame(
        "Importance",
        "Which variables tell the segments apart",
        profiles.importance,
        (
            Column("rank", "Rank", "0", 7),
            _LABEL,
            Column("role", "Role", "", 10),
            Column("importance", "Importance", "0.000", 12),
            Column("low", "95% low", "0.000", 9),
            Column("high", "95% high", "0.000", 9),
        ),
        note="Importance: held-out accuracy lost when the variable's answers are shuffled.",
    )
    book.frame(
        "Model",
        "How well the model and the tree find people's segments",
        profiles.model,
        (
            Column("what", "What", "", 28),
            Column("value", "Value", "0.0%", 10),
            Column("low", "95% low", "0.0%", 9),
            Column("high", "95% high", "0.0%", 9),
            Column("base", "Base (n)", "#,##0", 10),
        ),
        note="On people that the model had not seen.",
    )
    book.frame(
        "Rules",
        "A shallow decision tree as rules",
        profiles.rules,
        (
            _SEGMENT,
            Column("rank", "Rank", "0", 7),
            Column("rule", "Rule", "", 80),
            Column("share", "Finds of it", "0%", 11),
            Column("precision", "Is right", "0%", 10),
            Column("base", "Base (n)", "#,##0", 10),
        ),
        note="Finds of it: share of the segment that the rule catches. Is right: of those caught, "
        "how many are of the segment.",
    )


def _personas(book: Workbook, run: Run) -> None:
    profiles = run.profiles
    letter = {int(s): letter_of(int(s)) for s in profiles.personas["segment"]}
    personas = profiles.personas.sort_values("segment")
    book.frame(
        "Personas",
        "The personas in words",
        personas.assign(column=personas["segment"].map(letter)),
        (
            _SEGMENT,
            Column("column", "Column", "", 9),
            Column("name", "Name", "", 32),
            Column("share", "Share", "0%", 9),
            Column("n", "Base (n)", "#,##0", 10),
            *([] if personas["n"].notna().all() else [Column("people", "Base in words", "", 24)]),
            Column("portrait", "Portrait", "", 80),
            Column("is_not", "What it is not", "", 60),
        ),
        note="What each sentence rests on is in the sheet Facts.",
    )
    book.frame(
        "Facts",
        "What the portraits say, sentence by sentence, and where it is from",
        profiles.facts,
        (
            _SEGMENT,
            Column("part", "Part", "", 10),
            Column("rank", "Rank", "0", 7),
            Column("text", "Sentence", "", 80),
            Column("table", "Table", "", 10),
            Column("variable", "Variable", "", 24),
            Column("category", "Category", "", 24),
        ),
    )
    book.frame(
        "Typical answers",
        "What the people nearest to a segment's centre answered",
        profiles.typical,
        (_SEGMENT, _LABEL, Column("value", "Answer", "", 30), Column("base", "Base (n)", "0", 10)),
        note="The median or the most frequent answer of several people, never one person's.",
    )
    book.frame(
        "Actions",
        "Which offer suits which segment",
        profiles.actions,
        (
            _SEGMENT,
            Column("rank", "Rank", "0", 7),
            Column("action", "Offer", "", 40),
            Column("score", "Score", "0.00", 9),
            Column("fits", "Suits", "", 9),
            Column("reason", "Why", "", 80),
        ),
        note="Score: from -1, the opposite of what the offer asks for, to 1.",
    )
    book.frame(
        "Jobs",
        "Opportunity scores by segment",
        profiles.jobs,
        (
            Column("segment", "Segment (0: all)", "0", 15),
            Column("label", "Job or outcome", "", 50),
            Column("kind", "Kind", "", 10),
            Column("importance", "Importance", "0.0", 11),
            Column("satisfaction", "Satisfaction", "0.0", 12),
            Column("opportunity", "Opportunity", "0.0", 12),
            *_INTERVAL,
            Column("base", "Base (n)", "#,##0", 10),
            Column("top", "Top answers", "", 44),
        ),
        note="Shares of the top answers times 10; opportunity is importance plus what satisfaction "
        "lacks of it (Ulwick 2005).",
    )
    book.frame(
        "Words",
        "The most distinctive words of open answers",
        profiles.words,
        (
            _SEGMENT,
            _LABEL,
            Column("rank", "Rank", "0", 7),
            Column("word", "Word", "", 28),
            Column("z", "z", "0.00", 9),
            Column("log_odds", "Log-odds", "0.00", 10),
            Column("share", "Share", "0%", 9),
            Column("rest", "Others", "0%", 9),
            Column("base", "Base (n)", "#,##0", 10),
        ),
        note="Weighted log-odds against the other segments with an informative prior (Monroe, "
        "Colaresi and Quinn 2008).",
    )
    book.frame(
        "Quotes",
        "Answers in people's own words, as the study asks for them",
        profiles.quotes,
        (_SEGMENT, _LABEL, Column("text", "Answer", "", 100)),
    )


def _stability(book: Workbook, run: Run) -> None:
    segments = run.segments
    book.frame(
        "Stability",
        "Each number of segments: what comes back, what the indices say",
        segments.choice.sort_values("k"),
        (
            Column("k", "Segments", "0", 10),
            Column("chosen", "Shown", "", 8),
            Column("eligible", "Eligible", "", 9),
            Column("jaccard_mean", "Jaccard, mean", "0.00", 13),
            Column("jaccard_min", "Jaccard, weakest", "0.00", 15),
            Column("smallest_share", "Smallest", "0%", 10),
            Column("smallest_n", "Its base (n)", "#,##0", 12),
            Column("silhouette", "Silhouette", "0.00", 11),
            Column("calinski_harabasz", "Calinski-Harabasz", "0.0", 17),
            Column("gap", "Gap", "0.00", 9),
            Column("prediction_strength", "Prediction strength", "0.00", 18),
            Column("why", "Why", "", 60),
        ),
        note=f"Jaccard over {segments.resamples} bootstrap resamples: 1 is the same segment again.",
    )
    book.frame(
        "Stability by segment",
        "Each segment of each number of segments",
        segments.stability,
        (
            Column("k", "Segments", "0", 10),
            _SEGMENT,
            Column("share", "Share", "0%", 9),
            Column("jaccard", "Jaccard", "0.00", 9),
            Column("jaccard_low", "Its low end", "0.00", 11),
            Column("slsa", "SLSa, back", "0.00", 11),
            Column("slsa_next", "SLSa, on", "0.00", 11),
        ),
    )
    book.frame(
        "Audits",
        "What else was tried on the segments",
        segments.audit,
        (
            Column("audit", "Audit", "", 22),
            Column("what", "What was done", "", 46),
            Column("value", "Value", "0.00", 10),
            *_INTERVAL,
            Column("base", "Base (n)", "#,##0", 10),
        ),
    )


def _ledger(book: Workbook, context: ReportContext) -> None:
    for name, title, table in (
        ("Ledger", "From respondents read to respondents in the results", context.people),
        ("Set aside", "Answers and rows set aside without leaving anybody out", context.set_aside),
    ):
        if table is not None:
            book.frame(name, title, *_counted(table), note=table.note)


def _counted(table: Table) -> tuple[pd.DataFrame, Sequence[Column]]:
    """Return a table of the report as a frame, its counts and percentages as numbers again."""
    columns = []
    data: dict[str, list[object]] = {}
    for j, head in enumerate(table.head):
        texts = [row.cells[j].text for row in table.rows]
        name = f"c{j}"
        if head.text in ("People", "Cases"):
            data[name] = [int(t.replace(",", "")) for t in texts]
            columns.append(Column(name, head.text, "#,##0", 12))
        elif head.text != "Share":
            data[name] = list(texts)
            columns.append(Column(name, head.text or "Step", "", 46))
    frame = pd.DataFrame(data)
    if any(h.text == "Share" for h in table.head) and len(frame):
        counts = frame[next(c.name for c in columns if c.head == "People")].to_numpy(dtype=float)
        frame["share"] = counts / counts[0]
        columns.append(Column("share", "Share", "0.0%", 10))
    return frame, columns


def _method(book: Workbook, context: ReportContext) -> None:
    book.facts(
        "Method",
        "How it was done",
        [
            *((f.label, f.value) for f in context.method),
            *((f"Version of {f.label}", f.value) for f in context.versions),
            *((f"File {f.label}", f"{f.value}, {f.note}") for f in context.inputs),
            *((f"Word: {f.label}", f.value) for f in context.glossary),
        ],
    )
    book.facts(
        "Warnings",
        "What the reader has to know",
        [(n.stage, n.message) for n in context.warnings] or [("None", "There are no warnings.")],
    )
