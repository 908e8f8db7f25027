"""An attacker with least squares and every number that leaves finds nobody and no hidden mean.

The attacker knows more than a reader: the weights of the smallest groups, and how the map is made
of the scales. The same attack on what a page for the house holds must succeed, or it proves
nothing.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import linkage

from psychoseg.profiles.protect import shown_cells
from psychoseg.profiles.sample import Sample, SampleVariable
from psychoseg.profiles.tables import gather, mean_cells
from psychoseg.report.folded_tree import write_tree
from psychoseg.segments.cuts import cut_numbers, cut_panel
from psychoseg.segments.outline import outline_of

LEAST, STUDIES = 10, 200
#: Units of the map in which a page for the house places its dots.
SIDE = 1000


@dataclass(frozen=True)
class World:
    """A made study: people's standardised scores, weights, segments and tree."""

    scores: np.ndarray
    weights: np.ndarray
    segments: SimpleNamespace
    axes: np.ndarray
    panel: np.ndarray
    ks: tuple[int, ...]


def make_world(seed: int) -> World:
    rng = np.random.default_rng([11, seed])
    d = int(rng.integers(2, 9))
    sizes = [*rng.integers(30, 90, int(rng.integers(2, 4))), *rng.integers(1, 10, 2)]
    centres = rng.normal(scale=1.5, size=(len(sizes), d))
    # The small groups stand apart, so that cuts find them.
    centres[-2:] *= 3
    part = np.repeat(np.arange(len(sizes)), sizes)
    x = centres[part] + rng.normal(scale=0.6, size=(len(part), d))
    weights = np.ones(len(x))
    if seed % 2:
        weights = rng.uniform(0.5, 2.0, len(x))
        # Somebody of a large group weighs as much as everybody else in it.
        weights[rng.choice(np.flatnonzero(part == 0))] = sizes[0]
    mean = np.average(x, axis=0, weights=weights)
    x = (x - mean) / np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weights))
    _, axes = np.linalg.eigh((x * weights[:, None]).T @ x)
    axes = axes[:, ::-1][:, :2]
    n = len(x)
    points = pd.DataFrame({"weight": weights, "n": 1, "map_1": x @ axes[:, 0]})
    points["map_2"] = x @ axes[:, 1]
    segments = SimpleNamespace(
        labels=pd.Series(np.ones(n, dtype=int)), k=1, unassigned=0, points=points,
        tree=linkage(x, "ward"), leaf_of=np.arange(n), point_of=np.arange(n),
    )  # fmt: skip
    k = int(rng.integers(2, 7))
    segments.labels = pd.Series(cut_panel(segments, range(k, k + 1))[:, 0])
    segments.k = k
    ks = tuple(cut_numbers(segments))
    return World(x, weights, segments, axes, cut_panel(segments, range(ks[0], ks[-1] + 1)), ks)


@dataclass(frozen=True)
class Printed:
    """All that is printed of a world: rows of means by the finest parts, and the outline."""

    member: np.ndarray
    means: np.ndarray
    cells: dict[tuple[int, int], np.ndarray]
    outline: object


def print_world(world: World, *, least: int) -> Printed:
    """Print the tables of every cut through the builders of the reports."""
    finest = world.ks[-1]
    parts = world.panel[:, -1] - 1
    into = {}
    for j, k in enumerate(world.ks):
        into[k] = np.zeros(finest, dtype=np.intp)
        into[k][parts] = world.panel[:, j] - 1
    names = [f"s{j}" for j in range(world.scores.shape[1])]
    sample = Sample(
        segments=tuple(range(1, world.segments.k + 1)),
        labels=world.segments.labels.to_numpy(),
        weights=world.weights, counts=False,
        variables=tuple(
            SampleVariable(n, n, "scale", world.scores[:, j]) for j, n in enumerate(names)
        ),
        rows=np.arange(len(parts)),
    )  # fmt: skip
    gathered = gather(sample, parts, finest)
    shown = shown_cells(gathered, into, reported=world.segments.k, min_base=least)
    member, means, cells = [], [], {}
    if all(own[:, -1].all() for own in shown.means.values()):
        member, means = [np.ones(finest)], [np.zeros(len(names))]
    for k in world.ks:
        table = mean_cells(gathered, into[k], k, shown.means[k])
        for s in range(1, k + 1):
            own = table[table["segment"] == s].set_index("variable")
            if not own["hidden"].any():
                member.append((into[k] == s - 1).astype(float))
                means.append(own.loc[names, "mean"].to_numpy(dtype=float))
                cells[k, s] = means[-1]
    outline = outline_of(world.segments, least=least)
    return Printed(np.array(member), np.array(means), cells, outline)


