"""Snakemake's logger plugin `wirbel`: a bar for each stage, counted in scans, in place of lines for each job.

`--logger wirbel`, which the profiles set. Nothing of `wirbel` is imported before the rules have chosen which copy of
it this run uses.
"""

from snakemake_logger_plugin_wirbel.handler import LogHandler

__all__ = ["LogHandler"]
