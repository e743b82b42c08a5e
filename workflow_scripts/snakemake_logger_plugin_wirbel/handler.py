"""From Snakemake's records to what a person reads."""

from __future__ import annotations

import logging
import sys

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import OutputSettingsLoggerInterface

from snakemake_logger_plugin_wirbel.jobs import Jobs
from snakemake_logger_plugin_wirbel.origin import is_snakemakes_own
from snakemake_logger_plugin_wirbel.screen import Screen

OUTPUT, SUMMARY = "wirbel_output", "wirbel_summary"
"""Attributes of records by which the rules say that a run begins, and how it ended."""
ALL, PROGRESS = "ALL", "PROGRESS"
FAILED_COMMAND = "RuleException:\nCalledProcessError"
"""How Snakemake begins to repeat a failed job's command; the job's own line says why it failed."""


class LogHandler(LogHandlerBase):
    """Shows stages, failures and the summary; with `--verbose` all that Snakemake says, as it says it."""

    def __post_init__(self) -> None:
        settings = self.common_settings
        quiet = {choice.name for choice in settings.quiet or ()}
        self._silent, self._bars = ALL in quiet and not settings.dryrun, PROGRESS not in quiet
        self._wordy = settings.verbose or settings.debug_dag
        stream = sys.stdout if settings.stdout else sys.stderr
        self._screen = Screen(stream, colours=not settings.nocolor)
        self._jobs = Jobs(self._screen.say, show_commands=settings.printshellcmds)

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record, or what follows from it."""
        try:
            self._show(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._screen.stop()
        super().close()

    def _show(self, record: logging.LogRecord) -> None:
        if text := getattr(record, SUMMARY, ""):
            self._screen.stop()
            self._screen.say(text, important=True)
        elif self._wordy:
            self._screen.say(as_snakemake(record, self.common_settings))
        elif self._silent and record.levelno < logging.WARNING:
            return
        else:
            self._show_briefly(record)

    def _show_briefly(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if event in (LogEvent.JOB_INFO, LogEvent.JOB_ERROR, LogEvent.JOB_FINISHED):
            self._jobs.take(event, record)
        elif event == LogEvent.SHELLCMD:
            self._jobs.command(record)
        elif event == LogEvent.RUN_INFO and self.common_settings.dryrun:
            self._screen.say(record.getMessage())
        elif event not in (None, LogEvent.ERROR) or repeats_command(record):
            return
        elif record.levelno >= logging.WARNING or not is_snakemakes_own(record.pathname):
            self._screen.say(record.getMessage(), style=_style(record.levelno))
        if output := getattr(record, OUTPUT, ""):
            self._jobs.output_dir = output
            if self._bars and not self._silent:
                self._screen.start(output)

    @property
    def writes_to_stream(self) -> bool:
        """It takes the place of Snakemake's own output."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Snakemake's own log file has everything."""
        return False

    @property
    def has_filter(self) -> bool:
        """Quietness is judged here, as the summary always comes."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Texts are put together here."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """Stages are known from the plan."""
        return False


def _style(level: int) -> str:
    return "red" if level >= logging.ERROR else "yellow" if level >= logging.WARNING else ""


def repeats_command(record: logging.LogRecord) -> bool:
    """Return whether Snakemake only says again which command of a job failed."""
    return is_snakemakes_own(record.pathname) and record.getMessage().startswith(FAILED_COMMAND)


def as_snakemake(record: logging.LogRecord, settings: OutputSettingsLoggerInterface) -> str:
    """Return what Snakemake itself would print for a record; empty for what it would leave out."""
    from snakemake.logging import DefaultFilter, DefaultFormatter

    kept = DefaultFilter(
        settings.quiet,
        settings.debug_dag,
        settings.verbose,
        settings.dryrun,
        settings.printshellcmds,
    )
    if not kept.filter(record):
        return ""
    return DefaultFormatter(settings.quiet, settings.show_failed_logs).format(record) or ""
