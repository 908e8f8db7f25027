"""Text that fits: measured before it is set, made smaller within limits, then cut at a word.

Widths are estimates on the generous side, since the reader's machine chooses the font. Knows
neither slides nor runs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from psychoseg.plots.canvas import text_width

__all__ = ["LEADING", "Line", "clean", "cut_text", "fit_lines", "ltr", "tall_of", "unbroken"]

#: Distance of lines of type over their size; more than any usual font asks for.
LEADING = 1.22
#: A text is cut at the end of a word where so much of what fits remains.
_WHOLE_WORDS = 0.55
#: More paragraphs than this no slide shows; a guard for texts without end.
_MOST_LINES = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph: ``colour`` is a hex colour, "muted", or "" for the theme's text.

    ``scale`` is its size beside the others', ``space`` the room above it in lines.
    """

    text: str
    bold: bool = False
    colour: str = ""
    scale: float = 1.0
    space: float = 0.0


def clean(text: str) -> str:
    """Return a text in one line, without what XML forbids or what turns other text around."""
    kept = (" " if unicodedata.category(c) == "Cc" else c for c in text)
    plain = "".join(
        c
        for c in kept
        if unicodedata.category(c) != "Cs" and c not in "\ufffe\uffff"
        and not "\u202a" <= c <= "\u202e" and not "\u2066" <= c <= "\u2069"
    )  # fmt: skip
    return " ".join(plain.split())


def cut_text(text: str, width: float, size: float, lines: int, *, bold: bool = False) -> str:
    """Return as much of a text as fits so many lines, whole words and an ellipsis."""
    text = clean(text)
    if _fits(text, width, size, lines, bold=bold):
        return text
    low, high = 0, len(text)
    while low < high - 1:
        middle = (low + high) // 2
        if _fits(text[:middle] + "…", width, size, lines, bold=bold):
            low = middle
        else:
            high = middle
    kept = text[:low]
    at = kept.rfind(" ")
    # Half of one endless word says more than the short word before it alone.
    if text[low : low + 1] != " " and at >= _WHOLE_WORDS * low:
        kept = kept[:at]
    return kept.rstrip(" ,;:.") + "…"


def ltr(text: str) -> str:
    """Return a text after which what follows goes on from left to right, whatever its script."""
    turned = any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)
    return f"{text}\u200e" if turned else text


def fit_lines(
    lines: Sequence[Line], width: float, height: float, sizes: Sequence[float]
) -> tuple[float, list[Line], list[str]]:
    """Return the largest size at which paragraphs fit, the paragraphs, and in full what was cut."""
    plain = [replace(line, text=clean(line.text)) for line in lines if clean(line.text)]
    plain = plain[:_MOST_LINES]
    for size in sizes:
        whole = unbroken(plain, width, size, sizes[-1])
        if whole and tall_of(plain, width, size) <= height + 0.01:
            return size, plain, []
    size = sizes[-1]
    if tall_of(plain, width, size) <= height + 0.01:
        return size, plain, []
    shown: list[Line] = []
    left = height + 0.01
    for line in plain:
        own = size * line.scale
        left -= line.space * size if shown else 0.0
        fit = int(left / (own * LEADING))
        if fit < 1 and shown:
            break
        text = cut_text(line.text, width, own, max(fit, 1), bold=line.bold)
        shown.append(replace(line, text=text))
        left -= tall_of([replace(shown[-1], space=0.0)], width, size)
        if text != line.text:
            break
    if len(shown) < len(plain) and not shown[-1].text.endswith("…"):
        last = shown[-1]
        own = size * last.scale
        taken = _count(last.text, width, own, bold=last.bold)
        text = cut_text(f"{last.text.rstrip(' .')} …", width, own, taken, bold=last.bold)
        shown[-1] = replace(last, text=text)
    lost = [
        line.text for i, line in enumerate(plain)
        if i >= len(shown) or shown[i].text != line.text
    ]  # fmt: skip
    return size, shown, lost


def tall_of(lines: Sequence[Line], width: float, size: float) -> float:
    """Return the height in points of paragraphs of a width in points."""
    return sum(
        _count(line.text, width, size * line.scale, bold=line.bold)
        * size * line.scale * LEADING
        + (line.space * size if i else 0.0)
        for i, line in enumerate(lines)
    )  # fmt: skip


def unbroken(lines: Sequence[Line], width: float, size: float, least: float) -> bool:
    """Tell whether every word that fits a line at the least size fits one at this."""
    for line in lines:
        for word in line.text.split():
            wide = line.scale * _em(word, line.bold)
            if wide * size > width >= wide * least:
                return False
    return True


def _fits(text: str, width: float, size: float, lines: int, *, bold: bool) -> bool:
    return _count(text, width, size, bold=bold) <= lines


def _count(text: str, width: float, size: float, *, bold: bool) -> int:
    """Return the lines that a text takes; a word too wide for a line starts one and is broken."""
    room, space = width / size, _em(" ", bold)
    lines, used = 1, 0.0
    for word in text.split(" "):
        wide = _em(word, bold)
        if used and used + space + wide <= room:
            used += space + wide
            continue
        lines += used > 0
        used = wide
        if wide > room:
            used = 0.0
            for letter in word:
                own = _em(letter, bold)
                if used and used + own > room:
                    lines += 1
                    used = 0.0
                used += own
    return lines


@lru_cache(maxsize=1 << 16)
def _em(text: str, bold: bool) -> float:
    """Return a text's width over the size of its type."""
    return text_width(text, 1.0, bold=bold)
