"""What exposures have to have in common, and what has to tell them apart, before they are processed together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from astrodriz_core.errors import InputError
from astrodriz_core.instruments.detectors import DetectorDescription
from astrodriz_io.inputs.exposures import Exposure

__all__ = ["check_distinct", "check_pair", "check_same_configuration", "common_detector"]


def check_same_configuration(exposures: Sequence[Exposure]) -> None:
    """Refuse exposures of different detectors or filters: they make no common product.

    Parameters
    ----------
    exposures : sequence of Exposure
        The members of one association.

    Raises
    ------
    InputError
        The message lists every configuration with its exposures.
    """
    listed = _groups([(exposure.configuration, exposure.rootname) for exposure in exposures])
    if len(listed) > 1:
        problem = f"the exposures differ in detector or filter ({'; '.join(listed)})."
        raise InputError(problem, remedy="Make one association for each detector and filter.")


def common_detector(exposures: Sequence[Exposure]) -> DetectorDescription:
    """The detector of exposures that are measured against each other; at least one is needed.

    Raises
    ------
    InputError
        They are of several, so that their images have no point spread function in common; the message lists them.
    """
    listed = _groups([(exposure.description.name, exposure.rootname) for exposure in exposures])
    if len(listed) > 1:
        problem = f"images of different detectors cannot be measured against each other ({'; '.join(listed)})."
        raise InputError(problem, remedy="Combine and verify the exposures of each detector by themselves.")
    return exposures[0].description


def _groups(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """``group: rootname, rootname`` for each group, of pairs of group and rootname."""
    groups: dict[str, list[str]] = {}
    for group, rootname in pairs:
        groups.setdefault(group, []).append(rootname)
    return [f"{group}: {', '.join(roots)}" for group, roots in groups.items()]


def check_distinct(exposures: Iterable[Exposure]) -> None:
    """Refuse files that say that they are one exposure.

    Raises
    ------
    InputError
        Two have the same ROOTNAME; the message names both files.
    """
    by_rootname: dict[str, Exposure] = {}
    for exposure in exposures:
        earlier = by_rootname.setdefault(exposure.rootname, exposure)
        if earlier is not exposure:
            problem = f"{exposure.rootname!r} is the exposure in {earlier.path.name} too."
            remedy = "Take one of the files out of the association, or correct its header."
            raise InputError(problem, where=f"{exposure.path.name}: ROOTNAME", remedy=remedy)


def check_pair(flt: Exposure, flc: Exposure) -> None:
    """Refuse an FLC that is not of the same exposure as the FLT beside it.

    Raises
    ------
    InputError
        They differ in ROOTNAME, or in the numbers or shapes of their chips.
    """
    remedy = "Put the FLT and the FLC of one exposure under its name."
    if flt.rootname != flc.rootname:
        problem = f"it is of the exposure {flc.rootname!r}, and {flt.path.name} of {flt.rootname!r}."
        raise InputError(problem, where=f"{flc.path.name}: ROOTNAME", remedy=remedy)
    shapes = [{chip.extver: chip.shape for chip in exposure.chips} for exposure in (flt, flc)]
    if shapes[0] != shapes[1]:
        problem = f"its chips are not those of {flt.path.name} ({_told(shapes[1])}; {_told(shapes[0])})."
        raise InputError(problem, where=f"{flc.path.name}[SCI]", remedy=remedy)


def _told(shapes: dict[int, tuple[int, int]]) -> str:
    return ", ".join(f"[SCI,{extver}] {nx} x {ny}" for extver, (ny, nx) in shapes.items())
