"""Every number in the tables of fit_scales, end to end, beside those of programs that others wrote.

The references are written by ``reference/make_scales_reference.R`` (R 4.2.2, psych 2.2.9, survey
4.1.1): psych's functions on the same answers, and R code made from the papers where psych has none
(empirical Kaiser, Hull, next eigenvalue test, composite reliability, the indices of careless).
"""

import warnings

import numpy as np
import pandas as pd
import pytest

from psychoseg import PsychosegWarning, fit_scales, load_study, load_survey
from psychoseg.stats.reliability import ordinal_alpha
from psychoseg.study import ScaleKey, ScalesSettings
from psychoseg.survey import Survey
from tests.stats.conftest import REFERENCE, reference

BFI = {
    "a": "-A1 A2 A3 A4 A5",
    "c": "C1 C2 C3 -C4 -C5",
    "e": "-E1 -E2 E3 E4 E5",
    "n": "N1 N2 N3 N4 N5",
    "o": "O1 -O2 O3 O4 -O5",
}
HSQ = {
    "affiliative": "-Q1 Q5 -Q9 Q13 -Q17 Q21 -Q25 -Q29",
    "enhancing": "Q2 Q6 Q10 Q14 Q18 -Q22 Q26 Q30",
    "aggressive": "Q3 -Q7 Q11 -Q15 Q19 -Q23 Q27 -Q31",
    "defeating": "Q4 Q8 Q12 -Q16 Q20 Q24 Q28 Q32",
}
GRIT = {"interest": "GS2 GS3 GS5 GS7 GS8 GS11", "effort": "GS1 GS4 GS6 GS9 GS10 GS12"}
HOLZINGER = {"visual": "x1 x2 x3", "textual": "x4 x5 x6", "speed": "x7 x8 x9"}
LIKE_ME = ["Not like me at all", "Not like me", "A little like me"]
LIKE_ME += ["Somewhat like me", "Like me", "Very much like me"]
IPIP = {
    "E": (2, 4, 6, 8, 10),
    "N": (2, 4),
    "A": (1, 3, 5, 7),
    "C": (2, 4, 6, 8),
    "O": (2, 4, 6),
}
#: Weighted sets: person i (from 1) counts i mod 3 + 1 times; psych was given the rows repeated.
SETS = (
    "bfi_pearson",
    "bfi_polychoric",
    "bfi_complete_weighted",
    "hsq_polychoric",
    "gss_polychoric",
    "grit_polychoric_weighted",
    "holzinger_pearson",
)
#: What needs no factor: nothing but rounding of the ten digits may differ.
PLAIN = ("alpha", "split half", "lambda 6", "average correlation", "item_rest", "mean", "sd")


def grit_file(shared):
    return shared / "03_openpsychometrics" / "duckworth-grit-scale-data" / "data.csv"


def answers(name, request):
    """Return a data set's items, its scales (or their number) and the ends of its answer scale."""
    if name.startswith("bfi"):
        folder = request.getfixturevalue("root") / "surveys" / "big_five"
        frame = pd.read_csv(folder / "data.csv").loc[:, "A1":"O5"]
        return (frame.dropna() if "complete" in name else frame), BFI, (1, 6)
    if name.startswith("holzinger"):
        return reference("scales_holzinger.csv"), HOLZINGER, None
    shared = request.getfixturevalue("shared_data")
    if name.startswith("hsq"):
        frame = pd.read_csv(shared / "03_openpsychometrics" / "HSQ" / "data.csv")
        return frame.loc[:, "Q1":"Q32"].replace(-1, np.nan).dropna(how="all"), HSQ, (1, 5)
    if name.startswith("gss"):
        frame = pd.read_csv(shared / "04_values_social" / "gss12_schwartz_values.csv")
        codes = {value: code + 1.0 for code, value in enumerate(LIKE_ME)}
        return frame.apply(lambda item: item.map(codes)).dropna(how="all"), 4, (1, 6)
    frame = pd.read_csv(grit_file(shared), sep="\t").loc[:, "GS1":"GS12"]
    return frame.replace(0, np.nan).dropna(how="all"), GRIT, (1, 5)


