"""One run as ready-to-print facts, the same for every format; computes nothing and knows no markup.

Everything here is text, or a number between 0 and 100 for the length of a bar. Templates print it as it is, and
tests check it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psychoseg.plots import ink_on, segment_colour
from psychoseg.report import words
from psychoseg.report.glossary import GLOSSARY

if TYPE_CHECKING:
    from psychoseg.runs import Run

__all__ = [
    "Cell",
    "DriverLine",
    "Fact",
    "FigureText",
    "Notice",
    "Persona",
    "ReportContext",
    "Row",
    "ScaleBlock",
    "Table",
    "Verdict",
    "build_context",
]

#: Segments side by side in one table: six columns of numbers fit a page.
SEGMENTS_A_TABLE = 5
#: Distinct reasons of one stage beyond which reasons that differ in their numbers alone are counted together.
MAX_REASONS = 8
#: Below this reliability a scale is marked (Nunnally 1978, Psychometric Theory, 2nd ed., p. 245).
LOW_ALPHA = 0.7
#: z beyond which a cell of a profile table is shaded, and shaded fully.
SHADE, DEEP_SHADE = 0.2, 0.5


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what it says, with a note under it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table; ``tone`` is "", "high", "higher", "low", "lower" or "mark"."""

    text: str
    note: str = ""
    tone: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A row; its first cell is its heading. ``kind`` is "", "group" or "chosen"."""

    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: columns after the first hold numbers unless ``text_columns`` names them."""

    caption: str
    head: tuple[Cell, ...]
    rows: tuple[Row, ...]
    note: str = ""
    text_columns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the segments may be trusted; ``tone`` is "good" or "caution"."""

    kind: str
    tone: str
    headline: str
    reason: str
    meaning: str


@dataclass(frozen=True, slots=True)
class DriverLine:
    """One thing that sets a segment apart; ``fill`` and ``tick`` run from 0 to 100."""

    label: str
    value: str
    interval: str
    total: str
    effect: str
    size: str
    base: str
    text: str
    fill: float
    tick: float
    above: bool


@dataclass(frozen=True, slots=True)
class Persona:
    """A segment's card."""

    number: int
    colour: str
    ink: str
    name: str
    suggested: str
    share: str
    share_interval: str
    base: str
    share_width: float
    headline: str
    psychographic: tuple[DriverLine, ...]
    demographic: tuple[DriverLine, ...]
    less_distinctive: str
    typical: tuple[Fact, ...]
    jaccard: str
    stability_level: int
    stability: str
    stability_meaning: str


@dataclass(frozen=True, slots=True)
class ScaleBlock:
    """A scale with its items; ``low_alpha`` marks a weak one."""

    label: str
    alpha: str
    alpha_interval: str
    low_alpha: bool
    facts: str
    question: str
    items: Table


@dataclass(frozen=True, slots=True)
class FigureText:
    """What a figure is called, and what it shows in words."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning and the stage it came from."""

    stage: str
    message: str


@dataclass(frozen=True, slots=True)
class ReportContext:
    """Everything a report prints."""

    title: str
    description: str
    population: str
    source: str
    verdict: Verdict
    key_numbers: tuple[Fact, ...]
    personas: tuple[Persona, ...]
    people: Table
    set_aside: Table | None
    weighting: str
    sample: Table | None
    scales_method: str
    factors_text: str
    kmo_text: str
    scales: tuple[ScaleBlock, ...]
    eigenvalues: Table
    factors: Table
    k_rule: str
    choice: Table
    tree_text: str
    map_text: str
    components_rule: str
    axes: Table
    profile_means: tuple[Table, ...]
    profile_shares: tuple[Table, ...]
    tests: Table
    agreement: Table | None
    warnings: tuple[Notice, ...]
    method: tuple[Fact, ...]
    loadings: Table
    factor_correlations: Table | None
    settings: str
    versions: tuple[Fact, ...]
    inputs: tuple[Fact, ...]
    glossary: tuple[Fact, ...]
    figures: Mapping[str, FigureText]


