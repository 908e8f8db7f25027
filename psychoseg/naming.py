"""Words for what sets a segment apart: a driver, its sentence, and the segments' names.

Owns the English of profiles and how numbers are rounded in it. Knows no data: it computes nothing
but words.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple

from psychoseg.errors import PsychosegWarning

__all__ = [
    "LEAST_ALPHA",
    "REVERSED",
    "UNASSIGNED",
    "Driver",
    "Size",
    "decimals_of",
    "final_names",
    "say_amounts",
    "say_driver",
    "say_number",
    "say_percentages",
    "short_label",
    "size_of",
    "suggest_names",
]

Size = Literal["large", "medium", "small", "negligible"]

#: Cohen (1988), sections 2.2.3 and 6.2.3: where d and h alike are called large, medium and small.
_BANDS: tuple[tuple[Size, float], ...] = (("large", 0.8), ("medium", 0.5), ("small", 0.2))

#: The name of those who fit no segment.
UNASSIGNED = "Unassigned"

#: Begins the label of a scale that is called by a statement which it turns round: who is high on it
#: disagrees with the statement. It stands first, so that nothing that cuts a label or a name short,
#: on a chart or a slide, can leave the statement without it.
REVERSED = "(reversed) "

#: A scale whose alpha is lower names nobody: below it not even what is said of early research
#: ("reliabilities of .60 or .50 will suffice", Nunnally 1967, Psychometric Theory, p. 226) holds.
LEAST_ALPHA = 0.5

#: A name takes this many drivers unless two segments would share it.
_DRIVERS_IN_NAME = 2

#: A longer label no longer fits the axis of a chart; inside a name it is cut at a word.
_LABEL_IN_NAME = 40
#: What two scales of one label are told apart by.
_NUMBER = re.compile(r" \(\d+\)$")


class Driver(NamedTuple):
    """One thing that sets a segment apart from the rest.

    Attributes
    ----------
    kind : {"scale", "numeric", "category"}
    variable, label, category : str
        ``category`` is empty but for kind "category".
    effect : float
        Cohen's d, or Cohen's h for a category; positive where the segment has more.
    size : {"large", "medium", "small", "negligible"}
    value, total : float
        Mean, or share between 0 and 1, of the segment and of all.
    base : int
        Respondents of the segment with an answer.
    """

    kind: str
    variable: str
    label: str
    category: str
    effect: float
    size: Size
    value: float
    total: float
    base: int


def size_of(effect: float) -> Size:
    """Return Cohen's word for an effect, d or h."""
    # 0.2 computed as 0.19999999999999998 is small, not negligible.
    return next((s for s, least in _BANDS if round(abs(effect), 9) >= least), "negligible")


def say_driver(driver: Driver) -> str:
    """Return a driver as a line to print: "High thrift: 4.21 against 3.05 overall"."""
    more = driver.effect > 0
    if driver.kind == "category":
        word, what = "More" if more else "Fewer", f"'{driver.category}' ({driver.label})"
        value, total = say_percentages(driver.value, driver.total)
    elif driver.kind == "scale":
        word, what = "High" if more else "Low", _inside(driver.label)
        value, total = say_number(driver.value, 2), say_number(driver.total, 2)
    else:
        word, what = "Higher" if more else "Lower", _inside(driver.label)
        decimals = decimals_of(driver.total)
        value, total = say_number(driver.value, decimals), say_number(driver.total, decimals)
    if driver.size == "small":
        word = f"Slightly {word.lower()}"
    elif driver.size == "negligible":
        word = "Average"
    return f"{word} {what}: {value} against {total} overall"


def say_number(value: float, decimals: int) -> str:
    """Return a number as shown, with separators only where it cannot be a year."""
    return f"{value:,.{decimals}f}" if abs(value) >= 10_000 else f"{value:.{decimals}f}"


def decimals_of(value: float) -> int:
    """Return the decimals that leave about three figures, two at most."""
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2


