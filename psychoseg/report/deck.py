"""The deck: the report's story as slides, charts and tables native to PowerPoint.

Owns the order of the slides, and those on the study as a whole; ``deck_segments`` has those on the
segments. Prints facts and computes none.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from psychoseg import plots
from psychoseg.plots.canvas import HIGH_COLOUR, MUTED
from psychoseg.report import words
from psychoseg.report.context import build_context
from psychoseg.report.deck_segments import segment_slides
from psychoseg.report.deck_story import NAMED_HEADS, Story, in_words
from psychoseg.report.facts import Fact, Persona
from psychoseg.report.leaving import in_house, leaving_run, outline_for
from psychoseg.report.slide_base import Box, open_base, save_deck
from psychoseg.report.slide_charts import Bar, Track, draw_bars, draw_tracks
from psychoseg.report.slide_parts import Page
from psychoseg.report.slide_text import Line, clean, cut_text

if TYPE_CHECKING:
    from psychoseg.run_folder import Run
    from psychoseg.segments.outline import Outline

__all__ = ["write_deck"]

#: White reads on each at 4.5:1 or better (WCAG 2.1).
_LIGHTS = {"green": "#1B6E47", "amber": "#8F5400", "red": "#A3241C"}
#: Leaves of the tree and width of the figures in inches at which their type can be read in a room.
_LEAVES, _TREE_WIDTH, _MAP_WIDTH = 24, 8.6, 6.2
_TERMS_A_SLIDE = 12
_WORKBOOK = "tables.xlsx"


def write_deck(run: Run, path: Path, *, template: Path | None = None) -> None:
    """Write a run as a PowerPoint deck.

    Parameters
    ----------
    run : Run
    path : Path
        The file to write; its folder must exist.
    template : Path, optional
        A client's .pptx or .potx: its master, layouts, fonts and theme are taken, its slides
        dropped.

    Raises
    ------
    StudyError
        Where the template cannot be used.

    Notes
    -----
    Charts and tables are native, so that they can be edited; the dendrogram and the map, which no
    native chart can draw, are pictures. Every slide has a title, every chart, table and picture a
    text that says what it shows, and the speaker notes say where each number comes from. Same run,
    same bytes.
    """
    base = open_base(template)
    outline = outline_for(run)
    told = leaving_run(run)
    story = Story(base, told, build_context(told))
    _opening(story)
    _summary(story)
    _who_was_asked(story)
    _how_many(story)
    _tree(story, outline)
    _sizes(story)
    segment_slides(story)
    _how_sure(story)
    _method(story)
    _glossary(story)
    for page in story.pages:
        page.close()
    save_deck(base, path, clean(story.context.title))


def _opening(story: Story) -> None:
    context = story.context
    page = Page(story.base, context.title, opening=True)
    story.pages.append(page)
    who = [t for t in (context.population, context.description) if t]
    subtitle = next(
        (s for s in page.slide.placeholders if s.placeholder_format.type.name == "SUBTITLE"), None
    )
    if subtitle is not None:
        stays = "Stays in the house: shows people one by one" if context.confidential else ""
        lines = [Line(t) for t in (*who, f"Base: {story.base_n}", stays) if t]
        page.fill_placeholder(subtitle, lines)
    if story.base.own:
        # The segments at their sizes: the colours that the deck goes on to use.
        left, whole = 64.0, 832.0
        total = sum(p.share_width for p in story.personas) or 1.0
        for card in story.personas:
            wide = whole * card.share_width / total
            if wide > 1:
                page.ground(Box(left, 452, wide, 10), card.colour, name=f"size of {card.number}")
            left += wide
    page.notes.append(f"{context.title}. {' '.join(who)} Source: {context.source or 'not given'}.")


def _summary(story: Story) -> None:
    context, verdict = story.context, story.context.verdict
    largest = max(story.real, key=lambda p: p.share_width)
    count = in_words(len(story.real))
    title = (
        f"{count.capitalize()} segments; the largest is {story.name(largest.number, 40)} "
        f"with {largest.share}"
        if len(story.real) > 1
        else f"One segment: {verdict.headline}"
    )
    page = story.page(
        title,
        source=f"Base: {story.base_n}. Shares are weighted where the survey is.",
        notes=[
            f"Verdict: {verdict.headline}. {verdict.reason}",
            *(f"{f.label}: {f.value}" for f in verdict.facts),
            *(f"{f.label}: {f.value}, {f.note}." for f in context.key_numbers),
            *(f"{p.number} {p.name}: {_size_text(p)}." for p in story.personas),
            f"Tables: {_WORKBOOK}, sheets Overview and Segments.",
        ],
    )  # fmt: skip
    left, right = page.body.part(0, 0, 0.36, 1), page.body.part(0.395, 0, 0.605, 1)
    page.text(
        left.part(0, 0, 1, 0.46),
        [
            Line(verdict.headline, bold=True, colour="#FFFFFF", scale=1.45),
            Line(verdict.meaning, colour="#FFFFFF", space=0.5),
            *(Line(f.value, colour="#FFFFFF", space=0.5) for f in verdict.facts[:1]),
        ],
        name="Verdict", fill=_LIGHTS[verdict.tone], pad=14, sizes=(13, 12, 11.5, 11, 10.5, 10),
    )  # fmt: skip
    cards = [cell for row in left.part(0, 0.485, 1, 0.515).rows(2, 9) for cell in row.columns(2, 9)]
    for cell, fact in zip(cards, context.key_numbers[:4], strict=False):
        page.text(
            cell,
            [
                Line(fact.value, bold=True, scale=1.9),
                Line(fact.label, bold=True),
                Line(fact.note, colour="muted", scale=0.9),
            ],
            name=f"Key number: {fact.label}", fill="panel", pad=9, anchor="middle",
            sizes=(11, 10.5, 10, 9.5, 9, 8.5),
        )  # fmt: skip
    rows = right.rows(max(len(story.personas), 4), 4)
    for row, card in zip(rows, story.personas, strict=False):
        across = min(26.0, row.height - 2)
        page.badge(row.left, row.top + (row.height - across) / 2, card.number, across=across)
        page.text(
            Box(row.left + 38, row.top, 58, row.height),
            [Line(card.share, bold=True)],
            name=f"Share of segment {card.number}", anchor="middle", sizes=(18, 16, 14, 12),
        )  # fmt: skip
        page.text(
            Box(row.left + 100, row.top, row.width - 100, row.height),
            [Line(card.name, bold=True, scale=1.1), Line(card.headline, colour="muted")],
            name=f"Segment {card.number} in a line", anchor="middle",
            sizes=(12, 11.5, 11, 10.5, 10, 9.5, 9),
        )  # fmt: skip


def _who_was_asked(story: Story) -> None:
    context, run = story.context, story.run
    read = run.survey.n_read
    inside = int((run.segments.labels > 0).sum())
    said = [
        ("Who", context.population),
        ("Where it comes from", context.source),
        ("Weighting", context.weighting),
    ]
    story.beside(
        f"The results rest on {inside:,} of {words.plural(read, 'respondent')} read",
        context.people,
        [
            line
            for label, text in said
            if text
            for line in (Line(label, bold=True, space=0.9), Line(text, space=0.15))
        ],
        name="From read to kept",
        source=f"Base: {read:,} respondents read. Every exclusion has its reason in the ledger.",
        notes=[
            f"{read:,} respondents read, {inside:,} in the results.",
            context.weighting,
            f"Tables: {_WORKBOOK}, sheet Ledger; the reasons one by one: survey/ledger.csv in the "
            "run folder.",
        ],
    )


def _how_many(story: Story) -> None:
    context, segments = story.context, story.run.segments
    page = story.page(
        context.number.choice,
        source=f"Base: {story.base_n}. Jaccard over {segments.resamples} bootstrap resamples: 1 is "
        "the same segment again.",
        notes=[
            context.number.choice,
            *(f"{f.label}: {f.value}" for f in context.number.reasons),
            f"Chart: columns jaccard_mean and jaccard_min of {_WORKBOOK}, sheet Stability.",
        ],
    )
    left, right = page.body.part(0, 0, 0.56, 1), page.body.part(0.6, 0, 0.4, 1)
    choice = segments.choice.sort_values("k")
    choice = choice[choice["jaccard_mean"].notna() & (choice["k"] >= 2)]
    lines = [
        line
        for fact in context.number.reasons
        for line in (Line(fact.label, bold=True, space=0.9), Line(fact.value, space=0.15))
    ]
    if choice.empty:
        page.text(page.body, lines, name="Why this number", fill="panel", pad=16, hug=True)
        return
    page.text(right, lines, name="Why this number", fill="panel", pad=16,
              sizes=(14, 13, 12, 11, 10), hug=True)  # fmt: skip
    page.text(
        Box(left.left, left.top, left.width, 18),
        [Line(f"How much comes back, by number of segments (shown: {segments.k})", bold=True)],
        name="Heading of the chart", sizes=(12, 11, 10),
    )  # fmt: skip
    tracks = [
        Track("Mean of the segments", _floats(choice["jaccard_mean"]), HIGH_COLOUR),
        Track("Weakest segment", _floats(choice["jaccard_min"]), MUTED),
    ]
    top = Box(left.left, left.top + 24, left.width, 16)
    for track, at in zip(tracks, top.columns(3, 10), strict=False):
        page.ground(Box(at.left, at.top + 6, 18, 4), track.colour, name=track.label)
        page.text(Box(at.left + 24, at.top, at.width - 24, 16), [Line(track.label)],
                  name=f"Key: {track.label}", sizes=(10.5, 10, 9), anchor="middle")  # fmt: skip
    shown = [str(int(k)) for k in choice["k"]]
    draw_tracks(
        page,
        Box(left.left, left.top + 46, left.width, left.height - 46), shown, tracks,
        name="Stability by number of segments", limits=(0.0, 1.0), below=0.1, ticks="0.0",
        description=f"Line chart: mean and weakest Jaccard at {shown[0]} to {shown[-1]} segments. "
        + context.number.choice,
    )  # fmt: skip


def _floats(values: object) -> tuple[float, ...]:
    return tuple(float(v) for v in np.asarray(values, dtype=float))


def _tree(story: Story, outline: Outline) -> None:
    context, run = story.context, story.run
    names = [p.name for p in story.personas]
    if "dendrogram" in context.figures:
        cuts = run.profiles.cuts
        two = cuts[cuts["k"] == 2].sort_values("segment") if len(cuts) else cuts
        title = "How the segments belong together"
        if len(two) == 2 and run.segments.k > 2 and two["share"].notna().all():
            shares = [words.percent(s) for s in two["share"]]
            title = f"People part first into two groups of {shares[0]} and {shares[1]}"
            title += f", then into {in_words(len(story.real))} segments"
        page = story.page(
            title,
            source=f"Base: {story.base_n}. Groups that join late (left) differ most.",
            notes=[context.tree_text, "From: segments/tree.csv in the run folder."],
        )
        # Beside many branches a name has room for one line; the alternative text has all of it.
        short = names if len(names) <= NAMED_HEADS else [cut_text(n, 170, 8.5, 1) for n in names]
        figure = plots.plot_dendrogram(
            run.segments,
            short,
            width=_TREE_WIDTH,
            max_leaves=max(_LEAVES, run.segments.k),
            outline=outline,
        )
        text = context.figures["dendrogram"]
        page.picture(page.body, figure, name=text.title, description=text.description)
    if "map" in context.figures:
        page = story.page(
            "Where the people of each segment stand",
            source=f"Base: {story.base_n}. For looking only: the segments were made in more "
            "dimensions than a map has.",
            notes=[context.map_text, "From: segments/points.csv in the run folder."],
        )
        text = context.figures["map"]
        shown = None if in_house(run) else outline
        figure = plots.plot_map(run.segments, names, width=_MAP_WIDTH, outline=shown)
        page.picture(page.body, figure, name=text.title, description=text.description)


def _sizes(story: Story) -> None:
    table = story.run.segments.table.sort_values("segment")
    cards = {p.number: p for p in story.personas}
    largest = max(story.real, key=lambda p: p.share_width)
    smallest = min(story.real, key=lambda p: p.share_width)
    title = (
        f"The largest segment holds {largest.share} of people, the smallest {smallest.share}"
        if len(story.real) > 1
        else f"The segment holds {largest.share} of people"
    )
    page = story.page(
        title,
        source=f"Base: {story.base_n}. In brackets: 95% interval.",
        notes=[
            *(f"{p.number} {p.name}: {_size_text(p)}." for p in story.personas),
            f"Table: {_WORKBOOK}, sheet Segments (Wilson's interval on the effective base).",
        ],
    )  # fmt: skip
    bars = [
        Bar(
            f"{s}  {cards[s].name}",
            float(np.nan_to_num(share)),
            _size_text(cards[s]),
            cards[s].colour,
        )
        for s, share in zip(table["segment"].astype(int), table["share"], strict=True)
    ]
    top = max((b.value for b in bars), default=1.0)
    tall = min(page.body.height, 64.0 * len(bars) + 10)
    draw_bars(
        page,
        Box(page.body.left, page.body.top, page.body.width, tall),
        bars,
        series="Share of people",
        name="Sizes of the segments", limits=(0.0, 1.75 * top), labels=0.36, decimals="0%",
        size=12 if len(bars) <= 9 else 10.5,
        description=f"Bar chart of the segments' shares: {_sizes_text(story)}.",
    )  # fmt: skip


def _size_text(card: Persona) -> str:
    """Return a segment's share, its interval and its base, as far as they may be told."""
    share = f"{card.share}  ({card.share_interval})" if card.share_interval else card.share
    return f"{share}, {card.base}"


