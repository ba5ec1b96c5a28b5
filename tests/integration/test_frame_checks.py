"""Frames that cannot be filled are refused before anything long is done, with what they need and what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from astropy.io import fits
from tiny_files import write_exposure

from astrodriz import AstrodrizError, DrizzleParameters, with_values
from astrodriz_core.errors import InputError, RecordError, ResourceError, UsageError
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling import combination, frame_checks
from astrodriz_io.drizzling.combination import Combination, combine_exposures
from astrodriz_io.drizzling.repeating import RecordedCombination, repeat_combination
from astrodriz_io.drizzling.resources import DrizzleResources
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.runtime import capacity

CD = ("CD1_1", "CD1_2", "CD2_1", "CD2_2")
FRAMES = ("final_", "driz_sep_")
PARTS = tuple(f"{prefix}{part}" for prefix in FRAMES for part in ("scale", "outnx", "outny", "ra", "dec"))


@pytest.fixture(scope="module")
def exposures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    folder = tmp_path_factory.mktemp("frames")
    return tuple(write_exposure(folder / f"iabc0{number}aaq_flt.fits") for number in range(2))


def combined(files: tuple[Path, ...], folder: Path | None = None, **values: Any) -> Combination:
    parameters = with_values(DrizzleParameters(), values)
    return combine_exposures(files, parameters, DrizzleResources(ImageStore(folder)))


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever reads pixels comes after the frames were checked."""

    def too_early(*arguments: object, **options: object) -> None:
        raise AssertionError("work was begun")

    for step in ("static_masks", "measure_skies", "drizzle_separately"):
        monkeypatch.setattr(combination, step, too_early)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("prefix", FRAMES)
@pytest.mark.parametrize("side", [10**6, 2 * 10**9])
def test_a_frame_that_memory_cannot_hold_is_refused_with_its_size(exposures, prefix, side):
    with pytest.raises(UsageError) as caught:
        combined(exposures, **{f"{prefix}outnx": side, f"{prefix}outny": side})
    assert caught.value.where == f"{prefix}outnx, {prefix}outny"
    assert f"{side} x {side} pixels" in caught.value.problem
    assert "GB of memory at least" in caught.value.problem
    assert caught.value.problem.endswith("GB are available.")


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("prefix", FRAMES)
def test_fine_pixels_make_a_frame_that_is_refused_too(exposures, prefix, monkeypatch):
    monkeypatch.setattr(frame_checks, "available_memory", lambda: 4_000_000_000)
    fine: dict[str, Any] = {f"{prefix}scale": 1e-4}
    with pytest.raises(UsageError, match=rf"{prefix}scale: the frame of .* pixels.* GB"):
        combined(exposures, **fine)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("prefix", FRAMES)
@pytest.mark.parametrize(("ra", "dec"), [(30.0, 60.0), (30.1, -20.0), (210.0, 20.0), (0.0, 90.0), (-330.0, -19.9)])
def test_a_frame_far_from_the_exposures_is_refused_with_their_place(exposures, prefix, ra, dec):
    with pytest.raises(UsageError, match=r"touches none of the exposures.* ra 30\.0+, dec -20\.0+") as caught:
        combined(exposures, **{f"{prefix}ra": ra, f"{prefix}dec": dec})
    assert caught.value.where == f"{prefix}ra, {prefix}dec"


def test_a_frame_that_touches_the_exposures_is_filled(exposures):
    assert combined(exposures, final_ra=30.0, final_dec=-20.0, final_outnx=7, final_outny=5).final.sci.shape == (5, 7)


@pytest.mark.usefixtures("no_work")
def test_scratch_files_need_room_on_their_disk(exposures, tmp_path, monkeypatch):
    monkeypatch.setattr(ImageStore, "free_space", lambda store: 10_000_000)
    with pytest.raises(UsageError, match=r"1000 x 1000 pixels.* needs 16 MB of scratch space.* 10 MB"):
        combined(exposures, tmp_path, driz_sep_outnx=1000, driz_sep_outny=1000)


@pytest.mark.usefixtures("no_work")
def test_frames_of_the_exposures_alone_are_no_matter_of_parameters(exposures, monkeypatch):
    monkeypatch.setattr(frame_checks, "available_memory", lambda: 1000)
    with pytest.raises(
        ResourceError, match=r"the separate images has 32 x 32 pixels.* 1 kB are available\. Give driz_sep_scale"
    ):
        combined(exposures)


