"""``astrodriz completion``: what a shell needs to complete the commands and their options."""

from __future__ import annotations

import argparse

from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.runtime.progress import ProgressReporter

__all__ = ["EXAMPLES", "HAS_RESULT", "act", "add_arguments"]

HAS_RESULT = False
"""What it prints is for programs already."""

EXAMPLES: Examples = (
    ("astrodriz completion bash", 'in ~/.bashrc: eval "$(astrodriz completion bash)"'),
    ("astrodriz completion zsh", 'in ~/.zshrc, behind compinit: eval "$(astrodriz completion zsh)"'),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the argument of ``astrodriz completion`` to its parser."""
    parser.add_argument("shell", choices=("bash", "zsh"), help="the shell that will read it")


def act(arguments: argparse.Namespace, _: ProgressReporter) -> Answer:
    """Print the script for both programs; files are completed where a file is asked for."""
    import shtab

    return Answer(
        line
        for parser in arguments.parsers().values()
        for line in shtab.complete(parser, shell=arguments.shell).splitlines()
    )
