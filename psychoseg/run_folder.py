"""The run folder: what a run found, written as plain files and read back from them.

Owns the names and columns of those files. Computes nothing, and knows no stage but by its result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from psychoseg.errors import DataError
from psychoseg.folder_swap import recover
from psychoseg.profiles import Profiles
from psychoseg.scales import Scales, no_scales
from psychoseg.segments import Segments
from psychoseg.shown import Summary
from psychoseg.stats.stability import BORDER
from psychoseg.study import Study, load_study
from psychoseg.survey import Survey
from psychoseg.survey.table import Variable
from psychoseg.table_files import ENCODING, REMEDY, read_table, type_of, write_table

__all__ = ["CONFIRMATION", "MANIFEST", "Run", "read_run", "read_tables", "write_tables"]

#: Written after all others: a folder that has it is whole.
MANIFEST = "manifest.json"
#: What R's runs call themselves in their manifests.
R_PROGRAM = "segment_survey.R"
#: Where r_scripts/confirm_scales.R leaves its tables.
CONFIRMATION = Path("scales") / "confirm"
#: Tables whose first column is the index of the frame.
_INDEXED = (
    "scales/loadings",
    "scales/phi",
    "scales/structure",
    "scales/correlations",
    "segments/components",
)
#: Tables that a survey has where the study asks for what is in them.
_SURVEY_TABLES = ("quality", "quality_rules", "styles", "weighting", "margins")
_CODEBOOK = ("name", "label", "role", "kind", "block", "question", "low", "high", "reversed")
#: Columns of the codebook that hold a list or a table, as JSON.
_CODEBOOK_JSON = ("value_labels", "categories", "missing")
#: What a stage found beside its tables.
_SUMMARIES = {
    "scales": (
        "method",
        "score",
        "found",
        "n_factors_suggested",
        "number_reason",
        "kmo",
        "correlation",
    ),
    "segments": (
        "k",
        "unassigned",
        "recommended_k",
        "runner_up",
        "k_reason",
        "runner_up_reason",
        "verdict",
        "reason",
        "k_rule",
        "components_rule",
        "map_note",
        "tied_merges",
        "n_identical",
        "n_moved",
        "approximate",
        "resamples",
        "method",
    ),
}
#: Tables of the segments that go to a file as they are.
_SEGMENT_TABLES = (
    "table",
    "choice",
    "votes",
    "null",
    "stability",
    "slsw",
    "flow",
    "blocks",
    "audit",
    "methods",
    "tandem",
    "consensus",
    "neighbours",
    "features",
    "eigenvalues",
    "contributions",
    "supplementary",
)
#: Tables of the profiles whose file has another name.
_PROFILE_FILES = {"by_k": "profiles"}
#: Types of a categorical column in the manifest.
_CATEGORIES = ("categories", "ordered")
#: Open answers, which few studies have.
_TEXTS = "survey/texts"
#: Tables of one row a respondent kept, all in one order; the first column is the id.
_BY_RESPONDENT = ("survey/answers", _TEXTS, "scales/scores", "segments/members")


@dataclass(frozen=True, slots=True, repr=False)
class Run:
    """What a run found, stage by stage.

    Attributes
    ----------
    folder : Path or None
        The run folder; None where nothing was written.
    study : Study
        The settings as used.
    survey : Survey
        Its ledger holds the exclusions of all stages.
    scales : Scales
    segments : Segments
    profiles : Profiles
    warnings : pandas.DataFrame
        ``stage, message``.
    agreement : pandas.DataFrame or None
        With both engines: ``stage, measure, what, value``.
    manifest : mapping
        What ``manifest.json`` holds.
    confirmation : mapping of str to pandas.DataFrame
        What ``r_scripts/confirm_scales.R`` found: ``fit``, ``loadings``, ``factor_correlations``,
        ``notes``, and where asked for ``invariance`` and ``split_half``. Empty before it has run.
    """

    folder: Path | None
    study: Study
    survey: Survey
    scales: Scales
    segments: Segments
    profiles: Profiles
    warnings: pd.DataFrame
    agreement: pd.DataFrame | None
    manifest: Mapping[str, object]
    confirmation: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def __repr__(self) -> str:
        where = "" if self.folder is None else f", in {self.folder}"
        return f"Run({self._in_short()}{where})"

    def _repr_html_(self) -> str:
        return self.summary().first()._repr_html_()

    def summary(self) -> Summary:
        """Return what the run found in short, stage by stage."""
        tables = {
            "Segments": self.profiles.summary().tables["Segments"],
            **{
                heading: table
                for stage in (self.scales, self.profiles)
                for heading, table in stage.summary().tables.items()
                if heading in ("Scales", "What sets them apart")
            },
        }
        notes = [f"{row.stage}: {row.message}" for row in self.warnings.itertuples(index=False)]
        return Summary(self._in_short(), [self.segments.reason, *notes], tables)

    def _in_short(self) -> str:
        return (
            f"{self.study.study.title}: {self.survey.n_read:,} respondents read, "
            f"{int((self.segments.labels > 0).sum()):,} in {self.segments.k} segments by "
            f"{len(self.scales.table)} scales, {self.segments.verdict}"
        )

    @property
    def respondents(self) -> pd.DataFrame:
        """Return id, weight, scores, segment, its certainty and place on the map of each."""
        return _respondents(self.survey, self.scales, self.segments, self.profiles)


def write_tables(run: Run, folder: Path) -> dict[str, list[str]]:
    """Write the study as used and the tables of every stage.

    Parameters
    ----------
    run : Run
    folder : Path
        An existing folder.

    Returns
    -------
    dict of str to list of str
        The type of each column of each table, for the manifest: :func:`read_run` needs them.
    """
    (folder / "study.toml").write_text(run.study.to_toml(), encoding="utf-8")
    types = {}
    for name, frame in _tables(run).items():
        path = folder / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        write_table(frame, path)
        types[name] = [type_of(frame.dtypes.iloc[j]) for j in range(frame.shape[1])]
    for stage, result in (("scales", run.scales), ("segments", run.segments)):
        _write_json(result, _SUMMARIES[stage], folder / stage / "summary.json")
    return types


def read_run(folder: str | Path) -> Run:
    """Read a run back from its folder.

    Parameters
    ----------
    folder : str or Path
        As ``psychoseg run`` wrote it.

    Returns
    -------
    Run
        Equal to the one that was written, with what ``r_scripts/confirm_scales.R`` has added since.

    Raises
    ------
    DataError
        Where the folder is not a run, lacks a file, or was changed; names the file where one
        alone is at fault.
    """
    folder = Path(folder)
    check_is_run(folder)
    try:
        manifest = _read_json(folder / MANIFEST)
        if manifest.get("program") == R_PROGRAM:
            raise DataError(
                f"{folder} was written by {R_PROGRAM}, which keeps no answers and no types of its "
                "tables, so it cannot be read here. Draw it with r_scripts/persona_report.R, or "
                "run the same study with `psychoseg run` and name that run."
            )
        frames = {
            name: read_table(folder / f"{name}.csv", types)
            for name, types in manifest["tables"].items()
        }
        _check_respondents(folder, frames)
        return _assembled(folder, manifest, frames)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(
            f"{folder} cannot be read as a run of psychoseg ({type(error).__name__}: {error}). "
            "Name a folder that this version's `psychoseg run` wrote and nobody has edited, or run "
            "the study again."
        ) from error


def check_is_run(folder: Path) -> None:
    """Raise a DataError where a folder is no run, naming the runs in it if there are any."""
    recover(Path(os.path.abspath(folder)), MANIFEST)
    if (folder / MANIFEST).is_file():
        return
    what = "is not a run folder: it has no manifest.json"
    if not folder.exists():
        what = "is not there"
    elif not folder.is_dir():
        what = "is a file, not a run folder"
    runs = sorted(str(file.parent) for file in folder.glob("runs/*/manifest.json"))
    which = f"Did you mean {runs[-1]}?" if runs else "Name a folder that psychoseg run wrote."
    raise DataError(f"{folder} {what}, so it cannot be read as a run. {which}")


def read_tables(folder: Path, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Read some tables of a run folder; those that the run did not write are left out.

    Parameters
    ----------
    folder : Path
    names : sequence of str
        Such as "profiles/centroids".

    Returns
    -------
    dict of str to DataFrame

    Raises
    ------
    DataError
        Where the folder is not a run, or was changed.
    """
    check_is_run(folder)
    try:
        types = _read_json(folder / MANIFEST)["tables"]
        return {n: read_table(folder / f"{n}.csv", types[n]) for n in names if n in types}
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(
            f"{folder} cannot be read as a run of psychoseg ({type(error).__name__}: {error})."
        ) from error


