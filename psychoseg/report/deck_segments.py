"""The slides on the segments: profiles, one persona each, what tells them apart, what to do.

Numbers of charts are those of ``Profiles``. Computes nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from psychoseg.plots.canvas import ink_on, shade
from psychoseg.profiles.figures import dividing_rows
from psychoseg.report import words
from psychoseg.report.deck_findings import (
    action_slides,
    driver_slides,
    job_slides,
    word_slides,
)
from psychoseg.report.deck_story import NAMED_HEADS, TONES, Story, answer, tint
from psychoseg.report.facts import Persona, tone
from psychoseg.report.slide_base import Box
from psychoseg.report.slide_charts import Bar, Track, both_ways, draw_bars, draw_tracks
from psychoseg.report.slide_parts import Page
from psychoseg.report.slide_tables import Entry, Grid
from psychoseg.report.slide_text import Line, ltr

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["segment_slides"]

#: A row of a frame, by column.
_Record = dict[Hashable, Any]

#: Lines in one chart, and scales side by side, that an eye can follow.
_TRACKS, _SCALES = 6, 9
#: Beyond this number of scales the ones that differ most are drawn.
_MOST_SCALES = 18
_DRIVERS = 7
#: Rows of the demographics on slides; the workbook has all.
_DEMOGRAPHICS = 26
_SHADE = (0.2, 0.5)


def segment_slides(story: Story) -> None:
    """Add the slides on the segments, in the order of the deck."""
    _heat_map(story)
    _snake(story)
    for card in story.personas:
        _persona(story, card)
    driver_slides(story)
    _demographics(story)
    job_slides(story)
    word_slides(story)
    action_slides(story)


def _scales(story: Story) -> pd.DataFrame:
    return dividing_rows(story.run.profiles.means, story.run.profiles.shares)


def _strongest(story: Story, variables: Sequence[str]) -> dict[str, object] | None:
    """Return the test row of the variable that differs most."""
    tests = story.run.profiles.tests
    rows = tests[tests["variable"].isin(list(variables)) & tests["strength"].notna()]
    if rows.empty:
        return None
    best = rows.sort_values("strength", ascending=False, kind="stable").to_dict("records")[0]
    return {str(k): v for k, v in best.items()}


def _heat_map(story: Story) -> None:
    means = _scales(story)
    if means.empty:
        return
    order = list(dict.fromkeys(means["variable"]))
    at = {(str(r["variable"]), int(r["segment"])): r for r in means.to_dict("records")}
    numbers = [p.number for p in story.personas]
    named = len(numbers) <= NAMED_HEADS
    top = max(1.0, float(np.nanmax(np.abs(means["z"].to_numpy(dtype=float)))))
    head = (
        Entry((Line("Mean", colour="muted"),)),
        Entry((Line("All", bold=True),), align="center"),
        *(story.head(s, named=named) for s in numbers),
    )
    rows = [story.bases()]
    for variable in order:
        first = at[variable, numbers[0]]
        row = [
            Entry((Line(str(first["label"])),)),
            Entry((Line(_value(first, "total"), colour="muted"),), align="center"),
        ]
        for s in numbers:
            r = at[variable, s]
            z = float(r["z"])
            fill = shade(z / top) if np.isfinite(z) else ""
            shown = story.shown(_value(r, "mean"), hidden=bool(r["hidden"]))
            ink = ink_on(fill) if fill else ""
            row.append(Entry((Line(shown, colour=ink),), fill, "center"))
        rows.append(tuple(row))
    label = 0.27 if named else 0.24
    part = (1 - label) / (len(numbers) + 1)
    best = _strongest(story, order)
    title = f"“{best['label']}” sets the segments apart most" if best else "Means by segment"
    story.tables(
        title,
        Grid(head, tuple(rows), (label, *(part,) * (len(numbers) + 1))),
        name="Means of the scales by segment",
        source=f"Base: {story.base_n}. Weighted means; blue: above everybody, orange: below, in "
        "standard deviations.",
        notes=[
            "Means, intervals and bases: tables.xlsx, sheet Scales. Colour: z, the segment's mean "
            "minus everybody's in standard deviations of all.",
            *(
                f"{at[v, s]['label']}, segment {s}: {_value(at[v, s], 'mean')} "
                f"({_interval(at[v, s])}), "
                f"n = {words.count(at[v, s]['base'])}."
                for v in order
                for s in numbers
            ),
        ],
        key=not named,
        most=8,
    )


def _value(row: _Record, column: str) -> str:
    """Return a mean, or a share where the row is one."""
    return (words.percent if row["is_share"] else words.number)(row[column])


def _interval(row: _Record) -> str:
    shown = words.percent_interval if row["is_share"] else words.interval
    return shown(row["low"], row["high"])


def _snake(story: Story) -> None:
    means = _scales(story)
    order = list(dict.fromkeys(means["variable"]))
    if len(order) < 2:
        return
    more_scales = len(order) > _MOST_SCALES
    if more_scales:
        tests = story.run.profiles.tests
        strength = dict(zip(tests["variable"], tests["strength"].fillna(0.0), strict=True))
        best = sorted(order, key=lambda v: -strength.get(v, 0.0))[:_MOST_SCALES]
        order = [v for v in order if v in best]
    at = {(str(r["variable"]), int(r["segment"])): r for r in means.to_dict("records")}
    known = means["z"].to_numpy(dtype=float)
    most = max(0.5, float(np.ceil(np.nanmax(np.abs(known)) * 2) / 2))
    parts = -(-len(order) // _SCALES)
    wide = -(-len(order) // parts)
    cards = list(story.personas)
    groups = -(-len(cards) // _TRACKS)
    several = -(-len(cards) // groups)
    for i in range(0, len(order), wide):
        for j in range(0, len(cards), several):
            shown, own = order[i : i + wide], cards[j : j + several]
            more = f", segments {own[0].number} to {own[-1].number}" if groups > 1 else ""
            more += f" ({i // wide + 1} of {parts})" if parts > 1 else ""
            left_out = " The scales that differ most." if more_scales else ""
            _snake_slide(story, shown, own, at, most, more, left_out)


def _snake_slide(
    story: Story, order: Sequence[str], cards: Sequence[Persona],
    at: dict[tuple[str, int], _Record],
    most: float, more: str, left_out: str,
) -> None:  # fmt: skip
    spread = {
        v: [(float(at[v, c.number]["z"]), c) for c in cards if np.isfinite(at[v, c.number]["z"])]
        for v in order
    }
    title = "Where the segments stand above and below everybody"
    ranges = {v: max(z)[0] - min(z)[0] for v, z in _keyed(spread).items() if len(z) > 1}
    if ranges:
        widest = max(ranges, key=lambda v: ranges[v])
        pairs = sorted(spread[widest], key=lambda p: p[0])
        label = at[widest, cards[0].number]["label"]
        title = (
            f"Segments {pairs[-1][1].number} and {pairs[0][1].number} are farthest apart on "
            f"“{label}”"
        )
    page = story.page(
        title + more,
        source=f"Base: {story.base_n}. 0 is everybody's mean; in standard deviations of all."
        + left_out,
        notes=[
            "Lines: column z of tables.xlsx, sheet Scales.",
            *(
                f"{at[v, c.number]['label']}, segment {c.number}: z "
                f"{words.signed(at[v, c.number]['z'])}, n = {words.count(at[v, c.number]['base'])}."
                for c in cards
                for v in order
            ),
        ],
    )
    tracks = [
        Track(f"{c.number} {c.name}", tuple(float(at[v, c.number]["z"]) for v in order), c.colour)
        for c in cards
    ]
    box, side = page.body.part(0, 0, 0.77, 1), page.body.part(0.785, 0, 0.215, 1)
    inner = draw_tracks(
        page,
        box, [str(at[v, cards[0].number]["label"]) for v in order], tracks, below=0.17,
        name="Snake plot", limits=(-most, most),
        description=f"Line chart of z by scale, a line a segment. {title}.",
    )  # fmt: skip
    # Names stand beside the ends of their lines, pushed apart where they would touch.
    ends = [next((z for z in reversed(t.values) if np.isfinite(z)), 0.0) for t in tracks]
    tall = min(58.0, inner.height / len(cards))
    tops = _spread([inner.top + (most - z) / (2 * most) * inner.height for z in ends], tall,
                   box.top, box.bottom)  # fmt: skip
    for card, y in zip(cards, tops, strict=True):
        page.badge(side.left, y - 10, card.number, across=20)
        page.text(
            Box(side.left + 27, y - tall / 2, side.width - 27, tall), [Line(card.name)],
            name=f"Name of segment {card.number}", sizes=(11, 10.5, 10, 9.5, 9), anchor="middle",
        )  # fmt: skip


def _keyed(spread: dict[str, list[tuple[float, Persona]]]) -> dict[str, list[tuple[float, int]]]:
    return {v: [(z, c.number) for z, c in pairs] for v, pairs in spread.items()}


def _spread(centres: list[float], tall: float, top: float, bottom: float) -> list[float]:
    """Place labels of one height as near to their centres as they can stand without touching."""
    order = sorted(range(len(centres)), key=lambda i: centres[i])
    placed = list(centres)
    floor = top
    for i in order:
        placed[i] = max(placed[i], floor + tall / 2)
        floor = placed[i] + tall / 2
    ceiling = bottom
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling - tall / 2)
        ceiling = placed[i] - tall / 2
    return placed


def _persona(story: Story, card: Persona) -> None:
    profiles = story.run.profiles
    drivers = profiles.drivers
    own = drivers[drivers["segment"] == card.number].sort_values("rank").head(_DRIVERS)
    page = story.page(
        f"{ltr(card.name)}: {card.share} {'people' if card.share == words.FEW else 'of people'}",
        source=f"Segment {card.number}. Base: {card.base}. Bars: difference from everybody else in "
        "standard deviations (Cohen's d, of shares h).",
        notes=[
            f"Size: {card.share}{_size_interval(card)}, {card.base} (tables.xlsx, sheet Segments).",
            *(
                f"{r['text']} (effect {words.signed(r['effect'])}, n = {int(r['base']):,}; "
                f"tables.xlsx, sheet {'Scales' if r['kind'] == 'scale' else 'Drivers'})."
                for r in own.to_dict("records")
            ),
            *(s.text for s in (*card.portrait, *card.is_not)),
        ],
    )
    body = page.body
    left, right = body.part(0, 0, 0.345, 1), body.part(0.38, 0, 0.62, 1)
    page.text(
        Box(left.left, left.top, left.width, 66),
        [
            Line(card.share, bold=True, colour=card.ink, scale=2.5),
            Line(f"{_size_interval(card)}  ·  {card.base}".strip(" ,·"), colour=card.ink),
        ],
        name="Size", fill=card.colour, pad=10, sizes=(11, 10.5, 10, 9), anchor="middle",
    )  # fmt: skip
    portrait = " ".join(s.text for s in card.portrait) or card.headline
    is_not = " ".join(s.text for s in card.is_not)
    least = 74.0 if is_not else 0.0
    told = page.text(
        Box(left.left, left.top + 82, left.width, left.height - 82 - least - (12 if least else 0)),
        [Line("Portrait", bold=True), Line(portrait, space=0.25)],
        name="Portrait", sizes=(14, 13.5, 13, 12.5, 12, 11.5, 11, 10.5, 10), hug=True,
    )  # fmt: skip
    if is_not:
        top = told.bottom + 14
        page.text(
            Box(left.left, top, left.width, min(left.bottom - top, 130)),
            [Line("What it is not", bold=True), Line(is_not, space=0.2)],
            name="What it is not", fill="panel", pad=10, hug=True,
            sizes=(13, 12.5, 12, 11.5, 11, 10.5, 10, 9.5, 9),
        )  # fmt: skip
    columns = _persona_columns(card)
    below = 152.0 if columns else 0.0
    page.text(
        Box(right.left, right.top, right.width, 18),
        [Line("What sets it apart from everybody else", bold=True)],
        name="Heading of the chart", sizes=(12.5, 12, 11),
    )  # fmt: skip
    chart = Box(right.left, right.top + 22, right.width, right.height - 22 - below)
    _driver_bars(page, chart, own, card)
    if columns:
        foot = Box(right.left, right.bottom - below + 8, right.width, below - 8)
        blocks = [[Line(label, bold=True, scale=1.06), *lines] for label, lines in columns]
        page.columns(foot, blocks, name="What else", sizes=(11.5, 11, 10.5, 10, 9.5, 9), gap=16)


def _size_interval(card: Persona) -> str:
    return f", 95% interval {card.share_interval}" if card.share_interval else ""


def _persona_columns(card: Persona) -> list[tuple[str, list[Line]]]:
    columns: list[tuple[str, list[Line]]] = []
    if card.typical:
        said = [Line(answer(f.label, f.value), space=0.2) for f in card.typical[:7]]
        columns.append(("Typical answers", said))
    sure = [
        Line(t, space=0.25)
        for t in (card.sure or f"{card.stability.capitalize()}. {card.stability_meaning}",)
    ]
    if not card.unassigned:
        sure.append(Line(f"Jaccard {card.jaccard}: {card.stability}", colour="muted", space=0.25))
    columns.append(("How sure", sure))
    best = [a for a in card.actions if a.fits] or list(card.actions[:1])
    if best:
        lines = []
        for action in best[:3]:
            lines.append(Line(action.name, bold=True, space=0.3))
            lines.append(Line(action.reason, colour="muted", scale=0.92))
        found = best[0].fits or best[0].in_part
        columns.append(("What to do" if found else "No offer suits; nearest", lines))
    if card.words and len(columns) < 3:
        columns.append(("In their words", [Line(card.words, space=0.25)]))
    return columns


def _driver_bars(page: Page, box: Box, own: pd.DataFrame, card: Persona) -> None:
    if own.empty:
        page.text(box, [Line("Nothing sets it apart from everybody else.", colour="muted")],
                  name="No drivers")  # fmt: skip
        return
    bars = []
    for r in own.to_dict("records"):
        category = r["kind"] == "category"
        show = words.percent if category else words.number
        label = answer(str(r["label"]), str(r["category"])) if category else str(r["label"])
        colour = card.colour if r["effect"] > 0 else tint(card.colour)
        shown = f"{show(r['value'])}  (all {show(r['total'])})"
        bars.append(Bar(label, float(r["effect"]), shown, colour))
    draw_bars(
        page,
        Box(box.left, box.top, box.width, min(box.height, 34.0 * len(bars) + 8)), bars,
        name="Drivers", series="Difference from everybody else (SD)", labels=0.38,
        limits=both_ways([b.value for b in bars], 0.61 * box.width, 92.0), size=10.5,
        description=f"Bar chart of what sets segment {card.number}, {card.name}, apart: "
        + "; ".join(f"{b.label} {b.shown}" for b in bars),
    )  # fmt: skip


def _demographics(story: Story) -> None:
    shares, means = story.run.profiles.shares, story.run.profiles.means
    numbers = [p.number for p in story.personas]
    tests = story.run.profiles.tests
    strength = dict(zip(tests["variable"], tests["strength"], strict=True))
    book = story.run.survey.codebook
    numeric = means[means["kind"] == "numeric"]
    found: list[tuple[float, str, pd.DataFrame]] = [
        (float(strength.get(v, 0.0)), "mean", part)
        for v, part in numeric.groupby("variable", sort=False)
    ]
    options = {str(v.block): n for n, v in book.items() if v.kind == "choice"}
    found += [
        (float(strength.get(v) or strength.get(options.get(str(v), "")) or 0.0), "share", part)
        for v, part in shares.groupby("variable", sort=False)
    ]
    if not found:
        return
    found.sort(key=lambda f: -f[0] if np.isfinite(f[0]) else 0.0)
    named = len(numbers) <= NAMED_HEADS
    head = (
        Entry((Line("Share or mean, letters, index or SD", colour="muted"),)),
        Entry((Line("All", bold=True),), align="center"),
        *(story.head(s, named=named) for s in numbers),
    )
    rows: list[tuple[Entry, ...]] = [story.bases()]
    groups: set[int] = set()
    for _, column, part in found:
        if len(rows) >= _DEMOGRAPHICS:
            break
        label = str(part["label"].iloc[0])
        if column == "share":
            groups.add(len(rows))
            rows.append(
                (Entry((Line(label, bold=True),)), *(Entry(()) for _ in range(len(numbers) + 1)))
            )
        for category, lines in part.groupby("category" if column == "share" else "variable",
                                            sort=False):  # fmt: skip
            by = {int(r["segment"]): r for r in lines.to_dict("records")}
            text = f"{category}" if column == "share" else f"{label} (mean)"
            rows.append(_demographic(story, text, column, by, numbers))
    best = max((f for f in found if f[1] == "share"), key=lambda f: f[0], default=found[0])
    story.tables(
        f"Of all that describes them, “{best[2]['label'].iloc[0]}” differs most",
        Grid(
            head,
            tuple(rows),
            (0.25, *((0.75) / (len(numbers) + 1),) * (len(numbers) + 1)),
            frozenset(groups),
        ),
        name="Who the segments are",
        source="Letters: significantly higher than that column (a at 5%, A at 0.1%); A is segment "
        f"1 ({words.letters_words(story.run.study.profiles)}). Small: index, 100 is everybody; of "
        "what has no true zero, the difference from all in standard deviations.",
        notes=[
            "Shares and means are weighted; bases, intervals and tests: tables.xlsx, sheets "
            "Numeric and those of the categories.",
            f"“{story.hidden}”: fewer people than may be shown.",
            words.MADE_OF,
        ],
        most=3,
        key=not named,
    )


def _demographic(
    story: Story, text: str, column: str, by: dict[int, _Record], numbers: Sequence[int]
) -> tuple[Entry, ...]:
    show = words.percent if column == "share" else words.number
    total = next((r["total"] for r in by.values()), float("nan"))
    row = [
        Entry((Line(text),)),
        Entry((Line(show(total), colour="muted"),), align="center"),
    ]
    for s in numbers:
        r = by.get(s)
        if r is None:
            row.append(Entry(()))
            continue
        shown = story.shown(show(r[column]), hidden=bool(r["hidden"]))
        letters = "" if r["hidden"] else str(r["letters"])
        kind = tone(float(r["effect"]), *_SHADE)
        fill = shade(TONES[kind]) if kind else ""
        ink = ink_on(fill) if fill else ""
        index = float(r["index"])
        small = words.count(round(index)) if np.isfinite(index) else ""
        if not small and np.isfinite(float(r.get("z", np.nan))):
            small = f"{words.signed(r['z'])} SD"
        lines = [Line(f"{shown} {letters}".strip(), colour=ink)]
        if small:
            lines.append(Line(small, colour=ink or "muted", scale=0.8))
        row.append(Entry(tuple(lines), fill, "center"))
    return tuple(row)
