"""The space in which people are divided, beside FactoMineR and R's prcomp, and what must hold."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

import psychoseg.segments.coordinates as coordinates_module
from psychoseg.errors import DataError
from psychoseg.segments.space import Space, block_table, block_warning, build_space
from psychoseg.stats.arrays import on_grid
from psychoseg.stats.gower import gower_distances
from psychoseg.study import load_study
from psychoseg.study_segments import ReduceSettings
from psychoseg.survey import Survey, load_survey
from psychoseg.survey.frame import survey_from_frame
from tests.stats.conftest import reference
from tests.stats.test_reduction import expected, row_weights

ALL = ReduceSettings(components="all")
#: One of each way from columns to coordinates.
WAYS = {
    "components": ReduceSettings(),
    "parallel": ReduceSettings(components="parallel"),
    "columns as they are": ReduceSettings(method="none", standardise=False),
    "blocks": ReduceSettings(balance="blocks", blocks={"home": 2.0}, components="all"),
    "gower": ReduceSettings(method="gower", blocks={"home": 0.5}),
}


def survey_of(
    frame: pd.DataFrame,
    *,
    blocks: dict[str, str] | None = None,
    profile: tuple[str, ...] = (),
    **kw,
) -> Survey:
    survey = survey_from_frame(frame, items=[], active=list(frame), **kw)
    book = {
        name: replace(
            variable,
            block=(blocks or {}).get(name, variable.block),
            role="profile" if name in profile else variable.role,
        )
        for name, variable in survey.codebook.items()
    }
    return replace(survey, codebook=book)


def space_of(survey: Survey, settings: ReduceSettings = ALL, **kw) -> Space:
    options = {"takes_weights": True, "with_answers": False, "rng": np.random.default_rng(1), **kw}
    return build_space(survey, None, settings, **options)


def mixed(n: int = 150, seed: int = 1) -> pd.DataFrame:
    """Return tied numbers, an ordinal column and two nominal ones, related to one another."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((n, 2))
    numbers = np.round(3 + latent[:, [0, 0, 1, 1]] + rng.standard_normal((n, 4)))
    place = np.digitize(latent[:, 0] + rng.standard_normal(n), [-1, 1])
    frame = pd.DataFrame(numbers.clip(1, 5), columns=list("abcd"))
    levels = ["primary", "secondary", "degree"]
    frame["school"] = pd.Categorical(np.array(levels)[place], categories=levels, ordered=True)
    frame["town"] = rng.choice(["x", "y", "z"], n, p=[0.5, 0.3, 0.2])
    frame["owner"] = np.where(latent[:, 1] > 0.3, "yes", "no")
    return frame


HOME = {"town": "home", "owner": "home"}


# ---- beside other programs ----


@pytest.fixture(scope="module")
def tea(shared_data) -> pd.DataFrame:
    return pd.read_csv(shared_data / "09_r_misc" / "FactoMineR__tea.csv")


def weighted_survey(frame: pd.DataFrame, *, weighted: bool, **kw) -> Survey:
    if not weighted:
        return survey_of(frame, **kw)
    w = row_weights(len(frame), weighted=True)
    return survey_of(frame, weights=w, weight_kind="frequency", **kw)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("analysis", ["decathlon_pca", "tea_mca", "wine_famd", "tea_famd"])
def test_numbers_categories_and_both_have_factominers_eigenvalues_and_places(
    analysis, weighted, tea
):
    frame = {
        "decathlon_pca": reference("reduction_decathlon.csv").iloc[:, :10],
        "tea_mca": tea.iloc[:, :18],
        "tea_famd": tea.iloc[:, [*range(18), 18]],
        "wine_famd": reference("reduction_wine.csv"),
    }[analysis]
    if analysis == "tea_famd":
        assert frame.columns[-1] == "age"
    name = analysis + "_weighted" * weighted
    space = space_of(weighted_survey(frame, weighted=weighted))
    values = expected("eigenvalues", name)["eigenvalue"].to_numpy()
    found = space.eigenvalues["eigenvalue"].to_numpy()[: len(values)]
    np.testing.assert_allclose(found, values, rtol=1e-11)
    rows = expected("rows", name)
    ours = space.coordinates[space.merged.point_of][rows["row"] - 1, :5]
    theirs = rows.loc[:, "dim1":"dim5"].to_numpy()
    signs = np.sign((ours * theirs).sum(axis=0))
    # Coordinates are held to 1e-10 of the largest; tea's near eigenvalues turn by rounding.
    np.testing.assert_allclose(ours, theirs * signs, atol=2e-9)