def build_context(run: Run) -> ReportContext:
    """Gather what a report says about a run.

    Parameters
    ----------
    run : Run

    Returns
    -------
    ReportContext
        Labels, not names; no respondent's id; no time of day, so that one input gives one report.

    Notes
    -----
    Percentages are whole, other numbers have at most two decimals. Intervals are at 95%.
    """
    study, scales, segments = run.study.study, run.scales, run.segments
    personas = _personas(run)
    n_features = len(segments.features)
    return ReportContext(
        title=study.title,
        description=study.description,
        population=study.population,
        source=study.source,
        verdict=_verdict(run),
        key_numbers=_key_numbers(run),
        personas=personas,
        people=_people(run),
        set_aside=_set_aside(run),
        weighting=_weighting(run),
        sample=_sample(run),
        scales_method=words.sentence(scales.method),
        factors_text=_factors_text(run),
        kmo_text=(
            f"The items hang together well enough for a factor analysis to the degree that Kaiser calls "
            f"{words.kmo_words(scales.kmo)} (KMO {words.number(scales.kmo)}, on "
            f"{words.plural(len(scales.corr), 'item')})."
        ),
        scales=_scale_blocks(run),
        eigenvalues=_eigenvalues(run),
        factors=_factors(run),
        k_rule=words.sentence(segments.k_rule),
        choice=_choice(run),
        tree_text=_tree_text(run),
        map_text=_map_text(run),
        components_rule=words.sentence(segments.components_rule),
        axes=_axes(run),
        profile_means=_profile_means(run),
        profile_shares=_profile_shares(run),
        tests=_tests(run),
        agreement=_agreement(run),
        warnings=tuple(
            Notice(words.stage_name(str(stage)), words.sentence(str(message)))
            for stage, message in zip(run.warnings["stage"], run.warnings["message"], strict=True)
        ),
        method=_method(run, n_features),
        loadings=_loadings(run),
        factor_correlations=_factor_correlations(run),
        settings=run.study.to_toml(),
        versions=tuple(Fact(str(k), str(v)) for k, v in _mapping(run.manifest, "versions").items()),
        inputs=_inputs(run),
        glossary=tuple(Fact(term, meaning) for term, meaning in GLOSSARY),
        figures=_figures(run, personas),
    )


def _verdict(run: Run) -> Verdict:
    segments = run.segments
    if segments.verdict == "reproducible":
        return Verdict(
            segments.verdict,
            "good",
            "Reproducible segments",
            words.sentence(segments.reason),
            "This says that the division returns, not that people come in separate types: whether they do "
            "was not tested.",
        )
    return Verdict(
        segments.verdict,
        "caution",
        "No stable segments",
        words.sentence(segments.reason),
        "Use the segments below as a way to look at the data. Do not build a strategy on who belongs to which.",
    )


def _key_numbers(run: Run) -> tuple[Fact, ...]:
    survey, segments = run.survey, run.segments
    kept = _kept(run)
    left_out = survey.n_read - kept
    weighted = "" if survey.weight_kind == "none" else f", effective base {words.count(survey.n_effective)}"
    jaccard = segments.choice.loc[segments.choice["chosen"], "jaccard_mean"]
    level = words.stability_band(float(jaccard.iloc[0])) if len(jaccard) else (0, "unknown", "")
    return (
        Fact("Segments", str(segments.k), "set in the study" if _k_given(run) else "chosen by rule"),
        Fact("People in the results", f"{kept:,}", f"of {survey.n_read:,} read, {left_out:,} left out{weighted}"),
        Fact(
            "Questions asked",
            str(len(run.scales.items)),
            f"summarised in {words.plural(len(run.scales.table), 'scale')}",
        ),
        Fact(
            "Stability",
            words.number(float(jaccard.iloc[0])) if len(jaccard) else words.NOTHING,
            f"mean Jaccard, 0 to 1: {level[1]}",
        ),
    )  # fmt: skip


def _k_given(run: Run) -> bool:
    return run.study.segments.k != "auto"


def _kept(run: Run) -> int:
    return int((run.segments.labels > 0).sum())


