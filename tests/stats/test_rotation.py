import numpy as np
import pytest

from psychoseg.stats.factor import schmid_leiman
from psychoseg.stats.rotation import ROTATIONS, is_oblique, rotate, structure_matrix
from tests.stats.conftest import reference
from tests.stats.factor_reference import aligned, matrix

SETS = ["bfi", "holzinger_swineford", "Harman74"]
ENDS = reference("rotation_objectives.csv").set_index(["set", "kind"])
#: Name in the reference: method, options.
KINDS = {
    "varimax": ("varimax", {}),
    "varimax_plain": ("varimax", {"kaiser": False}),
    "quartimax": ("quartimax", {}),
    "equamax": ("equamax", {}),
    "oblimin": ("oblimin", {}),
    "oblimin_kaiser": ("oblimin", {"variant": "spss"}),
    "oblimin_negative": ("oblimin", {"gamma": -0.5}),
    "quartimin": ("quartimin", {}),
    "geomin_t": ("geomin_t", {}),
    "geomin_q": ("geomin_q", {}),
    "target_t": ("target_t", {}),
    "target_t_full": ("target_t", {}),
    "target_q": ("target_q", {}),
    "bifactor_t": ("bifactor_t", {}),
    "bifactor_q": ("bifactor_q", {}),
    "promax": ("promax", {}),
    "promax_plain": ("promax", {"kaiser": False}),
}


def loadings_of(which):
    return matrix("rotation_values.csv", which, "unrotated")


def target_of(which):
    return matrix("rotation_values.csv", which, "target")


@pytest.mark.parametrize("which", SETS)
@pytest.mark.parametrize("kind", KINDS)
def test_rotation_equals_gparotation(which, kind):
    method, options = KINDS[kind]
    target = target_of(which) if method.startswith("target") else None
    if kind == "target_t_full":
        target = np.where(np.isnan(target), 0.6, 0)
    found = rotate(loadings_of(which), method, target=target, **options)
    theirs, phi = aligned(
        found.loadings,
        matrix("rotation_values.csv", which, kind),
        matrix("rotation_values.csv", which, kind + ":phi"),
    )
    if (which, kind) in ENDS.index and not ENDS.loc[(which, kind), "converged"]:
        # GPArotation 2022.10.2 ran out of steps: ours must be as low at least.
        assert found.objective <= ENDS.loc[(which, kind), "objective"] + 1e-9
        return
    assert found.converged
    np.testing.assert_allclose(found.loadings, theirs, atol=1e-4)
    np.testing.assert_allclose(found.phi, phi, atol=1e-4)


@pytest.mark.parametrize("method", ROTATIONS)
def test_a_rotation_keeps_what_the_factors_reproduce(method):
    a = loadings_of("bfi")
    found = rotate(a, method, target=target_of("bfi") if "target" in method else None)
    np.testing.assert_allclose(found.loadings @ found.phi @ found.loadings.T, a @ a.T, atol=1e-10)
    np.testing.assert_allclose(found.loadings, a @ np.linalg.inv(found.transform).T, atol=1e-10)
    np.testing.assert_array_equal(np.diag(found.phi), 1)
    if not is_oblique(method):
        np.testing.assert_allclose(found.phi, np.eye(5), atol=1e-10)


def test_oblimin_phi_of_holzinger_swineford_is_issue_3s():
    phi = rotate(loadings_of("holzinger_swineford"), "oblimin").phi
    # psych 2.2.9, ML: .326 .216 .270; minres differs in the third digit.
    np.testing.assert_allclose(
        np.sort(phi[np.triu_indices(3, 1)]), [0.216, 0.270, 0.326], atol=0.02
    )


def test_a_start_does_not_change_a_planted_simple_structure():
    planted = np.kron(np.eye(4), np.array([[0.8], [0.7], [0.6], [0.5]]))
    rng = np.random.default_rng(5)
    turned = planted @ np.linalg.qr(rng.standard_normal((4, 4)))[0]
    for method in ("varimax", "quartimax", "oblimin", "geomin_t", "geomin_q", "promax"):
        found = rotate(turned, method, starts=0 if method == "promax" else 10, rng=rng)
        np.testing.assert_allclose(found.loadings, aligned(found.loadings, planted), atol=1e-3)