@pytest.mark.parametrize("analysis", ["tea_mca", "tea_famd"])
def test_places_and_contributions_of_features_are_factominers(analysis, tea):
    # FactoMineR 2.7; see stats/test_mixed_reduction.py, where they are held to 1e-9.
    frame = tea.iloc[:, : 18 if analysis == "tea_mca" else 19]
    found = space_of(survey_of(frame)).contributions
    found = found[found["component"] == 1].set_index("feature")
    theirs = expected("variables", analysis).set_index(["measure", "column"])["dim1"]
    levels = [name.split("=")[-1] for name in found.index]
    coordinates = theirs.loc["coord"].loc[levels].to_numpy()
    sign = np.sign((coordinates * found["coordinate"]).sum())
    # Coordinates of people are on a grid of 1e-10 of the largest.
    np.testing.assert_allclose(found["coordinate"], sign * coordinates, atol=2e-9)
    contributions = theirs.loc["contrib"].loc[levels].to_numpy()
    np.testing.assert_allclose(100 * found["contribution"], contributions, atol=2e-8)
    np.testing.assert_allclose(found["cos2"], theirs.loc["cos2"].loc[levels], atol=2e-9)
    variables = [name.split("=")[0] for name in found.index]
    np.testing.assert_allclose(found["eta_squared"], theirs.loc["eta2"].loc[variables], atol=2e-9)


