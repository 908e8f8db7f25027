"""Reports: a run turned into one context of ready-to-print facts, and the context into files."""

from psychoseg.report.context import ReportContext, build_context
from psychoseg.report.html import write_html

__all__ = ["ReportContext", "build_context", "write_html"]