def fitted(name, request, **settings):
    frame, keys, ends = answers(name, request)
    frame = frame.reset_index(drop=True).astype(float)
    counts = (np.arange(len(frame)) + 1) % 3 + 1.0 if "weighted" in name else None
    survey = Survey.from_frame(frame, answer_range=ends, weights=counts, weight_kind="frequency")
    if isinstance(keys, int):
        settings["n_factors"] = keys
    else:
        settings["scale"] = tuple(
            ScaleKey(
                name=scale,
                items=tuple(item.strip("-") for item in items.split()),
                reverse=tuple(item[1:] for item in items.split() if item[0] == "-"),
            )
            for scale, items in keys.items()
        )
    kind = "polychoric" if "polychoric" in name else "pearson"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsychosegWarning)
        return fit_scales(survey, ScalesSettings(correlation=kind, **settings))


def long(scales):
    """Return the tables of fit_scales as the reference has them: (table, row, column) -> value."""
    found = {}

    def add(table, frame):
        for row, values in frame.iterrows():
            found.update({(table, str(row), str(c)): v for c, v in values.items()})

    add("table", scales.table.set_index("scale"))
    add("items", scales.items.set_index("item"))
    add("factors", scales.factors.set_index("factor"))
    add("phi", scales.phi.abs())
    add("eigenvalues", scales.eigenvalues.set_index("component"))
    add("number", scales.number.set_index("criterion"))
    add("score mean", scales.scores)
    pairs = scales.residuals.apply(lambda r: " ".join(sorted((r["item"], r["other"]))), axis=1)
    add("residuals", scales.residuals.set_index(pairs))
    for r in scales.fit.itertuples():
        ends = {"": r.value, "_low": r.low, "_high": r.high}
        found.update({("fit", "", r.measure + end): v for end, v in ends.items()})
    for r in scales.reliability.itertuples():
        ends = {"": r.value, " low": r.low, " high": r.high}
        found.update({("reliability", r.scale, r.coefficient + e): v for e, v in ends.items()})
    return found


def tolerance(table, row, column, polychoric):
    """Return absolute and relative tolerance: ours is exact, so it is that of the other program."""
    if column in ("suggested", "n_items", "base", "df", "bartlett_df"):
        return 0, 0
    if column.startswith(PLAIN) and column != "alpha, ordinal":
        return 1e-8, 0
    if row == "next eigenvalue sufficiency test":
        return 0.02, 0  # 100 random samples beside 200 others
    if row.startswith("hull"):
        return 0, 0.01  # a ratio of small differences
    if table == "fit":
        # psych::polychoric's rho is good to about 1e-4, and one of 300 moves fit by less.
        if column in ("chi_square", "bartlett_chi_square", "bic"):
            return (0.5, 1e-4) if polychoric else (1e-3, 1e-6)
        return (3e-5 if polychoric else 1e-6), 0
    unrotated = table in ("eigenvalues", "number", "residuals") or column in ("msa", "observed")
    if unrotated or column == "alpha, ordinal":
        return (1e-4 if polychoric else 1e-6), 0
    # GPArotation stops at a gradient of 1e-5.
    return (5e-4 if polychoric else 1e-4), 0


def compare(name, expected, found):
    wrong = []
    for r in expected.itertuples():
        key = (r.table, str(r.row), r.column)
        atol, rtol = tolerance(*key, "polychoric" in name)
        value = found[key]
        value = np.nan if value is pd.NA else float(value)
        if not np.isclose(value, float(r.value), atol=atol, rtol=rtol, equal_nan=True):
            wrong.append(f"{key}: {value!r}, reference {r.value}")
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def expected():
    frame = pd.read_csv(
        REFERENCE / "scales_tables.csv",
        keep_default_na=False,
        dtype={"row": str},
    )
    return frame.assign(value=pd.to_numeric(frame["value"], errors="coerce"))


@pytest.mark.parametrize("name", SETS)
def test_every_table_of_fit_scales_holds_what_psych_says(name, expected, request):
    rows = expected[expected["set"] == name]
    rows = rows[~rows["table"].str.match("score (reg|bart|ten)")]
    assert len(rows) > 100
    compare(name, rows, long(fitted(name, request)))


@pytest.mark.parametrize("method", ["regression", "bartlett", "ten_berge"])
@pytest.mark.parametrize("name", ["bfi_pearson", "grit_polychoric_weighted", "holzinger_pearson"])
def test_factor_scores_are_those_of_psych(name, method, expected, request):
    # psych 2.2.9, factor.scores' weights on z scores of divisor n.
    rows = expected[(expected["set"] == name) & (expected["table"] == f"score {method}")]
    assert len(rows) >= 8
    scores = fitted(name, request, score=method, starts=0, replicates=20).scores
    found = {(f"score {method}", str(i), c): scores.loc[i, c] for i in range(6) for c in scores}
    compare(name, rows, found)