def _tables(run: Run) -> dict[str, pd.DataFrame]:
    survey, scales, segments, profiles = run.survey, run.scales, run.segments, run.profiles
    tree = pd.DataFrame(segments.tree, columns=["left", "right", "height", "size"])
    tree = tree.astype({"left": int, "right": int, "size": int})
    missing = survey.missing_answers()
    tables = {
        "survey/ledger": survey.ledger,
        "survey/codebook": _codebook(survey),
        "survey/answers": pd.concat(
            [
                survey.ids.rename("id"),
                pd.Series(survey.weights, name="weight"),
                survey.items,
                survey.columns,
            ],
            axis=1,
        ),
        **{f"survey/{name}": getattr(survey, name) for name in _SURVEY_TABLES},
        "survey/missing": missing.overall,
        "survey/missing_items": missing.items,
        "survey/missing_patterns": missing.patterns,
        "survey/missing_pairs": missing.pairs,
        "scales/table": scales.table,
        "scales/items": scales.items,
        "scales/loadings": scales.loadings,
        "scales/phi": scales.phi,
        "scales/structure": scales.structure,
        "scales/factors": scales.factors,
        "scales/eigenvalues": scales.eigenvalues,
        "scales/number": scales.number,
        "scales/fit": scales.fit,
        "scales/residuals": scales.residuals,
        "scales/reliability": scales.reliability,
        "scales/flags": scales.flags,
        "scales/drops": scales.drops,
        "scales/correlations": scales.corr,
        "scales/scores": pd.concat([survey.ids.rename("id"), scales.scores], axis=1),
        **{f"segments/{name}": getattr(segments, name) for name in _SEGMENT_TABLES},
        "segments/tree": tree.rename_axis("merge").reset_index(),
        "segments/points": segments.points.assign(leaf=segments.leaf_of),
        "segments/members": pd.DataFrame(
            {
                "id": survey.ids,
                "segment": segments.labels.to_numpy(),
                "point": segments.point_of,
                "silhouette": segments.silhouette.to_numpy(),
                "certainty": segments.certainty.to_numpy(),
            }
        ),
        "segments/components": segments.components,
        **{
            f"profiles/{_PROFILE_FILES.get(f.name, f.name)}": getattr(profiles, f.name)
            for f in fields(Profiles)
        },
    }
    if len(survey.texts.columns):
        tables[_TEXTS] = pd.concat([survey.ids.rename("id"), survey.texts], axis=1)
    if run.agreement is not None:
        tables["agreement"] = run.agreement
    # An item may be called what the index is called; a table of nothing is not written.
    return {
        name: frame.reset_index(allow_duplicates=True) if name in _INDEXED else frame
        for name, frame in tables.items()
        if len(frame.columns)
    }