def say_amounts(value: float, total: float, *, scale: bool) -> tuple[str, str]:
    """Return a segment's mean and everybody's as a sentence says them, rounded alike.

    A scale's to one decimal, or to two where only these tell them apart.
    """
    if scale:
        fine = say_number(value, 2), say_number(total, 2)
        coarse = say_number(value, 1), say_number(total, 1)
        return fine if coarse[0] == coarse[1] and fine[0] != fine[1] else coarse
    decimals = decimals_of(total)
    return say_number(value, decimals), say_number(total, decimals)


def say_percentages(value: float, total: float) -> tuple[str, str]:
    """Return whole percentages, or one decimal where whole ones would hide what differs."""
    whole = f"{100 * value:.0f}%", f"{100 * total:.0f}%"
    hidden = whole[0] == whole[1] or 0 < value < 0.005 or 0 < total < 0.005
    return (f"{100 * value:.1f}%", f"{100 * total:.1f}%") if hidden else whole


def suggest_names(
    drivers: Mapping[int, Sequence[Driver]],
    *,
    unassigned: int = 0,
    unknown: Collection[int] = (),
) -> dict[int, str]:
    """Name each segment by its strongest one or two drivers.

    Parameters
    ----------
    drivers : mapping of int to sequence of Driver
        Those of each segment, strongest first.
    unassigned : int
        The segment of those who fit none, which is called so; 0 where there is none.
    unknown : collection of int
        Segments of which no figure may be shown: they have a number and no name, since even
        "Middle of the road" would be a claim.

    Returns
    -------
    dict of int to str
        In sentence case and unique.

    Notes
    -----
    Two drivers where two are at least medium, else the strongest; none that is negligible: that
    is "Middle of the road". A second category of a variable says nothing new and is passed over,
    and a category that there is less of comes after what there is more of.
    Names that clash take one more driver each until they differ, and a number where none is left.
    """
    if unassigned:
        others = {s: d for s, d in drivers.items() if s != unassigned}
        return _numbered({unassigned: UNASSIGNED, **suggest_names(others, unknown=unknown)})
    if len(drivers) == 1:
        return dict.fromkeys(drivers, "Everyone")
    if unknown:
        others = {s: d for s, d in drivers.items() if s not in unknown}
        # One segment beside those that cannot be described is not everyone.
        named = suggest_names({**others, 0: []}) if len(others) == 1 else suggest_names(others)
        found = {s: named[s] if s in others else f"Segment {s}" for s in drivers}
        return _numbered(found)
    telling = {s: _telling(ranked) for s, ranked in drivers.items()}
    used = {}
    for s, ranked in telling.items():
        clear = sum(d.size != "small" for d in ranked)
        used[s] = min(max(clear, 1), _DRIVERS_IN_NAME, len(ranked))
    while True:
        names = {s: _name(ranked[: used[s]]) for s, ranked in telling.items()}
        times = Counter(names.values())
        longer = [s for s in names if times[names[s]] > 1 and used[s] < len(telling[s])]
        if not longer:
            return _numbered(names)
        for s in longer:
            used[s] += 1


