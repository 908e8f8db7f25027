"""Settings and the words of a call beside them: ``fit_scales(df, settings, n_factors=5)``.

Knows no setting; the settings' own classes say what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from psychoseg.errors import StudyError
from psychoseg.study_problems import describe_problems
from psychoseg.study_table import Table

__all__ = ["with_options"]

_T = TypeVar("_T", bound=Table)


def with_options(settings: _T, options: Mapping[str, object]) -> _T:
    """Return settings with what a call says beside them, checked like a study file.

    Parameters
    ----------
    settings : Table
    options : mapping of str to object
        Those that are None are not said.

    Returns
    -------
    Table

    Raises
    ------
    StudyError
        Where settings and call say different things, or a value is not allowed.
    """
    said = {
        # A whole number of numpy is one.
        name: value.item() if hasattr(value, "item") else value
        for name, value in options.items()
        if value is not None
    }
    twice = [
        f"{name} is {value!r} in the call and {getattr(settings, name)!r} in the settings"
        for name, value in said.items()
        if name in settings.model_fields_set and getattr(settings, name) != value
    ]
    if twice:
        raise StudyError(f"{'; '.join(twice)}. Say it in one place.")
    if not said:
        return settings
    try:
        return type(settings).model_validate({**settings.model_dump(exclude_unset=True), **said})
    except ValidationError as error:
        raise StudyError("\n".join(describe_problems(error, "", model=type(settings)))) from None
