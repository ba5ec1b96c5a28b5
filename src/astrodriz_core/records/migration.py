"""Records of earlier schema versions brought to the present one: one function for each step, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from astrodriz_core.records.run import SCHEMA_VERSION

__all__ = ["MIGRATIONS", "OLDEST_VERSION", "migrate"]

Tree: TypeAlias = dict[str, Any]
"""A record as JSON gives it."""


def _to_version_2(tree: Tree) -> Tree:
    """Version 2 added all that a replay needs; a run of version 1 kept none of it, and cannot be replayed."""
    stages = [{**stage, "companions": None, "states": []} for stage in tree["stages"]]
    added: Tree = {"outputs": [], "sidecar": None, "excluded": []}
    return {**tree, "stages": [_without_masks(stage) for stage in stages], **added}


def _without_masks(stage: Tree) -> Tree:
    drizzle = stage["drizzle"]
    if drizzle is None:
        return stage
    unknown = {name: [{**count, "mask": None} for count in drizzle[name]] for name in ("static_mask", "cosmic_rays")}
    return {**stage, "drizzle": {**drizzle, **unknown, "product_frame": None}}


MIGRATIONS: Mapping[int, Callable[[Tree], Tree]] = {1: _to_version_2}
"""By the version that a step starts from; it ends at the next one."""

OLDEST_VERSION = min(MIGRATIONS)


def migrate(tree: Tree, version: int) -> Tree:
    """Bring a record of an earlier version to the present one; the tree given stays as it is.

    Raises
    ------
    KeyError, TypeError
        The record does not have what its version has.
    """
    for step in range(version, SCHEMA_VERSION):
        tree = {**MIGRATIONS[step](tree), "schema_version": step + 1}
    return tree
