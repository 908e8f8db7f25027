"""The shapes of what a report prints: text, tables, cards. No data goes in here, and no markup."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

__all__ = [
    "ActionLine",
    "BlockLine",
    "Carriers",
    "Cell",
    "Confirmation",
    "DriverLine",
    "Drivers",
    "Fact",
    "FigureText",
    "Light",
    "Measurement",
    "Notice",
    "Number",
    "Persona",
    "Quotes",
    "ReportContext",
    "Row",
    "ScaleBlock",
    "Sentence",
    "Sureness",
    "Table",
    "Verdict",
    "cell_anchor",
    "cells",
    "tone",
]


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what it says, with a note under it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its text, then in small its note and its base.

    Attributes
    ----------
    tone : str
        "", "high", "higher", "low" or "lower": how it is shaded; "hidden" of a figure on too few.
    number : int
        Of a segment whose badge it shows; 0 for none.
    anchor : str
        By which a sentence links to it; see :func:`cell_anchor`.
    sort : float
        What the column is sorted by; NaN: by ``text``.
    letters : str
        Of a head the column's letter; of a cell those of the columns it is higher than.
    more : tuple of str
        What a reader sees only on demand: the rest, the difference, the index, the v-test.
    """

    text: str
    note: str = ""
    base: str = ""
    tone: str = ""
    number: int = 0
    anchor: str = ""
    sort: float = float("nan")
    letters: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A row; its first cell is its heading. ``kind`` is "", "group" or "chosen"."""

    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: columns after the first hold numbers unless ``text_columns`` names them.

    Where ``sortable``, its columns may be sorted, each group of rows within itself.
    """

    caption: str
    head: tuple[Cell, ...]
    rows: tuple[Row, ...]
    note: str = ""
    text_columns: tuple[int, ...] = ()
    sortable: bool = False