def _assembled(folder: Path, manifest: Mapping[str, Any], frames: dict[str, pd.DataFrame]) -> Run:
    study = load_study(folder)
    survey = _survey(frames, study, manifest)
    points = frames["segments/points"]
    members = frames["segments/members"]
    segments = _read_json(folder / "segments" / "summary.json")
    shown: dict[str, Any] = {
        name: frames.get(f"segments/{name}", pd.DataFrame()) for name in _SEGMENT_TABLES
    }
    notes = manifest["warnings"]
    return Run(
        folder=folder,
        study=study,
        survey=survey,
        scales=_scales(frames, folder, survey, study) if study.items else no_scales(survey.n),
        segments=Segments(
            labels=members["segment"],
            tree=frames["segments/tree"].iloc[:, 1:].to_numpy(np.float64),
            leaf_of=points["leaf"].to_numpy(),
            points=points.drop(columns="leaf"),
            point_of=members["point"].to_numpy(),
            components=_indexed(frames["segments/components"], "feature"),
            silhouette=members["silhouette"],
            certainty=members["certainty"],
            excluded=survey.ledger[survey.ledger["stage"] == "segments"].reset_index(drop=True),
            settings=study.segments,
            reduce=study.reduce,
            **shown,
            **{name: segments[name] for name in _SUMMARIES["segments"]},
        ),
        profiles=Profiles(
            **{
                f.name: frames.get(f"profiles/{_PROFILE_FILES.get(f.name, f.name)}", pd.DataFrame())
                for f in fields(Profiles)
            }
        ),
        warnings=pd.DataFrame(
            [(note["stage"], note["message"]) for note in notes], columns=["stage", "message"]
        ),
        agreement=frames.get("agreement"),
        manifest=manifest,
        confirmation=_confirmation(folder / CONFIRMATION),
    )


