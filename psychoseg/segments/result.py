"""What the segmentation stage returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from psychoseg.shown import Summary
from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.study_segments import ReduceSettings, SegmentsSettings
from psychoseg.survey.given import LEFT_OUT_COLUMNS

__all__ = ["Segments", "Verdict"]

Verdict = Literal["natural", "reproducible", "constructed"]


@dataclass(frozen=True, slots=True, repr=False)
class Segments:
    """A division of the respondents, the tree it was cut from, and the evidence for it.

    Attributes
    ----------
    labels : pandas.Series of int, shape (n,)
        1 to k by descending weighted size; 0 for a respondent in ``excluded``. The index is that of
        the DataFrame that was segmented, or of which the survey was made; 0 to n - 1, as in the
        survey's own tables, where it was read from a file.
    k : int
        Segments shown, ``unassigned`` among them.
    unassigned : int
        The segment of those whom a density method leaves out, always the last; 0 where there is
        none.
    table : pandas.DataFrame
        One row a segment: ``segment, n, weighted, share, share_low, share_high, jaccard, band,
        slsw, certainty, border_share, silhouette``. The interval is Wilson's at 95% on the
        effective sample size; ``band`` is Hennig's word for the Jaccard; ``slsw`` the median
        stability within solutions, ``certainty`` the mean certainty of its respondents.
    choice : pandas.DataFrame
        One row a number of segments from 1 to 15 (slow methods: to ``k_max``): ``k, silhouette,
        jaccard_mean, jaccard_min,
        smallest_share, smallest_n, eligible, chosen, why, within, calinski_harabasz,
        davies_bouldin, dunn, hartigan, duda_hart, duda_hart_critical, height, height_jump, gap,
        gap_se, prediction_strength, association, division_p, bic, icl, score``. ``association`` is
        the mean over the profile columns of Cramer's V or eta; ``division_p`` tests the cluster
        that is divided to make k. NaN where undefined or not looked at.
    votes : pandas.DataFrame
        ``rule, k, statistic, meaning``: which k each index stands for; k is 0 where it cannot say.
    recommended_k : int
        1 where the people are no more clustered than one cloud.
    runner_up : int
        0 where there is none.
    k_reason, runner_up_reason : str
        In words for a reader without statistics.
    verdict : {"natural", "reproducible", "constructed"}
        Dolnicar & Leisch's three.
    reason : str
        The verdict in a sentence.
    k_rule : str
        How k came about.
    null : pandas.DataFrame
        One row: ``p_value, excess, best_k, n_people, sampled, replicates`` of the test against one
        cloud.
    stability : pandas.DataFrame
        One row a segment of each number of segments: ``k, segment, share, jaccard, jaccard_low,
        slsa, slsa_next``: see :class:`psychoseg.stats.flow.AcrossSolutions`, of which ``slsa``
        looks back and ``slsa_next`` on.
    slsw : pandas.DataFrame
        ``segment, resample, value``: stability within solutions, resample by resample.
    flow : pandas.DataFrame
        ``k, segment, next_segment, weight, n``: who goes where from k to k + 1 segments.
    blocks : pandas.DataFrame
        One row a block of features: ``block, weight, features, between, total, eta_squared``; see
        :class:`psychoseg.stats.mixed_reduction.BlockShares`.
    audit : pandas.DataFrame
        ``audit, what, value, low, high, base``: row order, ties, measurement error, borders,
        approximation; empty without ``audits``.
    methods : pandas.DataFrame
        ``method, k, adjusted_rand, silhouette, bic, icl, note``: the same people divided otherwise.
    tandem : pandas.DataFrame
        ``a, b, k, adjusted_rand, base``: how far divisions by scales, by components and by items
        agree.
    consensus : pandas.DataFrame
        ``segment, n, share, jaccard, agreement`` of the consensus division; empty where not asked.
    neighbours : pandas.DataFrame
        Of DBSCAN: ``share, distance, eps``: the share of the people whose ``min_samples``-th
        neighbour is no farther than the distance, and the eps that was used. Empty otherwise.
    resamples : int
        Resamples behind every Jaccard; slow methods draw fewer than the study asks for.
    tree : ndarray, shape (m - 1, 4)
        scipy's linkage matrix over m points, identical respondents being one weighted point. Of a
        flat method, or after consolidation, the tree is grown within the segments and then over
        them; of an approximation its leaves are micro-clusters.
    leaf_of : ndarray of int, shape (number of points,)
        Leaf of each point.
    points : pandas.DataFrame
        One row a point: ``point, weight, n, segment, comp_1, ...``; ``map_1, map_2`` is its place
        on the map; ``consensus`` its consensus segment, where asked.
    point_of : ndarray of int, shape (n,)
        Point of each respondent, -1 where excluded.
    features : pandas.DataFrame
        One row an active feature: ``feature, label, kind, block, mean, sd``; kind is "scale",
        "numeric", "ordinal" or "category".
    eigenvalues : pandas.DataFrame
        ``component, eigenvalue, share, cumulative, retained`` and, with parallel analysis,
        ``threshold`` (NaN otherwise).
    components : pandas.DataFrame
        Correlation of each feature (index) with each retained component.
    contributions : pandas.DataFrame
        ``feature, label, component, coordinate, contribution, cos2, eta_squared``: where each
        feature lies on each retained component and what share of it it makes, of categories as
        FactoMineR has them; see :class:`psychoseg.stats.mixed_reduction.VariablePlaces`. Empty with
        Gower's distances.
    supplementary : pandas.DataFrame
        ``column, label, category, comp_1, ...``: profile columns on the components, which they
        took no part in: correlations, and means of categories in standard deviations.
    components_rule : str
    map_note : str
        What the map shows, in words.
    silhouette : pandas.Series, shape (n,)
        Silhouette width, index as of ``labels``; NaN where excluded.
    certainty : pandas.Series, shape (n,)
        Share of the resamples that put the respondent into the segment he or she has, index as of
        ``labels``; NaN where excluded or not looked at.
    excluded : pandas.DataFrame
        Ledger lines of the respondents that lack an active value.
    tied_merges : int
        Merges whose height another one shares, of the tree that was cut, or of Ward's tree where
        none was.
    n_identical : int
        Respondents whose active values equal another one's.
    n_moved : int
        Respondents whom consolidation moved.
    approximate : str
        What is approximate and how well it agrees, empty where all is exact.
    method : str
    left_out : pandas.DataFrame
        ``column, reason``: columns of the DataFrame that took no part.
    settings : SegmentsSettings
        What was asked for; ``reduce`` likewise.
    reduce : ReduceSettings
    """

    labels: pd.Series
    k: int
    unassigned: int
    table: pd.DataFrame
    choice: pd.DataFrame
    votes: pd.DataFrame
    recommended_k: int
    runner_up: int
    k_reason: str
    runner_up_reason: str
    verdict: Verdict
    reason: str
    k_rule: str
    null: pd.DataFrame
    stability: pd.DataFrame
    slsw: pd.DataFrame
    flow: pd.DataFrame
    blocks: pd.DataFrame
    audit: pd.DataFrame
    methods: pd.DataFrame
    tandem: pd.DataFrame
    consensus: pd.DataFrame
    neighbours: pd.DataFrame
    resamples: int
    tree: FloatArray
    leaf_of: IntArray
    points: pd.DataFrame
    point_of: IntArray
    features: pd.DataFrame
    eigenvalues: pd.DataFrame
    components: pd.DataFrame
    contributions: pd.DataFrame
    supplementary: pd.DataFrame
    components_rule: str
    map_note: str
    silhouette: pd.Series
    certainty: pd.Series
    excluded: pd.DataFrame
    tied_merges: int
    n_identical: int
    n_moved: int
    approximate: str
    method: str
    left_out: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=LEFT_OUT_COLUMNS))
    settings: SegmentsSettings = field(default_factory=SegmentsSettings)
    reduce: ReduceSettings = field(default_factory=ReduceSettings)

    def __repr__(self) -> str:
        return f"Segments({self._in_short()})"

    def _repr_html_(self) -> str:
        return self.summary().first()._repr_html_()

    def summary(self) -> Summary:
        """Return what was found in short: the segments, how sure they are, and why so many."""
        lines = [line for line in (self.reason, self.k_reason, self.runner_up_reason) if line]
        if len(self.left_out):
            lines.append(f"Took no part: {', '.join(self.left_out['column'])}")
        sizes = ["segment", "n", "share", "share_low", "share_high", "jaccard", "band"]
        looked_at = ["k", "silhouette", "jaccard_min", "smallest_share", "chosen"]
        return Summary(
            self._in_short(),
            lines,
            {
                "Segments": self.table[sizes],
                "Numbers of segments": self.choice.reindex(columns=looked_at),
            },
        )

    def _in_short(self) -> str:
        inside = int((self.labels > 0).sum())
        none = f", {len(self.labels) - inside:,} in none" if inside < len(self.labels) else ""
        return f"{self.k} segments of {inside:,} respondents{none}, {self.verdict}"
