"""Records of earlier schema versions brought to the present one: one function for each step, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from astrodriz_core.records.common import Stage
from astrodriz_core.records.run import SCHEMA_VERSION, RunOutcome

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


def _to_version_3(tree: Tree) -> Tree:
    """In version 3 the product that is delivered is the one that was verified, and that of the companions is too.

    Until then it was combined anew after the verdict, but for that with the pipeline default. A run that DRIZCORR
    switched off was said to be one by OMIT, whatever the value was.
    """
    outcome = RunOutcome.OMITTED.value if tree["outcome"].startswith("omitted") else tree["outcome"]
    unknown = {name: tree[name] or None for name in ("detector", "filter_name")}
    stages = [_with_warnings({**stage, "companions_verification": None}) for stage in tree["stages"]]
    return {**tree, **unknown, "outcome": outcome, "stages": [_with_verdict(stage, stages) for stage in stages]}


def _with_warnings(stage: Tree) -> Tree:
    """Renamed solutions and missing times were not recorded, since they were not told."""
    parts = {name: stage[name] for name in ("apriori", "aposteriori") if stage[name] is not None}
    return {**stage, **{name: {**_with_origins(part), "warnings": []} for name, part in parts.items()}}


def _with_origins(part: Tree) -> Tree:
    """A catalogue that gave no answer had a blank for its origin and its hash."""
    if "catalogs" not in part:
        return part
    names = ("origin", "sha256")
    return {**part, "catalogs": [{**one, **{name: one[name] or None for name in names}} for one in part["catalogs"]]}


def _with_verdict(final: Tree, stages: list[Tree]) -> Tree:
    """The last stage with the judgement on its combination, where an earlier one has verified just that."""
    if final["stage"] != Stage.FINAL.value:
        return final
    same = (stage for stage in stages if stage is not final and stage["drizzle"] == final["drizzle"] is not None)
    judged = next((stage["verification"] for stage in same), final["verification"])
    return {**final, "verification": judged}


MIGRATIONS: Mapping[int, Callable[[Tree], Tree]] = {1: _to_version_2, 2: _to_version_3}
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
