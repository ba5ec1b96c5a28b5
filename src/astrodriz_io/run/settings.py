"""What the user asked for: flags, call arguments and environment switches, read once into one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import converters, evolve, field, frozen

from astrodriz_core.errors import UsageError
from astrodriz_core.records.run import SettingsRecord
from astrodriz_core.records.verification import Policy
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.run.options import Presence, Switch, option, options_of
from astrodriz_io.storage.disk import storage_errors

__all__ = [
    "GAIA_ARCHIVE",
    "REFERENCE_IMAGES",
    "ServiceAddresses",
    "Settings",
    "check_newpath",
    "settings_from_call",
    "settings_from_environment",
]

REFERENCE_IMAGES = ("driz_sep_refimage", "final_refimage")
"""Drizzle parameters that name a file."""

GAIA_ARCHIVE = "gaia-archive"
"""In place of a local catalogue: ESA's archive, where no file has this name."""

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
        variables = {
            "catalog": "ASTROMETRIC_CATALOG_URL",
            "astrometry": "ASTROMETRY_SERVICE_URL",
            "guide_stars": "GSSS_WEBSERVICES_URL",
        }
        return cls(**{name: environment[variable] for name, variable in variables.items() if variable in environment})


def _same(value: Any) -> Any:
    return value


def _name(path: Path | None) -> str | None:
    return path.name if path else None


def _without_folders(overrides: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, Path(value).name if name in REFERENCE_IMAGES else value) for name, value in overrides)


def _pairs(overrides: Mapping[str, str] | tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(overrides.items() if isinstance(overrides, Mapping) else overrides)


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"-p {text!r} is not NAME=VALUE.", remedy="Write it as in -p final_pixfrac=0.8.")
    return name.strip(), value.strip()


def _policy(value: Policy | str) -> Policy:
    try:
        return Policy(value)
    except ValueError as failure:
        choices = ", ".join(policy.value for policy in Policy)
        raise UsageError(f"There is no policy {value!r}.", remedy=f"Give one of {choices}.") from failure


