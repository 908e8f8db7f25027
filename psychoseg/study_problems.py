"""What is wrong with a study file, in sentences: where, what, and the nearest thing that is known.

Knows no setting: keys and choices are read off the model it is given.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from annotated_types import Ge
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

__all__ = ["describe_problems", "list_problems"]


def describe_problems(error: ValidationError, text: str, *, model: type[BaseModel]) -> list[str]:
    """Return what is wrong with a file, one sentence a problem, in file order.

    Parameters
    ----------
    error : pydantic.ValidationError
    text : str
        The file, for the lines.
    model : type
        The model of the whole file, for the keys and choices it knows.

    Returns
    -------
    list of str
        Each with its line, its place, its value and the nearest known name.
    """
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
        sentence = _sentence(detail["type"], detail["msg"], path, detail.get("input"), model)
        place = f"line {line}, {where}" if line else where
        if where not in seen:
            seen[where] = (line or 0, f"{place}: {sentence}")
    return [sentence for _, sentence in sorted(seen.values(), key=lambda p: p[0])]


def list_problems(problems: Iterable[str], file: Path) -> str:
    """Return what is wrong with a study file that can be read, each with its line, once.

    Parameters
    ----------
    problems : iterable of str
        Each begins with its place: ``items[1].columns: no column 'A9'.``
    file : Path
        The study file; where it is not there, or is being written, places have no line.

    Returns
    -------
    str
        A head and a line a problem. What is said of several places stands once, with all of them.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        text = ""
    places: dict[str, list[str]] = {}
    for problem in problems:
        where, _, sentence = problem.partition(": ")
        name = re.search(r"'([^']+)'", sentence)
        line = _line_of_problem(where, name.group(1) if name else "", text)
        places.setdefault(sentence, []).append(f"line {line}, {where}" if line else where)
    lines = [f"  - {'; '.join(dict.fromkeys(w))}: {s}" for s, w in places.items()]
    many = "s" if len(lines) > 1 else ""
    return "\n".join([f"{file} has {len(lines)} problem{many}:", *lines])


def _line_of_problem(where: str, name: str, text: str) -> int | None:
    """Return the line of a place such as ``items[2].columns``, or below it that of a name in it."""
    parts: list[int | str] = []
    for part in where.split("."):
        found = re.fullmatch(r"([a-z_]+)(?:\[(\d+)\])?", part)
        if found is None:
            return None
        parts.append(found.group(1))
        if found.group(2):
            parts.append(int(found.group(2)) - 1)
    start = _line_of(parts, text)
    if start is None:
        return None
    lines = text.splitlines()
    for number in range(start, len(lines) + 1):
        line = lines[number - 1]
        if number > start and line.lstrip().startswith("["):
            break
        if name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line):
            return number
    return start


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
    kind: str, message: str, path: list[int | str], value: object, model: type[BaseModel]
) -> str:
    shown = value if not isinstance(value, BaseModel | dict) else "this table"
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1], model)
        close = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.6)
        hint = f" Did you mean {close[0]}?" if close else f" Known here: {', '.join(known)}."
        return f"unknown key {path[-1]}.{hint}"
    if kind == "missing":
        return f"{path[-1]} is missing. Add it."
    if kind == "literal_error":
        allowed = _choices(path, model) or [message.removeprefix("Input should be ")]
        close = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.6)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        return f"{value!r} is not one of {', '.join(allowed)}.{hint}"
    if kind == "string_pattern_mismatch":
        return f"{path[-1]} is empty. Give it a text."
    if kind == "value_error":
        return message.removeprefix("Value error, ") + "."
    if kind in ("tuple_type", "list_type", "model_type", "dict_type", "too_long"):
        return _wrong_shape(path, value, model)
    if kind in _LIMITS and path and _is_share(path, model) and isinstance(value, int | float):
        hint = f" Write {value / 100:g} for {value:g} per cent." if 1 < value <= 100 else ""
        return f"{value!r} should be a share, from 0 to 1.{hint}"
    text = message.removeprefix("Input should be ")
    return f"{shown!r} should be {text}." if text != message else f"{message} (found {shown!r})."


_LIMITS = ("less_than_equal", "greater_than_equal", "less_than", "greater_than")


def _wrong_shape(path: list[int | str], value: object, model: type[BaseModel]) -> str:
    """Say that a list, a pair or a group is wanted, in the signs of TOML."""
    name = next((str(p) for p in reversed(path) if isinstance(p, str)), "this")
    if isinstance(value, dict):
        return f"{name} is a list of groups: write two brackets, [[{name}]]."
    if isinstance(value, list | tuple):
        if any(isinstance(entry, dict) for entry in value):
            return f"there is one {name} in a study: write one pair of brackets, [{name}]."
        return f"{list(value)!r} has {len(value)} entries, too many for {name}: give two."
    if _table_at(path, model) is not None:
        return f"{name} is a group of settings: write [{name}] on a line of its own."
    two = re.fullmatch(r"\s*(-?[\d.]+)\s*(?:-|–|to|:|,|;)\s*(-?[\d.]+)\s*", str(value))
    entries = ", ".join(two.groups()) if two else json.dumps(value, default=str)
    return f"{value!r} should be a list, such as [{entries}]."


def _is_share(path: list[int | str], model: type[BaseModel]) -> bool:
    """Tell whether a setting takes a number from 0 to 1."""
    table = _table_at(path[:-1], model)
    if table is None or path[-1] not in table.model_fields:
        return False
    ends = {getattr(m, end) for m in table.model_fields[str(path[-1])].metadata
            for end in ("ge", "le") if hasattr(m, end)}  # fmt: skip
    return ends == {0, 1}


def _table_at(path: Iterable[int | str], model: type[BaseModel]) -> type[BaseModel] | None:
    """Return the model that a path of keys leads to."""
    table: type[BaseModel] | None = model
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


def _known_keys(path: Iterable[int | str], model: type[BaseModel]) -> list[str]:
    table = _table_at(path, model)
    return [] if table is None else [k for k in table.model_fields if k not in ("folder", "path")]


def _choices(path: list[int | str], model: type[BaseModel]) -> list[str]:
    keys = [p for p in path if isinstance(p, str)]
    table = _table_at(keys[:-1], model)
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
