"""``[reduce]``, ``[segments]`` and ``[engine]`` of the study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from psychoseg.study_table import Share, Table

__all__ = [
    "FINDS_K",
    "FLAT_METHODS",
    "TREE_METHODS",
    "EngineSettings",
    "ReduceSettings",
    "SegmentMethod",
    "SegmentsSettings",
]

SegmentMethod = Literal[
    "ward",
    "average",
    "complete",
    "single",
    "centroid",
    "mcquitty",
    "diana",
    "kmeans",
    "minibatch",
    "pam",
    "gmm",
    "lca",
    "dbscan",
    "hdbscan",
]
TREE_METHODS = ("ward", "average", "complete", "single", "centroid", "mcquitty", "diana")
FLAT_METHODS = ("kmeans", "minibatch", "pam", "gmm", "lca", "dbscan", "hdbscan")
#: Methods that find the number of segments themselves, and leave people unassigned.
FINDS_K = ("dbscan", "hdbscan")


class ReduceSettings(Table):
    """``[reduce]``: from active columns to the coordinates that are divided.

    ``method`` is principal components (with categories: FAMD; of categories alone: MCA), the
    columns as they are ("none"), or principal coordinates of Gower's distances. ``balance =
    "blocks"`` divides each block by its first singular value, as multiple factor analysis does;
    ``blocks`` says how much a block counts beside the others. ``components`` is a number, "share"
    (the fewest that carry ``share`` of the variance), "parallel" or "all".
    """

    method: Literal["components", "none", "gower"] = "components"
    #: Numeric columns to standard deviation one; without, they keep the units of the file.
    standardise: bool = True
    balance: Literal["columns", "blocks"] = "columns"
    #: Weight of a block by its name: "scales", or the ``block`` of columns; 1 where not named.
    blocks: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    components: Literal["share", "parallel", "all"] | Annotated[int, Field(ge=1)] = "share"
    share: float = Field(default=0.9, gt=0, le=1)
    #: What the map of people shows; t-SNE and UMAP are for looking only.
    map: Literal["pca", "tsne", "umap"] = "pca"

    @model_validator(mode="after")
    def _settings_go_together(self) -> ReduceSettings:
        problems = []
        if self.method == "gower" and not self.standardise:
            problems.append('standardise = false has no effect beside method = "gower"')
        if self.method == "gower" and self.balance == "blocks":
            problems.append(
                'balance = "blocks" has no meaning for method = "gower": weigh the blocks by hand'
            )
        if self.method == "none" and self.components != "share":
            problems.append(f'components = "{self.components}" has no effect: method = "none"')
        if problems:
            raise ValueError("; ".join(problems))
        return self


class SegmentsSettings(Table):
    """``[segments]``: how people are divided, into how many, and when a division counts as stable.

    ``method`` is a tree (Ward's, or another linkage; "diana" in R alone) or a flat method.
    ``consolidate`` lets people move to a nearer segment after the tree is cut, as FactoMineR's HCPC
    does. ``eps`` and ``min_samples`` are those of "dbscan" and "hdbscan", which leave people
    unassigned.
    """

    k: Literal["auto"] | Annotated[int, Field(ge=2)] = "auto"
    k_min: int = Field(default=2, ge=2)
    k_max: int = Field(default=10, ge=2, le=50)
    method: SegmentMethod = "ward"
    consolidate: bool = False
    #: Distance of neighbours; found from the k-distance plot where absent.
    eps: float | None = Field(default=None, gt=0)
    #: People within it that make a core.
    min_samples: int = Field(default=10, ge=2)
    #: Distinct respondents up to which Ward's tree is exact; beyond, micro-clusters stand for them.
    exact_points: int = Field(default=1_000_000, ge=1_000)
    min_share: float = Field(default=0.05, ge=0, lt=0.5)
    min_people: int = Field(default=30, ge=1)
    bootstrap: int = Field(default=100, ge=10)
    #: Single clouds that the people are held against; 99 allow p-values down to .01. At least 39,
    #: so that p can fall below the .03 that "natural" takes.
    null_replicates: int = Field(default=99, ge=39)
    #: Mean bootstrap Jaccard of a segment below which it is not to be trusted, and at which a
    #: solution counts as valid (Hennig 2007; fpc::clusterboot's help page).
    min_jaccard: Share = 0.6
    stable_jaccard: Share = 0.75
    #: Row order, ties, measurement error, other methods and the tandem check.
    audits: bool = True
    #: A division made of many, beside the one that is reported.
    consensus: bool = False
    #: Names that replace the suggested ones: "1" = "Urban achievers".
    names: dict[str, str] = Field(default_factory=dict)
    #: Portraits that replace the composed ones: "1" = "They ...".
    texts: dict[str, str] = Field(default_factory=dict)
    #: Run whose numbers ``names`` and ``texts`` go by; the latest beside the study where absent.
    previous: str | None = None

    @model_validator(mode="after")
    def _settings_go_together(self) -> SegmentsSettings:
        problems = []
        if self.k_min > self.k_max:
            problems.append(f"k_min = {self.k_min} is above k_max = {self.k_max}")
        if self.method in FINDS_K and self.k != "auto":
            problems.append(f'k = {self.k} is not for method = "{self.method}", which finds k')
        if self.eps is not None and self.method != "dbscan":
            problems.append(f'eps = {self.eps:g} is for method = "dbscan", not "{self.method}"')
        if self.consolidate and self.method != "ward":
            problems.append(f'consolidate is for method = "ward", not "{self.method}"')
        if problems:
            raise ValueError("; ".join(problems))
        return self


class EngineSettings(Table):
    """``[engine]``: which program computes, and with which of its tree builders."""

    name: Literal["python", "r", "both"] = "python"
    tree: Literal[
        "auto", "psychoseg", "scikit-learn", "scipy", "fastcluster", "hclust", "agnes", "hcut"
    ] = "auto"
    #: Who rotates in Python: factor-analyzer is a second opinion where R is absent.
    rotator: Literal["psychoseg", "factor-analyzer"] = "psychoseg"
    #: Seconds that one call into R may take.
    time_limit: float = Field(default=600.0, gt=0)