def part_truth(world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the true mean, the weight and the people of each finest part."""
    parts, finest = world.panel[:, -1] - 1, world.ks[-1]
    weight = np.bincount(parts, world.weights, finest)
    sums = [np.bincount(parts, world.weights * x, finest) for x in world.scores.T]
    return np.array(sums).T / weight[:, None], weight, np.bincount(parts, minlength=finest)


def attack_means(world: World, printed: Printed) -> tuple[np.ndarray, np.ndarray]:
    """Return the guess for each finest part without the attack, and by least squares with it."""
    _, weight, _ = part_truth(world)
    equations = printed.member * weight
    of_cell = equations.sum(axis=1)
    sums = printed.means * of_cell[:, None]
    # The guess: the mean of the smallest printed group, or rest of groups, that holds the part.
    groups, group = np.unique(printed.member.T, axis=0, return_inverse=True)
    group = group.ravel()
    joined = np.array([equations[:, group == g].sum(axis=1) for g in range(len(groups))]).T
    of_group = np.linalg.lstsq(joined, sums, rcond=None)[0]
    guess = of_group[group]
    clouds = [
        (row, cloud)
        for k, own in printed.outline.clouds.items()
        for s, cloud in enumerate(own, start=1)
        if cloud is not None and printed.outline.sizes[k][s - 1].together == ()
        for row in [world.panel[:, world.ks.index(k)] == s]
    ]
    parts = world.panel[:, -1] - 1
    held = np.array([np.bincount(parts[row], minlength=len(weight)) > 0 for row, _ in clouds])
    places = np.array([(c.x, c.y) for _, c in clouds])
    splits = []
    for b in printed.outline.branches:
        if b.children[0] >= 0:
            sides = [printed.outline.branches[c].atoms for c in b.children]
            if sides[0] != sides[1]:
                splits.append((*(sorted(s) for s in sides), b.split))

    # Every equation in units of what it may be off by through rounding; of all solutions the one
    # nearest to the guess. Means and places are linear, and a height is once its direction is
    # guessed, so a few steps of least squares do.
    d = guess.shape[1]
    eye = np.eye(d)
    rows = [np.kron(equations / of_cell[:, None], eye) / 1e-3]
    right = [(sums / of_cell[:, None]).ravel() / 1e-3]
    if len(clouds):
        rows.append(np.kron(held * weight / (held @ weight)[:, None], world.axes.T) / 0.03)
        right.append(places.ravel() / 0.03)
    rows.append(np.eye(guess.size) / 100)
    right.append(guess.ravel() / 100)
    fixed, known = np.vstack(rows), np.concatenate(right)
    square, toward = fixed.T @ fixed, fixed.T @ known
    found = np.linalg.solve(square, toward)
    for _ in range(3 if splits else 0):
        mean = found.reshape(guess.shape)
        bent, reached = [], []
        for one, other, height in splits:
            share = np.zeros(len(weight))
            share[one] = weight[one] / weight[one].sum()
            share[other] = -weight[other] / weight[other].sum()
            size = [float(weight[side].sum()) for side in (one, other)]
            factor = np.sqrt(2 * size[0] * size[1] / sum(size))
            apart = share @ mean
            bent.append(factor * np.outer(share, apart / max(np.linalg.norm(apart), 1e-9)).ravel())
            reached.append(height)
        # A rounded height is off by half a hundredth of the highest.
        error = max(split[2] for split in splits) / 200 + 1e-9
        steep = np.array(bent) / error
        found = np.linalg.solve(
            square + steep.T @ steep, toward + steep.T @ (np.array(reached) / error)
        )
    return guess, found.reshape(guess.shape)


def hidden_errors(world: World, printed: Printed, protected: Printed) -> tuple[list, list]:
    """Return the errors for the parts of too few people, of the guess and of the attack."""
    truth, _, people = part_truth(world)
    guess, found = attack_means(world, printed)
    # What is hidden is what the protected tables hide.
    before, _ = attack_means(world, protected) if printed is not protected else (guess, None)
    few = np.flatnonzero(people < LEAST)
    error = lambda x: np.linalg.norm(x[few] - truth[few], axis=1).tolist()  # noqa: E731
    return error(before), error(found)


@pytest.fixture(scope="module")
def worlds():
    return [make_world(seed) for seed in range(STUDIES)]


@pytest.fixture(scope="module")
def left(worlds):
    return [print_world(world, least=LEAST) for world in worlds]


def test_no_hidden_mean_is_nearer_than_the_best_guess_without_it(worlds, left):
    guessed, attacked = [], []
    for world, printed in zip(worlds, left, strict=True):
        before, after = hidden_errors(world, printed, printed)
        guessed += before
        attacked += after
    assert len(guessed) > 400
    gain = 1 - np.array(attacked) / np.array(guessed)
    assert np.median(gain) < 0.02
    assert np.mean(gain > 0.5) < 0.02
    assert sum(attacked) > 0.97 * sum(guessed)


def test_the_same_attack_on_what_stays_in_the_house_finds_the_hidden_means(worlds, left):
    guessed, attacked = [], []
    for world, protected in zip(worlds[:20], left[:20], strict=True):
        before, after = hidden_errors(world, print_world(world, least=1), protected)
        guessed += before
        attacked += after
    assert np.median(np.array(attacked) / np.array(guessed)) < 0.05


def test_no_group_that_is_printed_is_of_few_or_one_heavy_person(worlds, left):
    for world, printed in zip(worlds, left, strict=True):
        if not printed.member[:1].all():
            continue  # one person outweighs everybody: nothing is said of all
        _, group = np.unique(printed.member.T, axis=0, return_inverse=True)
        of_person = group.ravel()[world.panel[:, -1] - 1]
        for g in np.unique(of_person):
            w = world.weights[of_person == g]
            assert w.sum() ** 2 / (w**2).sum() >= LEAST - 1e-6
        branches = printed.outline.branches
        sizes = [b.sums for b in branches]
        assert min(s[0] for s in sizes) >= LEAST
        assert min(s[1] ** 2 / s[2] for s in sizes) >= LEAST - 1e-6


def people_found(world: World, printed: Printed, *, dots: bool) -> tuple[float, float]:
    """Return how far the people that are read off are from the nearest ones, and by chance.

    The map is turned back by the printed means: they and the centres of the same groups on it are
    the equations. Chance is who knows the printed means alone: of dots, draws around them.
    """
    rng = np.random.default_rng(1)
    outline = printed.outline
    centres, means = [], []
    places = world.segments.points[["map_1", "map_2"]].to_numpy()
    if dots:
        unit = np.ptp(places, axis=0).max() / SIDE
        places = np.rint(places / unit) * unit
    for (k, s), mean in printed.cells.items():
        cloud = outline.clouds[k][s - 1]
        if dots:
            centres.append(places[world.panel[:, world.ks.index(k)] == s].mean(axis=0))
        elif cloud is not None:
            centres.append(np.array([cloud.x, cloud.y]))
        else:
            continue
        means.append(mean)
    if len(means) < 2:
        return 1.0, 1.0
    back = np.linalg.lstsq(np.column_stack([centres, np.ones(len(centres))]), np.array(means),
                           rcond=None)[0]  # fmt: skip
    targets = places if dots else np.array(
        [(c.x, c.y) for own in outline.clouds.values() for c in own if c is not None]
    )  # fmt: skip
    read = np.column_stack([targets, np.ones(len(targets))]) @ back
    if dots:
        drawn = np.array(means)[rng.integers(0, len(means), len(read))]
        drawn = drawn + rng.normal(scale=0.5, size=drawn.shape)
        # A dot is its person's.
        own = np.linalg.norm(read - world.scores, axis=1)
        return float(np.median(own)), float(np.median(np.linalg.norm(drawn - world.scores, axis=1)))

    def nearest(x: np.ndarray) -> float:
        apart = np.linalg.norm(x[:, None] - world.scores[None], axis=2)
        return float(np.median(apart.min(axis=1)))

    return nearest(read), nearest(np.array(means))


def test_no_person_is_nearer_than_chance(worlds, left):
    pairs = np.array([people_found(w, p, dots=False) for w, p in zip(worlds, left, strict=True)])
    ratio = pairs[:, 0] / pairs[:, 1]
    # What the map adds to the printed means brings nobody nearer.
    assert np.median(ratio) >= 0.99
    assert np.mean(ratio < 0.8) < 0.05


def test_the_same_attack_on_dots_finds_every_person(worlds):
    flat = [w for w in worlds if w.scores.shape[1] == 2 and np.ptp(w.weights) == 0]
    assert len(flat) > 5
    for world in flat:
        found, chance = people_found(world, print_world(world, least=1), dots=True)
        assert found < 0.01 < 0.3 < chance


def test_no_place_is_in_the_tree_that_leaves(worlds, left):
    for world, printed in zip(worlds[:20], left[:20], strict=True):
        tree = write_tree(world.segments, printed.outline, None)
        assert tree["dots"] == []
        assert set(tree) == {
            "split", "people", "share", "weight", "left", "right", "labels", "dots", "order",
            "needed",
        }  # fmt: skip
