"""How a run tells that it goes on: a live line on a terminal, plain lines in a log, nothing in a library call."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol, TextIO, TypeVar, cast

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["LoggedProgress", "PlainProgress", "ProgressReporter", "SilentProgress", "TerminalProgress", "progress_for"]

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


class ProgressReporter(Protocol):
    """Receives the stages of a run and the steps within them."""

    def stage(self, title: str) -> None:
        """Announce that a stage begins."""

    def note(self, line: str) -> None:
        """Tell something that the user will want to know afterwards."""

    def track(self, items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
        """Yield the items, showing how many of them are done."""

    def close(self) -> None:
        """End all display."""


class SilentProgress:
    """Shows nothing: for calls from other programs."""

    def stage(self, title: str) -> None:
        """Show nothing."""

    def note(self, line: str) -> None:
        """Show nothing."""

    def track(self, items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
        """Yield the items."""
        return iter(items)

    def close(self) -> None:
        """Show nothing."""


class LoggedProgress:
    """Logs each stage as it begins, and shows what another reporter shows."""

    def __init__(self, shown: ProgressReporter) -> None:
        self._shown = shown

    def stage(self, title: str) -> None:
        """Log and show the stage's title."""
        logger.info("== %s", title)
        self._shown.stage(title)

    def note(self, line: str) -> None:
        """Show the line."""
        self._shown.note(line)

    def track(self, items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
        """Yield the items as the other reporter does."""
        return self._shown.track(items, description, total)

    def close(self) -> None:
        """End the display."""
        self._shown.close()


class PlainProgress:
    """One line for each stage and step: for log files and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def _say(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()

    def stage(self, title: str) -> None:
        """Write the stage's title."""
        self._say(f"== {title}")

    def note(self, line: str) -> None:
        """Write the line."""
        self._say(f"   {line}")

    def track(self, items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
        """Write the step's description, then yield the items."""
        self._say(f"   {description} ({total})")
        return iter(items)

    def close(self) -> None:
        """Write nothing."""


class TerminalProgress:
    """A bar for each step, redrawn in place: for people at a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<34}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._bars.start()

    def stage(self, title: str) -> None:
        """Print the stage's title above the bars, and leave the bars of the stage before as they are."""
        for task in self._bars.task_ids:
            self._bars.remove_task(task)
        self._console.print(f"[bold]{title}[/bold]")

    def note(self, line: str) -> None:
        """Print the line above the bars."""
        self._console.print(line, markup=False, highlight=False)

    def track(self, items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
        """Yield the items and advance this step's bar after each."""
        task = self._bars.add_task(description, total=total)
        for item in items:
            yield item
            self._bars.advance(task)

    def close(self) -> None:
        """Stop redrawing."""
        self._bars.stop()


class _Lasting:
    """A stream that may be gone from some time on: a run does not end because its terminal was closed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write if anybody is there."""
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """Flush if anybody is there."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextmanager
def progress_for(stream: TextIO | None = None, *, quiet: bool = False) -> Iterator[ProgressReporter]:
    """The reporter that suits the stream: bars on a terminal, plain lines otherwise.

    Parameters
    ----------
    stream : text stream, optional
        Where to write; standard error when left out, so that standard output stays free for results. Colours come on
        a terminal alone, and not where NO_COLOR is set.
    quiet : bool
        Show nothing.
    """
    if quiet:
        yield SilentProgress()
        return
    lasting = cast(TextIO, _Lasting(stream or sys.stderr))
    console = Console(file=lasting)
    reporter: ProgressReporter = TerminalProgress(console) if console.is_terminal else PlainProgress(lasting)
    try:
        yield reporter
    finally:
        reporter.close()