def _personas(run: Run) -> tuple[Persona, ...]:
    profiles = run.profiles
    lines = _Drivers(run)
    out = []
    for row in profiles.personas.sort_values("segment").itertuples():
        number = int(row.segment)
        size = run.segments.table.set_index("segment").loc[number]
        drivers = profiles.drivers[profiles.drivers["segment"] == number].sort_values("rank")
        shown = [(str(d.kind), lines.line(number, d)) for _, d in drivers.iterrows()]
        scales = run.scales.table
        named = set(drivers.loc[drivers["kind"] == "scale", "variable"])
        others = [str(t) for s, t in zip(scales["scale"], scales["label"], strict=True) if s not in named]
        level, band, meaning = words.stability_band(float(size["jaccard"]))
        typical = profiles.typical[profiles.typical["segment"] == number]
        weighted = (
            f", weighted {words.count(row.weighted)}" if run.survey.weight_kind != "none" else ""
        )
        out.append(
            Persona(
                number=number,
                colour=segment_colour(number),
                ink=ink_on(segment_colour(number)),
                name=str(row.name),
                suggested=str(row.suggested) if row.suggested != row.name else "",
                share=words.percent(row.share),
                share_interval=words.percent_interval(size["share_low"], size["share_high"]),
                base=f"n = {int(row.n):,}{weighted}",
                share_width=round(100 * float(row.share), 2),
                headline=str(drivers["text"].iloc[0]) if len(drivers) else "",
                psychographic=tuple(line for kind, line in shown if kind == "scale"),
                demographic=tuple(line for kind, line in shown if kind != "scale"),
                less_distinctive=", ".join(others),
                typical=tuple(
                    Fact(str(t.label), str(t.value)) for t in typical.itertuples(index=False)
                ),
                jaccard=words.number(size["jaccard"]),
                stability_level=level,
                stability=band,
                stability_meaning=meaning,
            )
        )
    return tuple(out)


class _Drivers:
    """Looks up what a driver's row does not hold: its interval and where its bar starts and ends."""

    def __init__(self, run: Run) -> None:
        means, shares = run.profiles.means, run.profiles.shares
        self._means = means.set_index(["segment", "variable"])[["low", "high"]]
        self._shares = shares.set_index(["segment", "variable", "category"])[["low", "high"]]
        self._ends: dict[str, tuple[float, float]] = {}
        for scale in run.scales.table["scale"]:
            items = run.scales.items.loc[run.scales.items["scale"] == scale, "item"]
            lows = [run.survey.codebook[i].low for i in items if i in run.survey.codebook]
            highs = [run.survey.codebook[i].high for i in items if i in run.survey.codebook]
            known = [v for v in (*lows, *highs) if v is not None]
            if known:
                self._ends[str(scale)] = (min(known), max(known))
        for variable, rows in means.groupby("variable"):
            if str(variable) not in self._ends:
                values = rows[["mean", "total", "low", "high"]].to_numpy(dtype=float)
                values = values[np.isfinite(values)]
                low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
                # A quantity's bar starts at zero, or its length would mislead.
                self._ends[str(variable)] = (min(low, 0.0), high if high > low else low + 1)

    def line(self, segment: int, driver: pd.Series) -> DriverLine:
        """Return a driver as it is printed."""
        category = driver["kind"] == "category"
        value, total = float(driver["value"]), float(driver["total"])
        if category:
            key = (segment, driver["variable"], driver["category"])
            frame, ends = self._shares, (0.0, 1.0)
            show, between = words.percent, words.percent_interval
        else:
            key = (segment, driver["variable"])
            frame, ends = self._means, self._ends.get(str(driver["variable"]), (0.0, 1.0))
            show, between = words.number, words.interval
        low, high = frame.loc[key] if key in frame.index else (np.nan, np.nan)
        label = f"{driver['label']}: {driver['category']}" if category else str(driver["label"])
        return DriverLine(
            label=label,
            value=show(value),
            interval=between(low, high),
            total=show(total),
            effect=words.signed(float(driver["effect"])),
            size=str(driver["size"]),
            base=f"n = {int(driver['base']):,}",
            text=str(driver["text"]),
            fill=_place(value, ends),
            tick=_place(total, ends),
            above=float(driver["effect"]) > 0,
        )


def _place(value: float, ends: tuple[float, float]) -> float:
    if not np.isfinite(value) or ends[1] <= ends[0]:
        return 0.0
    return round(min(max(100 * (value - ends[0]) / (ends[1] - ends[0]), 0.0), 100.0), 2)