def _sizes_text(story: Story) -> str:
    """Return every segment with its share, in a sentence."""
    return "; ".join(f"{p.number} {p.name} {p.share}" for p in story.personas)


def _how_sure(story: Story) -> None:
    sure, verdict = story.context.sureness, story.context.verdict
    story.beside(
        next((f.value for f in verdict.facts if f.label == "How sure"), verdict.headline),
        sure.segments,
        [
            line
            for fact in (Fact("The verdict", verdict.reason), *sure.facts[:3])
            for line in (Line(fact.label, bold=True, space=0.8), Line(fact.value, space=0.15))
        ],
        name="How sure each segment is",
        source=f"Base: {story.base_n}. Jaccard (Hennig 2007): from 0.75 valid, from 0.85 highly "
        "stable.",
        notes=[
            *(f"{f.label}: {f.value}" for f in sure.facts),
            f"Table: {_WORKBOOK}, sheet Stability.",
        ],
        columns=(0, 1, 2, 3, 5),
    )


def _method(story: Story) -> None:
    context = story.context
    limits = [
        context.verdict.meaning,
        "Segments differ on what made them by construction; only what describes them is tested.",
        # Warnings are for who runs the study: on the terminal, in the manifest, in the appendix.
        *([context.lost] if context.lost else []),
    ]
    page = story.page(
        "How this was done, and what it cannot say",
        source=f"Base: {story.base_n}. Every setting is in the report's appendix and study.toml.",
        notes=[
            *(f"{f.label}: {f.value}" for f in context.method),
            *(f"{f.label}: {f.value}" for f in context.versions),
        ],
    )
    left, right = page.body.part(0, 0, 0.55, 1), page.body.part(0.585, 0, 0.415, 1)
    told = [f for f in context.method if f.label != "Verdict"]
    page.text(
        left,
        [
            line
            for f in told
            for line in (Line(f.label, bold=True, space=0.7), Line(f.value, space=0.1))
        ],
        name="Method", sizes=(12, 11.5, 11, 10.5, 10, 9.5, 9),
    )  # fmt: skip
    page.text(
        right,
        [Line("Limits", bold=True, scale=1.1), *(Line(t, space=0.6) for t in limits)],
        name="Limits", fill="panel", pad=16, sizes=(13, 12, 11.5, 11, 10.5, 10, 9.5, 9), hug=True,
    )  # fmt: skip


