"""Names of the files that a run leaves, and of those in its workspace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = ["ENDINGS", "own_file", "own_folder", "own_image"]

ENDINGS: Mapping[str, str] = {
    "record": "_decisions.json",
    "sidecar": "_decisions.zip",
    "trailer": ".tra",
    "report": "_report.html",
    "quality": "_quality.json",
    "manifest": "_manifest.txt",
}
"""Endings of the files that tell of a run, behind the root of its input."""

_FITS = r"_((flt|flc|cal)(_([\w-]+_)?hlet)?|drz|drc)\.fits"
_IMAGE = re.compile(r"images_\d{2,}\.raw")
"""Scratch images; they lie in a folder of their own."""
_FOLDER = re.compile(r"scratch|untouched|.+_(apriori|aposteriori)|\.draft-[a-z0-9_]{8}")
"""Also those in which one file is edited before it replaces another."""


def own_file(name: str, roots: Iterable[str]) -> bool:
    """Whether a run makes a file of this name in its workspace.

    Parameters
    ----------
    name : str
        Name without folders.
    roots : iterable of str
        Rootnames of the input, the product and the exposures, in any case.
    """
    endings = "|".join(re.escape(ending) for ending in ENDINGS.values())
    ours = "|".join(re.escape(root) for root in roots)
    return bool(ours) and re.fullmatch(rf"({ours})({_FITS}|{endings})", name, re.IGNORECASE) is not None


def own_folder(name: str) -> bool:
    """Whether a run makes a folder of this name in its workspace."""
    return _FOLDER.fullmatch(name) is not None


def own_image(name: str) -> bool:
    """Whether a run makes a scratch image of this name."""
    return _IMAGE.fullmatch(name) is not None
