"""Values that no sound input has, for every kind of place."""

from __future__ import annotations

__all__ = ["JSON_VALUES", "NAMES", "NUMBERS", "TEXTS"]

NUMBERS: dict[str, str] = {
    "not a number": "NaN",
    "infinite": "Inf",
    "minus infinite": "-Inf",
    "over the range": "1E400",
    "huge": "1.7E308",
    "huge negative": "-1.7E308",
    "large": "1E20",
    "tiny": "1E-320",
    "negative": "-1",
    "zero": "0",
    "zero as decimal": "0.0",
    "one": "1",
    "a half": "0.5",
    "minus a half": "-0.5",
    "many": "999",
    "a million": "1000000",
    "largest of 32 bits": "2147483647",
    "least of 32 bits": "-2147483648",
    "largest of 64 bits": "9223372036854775807",
    "beyond 64 bits": "99999999999999999999",
    "exponent with D": "1D5",
    "decimal comma": "1,5",
    "complex": "(1.0, 2.0)",
    "true": "T",
    "false": "F",
}
"""As they stand in a card, a cell, an option."""

NAMES: dict[str, str] = {
    "path upwards": "../escaped",
    "path through a folder": "a/b",
    "absolute path": "/dev/shm/escaped",
    "reference upwards": "jref$../../x_idc.fits",
    "variable": "$HOME/x",
    "nobody's home": "~nobody/x_idc.fits",
    "current folder": ".",
    "parent folder": "..",
    "hidden": ".hidden",
    "glob": "*",
    "character class": "[a-z]*",
    "command": "$(id)`id`",
    "address": "file:///etc/passwd",
    "device": "/dev/zero",
    "reserved": "commit",
    "option": "-rf",
    "backslash": "a\\b",
}
"""What becomes dangerous once it is taken for the name of a file."""

TEXTS: dict[str, str] = {
    "a word": "x",
    "not available": "N/A",
    "OMIT": "OMIT",
    "empty": "",
    "blanks": "        ",
    "number as text": "1.5",
    "NaN as text": "nan",
    "format string": "%s%n{0}{x!r}",
    "markup": "<script>&amp;",
    "quote": "it''s",
    "slash": "a / b",
    "date that is none": "2015-13-45",
    "time beyond calendars": "99999-01-01T00:00:00",
    "fit to Gaia": "IDC_a1b2c-FIT_REL_GAIAeDR3",
    "solution without a name": "-FIT_",
    "as long as a card": "x" * 66,
    **NAMES,
}
"""Printable ASCII."""

ODD_TEXTS: dict[str, str] = {
    "accents": "\u00e9\u00df",
    "superscript digits": "IDC_x-GSC\u00b2\u00b3",
    "tab": "a\tb",
    "NUL": "a\0b",
    "line feed": "a\nb",
    "carriage return": "a\rb",
    "escape": "\x1b[31ma",
    "delete": "a\x7fb",
}
"""What FITS forbids, and what a terminal should not be sent."""

BEYOND_LATIN: dict[str, str] = {
    "arabic digits": "\u0661\u0662",
    "right to left": "a\u202eb",
    "emoji": "\U0001f52d",
    "lone surrogate": "a\ud800b",
    "zero width": "a\u200bb",
    "line separator": "a\u2028b",
}

JSON_VALUES: dict[str, str] = {
    "null": "null",
    "true": "true",
    "false": "false",
    "NaN": "NaN",
    "infinite": "Infinity",
    "over the range": "1e400",
    "huge": "1.7e308",
    "tiny": "1e-320",
    "negative": "-1",
    "zero": "0",
    "one": "1",
    "a half": "0.5",
    "beyond 64 bits": "99999999999999999999",
    "thousands of digits": "9" * 5000,
    "empty list": "[]",
    "empty object": "{}",
    "list in a list": "[[1]]",
    "deep": "[" * 5000 + "]" * 5000,
    "a list of itself": '["a", "a"]',
}
"""JSON texts in place of a value."""