def _glossary(story: Story) -> None:
    """Explain the terms that the deck uses, found by reading it."""
    used = " ".join(
        shape.text_frame.text.casefold()
        for page in story.pages
        for shape in page.slide.shapes
        if shape.has_text_frame
    )
    used += " ".join(
        cell.text_frame.text.casefold()
        for page in story.pages
        for shape in page.slide.shapes
        if shape.has_table
        for row in shape.table.rows
        for cell in row.cells
    )
    terms = [f for f in story.context.glossary if _occurs(f.label, used)]
    slides = -(-len(terms) // _TERMS_A_SLIDE)
    each = -(-len(terms) // max(slides, 1))
    for n in range(slides):
        part = terms[n * each : (n + 1) * each]
        more = f" ({n + 1} of {slides})" if slides > 1 else ""
        page = story.page(f"Words used in this deck{more}", notes=["Glossary of the report."])
        half = -(-len(part) // 2)
        blocks = [
            [
                line
                for f in own
                for line in (Line(f.label, bold=True, space=0.8), Line(f.value, space=0.1))
            ]
            for own in (part[:half], part[half:])
        ]
        page.columns(page.body, blocks, name="Terms", sizes=(13, 12, 11.5, 11, 10.5, 10, 9.5, 9))


def _occurs(term: str, text: str) -> bool:
    """Tell whether a text uses a term, by the first of the words that head its explanation."""
    first = re.split(r"[,(]", term.casefold())[0].strip()
    return re.search(rf"(?<!\w){re.escape(first)}s?(?!\w)", text) is not None
