"""Items that hold the answers of other items over again: copies, and copies turned round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from psychoseg.starter.frames import as_codes
from psychoseg.stats.arrays import FloatArray

if TYPE_CHECKING:
    from psychoseg.starter.batteries import Battery

__all__ = ["without_twins"]

#: Share of equal answers, item by item, from which on two batteries are one.
_SAME = 0.98
#: Fewer different people than this may give the same answers by chance.
_PEOPLE = 30
#: Fewer items than this are no battery once their twins are out; as in ``batteries``.
_LEAST = 3


def without_twins(found: Sequence[Battery]) -> list[Battery]:
    """Take out items and batteries that repeat earlier ones, and say so.

    Parameters
    ----------
    found : sequence of Battery
        In file order.

    Returns
    -------
    list of Battery
        A battery that repeats another is kept with the reason why it is not used; single items
        stand in ``left_out``.
    """
    seen: dict[bytes, str] = {}
    whole: list[tuple[FloatArray, str]] = []
    out = []
    for battery in found:
        codes = _unit(as_codes(battery.columns, battery.scale))
        names = battery.names
        twin = next((shown for other, shown in whole if _are_twins(codes, other)), "")
        if twin and not battery.why_not:
            why = f"the same people gave the same answers to {twin}: these are the same items again"
            out.append(replace(battery, why_not=why))
            continue
        repeated: dict[str, str] = {}
        for j, name in enumerate(names):
            if len(codes) < _PEOPLE or battery.binary or _n_answers(codes[:, j]) < _LEAST:
                continue
            straight, turned = (np.round(c, 9).tobytes() for c in (codes[:, j], 1 - codes[:, j]))
            first = seen.get(straight) or seen.get(turned)
            if first is None:
                seen[straight] = name
            else:
                repeated[name] = first
        if repeated and len(names) - len(repeated) >= _LEAST:
            battery = _without(battery, repeated)
        whole.append((codes, f"{names[0]} to {names[-1]}"))
        out.append(battery)
    return out


def _without(battery: Battery, repeated: dict[str, str]) -> Battery:
    said = tuple(
        (name, f"it holds the same answers as {first}, so it would count twice")
        for name, first in repeated.items()
    )
    note = ", ".join(f"{name} (as {first})" for name, first in repeated.items())
    return replace(
        battery,
        columns=tuple(c for c in battery.columns if c.name not in repeated),
        reverse=tuple(name for name in battery.reverse if name not in repeated),
        labels={k: v for k, v in battery.labels.items() if k not in repeated},
        left_out=(*battery.left_out, *said),
        notes=(*battery.notes, f"left out, since the answers are those of another item: {note}"),
    )


def _unit(codes: FloatArray) -> FloatArray:
    """Return codes as 0 to 1 by the ends that were used in each column."""
    low, high = np.nanmin(codes, axis=0), np.nanmax(codes, axis=0)
    return np.asarray((codes - low) / np.where(high > low, high - low, 1.0), dtype=np.float64)


def _n_answers(column: FloatArray) -> int:
    return len(np.unique(column[~np.isnan(column)]))


def _are_twins(a: FloatArray, b: FloatArray) -> bool:
    if a.shape != b.shape or len(a) < _PEOPLE:
        return False
    both = ~np.isnan(a) & ~np.isnan(b)
    if both.sum() < _SAME * max((~np.isnan(a)).sum(), (~np.isnan(b)).sum()):
        return False
    return any(bool((np.abs(a - other)[both] < 1e-9).mean() >= _SAME) for other in (b, 1 - b))
