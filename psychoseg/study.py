"""The study file: ``study.toml`` read into a frozen, typed :class:`Study`.

Owns every setting, its default and its check. Never reads a respondent: whether a column exists is
for ``psychoseg.survey`` to say.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

import tomli_w
from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from psychoseg.errors import StudyError

__all__ = [
    "CleanRules",
    "Column",
    "DataFile",
    "EngineSettings",
    "ItemBattery",
    "Merge",
    "ReduceSettings",
    "ScaleKey",
    "ScalesSettings",
    "SegmentsSettings",
    "Study",
    "StudyInfo",
    "WeightsSettings",
    "load_study",
]

Code = int | float | str
Share = Annotated[float, Field(ge=0, le=1)]

#: Texts that mean "no answer" unless the study says otherwise: an empty cell, and what R and pandas
#: write. Not "None", which is an answer in many questionnaires.
DEFAULT_MISSING = ("", "NA", "NaN")


class _Table(BaseModel):
    """A table of the study file: unknown keys are refused, values are not changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StudyInfo(_Table):
    """``[study]``: what is asked, of whom, and the seed of everything random."""

    title: str = "Survey segmentation"
    description: str = ""
    population: str = ""
    source: str = ""
    seed: int = Field(default=1, ge=0)


class DataFile(_Table):
    """``[data]``: the file of answers. Paths are relative to the study file."""

    file: str
    id: str | None = None
    separator: str = "auto"
    encoding: str = "auto"
    decimal: Literal[".", ","] = "."
    sheet: str | int | None = None
    header_rows: int = Field(default=1, ge=1, le=3)
    missing: tuple[str, ...] = DEFAULT_MISSING
    labels: str | None = None


class Merge(DataFile):
    """``[[merge]]``: one more file, joined onto the answers.

    ``id`` is the key column in this file; ``to`` the one it meets in the answers (their id where
    absent).
    """

    id: str
    to: str | None = None
    expect: Literal["one_to_one", "many_to_one"] = "one_to_one"
    unmatched: Literal["drop", "keep", "error"] = "error"


