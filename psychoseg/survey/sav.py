"""Labelled columns <-> SPSS files: names, lengths, labels, formats and what SPSS allows of them.

Owns the limits of the format. ``spss`` reads such files for analysis; this module reads and writes
them as they are, user-missing codes and dates included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from psychoseg.errors import tell
from psychoseg.survey.raw import quoted_list

__all__ = ["SavColumn", "read_sav", "spss_names", "write_sav"]

#: Bytes of a name, of a variable's label, of a value's label and of a text in an SPSS file: IBM
#: SPSS Statistics, Command Syntax Reference, "Variable names", VARIABLE LABELS, VALUE LABELS and
#: "String variable formats".
MAX_NAME, MAX_LABEL, MAX_VALUE_LABEL, MAX_TEXT = 64, 256, 120, 32767
#: Codes that a variable may declare as missing one by one: MISSING VALUES.
MAX_MISSING = 3
#: Words that SPSS keeps for itself: "Variable names".
_RESERVED = frozenset(
    ("ALL", "AND", "BY", "EQ", "GE", "GT", "LE", "LT", "NE", "NOT", "OR", "TO", "WITH")
)
#: Where the header of the file keeps the date (9 bytes) and time (8) of writing, in place of which
#: go the first second of 1970, so that one run always gives the same bytes; GNU PSPP Developers
#: Guide, "File header record".
_WRITTEN_AT, _EPOCH = 92, b"01 Jan 7000:00:00"

Code = float | str


@dataclass(frozen=True, slots=True)
class SavColumn:
    """A column of an SPSS file.

    Attributes
    ----------
    name : str
        As it was; :func:`write_sav` makes it one that SPSS takes.
    values : pandas.Series, shape (n,)
        Floats with NaN, or texts.
    label : str
    value_labels : dict of code to str
        Codes are numbers or texts as the values are.
    missing : tuple of code or (code, code)
        What the file declares as "no answer": single codes, and ranges as pairs.
    measure : {"nominal", "ordinal", "scale", "unknown"}
    form : str
        SPSS's format, such as "F8.2" or "DATE11"; empty for SPSS's own choice.
    display_width : int
        Of the column in SPSS's window; 0 for SPSS's own choice.
    """

    name: str
    values: pd.Series
    label: str = ""
    value_labels: Mapping[Code, str] = field(default_factory=dict)
    missing: tuple[Code | tuple[Code, Code], ...] = ()
    measure: str = "unknown"
    form: str = ""
    display_width: int = 0

    @property
    def is_text(self) -> bool:
        """Return whether the values are texts."""
        return not pd.api.types.is_float_dtype(self.values.dtype)


@dataclass(frozen=True, slots=True)
class SavFile:
    """An SPSS file as it is: its columns, label, notes and names of multiple-response sets."""

    columns: tuple[SavColumn, ...]
    label: str
    notes: tuple[str, ...]
    sets: tuple[str, ...]


def read_sav(path: Path, encoding: str | None = None) -> SavFile:
    """Read an SPSS file with all that :func:`write_sav` can write again.

    Parameters
    ----------
    path : Path
        A file that ``psychoseg.survey.spss`` has read before, and that is sound therefore.
    encoding : str, optional
        In place of the one the file declares (.sav and .zsav).
    """
    import pyreadstat

    if path.suffix.lower() == ".por":
        frame, meta = pyreadstat.read_por(str(path), disable_datetime_conversion=True)
    else:
        frame, meta = pyreadstat.read_sav(
            str(path), user_missing=True, disable_datetime_conversion=True, encoding=encoding
        )
    columns = []
    for name in map(str, frame.columns):
        ranges = [(r["lo"], r["hi"]) for r in meta.missing_ranges.get(name, [])]
        columns.append(
            SavColumn(
                name,
                frame[name],
                label=str(meta.column_names_to_labels.get(name) or ""),
                value_labels=dict(meta.variable_value_labels.get(name, {})),
                missing=tuple(low if low == high else (low, high) for low, high in ranges),
                measure=str(meta.variable_measure.get(name, "unknown")),
                form=str(meta.original_variable_types.get(name, "")),
                display_width=int(meta.variable_display_width.get(name, 0)),
            )
        )
    return SavFile(
        tuple(columns), str(meta.file_label or ""), tuple(meta.notes or ()), tuple(meta.mr_sets)
    )


def write_sav(
    columns: Sequence[SavColumn], path: Path, *, label: str = "", notes: Sequence[str] = ()
) -> None:
    """Write columns as an SPSS file; the same columns give the same bytes.

    Parameters
    ----------
    columns : sequence of SavColumn
        All of one length. A name that SPSS does not take is made one, and stands as the label where
        there is none.
    path : Path
    label : str
        Of the file.
    notes : sequence of str

    Warns
    -----
    PsychosegWarning
        Where a text is longer than SPSS takes, and is cut.
    """
    import pyreadstat

    names = spss_names([column.name for column in columns])
    cut: list[str] = []
    values = {}
    for name, column in zip(names, columns, strict=True):
        values[name] = column.values.reset_index(drop=True)
        if column.is_text:
            values[name] = _fitting(values[name], column, cut)
    if cut:
        tell(
            f"texts longer than the {MAX_TEXT} bytes that SPSS takes were cut in {path.name}: "
            f"{quoted_list(cut)}."
        )
    by_name = dict(zip(names, columns, strict=True))
    pyreadstat.write_sav(
        pd.DataFrame(values),
        str(path),
        file_label=_cut(label, 64),
        column_labels={
            name: _cut(c.label or ("" if name == c.name else c.name), MAX_LABEL) or None
            for name, c in by_name.items()
        },
        note=list(notes) or None,
        row_compress=True,
        variable_value_labels={
            name: {code: _cut(text, MAX_VALUE_LABEL) for code, text in c.value_labels.items()}
            for name, c in by_name.items()
            if c.value_labels
        },
        missing_ranges={
            name: [
                {"lo": part[0], "hi": part[1]} if isinstance(part, tuple) else part
                for part in c.missing
            ]
            for name, c in by_name.items()
            if c.missing
        },
        variable_display_width={n: c.display_width for n, c in by_name.items() if c.display_width},
        variable_measure={n: c.measure for n, c in by_name.items()},
        variable_format={n: c.form for n, c in by_name.items() if c.form and not c.is_text},
    )
    with path.open("r+b") as file:
        file.seek(_WRITTEN_AT)
        file.write(_EPOCH)


def spss_names(names: Sequence[str]) -> list[str]:
    """Return names that SPSS takes, different from one another whatever the case of letters.

    Parameters
    ----------
    names : sequence of str
        A name that SPSS takes stays as it is, and comes before one that has to be changed.

    Notes
    -----
    A name has up to 64 bytes, starts with a letter, goes on with letters, digits and ``. _ @ # $``,
    does not end with a full stop, and is no word of SPSS's own. (SPSS itself also lets a name
    start with ``@``, which pyreadstat does not write.)
    """
    taken: set[str] = set()
    out: dict[int, str] = {}
    legal = [_is_legal(name) for name in names]
    first = {name.casefold(): i for i, name in reversed(list(enumerate(names))) if legal[i]}
    for i in sorted(range(len(names)), key=lambda i: first.get(names[i].casefold()) != i):
        stem = names[i] if legal[i] else _made_legal(names[i])
        name, number = stem, 2
        while name.casefold() in taken:
            ending = f"_{number}"
            name = _cut(stem, MAX_NAME - len(ending)) + ending
            number += 1
        taken.add(name.casefold())
        out[i] = name
    return [out[i] for i in range(len(names))]


def _is_legal(name: str) -> bool:
    return (
        name[:1].isalpha()
        and all(sign.isalpha() or sign.isdecimal() or sign in "._@#$" for sign in name)
        and not name.endswith(".")
        and len(name.encode()) <= MAX_NAME
        and name.upper() not in _RESERVED
    )


def _made_legal(name: str) -> str:
    signs = (s if s.isalpha() or s.isdecimal() or s in "._@#$" else "_" for s in name)
    plain = re.sub("_+", "_", "".join(signs)).lstrip("._@#$").rstrip("._")
    if not plain[:1].isalpha():
        plain = "v" + plain
    plain = _cut(plain, MAX_NAME).rstrip("._")
    return plain + "_" if plain.upper() in _RESERVED else plain


def _fitting(texts: pd.Series, column: SavColumn, cut: list[str]) -> pd.Series:
    """Return texts that SPSS takes, the column as wide as it was."""
    plain = texts.fillna("").astype(object)
    sizes = plain.map(lambda text: len(text.encode("utf-8", "replace")))
    if len(sizes) and sizes.max() > MAX_TEXT:
        cut.append(column.name)
        plain = plain.map(lambda text: _cut(text, MAX_TEXT))
    width = re.fullmatch("A([0-9]+)", column.form)
    if width and len(plain):
        # pyreadstat makes a column as wide as its longest text. SPSS fills up with spaces and reads
        # them as nothing.
        room = min(int(width[1]), MAX_TEXT) - len(plain.iloc[0].encode("utf-8", "replace"))
        plain.iloc[0] += " " * max(room, 0)
    return plain.astype("str")


def _cut(text: str, n_bytes: int) -> str:
    """Return as much of a text as has room in some bytes of UTF-8."""
    return text.encode("utf-8", "replace")[:n_bytes].decode("utf-8", "ignore")
