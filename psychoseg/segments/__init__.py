"""The segmentation stage: active columns to coordinates, a division, and the evidence for it."""

from psychoseg.segments.fit import fit_segments
from psychoseg.segments.result import Segments, Verdict

__all__ = ["Segments", "Verdict", "fit_segments"]
