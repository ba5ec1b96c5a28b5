"""What all commands have in common: examples in their help, and options for how much is printed, and in which form."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

__all__ = ["Examples", "add_examples", "add_output_options"]

Examples = tuple[tuple[str, str], ...]
"""Command lines, each with what it is for."""

QUIET = "print the last line alone, and no progress"
JSON = "print the result as JSON"
VERBOSE = "tell on standard error what is logged"


def add_examples(parser: argparse.ArgumentParser, examples: Examples) -> None:
    """Put examples at the end of the help of a command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    lines = (f"  {line}\n      {purpose}" for line, purpose in examples)
    parser.epilog = "\n".join(("examples:", *lines))


def add_output_options(parsers: Iterable[argparse.ArgumentParser], *, verbose: tuple[str, ...]) -> None:
    """Add ``-q``, ``--json`` and those of `verbose` to the parsers of a command that has a result."""
    for parser in parsers:
        output = parser.add_argument_group("output")
        output.add_argument("-q", "--quiet", action="store_true", help=QUIET)
        output.add_argument("--json", action="store_true", help=JSON)
        output.add_argument(*verbose, action="store_true", dest="verbose", help=VERBOSE)
