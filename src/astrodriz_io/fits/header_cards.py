"""Cards of headers that can be read but not written again, found before any work is done on their file.

Products, headerlets and the exposures themselves are written with the cards that came in. A card that FITS does not
allow would stop the run at its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from copy import copy
from pathlib import Path

from astropy.io import fits

from astrodriz_core.errors import InputError
from astrodriz_io.fits.files import open_fits, reading

__all__ = ["LENIENT", "check_cards", "check_cards_of_files"]

LENIENT = "silentfix+ignore"
"""`output_verify` of files whose cards were looked at: put right what can be, and leave alone what nothing uses."""

MAX_INTEGER = (1 << 63) - 1
"""The largest integer of a column of the table in which a product lists the headers of its exposures."""

_REMEDY = "Correct or remove the card, or fetch the file again."


def check_cards_of_files(paths: Iterable[Path]) -> None:
    """Refuse files with headers that could not be written again: see `check_cards`, or without what FITS requires.

    Raises
    ------
    InputError
        As for `check_cards`; or a header lacks BITPIX, NAXIS or the like, or says nonsense in them.
    """
    for path in paths:
        with open_fits(path) as hdulist:
            for index, hdu in enumerate(hdulist):
                where = f"{path.name}[{f'{hdu.name},{hdu.ver}' if index and hdu.name else index}]"
                check_cards(hdu.header, where)
                with reading(where):
                    hdu.verify("silentfix+exception")


def check_cards(header: fits.Header, where: str) -> None:
    """Refuse a header with a card that FITS does not allow, and that cannot be put right without changing its meaning.

    A keyword in lower case and a number in an unusual form can; they are written as they should be.

    Parameters
    ----------
    header : Header
        As it was read; it is not changed.
    where : str
        File and extension, for the message.

    Raises
    ------
    InputError
        A keyword with other characters than FITS allows; a value that is no text, number or switch (``NaN``, a text
        without its end); a character that cannot be printed; a number that is infinite or has more than 63 bits.
    """
    for number, card in enumerate(header.cards, start=1):
        problem = _problem(card)
        if problem:
            raise InputError(f"{problem}.", where=f"{where}: {_name(card, number)}", remedy=_REMEDY)


def _problem(card: fits.Card) -> str:
    """What is wrong with a card; empty where nothing is."""
    try:
        value = card.value
    except fits.VerifyError:
        return "the value is no text, number or switch as FITS has them"
    if isinstance(value, (float, complex)) and not (math.isfinite(value.real) and math.isfinite(value.imag)):
        return "the value is not finite"
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return "the value is larger than any number that can be written"
    if card.keyword == "END":
        return "END ends a header, and has no value"
    # The card itself stays as it is in the file.
    written = copy(card)
    try:
        written.verify("silentfix")
        written.value = value
    except (fits.VerifyError, ValueError) as failure:
        return f"the card is not as FITS allows ({_cause(failure)})"
    return ""


def _cause(failure: Exception) -> str:
    """The sentence of astropy that says what is wrong, without what stands around it."""
    lines = [line.strip() for line in str(failure).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Verification", "Note:", "HDU", "Card "))]
    return (told or lines or [""])[0].removeprefix("Unfixable error: ").rstrip(".")


def _name(card: fits.Card, number: int) -> str:
    """The keyword of a card, or its number where it has none that could be shown."""
    return card.keyword or f"card {number}"
