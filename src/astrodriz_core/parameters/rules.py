"""What the pipeline changes in the parameters of its tables, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from astrodriz_core.parameters.choices import CombineType, SkyMethod
from astrodriz_core.parameters.drizzle import DrizzleParameters, Kernel, changed_parameters, with_values

__all__ = ["MAX_EXPOSURE_TIME_RATIO", "PipelineOverride", "pipeline_overrides", "single_exposure_overrides"]

MAX_EXPOSURE_TIME_RATIO = 2.0
"""Longest over shortest exposure above which runastrodriz trusts no minimum of the stack."""

_ALWAYS: Mapping[str, tuple[object, str]] = {
    "driz_sep_kernel": (Kernel.TURBO, "fast, and good enough to find cosmic rays"),
    "driz_sep_fillval": (0.0, "empty pixels of separate images count as 0"),
    "final_fillval": (None, "empty pixels of products are NaN"),
    "stepsize": (10, "the pipeline's value; coordinate maps here do not depend on it"),
    "crbit": (4096, "the DQ bit of cosmic rays"),
    "resetbits": (4096, "cosmic rays are looked for afresh"),
}
_ONE_EXPOSURE = "there is one exposure, so there is nothing to compare it with"
_SKY_OF_ONE = {SkyMethod.MATCH: SkyMethod.LOCALMIN, SkyMethod.GLOBALMIN_MATCH: SkyMethod.GLOBALMIN}
_MULTI_EXPOSURE_STEPS = ("static", "driz_separate", "median", "blot", "driz_cr")


@frozen
class PipelineOverride:
    """A parameter that the pipeline sets whatever the tables say.

    Attributes
    ----------
    name : str
        Name of the parameter.
    value : str
        Its value, as text.
    reason : str
        Why.
    """

    name: str
    value: str
    reason: str


def pipeline_overrides(
    parameters: DrizzleParameters, exposure_times: Sequence[float]
) -> tuple[DrizzleParameters, tuple[PipelineOverride, ...]]:
    """Apply the rules of the pipeline to the parameters of an MDRIZTAB or of the bundled table.

    Always the separate drizzle with the turbo kernel and fill value 0, NaN in empty pixels of products, and
    cosmic rays in bit 4096. Where the longest exposure is more than twice the shortest, the median without
    rejection of high values. With one exposure no step that needs a second one: no static mask, no separate
    drizzle, median, blot or cosmic rays, and no matching of skies, which for one exposure subtracts nothing.

    Parameters
    ----------
    parameters : DrizzleParameters
        The parameters of the table; what a user sets belongs on top of the result.
    exposure_times : sequence of float
        Seconds, of the exposures to be combined; times that are not positive do not count.

    Returns
    -------
    DrizzleParameters
        With the overrides.
    tuple of PipelineOverride
        Those that changed something.
    """
    wanted = {**_ALWAYS, **_for_times([seconds for seconds in exposure_times if seconds > 0])}
    overridden, changes = _applied(parameters, wanted)
    if len(exposure_times) != 1:
        return overridden, changes
    single, more = single_exposure_overrides(overridden)
    return single, changes + more


def single_exposure_overrides(
    parameters: DrizzleParameters,
) -> tuple[DrizzleParameters, tuple[PipelineOverride, ...]]:
    """Switch off the steps that need a second exposure.

    Parameters
    ----------
    parameters : DrizzleParameters
        From any source: no user's wish can make these steps work.

    Returns
    -------
    DrizzleParameters
        Without static mask, separate drizzle, median, blot and cosmic rays; skies that were to be matched
        are measured in each exposure instead.
    tuple of PipelineOverride
        What changed.
    """
    steps: dict[str, tuple[object, str]] = dict.fromkeys(_MULTI_EXPOSURE_STEPS, (False, _ONE_EXPOSURE))
    method = _SKY_OF_ONE.get(parameters.skymethod, parameters.skymethod)
    return _applied(parameters, {**steps, "skymethod": (method, _ONE_EXPOSURE)})


def _for_times(seconds: Sequence[float]) -> dict[str, tuple[object, str]]:
    if not seconds or max(seconds) <= MAX_EXPOSURE_TIME_RATIO * min(seconds):
        return {}
    reason = f"exposure times differ by a factor {max(seconds) / min(seconds):.3g}"
    return {"combine_type": (CombineType.MEDIAN, reason), "combine_nhigh": (0, reason)}


def _applied(
    parameters: DrizzleParameters, wanted: Mapping[str, tuple[object, str]]
) -> tuple[DrizzleParameters, tuple[PipelineOverride, ...]]:
    overridden = with_values(parameters, {name: value for name, (value, _) in wanted.items()})
    changed = changed_parameters(parameters, overridden)
    return overridden, tuple(PipelineOverride(name, value, wanted[name][1]) for name, value in changed)
