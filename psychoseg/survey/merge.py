"""Files joined onto the answers by id: who meets whom, who nobody, and where a join must stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError
from psychoseg.study import Merge, Study
from psychoseg.survey.ledger import Ledger
from psychoseg.survey.raw import EXAMPLES, Field, TextTable, rows_text

__all__ = ["Joined", "join_tables"]


@dataclass(frozen=True, slots=True)
class Joined:
    """The answers with the other files' columns beside them.

    Attributes
    ----------
    ids : tuple of str
        Respondents in the order of the answers; the number of the row, counted from 1, where the
        study has no id.
    cells : DataFrame of str, shape (n, columns)
        ``""`` where there is no answer or no partner.
    fields : dict of str to Field
    sources : tuple of (str, ndarray of int)
        For each file its name and, for each respondent, the row in it (-1 for none).
    source_of : dict of str to int
        Which of the sources a column comes from.
    """

    ids: tuple[str, ...]
    cells: pd.DataFrame
    fields: Mapping[str, Field]
    sources: tuple[tuple[str, npt.NDArray[np.int64]], ...]
    source_of: Mapping[str, int]

    def rows(self, column: str, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return where in its own file a column's cells stand."""
        return self.sources[self.source_of[column]][1][positions]


def join_tables(study: Study, tables: Sequence[TextTable]) -> tuple[Joined, Ledger]:
    """Join the merged files onto the answers.

    Parameters
    ----------
    study : Study
        Its ``merge`` says for each file what to expect and what becomes of the unmatched.
    tables : sequence of TextTable
        The answers, then the merged files in the order of the study.

    Returns
    -------
    joined : Joined
        All respondents of the answers, those to be dropped too.
    ledger : Ledger
        With the unmatched respondents excluded where the study says ``drop``, and one line for each
        row of a merged file that met nobody, and for each that the study leaves out of a file.

    Raises
    ------
    DataError
        Where an id is blank or repeats, a join fans out, two files share a column name, nobody
        meets anybody, or somebody is unmatched and the study says ``error``.

    Notes
    -----
    Ids are compared as text without the spaces around them: ``00123`` is not ``123``.
    """
    main = tables[0]
    key = study.data.id
    ids = (
        tuple(str(i) for i in range(1, len(main.cells) + 1))
        if key is None
        else tuple(_key(main, key, "id", unique=True))
    )
    ledger = Ledger(ids, main.file, main.rows)
    for table in tables:
        for row in table.left_out:
            ledger.note(row.id, table.file, row.row, "read", "unused", row.reason)
    joined = Joined(
        ids,
        main.cells,
        dict(main.fields),
        ((main.file, main.rows),),
        dict.fromkeys(map(str, main.cells.columns), 0),
    )
    for merge, table in zip(study.merge, tables[1:], strict=True):
        joined = _join(joined, merge, table, main, ledger)
    return joined, ledger


def _join(
    joined: Joined, merge: Merge, table: TextTable, main: TextTable, ledger: Ledger
) -> Joined:
    theirs = _key(table, merge.id, "key", unique=True, fan_out=main.file)
    ours = joined.cells[merge.to].tolist() if merge.to is not None else list(joined.ids)
    if merge.expect == "one_to_one" and merge.to is not None:
        _check_unique(
            [k for k in ours if k],
            main.rows[[bool(k) for k in ours]],
            f"{main.file} repeats the key {merge.to}",
            f'Where several respondents share one row of {merge.file}, set expect = "many_to_one".',
        )
    names = [name for name in map(str, table.cells.columns) if name != merge.id]
    shared = [name for name in names if name in joined.fields]
    if shared:
        raise DataError(
            f"{merge.file} and the files before it both have the "
            f"column{'s' if len(shared) > 1 else ''} "
            f"{', '.join(repr(n) for n in shared)}. Rename or remove them in one of the files."
        )
    place = {k: i for i, k in enumerate(theirs)}
    partner = np.asarray([place.get(k, -1) for k in ours], dtype=np.int64)
    _check_unmatched(partner, ours, theirs, merge, main, joined, ledger)
    met = np.zeros(len(theirs), dtype=bool)
    met[partner[partner >= 0]] = True
    for i in np.flatnonzero(~met):
        reason = f"no respondent of {main.file} has this {merge.to or 'id'}"
        ledger.note(theirs[i], table.file, int(table.rows[i]), "merge", "unused", reason)
    taken = {
        name: np.where(partner >= 0, table.cells[name].to_numpy(dtype=object)[partner], "")
        for name in names
    }
    frame = pd.concat([joined.cells, pd.DataFrame(taken, columns=names, dtype=object)], axis=1)
    number = len(joined.sources)
    return Joined(
        joined.ids,
        frame,
        {**joined.fields, **{name: table.fields[name] for name in names}},
        (*joined.sources, (table.file, np.where(partner >= 0, table.rows[partner], -1))),
        {**joined.source_of, **dict.fromkeys(names, number)},
    )


def _check_unmatched(
    partner: npt.NDArray[np.int64],
    ours: Sequence[str],
    theirs: Sequence[str],
    merge: Merge,
    main: TextTable,
    joined: Joined,
    ledger: Ledger,
) -> None:
    alone = np.flatnonzero(partner < 0)
    if len(alone) == len(partner):
        raise DataError(
            f"no respondent of {main.file} meets a row of {merge.file}: ids read {_shown(ours)} "
            "here and "
            f"{_shown(theirs)} there. Name the columns that hold the same ids (id, and to for the "
            "answers)."
        )
    if not len(alone):
        return
    if merge.unmatched == "error":
        named = [f"{joined.ids[i]!r} (row {main.rows[i]})" for i in alone[:EXAMPLES]]
        more = f" and {len(alone) - EXAMPLES} more" if len(alone) > EXAMPLES else ""
        raise DataError(
            f"{len(alone)} of {len(partner)} respondents of {main.file} are not in {merge.file}: "
            f'{", ".join(named)}{more}. Set unmatched = "drop" to leave them out, or "keep" to '
            f"keep them without its columns."
        )
    if merge.unmatched == "drop":
        ledger.exclude(alone, "merge", [f"not in {merge.file}"] * len(alone))


def _key(table: TextTable, column: str, what: str, *, unique: bool, fan_out: str = "") -> list[str]:
    keys: list[str] = table.cells[column].tolist()
    blank = [i for i, key in enumerate(keys) if not key]
    if blank:
        raise DataError(
            f"{table.path}: the {what} {column} is blank in {rows_text(table.rows[blank])}. Fill "
            "it in, or remove the rows."
        )
    if unique:
        remedy = (
            f"Each would meet respondents of {fan_out} more than once; keep one row for each, or "
            'set duplicates = "first" (or "last").'
            if fan_out
            else 'Keep one row for each respondent, set duplicates = "first" (or "last") to keep '
            "one of them, or name another id."
        )
        _check_unique(keys, table.rows, f"{table.path} repeats the {what} {column}", remedy)
    return keys


def _check_unique(keys: Sequence[str], rows: npt.NDArray[np.int64], what: str, remedy: str) -> None:
    series = pd.Series(list(keys), dtype=object)
    repeated = series[series.duplicated()].unique().tolist()
    if repeated:
        named = [
            f"{key!r} ({rows_text(rows[(series == key).to_numpy()])})"
            for key in repeated[:EXAMPLES]
        ]
        more = f" and {len(repeated) - EXAMPLES} more" if len(repeated) > EXAMPLES else ""
        raise DataError(f"{what}: {', '.join(named)}{more}. {remedy}")


def _shown(keys: Sequence[str]) -> str:
    return ", ".join(repr(key) for key in keys[:3])
