"""What the user asked for: flags, call arguments and environment switches, read once into one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, field, frozen, validators

from astrodriz_core.errors import UsageError
from astrodriz_core.records.run import SettingsRecord
from astrodriz_core.records.verification import Policy
from astrodriz_io.inputs.references import ReferenceFolders
from astrodriz_io.storage.disk import storage_errors

__all__ = ["ServiceAddresses", "Settings", "check_newpath", "environment_switch", "settings_from_environment"]

SWITCH_WORDS = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}

COMPUTE_APOSTERIORI = "ASTROMETRY_COMPUTE_APOSTERIORI"
APPLY_APRIORI = "ASTROMETRY_APPLY_APRIORI"
STEP_CONTROL = "ASTROMETRY_STEP_CONTROL"
"""Deprecated name of ``ASTROMETRY_APPLY_APRIORI``; honoured where the new one is unset."""
QUALITY_TESTING = "PIPELINE_QUALITY_TESTING"
RESET_IDCTAB = "PIPELINE_RESET_IDCTAB"

REFERENCE_IMAGES = ("driz_sep_refimage", "final_refimage")
"""Drizzle parameters that name a file."""

MAST = "https://mast.stsci.edu"
"""Host of the astrometry database; its catalogue and guide star services live on the GSSS host."""
GSSS = "https://gsss.stsci.edu/webservices"


@frozen
class ServiceAddresses:
    """Where the three web services of HST astrometry are."""

    catalog: str = GSSS
    astrometry: str = f"{MAST}/portal/astrometryDB/"
    guide_stars: str = GSSS

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ServiceAddresses:
        """Addresses from the three ``*_URL`` variables, each defaulting to STScI's own."""
        return cls(
            catalog=environment.get("ASTROMETRIC_CATALOG_URL", GSSS),
            astrometry=environment.get("ASTROMETRY_SERVICE_URL", f"{MAST}/portal/astrometryDB/"),
            guide_stars=environment.get("GSSS_WEBSERVICES_URL", GSSS),
        )


@frozen(kw_only=True)
class Settings:
    """Everything that steers one run. Built once, then only passed on.

    Attributes
    ----------
    force : bool
        ``-f``: drizzle even where DRIZCORR says OMIT, and keep exposures that failed the guiding check.
    newpath : Path or None
        Folder (a RAM disk, say) under which the work is done, in a sub-folder named after the input.
    in_memory : bool
        ``-i``: keep single-drizzled images in memory instead of in scratch files.
    num_cores : int
        ``-n``: threads for the work on exposures.
    headerlets : bool
        False with ``-b``: no headerlet is written for the exposures.
    compute_aposteriori, apply_apriori : bool
        Whether the two alignment stages are run.
    force_alignment : bool
        ``-a``: align even though the guiding check failed.
    verify_guiding : bool
        ``-v``: look for trailed exposures before anything else.
    debug : bool
        ``-d``: log in detail, and keep the workspace folder.
    manifest : bool
        ``-m``: write the list of all files that the run left.
    reset_idctab : bool
        Take IDCTAB from the RAW file instead of from the calibrated exposure.
    quality_testing : bool
        Also write the measurements of the verification as a file of their own.
    policy : Policy
        The policy whose verdict decides.
    catalog : Path or None
        A table, the folder of a cache, or ``gaia-archive``, used in place of the catalogue service.
    headerlet_folder : Path or None
        Local folder of a priori headerlets, used in place of the astrometry database.
    parameter_file : Path or None
        TOML file of drizzle parameters, on top of the MDRIZTAB.
    parameter_overrides : tuple of (str, str)
        Single parameters (``-p name=value``), on top of everything.
    wait : float
        ``--wait``: seconds to wait for another run that holds the association or one of its exposures.
    references : ReferenceFolders
        Where ``jref$`` and its like point.
    services : ServiceAddresses
        Where the web services are.
    """

    force: bool = False
    newpath: Path | None = None
    in_memory: bool = False
    num_cores: int = field(factory=lambda: os.cpu_count() or 1, validator=validators.instance_of(int))
    headerlets: bool = True
    compute_aposteriori: bool = True
    apply_apriori: bool = True
    force_alignment: bool = False
    verify_guiding: bool = False
    debug: bool = False
    manifest: bool = False
    reset_idctab: bool = False
    quality_testing: bool = False
    policy: Policy = Policy.CALIBRATED
    catalog: Path | None = None
    headerlet_folder: Path | None = None
    parameter_file: Path | None = None
    parameter_overrides: tuple[tuple[str, str], ...] = ()
    wait: float = field(default=0.0)
    references: ReferenceFolders = field(factory=ReferenceFolders)
    services: ServiceAddresses = field(factory=ServiceAddresses)

    @num_cores.validator
    def _at_least_one(self, _: object, value: int) -> None:
        if value < 1:
            raise UsageError(f"The number of cores is {value}.", remedy="Give -n a number of 1 or more.")

    @wait.validator
    def _a_time(self, _: object, value: float) -> None:
        if not value >= 0:
            raise UsageError(f"The time to wait is {value}.", remedy="Give --wait a number of seconds, 0 or more.")

    def as_record(self) -> SettingsRecord:
        """The settings as the run record keeps them: file names without folders."""
        return SettingsRecord(
            force=self.force,
            in_memory=self.in_memory,
            headerlets=self.headerlets,
            compute_aposteriori=self.compute_aposteriori,
            apply_apriori=self.apply_apriori,
            force_alignment=self.force_alignment,
            verify_guiding=self.verify_guiding,
            reset_idctab=self.reset_idctab,
            policy=self.policy,
            catalog=self.catalog.name if self.catalog else None,
            headerlet_folder=self.headerlet_folder.name if self.headerlet_folder else None,
            parameter_file=self.parameter_file.name if self.parameter_file else None,
            parameter_overrides=tuple(
                (name, Path(value).name if name in REFERENCE_IMAGES else value)
                for name, value in self.parameter_overrides
            ),
        )


