"""What comes with the package to look things up: every setting of a study file, and the R scripts.

The settings are read off their own classes, so that no word of the reference can be out of date.
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from psychoseg.errors import StudyError
from psychoseg.study import Study
from psychoseg.study_table import Table

__all__ = ["r_scripts", "settings_reference"]

_WIDTH = 100


def settings_reference(table: str | None = None) -> str:
    """Return every setting of a study file: what it means, what it may be, and its default.

    Parameters
    ----------
    table : str, optional
        One table alone, such as ``"segments"``, with those in it; all where absent.

    Returns
    -------
    str
        In the order of a study file, which may be written as TOML.

    Raises
    ------
    StudyError
        Where there is no such table.

    Examples
    --------
    >>> import psychoseg
    >>> print(psychoseg.settings_reference("engine").splitlines()[0])
    [engine]
    """
    parts = dict(_tables(Study, "", repeated=False))
    if table is not None:
        wanted = table.strip("[] ")
        chosen = {name: text for name, text in parts.items() if f"{name}.".startswith(f"{wanted}.")}
        if not chosen:
            raise StudyError(f"there is no table [{wanted}]. There are: {', '.join(parts)}.")
        parts = chosen
    return "\n\n".join(parts.values()) + "\n"


def r_scripts() -> Path:
    """Return the folder of the R scripts that came with this package.

    Returns
    -------
    Path
        For ``Rscript``: ``persona_report.R``, ``segment_survey.R``, ``confirm_scales.R``, and
        ``install.sh``, which says what they need.

    Examples
    --------
    >>> import psychoseg
    >>> (psychoseg.r_scripts() / "persona_report.R").is_file()
    True
    """
    here = Path(__file__).resolve().parent
    installed = here / "r_scripts"
    # In a checkout they stand beside the package.
    return installed if installed.is_dir() else here.parent / "r_scripts"


def _tables(model: type[Table], path: str, *, repeated: bool) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of a table and of those in it."""
    inner: list[tuple[str, type[Table], bool]] = []
    lines = []
    notes = _notes_of(model)
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        found = _table_in(field.annotation)
        if found is not None:
            inner.append((f"{path}.{name}" if path else name, *found))
            continue
        default = _default(field)
        lines.append(f"{name} = {default}" if default else f"{name}  (must be given)")
        about = " ".join(part for part in (notes.get(name, ""), _choices(field)) if part)
        lines += textwrap.wrap(about, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    if path:
        head = f"[[{path}]]" if repeated else f"[{path}]"
        about = inspect.getdoc(model) or ""
        # The table's own name at its beginning is the heading already.
        about = re.sub(r"^``\[+[\w.]+\]+``(?:, )?:? ?", "", about).replace("``", "")
        about = about[:1].upper() + about[1:]
        wrapped = [textwrap.fill(" ".join(p.split()), _WIDTH) for p in about.split("\n\n")]
        yield path, "\n".join([head, *wrapped, *lines])
    for name, table, many in inner:
        yield from _tables(table, name, repeated=many)


def _table_in(annotation: Any) -> tuple[type[Table], bool] | None:
    """Return the table that a field holds, and whether it holds several."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation, False
    for part in get_args(annotation):
        if isinstance(part, type) and issubclass(part, Table):
            return part, get_origin(annotation) is tuple
    return None


def _default(field: FieldInfo) -> str:
    """Return the default as TOML writes it; empty where there is none."""
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "(not set)"
    return json.dumps(value, ensure_ascii=False)


def _choices(field: FieldInfo) -> str:
    """Return what a setting may be, in words."""
    bounds = [
        text.format(getattr(part, name))
        for part in field.metadata
        for name, text in (
            ("ge", "from {}"),
            ("gt", "above {}"),
            ("le", "to {}"),
            ("lt", "below {}"),
        )
        if getattr(part, name, None) is not None
    ]
    what = " or ".join(dict.fromkeys(_kinds(field.annotation)))
    return f"({', '.join([what, *bounds])})"


def _kinds(annotation: Any) -> Iterator[str]:
    origin = get_origin(annotation)
    if origin is Literal:
        yield ", ".join(json.dumps(value) for value in get_args(annotation))
    elif origin in (Union, UnionType):
        for part in get_args(annotation):
            if part is not type(None):
                yield from _kinds(part)
    elif origin is Annotated:
        kind, *rules = get_args(annotation)
        limits = [_choices(FieldInfo.from_annotation(annotation))] if rules else []
        yield limits[0].strip("()") if limits else next(_kinds(kind))
    elif origin is tuple:
        parts = get_args(annotation)
        several = Ellipsis in parts
        inside = " or ".join(dict.fromkeys(_kinds(parts[0])))
        yield f"a list of {inside}" if several else f"a list of {len(parts)} of {inside}"
    elif origin is dict:
        yield f"a table of {' or '.join(_kinds(get_args(annotation)[1]))}"
    else:
        names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
        yield names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _notes_of(model: type[Table]) -> dict[str, str]:
    """Return what the ``#:`` comments above its fields say of them."""
    notes: dict[str, str] = {}
    told: list[str] = []
    source = textwrap.dedent(inspect.getsource(model))
    line_start = True
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#"):
            text = token.string.lstrip("#").strip()
            told = (
                [*told, text.removeprefix(":").strip()]
                if token.string.startswith("#:") or told
                else []
            )
        elif token.type == tokenize.NAME and line_start:
            if token.string in model.model_fields and told:
                notes[token.string] = " ".join(told).replace("``", "")
            told = []
        line_start = token.type in (
            tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT
        )  # fmt: skip
    return notes
