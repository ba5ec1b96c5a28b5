"""``astrodriz parameters``: the drizzle parameters in force, as TOML that can be fed back."""

from __future__ import annotations

import argparse

from astrodriz_io.inputs.parameters import BundledSelection, bundled_parameters, parameters_to_toml

__all__ = ["add_parameters_arguments", "run_parameters"]


def add_parameters_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``astrodriz parameters`` to its parser."""
    parser.add_argument("--detector", default="WFC3/IR", help="detector (default %(default)s)")
    parser.add_argument("--exposures", type=int, default=4, help="number of exposures (default %(default)s)")
    parser.add_argument("--filter", default="", help="filter, where the parameters depend on it")


def run_parameters(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The lines of the TOML file.

    Raises
    ------
    UsageError
        The detector has no bundled parameters; the message lists those that have.
    """
    filters = (arguments.filter,) if arguments.filter else ()
    selection = BundledSelection(arguments.detector, arguments.exposures, filters, None)
    parameters, row = bundled_parameters(selection)
    return (f"# Bundled table, {row}", *parameters_to_toml(parameters).splitlines())
