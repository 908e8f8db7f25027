"""Names that users give to segments: carried from run to run by who the segments are.

Owns what a key of ``[segments] names`` and ``texts`` stands for. Never makes a name, and never
reads a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psychoseg.errors import tell
from psychoseg.profiles.centroids import COLUMN_SUFFIX
from psychoseg.stats.arrays import FloatArray
from psychoseg.stats.matching import match_rows

if TYPE_CHECKING:
    from psychoseg.segments import Segments
    from psychoseg.study import SegmentsSettings

__all__ = ["ANCHOR_COLUMNS", "Previous", "carry_names"]

ANCHOR_COLUMNS = ("key", "name", "text", "segment", "feature", "value", "sd")

#: Root mean square of the standardised differences of two centroids up to which they are always
#: the same segment: between negligible and small in Cohen's words (0.2 to 0.5), about what a
#: segment of 30 people moves by chance.
_ALWAYS_NEAR = 0.25
#: Beyond that a segment may have moved this part of the way to its nearest neighbour.
_PART_OF_THE_WAY = 0.5


@dataclass(frozen=True, slots=True)
class Previous:
    """What an earlier run kept so that names can follow: its ``Profiles.names`` and ``centroids``.

    Attributes
    ----------
    names : DataFrame
        ``key, name, text, segment, feature, value, sd``; segment 0 where the name found none.
    centroids : DataFrame
        ``segment, feature, value``.
    items : DataFrame
        ``item, scale, key`` of its scales; without rows where that run kept none.
    """

    names: pd.DataFrame
    centroids: pd.DataFrame
    items: pd.DataFrame = field(default_factory=pd.DataFrame)

    def renamed(self, items: pd.DataFrame) -> Previous:
        """Return the same run with its scales called as they are now.

        Parameters
        ----------
        items : DataFrame
            ``item, scale, key`` of this run.

        Notes
        -----
        A scale is known by its items and how they are keyed, not by what it is called: one that
        ``[scales.names]`` has renamed is the same axis.
        """
        now = {content: scale for scale, content in _contents(items).items()}
        before = _contents(self.items)
        became = {s: now[content] for s, content in before.items() if content in now}
        if all(old == new for old, new in became.items()):
            return self
        names, centroids = (
            table.assign(feature=[_feature_now(str(f), became) for f in table["feature"]])
            if len(table)
            else table
            for table in (self.names, self.centroids)
        )
        return Previous(names, centroids, self.items)


@dataclass(frozen=True, slots=True)
class _Given:
    """What the study file says under one key."""

    name: str
    text: str

    @property
    def shown(self) -> str:
        return self.name or self.text


@dataclass(frozen=True, slots=True)
class _Anchor:
    """Where a key was anchored: its segment then (0: none) and that segment's centroid."""

    given: _Given
    segment: int
    values: pd.DataFrame


def carry_names(
    segments: Segments,
    centroids: pd.DataFrame,
    settings: SegmentsSettings | None,
    previous: Previous | None,
) -> tuple[dict[int, str], dict[int, str], pd.DataFrame]:
    """Find the segments of this run that the names and texts of the study file are for.

    Parameters
    ----------
    segments : Segments
    centroids : DataFrame
        ``segment, feature, value`` of this run.
    settings : SegmentsSettings, optional
        Its ``names`` and ``texts`` by number of segment, as text.
    previous : Previous, optional
        The run that the user looked at; where absent, numbers are those of this run.

    Returns
    -------
    names : dict of int to str
        By segment of this run.
    texts : dict of int to str
    anchors : DataFrame
        ``key, name, text, segment, feature, value, sd``: what the next run needs.

    Warns
    -----
    PsychosegWarning
        Where there is no such segment, a name finds none near enough, two are for one segment, or
        a changed text could be meant for another segment.

    Notes
    -----
    A key that the previous run knew stands for the segment that the name landed on there, whatever
    its number became, also when its text is changed. A new key is a number of the previous run; so
    is one whose old name now stands under another key. The segments of the two runs are matched by
    the Hungarian method on the Euclidean distance of their centroids, in standard deviations of the
    features (of this run) that both have. A match counts where the centroids differ by at most
    .25 (root mean square), or half the way from the old segment to its nearest neighbour. A name
    without a segment keeps its anchor, and comes back when its people do.
    """
    given = _given(settings)
    if not given:
        return {}, {}, pd.DataFrame(columns=list(ANCHOR_COLUMNS))
    now = _wide(centroids)
    sd = _spread(segments)
    old = _wide(previous.centroids) if previous is not None else now.iloc[:0]
    shared = _shared(now, old, sd)
    if len(old) and not shared:
        tell(
            "[segments] names and texts: the previous run was made of other scales and columns, "
            "so its segments cannot be found again. The numbers are taken as those of this run: "
            "look whether each name fits."
        )
    if previous is None or not shared:
        anchors: dict[str, _Anchor] = {}
        landed = {key: int(key) for key in given if key in {str(s) for s in now.index}}
        _tell_unknown(set(given) - set(landed), now.index, "this run")
    else:
        anchors = _anchors(previous.names)
        landed = _follow(given, anchors, now, old, sd[shared])
    _keep_apart(landed, given)
    names = {s: given[key].name for key, s in landed.items() if given[key].name}
    texts = {s: given[key].text for key, s in landed.items() if given[key].text}
    return names, texts, _new_anchors(given, landed, anchors, now, old, sd)


