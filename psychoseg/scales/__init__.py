"""The measurement stage: items become psychographic scales with scores and reliability."""

from psychoseg.scales.fit import fit_scales
from psychoseg.scales.reliability import ALL_ITEMS, COEFFICIENTS
from psychoseg.scales.result import Scales, no_scales

__all__ = ["ALL_ITEMS", "COEFFICIENTS", "Scales", "fit_scales", "no_scales"]