def _people(run: Run) -> Table:
    ledger = run.survey.ledger
    excluded = _by_reason(ledger[ledger["effect"] == "excluded"])
    n_read = run.survey.n_read
    rows = [Row(_cells("Respondents read", "", f"{n_read:,}", words.percent(1)))]
    rows += [
        Row(_cells(f"− {words.stage_name(stage)}", words.sentence(reason), f"{n:,}", words.percent(n / n_read)))
        for stage, reason, n in excluded
    ]  # fmt: skip
    kept = _kept(run)
    rows.append(
        Row(_cells("In the results", "", f"{kept:,}", words.percent(kept / n_read)), "chosen")
    )
    return Table(
        "From respondents read to respondents in the results",
        _cells("", "Reason", "People", "Share"),
        tuple(rows),
        text_columns=(1,),
    )


def _set_aside(run: Run) -> Table | None:
    ledger = run.survey.ledger
    rows = []
    for effect, what in (("set missing", "Answers set to missing"), ("unused", "Rows not used")):
        for stage, reason, n in _by_reason(ledger[ledger["effect"] == effect]):
            rows.append(Row(_cells(what, words.stage_name(stage), words.sentence(reason), f"{n:,}")))
    if not rows:
        return None
    return Table(
        "Also set aside, without leaving a respondent out",
        _cells("", "Stage", "Reason", "Cases"),
        tuple(rows),
        text_columns=(1, 2),
    )


def _by_reason(ledger: pd.DataFrame) -> list[tuple[str, str, int]]:
    """Return stage, reason and count; reasons that differ in numbers alone together where they are many."""
    out = []
    for stage, rows in ledger.groupby("stage", sort=False):
        reasons = rows["reason"].astype(str)
        if reasons.nunique() > MAX_REASONS:
            reasons = reasons.map(lambda text: re.sub(r"\d+(\.\d+)?", "…", text))
        counts = reasons.value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
        out += [(str(stage), str(reason), int(n)) for reason, n in counts.items()]
    return out


def _weighting(run: Run) -> str:
    survey = run.survey
    if survey.weight_kind == "none":
        return "The answers are not weighted: every respondent counts once."
    effective = words.count(survey.n_effective)
    if survey.weight_kind == "frequency":
        return f"Each row stands for as many people as its weight says: {effective} in all."
    return (
        f"The answers are weighted (weights from {words.number(survey.weights.min())} to "
        f"{words.number(survey.weights.max())}, mean one). {survey.n:,} respondents so weighted tell as much as "
        f"{effective} unweighted ones (Kish's effective base); intervals and tests count on that."
    )


def _sample(run: Run) -> Table | None:
    """Return the whole sample by its demographics; totals are those of the profile tables."""
    means, shares = run.profiles.means, run.profiles.shares
    rows: list[Row] = []
    for variable, part in means[means["kind"] == "numeric"].groupby("variable", sort=False):
        first = part.iloc[0]
        base = int(part["base"].sum())
        rows.append(
            Row(_cells(str(first["label"] or variable), "mean", words.number(first["total"]), f"{base:,}"))
        )
    for _, part in shares.groupby("variable", sort=False):
        base = int(part.drop_duplicates("segment")["base"].sum())
        first_of = part.drop_duplicates("category")
        rows.append(Row((Cell(str(part["label"].iloc[0])),), "group"))
        rows += [
            Row(_cells(str(c.category), "share", words.percent(c.total), f"{base:,}"))
            for c in first_of.itertuples()
        ]
    if not rows:
        return None
    return Table(
        "Who took part",
        _cells("", "Measure", "Value", "Base (n)"),
        tuple(rows),
        note="Respondents in the results; weighted where the survey is. The base counts those who answered.",
        text_columns=(1,),
    )


def _factors_text(run: Run) -> str:
    scales = run.scales
    kept = int(scales.eigenvalues["retained"].sum())
    suggested = words.plural(scales.n_factors_suggested, "factor")
    if scales.found and kept == scales.n_factors_suggested:
        return (
            f"Parallel analysis keeps {suggested}: those whose eigenvalue is above what answers without any "
            f"structure would give."
        )
    return (
        f"Parallel analysis of these items suggests {suggested}; {kept} "
        f"{'was' if kept == 1 else 'were'} kept, as the study asks."
    )


