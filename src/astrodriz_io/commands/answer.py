"""What a command has to say when it is done."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from astrodriz_io.terminal.exit_codes import EXIT_DONE

__all__ = ["Answer"]


@frozen
class Answer:
    """Lines for the terminal, and how the process ends.

    Attributes
    ----------
    lines : iterable of str
        Printed one after the other as they come.
    code : int
        Exit code.
    """

    lines: Iterable[str]
    code: int = EXIT_DONE
