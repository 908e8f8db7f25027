"""Respondents for other programs: ``respondents.csv``, and ``respondents.sav`` for SPSS.

Owns which columns go out, under which names and labels, and what becomes of ids. Reads the files of
answers again for their own columns, and only where they are what the run has read.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from psychoseg.errors import DataError, PsychosegWarning, StudyError, tell
from psychoseg.run_folder import Run
from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.study import Study
from psychoseg.study_report import Format
from psychoseg.survey.merge import Joined, join_tables
from psychoseg.survey.personal_data import redact
from psychoseg.survey.raw import Field, number_text, parse_number
from psychoseg.survey.read import SPSS_ENDINGS, read_table
from psychoseg.survey.sav import MAX_MISSING, Code, SavColumn, read_sav, write_sav
from psychoseg.survey.select import match_columns
from psychoseg.survey.table import Variable
from psychoseg.table_files import write_table

__all__ = ["check_export", "write_respondents"]

#: Hexadecimal digits of a pseudonym: 80 bits, so that two of a million ids meet once in 2 * 10**12
#: exports; where they do, the export stops.
PSEUDONYM_DIGITS = 20
#: A shorter key can be found by trying, by whoever knows one id and its pseudonym.
KEY_LENGTH = 16
#: Measures of SPSS by the kinds of the codebook.
_MEASURES = {
    "likert": "ordinal",
    "ordinal": "ordinal",
    "numeric": "scale",
    "categorical": "nominal",
    "choice": "nominal",
    "text": "nominal",
}
#: Format of a number that may be a fraction, and of one that is whole.
_FRACTION, _WHOLE = "F8.2", "F8.0"
#: "00421" is no number: it would come back as 421.
_NO_NUMBER = re.compile(r"[+-]?0[0-9].*")


def check_export(study: Study) -> None:
    """Refuse pseudonyms without a key.

    Raises
    ------
    StudyError
        Where ``[export] ids = "pseudonym"`` and the environment variable is unset or empty.

    Warns
    -----
    PsychosegWarning
        Where the key is short.
    """
    if study.export.ids == "pseudonym":
        _key(study)


def write_respondents(run: Run, folder: Path, formats: Sequence[Format]) -> list[Path]:
    """Write the respondents for other programs.

    Parameters
    ----------
    run : Run
    folder : Path
        An existing folder.
    formats : sequence of str
        "csv" and "sav" are written here; others are passed over.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    StudyError
        Where pseudonyms are asked for and there is no key.
    DataError
        Where two ids would get one pseudonym; for SPSS, where a file of answers is not there any
        more or has changed since the run.

    Notes
    -----
    ``respondents.csv`` has who is in a segment: id, weight, scale scores, segment and its name,
    silhouette, certainty, place on the map.

    ``respondents.sav`` has everybody who was read, in the order of the file of answers: the
    original columns, with all that an SPSS file says of them or what the study says, then
    ``segment``, ``certainty``, the scale scores, ``map_1``, ``map_2``, ``weight_used`` and
    ``left_out``, the reason of whoever has no segment. Where a name is taken, the added one gets a
    number.

    With ``ids = "pseudonym"`` the id, and every column that holds the same as the id, becomes
    HMAC-SHA256 of it under the key; with ``ids = "drop"`` these columns are left out. In either
    case e-mails, telephone numbers, ids and the like are taken out of all texts.
    """
    written = []
    if "csv" in formats:
        path = folder / "respondents.csv"
        write_table(_table(run), path)
        written.append(path)
    if "sav" in formats:
        path = folder / "respondents.sav"
        _write_sav(run, path)
        written.append(path)
    return written


def _table(run: Run) -> pd.DataFrame:
    found = run.respondents
    if run.study.export.ids == "drop":
        return found.iloc[:, 1:]
    if run.study.export.ids == "pseudonym":
        names = _pseudonyms([str(i) for i in found.iloc[:, 0]], _key(run.study))
        return pd.concat([pd.Series(names, name="id", dtype="str"), found.iloc[:, 1:]], axis=1)
    return found


def _write_sav(run: Run, path: Path) -> None:
    study = run.study
    key = _key(study) if study.export.ids == "pseudonym" else b""
    files = (study.data, *study.merge)
    paths = [_checked(run, file.file) for file in files]
    with warnings.catch_warnings():
        # What was guessed of the files was told when the run read them.
        warnings.simplefilter("ignore", PsychosegWarning)
        tables = [
            read_table(file.model_copy(update={"file": str(place)}))
            for file, place in zip(files, paths, strict=True)
        ]
        joined, _ = join_tables(study, tables)
    label = ""
    notes: tuple[str, ...] = ()
    lost: list[str] = []
    columns: list[SavColumn] = []
    for number, (file, place) in enumerate(zip(files, paths, strict=True)):
        names = [name for name, source in joined.source_of.items() if source == number]
        if place.suffix.lower() in SPSS_ENDINGS:
            found = read_sav(place, None if file.encoding == "auto" else file.encoding)
            rows = joined.sources[number][1] - 1
            own = {column.name: column for column in found.columns}
            columns += [_moved(own[name], rows) for name in names]
            lost += [file.file] if found.sets else []
            if number == 0:
                label, notes = found.label, found.notes
        else:
            labels = _column_labels(study, list(joined.fields))
            columns += [
                _described(joined, name, run.survey.codebook.get(name), labels.get(name, {}))
                for name in names
            ]
    columns = _without_ids(columns, joined, study, key)
    if lost:
        tell(
            f"{path.name} has the columns of the multiple-response sets of {', '.join(lost)}, but "
            "not SPSS's definitions of these sets: define them again in SPSS (MRSETS)."
        )
    write_sav([*columns, *_added(run, joined)], path, label=label, notes=notes)


def _checked(run: Run, file: str) -> Path:
    """Return where a file of answers is, which must be the one that the run has read."""
    sums = run.manifest.get("inputs")
    known = {
        str(entry["file"]): str(entry["sha256"])
        for entry in (sums if isinstance(sums, list) else [])
        if isinstance(entry, Mapping)
    }
    folders = [run.study.folder]
    to_study = run.manifest.get("study_folder")
    if run.folder is not None and isinstance(to_study, str):
        # By name, as it was written: the run folder itself may not be in place yet.
        folders.append(Path(os.path.normpath(run.folder / to_study)))
    places = list(dict.fromkeys(folder / file for folder in folders))
    there = [place for place in places if place.is_file()]
    if not there:
        raise DataError(
            f"respondents.sav needs the file of answers again, and {places[-1]} is not there any "
            "more. Put it back, or run the study again."
        )
    for place in there:
        if hashlib.sha256(place.read_bytes()).hexdigest() == known.get(file):
            return place
    raise DataError(
        f"respondents.sav needs the file of answers as it was, and {there[-1]} has changed since "
        "the run. Put the old file back, or run the study again."
    )


def _moved(column: SavColumn, rows: IntArray) -> SavColumn:
    """Return a column with the rows of the respondents, empty where they have none."""
    found = column.values.iloc[np.maximum(rows, 0)].reset_index(drop=True)
    values = found.where(rows >= 0, "" if column.is_text else np.nan)
    return SavColumn(
        column.name,
        values,
        column.label,
        column.value_labels,
        column.missing,
        column.measure,
        column.form,
        column.display_width,
    )


def _described(
    joined: Joined, name: str, variable: Variable | None, labels: Mapping[str, str]
) -> SavColumn:
    """Return a column of a text or Excel file, with what the study says of it."""
    field = joined.fields[name]
    codes, uniques = pd.factorize(joined.cells[name].to_numpy(dtype=object))
    texts = [str(text) for text in uniques]
    label = "" if variable is None or variable.label == name else variable.label
    measure = "nominal" if variable is None else _MEASURES[variable.kind]
    numbers = _numbers(texts, field)
    if numbers is None or (variable is not None and variable.role == "id"):
        values = pd.Series(np.asarray(texts, dtype=object)[codes], dtype="str")
        return SavColumn(name, values, label, measure="nominal")
    of_codes: dict[Code, str] = {}
    if variable is not None:
        of_codes |= {float(code): text for code, text in variable.value_labels.items()}
    for code, text in labels.items():
        number = parse_number(code)
        if number is not None:
            of_codes[number] = text
    declared = () if variable is None else variable.missing
    missing = [n for text in declared if (n := parse_number(text)) is not None]
    if len(missing) > MAX_MISSING:
        numbers = np.where(np.isin(numbers, missing), np.nan, numbers)
        missing = []
    known = numbers[~np.isnan(numbers)]
    whole = bool((known == np.round(known)).all())
    if variable is None or (variable.role == "other" and not of_codes):
        measure = "scale" if len(known) > 12 or not whole else "unknown"
    return SavColumn(
        name,
        pd.Series(numbers[codes]),
        label,
        dict(sorted(of_codes.items(), key=lambda pair: float(pair[0]))),
        tuple(missing),
        measure,
        _WHOLE if whole else _FRACTION,
    )


def _numbers(texts: Sequence[str], field: Field) -> FloatArray | None:
    """Return the numbers that texts are, NaN for an empty one; None where some are no numbers."""
    found = []
    for text in texts:
        number = parse_number(text, field.decimal) if text else np.nan
        exact = number is not None and (abs(number) < 2.0**53 or np.isnan(number))
        if number is None or not exact or _NO_NUMBER.fullmatch(text):
            return None
        found.append(number)
    numbers = np.asarray(found, dtype=np.float64)
    return None if np.isnan(numbers).all() else numbers


def _column_labels(study: Study, names: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """Return what the study says that codes of its columns mean."""
    found: dict[str, Mapping[str, str]] = {}
    for exact in (True, False):
        for column in study.columns:
            if (column.name in names) == exact:
                for name in match_columns(column.name, names):
                    found.setdefault(name, column.labels)
    return found


def _without_ids(
    columns: list[SavColumn], joined: Joined, study: Study, key: bytes
) -> list[SavColumn]:
    """Drop ids, or put pseudonyms in their place, in every column that holds them."""
    if study.export.ids == "keep" or study.data.id is None:
        return columns
    ids = [_compared(i) for i in joined.ids]
    held = {
        name
        for name in joined.fields
        if name == study.data.id
        or all(_compared(text) == i for text, i in zip(joined.cells[name], ids, strict=True))
    }
    known = frozenset(joined.ids)
    if study.export.ids == "drop":
        return [_redacted(column, known) for column in columns if column.name not in held]
    names = pd.Series(_pseudonyms(joined.ids, key), dtype="str")
    return [
        SavColumn(column.name, names, column.label, measure="nominal")
        if column.name in held
        else _redacted(column, known)
        for column in columns
    ]


def _redacted(column: SavColumn, ids: frozenset[str]) -> SavColumn:
    """Return a column without personal data in its texts; numbers stay as they are."""
    values = column.values
    if not (pd.api.types.is_object_dtype(values.dtype) or pd.api.types.is_string_dtype(values)):
        return column
    codes, texts = pd.factorize(values, use_na_sentinel=False)
    clean = [redact(t, ids=ids) if isinstance(t, str) else t for t in texts]
    if list(texts) == clean:
        return column
    cleaned = pd.Series(clean, dtype=values.dtype).iloc[codes].reset_index(drop=True)
    return replace(column, values=cleaned)


def _compared(text: str) -> str:
    """Return an id without what may differ between two columns of one id: case, zeros, ".0"."""
    number = parse_number(text.strip())
    return text.strip().casefold() if number is None else number_text(number)


def _added(run: Run, joined: Joined) -> list[SavColumn]:
    """Return what the run found of each respondent, in the order of the file of answers."""
    survey, scales, segments = run.survey, run.scales, run.segments
    place = {i: position for position, i in enumerate(joined.ids)}
    unknown = [i for i in survey.ids if str(i) not in place]
    if unknown:
        raise DataError(
            f"{run.folder}: the run has the respondent {unknown[0]!r}, and the file of answers has "
            "not. Run the study again."
        )
    rows = np.array([place[str(i)] for i in survey.ids], dtype=np.intp)
    n = len(joined.ids)

    def spread(values: FloatArray, who: IntArray) -> pd.Series:
        out = np.full(n, np.nan)
        out[rows[who]] = values
        return pd.Series(out)

    everybody = np.arange(survey.n)
    labels = segments.labels.to_numpy()
    there = np.flatnonzero(labels > 0)
    point = segments.points.iloc[segments.point_of[there]]
    personas = run.profiles.personas
    names = {
        float(number): str(name)
        for number, name in zip(personas["segment"], personas["name"], strict=True)
    }
    added = [
        SavColumn(
            "segment",
            spread(labels[there].astype(np.float64), there),
            "Segment",
            dict(sorted(names.items())),
            measure="nominal",
            form=_WHOLE,
        ),
        SavColumn(
            "certainty",
            spread(segments.certainty.to_numpy()[there], there),
            "How sure the segment is (share of resamples)",
            measure="scale",
            form=_FRACTION,
        ),
    ]
    shown = dict(zip(scales.table["scale"], scales.table["label"], strict=True))
    added += [
        SavColumn(
            str(name),
            spread(scales.scores[name].to_numpy(np.float64), everybody),
            f"Scale: {shown.get(name, name)}",
            measure="scale",
            form=_FRACTION,
        )
        for name in scales.scores.columns
    ]
    added += [
        SavColumn(
            axis,
            spread(point[axis].to_numpy(np.float64), there),
            f"Place on the map, {which} axis",
            measure="scale",
            form=_FRACTION,
        )
        for axis, which in (("map_1", "first"), ("map_2", "second"))
    ]
    reasons = survey.ledger[survey.ledger["effect"] == "excluded"]
    why = pd.Series([""] * n, dtype=object)
    for i, reason in zip(reasons["respondent"], reasons["reason"], strict=True):
        why.iloc[place[str(i)]] = str(reason)
    return [
        *added,
        SavColumn(
            "weight_used",
            spread(survey.weights, everybody),
            "Weight used for the segments",
            measure="scale",
            form=_FRACTION,
        ),
        SavColumn("left_out", why.astype("str"), "Why in no segment", measure="nominal"),
    ]


def _key(study: Study) -> bytes:
    name = study.export.key
    key = os.environ.get(name, "")
    if not key.strip():
        raise StudyError(
            f'[export] ids = "pseudonym" needs a key, and the environment variable {name} is not '
            f"set. Set {name} to a secret text of {KEY_LENGTH} signs or more, and keep it: the "
            "same key gives the same pseudonyms."
        )
    if len(key) < KEY_LENGTH:
        tell(
            f"the key of pseudonyms in {name} has {len(key)} signs and can be found by trying. Use "
            f"{KEY_LENGTH} or more."
        )
    return key.encode("utf-8")


def _pseudonyms(ids: Sequence[str], key: bytes) -> list[str]:
    found = [
        hmac.new(key, i.encode("utf-8"), hashlib.sha256).hexdigest()[:PSEUDONYM_DIGITS] for i in ids
    ]
    if len(set(found)) < len(set(ids)):
        raise DataError("two ids have one pseudonym under this key. Use another key.")
    return found
