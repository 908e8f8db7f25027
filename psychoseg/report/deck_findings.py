"""The slides on what tells the segments apart, what people want, what they say, what to do.

Numbers of charts are those of ``Profiles``. Computes nothing.
"""

from __future__ import annotations

from psychoseg.plots.canvas import HIGH_COLOUR, ink_on, shade
from psychoseg.profiles.actions import suits_in_part
from psychoseg.report import words
from psychoseg.report.deck_story import NAMED_HEADS, Story
from psychoseg.report.slide_base import Box
from psychoseg.report.slide_charts import Bar, both_ways, draw_bars
from psychoseg.report.slide_tables import Entry, Grid
from psychoseg.report.slide_text import Line

__all__ = ["action_slides", "driver_slides", "job_slides", "word_slides"]

_IMPORTANT = 12
#: Points from which a bar has room for its interval.
_WIDE_ENOUGH = 520
#: Scores from which there is an opening, and a wide one: Ulwick (2005), What Customers Want.
_OPENING, _WIDE = 10, 15


def driver_slides(story: Story) -> None:
    """Add importance and rules: which variables tell the segments apart."""
    drivers, importance = story.context.drivers, story.run.profiles.importance
    if importance.empty:
        return
    rows = importance.sort_values("rank").head(_IMPORTANT).to_dict("records")
    said = drivers.accuracy if drivers else ()
    page = story.page(
        f"“{rows[0]['label']}” tells the segments apart best",
        source=f"Base: {story.base_n}. Bars: share of held-out people put into the wrong segment "
        "when the answers are shuffled; 95% interval.",
        notes=[
            *(f"{f.label}: {f.value}. {f.note}" for f in said),
            *(f"{r['label']}: {words.number(r['importance'])} "
              f"({words.interval(r['low'], r['high'])})." for r in rows),
            "Table: tables.xlsx, sheet Importance.",
        ],
    )  # fmt: skip
    box = page.body.part(0, 0, 0.66, 1) if said else page.body
    # On a narrow slide the intervals stand in the notes alone.
    wide = box.width >= _WIDE_ENOUGH
    bars = [
        Bar(
            str(r["label"]),
            float(r["importance"]),
            words.number(r["importance"])
            + (f"  ({words.interval(r['low'], r['high'])})" if wide else ""),
            HIGH_COLOUR if r["role"] in ("scale", "active") else "#7C8794",
        )
        for r in rows
    ]
    draw_bars(
        page,
        Box(box.left, box.top, box.width, min(box.height, 46.0 * len(bars) + 8)), bars,
        series="Importance", name="Importance", labels=0.36, size=11,
        limits=both_ways([b.value for b in bars], 0.62 * box.width, 125.0 if wide else 45.0),
        description="Bar chart of which variables tell the segments apart: "
        + "; ".join(f"{b.label} {b.shown}" for b in bars),
    )  # fmt: skip
    if said:
        lines = []
        for fact in said:
            lines.append(Line(fact.label, bold=True, space=0.9))
            lines.append(Line(fact.value, space=0.15))
            lines.append(Line(fact.note, colour="muted", scale=0.9))
        lines.append(Line("Blue: made the segments. Grey: describes them.", space=1.0))
        page.text(page.body.part(0.7, 0, 0.3, 1), lines, name="Accuracy", fill="panel", pad=16,
                  sizes=(13, 12, 11, 10.5, 10), hug=True)  # fmt: skip
    _rules(story)


def job_slides(story: Story) -> None:
    """Add the opportunity scores, where there are jobs."""
    jobs = story.run.profiles.jobs
    if jobs.empty:
        return
    known = jobs[jobs["opportunity"].notna()]
    title = "What people want done, and how well it is done today"
    if len(known):
        best = known.sort_values("opportunity", ascending=False, kind="stable").to_dict("records")[
            0
        ]
        who = story.name(int(best["segment"]), 34) if best["segment"] else "everybody"
        title = f"The largest opening: “{best['label']}”, for {who}"
    numbers = [0, *(p.number for p in story.personas)]
    named = len(numbers) - 1 <= NAMED_HEADS
    head = (
        Entry((Line("Opportunity score (importance / satisfaction)", colour="muted"),)),
        Entry((Line("All", bold=True),), align="center"),
        *(story.head(s, named=named) for s in numbers[1:]),
    )
    rows = []
    for _, part in jobs.groupby("job", sort=False):
        by = {int(r["segment"]): r for r in part.to_dict("records")}
        first = part.to_dict("records")[0]
        row = [Entry((Line(str(first["label"]), bold=first["kind"] == "job"),))]
        for s in numbers:
            r = by.get(s)
            if r is None or r["hidden"]:
                row.append(Entry((Line(story.shown("", hidden=r is not None)),),
                                 align="center"))  # fmt: skip
                continue
            depth = 0.62 if r["opportunity"] >= _WIDE else 0.28
            fill = shade(depth) if r["opportunity"] >= _OPENING else ""
            small = f"{r['importance']:.1f}/{r['satisfaction']:.1f}"
            ink = ink_on(fill) if fill else ""
            row.append(
                Entry(
                    (
                        Line(f"{r['opportunity']:.1f}", bold=True, colour=ink),
                        Line(small, colour=ink or "muted", scale=0.8),
                    ),
                    fill,
                    "center",
                )
            )
        rows.append(tuple(row))
    story.tables(
        title,
        Grid(head, tuple(rows), (0.27, *(0.73 / len(numbers),) * len(numbers))),
        name="Opportunity scores by segment",
        source=f"Base: {story.base_n}. From 10 an opening, from 15 a wide one (Ulwick 2005); "
        "shares of the upper two answers times 10.",
        notes=["Scores, intervals and bases: tables.xlsx, sheet Jobs."],
        key=not named,
    )


