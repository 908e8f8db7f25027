"""Actions: which offers suit which segment, and why.

Owns what the ``wants`` of ``[[actions]]`` stand for and how well a segment meets them. Computes no
statistic: it reads the profile tables.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from psychoseg.errors import StudyError
from psychoseg.naming import say_amounts, say_percentages, size_of
from psychoseg.profiles.figures import Figure, read_figures
from psychoseg.study_report import Action

if TYPE_CHECKING:
    from psychoseg.scales import Scales
    from psychoseg.survey.table import Survey

__all__ = ["ACTION_COLUMNS", "check_actions", "rank_actions", "suits_in_part"]

ACTION_COLUMNS = ("segment", "rank", "action", "score", "fits", "reason")

#: Score from which an action suits at least in part: that of a single want met by what Cohen (1988)
#: calls a small effect.
_IN_PART = float(np.tanh(0.2))
#: Scores that are equal to so many decimals are tied.
_TIE_DECIMALS = 9
_NEAREST = 3
_DIRECTIONS = {"high": 1, "low": -1}


@dataclass(frozen=True, slots=True)
class _Want:
    """One want of an action, understood: the cell it is about, and more (1) or less (-1) of it."""

    cell: tuple[str, str, str]
    sign: int


def rank_actions(
    actions: Sequence[Action],
    means: pd.DataFrame,
    shares: pd.DataFrame,
    labels: Mapping[str, str],
) -> pd.DataFrame:
    """Rank the actions for every segment.

    Parameters
    ----------
    actions : sequence of Action
    means, shares : DataFrame
        Those of :class:`psychoseg.profiles.Profiles`; hidden figures are NaN and say nothing.
    labels : mapping of str to str
        Label of each scale and column, beside the labels that the tables have.

    Returns
    -------
    DataFrame
        ``segment, rank, action, score, fits, reason``; best first, ties by name.

    Raises
    ------
    StudyError
        Where a want names no scale, column or category; all of them at once.

    Notes
    -----
    A want is met by ``tanh(effect)``: Cohen's d of the segment against the rest (times -1 for
    "low"), or Cohen's h of a category's share. It is close to the effect where that is small and
    never beyond 1, so that one extreme does not outweigh everything else. The score is the mean
    over the wants, those of hidden figures left out; 0 where all are. An action fits where
    every want is met by at least a small effect. Where one is not, but the score is that of one
    small effect, .197, or more, it suits in part: the reason says so.

    A name is that of a scale or column, or else a label in lower case with "_" for anything but
    letters and digits: ``tech_savviness`` for "Tech-savviness".
    """
    if not actions:
        return pd.DataFrame(columns=list(ACTION_COLUMNS))
    figures = read_figures(means, shares)
    wants = _understood(actions, figures, labels)
    cells: dict[tuple[int, tuple[str, str, str]], Figure] = {}
    for f in figures:
        # Scales come first, and a scale is meant where a column has its name.
        cells.setdefault((f.segment, f.cell), f)
    rows = []
    for s in sorted({f.segment for f in figures}):
        judged = [
            (action.name, *_judge([(w, cells[s, w.cell]) for w in own]))
            for action, own in zip(actions, wants, strict=True)
        ]
        judged.sort(key=lambda j: (-round(j[1], _TIE_DECIMALS), j[0]))
        rows += [(s, rank, *line) for rank, line in enumerate(judged, start=1)]
    return pd.DataFrame(rows, columns=list(ACTION_COLUMNS))


def check_actions(actions: Sequence[Action], survey: Survey, scales: Scales) -> None:
    """Raise what :func:`rank_actions` would raise, before there are segments.

    Parameters
    ----------
    actions : sequence of Action
    survey : Survey
    scales : Scales

    Raises
    ------
    StudyError
        Where a want names no scale, column or category; all of them at once.
    """
    named = zip(scales.table["scale"], scales.table["label"], strict=True)
    figures = [_asked("means", str(scale), str(label)) for scale, label in named]
    for name in survey.columns.columns:
        variable, values = survey.codebook[name], survey.columns[name]
        if variable.kind == "choice":
            figures.append(_asked("shares", variable.block, variable.question, variable.label))
        elif isinstance(values.dtype, pd.CategoricalDtype):
            figures += [
                _asked("shares", name, variable.label, str(c)) for c in values.cat.categories
            ]
        else:
            figures.append(_asked("means", name, variable.label))
    _understood(actions, figures, {})


def suits_in_part(score: float, *, fits: bool) -> bool:
    """Return whether an action that does not meet every want still comes near.

    Parameters
    ----------
    score : float
    fits : bool
    """
    # 1e-9: a small effect that is 0.19999999999999998 is still small.
    return not fits and score >= _IN_PART - 1e-9


def _asked(
    table: Literal["means", "shares"], variable: str, label: str, category: str = ""
) -> Figure:
    """Return a figure of nobody, which says only what it is of."""
    return Figure(table, 0, variable, label, "", "", category, np.nan, np.nan, np.nan, 0.0)


def _understood(
    actions: Sequence[Action], figures: Sequence[Figure], labels: Mapping[str, str]
) -> list[list[_Want]]:
    # Scales come first: where a column has the name or the label of a scale, the scale is meant.
    shown: dict[str, str] = {}
    tables: dict[str, str] = {}
    answers: dict[str, list[str]] = {}
    for f in figures:
        shown.setdefault(f.variable, f.label)
        tables.setdefault(f.variable, f.table)
        if f.table == "shares" and f.category not in answers.setdefault(f.variable, []):
            answers[f.variable].append(f.category)
    by_text: dict[str, str] = {}
    for name, label in shown.items():
        for text in (name, labels.get(name, ""), label):
            by_text.setdefault(_plain(text), name)
    problems: list[str] = []

    def understand(place: str, key: str, wanted: str) -> _Want | None:
        name = key if key in shown else by_text.get(_plain(key), "")
        if not name:
            near = _nearest(key, [*shown, *by_text])
            problems.append(f"{place}: there is no scale or column of this name. {near}")
        elif tables[name] == "means":
            sign = _DIRECTIONS.get(wanted.strip().lower())
            if sign is not None:
                return _Want(("means", name, ""), sign)
            problems.append(
                f'{place} = {wanted!r}: {shown[name]!r} is a quantity. Write "high" or "low".'
            )
        else:
            found = [c for c in answers[name] if c == wanted]
            found += [c for c in answers[name] if _plain(c) == _plain(wanted)]
            if found:
                return _Want(("shares", name, found[0]), 1)
            near = _nearest(wanted, answers[name])
            problems.append(f"{place} = {wanted!r}: {shown[name]!r} has no such answer. {near}")
        return None

    out = []
    for action in actions:
        place = f"[[actions]] {action.name!r}, wants."
        every = [understand(place + key, key, wanted) for key, wanted in action.wants.items()]
        out.append([want for want in every if want is not None])
    if problems:
        raise StudyError("\n".join(problems))
    return out


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "_", text.lower()).strip("_")


def _nearest(text: str, known: Sequence[str]) -> str:
    lowered = {k.lower(): k for k in reversed(known)}
    close = difflib.get_close_matches(text.lower(), list(lowered), n=_NEAREST, cutoff=0.5)
    if close:
        return f"Did you mean {' or '.join(repr(lowered[c]) for c in close)}?"
    return f"Known are {', '.join(map(repr, dict.fromkeys(known)))}."


def _judge(wants: Sequence[tuple[_Want, Figure]]) -> tuple[float, bool, str]:
    """Return score, fit and reason."""
    told = [(w, f) for w, f in wants if not np.isnan(f.effect)]
    if not told:
        return 0.0, False, "Too few answers to say."
    met = [w.sign * float(np.tanh(f.effect)) for w, f in told]
    score = round(float(np.mean(met)), 12)
    fits = all(_level(f) == w.sign for w, f in told)
    parts = [_reason(w, f) for w, f in told]
    if len(told) < len(wants):
        parts.append("too few answers for the rest")
    in_part = suits_in_part(score, fits=fits)
    return score, fits, ("In part: " if in_part else "") + "; ".join(parts)


def _level(f: Figure) -> int:
    """Return 1 for more than average, -1 for less, 0 for about average."""
    return 0 if size_of(f.effect) == "negligible" else 1 if f.effect > 0 else -1


def _reason(want: _Want, f: Figure) -> str:
    level = _level(f)
    if f.table == "shares":
        value, total = say_percentages(f.value, f.total)
        what, words, goal = f"'{f.category}' ({f.label})", ("average", "more", "fewer"), "more"
    else:
        value, total = say_amounts(f.value, f.total, scale=f.kind == "scale")
        what, words = f.label, ("average", "high", "low")
        goal = "high" if want.sign > 0 else "low"
    wanted = "as wanted" if level == want.sign else f"{goal} wanted"
    # words[-1] is the last: what there is less of.
    return f"{what} {value} against {total} overall: {words[level]}, {wanted}"