def _contents(items: pd.DataFrame) -> dict[str, frozenset[tuple[str, int]]]:
    """Return the keyed items of each scale."""
    if items.empty:
        return {}
    used = items[items["scale"].notna() & (items["scale"] != "")]
    return {
        str(scale): frozenset(zip(own["item"].astype(str), own["key"].astype(int), strict=True))
        for scale, own in used.groupby("scale")
    }


def _feature_now(feature: str, became: Mapping[str, str]) -> str:
    """Return what a feature of the previous run is called in this one.

    A column that is called as a scale is has :data:`COLUMN_SUFFIX`, then as now.
    """
    if feature in became:
        return became[feature]
    plain = feature.removesuffix(COLUMN_SUFFIX)
    if plain in became.values():
        return plain + COLUMN_SUFFIX
    return plain if plain in became else feature


def _given(settings: SegmentsSettings | None) -> dict[str, _Given]:
    if settings is None:
        return {}
    names = {key.strip(): name.strip() for key, name in settings.names.items()}
    texts = {key.strip(): text.strip() for key, text in settings.texts.items()}
    out = {key: _Given(names.get(key, ""), texts.get(key, "")) for key in {**names, **texts}}
    return {key: entry for key, entry in out.items() if entry.shown}


def _wide(centroids: pd.DataFrame) -> pd.DataFrame:
    """Return segments by features, both sorted."""
    if centroids.empty:
        return pd.DataFrame(index=pd.Index([], dtype=int))
    wide = centroids.pivot_table(index="segment", columns="feature", values="value", sort=True)
    return wide.set_axis([str(c) for c in wide.columns], axis=1)


def _spread(segments: Segments) -> pd.Series:
    features = segments.features
    return pd.Series(
        features["sd"].to_numpy(dtype=np.float64), index=features["feature"].astype(str)
    )


def _shared(now: pd.DataFrame, old: pd.DataFrame, sd: pd.Series) -> list[str]:
    """Return the features that everything is known of."""
    both = [c for c in now.columns if c in old.columns and c in sd.index and sd[c] > 0]
    return [c for c in both if now[c].notna().all() and old[c].notna().all()]


def _anchors(names: pd.DataFrame) -> dict[str, _Anchor]:
    out = {}
    for key, rows in names.groupby(names["key"].astype(str), sort=False) if len(names) else ():
        first = rows.iloc[0]
        said = ["" if pd.isna(first[c]) else str(first[c]) for c in ("name", "text")]
        values = rows[["feature", "value", "sd"]].reset_index(drop=True)
        out[str(key)] = _Anchor(_Given(*said), int(first["segment"]), values)
    return out


def _follow(
    given: Mapping[str, _Given],
    anchors: Mapping[str, _Anchor],
    now: pd.DataFrame,
    old: pd.DataFrame,
    sd: pd.Series,
) -> dict[str, int]:
    """Return the segment of this run for each key that finds one."""
    became = _matched(old[sd.index] / sd, now[sd.index] / sd)
    by_number = [key for key in given if _is_number_now(key, given, anchors)]
    unknown = {key for key in by_number if key not in {str(s) for s in old.index}}
    _tell_unknown(unknown, old.index, "the previous run")
    landed: dict[str, int] = {}
    lost: list[str] = []
    for key in [*by_number, *(key for key in given if key not in by_number)]:
        if key in unknown:
            continue
        source = int(key) if key in by_number else anchors[key].segment
        if source == 0:
            lost.append(key)
        elif source in became:
            landed[key] = became[source]
        else:
            _tell_vanished(given[key])
        if key in anchors and key not in by_number:
            _tell_if_ambiguous(key, given[key], anchors[key])
    # What found nobody last time may look among the segments that no old one became.
    free = now.loc[[s for s in now.index if s not in became.values()]]
    for key in lost:
        values = anchors[key].values.set_index("feature")["value"]
        shared = [c for c in sd.index if c in values.index and pd.notna(values[c])]
        place = values[shared].to_frame(0).T.astype(np.float64) / sd[shared]
        found = _matched(place, free[shared] / sd[shared]) if shared and len(free) else {}
        if found:
            landed[key] = found[0]
            free = free.drop(index=found[0])
        else:
            _tell_vanished(given[key])
    return landed


