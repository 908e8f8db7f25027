"""The study file: ``study.toml`` read into a frozen, typed :class:`Study`.

Owns every setting, its default and its check. Never reads a respondent: whether a column exists is
for ``psychoseg.survey`` to say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import tomli_w
from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from psychoseg.errors import StudyError
from psychoseg.study_problems import describe_problems
from psychoseg.study_report import (
    Action,
    ChoiceSet,
    ExportSettings,
    Job,
    OpenText,
    ProfilesSettings,
    ReportSettings,
)
from psychoseg.study_segments import (
    FLAT_METHODS,
    EngineSettings,
    ReduceSettings,
    SegmentsSettings,
)
from psychoseg.study_slips import describe_slip
from psychoseg.study_table import Code, Share, Table

__all__ = [
    "Action",
    "ChoiceSet",
    "CleanRules",
    "Column",
    "DataFile",
    "EngineSettings",
    "ExportSettings",
    "ItemBattery",
    "Job",
    "Margin",
    "Merge",
    "NumberFormat",
    "OpenText",
    "ProfilesSettings",
    "QualityCheck",
    "QualityCutoffs",
    "QualityIndex",
    "QualityRules",
    "ReduceSettings",
    "ReportSettings",
    "ScaleKey",
    "ScalesSettings",
    "SegmentsSettings",
    "Study",
    "StudyInfo",
    "WeightsSettings",
    "load_study",
]

Correlation = Annotated[float, Field(ge=-1, le=1)]
QualityIndex = Literal[
    "longstring_share",
    "variability",
    "mahalanobis_p",
    "even_odd",
    "synonyms",
    "antonyms",
    "person_total",
    "relative_speed",
    "seconds_per_item",
    "failed_share",
]

#: Texts that mean "no answer" unless the study says otherwise: an empty cell, and what R and pandas
#: write. Not "None", which is an answer in many questionnaires.
DEFAULT_MISSING = ("", "NA", "NaN")
#: How the numbers of a column are written, shown by an example.
NumberFormat = Literal[
    "1234.5",
    "1234,5",
    "1,234.5",
    "1.234,5",
    "1 234.5",
    "1 234,5",
    "1'234.5",
    "1'234,5",
    "1,23,456.7",
]
#: Targets whose total misses 1 or 100 by more than the first share and less than the second are
#: taken for a slip: published shares are rounded, counts of people are far from either.
_ROUNDED, _SLIPPED = 0.02, 0.2


class StudyInfo(Table):
    """``[study]``: what is asked, of whom, and the seed of everything random."""

    title: str = "Survey segmentation"
    description: str = ""
    population: str = ""
    source: str = ""
    seed: int = Field(default=1, ge=0)


class DataFile(Table):
    """``[data]``: the file of answers. Paths are relative to the study file.

    ``decimal`` is the decimal sign of the file; ``numbers`` says of single columns how their
    numbers are written, by an example such as ``"1.234,5"``, and then a currency, a per cent sign
    or a "k" beside them is read too. ``skip_rows`` title rows stand above the header;
    ``leave_out_rows`` are rows that are no people (means, sources, units), by their number in the
    file. ``duplicates`` says what becomes of a row whose id stood before (without an id: that
    repeats an earlier row cell for cell); by "first" and "last" one of them stays. A text of
    ``missing`` is an answer in the columns where ``not_missing`` lists it. A name that the header
    repeats is an error, or by ``repeated_names = "number"`` gets its number: ``name_2``.
    """

    file: str
    id: str | None = None
    separator: str = "auto"
    encoding: str = "auto"
    decimal: Literal[".", ","] = "."
    sheet: str | int | None = None
    skip_rows: int = Field(default=0, ge=0)
    header_rows: int = Field(default=1, ge=1, le=3)
    repeated_names: Literal["error", "number"] = "error"
    leave_out_rows: tuple[Annotated[int, Field(ge=1)], ...] = ()
    duplicates: Literal["error", "first", "last"] = "error"
    missing: tuple[str, ...] = DEFAULT_MISSING
    numbers: dict[str, NumberFormat] = Field(default_factory=dict)
    not_missing: dict[str, tuple[str, ...]] = Field(default_factory=dict)
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


class ItemBattery(Table):
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
    #: As of a column: items form segments, so sensitive ones need a lawful basis.
    sensitive: bool | None = None
    lawful_basis: str = ""

    @model_validator(mode="after")
    def _range_is_a_range(self) -> ItemBattery:
        if isinstance(self.codes, tuple) and len(set(self.codes)) < max(2, len(self.codes)):
            msg = f"codes = {list(self.codes)} must be at least two different texts"
            raise ValueError(msg)
        if self.range is not None and not self.range[0] < self.range[1]:
            msg = f"range = {list(self.range)} must go from a lower to a higher code"
            raise ValueError(msg)
        return self


class CleanRules(Table):
    """``[clean]``: who is left out before anything is computed."""

    min_answered: Share = 0.5
    straight_liners: Literal["keep", "exclude"] = "keep"


class QualityCutoffs(Table):
    """``[quality.cutoffs]``: from where each index speaks of a careless respondent.

    Sources of the defaults: ``psychoseg.stats.quality.CUTOFFS``.
    """

    longstring_share: Share = 0.5
    #: Three median absolute deviations below the median where absent.
    variability: float | None = Field(default=None, ge=0)
    mahalanobis_p: Share = 0.001
    even_odd: Correlation = 0.3
    synonyms: Correlation = 0.0
    antonyms: Correlation = 0.0
    person_total: Correlation = 0.0
    relative_speed: float = Field(default=2.0, gt=0)
    seconds_per_item: float = Field(default=2.0, ge=0)
    failed_share: float = Field(default=0.5, gt=0, le=1)


class QualityCheck(Table):
    """``[[quality.checks]]``: an item with right answers, which is none of the ``[[items]]``.

    An ``attention`` check says what to answer; a ``bogus`` item has only one honest answer. A range
    or pattern of ``[[items]]`` passes over it.
    """

    column: str
    accept: tuple[Code, ...] = Field(min_length=1)
    kind: Literal["attention", "bogus"] = "attention"
    missing: tuple[Code, ...] = ()


class QualityRules(Table):
    """``[quality]``: how careful answers are told from careless ones, and what follows.

    Every index is computed and reported. Those in ``rules`` count; with ``action = "exclude"`` a
    respondent leaves who has ``at_least`` of their flags, or one of those in ``sufficient``.
    ``duration`` names a column of seconds, or one for each page.
    """

    action: Literal["report", "exclude"] = "report"
    #: One for each kind of carelessness, so that two flags are two facts.
    rules: tuple[QualityIndex, ...] = (
        "longstring_share",
        "mahalanobis_p",
        "even_odd",
        "synonyms",
        "person_total",
        "relative_speed",
        "failed_share",
    )
    at_least: int = Field(default=2, ge=1)
    sufficient: tuple[QualityIndex, ...] = ()
    cutoffs: QualityCutoffs = QualityCutoffs()
    #: Items that correlate beyond it are synonyms (antonyms below its negative): Meade & Craig
    #: (2012), Psychol. Methods 17, 437-455.
    synonym_r: float = Field(default=0.6, gt=0, lt=1)
    duration: tuple[str, ...] = ()
    checks: tuple[QualityCheck, ...] = ()

    @field_validator("duration", mode="before")
    @classmethod
    def _one_column_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _rules_can_be_met(self) -> QualityRules:
        problems = []
        for key, names in (("rules", self.rules), ("sufficient", self.sufficient)):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                problems.append(f"{key} names {', '.join(twice)} more than once")
        if self.at_least > len(self.rules) and not self.sufficient:
            problems.append(
                f"at_least = {self.at_least} flags can never come from {len(self.rules)} rules"
            )
        if not self.checks and "failed_share" in self.sufficient:
            problems.append("sufficient names failed_share, but there is no [[quality.checks]]")
        timed = [n for n in self.sufficient if n in ("relative_speed", "seconds_per_item")]
        if timed and not self.duration:
            problems.append(f"sufficient names {timed[0]}, but duration names no column")
        columns = [check.column for check in self.checks]
        again = sorted({column for column in columns if columns.count(column) > 1})
        if again:
            problems.append(f"checks names the column {', '.join(again)} more than once")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class Margin(Table):
    """``[[weights.margins]]``: what share of the population each category of a column has.

    ``targets`` are shares, per cents or counts by category, as shown or as coded in the file; each
    margin is divided by its own total.
    """

    column: str
    targets: dict[str, float] = Field(min_length=2)

    @model_validator(mode="after")
    def _targets_are_shares(self) -> Margin:
        wrong = [f"{name} = {value:g}" for name, value in self.targets.items() if value <= 0]
        if wrong:
            msg = (
                f"targets of {self.column} must be above zero, not {', '.join(wrong)}: leave the "
                'category out, and its respondents with unmatched = "exclude"'
            )
            raise ValueError(msg)
        total = sum(self.targets.values())
        for whole, what in ((1, "shares"), (100, "per cents")):
            # Rounded shares miss the whole by little; a slip of the pen by more.
            if _ROUNDED < abs(total / whole - 1) < _SLIPPED:
                msg = f"targets of {self.column} sum to {total:g}: {what} should sum to {whole}"
                raise ValueError(msg)
        return self


class WeightsSettings(Table):
    """``[weights]``: the survey weight, a column of the file, raked to margins, or both.

    ``sampling`` weights are rescaled to mean one over the respondents kept and count as Kish's
    effective sample size in tests; ``frequency`` weights say how many people a row stands for.
    Raking starts from the column, or from equal weights. ``trim`` bounds the weights in multiples
    of their mean; with margins it bounds the factor by which raking changes a weight.
    ``unmatched`` says what becomes of respondents in no category that has a target.
    """

    column: str | None = None
    kind: Literal["sampling", "frequency"] = "sampling"
    margins: tuple[Margin, ...] = ()
    trim: tuple[float, float] | None = None
    unmatched: Literal["error", "exclude"] = "error"

    @model_validator(mode="after")
    def _settings_go_together(self) -> WeightsSettings:
        problems = []
        if self.column is None and not self.margins:
            problems.append("weights needs a column, [[weights.margins]], or both")
        if self.kind == "frequency" and (self.margins or self.trim):
            problems.append('kind = "frequency" counts people and is neither raked nor trimmed')
        if self.trim is not None and not 0 <= self.trim[0] < 1 < self.trim[1]:
            problems.append(f"trim = {list(self.trim)} must lie around 1, such as [0.2, 5]")
        columns = [margin.column for margin in self.margins]
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            problems.append(f"margins names the column {', '.join(twice)} more than once")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class ScaleKey(Table):
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


#: Loadings from this on are read; Child (2006), The Essentials of Factor Analysis, and custom.
_MIN_LOADING = 0.3


class ScalesSettings(Table):
    """``[scales]``: how items become scales. With no ``[[scales.scale]]`` the scales are found.

    ``mixed`` correlations take items with more than 20 different answers as continuous. ``variant``
    says whose conventions hold where programs differ. ``starts`` random starts look for a better
    optimum than the usual one, of the extraction and of the rotation.
    """

    correlation: Literal["pearson", "spearman", "polychoric", "mixed"] = "polychoric"
    #: Which respondents a correlation uses; "em" (maximum likelihood) is for Pearson alone.
    missing: Literal["pairwise", "listwise", "em"] = "pairwise"
    #: Added to the empty cells of two ordinal items' table.
    correction: float = Field(default=0.0, ge=0, le=1)
    n_factors: Literal["auto", "parallel"] | Annotated[int, Field(ge=1)] = "auto"
    replicates: int = Field(default=100, ge=20)
    percentile: float = Field(default=95.0, gt=0, lt=100)
    extraction: Literal["minres", "ml", "principal_axes", "components"] = "minres"
    rotation: Literal[
        "none",
        "varimax",
        "quartimax",
        "equamax",
        "geomin_t",
        "target_t",
        "bifactor_t",
        "promax",
        "oblimin",
        "quartimin",
        "geomin_q",
        "target_q",
        "bifactor_q",
    ] = "oblimin"
    variant: Literal["psych", "spss"] = "psych"
    #: Kaiser's normalisation; the variant's habit where absent.
    kaiser: bool | None = None
    gamma: float = 0.0
    delta: float = Field(default=0.01, gt=0)
    power: float = Field(default=4.0, gt=1)
    starts: int = Field(default=20, ge=0)
    min_loading: Share = _MIN_LOADING
    min_answered: Share = 0.5
    score: Literal["mean", "sum", "regression", "bartlett", "ten_berge"] = "mean"
    #: "person" takes each respondent's own mean answer out of the scores (ipsatising).
    centre: Literal["none", "person"] = "none"
    #: "apply" leaves out, one by one, flagged items without which alpha rises; "propose" only says.
    drop_items: Literal["propose", "apply"] = "propose"
    scale: tuple[ScaleKey, ...] = ()
    #: A found scale that holds this item is called this: item -> name.
    names: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _settings_go_together(self) -> ScalesSettings:
        if self.missing == "em" and self.correlation != "pearson":
            msg = f'missing = "em" is for correlation = "pearson", not "{self.correlation}"'
            raise ValueError(msg)
        if self.rotation.startswith("target") and not self.scale:
            msg = f'rotation = "{self.rotation}" turns towards named scales: add [[scales.scale]]'
            raise ValueError(msg)
        if self.rotation.startswith("bifactor") and not self.scale:
            msg = (
                f'rotation = "{self.rotation}" shows what named scales have in common: add '
                "[[scales.scale]]"
            )
            raise ValueError(msg)
        beside = {
            "n_factors": self.n_factors not in ("auto", len(self.scale)),
            "names": bool(self.names),
            "min_loading": self.min_loading != _MIN_LOADING,
        }
        if self.scale and any(beside.values()):
            which = ", ".join(name for name, is_set in beside.items() if is_set)
            msg = f"{which} in [scales] would have no effect beside [[scales.scale]]: take it out"
            raise ValueError(msg)
        if self.centre == "person" and self.score not in ("mean", "sum"):
            msg = f'centre = "person" is for score = "mean" or "sum", not "{self.score}"'
            raise ValueError(msg)
        return self


class Column(Table):
    """``[[columns]]``: a demographic or other column; ``name`` may be a pattern."""

    name: str
    use: Literal["active", "profile"] = "profile"
    #: An active ordinal column is categories in ``order``, counted as equal steps.
    type: Literal["auto", "numeric", "ordinal", "categorical"] = "auto"
    label: str = ""
    #: Which group of columns it counts in, for ``[reduce] blocks`` and the report.
    block: str = Field(default="demographics", min_length=1)
    #: Categories in their order, as they stand in the file (or as their value labels).
    order: tuple[str, ...] = ()
    #: What a code means: "1" = "Female".
    labels: dict[str, str] = Field(default_factory=dict)
    missing: tuple[Code, ...] = ()
    #: Health, religion, politics, ...: active only with a lawful basis (GDPR, article 9).
    sensitive: bool | None = None
    #: Why such a column may form segments, such as "explicit consent".
    lawful_basis: str = ""


class Study(Table):
    """A whole study file; ``folder`` and ``path``, not part of it, are where it stands."""

    study: StudyInfo = StudyInfo()
    data: DataFile
    merge: tuple[Merge, ...] = ()
    items: tuple[ItemBattery, ...] = ()
    clean: CleanRules = CleanRules()
    quality: QualityRules = QualityRules()
    weights: WeightsSettings | None = None
    scales: ScalesSettings = ScalesSettings()
    columns: tuple[Column, ...] = ()
    reduce: ReduceSettings = ReduceSettings()
    sets: tuple[ChoiceSet, ...] = ()
    texts: tuple[OpenText, ...] = ()
    segments: SegmentsSettings = SegmentsSettings()
    profiles: ProfilesSettings = ProfilesSettings()
    jobs: tuple[Job, ...] = ()
    actions: tuple[Action, ...] = ()
    report: ReportSettings = ReportSettings()
    export: ExportSettings = ExportSettings()
    engine: EngineSettings = EngineSettings()
    #: Where relative paths start.
    folder: Path = Field(default=Path(), exclude=True)
    #: The file itself, for messages.
    path: Path = Field(default=Path("study.toml"), exclude=True)

    @field_validator("segments")
    @classmethod
    def _method_takes_distances(
        cls, value: SegmentsSettings, info: ValidationInfo
    ) -> SegmentsSettings:
        reduce = info.data.get("reduce")
        if not isinstance(reduce, ReduceSettings) or reduce.method != "gower":
            return value
        if value.method in FLAT_METHODS and value.method != "pam":
            msg = (
                f'method = "{value.method}" divides coordinates, not the distances of [reduce] '
                'method = "gower". Use [segments] method = "pam" or a tree such as "average", or '
                '[reduce] method = "components"'
            )
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _something_divides_people(self) -> Study:
        uses = [*(c.use for c in self.columns), *(s.use for s in self.sets)]
        if not self.items and "active" not in uses:
            msg = (
                "nothing divides people: add [[items]], which become scales, or give a [[columns]] "
                'or [[sets]] use = "active"'
            )
            raise ValueError(msg)
        if not self.items and (self.scales.scale or self.scales.names):
            msg = "[scales] names scales, but there are no [[items]]. Add the items, or take it out"
            raise ValueError(msg)
        return self

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
        raise StudyError(f"{file}, {describe_slip(text, str(error))}") from None
    except RecursionError:
        raise StudyError(
            f"{file} has brackets within brackets beyond all measure. Write lists as [1, 2, 3]."
        ) from None
    for key in ("folder", "path"):
        if key in raw:
            raise StudyError(
                f"{file}: unknown key {key}. Paths start at the study file's own folder."
            )
    try:
        return Study.model_validate({**raw, "folder": file.parent, "path": file})
    except ValidationError as error:
        problems = describe_problems(error, text, model=Study)
        head = f"{file} has {len(problems)} problem{'s' if len(problems) > 1 else ''}:"
        raise StudyError("\n".join([head, *(f"  - {p}" for p in problems)])) from None


def _without_none(value: object) -> object:
    if isinstance(value, Mapping):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_without_none(v) for v in value]
    return value
