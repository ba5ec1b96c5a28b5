"""Options, parameters and variables of the environment that are wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import evolve, fields, frozen

from astrodriz import DrizzleParameters, drizzle_parameters
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.frame import requested_frame
from astrodriz_io.inputs.exposures import Exposure, read_exposure
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from hostile.acting import run_command, run_until
from hostile.cases import Case, Place
from hostile.values import BEYOND_LATIN, JSON_VALUES, NUMBERS, ODD_TEXTS, TEXTS

__all__ = ["OptionSource", "option_sources"]

WORDS: Mapping[str, str] = {
    **NUMBERS,
    **{f"text: {how}": text for how, text in (TEXTS | ODD_TEXTS | BEYOND_LATIN).items()},
    "bytes that are no text": "\udcff\udcfe",
    "thousands of letters": "y" * 5000,
    "thousands of digits": "9" * 5000,
    "yes": "yes",
    "INDEF": "INDEF",
    "a pair": "4 3",
    "three numbers": "1,2,3",
    "flags": "~4,8",
}
TOML: Mapping[str, str] = {
    **{how: text for how, text in JSON_VALUES.items() if how not in ("null",)},
    **{f"text: {how}": json.dumps(text, ensure_ascii=False) for how, text in (TEXTS | BEYOND_LATIN).items()},
    "nan": "nan",
    "inf": "-inf",
    "a date": "2015-03-04",
    "a time": "12:00:00Z",
    "a table": "{a = 1}",
    "unterminated": '"abc',
    "hexadecimal": "0xffffffffffffffffffff",
    "nothing": "",
    "two values": "1 2",
    "of more lines": '"""a\nb"""',
    "said twice": '1\nfinal_scale = 1\nfinal_scale = 2',
}  # fmt: skip
OPTIONS = ("-n", "--wait", "--policy", "--catalog", "--headerlets", "--parameters", "-p", "newpath", "input")
VARIABLES = (
    "iref", "jref", "CRDS_PATH", "CRDS_OBSERVATORY", "ASTROMETRY_APPLY_APRIORI", "ASTROMETRY_COMPUTE_APOSTERIORI",
    "ASTROMETRY_STEP_CONTROL", "PIPELINE_RESET_IDCTAB", "PIPELINE_QUALITY_TESTING", "ASTROMETRIC_CATALOG_URL",
    "ASTROMETRY_SERVICE_URL", "GSSS_WEBSERVICES_URL", "HOME",
)  # fmt: skip
NAMES = tuple(attribute.name for attribute in fields(DrizzleParameters))
FRAME = OutputFrame(
    shape=(8, 8), crval=(30.0, -20.0), crpix=(4.5, 4.5), cd=((-3.6e-5, 0.0), (0.0, 3.6e-5))
)  # fmt: skip


@frozen(eq=False, repr=False)
class OptionSource:
    """A sound file set, and something said about it that is wrong."""

    name: str
    weight: float
    depths: Mapping[str, float]
    places: tuple[Place, ...]
    sound: Mapping[str, bytes]
    values: Mapping[str, str]
    action: Callable[[Case, Path], object]
    names_files: bool = True

    def hows(self, place: Place) -> Sequence[str]:
        """Every value."""
        return tuple(self.values)

    def files(self, case: Case) -> Mapping[str, bytes]:
        """The sound files, and the parameter file of a case."""
        lines = [f"{one.place.name} = {TOML[one.how]}" for one in case.mutations if one.place.file == "TOML"]
        written = {"mine.toml": "\n".join(lines).encode("utf-8", "surrogatepass")} if lines else {}
        return {**self.sound, **written}

    def act(self, case: Case, folder: Path) -> None:
        """Do what is said."""
        self.action(case, folder)

    def may_change(self, case: Case) -> Sequence[str]:
        """The exposures, which a run updates."""
        return tuple(name for name in self.sound if name.endswith("_flt.fits")) if case.depth == "run" else ()

    def told(self, case: Case) -> Sequence[str]:
        """Nothing: what is wrong is no file."""
        return ()


def option_sources(sound: Mapping[str, bytes], exposure: Path) -> tuple[OptionSource, ...]:
    """All sources of options.

    Parameters
    ----------
    sound : mapping of str to bytes
        Files of one WFC3/IR exposure and its references.
    exposure : Path
        That exposure.
    """
    parameters = _Parameters(read_exposure(exposure))
    depths = {"read": 0.995, "run": 0.005}
    return (
        OptionSource("parameters -p", 8, depths, _places("-p", (*NAMES, "final_scal", "")), sound, WORDS, parameters),
        OptionSource("parameters TOML", 7, depths, _places("TOML", (*NAMES, "final_scal", '"a"')), sound, TOML,
                     parameters),
        OptionSource("environment", 1, {"opened": 0.95, "prepared": 0.05}, _places("$", VARIABLES), sound, WORDS,
                     _Variables(exposure.name)),
        OptionSource("options", 2, {"read": 1.0}, _places("runastrodriz", OPTIONS), {}, WORDS, _give_options),
    )  # fmt: skip


@frozen
class _Parameters:
    """Finds the parameters of one exposure and of four, and their frames; or processes the exposure with them."""

    sound: Exposure

    def __call__(self, case: Case, folder: Path) -> None:
        path = folder / "mine.toml"
        file = path if path.exists() else None
        options = tuple((one.place.name, WORDS[one.how]) for one in case.mutations if one.place.file == "-p")
        single = evolve(self.sound, path=folder / self.sound.path.name)
        if case.depth == "run":
            words = [word for name, value in options for word in ("-p", f"{name}={value}")]
            run_command(single.path, _environment(folder), *words, *(["--parameters", str(file)] if file else []))
            return
        for exposures in ([single], [single] * 4):
            found = drizzle_parameters(exposures, ReferenceFolders(), parameter_file=file, overrides=options)
            for request in (found.parameters.separate_frame, found.parameters.final_frame):
                requested_frame(FRAME, request)


@frozen
class _Variables:
    """Processes the exposure with variables of the environment."""

    entry: str

    def __call__(self, case: Case, folder: Path) -> None:
        said = {one.place.name: WORDS[one.how] for one in case.mutations}
        run_until(case.depth, folder / self.entry, {**_environment(folder), **said})


def _give_options(case: Case, folder: Path) -> None:
    """Give options for an input that is not there."""
    # No argument of a process can hold a NUL.
    said = {one.place.name: WORDS[one.how].replace("\0", "0") for one in case.mutations}
    entry = Path(said.pop("input", folder / "nothing_flt.fits"))
    newpath = [said.pop("newpath")] if "newpath" in said else []
    words = [f"{name}={value}" if name.startswith("--") else f"{name}{value}" for name, value in said.items()]
    run_command(entry, {}, *words, *newpath)


def _places(file: str, names: Sequence[str]) -> tuple[Place, ...]:
    return tuple(Place(file, name) for name in names)


def _environment(folder: Path) -> dict[str, str]:
    return {"iref": str(folder), "ASTROMETRY_APPLY_APRIORI": "off", "ASTROMETRY_COMPUTE_APOSTERIORI": "off"}
