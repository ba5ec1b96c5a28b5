"""The rest of the report: sky and cosmic rays, exclusions, parameters, software, inputs and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import asdict

from astrodriz_core.names import ChipKey
from astrodriz_core.parameters.values import as_text
from astrodriz_core.records.drizzling import DrizzleRecord
from astrodriz_core.records.run import FileDigest, RunRecord
from astrodriz_io.report.parts import (
    Cell,
    Code,
    FileNames,
    Fold,
    Lines,
    Paragraph,
    Section,
    Table,
    empty_section,
    table,
)
from astrodriz_io.report.wording import percent, significant

__all__ = ["drizzling_section", "provenance_section"]


def drizzling_section(record: RunRecord) -> Section:
    """Sky, cosmic rays and masks of the final combination, and the exposures left out."""
    made = [stage.drizzle for stage in record.stages if stage.drizzle is not None]
    title = "Drizzling"
    if not made:
        return empty_section("drizzling", title, "Nothing was combined.")
    last = made[-1]
    return Section("drizzling", title, (_frame(last), _excluded(record), _chips(last), _static(last)))


def _frame(drizzle: DrizzleRecord) -> Paragraph:
    (ny, nx), (ra, dec) = drizzle.frame.shape, drizzle.frame.crval
    return Paragraph(
        f"Frame of {nx} \N{MULTIPLICATION SIGN} {ny} pixels of {drizzle.frame.pixel_scale_arcsec:.5f} arcsec, "
        f"CRVAL {ra:.7f} {dec:+.7f} deg (ICRS).",
    )


def _excluded(record: RunRecord) -> Table:
    rows = ((e.rootname, e.reason.value, e.detail) for e in record.left_out)
    return table("Exposures left out", ("Exposure", "Reason", "Detail"), rows)


def _chips(drizzle: DrizzleRecord) -> Table:
    # Each once: those with a sky first.
    chips = dict.fromkeys([*(sky.key for sky in drizzle.sky), *(count.key for count in drizzle.cosmic_rays)])
    rows = (_chip_row(chip, drizzle) for chip in chips)
    headers = ("Exposure", "EXTVER", "Sky", "Unit", "Cosmic-ray pixels", "Part of the chip")
    caption = f"Sky and cosmic rays of every chip; cosmic rays from {drizzle.cosmic_rays_from}"
    return table(caption, headers, rows, numbers=(1, 2, 4, 5))


def _chip_row(chip: ChipKey, drizzle: DrizzleRecord) -> tuple[Cell, ...]:
    sky = next((sky for sky in drizzle.sky if sky.key == chip), None)
    rays = next((count for count in drizzle.cosmic_rays if count.key == chip), None)
    return (
        chip.rootname,
        chip.extver,
        significant(sky.value if sky else None, 5),
        sky.units if sky else None,
        rays.pixels if rays else None,
        percent(rays.fraction, 3) if rays else None,
    )


def _static(drizzle: DrizzleRecord) -> Table:
    rows = ((mask.chip, mask.pixels) for mask in drizzle.static_mask)
    return table("Pixels of the static mask", ("Chip", "Pixels"), rows, numbers=(1,))


def provenance_section(record: RunRecord) -> Section:
    """With what the run was made and what it left."""
    return Section("provenance", "Provenance", (_products(record), *_folded(record)))


def _products(record: RunRecord) -> Table:
    rows = ((p.filename, ", ".join(p.exposures), f"{p.exptime:.1f}", p.units, Code(p.sha256)) for p in record.products)
    headers = ("Product", "Exposures", "Exposure time (s)", "Units", "SHA-256")
    return table("Products", headers, rows, numbers=(2,))


def _folded(record: RunRecord) -> Iterator[Fold]:
    yield Fold(f"Drizzle parameters ({len(record.parameter_sources)})", (_parameters(record),))
    yield Fold("Settings of the run", (_settings(record),))
    yield Fold("Software", (_software(record),))
    yield Fold(f"Inputs ({len(record.inputs)})", (_digests("Files read", record.inputs),))
    references = _digests("Calibration reference files", record.references)
    yield Fold(f"Reference files ({len(record.references)})", (references,))
    yield Fold(f"Files written ({len(record.files)})", (FileNames(record.files),))


def _software(record: RunRecord) -> Table:
    rows = ((package.name, package.version) for package in record.software)
    return table("Versions of the software", ("Package", "Version"), rows)


def _parameters(record: RunRecord) -> Table:
    rows = ((p.name, p.value, p.source) for p in record.parameter_sources)
    return table("Drizzle parameters that any source set", ("Parameter", "Value", "Source"), rows)


def _settings(record: RunRecord) -> Table:
    values = asdict(record.settings, recurse=False)
    overrides = tuple(f"{name} = {value}" for name, value in values.pop("parameter_overrides"))
    rows: list[tuple[Cell, ...]] = [
        (name, as_text(value) if value is not None else None) for name, value in values.items()
    ]
    rows.append(("parameter_overrides", Lines(overrides) if overrides else None))
    return table("What the user asked for", ("Setting", "Value"), rows)


def _digests(caption: str, files: Sequence[FileDigest]) -> Table:
    rows = ((file.name, Code(file.sha256)) for file in files)
    return table(caption, ("File", "SHA-256"), rows)