def _scales(
    frames: Mapping[str, pd.DataFrame], folder: Path, survey: Survey, study: Study
) -> Scales:
    summary = _read_json(folder / "scales" / "summary.json")
    return Scales(
        table=frames["scales/table"],
        items=frames["scales/items"],
        loadings=_indexed(frames["scales/loadings"], "item"),
        phi=_indexed(frames["scales/phi"], "factor"),
        factors=frames["scales/factors"],
        structure=_indexed(frames["scales/structure"], "item"),
        eigenvalues=frames["scales/eigenvalues"],
        number=frames["scales/number"],
        fit=frames["scales/fit"],
        residuals=frames["scales/residuals"],
        reliability=frames["scales/reliability"],
        flags=frames["scales/flags"],
        drops=frames["scales/drops"],
        corr=_indexed(frames["scales/correlations"], "item"),
        scores=frames["scales/scores"].iloc[:, 1:],
        weights=None if survey.weight_kind == "none" else pd.Series(survey.weights, name="weight"),
        weight_kind=survey.weight_kind,
        settings=study.scales,
        **{name: summary[name] for name in _SUMMARIES["scales"]},
    )


def _survey(
    frames: Mapping[str, pd.DataFrame], study: Study, manifest: Mapping[str, Any]
) -> Survey:
    book = {}
    for row in frames["survey/codebook"].to_dict("records"):
        plain: dict[str, Any] = {name: row[name] for name in _CODEBOOK}
        for end in ("low", "high"):
            plain[end] = None if np.isnan(plain[end]) else plain[end]
        labels, categories, missing = (json.loads(row[name]) for name in _CODEBOOK_JSON)
        book[plain["name"]] = Variable(
            **plain,
            value_labels={float(code): text for code, text in labels.items()},
            categories=tuple(categories),
            missing=tuple(missing),
        )
    answers = frames["survey/answers"]
    # Ids and weights come first, whatever an item is called.
    rest = answers.iloc[:, 2:]
    n_items = sum(variable.role == "item" for variable in book.values())
    columns = rest.iloc[:, n_items:].copy()
    types = manifest["tables"]["survey/answers"][2 + n_items :]
    for name, kind in zip(columns.columns, types, strict=True):
        if kind in _CATEGORIES:
            of = pd.CategoricalDtype(list(book[name].categories), ordered=kind == "ordered")
            columns[name] = columns[name].where(columns[name] != "", None).astype(of)
    tables: dict[str, Any] = {
        name: frames.get(f"survey/{name}", pd.DataFrame()) for name in _SURVEY_TABLES
    }
    return Survey(
        ids=answers.iloc[:, 0].rename(study.data.id or "respondent").astype("str"),
        items=rest.iloc[:, :n_items].copy(),
        columns=columns,
        weights=answers.iloc[:, 1].to_numpy(np.float64),
        weight_kind=manifest["respondents"]["weights"],
        codebook=book,
        ledger=frames["survey/ledger"],
        n_read=manifest["respondents"]["read"],
        texts=frames[_TEXTS].iloc[:, 1:] if _TEXTS in frames else pd.DataFrame(),
        **tables,
    )