def _scale_blocks(run: Run) -> tuple[ScaleBlock, ...]:
    scales = run.scales
    blocks = []
    for row in scales.table.itertuples():
        items = scales.items[scales.items["scale"] == row.scale]
        blocks.append(
            ScaleBlock(
                label=str(row.label),
                alpha=words.number(row.alpha),
                alpha_interval=words.interval(row.alpha_low, row.alpha_high),
                low_alpha=not row.alpha >= LOW_ALPHA,
                facts=(
                    f"{words.plural(int(row.n_items), 'item')}, mean {words.number(row.mean)} "
                    f"(SD {words.number(row.sd)}), average inter-item r {words.number(row.mean_r)}, "
                    f"n = {int(row.base):,}"
                ),
                question=_question(run, items["item"]),
                items=_items(str(row.label), items),
            )
        )
    alone = scales.items[scales.items["scale"] == ""]
    if len(alone):
        blocks.append(
            ScaleBlock(
                label="In no scale",
                alpha="",
                alpha_interval="",
                low_alpha=False,
                facts=f"{words.plural(len(alone), 'item')} asked, but part of no scale",
                question=_question(run, alone["item"]),
                items=_items("In no scale", alone),
            )
        )
    return tuple(blocks)


def _question(run: Run, items: Iterable[str]) -> str:
    book = run.survey.codebook
    return " / ".join(dict.fromkeys(book[i].question for i in items if i in book and book[i].question))


def _items(label: str, items: pd.DataFrame) -> Table:
    rows = tuple(
        Row(
            (
                Cell(str(i.label), "answers turned round" if i.key < 0 else ""),
                Cell(words.number(i.loading)),
                Cell(words.number(i.item_rest)),
                Cell(words.number(i.alpha_if_dropped)),
                Cell(words.number(i.mean)),
                Cell(f"{int(i.base):,}"),
            )
        )
        for i in items.itertuples()
    )
    return Table(
        f"Items: {label}",
        _cells("Item", "Loading", "Item–rest r", "Alpha without it", "Mean", "Base (n)"),
        rows,
    )


def _eigenvalues(run: Run) -> Table:
    table = run.scales.eigenvalues
    shown = table.head(int(table["retained"].sum()) + 3)
    return Table(
        "Eigenvalues, against chance",
        _cells("Factor", "Observed", "By chance", "Kept"),
        tuple(
            Row(
                _cells(
                    str(r.component), words.number(r.observed), words.number(r.threshold),
                    "yes" if r.retained else "no",
                )
            )
            for r in shown.itertuples()
        ),
        note=f"The first {len(shown)} of {len(table)}; base n = {int(run.scales.items['base'].max()):,}.",
    )  # fmt: skip


def _factors(run: Run) -> Table:
    label = _scale_labels(run)
    return Table(
        "Factors",
        _cells("Factor", "Scale", "Variance explained"),
        tuple(
            Row(_cells(str(f.factor), label.get(str(f.scale), str(f.label)), words.percent(f.share)))
            for f in run.scales.factors.itertuples()
        ),
        text_columns=(1,),
    )


def _scale_labels(run: Run) -> dict[str, str]:
    table = run.scales.table
    return {str(s): str(t) for s, t in zip(table["scale"], table["label"], strict=True)}


def _choice(run: Run) -> Table:
    rows = []
    for r in run.segments.choice.sort_values("k").itertuples():
        why = words.sentence(str(r.why))
        rows.append(
            Row(
                (
                    Cell(f"{r.k}", "chosen" if r.chosen else ""),
                    Cell(words.number(r.silhouette)),
                    Cell(words.number(r.jaccard_mean)),
                    Cell(words.number(r.jaccard_min)),
                    Cell(words.percent(r.smallest_share), f"n = {int(r.smallest_n):,}"),
                    Cell("Yes" if r.eligible else "No"),
                    Cell(why),
                ),
                "chosen" if r.chosen else "",
            )
        )
    return Table(
        "What speaks for each number of segments",
        _cells(
            "Segments", "Average silhouette", "Jaccard, mean", "Jaccard, weakest", "Smallest segment",
            "Eligible", "Why",
        ),
        tuple(rows),
        note=f"Base n = {_kept(run):,}. Jaccard over {run.study.segments.bootstrap} bootstrap resamples.",
        text_columns=(5, 6),
    )  # fmt: skip