class ItemBattery(_Table):
    """``[[items]]``: items that share one answer scale.

    ``columns`` takes names, ranges in file order (``"A1:A5"``) and patterns (``"mot_*"``).
    ``codes`` gives the text answers in order from low to high, or a table from text to code.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    question: str = ""
    range: tuple[float, float] | None = None
    codes: tuple[str, ...] | dict[str, float] | None = None
    missing: tuple[Code, ...] = ()
    out_of_range: Literal["error", "missing", "exclude"] = "error"
    reverse: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _range_is_a_range(self) -> ItemBattery:
        if isinstance(self.codes, tuple) and len(set(self.codes)) < max(2, len(self.codes)):
            msg = f"codes = {list(self.codes)} must be at least two different texts"
            raise ValueError(msg)
        if self.range is not None and not self.range[0] < self.range[1]:
            msg = f"range = {list(self.range)} must go from a lower to a higher code"
            raise ValueError(msg)
        return self


class CleanRules(_Table):
    """``[clean]``: who is left out before anything is computed."""

    min_answered: Share = 0.5
    straight_liners: Literal["keep", "exclude"] = "keep"


class WeightsSettings(_Table):
    """``[weights]``: the survey weight.

    ``sampling`` weights are rescaled to mean one over the respondents kept and count as Kish's
    effective sample size in tests; ``frequency`` weights say how many people a row stands for.
    """

    column: str
    kind: Literal["sampling", "frequency"] = "sampling"


class ScaleKey(_Table):
    """``[[scales.scale]]``: a scale named beforehand, its items and those keyed the other way."""

    name: str = Field(min_length=1, pattern=r"\S")
    items: tuple[str, ...] = Field(min_length=2)
    reverse: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _items_are_distinct(self) -> ScaleKey:
        twice = sorted({item for item in self.items if self.items.count(item) > 1})
        if twice:
            msg = f"the scale {self.name!r} lists {', '.join(twice)} more than once"
            raise ValueError(msg)
        return self


class ScalesSettings(_Table):
    """``[scales]``: how items become scales. With no ``[[scales.scale]]`` the scales are found."""

    correlation: Literal["pearson", "polychoric"] = "polychoric"
    n_factors: Literal["parallel"] | Annotated[int, Field(ge=1)] = "parallel"
    replicates: int = Field(default=100, ge=20)
    percentile: float = Field(default=95.0, gt=0, lt=100)
    min_loading: Share = 0.3
    min_answered: Share = 0.5
    scale: tuple[ScaleKey, ...] = ()
    #: A found scale that holds this item is called this: item -> name.
    names: dict[str, str] = Field(default_factory=dict)


class Column(_Table):
    """``[[columns]]``: a demographic or other column; ``name`` may be a pattern."""

    name: str
    use: Literal["active", "profile"] = "profile"
    type: Literal["auto", "numeric", "categorical"] = "auto"
    label: str = ""
    #: Categories in their order, as they stand in the file (or as their value labels).
    order: tuple[str, ...] = ()
    #: What a code means: "1" = "Female".
    labels: dict[str, str] = Field(default_factory=dict)
    missing: tuple[Code, ...] = ()


class ReduceSettings(_Table):
    """``[reduce]``: principal components of the active columns.

    ``components`` is a number, ``"share"`` (the fewest that carry ``share`` of the variance) or
    ``"all"``.
    """

    components: Literal["share", "all"] | Annotated[int, Field(ge=1)] = "share"
    share: float = Field(default=0.9, gt=0, le=1)


class SegmentsSettings(_Table):
    """``[segments]``: the tree, the cut, and when a cut counts as stable."""

    k: Literal["auto"] | Annotated[int, Field(ge=2)] = "auto"
    k_min: int = Field(default=2, ge=2)
    k_max: int = Field(default=10, ge=2)
    method: Literal["ward"] = "ward"
    min_share: float = Field(default=0.05, ge=0, lt=0.5)
    min_people: int = Field(default=30, ge=1)
    bootstrap: int = Field(default=100, ge=10)
    #: Mean bootstrap Jaccard of a segment below which it has dissolved, and at which a solution
    #: counts as valid (Hennig 2007, section 4; fpc::clusterboot's help page).
    min_jaccard: Share = 0.6
    stable_jaccard: Share = 0.75
    #: Names that replace the suggested ones: "1" = "Urban achievers".
    names: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _k_range_is_a_range(self) -> SegmentsSettings:
        if self.k_min > self.k_max:
            msg = f"k_min = {self.k_min} is above k_max = {self.k_max}"
            raise ValueError(msg)
        return self


class EngineSettings(_Table):
    """``[engine]``: which program computes, and with which of its tree builders."""

    name: Literal["python", "r", "both"] = "python"
    tree: Literal[
        "auto", "psychoseg", "scikit-learn", "scipy", "fastcluster", "hclust", "agnes", "hcut"
    ] = "auto"
    #: Seconds that one call into R may take.
    time_limit: float = Field(default=600.0, gt=0)


class Study(_Table):
    """A whole study file; ``folder``, not part of it, is where its relative paths start."""

    study: StudyInfo = StudyInfo()
    data: DataFile
    merge: tuple[Merge, ...] = ()
    items: tuple[ItemBattery, ...] = Field(min_length=1)
    clean: CleanRules = CleanRules()
    weights: WeightsSettings | None = None
    scales: ScalesSettings = ScalesSettings()
    columns: tuple[Column, ...] = ()
    reduce: ReduceSettings = ReduceSettings()
    segments: SegmentsSettings = SegmentsSettings()
    engine: EngineSettings = EngineSettings()
    folder: Path = Field(default=Path(), exclude=True)

    def to_toml(self) -> str:
        """Return the study as TOML, every default spelled out, unset keys left out."""
        table = _without_none(self.model_dump(mode="json"))
        return tomli_w.dumps(table) if isinstance(table, dict) else ""


def load_study(path: str | Path) -> Study:
    """Read a study file, or the ``study.toml`` of a folder.

    Parameters
    ----------
    path : str or Path
        The file, or the folder that holds ``study.toml``.

    Returns
    -------
    Study

    Raises
    ------
    StudyError
        Where there is no such file, it is not TOML, or its settings are wrong; all wrong settings
        are listed at once, each with its line, its value and the nearest known name.
    """
    path = Path(path)
    file = path / "study.toml" if path.is_dir() else path
    if not file.is_file():
        what = f"the folder {path} holds no study.toml" if path.is_dir() else f"no file {path}"
        raise StudyError(f"{what}. Name a study folder, or its study.toml.")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError(
            f"{file} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from None
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{file} is not valid TOML: {error}.") from None
    if "folder" in raw:
        raise StudyError(f"{file}: unknown key folder. Paths start at the study file's own folder.")
    try:
        return Study.model_validate({**raw, "folder": file.parent})
    except ValidationError as error:
        problems = _problems(error, text)
        head = f"{file} has {len(problems)} problem{'s' if len(problems) > 1 else ''}:"
        raise StudyError("\n".join([head, *(f"  - {p}" for p in problems)])) from None


def _without_none(value: object) -> object:
    if isinstance(value, Mapping):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_without_none(v) for v in value]
    return value


def _problems(error: ValidationError, text: str) -> list[str]:
    """Return one sentence a problem, in file order."""
    seen: dict[str, tuple[int, str]] = {}
    details = error.errors()
    # A list whose tables are wrong is also reported as too short: the tables' own problems say it
    # better.
    broken = {d["loc"][0] for d in details if len(d["loc"]) > 1}
    for detail in details:
        if detail["type"] == "too_short" and detail["loc"][0] in broken and len(detail["loc"]) == 1:
            continue
        path = [part for part in detail["loc"] if not _is_union_branch(part)]
        where = _dotted(path)
        line = _line_of(path, text)
        sentence = _sentence(
            detail["type"], detail["msg"], path, detail.get("input"), detail["loc"]
        )
        place = f"line {line}, {where}" if line else where
        if where not in seen:
            seen[where] = (line or 0, f"{place}: {sentence}")
    return [sentence for _, sentence in sorted(seen.values(), key=lambda p: p[0])]


def _is_union_branch(part: int | str) -> bool:
    return isinstance(part, str) and bool(
        re.match(r"(literal|constrained|function|tuple|dict|is-instance|int$|float$|str$)", part)
        and ("[" in part or part in {"int", "float", "str", "constrained-int"})
    )


def _dotted(path: Iterable[int | str]) -> str:
    out = ""
    for part in path:
        out += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out or "the file"


def _sentence(
    kind: str, message: str, path: list[int | str], value: object, loc: tuple[int | str, ...]
) -> str:
    shown = value if not isinstance(value, BaseModel | dict) else "this table"
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1])
        close = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.6)
        hint = f" Did you mean {close[0]}?" if close else f" Known here: {', '.join(known)}."
        return f"unknown key {path[-1]}.{hint}"
    if kind == "missing":
        return f"{path[-1]} is missing. Add it."
    if kind == "literal_error":
        allowed = _choices(path) or [message.removeprefix("Input should be ")]
        close = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.6)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        return f"{value!r} is not one of {', '.join(allowed)}.{hint}"
    if kind == "string_pattern_mismatch":
        return f"{path[-1]} is empty. Give it a text."
    if kind == "value_error":
        return message.removeprefix("Value error, ") + "."
    text = message.removeprefix("Input should be ")
    return f"{shown!r} should be {text}." if text != message else f"{message} (found {shown!r})."


def _table_at(path: Iterable[int | str]) -> type[BaseModel] | None:
    """Return the model that a path of keys leads to."""
    table: type[BaseModel] | None = Study
    for part in path:
        if isinstance(part, int):
            continue
        if table is None or part not in table.model_fields:
            return None
        table = _model_in(table.model_fields[part].annotation)
    return table


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in get_args(annotation) if (m := _model_in(a)) is not None), None)


def _known_keys(path: Iterable[int | str]) -> list[str]:
    table = _table_at(path)
    return [] if table is None else [k for k in table.model_fields if k != "folder"]


def _choices(path: list[int | str]) -> list[str]:
    keys = [p for p in path if isinstance(p, str)]
    table = _table_at(keys[:-1])
    if table is None or not keys or keys[-1] not in table.model_fields:
        return []
    return _literals(table.model_fields[keys[-1]].annotation)


def _literals(annotation: object) -> list[str]:
    out: list[str] = []
    for arg in get_args(annotation):
        if isinstance(arg, str):
            out.append(arg)
        elif arg is int:
            out.append("a whole number")
        elif isinstance(arg, FieldInfo):
            low = [f" from {m.ge}" for m in arg.metadata if isinstance(m, Ge)]
            out = [t + "".join(low) if t == "a whole number" else t for t in out]
        else:
            out.extend(_literals(arg))
    return out


def _line_of(path: list[int | str], text: str) -> int | None:
    """Find the line a key stands on: a search in the text, since tomllib keeps no positions."""
    if not path:
        return None
    heads = [p for p in path[:-1] if isinstance(p, str)]
    index = next((p for p in path if isinstance(p, int)), 0)
    header = ".".join(heads) or str(path[-1])
    found = -1
    inside = not heads
    for number, line in enumerate(text.splitlines(), start=1):
        table = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line)
        if table and "=" not in line.split("]")[0]:
            name = table.group(1).replace('"', "")
            if name == header:
                found += 1
            inside = name == header and (found == index or "[[" not in line)
            if name == ".".join(p for p in path if isinstance(p, str)):
                return number
        elif inside and re.match(rf"\s*\"?{re.escape(str(path[-1]))}\"?\s*=", line):
            return number
    return None