def test_ordinal_alpha_and_its_interval_are_those_of_psych_bootstrapped(request):
    frame = answers("bfi_pearson", request)[0]
    x = frame[BFI["n"].split()].to_numpy(float)
    alpha, low, high = ordinal_alpha(x, np.ones(len(x)), len(x))
    # psych 2.2.9, alpha() of polychoric() in 500 samples of the respondents.
    other = reference("scales_ordinal_alpha.csv").iloc[0]
    assert alpha == pytest.approx(other["alpha"], abs=2e-5)
    # A bootstrap's standard error has an error of its own, 1 / sqrt(2 * 500) = 3.2%: three of them.
    assert (high - low) / (2 * 1.96) == pytest.approx(other["se"], rel=0.1)
    assert [low, high] == pytest.approx([other["low"], other["high"]], abs=0.25 * (high - low) / 2)


def test_sampling_weights_raked_by_survey_give_the_alpha_of_weighted_covariances(
    tmp_path, shared_data
):
    # survey 4.1.1 rake(); psych's alpha of stats::cov.wt and alpha.ci at Kish's effective number.
    (tmp_path / "study.toml").write_text(
        f"""
        study.title = "Grit"
        data.file = "{grit_file(shared_data)}"
        clean.min_answered = 0.0
        [[items]]
        columns = ["GS2", "GS3", "GS5", "GS7", "GS8", "GS11"]
        range = [1, 5]
        missing = [0]
        [weights]
        unmatched = "exclude"
        margins = [
          {{ column = "gender", targets = {{ 1 = 49, 2 = 51 }} }},
          {{ column = "education", targets = {{ 1 = 12, 2 = 40, 3 = 30, 4 = 18 }} }},
          {{ column = "urban", targets = {{ 1 = 20, 2 = 50, 3 = 30 }} }},
        ]
        """,
        encoding="utf-8",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsychosegWarning)
        survey = load_survey(load_study(tmp_path))
    other = reference("scales_weighted.csv").set_index("quantity")["value"]
    weights = pd.Series(survey.weights, index=survey.ids.astype(int) - 1)
    raked = other[other.index.str.startswith("weight ")]
    rows = raked.index.str.removeprefix("weight ").astype(int)
    # rake() stops at 1e-9 people.
    np.testing.assert_allclose(weights.loc[rows], raked, atol=1e-8)
    there = survey.items.notna().all(axis=1).to_numpy()
    items = survey.items[there].reset_index(drop=True)
    scale = ScaleKey(name="interest", items=tuple(items.columns))
    scales = fit_scales(
        Survey.from_frame(items, weights=survey.weights[there], answer_range=(1, 5)),
        ScalesSettings(scale=(scale,), replicates=20),
    )
    row = scales.table.iloc[0]
    for column in ("alpha", "alpha_low", "alpha_high", "mean_r", "mean", "sd"):
        assert row[column] == pytest.approx(other[column], abs=1e-8), column
    rest = scales.items.set_index("item")["item_rest"]
    for item in items:
        assert rest[item] == pytest.approx(other[f"item_rest {item}"], abs=1e-8)


def test_the_quality_indices_of_grit_are_those_careless_documents(tmp_path, shared_data):
    lines = ["study.title = 'Grit'", f"data.file = '{grit_file(shared_data)}'"]
    lines += ["clean.min_answered = 0.0", "quality.duration = 'testelapse'"]
    lines += ["quality.synonym_r = 0.5", "[[items]]", "range = [1, 5]", "missing = [0]"]
    lines.append(f"columns = {[f'{scale}1:{scale}10' for scale in IPIP]}")
    for scale, turned in IPIP.items():
        items = [f"{scale}{i}" for i in range(1, 11)]
        reverse = [f"{scale}{i}" for i in turned]
        lines += ["[[scales.scale]]", f"name = '{scale}'"]
        lines += [f"items = {items}", f"reverse = {reverse}"]
    (tmp_path / "study.toml").write_text("\n".join(lines), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsychosegWarning)
        quality = load_survey(load_study(tmp_path)).quality
    other = reference("scales_quality.csv").set_index("row")
    for column in other:
        found = quality.loc[other.index, column].to_numpy(float)
        np.testing.assert_allclose(found, other[column], rtol=1e-9, atol=1e-9, err_msg=column)