def final_names(suggested: Mapping[int, str], asked: Mapping[str, str]) -> dict[int, str]:
    """Replace suggested names by those the study asks for.

    Parameters
    ----------
    suggested : mapping of int to str
    asked : mapping of str to str
        Segment number, as text, to name.

    Returns
    -------
    dict of int to str
        Unique: a name given twice gets a number; so does a suggestion equal to one asked for.

    Warns
    -----
    PsychosegWarning
        Where there is no such segment, or two segments are asked to share a name.
    """
    known = {str(s): s for s in suggested}
    unknown = [key for key in asked if key.strip() not in known]
    if unknown:
        last = max(suggested)
        warnings.warn(
            f"segments.names names segment {', '.join(map(repr, unknown))}, but the segments are "
            f'1 to {last}: not used. Name them by number, such as "{last}" = "...".',
            PsychosegWarning,
            stacklevel=2,
        )
    wanted = {known[key.strip()]: name for key, name in asked.items() if key.strip() in known}
    twice = [name for name, times in Counter(wanted.values()).items() if times > 1]
    if twice:
        warnings.warn(
            f"segments.names gives {', '.join(map(repr, twice))} to more than one segment: the "
            "later ones got a number. Give each segment a name of its own.",
            PsychosegWarning,
            stacklevel=2,
        )
    # Those asked for come first, so that it is never they that get the number.
    order = [*sorted(wanted), *(s for s in suggested if s not in wanted)]
    unique = _numbered({s: wanted.get(s, suggested[s]) for s in order})
    return {s: unique[s] for s in suggested}


def _telling(ranked: Sequence[Driver]) -> list[Driver]:
    """Return one driver a variable for a name: what a segment is before what it is not."""
    order = sorted(
        (d for d in ranked if d.size != "negligible"),
        key=lambda d: (d.size == "small", d.kind == "category" and d.effect < 0),
    )
    first: dict[str, Driver] = {}
    for driver in order:
        first.setdefault(driver.variable, driver)
    return list(first.values())


def _name(drivers: Sequence[Driver]) -> str:
    name = ", ".join(_part(d) for d in drivers) or "middle of the road"
    return name[0].upper() + name[1:]


def _part(driver: Driver) -> str:
    """Return a driver as it stands inside a name: "low thrift", "mostly Premium (plan)"."""
    more = driver.effect > 0
    label = _inside(short_label(driver.label))
    if driver.kind == "category":
        if more:
            word = "mostly" if driver.value >= 0.5 else "more"
        else:
            word = "no" if driver.value == 0 else "fewer"
        return f"{word} {driver.category} ({label})"
    if driver.kind == "numeric" and label == "age":
        text = "older" if more else "younger"
    else:
        text = f"{'high' if more else 'low'} {label}"
    return f"slightly {text}" if driver.size == "small" else text


def short_label(label: str) -> str:
    """Return a label as it stands in a name: a long one without its brackets, or cut at a word.

    The mark of a reversed label stays, and so does the number of one that another scale has too.
    """
    if label.startswith(REVERSED):
        return REVERSED + short_label(label.removeprefix(REVERSED))
    numbered = _NUMBER.search(label)
    if numbered and len(label) > _LABEL_IN_NAME:
        return short_label(label[: numbered.start()]) + numbered[0]
    if len(label) > _LABEL_IN_NAME:
        label = label.split("(", 1)[0].rstrip() or label
    if len(label) > _LABEL_IN_NAME:
        label = label[: _LABEL_IN_NAME - 1].rsplit(" ", 1)[0] + "…"
    return label


def _inside(label: str) -> str:
    """Return a label for the middle of a sentence; "TV", "I" and "Coke Zero" keep their capitals.

    A capital in a later word, but for "I", is taken for the sign of a name.
    """
    if label.startswith(REVERSED):
        return REVERSED + _inside(label.removeprefix(REVERSED))
    first, *later = label.split(" ")
    named = any(re.match(r"I\b", word) is None and word != word.lower() for word in later)
    ordinary = not named and first[1:2].isalpha() and first[1:].islower()
    return label[0].lower() + label[1:] if ordinary else label


def _numbered(names: Mapping[int, str]) -> dict[int, str]:
    """Return the names unique but for case: the second of a name gets " 2", and so on."""
    out: dict[int, str] = {}
    given = {name.casefold() for name in names.values()}
    taken: set[str] = set()
    for s, name in names.items():
        unique, number = name, 1
        while unique.casefold() in (taken if number == 1 else taken | given):
            number += 1
            unique = f"{name} {number}"
        taken.add(unique.casefold())
        out[s] = unique
    return out
