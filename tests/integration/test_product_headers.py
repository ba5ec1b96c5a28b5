"""Headers of a product: blended by the rules of the table."""

import numpy as np
import pytest
from astropy.io import fits

from astrodriz_io.products.headers import BLEND_RULES, MULTIPLE, Rule, blend_headers, header_table


def headers(**columns):
    count = len(next(iter(columns.values())))
    return [fits.Header({key: values[index] for key, values in columns.items()}) for index in range(count)]


@pytest.mark.parametrize(
    ("keyword", "values", "expected"),
    [
        ("EXPTIME", (100.0, 200.0), 300.0),
        ("EXPSTART", (55000.2, 55000.1), 55000.1),
        ("EXPEND", (55000.2, 55000.3), 55000.3),
        ("PHOTFLAM", (1.0e-20, 3.0e-20), 2.0e-20),
        ("TARGNAME", ("NGC1", "NGC1"), "NGC1"),
        ("TARGNAME", ("NGC1", "NGC2"), MULTIPLE),
        ("PA_V3", (10.0, 11.0), 10.0),
        ("SUBARRAY", (False, False), False),
    ],
)
def test_each_keyword_follows_its_rule(keyword, values, expected):
    assert blend_headers(headers(**{keyword: values}))[keyword] == pytest.approx(expected)


def test_no_keyword_has_two_rules():
    keywords = [keyword for keywords in BLEND_RULES.values() for keyword in keywords]
    assert len(keywords) == len(set(keywords))
    assert set(BLEND_RULES) == set(Rule)


def test_distortion_history_and_alternate_wcs_are_left_behind():
    header = fits.Header({"A_ORDER": 4, "A_2_0": 1e-6, "OCX10": 0.1, "IDCSCALE": 0.05, "CPDIS1": "LOOKUP"})
    header.update({"WCSNAMEO": "OPUS", "CRVAL1O": 1.0, "CD1_1O": 1e-5, "CRVAL1": 1.0, "CD1_2": 0.0, "FILTER": "F140W"})
    header["HISTORY"] = "processed"
    assert list(blend_headers([header])) == ["FILTER"]


def test_the_inputs_are_not_changed():
    first, second = headers(EXPTIME=(1.0, 2.0), A_ORDER=(4, 4))
    before = first.tostring()
    blend_headers([first, second])
    assert first.tostring() == before


def test_the_table_has_a_row_for_each_chip_and_a_column_for_each_keyword():
    table = header_table(
        [
            fits.Header({"ROOTNAME": "a", "EXPTIME": 1.5, "CCDCHIP": 1, "SUBARRAY": True}),
            fits.Header({"ROOTNAME": "bb", "EXPTIME": 2, "CCDCHIP": 2, "GAIN": 1.0}),
        ]
    ).data
    assert list(table["ROOTNAME"]) == ["a", "bb"]
    assert list(table["EXPTIME"]) == [1.5, 2.0]
    assert list(table["CCDCHIP"]) == [1, 2]
    assert list(table["SUBARRAY"]) == [True, False]
    assert np.isnan(table["GAIN"][0])
