"""What goes into profiles, reports and exports: the settings of the study file for them.

Owns ``[profiles]``, ``[report]``, ``[export]``, ``[[sets]]``, ``[[texts]]``, ``[[actions]]`` and
``[[jobs]]``.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from psychoseg.study_table import Code, Table

__all__ = [
    "FORMATS",
    "Action",
    "ChoiceSet",
    "ExportSettings",
    "Format",
    "Job",
    "OpenText",
    "ProfilesSettings",
    "ReportSettings",
]

Format = Literal["html", "pptx", "xlsx", "csv", "sav", "pdf"]
FORMATS: tuple[Format, ...] = ("html", "pptx", "xlsx", "csv", "sav", "pdf")


class ProfilesSettings(Table):
    """``[profiles]``: the tables that say who the segments are.

    ``correction`` is for the many comparisons behind the column letters: "fdr" (Benjamini and
    Hochberg), "bonferroni" (over the pairs of columns in a row, as SPSS does) or "none".
    ``letters_scope`` says over what "fdr" holds the false discoveries: the figures of each
    "variable" by itself, so that of many variables some letters are chance, or all figures of a
    "table" (the means, the shares).
    """

    #: No figure on fewer people than this, unweighted, leaves the house.
    min_base: int = Field(default=10, ge=1)
    correction: Literal["fdr", "bonferroni", "none"] = "fdr"
    letters_scope: Literal["variable", "table"] = "variable"

    @model_validator(mode="after")
    def _scope_of_fdr(self) -> ProfilesSettings:
        if self.letters_scope == "table" and self.correction != "fdr":
            msg = (
                f'letters_scope = "table" goes with correction = "fdr", not {self.correction!r}: '
                "leave one of the two out"
            )
            raise ValueError(msg)
        return self


class ReportSettings(Table):
    """``[report]``: which files a run writes, and a client's PowerPoint template."""

    formats: tuple[Format, ...] = ("html", "pptx", "xlsx", "csv")
    #: Dots for people, exact sizes and branches of few: for a report that stays in the house.
    individuals: bool = False
    #: A .pptx or .potx whose layouts and fonts the deck takes; relative to the study file.
    template: str | None = None


class ExportSettings(Table):
    """``[export]``: ids in ``respondents.csv`` and ``respondents.sav``.

    ``pseudonym`` writes a keyed hash (HMAC-SHA256) of the id instead; the key is what the
    environment variable ``key`` holds.
    """

    ids: Literal["keep", "pseudonym", "drop"] = "keep"
    key: str = "PSYCHOSEG_KEY"


class ChoiceSet(Table):
    """``[[sets]]``: columns of one multiple-response question, profiled as one table.

    ``dichotomy``: one column an option, chosen where it holds one of ``selected`` (where absent,
    anything but a missing answer, 0, "No" or "Not selected"). ``category``: each column holds one
    of the chosen options. Whoever chose nothing counts as not asked unless ``none`` says that it is
    an answer. With ``use = "active"`` the options help to form the segments, each as 0 and 1.
    """

    name: str = Field(min_length=1)
    columns: tuple[str, ...] = Field(min_length=1)
    use: Literal["active", "profile"] = "profile"
    label: str = ""
    coding: Literal["dichotomy", "category"] = "dichotomy"
    selected: tuple[Code, ...] = ()
    none: Literal["missing", "answer"] = "missing"
    #: What to call an option: column name (or code, for categories) -> label.
    labels: dict[str, str] = Field(default_factory=dict)
    missing: tuple[Code, ...] = ()
    #: As of a column: an active set needs a lawful basis where it is sensitive.
    sensitive: bool | None = None
    lawful_basis: str = ""


class OpenText(Table):
    """``[[texts]]``: an open question; ``quotes`` answers a segment are printed."""

    column: str
    label: str = ""
    quotes: int = Field(default=0, ge=0, le=20)
    language: Literal["en", "none"] = "en"
    missing: tuple[Code, ...] = ()


class Action(Table):
    """``[[actions]]``: an offer or feature, and the profile that it suits.

    ``wants`` names scales or columns (by name, or by label as ``tech_savviness`` for
    "Tech-savviness"): "high" or "low" for a quantity, a category otherwise.
    """

    name: str = Field(min_length=1)
    wants: dict[str, str] = Field(min_length=1)
    description: str = ""


class Job(Table):
    """``[[jobs]]``: what people want done, and the items that ask how important and how satisfied.

    An item counts as important, or satisfied, in its upper two answers ("top"), or in those at or
    above ``top``; the categories of an ordinal column count from 1.
    """

    label: str = Field(min_length=1)
    importance: str
    satisfaction: str
    kind: Literal["job", "outcome"] = "outcome"
    top: float | None = None

    @model_validator(mode="after")
    def _two_questions(self) -> Job:
        if self.importance == self.satisfaction:
            msg = f"importance and satisfaction of {self.label!r} are the same column"
            raise ValueError(msg)
        return self
