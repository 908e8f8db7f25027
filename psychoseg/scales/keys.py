"""Which item belongs to which scale, with which sign: as named, or as the factors show it.

Never scores anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from psychoseg.errors import DataError, tell
from psychoseg.naming import REVERSED, short_label
from psychoseg.scales.polarity import disagrees
from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.stats.factor import match_factors
from psychoseg.study import ScalesSettings
from psychoseg.survey.table import Survey

__all__ = ["MIN_ITEMS", "ScaleItems", "found_scales", "named_scales"]

#: A scale takes at least this many items; a factor with fewer is reported and not scored.
MIN_ITEMS = 2
#: Characters of an item's wording that a found scale is called by.
_NAME_LENGTH = 48
#: Columns that respondents.csv has beside the scales.
_RESERVED = ("id", "weight", "segment", "segment_name", "silhouette", "map_1", "map_2")


@dataclass(frozen=True, slots=True)
class ScaleItems:
    """A scale's items with the sign each is scored with, relative to the declared reversal."""

    name: str
    label: str
    factor: int
    signs: dict[str, int]


def named_scales(
    settings: ScalesSettings, loadings: FloatArray, names: list[str], survey: Survey
) -> list[ScaleItems]:
    """Return the named scales, each with the factor that resembles it most.

    Of a bifactor rotation the first factor is everybody's; scales have the others.
    """
    general = int(settings.rotation.startswith("bifactor"))
    signs = [
        # An item that the survey already holds as reversed must not be turned a second time.
        {i: -1 if i in s.reverse and not survey.codebook[i].reversed else 1 for i in s.items}
        for s in settings.scale
    ]
    pattern = np.array([[sign.get(name, 0) for sign in signs] for name in names], dtype=np.float64)
    columns, factors, _ = match_factors(pattern, loadings[:, general:])
    factor_of = dict(zip(columns.tolist(), (factors + general).tolist(), strict=True))
    used = set(_RESERVED)
    return [
        ScaleItems(
            _slug(scale.name, used),
            scale.name,
            factor_of[j],
            signs[j],
        )
        for j, scale in enumerate(settings.scale)
    ]


def found_scales(
    settings: ScalesSettings, loadings: FloatArray, names: list[str], survey: Survey
) -> list[ScaleItems]:
    """Assign each item to the factor it loads on most, and name the scales."""
    size = np.abs(loadings).round(9)
    best = size.argmax(axis=1)
    enough = size.max(axis=1) >= settings.min_loading
    left_out = [survey.label(names[i]) for i in np.flatnonzero(~enough)]
    if left_out:
        tell(
            f"{len(left_out)} of {len(names)} items load below {settings.min_loading:g} on every "
            f"factor and are in no scale: {_listed(left_out)}"
        )
    keys: list[ScaleItems] = []
    used = set(_RESERVED)
    for j in range(loadings.shape[1]):
        members: IntArray = np.flatnonzero(enough & (best == j))
        members = members[np.argsort(-size[members, j], kind="stable")]
        if len(members) < MIN_ITEMS:
            which = f" ({survey.label(names[members[0]])})" if len(members) else ""
            many = "one item" if len(members) else "no item"
            tell(
                f"factor F{j + 1} has {many}{which} of its own and is not made a scale; fewer "
                "factors may serve better"
            )
            continue
        signs = {names[i]: 1 if loadings[i, j] > 0 else -1 for i in members}
        given = list(dict.fromkeys(v for item, v in settings.names.items() if item in signs))
        if len(given) > 1:
            tell(f"the scale {given[0]} holds items that [scales.names] also calls {given[1:]}")
        # The item that gives the scale its name must not count against it.
        namer = next((item for item in settings.names if item in signs), names[members[0]])
        if signs[namer] < 0:
            signs = {item: -sign for item, sign in signs.items()}
        label = given[0] if given else _label_of(signs, survey)
        if given and disagrees(survey.codebook[namer]):
            tell(
                f"the scale {label} is named in [scales.names] at the reversed item {namer} "
                f"({survey.label(namer)}): it is high where people disagree with that. If the "
                "name means the opposite, put it at an item that is not reversed, or change it."
            )
        turned = [survey.label(item) for item, sign in signs.items() if sign < 0]
        if turned:
            tell(f"in the scale {label}, these count the other way: {_listed(turned)}")
        keys.append(
            ScaleItems(_slug(given[0] if given else f"factor {j + 1}", used), label, j, signs)
        )
    if not keys:
        raise DataError(
            f"no factor has {MIN_ITEMS} items that load at least {settings.min_loading:g}. Lower "
            "min_loading in [scales], or name the scales in [[scales.scale]]."
        )
    lost = sorted(set(settings.names) - {item for key in keys for item in key.signs})
    if lost:
        tell(f"[scales.names] has no effect for {', '.join(lost)}: in no scale")
    return _distinct_labels(keys)


def _label_of(signs: Mapping[str, int], survey: Survey) -> str:
    """Return what a found scale is called: the item that says best what it is high in.

    ``signs`` has the items by loading, the largest first. Raw answers decide, not keyed ones: who
    scores high agrees with an item that is turned round neither by the study nor by the scale. Only
    a scale all of whose items are turned is called by one that it reverses, and says so.
    """
    straight = [i for i, sign in signs.items() if (sign < 0) == disagrees(survey.codebook[i])]
    leader = next(iter(straight or signs))
    text = _shortened(survey.label(leader))
    return text if straight else REVERSED + text


def _distinct_labels(keys: list[ScaleItems]) -> list[ScaleItems]:
    """Give labels that occur twice a number, so that a reader can tell the scales apart.

    Twice as they stand in a name, where two long statements may begin alike.
    """
    labels = [short_label(key.label).casefold() for key in keys]
    return [
        key
        if labels.count(labels[i]) == 1
        else replace(key, label=f"{key.label} ({labels[: i + 1].count(labels[i])})")
        for i, key in enumerate(keys)
    ]


def _slug(text: str, used: set[str]) -> str:
    """Return a column name made of the text, distinct from those used."""
    base = re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_") or "scale"
    name, number = base, 2
    while name in used:
        name, number = f"{base}_{number}", number + 1
    used.add(name)
    return name


def _shortened(text: str) -> str:
    text = " ".join(text.split()).rstrip(".")
    if len(text) <= _NAME_LENGTH:
        return text
    return text[:_NAME_LENGTH].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def _listed(texts: list[str]) -> str:
    shown = "; ".join(texts[:8])
    return f"{shown}; and {len(texts) - 8} more" if len(texts) > 8 else shown
