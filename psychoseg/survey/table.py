"""The :class:`Survey`: answers, codebook, weights and ledger of one study; it never analyses.

Every later stage takes a ``Survey`` and leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError
from psychoseg.shown import Summary
from psychoseg.survey.given import LEFT_OUT_COLUMNS, FrameLike
from psychoseg.survey.missing import MissingAnswers, describe_missing

__all__ = ["LEDGER_COLUMNS", "Survey", "Variable", "effective_size"]

LEDGER_COLUMNS = ("respondent", "file", "row", "stage", "effect", "reason")


@dataclass(frozen=True, slots=True)
class Variable:
    """One line of the codebook.

    Attributes
    ----------
    name : str
        The column's name in the data.
    label : str
        What a reader sees; the name where the source has no label.
    role : {"id", "item", "active", "profile", "weight", "other"}
        ``active`` columns enter the segmentation beside the scales, ``profile`` columns describe
        its segments.
    kind : {"likert", "numeric", "ordinal", "categorical", "choice", "text"}
        An active ordinal column enters as equal steps, a categorical one as its categories. A
        "choice" is an option of the multiple-response set that ``block`` names and ``question``
        labels.
    question : str
        The stem that a battery of items shares.
    low, high : float or None
        Ends of an item's answer scale.
    value_labels : dict of float to str
        What an item's codes mean.
    categories : tuple of str
        A categorical or ordinal column's categories, as shown, in order.
    missing : tuple of str
        Codes read as "no answer", as text.
    reversed : bool
        Whether the item is keyed the other way: it counts as ``low + high - answer``.
    block : str
        The group of columns that an active or profile column counts in; empty for any other.
    """

    name: str
    label: str
    role: Literal["id", "item", "active", "profile", "weight", "other"]
    kind: Literal["likert", "numeric", "ordinal", "categorical", "choice", "text"]
    question: str = ""
    low: float | None = None
    high: float | None = None
    value_labels: Mapping[float, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    reversed: bool = False
    block: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Survey:
    """The respondents kept, and an account of the others.

    Attributes
    ----------
    ids : pandas.Series of str, shape (n,)
        Respondent ids as text, unique, index 0..n-1.
    items : pandas.DataFrame, shape (n, p)
        Raw codes as floats, NaN where there is no answer. Not reversed: see :meth:`keyed_items`.
    columns : pandas.DataFrame, shape (n, q)
        The active and profile columns: numeric ones as float with NaN, categorical ones as pandas
        ``Categorical`` (ordered as the codebook says) with missing values; an option of a
        multiple-response set (kind "choice") as 0, 1 or NaN.
    weights : ndarray, shape (n,)
        Strictly positive. Sampling weights have mean one; frequency weights are as given; ones
        where the study has none.
    weight_kind : {"none", "sampling", "frequency"}
    codebook : dict of str to Variable
    ledger : pandas.DataFrame
        One row for each exclusion or unused row: ``respondent, file, row, stage, effect, reason``.
        ``effect`` is "excluded" for a respondent left out, "unused" for a row that is no respondent
        (of a merged file that met nobody; no person, or one who stood before), and "set missing"
        for answers turned into missing ones.
    n_read : int
        Respondents in the file of answers; equals ``n`` plus those excluded.
    quality : pandas.DataFrame
        How carefully each respondent answered, one row for each who was left after ``[clean]``,
        those excluded as careless too: ``respondent`` and
        :data:`psychoseg.survey.quality.QUALITY_COLUMNS`. Empty where the survey came from a frame.
    quality_rules : pandas.DataFrame
        One row an index of careless answering: what it is, its cut-off and source, whether it
        counts, whom it flags, and why it is not computed where it is not.
    styles : pandas.DataFrame
        ``style, label, mean, sd, n_known``: response styles over the same respondents.
    weighting : pandas.DataFrame
        ``measure, value``: Kish's effective sample size, design effect and efficiency, lowest and
        highest weight over the mean, how many weights lie on a bound. Empty unless weights are
        sampling weights.
    margins : pandas.DataFrame
        For each category of each margin the weights were raked to: respondents, their share before
        and after weighting, and the target. Empty without margins.
    texts : pandas.DataFrame of str, shape (n, t)
        Open answers, "" where there is none; empty where the study has no ``[[texts]]``.
    index : pandas.Index or None
        That of the frame the survey was made from, by which whatever is found of its respondents
        can be joined to it; None where it was read from a file, whose respondents count from 0.
    left_out : pandas.DataFrame
        ``column, reason``: columns of the frame that nobody named and that hold no answers.
    """

    ids: pd.Series
    items: pd.DataFrame
    columns: pd.DataFrame
    weights: npt.NDArray[np.float64]
    weight_kind: Literal["none", "sampling", "frequency"]
    codebook: Mapping[str, Variable]
    ledger: pd.DataFrame
    n_read: int
    quality: pd.DataFrame = field(default_factory=pd.DataFrame)
    quality_rules: pd.DataFrame = field(default_factory=pd.DataFrame)
    styles: pd.DataFrame = field(default_factory=pd.DataFrame)
    weighting: pd.DataFrame = field(default_factory=pd.DataFrame)
    margins: pd.DataFrame = field(default_factory=pd.DataFrame)
    texts: pd.DataFrame = field(default_factory=pd.DataFrame)
    index: pd.Index | None = None
    left_out: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=LEFT_OUT_COLUMNS))

    def __repr__(self) -> str:
        return f"Survey({self._in_short()})"

    def _repr_html_(self) -> str:
        return self.summary().first()._repr_html_()

    def summary(self) -> Summary:
        """Return what was read in short: each column, its answers, and who was left out."""
        lines = []
        if self.n_read > self.n:
            lines.append(f"{self.n_read - self.n:,} of {self.n_read:,} were left out: see ledger")
        if len(self.left_out):
            lines.append(f"Left out: {', '.join(self.left_out['column'])}")
        rows = []
        for name, table in [(n, t) for t in (self.items, self.columns) for n in t.columns]:
            line, values = self.codebook.get(str(name)), table[name]
            number = not isinstance(values.dtype, pd.CategoricalDtype)
            rows.append(
                (
                    str(name),
                    self.label(str(name)),
                    "" if line is None else line.role,
                    "" if line is None else line.kind,
                    int(values.notna().sum()),
                    float(values.min()) if number else np.nan,
                    float(values.max()) if number else np.nan,
                )
            )
        columns = ["column", "label", "role", "kind", "answers", "lowest", "highest"]
        return Summary(self._in_short(), lines, {"Columns": pd.DataFrame(rows, columns=columns)})

    def _in_short(self) -> str:
        weighted = "" if self.weight_kind == "none" else f", {self.weight_kind} weights"
        return (
            f"{self.n:,} respondents, {self.items.shape[1]} items, {self.columns.shape[1]} "
            f"columns{weighted}"
        )

    @property
    def rows(self) -> pd.Index:
        """Return the index of the respondents in the caller's hands: see ``index``."""
        return self.ids.index if self.index is None else self.index

    @property
    def n(self) -> int:
        """Return the number of respondents kept."""
        return len(self.ids)

    @property
    def n_effective(self) -> float:
        """Return the sample size that tests may count on.

        The weighted count for frequency weights, else Kish's effective size ``sum(w)**2 /
        sum(w**2)`` (Kish 1965), which is ``n`` where nothing is weighted.
        """
        return effective_size(self.weights, self.weight_kind)

    def label(self, name: str) -> str:
        """Return the label of a column, its name where it has none."""
        return self.codebook[name].label if name in self.codebook else name

    def missing_answers(self) -> MissingAnswers:
        """Return where answers are missing, items in the order of the codebook (of the file)."""
        names = [name for name in self.codebook if name in self.items.columns]
        labels = {name: self.label(name) for name in names}
        return describe_missing(self.items[names].to_numpy(), names, labels, self.weights)

    def keyed_items(self) -> pd.DataFrame:
        """Return the items (n, p), reverse-keyed ones as ``low + high - answer``."""
        keyed = self.items.copy()
        for name in keyed.columns:
            variable = self.codebook[name]
            if variable.reversed:
                if variable.low is None or variable.high is None:
                    raise DataError(
                        f"item {name} is reverse-keyed but the ends of its answer scale are "
                        "unknown. Give its battery a range, such as range = [1, 5]."
                    )
                keyed[name] = variable.low + variable.high - keyed[name]
        return keyed

    @classmethod
    def from_frame(
        cls,
        frame: FrameLike,
        *,
        items: Sequence[str] | None = None,
        columns: Sequence[str] = (),
        active: Sequence[str] = (),
        reverse: Sequence[str] = (),
        answer_range: tuple[float, float] | None = None,
        labels: Mapping[str, str] | None = None,
        ids: str | None = None,
        weights: str | npt.ArrayLike | None = None,
        weight_kind: Literal["sampling", "frequency"] = "sampling",
    ) -> Survey:
        """Make a survey from a DataFrame, for use in a notebook without a study file.

        Parameters
        ----------
        frame : DataFrame of pandas, polars or another library, or array, shape (n, anything)
            One row a respondent. Not changed. The columns of an array are called x0, x1, ...
        items : sequence of str, optional
            The items: numbers, truths, or an ordered ``Categorical``, whose categories are coded 1,
            2, ... unless their names are rising numbers. Where absent, all columns of these kinds
            that are named nowhere else, are no ids and are not unlike most of them, as ages and
            weights are; the others are told and kept in ``left_out``.
        columns : sequence of str
            Demographics and other columns beside the items; each becomes a profile column.
        active : sequence of str
            Columns that form segments, beside the scales.
        reverse : sequence of str
            Items keyed the other way.
        answer_range : (float, float), optional
            Ends of the items' answer scale; where absent, the lowest and highest answer to any
            item, or the ends of an ordered ``Categorical``.
        labels : mapping of str to str, optional
            Label of each column.
        ids : str, optional
            Column of ids; the index as text where absent.
        weights : str, Series, or array of shape (n,), optional
            Survey weights, positive and finite: a column, a Series with the index of the frame in
            any order, or an array in the order of the rows.
        weight_kind : {"sampling", "frequency"}

        Returns
        -------
        Survey

        Raises
        ------
        DataError
            Where a column is unknown, an item is not numeric, ids repeat, a weight is not positive,
            or the weights have another index.

        Warns
        -----
        PsychosegWarning
            Where ``items`` is absent and a column cannot be one.

        Examples
        --------
        >>> import pandas as pd
        >>> import psychoseg
        >>> frame = pd.DataFrame({"q1": [1, 5, 3], "q2": [2, 4, 5], "age": [31, 47, 26]})
        >>> survey = psychoseg.Survey.from_frame(frame, items=["q1", "q2"], columns=["age"])
        >>> survey.n
        3
        """
        from psychoseg.survey.frame import survey_from_frame

        return survey_from_frame(
            frame,
            items=items,
            columns=columns,
            active=active,
            reverse=reverse,
            answer_range=answer_range,
            labels=labels,
            ids=ids,
            weights=weights,
            weight_kind=weight_kind,
        )


def effective_size(
    weights: npt.NDArray[np.float64], kind: Literal["none", "sampling", "frequency"]
) -> float:
    """Return the sample size that tests may count on, of all respondents or of some; 0 of nobody.

    See :attr:`Survey.n_effective`.
    """
    if not len(weights):
        return 0.0
    if kind == "frequency":
        return float(weights.sum())
    return float(weights.sum() ** 2 / (weights**2).sum())