def _tree_text(run: Run) -> str:
    segments = run.segments
    text = (
        f"The tree joins the most similar people first, then the most similar groups ({segments.method}). "
        f"Cutting it where the dashed line stands gives {segments.k} segments. Wedges are small branches folded "
        f"up; the number beside each is how many people it holds{_weighted(run)}."
    )
    if segments.tied_merges:
        text += (
            f" {words.plural(segments.tied_merges, 'merge')} of {len(segments.tree):,} had a tie, and "
            f"{words.plural(segments.n_identical, 'respondent')} answered just like another one: such ties are "
            f"broken by a fixed order that does not depend on the order of the file."
        )
    return text


def _weighted(run: Run) -> str:
    return "" if run.survey.weight_kind == "none" else " (weighted)"


def _map_text(run: Run) -> str:
    shown = f"shows {words.percent(_seen(run))} of the variance"
    if "comp_2" not in run.segments.points:
        return f"Each point is a respondent. There is one component, which {shown}; each segment has a lane."
    return (
        f"Each point is a respondent and each disc the centre of a segment, on the two strongest components, "
        f"which together {shown.replace('shows', 'show')}: segments that overlap here may be apart in the rest. "
        f"Arrows point to where a feature is stronger."
    )


def _seen(run: Run) -> float:
    shares = run.segments.eigenvalues["share"].to_numpy(dtype=float)
    return float(shares[: 2 if "comp_2" in run.segments.points else 1].sum())


def _axes(run: Run) -> Table:
    segments = run.segments
    columns = [c for c in ("comp_1", "comp_2") if c in segments.components]
    label = dict(zip(segments.features["feature"], segments.features["label"], strict=True))
    shares = segments.eigenvalues["share"].to_numpy(dtype=float)
    head = [
        Cell(f"Component {i + 1}", f"{words.percent(shares[i])} of the variance")
        for i in range(len(columns))
    ]
    rows = []
    for feature, values in segments.components[columns].iterrows():
        cells = [Cell(words.signed(v), tone=_tone(v, 0.3, 0.6)) for v in values]
        rows.append(Row((Cell(str(label.get(feature, feature))), *cells)))
    return Table(
        "What the map's axes mean: correlation of each feature with them",
        (Cell("Feature"), *head),
        tuple(rows),
        note=f"Base n = {_kept(run):,}.",
    )


def _tone(value: float, some: float, much: float) -> str:
    if not np.isfinite(value) or abs(value) < some:
        return ""
    return ("high" if value > 0 else "low") + ("er" if abs(value) >= much else "")