@frozen(kw_only=True)
class Settings:
    """Everything that steers one run. Built once, then only passed on.

    The fields are the one definition of the settings: flags, arguments of `process`, variables of the environment and
    the record of a run derive from what each says of itself (`options.Option`).

    Attributes
    ----------
    newpath : Path or None
        Folder (a RAM disk, say) under which the work is done, in a sub-folder named after the input.
    force : bool
        Drizzle even where DRIZCORR says OMIT, and keep exposures that failed the guiding check.
    in_memory : bool
        Keep single-drizzled images in memory instead of in scratch files.
    headerlets : bool
        Write a headerlet of the final WCS of every exposure.
    num_cores : int
        Threads for the work on exposures; by default as many as the machine has cores.
    debug : bool
        Log in detail, and keep the workspace folder.
    compute_aposteriori, apply_apriori : bool
        Whether the two alignment stages are run.
    force_alignment : bool
        Align even though the guiding check failed.
    manifest : bool
        Write the list of all files that the run left.
    verify_guiding : bool
        Look for trailed exposures before anything else.
    catalog : Path or None
        A table, the folder of a cache, or ``gaia-archive``, used in place of the catalogue service.
    headerlet_folder : Path or None
        Local folder of a priori headerlets, used in place of the astrometry database.
    policy : Policy
        The policy whose verdict decides.
    parameter_file : Path or None
        TOML file of drizzle parameters, on top of the MDRIZTAB.
    wait : float
        Seconds to wait for another run that holds the association or one of its exposures.
    parameter_overrides : tuple of (str, str)
        Single parameters, on top of everything.
    reset_idctab : bool
        Take IDCTAB from the RAW file instead of from the calibrated exposure.
    quality_testing : bool
        Also write the measurements of the verification as a file of their own.
    references : ReferenceFolders
        Where ``jref$`` and its like point.
    services : ServiceAddresses
        Where the web services are.

    Raises
    ------
    UsageError
        The number of cores is no number of 1 or more, the time to wait none of 0 or more, or there is no such policy.
    """

    newpath: Path | None = field(
        default=None,
        converter=converters.optional(Path),
        metadata=option(flag="newpath", help="work in a folder <root> under this one", parse=Path, argument="newpath"),
    )
    force: bool = field(
        default=False,
        metadata=option(flag="-f", help="drizzle even where DRIZCORR says OMIT", argument="force", recorded=_same),
    )
    in_memory: bool = field(
        default=False,
        metadata=option(flag="-i", help="keep intermediate images in memory", argument="inmemory", recorded=_same),
    )
    headerlets: bool = field(
        default=True,
        metadata=option(flag="-b", help="basic mode: write no headerlets", argument="headerlets", recorded=_same),
    )
    num_cores: int = field(
        factory=lambda: os.cpu_count() or 1,
        metadata=option(flag="-n", metavar="N", help="number of cores (default: all)", parse=int, argument="num_cores"),
    )
    debug: bool = field(
        default=False,
        metadata=option(flag="-d", help="log in detail and keep the workspace", argument="debug"),
    )
    compute_aposteriori: bool = field(
        default=True,
        metadata=option(
            flag="-g",
            help="no a posteriori fit to Gaia",
            argument="align_to_gaia",
            variable=Switch("ASTROMETRY_COMPUTE_APOSTERIORI"),
            recorded=_same,
        ),
    )
    apply_apriori: bool = field(
        default=True,
        metadata=option(variable=Switch("ASTROMETRY_APPLY_APRIORI", "ASTROMETRY_STEP_CONTROL"), recorded=_same),
    )
    force_alignment: bool = field(
        default=False,
        metadata=option(flag="-a", help="align in spite of bad guiding", argument="force_alignment", recorded=_same),
    )
    manifest: bool = field(
        default=False,
        metadata=option(flag="-m", help="write <root>_manifest.txt", argument="make_manifest"),
    )
    verify_guiding: bool = field(
        default=False,
        metadata=option(flag="-v", help="leave trailed exposures out", argument="do_verify_guiding", recorded=_same),
    )
    catalog: Path | None = field(
        default=None,
        metadata=option(
            flag="--catalog",
            metavar="PATH",
            help=f"astrometric catalogue: a table, the folder of a cache, or {GAIA_ARCHIVE}",
            parse=Path,
            exists=True,
            words=(GAIA_ARCHIVE,),
            argument="catalog",
            recorded=_name,
        ),
    )
    headerlet_folder: Path | None = field(
        default=None,
        metadata=option(
            flag="--headerlets",
            metavar="DIR",
            help="local folder of a priori headerlets",
            parse=Path,
            exists=True,
            argument="headerlet_folder",
            recorded=_name,
        ),
    )
    policy: Policy = field(
        default=Policy.CALIBRATED,
        converter=_policy,
        metadata=option(
            flag="--policy",
            help=f"whose verdict decides (default {Policy.CALIBRATED.value})",
            parse=str,
            choices=tuple(policy.value for policy in Policy),
            argument="policy",
            recorded=_same,
        ),
    )
    parameter_file: Path | None = field(
        default=None,
        metadata=option(
            flag="--parameters",
            metavar="FILE",
            help="TOML file of drizzle parameters",
            parse=Path,
            exists=True,
            argument="parameter_file",
            recorded=_name,
        ),
    )
    wait: float = field(
        default=0.0,
        metadata=option(
            flag="--wait",
            metavar="SECONDS",
            help="wait for another run on the same exposures (default: give up at once)",
            parse=float,
            argument="wait",
        ),
    )
    parameter_overrides: tuple[tuple[str, str], ...] = field(
        default=(),
        converter=_pairs,
        metadata=option(
            flag="-p",
            metavar="NAME=VALUE",
            help="one drizzle parameter; repeatable",
            parse=_name_and_value,
            repeatable=True,
            argument="parameter_overrides",
            recorded=_without_folders,
        ),
    )
    reset_idctab: bool = field(default=False, metadata=option(variable=Switch("PIPELINE_RESET_IDCTAB"), recorded=_same))
    quality_testing: bool = field(default=False, metadata=option(variable=Presence("PIPELINE_QUALITY_TESTING")))
    references: ReferenceFolders = field(factory=ReferenceFolders)
    services: ServiceAddresses = field(factory=ServiceAddresses)

    @num_cores.validator
    def _at_least_one(self, _: object, value: int) -> None:
        if not isinstance(value, int) or value < 1:
            raise UsageError(f"The number of cores is {value!r}.", remedy="Give -n a number of 1 or more.")

    @wait.validator
    def _a_time(self, _: object, value: float) -> None:
        if not isinstance(value, (int, float)) or not value >= 0:
            raise UsageError(f"The time to wait is {value!r}.", remedy="Give --wait a number of seconds, 0 or more.")

    def as_record(self) -> SettingsRecord:
        """The settings as the run record keeps them: file names without folders."""
        kept = {
            name: each.recorded(getattr(self, name))
            for name, (_, each) in options_of(Settings).items()
            if each.recorded is not None
        }
        return SettingsRecord(**kept)


def settings_from_call(arguments: Mapping[str, Any]) -> Settings:
    """The settings that a call of `process` asks for, before the environment is laid over them.

    Parameters
    ----------
    arguments : mapping
        Arguments of `process` by name; None gives the default. Others than those of settings are not looked at.

    Raises
    ------
    UsageError
        The number of cores or the time to wait is out of range, or there is no such policy.
    """
    given = {name: arguments.get(each.argument) for name, (_, each) in options_of(Settings).items() if each.argument}
    return Settings(**{name: value for name, value in given.items() if value is not None})


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

    Raises
    ------
    UsageError
        A switch holds another word than on or off, or a folder of references cannot be one.
    """
    variables = {name: each.variable for name, (_, each) in options_of(Settings).items() if each.variable is not None}
    switches = {name: variable.read(environment) for name, variable in variables.items()}
    switched: dict[str, Any] = {name: value for name, value in switches.items() if value is not None}
    changed = evolve(
        settings,
        **switched,
        references=ReferenceFolders.from_environment(environment),
        services=ServiceAddresses.from_environment(environment),
    )
    return changed, tuple(note for variable in variables.values() for note in variable.notes(environment))
