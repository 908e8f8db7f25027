"""How a result shows itself: a line at a prompt, a table in a notebook, a summary on demand.

Owns the form alone; each result says what is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
import pandas as pd

__all__ = ["Summary", "plain_share", "short_number"]

#: Rows of a table that are shown; the result itself has all of them.
_ROWS = 30


@dataclass(frozen=True, slots=True, repr=False)
class Summary:
    """What a result holds, in short: text where it is printed, HTML in a notebook.

    Attributes
    ----------
    title : str
    lines : sequence of str
    tables : mapping of str to DataFrame
        By heading; the first is what a notebook shows of the result itself.
    """

    title: str
    lines: Sequence[str] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def __repr__(self) -> str:
        parts = [self.title, *self.lines]
        for heading, table in self.tables.items():
            body = table.head(_ROWS).to_string(
                index=False, float_format=short_number, na_rep="", justify="left"
            )
            parts += ["", heading, body, *self._rest(table)]
        return "\n".join(parts)

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        parts = [f"<strong>{escape(self.title)}</strong>"]
        parts += [f"<div>{escape(line)}</div>" for line in self.lines]
        for heading, table in self.tables.items():
            body = table.head(_ROWS).to_html(
                index=False, float_format=short_number, na_rep="", border=0
            )
            parts += [f"<div><em>{escape(heading)}</em></div>", body, *self._rest(table)]
        return f"<div>{''.join(parts)}</div>"

    def first(self) -> Summary:
        """Return the title and the first table alone."""
        return Summary(self.title, (), dict(list(self.tables.items())[:1]))

    @staticmethod
    def _rest(table: pd.DataFrame) -> list[str]:
        return [f"... and {len(table) - _ROWS} more rows"] if len(table) > _ROWS else []


def short_number(value: float) -> str:
    """Return a number as a table shows it: two decimals, none from 1,000 on."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"


def plain_share(value: float) -> str:
    """Return a coefficient below one without its nought, such as .84."""
    return "?" if not np.isfinite(value) else f"{value:.2f}".replace("0.", ".", 1)