def test_needs_of_both_frames_are_added_up(exposures, monkeypatch):
    monkeypatch.setattr(frame_checks, "available_memory", lambda: 20_000_000)
    assert combined(exposures, final_outnx=1000, final_outny=1000)
    with pytest.raises(UsageError, match="the frame of the product has 1000 x 1000"):
        combined(exposures, final_outnx=1000, final_outny=1000, driz_sep_outnx=700, driz_sep_outny=700)


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        ((10**9, 10**9), "1000000000 x 1000000000 pixels"),
        ((0, 5), "without pixels"),
        ((-3, 5), "without pixels"),
    ],
)
def test_the_frame_of_a_record_is_checked_before_it_is_filled(exposures, shape, problem):
    first = combined(exposures)
    frame = attrs.evolve(first.record.product_frame, shape=shape)
    with pytest.raises(RecordError, match=problem):
        repeated(exposures, first, frame)


@pytest.mark.parametrize(
    "change", [{"cd": ((0.0, 0.0), (0.0, 0.0))}, {"crval": (float("nan"), 0.0)}, {"crval": (30.0, 70.0)}]
)
def test_a_frame_of_a_record_without_a_place_is_refused(exposures, change):
    first = combined(exposures)
    with pytest.raises(RecordError, match="frame"):
        repeated(exposures, first, attrs.evolve(first.record.product_frame, **change))


def repeated(files: tuple[Path, ...], first: Combination, frame: OutputFrame) -> Combination:
    record = attrs.evolve(first.record, product_frame=frame)
    measured = RecordedCombination(record, first.inputs.static, first.cosmic_rays)
    parameters = first.inputs.parameters
    return repeat_combination(files, parameters, measured, DrizzleResources(ImageStore(None)))


@pytest.mark.parametrize(
    "cards",
    [
        {"CRVAL1": 30.0, "CTYPE1": "LINEAR", "CTYPE2": "LINEAR"},
        {"CRVAL1": 30.0, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", **dict.fromkeys(CD, 1.0)},
        {"CRVAL1": 30.0, "CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN"},
        {"EXPTIME": 1.0},
    ],
)
def test_a_reference_image_without_a_tangent_plane_is_refused(exposures, tmp_path, cards):
    image = tmp_path / "reference.fits"
    fits.PrimaryHDU([[1.0]], fits.Header(cards)).writeto(image)
    with pytest.raises(InputError, match=r"reference\.fits.*Give a drizzled image"):
        combined(exposures, final_refimage=str(image))


def numbers() -> list[tuple[str, object]]:
    """Every parameter that is a number, with its limits and what lies beside zero."""
    values = ("0", "0.001", "60", "1000", "1e30")
    kinds = {field.name: str(field.type) for field in attrs.fields(DrizzleParameters)}
    return [(name, value) for name, kind in kinds.items() for value in values if "int" in kind or "float" in kind]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), numbers())
def test_every_number_within_its_limits_can_be_combined_with(exposures, name, value):
    kind = str(attrs.fields_dict(DrizzleParameters)[name].type)
    partner = {"outnx": "outny", "outny": "outnx", "ra": "dec", "dec": "ra", "crpix1": "crpix2", "crpix2": "crpix1"}
    part = name.rpartition("_")[2]
    also: dict[str, Any] = {f"{name.removesuffix(part)}{partner[part]}": "10"} if part in partner else {}
    try:
        combined(exposures, **{name: f"{value} {value}" if "tuple" in kind else value, **also})
    except AstrodrizError as error:
        assert name.removesuffix(part) in str(error)


def test_the_narrowest_limit_of_memory_counts(tmp_path):
    process, groups = tmp_path / "proc" / "self", tmp_path / "groups"
    process.mkdir(parents=True)
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 8000 kB\nMemAvailable: 4000 kB\nSwapFree: 1000 kB\n")
    assert capacity.available_memory(tmp_path / "proc", groups) == 5_000 * 1024
    (process / "cgroup").write_text("4:memory:/one/two\n0::/three\n")
    old = groups / "memory" / "one"
    old.mkdir(parents=True)
    (old / "memory.limit_in_bytes").write_text("3000000\n")
    (old / "memory.usage_in_bytes").write_text("1000000\n")
    (old / "memory.stat").write_text("total_inactive_file 200000\n")
    assert capacity.available_memory(tmp_path / "proc", groups) == 2_200_000
    new = groups / "three"
    new.mkdir()
    (new / "memory.max").write_text("2000000\n")
    (new / "memory.current").write_text("500000\n")
    assert capacity.available_memory(tmp_path / "proc", groups) == 1_500_000
    (new / "memory.max").write_text("max\n")
    assert capacity.available_memory(tmp_path / "proc", groups) == 2_200_000


def test_a_system_that_tells_nothing_of_memory_refuses_nothing(tmp_path):
    assert capacity.available_memory(tmp_path, tmp_path) is None