def _chunks(run: Run) -> list[list[int]]:
    numbers = [int(s) for s in sorted(run.profiles.personas["segment"])]
    parts = -(-len(numbers) // SEGMENTS_A_TABLE)
    size = -(-len(numbers) // parts)
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def _segment_heads(run: Run, numbers: Sequence[int]) -> tuple[Cell, ...]:
    by = run.profiles.personas.set_index("segment")
    return tuple(
        Cell(str(by.loc[s, "name"]), f"n = {int(by.loc[s, 'n']):,}", number=s) for s in numbers
    )


def _profile_means(run: Run) -> tuple[Table, ...]:
    means = run.profiles.means
    if means.empty:
        return ()
    tables = []
    cells = means.set_index(["variable", "segment"])
    for numbers in _chunks(run):
        rows = []
        for kind, title in (("scale", "Scales"), ("numeric", "Numbers")):
            part = means[means["kind"] == kind]
            if part.empty:
                continue
            rows.append(Row((Cell(title),), "group"))
            for variable, of in part.groupby("variable", sort=False):
                line = [
                    Cell(str(of["label"].iloc[0])),
                    Cell(words.number(of["total"].iloc[0]), f"n = {int(of['base'].sum()):,}"),
                ]
                for s in numbers:
                    here = cells.loc[(variable, s)]
                    line.append(
                        Cell(
                            words.number(here["mean"]),
                            f"{words.interval(here['low'], here['high'])} · n = {int(here['base']):,}",
                            _tone(here["z"], SHADE, DEEP_SHADE),
                        )
                    )
                rows.append(Row(tuple(line)))
        tables.append(
            Table(
                _caption("Means by segment", numbers, run),
                (Cell(""), Cell("All", f"n = {_kept(run):,}"), *_segment_heads(run, numbers)),
                tuple(rows),
                note="Under each mean its 95% interval and base. Shaded: 0.2 standard deviations or more from "
                "everybody's mean; deeper from 0.5.",
            )
        )
    return tuple(tables)


def _profile_shares(run: Run) -> tuple[Table, ...]:
    shares = run.profiles.shares
    if shares.empty:
        return ()
    tables = []
    cells = shares.set_index(["variable", "category", "segment"])
    for numbers in _chunks(run):
        rows = []
        for variable, of in shares.groupby("variable", sort=False):
            once = of.drop_duplicates("segment").set_index("segment")["base"]
            head = [Cell(str(of["label"].iloc[0])), Cell("", f"n = {int(once.sum()):,}")]
            head += [Cell("", f"n = {int(once[s]):,}") for s in numbers]
            rows.append(Row(tuple(head), "group"))
            for category, part in of.groupby("category", sort=False, observed=True):
                line = [Cell(str(category)), Cell(words.percent(part["total"].iloc[0]))]
                for s in numbers:
                    here = cells.loc[(variable, category, s)]
                    line.append(
                        Cell(
                            words.percent(here["share"]),
                            words.percent_interval(here["low"], here["high"]),
                            _tone(here["effect"], SHADE, DEEP_SHADE),
                        )
                    )
                rows.append(Row(tuple(line)))
        tables.append(
            Table(
                _caption("Shares by segment", numbers, run),
                (Cell(""), Cell("All", f"n = {_kept(run):,}"), *_segment_heads(run, numbers)),
                tuple(rows),
                note="Under each share its 95% interval. Shaded: Cohen's h against the rest of 0.2 or more; deeper "
                "from 0.5.",
            )
        )
    return tuple(tables)


def _caption(text: str, numbers: Sequence[int], run: Run) -> str:
    if len(numbers) == run.segments.k:
        return text
    return f"{text}: segments {numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"{text}: segment {numbers[0]}"


def _tests(run: Run) -> Table:
    tests = run.profiles.tests.sort_values("strength", ascending=False, kind="stable")
    p_column = "p_adjusted" if "p_adjusted" in tests else "p"
    rows = []
    for r in tests.to_dict("records"):
        p = float(r[p_column])
        used = r["role"] in ("scale", "active")
        rows.append(
            Row(
                _cells(
                    str(r["label"]),
                    "made the segments" if used else "describes them",
                    str(r["measure"]),
                    words.number(float(r["strength"])),
                    words.p_value(p),
                    f"{int(r['base']):,}",
                )
            )
        )
    return Table(
        "What differs between the segments, strongest first",
        _cells("", "Part played", "Measure", "Strength", "p", "Base (n)"),
        tuple(rows),
        note="0 is no difference, 1 the largest possible. What made the segments differs by construction, so a "
        "p-value would say nothing and none is given; the others are adjusted for the number of tests.",
        text_columns=(1, 2),
    )


def _agreement(run: Run) -> Table | None:
    if run.agreement is None:
        return None
    return Table(
        "The two engines, Python and R, held against each other",
        _cells("Stage", "Measure", "Of", "Value"),
        tuple(
            Row(
                _cells(
                    words.stage_name(str(r.stage)), words.sentence(str(r.measure)).rstrip("."),
                    str(r.what), words.tiny(float(r.value)),
                )
            )
            for r in run.agreement.itertuples()
        ),
        note="A congruence or an adjusted Rand index of 1.00 is full agreement; a difference of 0.00 is none.",
        text_columns=(1, 2),
    )  # fmt: skip


def _method(run: Run, n_features: int) -> tuple[Fact, ...]:
    scales, segments = run.scales, run.segments
    kept = int(segments.eigenvalues["retained"].sum())
    return (
        Fact("Scales", words.sentence(scales.method)),
        Fact("Correlation", f"{scales.correlation.capitalize()} correlations of the items."),
        Fact(
            "Features",
            f"{words.plural(n_features, 'feature')}, standardised: "
            + "; ".join(str(t) for t in segments.features["label"])
            + ".",
        ),
        Fact(
            "Reduction",
            f"Principal components, {kept} of {len(segments.eigenvalues)} kept. "
            + words.sentence(segments.components_rule),
        ),
        Fact("Tree", words.sentence(segments.method)),
        Fact("Number of segments", words.sentence(segments.k_rule)),
        Fact("Verdict", f"{segments.verdict.capitalize()}. {words.sentence(segments.reason)}"),
        Fact("Engine", str(run.manifest.get("engine", words.NOTHING))),
        Fact("Seed", str(run.manifest.get("seed", run.study.study.seed))),
    )


def _loadings(run: Run) -> Table:
    loadings = run.scales.loadings
    items = run.scales.items.set_index("item")
    rows = []
    for item in items.index.intersection(loadings.index, sort=False):
        cells = [
            Cell(words.number(v), tone=_tone(v, run.study.scales.min_loading, 0.6))
            for v in loadings.loc[item].to_numpy(dtype=float)
        ]
        rows.append(Row((Cell(str(items.loc[item, "label"])), *cells)))
    base = int(run.scales.items["base"].max())
    return Table(
        "Pattern loadings of all items",
        (Cell("Item"), *_cells(*(str(c) for c in loadings.columns))),
        tuple(rows),
        note=f"After the declared reversals; base up to n = {base:,}.",
    )


def _factor_correlations(run: Run) -> Table | None:
    phi = run.scales.phi
    if len(phi) < 2:
        return None
    return Table(
        "Correlations between the factors",
        (Cell(""), *_cells(*(str(c) for c in phi.columns))),
        tuple(
            Row((Cell(str(name)), *_cells(*(words.number(v) for v in row))))
            for name, row in zip(phi.index, phi.to_numpy(dtype=float), strict=True)
        ),
    )


def _mapping(manifest: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = manifest.get(key, {})
    return value if isinstance(value, Mapping) else {}


def _inputs(run: Run) -> tuple[Fact, ...]:
    inputs = run.manifest.get("inputs", [])
    if not isinstance(inputs, Sequence):
        return ()
    return tuple(
        Fact(str(i["file"]), f"sha256 {i['sha256']}", f"{int(i['bytes']):,} bytes") for i in inputs
    )


def _cells(*texts: str) -> tuple[Cell, ...]:
    return tuple(Cell(text) for text in texts)


def _figures(run: Run, personas: Sequence[Persona]) -> Mapping[str, FigureText]:
    segments = run.segments
    sizes = "; ".join(f"segment {p.number}, {p.name}, {p.share}" for p in personas)
    best = segments.choice.loc[segments.choice["chosen"]]
    chosen = (
        f"At {segments.k} segments the silhouette is {words.number(best['silhouette'].iloc[0])} and the mean "
        f"Jaccard {words.number(best['jaccard_mean'].iloc[0])}."
        if len(best)
        else ""
    )
    return {
        "dendrogram": FigureText(
            "Dendrogram coloured by segment",
            f"A tree cut into {words.plural(segments.k, 'segment')}: {sizes}.",
        ),
        "choice": FigureText(
            "Silhouette and stability by number of segments",
            f"Two line charts over {segments.choice['k'].min()} to {segments.choice['k'].max()} segments. "
            f"{chosen} The numbers are in the table below.",
        ),
        "map": FigureText(
            "Map of people and segments",
            f"People by their place on the strongest components, which show {words.percent(_seen(run))} of the "
            f"variance, coloured by segment: {sizes}.",
        ),
        "heatmap": FigureText(
            "Heat map of segments by scales",
            "Mean of each segment on each scale, coloured by its distance from everybody's mean. The same numbers, "
            "with intervals, are in the profile tables.",
        ),
        "scree": FigureText(
            "Eigenvalues against parallel analysis",
            f"Observed eigenvalues fall below those of chance after "
            f"{words.plural(run.scales.n_factors_suggested, 'factor')}.",
        ),
    }
