"""How a survey was filled in: durations, times of items and pages, what platforms add.

Knows what these columns are called and look like; never takes a rating for one.
"""

from __future__ import annotations

import re

import numpy as np

__all__ = ["clock_share", "is_duration_name", "is_paradata_name", "is_timing_name", "mostly_short"]

#: A duration or a time of day with its seconds.
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)([.,]\d+)?")
#: Surveys take less than this, in hours; most times of day are later.
_LONG, _SHORT_SHARE = 4, 0.9

_DURATION = re.compile(
    r"duration|elapse|\bseconds\b|time ?spent|completion ?time|interview ?time|time ?taken|dauer\b|"
    r"\bduree\b|duracion|\blapse|page submit|interviewtime|loi\b|total ?time|work ?time|time sum\b"
    r"|bearbeitungszeit|durata|duur\b|tempo total|tiempo total"
)
#: The time that one item or page took: time_1, Q3_rt, groupTime12, TIME001, rts1234.
_TIMING = re.compile(
    r"(^|\b)(time|timer|timing|timings|rt|rts|latency|reaction ?time|response ?time|resp ?time"
    r"|page ?time|group ?time|question ?time|item ?time|page ?timer|msec|millis|zeit)"
    r"( ?(page|item|q|question|group|block|screen))? ?\d+\b"
    r"|\b(q|item|page|p|v|frage|block|screen)? ?\d+ ?(time|timer|timing|rt|latency|elapsed|ms|msec"
    r"|page submit|zeit)$"
    r"|(first click|last click|click count|page submit)$"
)
#: What LimeSurvey, SoSci, Unipark, Kobo, Typeform, Prolific and MTurk add of their own.
_PARADATA = re.compile(
    r"last ?page|start ?language|seed|submit ?date|date ?stamp|refurl|referr?er|network id|hit ?id"
    r"|assignment ?id|worker ?id|life ?time ?approval ?rate|last\d+daysapprovalrate|device ?id"
    r"|sim ?serial|subscriber ?id|form ?hub uuid|meta instance ?i ?d|validation status|submitted by"
    r"|submission (time|id)|questnnr|mailsent|max ?page|q viewer|missrel|time rsi|deg time"
    r"|dispcode|external lfdn|lfdn|tester|quota( assignment)?|page history|hflip|vflip|output mode"
    r"|javascript|flash|cleaned|session ?id|unique ?network ?location|approved at"
    r"|reviewed at|archived at|completion code|total approvals|custom study tncs accepted at"
    r"|started at|completed at|date of (last access|first mail)"
)


def is_duration_name(words: str) -> bool:
    """Tell whether plain words name how long a survey or a page took."""
    return _DURATION.search(words) is not None


def is_timing_name(words: str) -> bool:
    """Tell whether plain words name how long one item took."""
    return _TIMING.search(words) is not None


def is_paradata_name(words: str) -> bool:
    """Tell whether plain words are a column that a survey platform adds."""
    return _PARADATA.fullmatch(words) is not None


def clock_share(
    texts: tuple[str, ...], counts: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> float:
    """Return the share of answers that are hours, minutes and seconds."""
    met = np.array([_CLOCK.fullmatch(t) is not None for t in texts], dtype=bool)
    return float(counts[met].sum() / max(1, counts.sum()))


def mostly_short(
    texts: tuple[str, ...], counts: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> bool:
    """Tell whether hours, minutes and seconds are spans rather than times of day."""
    short = [
        (found := _CLOCK.fullmatch(t)) is not None and int(found.group(1)) < _LONG for t in texts
    ]
    share = counts[np.array(short, dtype=bool)].sum() / max(1, counts.sum())
    return bool(share >= _SHORT_SHARE)