@dataclass(frozen=True, slots=True)
class Light:
    """One of the three verdicts, what it means, and whether it is the one of this run."""

    kind: str
    word: str
    colour: str
    meaning: str
    on: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the segments may be trusted.

    Attributes
    ----------
    tone : str
        "green", "amber" or "red".
    lights : tuple of Light
        The three verdicts, best first.
    facts : tuple of Fact
        How many segments, and how sure.
    """

    kind: str
    tone: str
    headline: str
    reason: str
    meaning: str
    lights: tuple[Light, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """How many segments: words first, then what each index says.

    Attributes
    ----------
    choice : Fact
        What is shown, recommended and next.
    reasons : tuple of Fact
        For the recommendation, for the runner-up, and the rule.
    votes : Table or None
        None where no index was asked.
    eligible : Table
        Which numbers met the conditions.
    panel : tuple of Table
        Every index at every number.
    """

    choice: str
    reasons: tuple[Fact, ...]
    votes: Table | None
    eligible: Table
    panel: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Sureness:
    """How sure the segments are: sentences, then tables; a table of nothing is None.

    Attributes
    ----------
    facts : tuple of Fact
        A sentence or two for each kind of evidence.
    segments : Table
        One row a segment.
    tandem_text : str
        The answer to the critics of dividing people by scales; empty without the check.
    stability : Table or None
        Segments at each number.
    """

    facts: tuple[Fact, ...]
    segments: Table
    audit: Table | None
    methods: Table | None
    tandem_text: str
    tandem: Table | None
    consensus: Table | None
    stability: Table | None


@dataclass(frozen=True, slots=True)
class BlockLine:
    """A block of features: ``fill`` and ``tick`` are ``between`` and ``total`` from 0 to 100."""

    label: str
    between: str
    total: str
    explained: str
    features: str
    fill: float
    tick: float


@dataclass(frozen=True, slots=True)
class Carriers:
    """What carries the segments; ``warns`` where it is not what people think."""

    blocks: tuple[BlockLine, ...]
    meaning: str
    warns: bool
    supplementary: Table | None


@dataclass(frozen=True, slots=True)
class DriverLine:
    """One thing that sets a segment apart.

    Attributes
    ----------
    fill, tick : float
        Where the segment's bar ends and where everybody stands, from 0 to 100.
    above : bool
        Whether the segment lies above everybody else.
    """

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
class Sentence:
    """A sentence of a portrait and the anchor of the cell that it says; "" for none."""

    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class ActionLine:
    """An offer for a segment, and why.

    Attributes
    ----------
    fits : bool
        Whether the segment has all that the offer wants.
    score : float
        The length of its bar, from -100 to 100.
    in_part : bool
        Where it does not fit: whether it comes near.
    """

    name: str
    fits: bool
    reason: str
    score: float
    in_part: bool = False


@dataclass(frozen=True, slots=True)
class Quotes:
    """Answers to an open question; ``examples`` where nothing distinctive was found in them."""

    question: str
    texts: tuple[str, ...]
    examples: bool


@dataclass(frozen=True, slots=True)
class Drivers:
    """What tells the segments apart.

    Attributes
    ----------
    accuracy : tuple of Fact
        How well the model and the tree do on respondents they have not seen.
    importance : Table
    rules : Table
    """

    accuracy: tuple[Fact, ...]
    importance: Table
    rules: Table


@dataclass(frozen=True, slots=True)
class Persona:
    """A segment's card; ``unassigned`` where it is of those who fit no segment.

    Attributes
    ----------
    portrait, is_not : tuple of Sentence
        Who they are and who not, each sentence with the anchor of its cell.
    sure : str
        How sure we are of the segment.
    best : str
        What to do: the offer that fits best, or in part, or that none does; empty without offers.
    actions : tuple of ActionLine
        All offers, best first.
    typical_note : str
        Whose answers ``typical`` are.
    words : str
        Words that they use more than others.
    quotes : tuple of Quotes
        One for each question that is quoted.
    """

    number: int
    colour: str
    ink: str
    name: str
    unassigned: bool
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
    portrait: tuple[Sentence, ...] = ()
    is_not: tuple[Sentence, ...] = ()
    sure: str = ""
    best: str = ""
    actions: tuple[ActionLine, ...] = ()
    typical_note: str = ""
    words: str = ""
    quotes: tuple[Quotes, ...] = ()


@dataclass(frozen=True, slots=True)
class ScaleBlock:
    """A scale with its items; ``low_alpha`` marks a weak one, ``meaning`` says what alpha means."""

    label: str
    alpha: str
    alpha_interval: str
    low_alpha: bool
    meaning: str
    facts: str
    question: str
    items: Table


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the confirmatory analysis in R found; a table that was not asked for is None."""

    fit: Table
    loadings: Table
    correlations: Table | None
    invariance: Table | None
    split_half: Table | None
    notes: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """How sure the scales are: words for everybody first, then tables for a statistician.

    Attributes
    ----------
    sure : tuple of Fact
        In words: the number of factors, their fit, the confirmation.
    attention : tuple of Fact
        Items that something speaks against, with what it is.
    attention_more : str
        What ``attention`` leaves out.
    number : Table
        What each rule says of the number of factors; ``recommendation`` says which and why.
    coefficients : tuple of Fact
        What each coefficient of ``reliability`` says.
    flags, drops : Table or None
        None where nothing speaks against any item.
    """

    sure: tuple[Fact, ...]
    attention: tuple[Fact, ...]
    attention_more: str
    number: Table
    recommendation: str
    eigenvalues: Table
    factors: Table
    reliability: Table
    coefficients: tuple[Fact, ...]
    fit: Table
    residuals: Table
    loadings: Table
    structure: Table
    factor_correlations: Table | None
    flags: Table | None
    drops: Table | None
    confirmation: Confirmation | None


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
    """Everything a report prints, in its words.

    Labels, not names; no respondent's id; no time of day, so that one input gives one report.
    """

    title: str
    description: str
    population: str
    source: str
    confidential: str
    verdict: Verdict
    key_numbers: tuple[Fact, ...]
    personas: tuple[Persona, ...]
    people: Table
    set_aside: Table | None
    weighting: str
    sample: Table | None
    answering: tuple[Table, ...]
    scales_method: str
    scales: tuple[ScaleBlock, ...]
    measurement: Measurement | None
    number: Number
    sureness: Sureness
    carriers: Carriers
    tree_text: str
    map_text: str
    axes: Table
    profile_means: tuple[Table, ...]
    profile_shares: tuple[Table, ...]
    tests: Table
    agreement: Table | None
    warnings: tuple[Notice, ...]
    method: tuple[Fact, ...]
    settings: str
    versions: tuple[Fact, ...]
    inputs: tuple[Fact, ...]
    glossary: tuple[Fact, ...]
    figures: Mapping[str, FigureText]
    lost: str = ""
    drivers: Drivers | None = None
    jobs: tuple[Table, ...] = ()
    words: tuple[Table, ...] = ()


def cell_anchor(table: str, variable: str, category: str, segment: int) -> str:
    """Return the anchor of a cell of ``Profiles.means``, ``shares`` or ``personas``."""
    key = hashlib.sha256(f"{table}\0{variable}\0{category}".encode()).hexdigest()[:10]
    return f"c{segment}-{key}"


def cells(*texts: str) -> tuple[Cell, ...]:
    """Return a row of cells that hold nothing but text."""
    return tuple(Cell(text) for text in texts)


def tone(value: float, some: float, much: float) -> str:
    """Return how a cell is shaded whose value is this far from nothing."""
    if not np.isfinite(value) or abs(value) < some:
        return ""
    return ("high" if value > 0 else "low") + ("er" if abs(value) >= much else "")
