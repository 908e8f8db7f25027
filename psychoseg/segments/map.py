"""The map of people: distinct respondents in two dimensions, for looking only.

Owns where a point is drawn and what is said of it. Nothing is ever divided on the map.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Literal

import numpy as np
from scipy.spatial import cKDTree
from sklearn.manifold import TSNE

from psychoseg.errors import EngineError
from psychoseg.segments.space import Space
from psychoseg.stats.arrays import FloatArray, one_thread

__all__ = ["MAX_EMBEDDED", "check_map", "map_of"]

MapKind = Literal["pca", "tsne", "umap"]

#: Points that t-SNE and UMAP place themselves: 5,000 take some 20 s; the others go where the
#: nearest of these is.
MAX_EMBEDDED = 5_000
#: Neighbours that t-SNE looks at, and UMAP: scikit-learn's and umap-learn's defaults.
_PERPLEXITY, _NEIGHBOURS = 30.0, 15
#: Spread at which t-SNE starts (Kobak & Berens 2019, Nat. Commun. 10, 5416).
_START = 1e-4
_LOOKING_ONLY = "for looking only: distances between far groups mean nothing, nor do their sizes"


def check_map(kind: MapKind) -> None:
    """Raise the EngineError of a map whose package is not installed, without loading it."""
    if kind == "umap" and find_spec("umap") is None:
        raise _no_umap()


def map_of(space: Space, kind: MapKind, rng: np.random.Generator) -> tuple[FloatArray, str]:
    """Place the distinct respondents on a map.

    Parameters
    ----------
    space : Space
    kind : {"pca", "tsne", "umap"}
        The first two coordinates, t-SNE, or UMAP.
    rng : numpy.random.Generator
        Seeds t-SNE and UMAP.

    Returns
    -------
    xy : ndarray, shape (m, 2)
    note : str
        What the map shows, in words.

    Raises
    ------
    EngineError
        Where UMAP is asked for and not installed.

    Notes
    -----
    Where only one component is kept, people stand on its line whatever the kind. t-SNE and UMAP
    start from the first two, so that their outlines resemble the map of these; case weights do not
    enter. Points are in canonical order, so that the order of the respondents does not either.

    References
    ----------
    van der Maaten & Hinton (2008), J. Mach. Learn. Res. 9, 2579-2605. McInnes, Healy & Melville
    (2018), arXiv 1802.03426.
    """
    x = space.coordinates
    plane: FloatArray = np.zeros((len(x), 2))
    plane[:, : min(x.shape[1], 2)] = x[:, :2]
    share = 100 * space.eigenvalues["share"].to_numpy(np.float64)[: x.shape[1]]
    if len(share) == 1:
        return plane, f"the one component kept, {share[0]:.0f}% of the variance"
    if kind == "pca":
        return plane, (
            f"the first two components, {share[0]:.0f}% and {share[1]:.0f}% of the variance"
        )
    seed = int(rng.integers(2**31 - 1))
    step = -(-len(x) // MAX_EMBEDDED)
    chosen = np.arange(0, len(x), step)
    place = _tsne if kind == "tsne" else _umap
    drawn = place(x[chosen], plane[chosen], seed)
    note = f"{'t-SNE' if kind == 'tsne' else 'UMAP'}, {_LOOKING_ONLY}"
    if step == 1:
        return drawn, note
    nearest = cKDTree(x[chosen]).query(x)[1]
    return drawn[nearest], (
        f"{note}; {len(chosen):,} of {len(x):,} different respondents were placed, the others are "
        "where the nearest of these is"
    )


@one_thread
def _tsne(x: FloatArray, plane: FloatArray, seed: int) -> FloatArray:
    return np.asarray(
        TSNE(
            perplexity=min(_PERPLEXITY, (len(x) - 1) / 3),
            init=(plane / plane[:, 0].std() * _START).astype(np.float32),
            random_state=seed,
            n_jobs=1,
        ).fit_transform(x),
        dtype=np.float64,
    )


@one_thread
def _umap(x: FloatArray, plane: FloatArray, seed: int) -> FloatArray:
    try:
        from umap import UMAP
    except ImportError:
        raise _no_umap() from None
    with warnings.catch_warnings():
        # It says that a seed leaves it one thread, which is what is wanted here.
        warnings.filterwarnings("ignore", message="n_jobs value", category=UserWarning)
        return np.asarray(
            UMAP(
                n_neighbors=max(2, min(_NEIGHBOURS, len(x) - 1)),
                # umap-learn wants starting places within 10 of the middle.
                init=(plane * (10.0 / np.abs(plane).max())).astype(np.float32),
                random_state=seed,
                n_jobs=1,
            ).fit_transform(x),
            dtype=np.float64,
        )


def _no_umap() -> EngineError:
    return EngineError(
        '[reduce] map = "umap" needs umap-learn, which is not installed. Install it with '
        'pip install "psychoseg[maps]", or set map = "tsne" or "pca".'
    )
