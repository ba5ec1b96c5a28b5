"""``runastrodriz`` and ``astrodriz run``: one association or single exposure through all stages."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from astrodriz_core.errors import UsageError
from astrodriz_core.records.run import RunRecord
from astrodriz_core.records.verification import Policy
from astrodriz_io.record_files.trailer import summary
from astrodriz_io.run.chosen_services import GAIA_ARCHIVE
from astrodriz_io.run.pipeline import run_association
from astrodriz_io.run.settings import Settings, settings_from_environment
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.storage.regular_files import is_file_or_folder

__all__ = ["add_run_arguments", "describe_run", "run_run", "settings_from_arguments"]


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the documented flags of runastrodriz, and the options that astrodriz has beside them."""
    parser.add_argument("input", type=Path, help="<root>_asn.fits, <root>_raw.fits, or a _flt.fits or _flc.fits")
    parser.add_argument("newpath", type=Path, nargs="?", help="work in a folder <root> under this one")
    parser.add_argument("-f", dest="force", action="store_true", help="drizzle even where DRIZCORR says OMIT")
    parser.add_argument("-i", dest="in_memory", action="store_true", help="keep intermediate images in memory")
    parser.add_argument("-b", dest="basic", action="store_true", help="basic mode: write no headerlets")
    parser.add_argument("-n", dest="num_cores", type=int, metavar="N", help="number of cores (default: all)")
    parser.add_argument("-d", dest="debug", action="store_true", help="log in detail and keep the workspace")
    parser.add_argument("-g", dest="no_gaia", action="store_true", help="no a posteriori fit to Gaia")
    parser.add_argument("-a", dest="force_alignment", action="store_true", help="align in spite of bad guiding")
    parser.add_argument("-m", dest="manifest", action="store_true", help="write <root>_manifest.txt")
    parser.add_argument("-v", dest="verify_guiding", action="store_true", help="leave trailed exposures out")
    parser.add_argument("--catalog", type=Path, metavar="PATH",
                        help=f"astrometric catalogue: a table, the folder of a cache, or {GAIA_ARCHIVE}")  # fmt: skip
    parser.add_argument("--headerlets", type=Path, metavar="DIR", help="local folder of a priori headerlets")
    parser.add_argument("--policy", choices=[policy.value for policy in Policy], default=Policy.CALIBRATED.value,
                        help="whose verdict decides (default %(default)s)")  # fmt: skip
    parser.add_argument("--parameters", type=Path, metavar="FILE", help="TOML file of drizzle parameters")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS",
                        help="wait for another run on the same exposures (default: give up at once)")  # fmt: skip
    parser.add_argument("-p", dest="overrides", action="append", default=[], metavar="NAME=VALUE",
                        help="one drizzle parameter; repeatable")  # fmt: skip


def settings_from_arguments(arguments: argparse.Namespace) -> Settings:
    """The settings that the flags ask for, before the environment is laid over them.

    Raises
    ------
    UsageError
        ``-p`` without an equals sign, a bad number of cores, or a file or folder that is not there.
    """
    catalog = None if arguments.catalog == Path(GAIA_ARCHIVE) else arguments.catalog
    for path in (catalog, arguments.headerlets, arguments.parameters):
        if path is not None and not is_file_or_folder(path):
            # A named pipe or a device is neither, and would be found out after hours.
            raise UsageError("There is no such file or folder.", where=path.name, remedy="Check the option's path.")
    cores = {} if arguments.num_cores is None else {"num_cores": arguments.num_cores}
    return Settings(
        force=arguments.force,
        newpath=arguments.newpath,
        in_memory=arguments.in_memory,
        headerlets=not arguments.basic,
        compute_aposteriori=not arguments.no_gaia,
        force_alignment=arguments.force_alignment,
        verify_guiding=arguments.verify_guiding,
        debug=arguments.debug,
        manifest=arguments.manifest,
        policy=Policy(arguments.policy),
        catalog=arguments.catalog,
        headerlet_folder=arguments.headerlets,
        parameter_file=arguments.parameters,
        parameter_overrides=tuple(_name_and_value(text) for text in arguments.overrides),
        wait=arguments.wait,
        **cores,
    )


def run_run(
    arguments: argparse.Namespace, progress: ProgressReporter, environment: Mapping[str, str] | None = None
) -> RunRecord:
    """Run what the command line asks for; errors as for `astrodriz_io.run.pipeline.process`."""
    settings, notes = settings_from_environment(
        settings_from_arguments(arguments), os.environ if environment is None else environment
    )
    return run_association(arguments.input, settings, progress, notes)


def describe_run(record: RunRecord) -> tuple[str, ...]:
    """Lines for the user: the WCS of each exposure, why, the verdicts, the products."""
    return summary(record)


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"-p {text!r} is not NAME=VALUE.", remedy="Write it as in -p final_pixfrac=0.8.")
    return name.strip(), value.strip()