def test_decathlon_and_tea_have_the_eigenvalues_of_their_manuals(tea):
    # Husson, Le & Pages, Exploratory Multivariate Analysis by Example Using R.
    decathlon = space_of(survey_of(reference("reduction_decathlon.csv").iloc[:, :10]))
    np.testing.assert_allclose(decathlon.eigenvalues["eigenvalue"][:2], [3.2719, 1.7371], atol=5e-5)
    mca = space_of(survey_of(tea.iloc[:, :18]))
    np.testing.assert_allclose(mca.eigenvalues["eigenvalue"][:2], [0.1483, 0.1215], atol=5e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_balanced_blocks_are_factominers_mfa(weighted):
    wine = reference("reduction_wine.csv")
    groups = np.repeat(
        ["origin", "odour", "visual", "shaking", "taste", "overall"], [2, 5, 3, 10, 9, 2]
    )
    blocks = dict(zip(wine.columns, groups, strict=True))
    survey = weighted_survey(wine, weighted=weighted, blocks=blocks)
    space = space_of(survey, ReduceSettings(balance="blocks", components="all"))
    values = expected("eigenvalues", "wine_mfa" + "_weighted" * weighted)["eigenvalue"]
    found = space.eigenvalues["eigenvalue"].to_numpy()[: len(values)]
    np.testing.assert_allclose(found, values, rtol=1e-11)
    # Each block's own first eigenvalue is 1.
    for b in range(len(space.blocks)):
        own = space.coded[:, space.block_of == b]
        w = space.merged.weights
        assert np.linalg.eigvalsh((own * w[:, None]).T @ own / w.sum())[-1] == pytest.approx(1)


def test_mcdonalds_as_numbers_has_prcomps_standard_deviations(shared_data, tmp_path):
    data = shared_data / "05_segmentation" / "mcdonalds" / "mcdonalds.csv"
    names = "yummy convenient spicy fattening greasy fast cheap tasty expensive healthy disgusting"
    columns = "".join(
        f'[[columns]]\nname = "{name}"\nuse = "active"\ntype = "ordinal"\n'
        'order = ["No", "Yes"]\nblock = "perception"\n'
        for name in names.split()
    )
    (tmp_path / "study.toml").write_text(
        f'[data]\nfile = "{data.as_posix()}"\n[[items]]\ncolumns = ["Age"]\nrange = [10, 90]\n'
        f"{columns}[reduce]\nstandardise = false\ncomponents = 4\n"
    )
    study = load_study(tmp_path)
    space = space_of(load_survey(study), study.reduce)
    n = 1453
    # R 4.2.2, prcomp of the 0/1 columns, as printed by Dolnicar, Grun & Leisch (2018), ch. 6;
    # its divisor is n - 1.
    sd = np.sqrt(space.eigenvalues["eigenvalue"].to_numpy()[:4] * n / (n - 1))
    np.testing.assert_allclose(sd, [0.7570, 0.6075, 0.5046, 0.3988], atol=5e-5)
    assert set(space.features["kind"]) == {"ordinal"}
    assert space.blocks == ("perception",)
    assert space.coordinates.shape[1] == 4


def test_profile_columns_are_projected_as_factominer_does():
    decathlon = reference("reduction_decathlon.csv")
    survey = survey_of(decathlon, profile=("Rank", "Points", "Competition"))
    space = space_of(survey, ReduceSettings(components=5))
    rows = expected("rows", "decathlon_pca")
    ours = space.coordinates[space.merged.point_of][rows["row"] - 1]
    signs = np.sign((ours * rows.loc[:, "dim1":"dim5"].to_numpy()).sum(axis=0))
    theirs = expected("supplementary", "decathlon_pca").set_index("column").loc[:, "dim1":"dim5"]
    found = space.supplementary.set_index(
        space.supplementary["category"].where(
            space.supplementary["category"] != "", space.supplementary["column"]
        )
    ).loc[:, "comp_1":"comp_5"]
    numbers = ["Rank", "Points"]
    np.testing.assert_allclose(found.loc[numbers], theirs.loc[numbers] * signs, atol=1e-9)
    places = ["Decastar", "OlympicG"]
    sd = np.sqrt(space.eigenvalues["eigenvalue"].to_numpy()[:5])
    np.testing.assert_allclose(found.loc[places], theirs.loc[places] * signs / sd, atol=1e-9)
    assert "Rank" not in set(space.features["feature"])


# ---- what must hold ----


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("weighted", [False, True])
def test_neither_row_order_nor_column_order_nor_names_change_a_byte(way, weighted):
    frame = mixed()
    rng = np.random.default_rng(5)
    weights = rng.uniform(0.5, 2, len(frame)).round(2) if weighted else None
    first = space_of(survey_of(frame, blocks=HOME, weights=weights), WAYS[way])
    for _ in range(3):
        rows = rng.permutation(len(frame))
        other = frame.iloc[rows, rng.permutation(frame.shape[1])].reset_index(drop=True)
        renamed = dict(zip(other, rng.permutation([f"q{j}" for j in range(7)]), strict=True))
        found = space_of(
            survey_of(
                other.rename(columns=renamed),
                blocks={renamed[name]: block for name, block in HOME.items()},
                weights=None if weights is None else weights[rows],
            ),
            WAYS[way],
        )
        for a in ("coordinates", "columns", "coded", "nominal", "people"):
            assert getattr(found, a).tobytes() == getattr(first, a).tobytes(), a
        assert found.eigenvalues.equals(first.eigenvalues)
        np.testing.assert_array_equal(found.merged.point_of, first.merged.point_of[rows])


def test_profile_columns_are_projected_with_the_same_bytes_in_every_row_order():
    rng = np.random.default_rng(8)
    frame = mixed().assign(height=rng.normal(170, 9, 150), pet=rng.choice(["cat", "dog"], 150))
    weights = rng.uniform(0.5, 2, 150).round(2)
    first = space_of(survey_of(frame, weights=weights, profile=("height", "pet"))).supplementary
    assert first["category"].tolist() == ["", "cat", "dog"]
    rows = rng.permutation(150)
    shuffled = survey_of(
        frame.iloc[rows].reset_index(drop=True), weights=weights[rows], profile=("height", "pet")
    )
    pd.testing.assert_frame_equal(space_of(shuffled).supplementary, first, check_exact=True)


@pytest.mark.parametrize("way", ["components", "gower"])
def test_coordinates_are_on_a_grid_that_rounding_noise_does_not_reach(way):
    x = space_of(survey_of(mixed()), ReduceSettings(method=way, components="all")).coordinates
    # A grid of 1e-10 of the largest, and of a power of ten.
    digits = 10 - int(np.floor(np.log10(np.abs(x).max())))
    np.testing.assert_array_equal(x, np.round(x, digits))
    assert not np.signbit(x[x == 0]).any()
    np.testing.assert_array_equal(on_grid(x + 1e-14), x)


@pytest.mark.parametrize("way", WAYS)
def test_integer_weights_equal_repeated_rows(way):
    frame = mixed().assign(kids=np.arange(150) % 3.0)
    counts = np.random.default_rng(2).integers(1, 4, len(frame))
    repeated = frame.loc[np.repeat(frame.index, counts)].reset_index(drop=True)
    kw = {"blocks": HOME, "profile": ("kids",)}
    weighted = survey_of(frame, weights=counts.astype(float), weight_kind="frequency", **kw)
    a, b = space_of(weighted, WAYS[way]), space_of(survey_of(repeated, **kw), WAYS[way])
    np.testing.assert_allclose(a.coordinates, b.coordinates, atol=2e-10)
    np.testing.assert_allclose(a.people, b.people)
    for table in ("eigenvalues", "components", "supplementary"):
        left, right = (getattr(s, table).select_dtypes(float) for s in (a, b))
        np.testing.assert_allclose(left, right, atol=1e-9)
    values = a.eigenvalues["eigenvalue"], b.eigenvalues["eigenvalue"]
    np.testing.assert_allclose(*values, atol=1e-10)


@pytest.mark.parametrize("way", WAYS)
def test_the_projection_puts_the_respondents_where_they_are_after_pickling_too(way):
    space = space_of(survey_of(mixed(), blocks=HOME), WAYS[way])
    project = pickle.loads(pickle.dumps(space.project))
    np.testing.assert_allclose(project(space.columns), space.coordinates, atol=1e-9)


@pytest.mark.parametrize("way", WAYS)
def test_coordinates_are_centred_and_uncorrelated_with_the_eigenvalues_as_variances(way):
    w = np.random.default_rng(3).uniform(0.5, 2, 150)
    space = space_of(survey_of(mixed(), blocks=HOME, weights=w), WAYS[way])
    share = space.merged.weights / space.merged.weights.sum()
    x = space.coordinates
    np.testing.assert_allclose(share @ x, 0, atol=1e-9)
    kept = space.eigenvalues.loc[space.eigenvalues["retained"], "eigenvalue"]
    np.testing.assert_allclose((x * share[:, None]).T @ x, np.diag(kept), atol=1e-9)


def test_without_reduction_every_distance_is_that_of_the_columns():
    space = space_of(survey_of(mixed(), blocks=HOME), ReduceSettings(method="none"))
    np.testing.assert_allclose(
        cdist(space.coordinates, space.coordinates), cdist(space.coded, space.coded), atol=1e-8
    )
    assert "no reduction" in space.rule


def test_all_principal_coordinates_have_the_roots_of_gowers_distances():
    w = np.random.default_rng(3).uniform(0.5, 2, 150)
    settings = ReduceSettings(method="gower", components="all", blocks={"home": 0.5})
    space = space_of(survey_of(mixed(), blocks=HOME, weights=w), settings)
    by_hand = gower_distances(
        space.columns,
        ["nominal" if nominal else "numeric" for nominal in space.nominal],
        column_weights=np.where(space.nominal, 0.5, 1.0),
    )
    np.testing.assert_allclose(space.distances, by_hand)
    squared = cdist(space.coordinates, space.coordinates, "sqeuclidean")
    np.testing.assert_allclose(squared, by_hand, atol=1e-8)
    # A new person's squared distances differ from the true ones by the same number: what of him
    # lies outside the space.
    new = space.columns[:2].copy()
    new[:, 0] += 0.37
    reach = np.ptp(space.columns, axis=0)
    apart = np.where(
        space.nominal, new[:, None] != space.columns, np.abs(new[:, None] - space.columns) / reach
    )
    weights = np.where(space.nominal, 0.5, 1.0)
    truth = apart @ weights / weights.sum()
    off = truth - cdist(space.project(new), space.coordinates, "sqeuclidean")
    np.testing.assert_allclose(off, off[:, :1] * np.ones(off.shape[1]), atol=1e-7)
    assert (off[:, 0] > 1e-6).all()


def test_ordinal_columns_count_as_equal_steps():
    frame = mixed()
    steps = frame.assign(school=frame["school"].cat.codes.astype(float))
    a, b = space_of(survey_of(frame)), space_of(survey_of(steps))
    np.testing.assert_array_equal(a.coordinates, b.coordinates)
    kinds = dict(zip(a.features["feature"], a.features["kind"], strict=True))
    assert kinds["school"] == "ordinal"
    assert kinds["town=x"] == "category"


@pytest.mark.parametrize("balance", ["columns", "blocks"])
def test_a_block_of_weight_two_has_twice_the_variance(balance):
    survey = survey_of(mixed(), blocks=HOME)
    plain, double = (
        space_of(survey, ReduceSettings(balance=balance, blocks=blocks))
        for blocks in ({}, {"home": 2.0})
    )
    assert plain.blocks == ("demographics", "home")
    np.testing.assert_allclose(double.coded, plain.coded * np.sqrt([1, 2])[plain.block_of])
    np.testing.assert_array_equal(double.block_weights, [1, 2])


def test_a_weight_is_as_good_as_so_many_copies_of_the_column():
    frame = mixed()[["a", "b", "town"]]
    copies = frame.assign(town2=frame["town"], town3=frame["town"])
    settings = {"method": "gower", "components": "all"}
    weighted = space_of(
        survey_of(frame, blocks={"town": "home"}), ReduceSettings(**settings, blocks={"home": 3.0})
    )
    copied = space_of(survey_of(copies), ReduceSettings(**settings))
    np.testing.assert_allclose(weighted.distances, copied.distances, atol=1e-12)


# ---- the number of components ----


def test_parallel_analysis_finds_the_planted_components():
    rng = np.random.default_rng(4)
    latent = np.repeat(rng.standard_normal((300, 2)), 4, axis=1)
    frame = pd.DataFrame(latent + rng.standard_normal((300, 8)), columns=list("abcdefgh"))
    space = space_of(survey_of(frame), WAYS["parallel"])
    assert space.coordinates.shape[1] == 2
    assert "the first 2 of 8 components" in space.rule
    above = space.eigenvalues["eigenvalue"] > space.eigenvalues["threshold"]
    assert above.tolist()[:3] == [True, True, False]


def test_where_no_component_is_above_chance_one_is_kept_and_that_is_said():
    # Exactly unrelated columns: every eigenvalue is 1, below what chance gives the first.
    columns = [np.tile(np.repeat([0.0, 1.0], 2**j), 2 ** (5 - j)) for j in range(6)]
    frame = pd.DataFrame(np.column_stack(columns), columns=list("abcdef"))
    space = space_of(survey_of(frame), WAYS["parallel"])
    assert space.coordinates.shape[1] == 1
    assert "because there must be one" in space.rule


def test_a_share_and_a_number_of_components_are_kept_as_asked():
    survey = survey_of(mixed())
    cumulative = space_of(survey).eigenvalues["cumulative"]
    for share in (0.3, 0.8, 1.0):
        kept = space_of(survey, ReduceSettings(share=share)).coordinates.shape[1]
        assert cumulative[kept - 1] >= share - 1e-9
        assert kept == 1 or cumulative[kept - 2] < share
    assert space_of(survey, ReduceSettings(components=3)).coordinates.shape[1] == 3


def test_the_features_table_says_what_columns_are_centred_at_and_divided_by():
    frame = mixed()
    w = np.random.default_rng(3).uniform(0.5, 2, 150)
    space = space_of(survey_of(frame, blocks=HOME, weights=w))
    table = space.features.set_index("feature")
    assert list(table) == ["label", "kind", "block", "mean", "sd"]
    mean = np.average(frame["a"], weights=w)
    assert table.loc["a", "mean"] == pytest.approx(mean)
    assert table.loc["a", "sd"] == pytest.approx(
        np.sqrt(np.average((frame["a"] - mean) ** 2, weights=w))
    )
    share = np.average(frame["town"] == "x", weights=w)
    assert table.loc["town=x", ["label", "kind", "block"]].tolist() == [
        "town: x",
        "category",
        "home",
    ]
    assert table.loc["town=x", "mean"] == pytest.approx(share)
    assert table.loc["town=x", "sd"] == pytest.approx(np.sqrt(share))
    own = space.coded[:, list(table.index).index("town=x")][space.merged.point_of]
    np.testing.assert_allclose(own, ((frame["town"] == "x") - share) / np.sqrt(share))


# ---- blocks ----


def two_blocks(numbers: float, homes: float) -> Space:
    """Return a space where two groups lie apart by so much in two columns each of two blocks."""
    rng = np.random.default_rng(6)
    group = np.repeat([0.0, 1.0], 100)
    x = rng.standard_normal((200, 4)) + group[:, None] * [numbers, numbers, homes, homes]
    frame = pd.DataFrame(x, columns=list("abcd"))
    return space_of(survey_of(frame, blocks=dict.fromkeys("ab", "scales")))


def test_the_block_table_says_where_the_segments_differ():
    space = two_blocks(4, 0)
    labels = (space.coordinates[:, 0] > 0).astype(np.intp)
    table = block_table(space, labels).set_index("block")
    assert list(table.columns) == ["weight", "features", "between", "total", "eta_squared"]
    assert table["features"].tolist() == [2, 2]
    assert table["between"].sum() == pytest.approx(1)
    assert table["total"].tolist() == pytest.approx([0.5, 0.5])
    assert table.loc["scales", "between"] > 0.95
    labels[0] = -1
    assert block_table(space, labels)["between"].sum() == pytest.approx(1)


def test_it_is_told_where_demographics_outweigh_the_scales_and_only_then():
    for numbers, homes, said in ((4, 0, False), (0, 4, True)):
        space = two_blocks(numbers, homes)
        labels = (space.coordinates[:, 0] > 0).astype(np.intp)
        text = block_warning(block_table(space, labels))
        assert ("over-relying on demographics alone" in text) == said
    assert "'demographics' carries 9" in text
    alone = space_of(survey_of(mixed()))
    labels = (alone.coordinates[:, 0] > 0).astype(np.intp)
    assert block_warning(block_table(alone, labels)) == ""


def test_columns_of_a_frame_are_of_the_block_demographics():
    assert space_of(survey_from_frame(mixed(), items=[], active=list(mixed()))).blocks == (
        "demographics",
    )


# ---- answers ----


def with_items(frame: pd.DataFrame, items: pd.DataFrame) -> Survey:
    return survey_from_frame(frame.join(items), items=list(items), active=list(frame))


def test_with_answers_one_point_has_the_same_items_as_well():
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"x": rng.integers(0, 2, 60).astype(float)})
    items = pd.DataFrame(rng.integers(2, 4, (60, 2)).astype(float), columns=["q1", "q2"])
    items.iloc[:5, 0] = np.nan
    survey = with_items(frame, items)
    plain, full = space_of(survey), space_of(survey, with_answers=True)
    assert len(plain.coordinates) == 2
    assert plain.answers is None
    assert full.n_identical == plain.n_identical == 60
    found = pd.DataFrame(full.answers[full.merged.point_of])
    theirs = (items - 2).set_axis(found.columns, axis=1)
    same = [any(found[i].equals(theirs[j]) for j in theirs) for i in found]
    assert same == [True, True]
    rows = rng.permutation(60)
    other = with_items(
        frame.iloc[rows].reset_index(drop=True), items.iloc[rows, ::-1].reset_index(drop=True)
    )
    again = space_of(other, with_answers=True)
    assert again.answers.tobytes() == full.answers.tobytes()
    np.testing.assert_array_equal(again.merged.point_of, full.merged.point_of[rows])


