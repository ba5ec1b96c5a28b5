"""Drizzle parameters as a TOML file, for a user to edit and feed back."""

from __future__ import annotations

from collections.abc import Sequence

import tomlkit
from attrs import asdict

from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.parameters.values import as_text

__all__ = ["parameters_to_toml"]


def parameters_to_toml(parameters: DrizzleParameters, comments: Sequence[str] = ()) -> str:
    """Write every parameter as TOML that `drizzle_parameters` reads back unchanged, a line each, below the comments.

    TOML has no word for a value that does not exist; ``"INDEF"`` stands for it.
    """
    document = tomlkit.document()
    for comment in comments:
        document.add(tomlkit.comment(comment))
    document.update({name: _toml_value(value) for name, value in asdict(parameters).items()})
    return tomlkit.dumps(document)


def _toml_value(value: object) -> object:
    if isinstance(value, tuple):
        return [_toml_value(item) for item in value]
    return value if isinstance(value, (bool, int, float)) else as_text(value)
