"""The persona cards: what each says about its segment; computes nothing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psychoseg.plots import ink_on, segment_colour
from psychoseg.profiles.actions import suits_in_part
from psychoseg.report import words
from psychoseg.report.facts import (
    ActionLine,
    DriverLine,
    Fact,
    Persona,
    Quotes,
    Sentence,
    cell_anchor,
)

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["persona_cards"]

#: Words of open answers that a card names; all are in the table of words.
WORDS_SHOWN = 6

_Ends = tuple[float, float]


def persona_cards(run: Run) -> tuple[Persona, ...]:
    """Return a card for each segment, in the order of their numbers."""
    profiles = run.profiles
    lines = _Drivers(run)
    sizes = {int(r["segment"]): r for r in run.segments.table.to_dict("records")}
    weighted = run.survey.weight_kind != "none"
    out = []
    for row in profiles.personas.sort_values("segment").to_dict("records"):
        number = int(row["segment"])
        size = sizes[number]
        own = profiles.drivers[profiles.drivers["segment"] == number].sort_values("rank")
        drivers = own.to_dict("records")
        shown = [
            (
                str(d["kind"]),
                lines.line(
                    number,
                    str(d["variable"]),
                    str(d["category"]) if d["kind"] == "category" else None,
                    label=str(d["label"]),
                    value=float(d["value"]),
                    total=float(d["total"]),
                    effect=float(d["effect"]),
                    size=str(d["size"]),
                    base=float(d["base"]),
                    text=str(d["text"]),
                ),
            )
            for d in drivers
        ]
        named = {d["variable"] for d in drivers}
        others = [
            str(s["label"]) for s in run.scales.table.to_dict("records") if s["scale"] not in named
        ]
        left_out = number == run.segments.unassigned
        level, band, meaning = words.stability_band(float(size["jaccard"]))
        if left_out:
            level, band, meaning = 0, "no segment", "These people fit no segment."
        typical = _of(profiles.typical, number).to_dict("records")
        actions = _actions(profiles.actions, number)
        colour = segment_colour(number)
        share = float(row["share"])
        suggested = str(row["suggested"])
        out.append(
            Persona(
                number=number,
                colour=colour,
                ink=ink_on(colour),
                name=str(row["name"]),
                unassigned=left_out,
                suggested=suggested if suggested != str(row["name"]) else "",
                share=words.percent(share) if np.isfinite(share) else words.FEW,
                share_interval=words.percent_interval(size["share_low"], size["share_high"])
                if np.isfinite(size["share_low"])
                else "",
                base=str(row["people"])
                + (
                    f", weighted {words.count(row['weighted'])}"
                    if weighted and np.isfinite(row["weighted"])
                    else ""
                ),
                share_width=round(100 * float(np.nan_to_num(share)), 2),
                headline=(
                    "These people fit no segment"
                    if left_out
                    else str(drivers[0]["text"])
                    if drivers
                    else ""
                ),
                psychographic=tuple(line for kind, line in shown if kind == "scale"),
                demographic=tuple(line for kind, line in shown if kind != "scale"),
                less_distinctive=", ".join(others),
                typical=tuple(Fact(str(t["label"]), str(t["value"])) for t in typical),
                jaccard=words.number(size["jaccard"]),
                stability_level=level,
                stability=band,
                stability_meaning=meaning,
                portrait=_sentences(profiles.facts, number, "portrait"),
                is_not=_sentences(profiles.facts, number, "is_not"),
                sure="" if left_out else _sure(size, band, run.study.profiles.min_base),
                best=_best(actions),
                actions=actions,
                typical_note=_typical_note(profiles.typical, number),
                words=_words(profiles.words, number),
                quotes=_quotes(profiles.quotes, profiles.words, number),
            )
        )
    return tuple(out)


def _of(table: pd.DataFrame, segment: int) -> pd.DataFrame:
    return table if table.empty else table[table["segment"] == segment]


def _sentences(facts: pd.DataFrame, segment: int, part: str) -> tuple[Sentence, ...]:
    if facts.empty:
        return ()
    own = _of(facts, segment)
    rows = own[own["part"] == part].sort_values("rank").to_dict("records")
    return tuple(Sentence(str(r["text"]), _anchor(r, segment)) for r in rows)


def _anchor(fact: Mapping[Hashable, object], segment: int) -> str:
    if fact["table"] == "personas":  # a segment's size, which has one cell
        return cell_anchor("personas", "", "", segment)
    return cell_anchor(str(fact["table"]), str(fact["variable"]), str(fact["category"]), segment)


def _sure(size: Mapping[object, object], band: str, least: int) -> str:
    """Say how sure a segment and its people are, as far as it was measured."""
    jaccard, certainty, border = (
        float(size[c])  # type: ignore[arg-type]
        for c in ("jaccard", "certainty", "border_share")
    )
    said = []
    if not float(size["n"]) >= least:  # type: ignore[arg-type]
        return f"Fewer than {least} people."
    if np.isfinite(jaccard):
        said.append(f"Jaccard {words.number(jaccard)}, {band}.")
    if np.isfinite(certainty):
        said.append(
            f"On average {words.percent(certainty)} of resamples put its people here again."
        )
    if np.isfinite(border):
        said.append(f"{words.percent(border)} of them stand on a border to another segment.")
    return " ".join(said) or "Not measured."


def _actions(actions: pd.DataFrame, segment: int) -> tuple[ActionLine, ...]:
    if actions.empty:
        return ()
    return tuple(
        ActionLine(
            str(r["action"]),
            bool(r["fits"]),
            words.sentence(str(r["reason"])),
            round(100 * float(np.nan_to_num(r["score"])), 1),
            suits_in_part(float(r["score"]), fits=bool(r["fits"])),
        )
        for r in _of(actions, segment).sort_values("rank").to_dict("records")
    )


def _best(actions: tuple[ActionLine, ...]) -> str:
    if not actions:
        return ""
    found = [a.name for a in actions if a.fits] + [
        f"{a.name} (in part)" for a in actions if a.in_part
    ]
    return found[0] if found else "None of the offers suits them"


def _typical_note(typical: pd.DataFrame, segment: int) -> str:
    own = _of(typical, segment)
    if own.empty:
        return ""
    return (
        f"The middle or most frequent answers of the {words.count(own['base'].max())} people "
        "nearest its centre."
    )


def _words(found: pd.DataFrame, segment: int) -> str:
    if found.empty:
        return ""
    own = _of(found, segment)
    own = own[~own["hidden"]].sort_values(["rank", "variable"])
    return ", ".join(dict.fromkeys(str(w) for w in own["word"].head(WORDS_SHOWN)))


def _quotes(quotes: pd.DataFrame, found: pd.DataFrame, segment: int) -> tuple[Quotes, ...]:
    if quotes.empty:
        return ()
    told = _of(found, segment)
    telling = set() if told.empty else set(told.loc[~told["hidden"], "variable"])
    return tuple(
        Quotes(str(own["label"].iloc[0]), tuple(map(str, own["text"])), variable not in telling)
        for variable, own in _of(quotes, segment).groupby("variable", sort=False)
    )


class _Drivers:
    """Looks up what a driver's row does not hold: its interval, and the ends of its bar."""

    def __init__(self, run: Run) -> None:
        self._intervals: dict[tuple[int, str, str], _Ends] = {}
        means = run.profiles.means
        for r in means.to_dict("records"):
            self._intervals[int(r["segment"]), str(r["variable"]), ""] = r["low"], r["high"]
        for r in run.profiles.shares.to_dict("records"):
            key = int(r["segment"]), str(r["variable"]), str(r["category"])
            self._intervals[key] = r["low"], r["high"]
        self._ends: dict[str, _Ends] = {}
        book = run.survey.codebook
        for scale, items in run.scales.items.groupby("scale"):
            variables = [book[i] for i in items["item"] if i in book]
            known = [e for v in variables for e in (v.low, v.high) if e is not None]
            if scale and known:
                self._ends[str(scale)] = (min(known), max(known))
        for variable, rows in means.groupby("variable"):
            values = rows[["mean", "total", "low", "high"]].to_numpy(dtype=float)
            values = values[np.isfinite(values)]
            if str(variable) not in self._ends and len(values):
                # A quantity's bar starts at zero, or its length would mislead.
                self._ends[str(variable)] = (min(float(values.min()), 0.0), float(values.max()))

    def line(
        self,
        segment: int,
        variable: str,
        category: str | None,
        *,
        label: str,
        value: float,
        total: float,
        effect: float,
        size: str,
        base: float,
        text: str,
    ) -> DriverLine:
        """Return a driver as it is printed: a share where there is a category, else a mean."""
        low, high = self._intervals.get((segment, variable, category or ""), (np.nan, np.nan))
        show = words.number if category is None else words.percent
        between = words.interval if category is None else words.percent_interval
        ends = self._ends.get(variable, (0.0, 1.0)) if category is None else (0.0, 1.0)
        return DriverLine(
            label=label if category is None else f"{label}: {category}",
            value=show(value),
            interval=between(low, high),
            total=show(total),
            effect=words.signed(effect),
            size=size,
            base=f"n = {words.count(base)}",
            text=text,
            fill=_place(value, ends),
            tick=_place(total, ends),
            above=effect > 0,
        )


def _place(value: float, ends: _Ends) -> float:
    if not np.isfinite(value) or ends[1] <= ends[0]:
        return 0.0
    return round(min(max(100 * (value - ends[0]) / (ends[1] - ends[0]), 0.0), 100.0), 2)
