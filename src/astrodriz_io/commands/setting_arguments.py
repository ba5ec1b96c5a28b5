"""Settings of a run as arguments of a command: each as its field in `Settings` says."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from attrs import Attribute

from astrodriz_core.errors import UsageError
from astrodriz_io.run.options import Option, options_of
from astrodriz_io.run.settings import Settings
from astrodriz_io.storage.regular_files import is_file_or_folder

__all__ = ["add_setting_arguments", "settings_from_arguments"]


def add_setting_arguments(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add flags of settings to a parser: of those that are named, or of all where none is."""
    options = options_of(Settings)
    for name in names or options:
        field, option = options[name]
        if option.flag:
            _add(parser, field, option)


def settings_from_arguments(arguments: argparse.Namespace) -> Settings:
    """The settings that the flags ask for, before the environment is laid over them.

    Raises
    ------
    UsageError
        A bad number of cores or time to wait, or a file or folder that is not there.
    """
    values = {name: getattr(arguments, name, None) for name in options_of(Settings)}
    given: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    for name, (_, option) in options_of(Settings).items():
        if option.exists and name in given:
            _check_path(given[name], option.words)
    return Settings(**given)


def _check_path(path: Path, words: tuple[str, ...]) -> None:
    if str(path) not in words and not is_file_or_folder(path):
        # A named pipe or a device is neither, and would be found out after hours.
        raise UsageError("There is no such file or folder.", where=path.name, remedy="Check the option's path.")


def _add(parser: argparse.ArgumentParser, field: Attribute[Any], option: Option) -> None:
    """Nothing is said of the default here: what is not given is None, and `Settings` has the default."""
    if option.flag == field.name:
        parser.add_argument(field.name, nargs="?", type=option.parse or str, help=option.help)
    elif option.parse is None:
        action = "store_false" if field.default else "store_true"
        parser.add_argument(option.flag, dest=field.name, action=action, default=None, help=option.help)
    else:
        parser.add_argument(
            option.flag,
            dest=field.name,
            action="append" if option.repeatable else "store",
            type=option.parse,
            choices=option.choices or None,
            metavar=option.metavar,
            help=option.help,
        )