def _codebook(survey: Survey) -> pd.DataFrame:
    rows = [
        [getattr(v, c) for c in _CODEBOOK]
        + [json.dumps(dict(v.value_labels), ensure_ascii=False)]
        + [json.dumps(part, ensure_ascii=False) for part in (v.categories, v.missing)]
        for v in survey.codebook.values()
    ]
    frame = pd.DataFrame(rows, columns=[*_CODEBOOK, *_CODEBOOK_JSON])
    return frame.astype({"low": float, "high": float})


def _respondents(
    survey: Survey, scales: Scales, segments: Segments, profiles: Profiles
) -> pd.DataFrame:
    labels = segments.labels.to_numpy()
    there = np.flatnonzero(labels > 0)
    names = dict(zip(profiles.personas["segment"], profiles.personas["name"], strict=True))
    labels = labels[there]
    place = segments.points.iloc[segments.point_of[there]].reset_index(drop=True)
    certainty = segments.certainty.to_numpy()[there]
    shown = ["map_1", "map_2", *(["consensus"] if "consensus" in place else [])]
    return pd.concat(
        [
            survey.ids.iloc[there].reset_index(drop=True).rename("id"),
            pd.Series(survey.weights[there], name="weight"),
            scales.scores.iloc[there].reset_index(drop=True),
            pd.Series(labels, name="segment"),
            pd.Series([names[label] for label in labels], name="segment_name"),
            pd.Series(segments.silhouette.to_numpy()[there], name="silhouette"),
            pd.Series(certainty, name="certainty"),
            # Empty where nobody looked.
            pd.Series(certainty < BORDER, name="on_border", dtype="boolean").mask(
                np.isnan(certainty)
            ),
            place[shown],
        ],
        axis=1,
    )


def _confirmation(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of R's confirmation: numbers with gaps as NaN, texts as they stand."""
    tables = {}
    for path in sorted(folder.glob("*.csv")):
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding=ENCODING)
        for name in table.columns:
            there = ~table[name].isin(("", "NA"))
            numbers = pd.to_numeric(table[name].where(there), errors="coerce")
            if numbers.notna().equals(there) and there.any():
                table[name] = numbers
            else:
                table[name] = table[name].where(there, "")
        tables[path.stem] = table
    return tables


def _indexed(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the first column as the index, though another column may have its name."""
    return frame.iloc[:, 1:].set_axis(pd.Index(frame.iloc[:, 0], name=name))


def _check_respondents(folder: Path, frames: Mapping[str, pd.DataFrame]) -> None:
    """Check that the tables of respondents have the same people in the same order."""
    first, *others = (name for name in _BY_RESPONDENT if name in frames or name != _TEXTS)
    ids = frames[first].iloc[:, 0].astype(str).tolist()
    for name in others:
        own = frames[name].iloc[:, 0].astype(str).tolist()
        if own == ids:
            continue
        what = (
            f"{len(own)} rows and {first}.csv has {len(ids)}"
            if len(own) != len(ids)
            else f"other ids, or in another order, than {first}.csv"
        )
        raise DataError(
            f"{folder / name}.csv has {what}: a row was deleted, added or moved. {REMEDY}"
        )


def _write_json(result: object, names: Sequence[str], path: Path) -> None:
    # JSON knows no NaN, which R's reader refuses.
    values = {name: getattr(result, name) for name in names}
    summary = {name: None if value != value else value for name, value in values.items()}
    path.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding=ENCODING))
    return found
