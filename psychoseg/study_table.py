"""What every table of the study file has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Code", "Share", "Table"]

Code = int | float | str
Share = Annotated[float, Field(ge=0, le=1)]


class Table(BaseModel):
    """A table of the study file: unknown keys are refused, values are not changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
