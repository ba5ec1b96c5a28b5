"""Flags, arguments and environment switches become one frozen value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.errors import UsageError
from astrodriz_io.run.settings import Settings, environment_switch, settings_from_environment

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


def test_the_record_keeps_names_without_folders(tmp_path):
    record = Settings(catalog=tmp_path / "gaia.ecsv", headerlet_folder=tmp_path / "solutions").as_record()
    assert (record.catalog, record.headerlet_folder) == ("gaia.ecsv", "solutions")
