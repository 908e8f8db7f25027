"""Column letters: hand-worked examples of each correction, and survey's p of each pair."""

from pathlib import Path

import numpy as np
import pytest

from psychoseg.stats.groups import group_means, group_shares, sum_groups
from psychoseg.stats.letters import adjust_pairs, column_letters, column_names, pairwise_p
from tests.stats.conftest import reference
from tests.stats.profile_reference import tables


def pairs(*rows: tuple[float, float, float]) -> np.ndarray:
    """Return p (r, 3, 3) from the p of A-B, A-C and B-C of each row."""
    p = np.full((len(rows), 3, 3), np.nan)
    for r, (ab, ac, bc) in enumerate(rows):
        p[r, 0, 1] = p[r, 1, 0] = ab
        p[r, 0, 2] = p[r, 2, 0] = ac
        p[r, 1, 2] = p[r, 2, 1] = bc
    return p


#: Two rows of a table with three columns; the last pair cannot be tested.
VALUES = np.array([[0.20, 0.30, 0.40], [0.5, 0.1, 0.3]])
P = pairs((0.030, 0.0001, 0.010), (0.020, 0.500, np.nan))


class TestHandWorked:
    def test_without_correction_each_p_stands_for_itself(self) -> None:
        # .03 a, .0001 A, .01 b; .02 b.
        found = column_letters(VALUES, P, correction="none")
        assert found == [["", "a", "Ab"], ["b", "", ""]]

    def test_bonferroni_takes_the_pairs_tested_within_a_row_as_spss_does(self) -> None:
        # Row 1 times 3: .09, .0003, .03. Row 2 has two pairs: .04, 1.
        adjusted = adjust_pairs(P, correction="bonferroni")
        np.testing.assert_allclose(adjusted, pairs((0.09, 0.0003, 0.03), (0.04, 1, np.nan)))
        found = column_letters(VALUES, P, correction="bonferroni")
        assert found == [["", "", "Ab"], ["b", "", ""]]

    def test_false_discovery_rate_takes_all_pairs_of_all_rows(self) -> None:
        # Sorted .0001 .01 .02 .03 .5 times 5/1 5/2 5/3 5/4 5/5.
        adjusted = adjust_pairs(P, correction="fdr")
        expected = pairs((0.0375, 0.0005, 0.025), (0.1 / 3, 0.5, np.nan))
        np.testing.assert_allclose(adjusted, expected, rtol=1e-12)
        found = column_letters(VALUES, P, correction="fdr")
        assert found == [["", "a", "Ab"], ["b", "", ""]]

    def test_a_capital_needs_the_corrected_p_below_one_per_mille(self) -> None:
        values, p = np.array([[1.0, 2, 3]]), pairs((0.9, 0.0005, 0.9))
        letters = {
            c: column_letters(values, p, correction=c)[0][2] for c in ("none", "fdr", "bonferroni")
        }
        assert letters == {"none": "A", "fdr": "a", "bonferroni": "a"}

    def test_levels_are_as_chosen_and_p_must_be_below_them(self) -> None:
        values, p = np.array([[1.0, 2, 3]]), pairs((0.05, 0.08, 0.2))
        assert column_letters(values, p, correction="none") == [["", "", ""]]
        found = column_letters(values, p, correction="none", levels=(0.1, 0.06))
        assert found == [["", "A", "a"]]

    def test_only_the_higher_of_two_columns_carries_a_letter(self) -> None:
        values, p = np.array([[2.0, 1, 1]]), pairs((1e-9, 1e-9, 1e-9))
        assert column_letters(values, p, correction="none") == [["BC", "", ""]]


class TestPairs:
    def test_p_of_each_pair_is_svyttest_s(self, shared_data: Path) -> None:
        # R 4.2.2, survey 4.1.1. Left out are groups without variance (see difference_p).
        compared = 0
        for table in tables("profile_pairs.csv", shared_data):
            estimates = group_means(table.sums)
            if table.kind == "share":
                estimates = group_shares(table.sums)
            p = pairwise_p(estimates)
            i, j = table.positions("group"), table.positions("other")
            use = (estimates.variance[i] > 0) & (estimates.variance[j] > 0)
            # Tails of 1e-100 lose digits: hence 1e-9.
            np.testing.assert_allclose(
                p[i, j][use], table.rows["p"][use], rtol=1e-9, err_msg=table.name
            )
            np.testing.assert_array_equal(p, p.T)
            assert np.isnan(np.diag(p)).all()
            compared += int(use.sum())
        assert compared > 0.9 * len(reference("profile_pairs.csv"))

    def test_an_empty_column_and_one_of_one_person_get_and_give_no_letter(self) -> None:
        x = np.concatenate([np.arange(30.0), np.arange(30.0) + 40, [1000]])
        groups = np.repeat([0, 1, 3], [30, 30, 1])
        found = group_means(sum_groups(x, groups, np.ones(61), n_groups=4, counts=True))
        p = pairwise_p(found)
        assert np.isnan(p[2:]).all()
        letters = column_letters(found.value[None], p[None], correction="fdr")
        assert letters == [["", "A", "", ""]]

    @pytest.mark.parametrize("correction", ["fdr", "bonferroni", "none"])
    def test_no_pair_at_all(self, correction: str) -> None:
        nothing = np.full((2, 3, 3), np.nan)
        values = np.array([[1.0, 2, np.nan]] * 2)
        assert column_letters(values, nothing, correction=correction) == [[""] * 3] * 2
        assert column_letters(values[:, :1], nothing[:, :1, :1], correction=correction) == [
            [""],
            [""],
        ]
        assert column_letters(values[:0], nothing[:0], correction=correction) == []

    def test_false_letters_are_held_to_the_level_where_no_column_differs(self) -> None:
        # 400 tables of five equal columns: with Bonferroni at most 5 % have a letter, 22 + 2 sd;
        # without correction about a quarter have.
        rng = np.random.default_rng(3)
        with_letter = {"fdr": 0, "bonferroni": 0, "none": 0}
        for _ in range(400):
            groups, weights = rng.integers(0, 5, 400), rng.uniform(0.5, 2, 400)
            sums = sum_groups(rng.normal(size=400), groups, weights, n_groups=5, counts=False)
            found = group_means(sums)
            for correction in with_letter:
                letters = column_letters(
                    found.value[None], pairwise_p(found)[None], correction=correction
                )
                with_letter[correction] += any(letters[0])
        assert with_letter["bonferroni"] <= 32
        assert with_letter["fdr"] <= 32
        assert with_letter["none"] > 70

    def test_inputs_are_not_changed(self) -> None:
        before = P.copy()
        for correction in ("fdr", "bonferroni", "none"):
            column_letters(VALUES, P, correction=correction)
        np.testing.assert_array_equal(P, before)


class TestNames:
    def test_columns_are_named_as_a_spreadsheet_names_them(self) -> None:
        names = column_names(703)
        assert names[:2] == ["A", "B"]
        assert [names[i] for i in (25, 26, 51, 52, 701, 702)] == [
            "Z", "AA", "AZ", "BA", "ZZ", "AAA",
        ]  # fmt: skip
        assert len(set(names)) == 703

    def test_beyond_26_columns_a_space_parts_the_letters(self) -> None:
        values = np.zeros((1, 28))
        values[0, 0] = 1
        p = np.ones((1, 28, 28))
        p[0, 0, [1, 26, 27]] = 1e-9
        found = column_letters(values, p, correction="none")
        assert found[0][0] == "B AA AB"
