"""Flags, arguments and environment switches become one frozen value."""

import argparse
import inspect
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields_dict
from hypothesis import given
from hypothesis import strategies as st

from astrodriz import Policy, Settings, process, settings_from_environment
from astrodriz_core.errors import UsageError
from astrodriz_core.records.run import SettingsRecord
from astrodriz_io.commands.run import add_arguments
from astrodriz_io.commands.setting_arguments import settings_from_arguments
from astrodriz_io.run.options import environment_switch, options_of
from astrodriz_io.run.settings import settings_from_call

ON, OFF = ("on", "yes", "true"), ("off", "no", "false")


@given(word=st.sampled_from(ON + OFF), upper=st.booleans(), blanks=st.sampled_from(("", " ", "  ")))
def test_a_switch_is_read_in_any_case(word, upper, blanks):
    text = (word.upper() if upper else word.capitalize()) + blanks
    assert environment_switch({"X": text}, "X") is (word in ON)


def test_an_unset_switch_is_neither_on_nor_off():
    assert environment_switch({}, "X") is None


def test_another_word_is_refused_with_the_good_ones():
    with pytest.raises(UsageError, match="on, yes, true, off, no, false"):
        environment_switch({"X": "maybe"}, "X")


def test_the_environment_wins_over_the_flag():
    settings, _ = settings_from_environment(
        Settings(compute_aposteriori=False), {"ASTROMETRY_COMPUTE_APOSTERIORI": "yes"}
    )
    assert settings.compute_aposteriori
    settings, _ = settings_from_environment(Settings(), {"ASTROMETRY_COMPUTE_APOSTERIORI": "OFF"})
    assert not settings.compute_aposteriori


def test_the_deprecated_switch_is_honoured_with_a_warning():
    settings, warnings = settings_from_environment(Settings(), {"ASTROMETRY_STEP_CONTROL": "off"})
    assert not settings.apply_apriori
    assert "ASTROMETRY_APPLY_APRIORI" in warnings[0]


def test_the_new_switch_wins_over_the_deprecated_one():
    environment = {"ASTROMETRY_STEP_CONTROL": "off", "ASTROMETRY_APPLY_APRIORI": "on"}
    settings, warnings = settings_from_environment(Settings(), environment)
    assert settings.apply_apriori
    assert len(warnings) == 1


def test_all_stages_are_on_where_nothing_is_set():
    settings, warnings = settings_from_environment(Settings(), {})
    assert settings.apply_apriori
    assert settings.compute_aposteriori
    assert warnings == ()


def test_service_addresses_come_from_the_environment():
    settings, _ = settings_from_environment(Settings(), {"ASTROMETRIC_CATALOG_URL": "http://127.0.0.1:1/x"})
    assert settings.services.catalog == "http://127.0.0.1:1/x"


def test_the_number_of_cores_is_at_least_one():
    with pytest.raises(UsageError, match="number of cores"):
        Settings(num_cores=0)


@pytest.mark.parametrize(
    ("argument", "value", "told"),
    [
        ("policy", "wrong", "no policy 'wrong'.*documented, drizzlepac, calibrated"),
        ("policy", 3, "no policy 3.*documented, drizzlepac, calibrated"),
        ("num_cores", "4", "number of cores is '4'"),
        ("num_cores", 1.5, "number of cores is 1.5"),
        ("wait", "long", "time to wait is 'long'"),
        ("wait", float("nan"), "time to wait is nan"),
    ],
)
def test_a_wrong_argument_of_process_is_refused_with_what_would_be_right(tmp_path, argument, value, told):
    with pytest.raises(UsageError, match=told):
        process(tmp_path / "x_asn.fits", **{argument: value})


def test_the_record_keeps_names_without_folders(tmp_path):
    record = Settings(catalog=tmp_path / "gaia.ecsv", headerlet_folder=tmp_path / "solutions").as_record()
    assert (record.catalog, record.headerlet_folder) == ("gaia.ecsv", "solutions")


OPTIONS = {name: option for name, (_, option) in options_of(Settings).items()}
FLAGS: dict[str, tuple[tuple[str, ...], Any]] = {
    "newpath": (("elsewhere",), Path("elsewhere")),
    "force": (("-f",), True),
    "in_memory": (("-i",), True),
    "headerlets": (("-b",), False),
    "num_cores": (("-n", "3"), 3),
    "debug": (("-d",), True),
    "compute_aposteriori": (("-g",), False),
    "force_alignment": (("-a",), True),
    "manifest": (("-m",), True),
    "verify_guiding": (("-v",), True),
    "catalog": (("--catalog", "gaia-archive"), Path("gaia-archive")),
    "headerlet_folder": (("--headerlets", "."), Path()),
    "policy": (("--policy", "documented"), Policy.DOCUMENTED),
    "parameter_file": (("--parameters", __file__), Path(__file__)),
    "wait": (("--wait", "2.5"), 2.5),
    "parameter_overrides": (("-p", "a=1", "-p", " b = 2"), (("a", "1"), ("b", "2"))),
}
"""Of each setting that the command line sets: words, and the value that they give."""


def asked(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return settings_from_arguments(parser.parse_args(["x_asn.fits", *words]))


def test_a_command_line_without_flags_asks_for_the_defaults():
    assert asked() == Settings() == settings_from_call({})


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_changes_its_setting_and_no_other(name):
    words, value = FLAGS[name]
    assert asked(*words) == evolve(Settings(), **{name: value})


def test_every_setting_with_a_flag_is_among_these():
    assert {name for name, option in OPTIONS.items() if option.flag} == set(FLAGS)


@pytest.mark.parametrize("name", FLAGS)
def test_an_argument_of_process_changes_its_setting_and_no_other(name):
    given = {OPTIONS[name].argument: FLAGS[name][1]}
    assert settings_from_call(given) == evolve(Settings(), **{name: FLAGS[name][1]})


def test_single_parameters_come_from_a_call_as_a_mapping():
    assert settings_from_call({"parameter_overrides": {"a": "1"}}).parameter_overrides == (("a", "1"),)


def test_process_takes_every_setting_with_an_argument_and_has_the_default_of_its_setting():
    told = {name: each.default for name, each in inspect.signature(process).parameters.items()}
    del told["inputFilename"], told["environment"], told["progress"]
    assert set(told) == {option.argument for option in OPTIONS.values() if option.argument}
    assert settings_from_call(told) == Settings()
    for name, option in OPTIONS.items():
        if option.argument and told[option.argument] is not None:
            assert told[option.argument] == fields_dict(Settings)[name].default


def test_the_record_keeps_every_setting_that_says_so():
    assert {name for name, option in OPTIONS.items() if option.recorded} == set(fields_dict(SettingsRecord))


def test_every_setting_says_how_it_is_given():
    given_by_the_environment_alone = {"references", "services"}
    assert set(fields_dict(Settings)) - set(OPTIONS) == given_by_the_environment_alone
    assert all(option.flag or option.variable for option in OPTIONS.values())


def test_the_record_names_reference_images_without_folders():
    record = settings_from_call({"parameter_overrides": {"final_refimage": "a/b.fits", "final_rot": "1/2"}}).as_record()
    assert record.parameter_overrides == (("final_refimage", "b.fits"), ("final_rot", "1/2"))
