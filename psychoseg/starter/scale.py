"""What an answer scale is: of one column (`Frame`) and of a whole battery (`Scale`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["MAX_STEPS", "Frame", "FrameKind", "Scale"]

FrameKind = Literal["numbers", "slider", "labels", "words", "binary", "unordered"]

#: The most steps of a rating: 0 to 10 has eleven.
MAX_STEPS = 11


@dataclass(frozen=True, slots=True)
class Frame:
    """The answer scale of one column.

    Attributes
    ----------
    kind : str
        Numbers alone, a slider, codes with labels, words, two answers, or answers whose order
        nobody knows.
    key : tuple of str
        What two columns of one scale have in common: the levels, or the upper end.
    texts : tuple of str
        Answers (or, of codes with labels, their labels) on the scale.
    missing : tuple of str
        Answers as they stand in the file that mean "no answer".
    low, high : float
        Least and greatest code seen.
    """

    kind: FrameKind
    key: tuple[str, ...]
    texts: tuple[str, ...]
    missing: tuple[str, ...]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scale:
    """The answer scale of a whole battery, as the study file will say it.

    Attributes
    ----------
    code_of : dict of str to float
        Each answer as it stands in the file -> its code; what is absent is no answer.
    low, high : float
    codes : tuple of tuple of str
        Levels from low to high, in words; empty where the file holds the codes.
    missing : tuple of str
        Answers that mean "no answer".
    strays : tuple of str
        Answers outside the scale that few people gave.
    notes : tuple of str
        What was guessed.
    rates : bool
        The answers say how often in a week or a year: what people do, not what they think.
    counts : dict of str to int
        How many cells hold each of ``missing`` and ``strays``; what is not in it was not counted.
    meanings : dict of str to str
        What the file says that a code of ``missing`` means.
    unordered : bool
        Nobody knows the order of the answers: ``codes`` is a proposal.
    """

    code_of: dict[str, float]
    low: float
    high: float
    codes: tuple[tuple[str, ...], ...]
    missing: tuple[str, ...]
    strays: tuple[str, ...]
    notes: tuple[str, ...]
    rates: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)
    unordered: bool = False
