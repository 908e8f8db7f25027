"""Text that a spreadsheet would run as a formula, made harmless and turned back.

Owns which text that is. Knows no table but the one it is given, and writes no file.
"""

from __future__ import annotations

import re

import pandas as pd

__all__ = ["harmless", "harmless_frame", "unharmed"]

#: Put before the text, as OWASP's page "CSV Injection" says; spreadsheets take it for "this is
#: text".
_GUARD = "'"
#: Spaces and marks of quotation that programs drop or look through before they look for a formula:
#: ASCII, no-break, typographic and full-width ones, the byte order mark and zero-width characters.
#: The guard must be among them: text that carries it already is guarded once more, so that nothing
#: is lost on the way back.
_SKIPPED = (
    " '\"`\u00b4\u00a0\u00ab\u00bb\u1680\u2000-\u200d\u2018-\u201f\u202f\u205f\u2060\u3000\ufeff"
    "\uff02\uff07"
)
#: OWASP's = + - @, tab, carriage return and line feed, the other control characters, and the
#: full-width forms that some spreadsheets take for the plain ones (also the small forms).
_STARTS = "=+\\-@\\x00-\\x1f\\x7f-\\x9f\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b"
_RUNS = re.compile(f"[{_SKIPPED}]*(?=[{_STARTS}])")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def harmless(text: str) -> str:
    """Return text that no spreadsheet runs: with an apostrophe before it where one would.

    That is text which starts with ``= + - @``, a tab, a line end or another control character, or
    with a full-width form of these, also after spaces and marks of quotation. A plain number such
    as ``-3.5`` stays as it is.

    Examples
    --------
    >>> harmless("=1+1"), harmless("-3.5"), harmless("a=b")
    ("'=1+1", '-3.5', 'a=b')
    """
    return _GUARD + text if _runs(text) else text


def unharmed(text: str) -> str:
    """Return the text that :func:`harmless` was given; its exact inverse for every text.

    Examples
    --------
    >>> unharmed("'=1+1"), unharmed("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text.startswith(_GUARD) and _runs(text) else text


def harmless_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its texts, categories and column names made harmless.

    Parameters
    ----------
    frame : DataFrame
        Not changed. Numbers, truth values and missing values stay as they are; so does the index.
    """
    columns = [_harmless_column(frame.iloc[:, j]) for j in range(frame.shape[1])]
    out = pd.concat(columns, axis=1) if columns else frame.copy()
    return out.set_axis([_harmless_cell(name) for name in frame.columns], axis=1)


def _harmless_column(column: pd.Series) -> pd.Series:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return column.cat.rename_categories([_harmless_cell(c) for c in dtype.categories])
    if pd.api.types.is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype):
        codes, texts = pd.factorize(column, use_na_sentinel=False)
        safe = pd.Series([_harmless_cell(text) for text in texts], dtype=dtype)
        return safe.iloc[codes].set_axis(column.index)
    return column


def _harmless_cell(value: object) -> object:
    return harmless(value) if isinstance(value, str) else value


def _runs(text: str) -> bool:
    found = _RUNS.match(text)
    return found is not None and _NUMBER.fullmatch(text, found.end()) is None