def word_slides(story: Story) -> None:
    """Add the distinctive words, where there are open questions."""
    found = story.run.profiles.words
    if found.empty:
        return
    for label, part in found.groupby("label", sort=False):
        rows = []
        for card in story.personas:
            own = part[(part["segment"] == card.number) & ~part["hidden"].astype(bool)]
            said = [
                f"{r['word']} ({words.percent(r['share'])}, others {words.percent(r['rest'])})"
                for r in own.sort_values("rank").to_dict("records")[:8]
            ]
            rows.append(
                (
                    story.head(card.number, named=False),
                    Entry((Line(card.name, bold=True),)),
                    Entry((Line(", ".join(said) or "No word stands out."),)),
                )
            )
        head = tuple(
            Entry((Line(t, bold=True, colour="muted"),))
            for t in ("", "Segment", "Words it uses more than the others")
        )
        story.tables(
            f"In their own words: “{label}”",
            Grid(head, tuple(rows), (0.04, 0.26, 0.7)),
            name=f"Distinctive words: {label}",
            source="Weighted log-odds against the other segments (Monroe, Colaresi and Quinn "
            "2008); in brackets: share of those who answered.",
            notes=["Log-odds and bases: tables.xlsx, sheet Words."],
        )


def action_slides(story: Story) -> None:
    """Add which offer suits whom, where there are offers."""
    actions = story.run.profiles.actions
    if actions.empty:
        return
    rows: list[tuple[Entry, ...]] = []
    suited = int(actions[actions["fits"].astype(bool)]["action"].nunique())
    for card in story.personas:
        own = actions[actions["segment"] == card.number].sort_values("rank").to_dict("records")
        fits = [r for r in own if r["fits"]]
        for i, r in enumerate(fits[:3] or own[:1]):
            first = i == 0
            rows.append(
                (
                    story.head(card.number, named=False),
                    Entry((Line(card.name if first else "", bold=True),)),
                    Entry((Line(str(r["action"]), bold=bool(r["fits"])),)),
                    Entry((Line(words.sentence(str(r["reason"])), colour="muted"),)),
                    Entry((Line(_verdict(float(r["score"]), fits=bool(r["fits"]))),)),
                )
            )
    head = tuple(
        Entry((Line(t, bold=True, colour="muted"),))
        for t in ("", "Segment", "Offer", "Why", "Verdict")
    )
    total = int(actions["action"].nunique())
    story.tables(
        f"{suited} of {words.plural(total, 'offer')} suit at least one segment",
        Grid(head, tuple(rows), (0.04, 0.22, 0.25, 0.37, 0.12)),
        name="What to do, by segment",
        source="The study file says what each offer asks for; the segment's means and shares say "
        "how far it has it.",
        notes=["Every offer and its score: tables.xlsx, sheet Actions."],
    )


def _rules(story: Story) -> None:
    rules = story.run.profiles.rules
    if rules.empty:
        return
    rows = []
    for r in rules.sort_values(["segment", "rank"]).to_dict("records"):
        head = story.head(int(r["segment"]), named=False)
        rows.append(
            (
                head,
                Entry((Line(story.name(int(r["segment"])).strip("“”"), bold=True),)),
                Entry((Line(words.sentence(str(r["rule"]))),)),
                Entry((Line(words.percent(r["share"])),), align="right"),
                Entry((Line(words.percent(r["precision"])),), align="right"),
                Entry((Line(f"{int(r['base']):,}"),), align="right"),
            )
        )
    heads = ("", "Segment", "Rule", "Finds of it", "Is right", "Base (n)")
    head_row = tuple(
        Entry((Line(t, bold=True, colour="muted"),), align="right" if i > 2 else "left")
        for i, t in enumerate(heads)
    )
    story.tables(
        "A few questions find the segments again",
        Grid(head_row, tuple(rows), (0.04, 0.23, 0.43, 0.1, 0.1, 0.1)),
        name="Rules of a shallow decision tree",
        source="“Finds”: share of the segment that the rule catches. “Is right”: of those caught, "
        "how many are of it.",
        notes=["Table: tables.xlsx, sheet Rules."],
    )


def _verdict(score: float, *, fits: bool) -> str:
    if fits:
        return "suits"
    return "suits in part" if suits_in_part(score, fits=fits) else "does not suit"