def _is_number_now(key: str, given: Mapping[str, _Given], anchors: Mapping[str, _Anchor]) -> bool:
    """Return whether a key is a number of the previous run, not the name it stood for there."""
    if key not in anchors:
        return True
    before = anchors[key].given.shown
    moved = any(entry.shown == before for other, entry in given.items() if other != key)
    return moved and given[key].shown != before


def _matched(old: pd.DataFrame, now: pd.DataFrame) -> dict[int, int]:
    """Return which old segment became which, where they are near enough."""
    a, b = old.to_numpy(dtype=np.float64), now.to_numpy(dtype=np.float64)
    out = {}
    for i, j in enumerate(match_rows(a, b)):
        others = np.delete(a, i, axis=0)
        way = _rms(others - a[i]).min() if len(others) else 0.0
        if j >= 0 and _rms(b[[j]] - a[i])[0] <= max(_ALWAYS_NEAR, _PART_OF_THE_WAY * way):
            out[int(old.index[i])] = int(now.index[j])
    return out


def _rms(differences: FloatArray) -> FloatArray:
    out: FloatArray = np.sqrt((differences**2).mean(axis=1))
    return out


def _keep_apart(landed: dict[str, int], given: Mapping[str, _Given]) -> None:
    """Take a segment from every key but the first that has it."""
    first: dict[int, str] = {}
    for key, segment in list(landed.items()):
        if segment in first:
            del landed[key]
            tell(
                f'[segments] names: "{first[segment]}" ({given[first[segment]].shown}) and '
                f'"{key}" ({given[key].shown}) are for the same people, segment {segment} of '
                "this run: the second is not used. Take one of them out."
            )
        first.setdefault(segment, key)


def _new_anchors(
    given: Mapping[str, _Given],
    landed: Mapping[str, int],
    anchors: Mapping[str, _Anchor],
    now: pd.DataFrame,
    old: pd.DataFrame,
    sd: pd.Series,
) -> pd.DataFrame:
    parts = []
    for key, entry in given.items():
        segment = landed.get(key, 0)
        if segment:
            values = _values(now, segment, sd)
        elif key in anchors:
            values = anchors[key].values
        elif key in {str(s) for s in old.index}:
            values = _values(old, int(key), sd)
        else:
            continue
        part = values.assign(key=key, name=entry.name, text=entry.text, segment=segment)
        parts.append(part[list(ANCHOR_COLUMNS)])
    if not parts:
        return pd.DataFrame(columns=list(ANCHOR_COLUMNS))
    return pd.concat(parts, ignore_index=True)


def _values(centroids: pd.DataFrame, segment: int, sd: pd.Series) -> pd.DataFrame:
    row = centroids.loc[segment].dropna()
    return pd.DataFrame(
        {
            "feature": row.index.astype(str),
            "value": row.to_numpy(dtype=np.float64),
            "sd": sd.reindex(row.index).to_numpy(dtype=np.float64),
        }
    )


def _tell_unknown(keys: Iterable[str], known: pd.Index, where: str) -> None:
    unknown = sorted(keys)
    if unknown:
        last = max(known)
        tell(
            f"[segments] names and texts: there is no segment {', '.join(map(repr, unknown))} in "
            f"{where}, whose segments are 1 to {last}: not used. Give a number, such as "
            f'"{last}" = "...".'
        )


def _tell_vanished(entry: _Given) -> None:
    tell(
        f"[segments] names: no segment of this run is like the one that {entry.shown!r} was given "
        "to, so it is not used. Look at the report and give it another number, or take it out."
    )


def _tell_if_ambiguous(key: str, entry: _Given, anchor: _Anchor) -> None:
    if entry.shown != anchor.given.shown and anchor.segment not in (0, int(key)):
        tell(
            f'[segments] names: "{key}" was {anchor.given.shown!r}, segment {anchor.segment} of '
            f"the previous run, and those people are now called {entry.shown!r}. If you meant "
            f"segment {key} of that run, give {anchor.given.shown!r} its new number, "
            f'"{anchor.segment}".'
        )