def test_random_starts_find_and_report_rival_optima():
    # Thurstone's box problem in small: quartimin of structureless loadings has several optima.
    a = np.random.default_rng(11).standard_normal((8, 3)) * 0.5
    alone = rotate(a, "geomin_q")
    found = rotate(a, "geomin_q", starts=40, rng=np.random.default_rng(6))
    assert len(found.objectives) == 41
    assert found.objective <= alone.objective + 1e-12
    ends = found.objectives[~np.isnan(found.objectives)]
    assert ends.max() - ends.min() > 1e-3
    assert found.objective == pytest.approx(ends.min(), rel=1e-5)
    for rival in found.rivals:
        assert rival.largest_difference >= 0.01
        assert rival.objective <= found.objective + 0.01 * abs(found.objective)
    again = rotate(a, "geomin_q", starts=40, rng=np.random.default_rng(6))
    np.testing.assert_array_equal(again.loadings, found.loadings)


def test_spss_promax_fits_a_kaiser_weighted_power():
    a = loadings_of("bfi")
    varimax = rotate(a, "varimax").loadings
    length = np.sqrt((a**2).sum(axis=1, keepdims=True))
    # Grieder & Steiner (2022): P = |a / h|^(k + 1) * h / a.
    goal = np.abs(varimax / length) ** 5 * length / varimax
    u = np.linalg.lstsq(varimax, goal, rcond=None)[0]
    u = u * np.sqrt(np.diag(np.linalg.inv(u.T @ u)))
    found = rotate(a, "promax", variant="spss")
    np.testing.assert_allclose(found.loadings, varimax @ u, atol=1e-10)
    inverse = np.linalg.inv(u)
    np.testing.assert_allclose(found.phi, inverse @ inverse.T, atol=1e-10)
    assert np.abs(found.loadings - rotate(a, "promax").loadings).max() > 1e-3


@pytest.mark.parametrize("which", SETS)
def test_schmid_leiman_equals_psych(which):
    pattern = matrix("rotation_values.csv", which, "oblimin")
    phi = matrix("rotation_values.csv", which, "oblimin:phi")
    theirs = matrix("rotation_values.csv", which, "schmid")
    general, group = schmid_leiman(pattern, phi)
    # psych's minres of phi stops at a relative change of 1e-7.
    np.testing.assert_allclose(general * np.sign(general @ theirs[:, 0]), theirs[:, 0], atol=1e-4)
    np.testing.assert_allclose(np.abs(group), np.abs(theirs[:, 1:]), atol=1e-4)


def test_schmid_leiman_keeps_communalities_of_three_factors_and_of_two():
    pattern = loadings_of("holzinger_swineford")
    for phi in (
        np.array([[1, 0.3, 0.4], [0.3, 1, 0.2], [0.4, 0.2, 1]]),
        np.array([[1, -0.3], [-0.3, 1]]),
    ):
        used = pattern[:, : len(phi)]
        general, group = schmid_leiman(used, phi)
        kept = np.outer(general, general) + group @ group.T
        np.testing.assert_allclose(kept, used @ phi @ used.T, atol=1e-6)


def test_structure_is_pattern_times_phi_and_bad_input_is_refused():
    phi = np.array([[1, 0.5], [0.5, 1]])
    np.testing.assert_allclose(structure_matrix(np.eye(2), phi), phi)
    with pytest.raises(ValueError, match="none of"):
        rotate(np.eye(3)[:, :2], "oblimax")
    with pytest.raises(ValueError, match="takes a target of shape"):
        rotate(np.eye(3)[:, :2], "target_q")
    with pytest.raises(ValueError, match="takes an rng"):
        rotate(np.eye(3)[:, :2], "oblimin", starts=3)