def test_answers_of_a_survey_without_items_are_refused():
    with pytest.raises(DataError, match="latent classes are of items"):
        space_of(survey_of(mixed()), with_answers=True)


# ---- degenerate and refused ----


@pytest.mark.parametrize("way", ["components", "gower"])
def test_one_column_three_respondents_and_identical_rows_have_a_place(way):
    survey = survey_of(pd.DataFrame({"x": [1.0, 2.0, 4.0]}))
    space = space_of(survey, ReduceSettings(method=way))
    assert space.coordinates.shape[0] == 3
    twice = space_of(survey_of(pd.DataFrame({"x": [1.0, 1, 2, 4, 4]})), ReduceSettings(method=way))
    assert twice.coordinates.shape[0] == 3
    assert twice.people.tolist() == [2, 1, 2]
    assert twice.n_identical == 4


def test_a_tree_without_weights_gets_everybody_in_canonical_order():
    frame = pd.DataFrame({"x": [4.0, 1, 1, 2]})
    space = space_of(survey_of(frame), takes_weights=False)
    assert space.merged.x.ravel().tolist() == [1, 1, 2, 4]
    assert space.merged.point_of.tolist() == [3, 0, 1, 2]
    assert space.n_identical == 2


def test_who_lacks_a_value_has_a_ledger_line_and_no_place():
    frame = mixed()
    frame.loc[3, ["a", "town"]] = [np.nan, None]
    space = space_of(survey_of(frame))
    assert space.gaps["reason"].tolist() == ["no value for a, town"]
    assert len(space.rows) == len(space.merged.point_of) == 149
    assert 3 not in space.rows


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        (lambda f: f.iloc[:2], ALL, "only 2 respondents"),
        (lambda f: f[[]], ALL, "nothing is active"),
        (lambda f: f, ReduceSettings(components=30), "components = 30 is more than the 8"),
        (lambda f: f.iloc[:8], WAYS["parallel"], "more than 8 respondents"),
        (
            lambda f: f,
            ReduceSettings(method="gower", components="parallel"),
            "of columns, not of distances",
        ),
    ],
)
def test_what_has_no_space_is_refused(change, settings, message):
    with pytest.raises(DataError, match=message):
        space_of(survey_of(change(mixed())), settings)


def test_constant_columns_and_unknown_blocks_are_named_at_once():
    frame = mixed().assign(a=2.0, owner="yes")
    settings = ReduceSettings(blocks={"homes": 2.0, "demographics": 1.0})
    with pytest.raises(DataError) as error:
        space_of(survey_of(frame, blocks=HOME), settings)
    first, second = str(error.value).split("\n")
    assert "blocks names 'homes', but" in first
    assert "'demographics', 'home'" in first
    assert "same value of a, owner, so" in second


def test_more_points_than_gowers_distances_are_reduced_for_are_refused(monkeypatch):
    monkeypatch.setattr(coordinates_module, "MAX_GOWER_POINTS", 50)
    with pytest.raises(DataError, match=r"different respondents are more than the 50"):
        space_of(survey_of(mixed()), ReduceSettings(method="gower"))
