"""Reports: a run turned into one context of ready-to-print facts, and that into files."""

from psychoseg.report.context import build_context
from psychoseg.report.facts import ReportContext
from psychoseg.report.html import write_html

__all__ = ["ReportContext", "build_context", "write_html"]