def check_newpath(newpath: Path | None) -> None:
    """Refuse a newpath that is no folder; one that is not there yet will be made.

    Raises
    ------
    UsageError
        It is a file: a second input, for one.
    StorageError
        The file system refuses to tell: the name is too long, for one.
    """
    if newpath is None:
        return
    with storage_errors(newpath.name):
        in_the_way = newpath.exists() and not newpath.is_dir()
    if in_the_way:
        problem = "The second argument is the folder to work in (newpath), and this is a file."
        raise UsageError(
            problem, where=newpath.name, remedy="Give one input at a time, and a folder after it, or none."
        )


def environment_switch(environment: Mapping[str, str], name: str) -> bool | None:
    """Value of an on/off variable, in any case; None where it is unset.

    Raises
    ------
    UsageError
        The variable holds none of on, yes, true, off, no, false.
    """
    text = environment.get(name)
    if text is None:
        return None
    try:
        return SWITCH_WORDS[text.strip().lower()]
    except KeyError:
        raise UsageError(
            f"The environment variable {name} is {text!r}.",
            remedy=f"Set it to one of {', '.join(SWITCH_WORDS)}.",
        ) from None


def settings_from_environment(settings: Settings, environment: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """Lay the environment's switches over the settings of the call.

    Parameters
    ----------
    settings : Settings
        What flags and arguments said.
    environment : mapping of str to str
        The environment, or any mapping in its place.

    Returns
    -------
    settings : Settings
        With switches, reference folders and service addresses of the environment. A switch that is set
        wins over its flag, as documented.
    warnings : tuple of str
        What the user should know, such as a deprecated variable.
    """
    warnings = []
    apply_apriori = environment_switch(environment, APPLY_APRIORI)
    if STEP_CONTROL in environment:
        warnings.append(f"The environment variable {STEP_CONTROL} is deprecated; set {APPLY_APRIORI} instead.")
        if apply_apriori is None:
            apply_apriori = environment_switch(environment, STEP_CONTROL)
    return evolve(
        settings,
        compute_aposteriori=_first(environment_switch(environment, COMPUTE_APOSTERIORI), settings.compute_aposteriori),
        apply_apriori=_first(apply_apriori, settings.apply_apriori),
        reset_idctab=_first(environment_switch(environment, RESET_IDCTAB), settings.reset_idctab),
        quality_testing=settings.quality_testing or QUALITY_TESTING in environment,
        references=ReferenceFolders.from_environment(environment),
        services=ServiceAddresses.from_environment(environment),
    ), tuple(warnings)


def _first(switch: bool | None, flag: bool) -> bool:
    return flag if switch is None else switch
