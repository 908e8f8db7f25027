"""Cells that hold no answer whatever the question: what programs and typists leave behind.

Knows no column: whether a mark stands amid numbers or words is for ``columns`` and ``frames``.
"""

from __future__ import annotations

import re
import unicodedata

from psychoseg.starter.vocabulary import plain

__all__ = ["is_mark", "is_no_number", "is_several_numbers"]

#: What spreadsheets, databases and statistics programs write for "nothing" or for an error.
_PROGRAMS = re.compile(
    r"#(n/?a|nv|null|value|wert|div/0|ref|bezug|name|num|zahl|error|spill|calc)[!?]?"
    r"|\\n|<na>|\(?null\)?|nan|\(blank\)|\(empty\)|\(leer\)|\(missing\)|system-?missing|sysmis"
)
#: What stands amid numbers for "no answer", and would be an answer amid words.
_AMID_NUMBERS = re.compile(
    r"n\.? ?/? ?a\.?|n\.? ?d\.?|none|nil|null|void|blank|empty|leer|missing|error|err|undefined"
    r"|false|x+|dk|d/k|kA|k\.? ?a\.?|skip(ped)?|no answer|refused|pass"
)
#: Several options ticked where one was asked for: "1,4", "2;3", "1 | 2".
_SEVERAL = re.compile(r"\d{1,2}( ?[,;|/&+] ?\d{1,2})+")
#: A sign that is itself an answer: "++" to "--".
_GRADES = frozenset("+")


def is_mark(text: str) -> bool:
    """Tell whether a text is nothing but signs, or what a program writes for "nothing"."""
    if _PROGRAMS.fullmatch(text.casefold().strip()):
        return True
    signs = all(unicodedata.category(c)[0] == "P" or c in "~^|=$<>" for c in text if c != " ")
    return signs and bool(text) and not _GRADES.intersection(text)


def is_no_number(text: str) -> bool:
    """Tell whether a text means "no answer" where the others are numbers."""
    return is_mark(text) or _AMID_NUMBERS.fullmatch(plain(text)) is not None


def is_several_numbers(text: str) -> bool:
    """Tell whether a text is several numbers, as where somebody ticked two options."""
    return _SEVERAL.fullmatch(text.strip()) is not None
