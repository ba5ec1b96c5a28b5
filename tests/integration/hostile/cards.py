"""FITS files taken apart into cards and put together again, with one card wrong in a named way."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from attrs import evolve, frozen

from hostile.values import NUMBERS, ODD_TEXTS, TEXTS

__all__ = ["CARD_SPOILS", "Hdu", "join", "split", "spoil_card", "with_card"]

CARD, BLOCK = 80, 2880
Cards = tuple[bytes, ...]


@frozen
class Hdu:
    """One header, card by card without END, and what follows it up to the next."""

    cards: Cards
    data: bytes

    @property
    def keywords(self) -> tuple[str, ...]:
        """Of all cards, in their order, without blanks."""
        return tuple(dict.fromkeys(word for card in self.cards if (word := keyword_of(card))))

    @property
    def name(self) -> str:
        """EXTNAME and EXTVER as in ``SCI,1``; PRIMARY for the first."""
        named = {keyword_of(card): _value(card) for card in self.cards}
        if "SIMPLE" in named:
            return "PRIMARY"
        return ",".join(filter(None, (named.get("EXTNAME", "table"), named.get("EXTVER", ""))))


def split(data: bytes, spans: list[int]) -> tuple[Hdu, ...]:
    """The HDUs of a sound file; `spans` says where the data of each begins and ends."""
    hdus, start = [], 0
    for begins, ends in zip(spans[::2], spans[1::2], strict=True):
        header = data[start:begins]
        cards = [header[at : at + CARD] for at in range(0, len(header), CARD)]
        hdus.append(Hdu(tuple(cards[: cards.index(b"END".ljust(CARD))]), data[begins:ends]))
        start = ends
    return tuple(hdus)


def join(hdus: tuple[Hdu, ...]) -> bytes:
    """The file of some HDUs."""
    return b"".join(_padded(b"".join((*hdu.cards, b"END".ljust(CARD)))) + hdu.data for hdu in hdus)


def keyword_of(card: bytes) -> str:
    """The keyword of a card."""
    return card[:8].decode("latin-1").strip()


def spoil_card(hdu: Hdu, keyword: str, how: str, chance: random.Random) -> Hdu:
    """The HDU with a card of a keyword made wrong; one that it has not is put at the end."""
    wanted = keyword.ljust(8).encode()
    places = [at for at, card in enumerate(hdu.cards) if card[:8] == wanted]
    at = places[0] if places else len(hdu.cards)
    old = hdu.cards[at : at + 1] or (_card(keyword, b"1"),)
    new = CARD_SPOILS[how](keyword, old[0], chance)
    return evolve(hdu, cards=(*hdu.cards[:at], *(card[:CARD].ljust(CARD) for card in new), *hdu.cards[at + 1 :]))


def with_card(hdu: Hdu, keyword: str, value: int) -> Hdu:
    """The HDU with a whole number for a keyword that it has."""
    new = _card(keyword, str(value).rjust(20).encode()).ljust(CARD)
    return evolve(hdu, cards=tuple(new if keyword_of(card) == keyword else card for card in hdu.cards))


def _padded(data: bytes) -> bytes:
    return data + b" " * (-len(data) % BLOCK)


def _value(card: bytes) -> str:
    return card[10:].decode("latin-1").split("/")[0].strip().strip("'").strip()


def _card(keyword: str, value: bytes) -> bytes:
    return f"{keyword:<8}= ".encode() + value


def _number(text: str) -> Callable[..., Cards]:
    return lambda keyword, old, chance: (_card(keyword, text.rjust(20).encode()),)


def _text(text: str) -> Callable[..., Cards]:
    quoted = b"'" + text.encode("latin-1").ljust(8) + b"'"
    return lambda keyword, old, chance: (_card(keyword, quoted),)


def _raw(value: bytes) -> Callable[..., Cards]:
    return lambda keyword, old, chance: (_card(keyword, value),)


def _random_bytes(keyword: str, old: bytes, chance: random.Random) -> Cards:
    return (_card(keyword, chance.randbytes(CARD - 10)),)


def _continued(keyword: str, old: bytes, chance: random.Random) -> Cards:
    more = tuple(b"CONTINUE  '" + b"y" * 60 + b"&'" for _ in range(chance.choice((1, 4, 40))))
    return (_card(keyword, b"'" + b"x" * 60 + b"&'"), *more, b"CONTINUE  'z'")


Spoil = Callable[[str, bytes, random.Random], Cards]

CARD_SPOILS: Mapping[str, Spoil] = {
    **{how: _number(text) for how, text in NUMBERS.items()},
    **{f"text: {how}": _text(text) for how, text in (TEXTS | ODD_TEXTS).items()},
    "undefined": _raw(b""),
    "only a comment after the sign": _raw(b"/ nothing here"),
    "unterminated text": _raw(b"'abc"),
    "a lone quote": _raw(b"'"),
    "text and rubbish": _raw(b"'abc' xyz 1"),
    "two numbers": _raw(b"1 2"),
    "leading zeros": _raw(b"0000007"),
    "plus sign": _raw(b"+7."),
    "seventy digits": _raw(b"9" * 70),
    "UTF-8": _raw("'\u0661\u0662'".encode()),
    "random bytes": _random_bytes,
    "missing": lambda keyword, old, chance: (),
    "doubled": lambda keyword, old, chance: (old, old),
    "said twice": lambda keyword, old, chance: (old, _card(keyword, b"'other'")),
    "said before by a number": lambda keyword, old, chance: (_card(keyword, b"7"), old),
    "lower case": lambda keyword, old, chance: (keyword.lower().ljust(8).encode() + old[8:],),
    "keyword with an accent": lambda keyword, old, chance: (keyword[:-1].encode() + b"\xe9" + old[len(keyword) :],),
    "keyword with a tab": lambda keyword, old, chance: (keyword[:-1].encode() + b"\t" + old[len(keyword) :],),
    "keyword with a NUL": lambda keyword, old, chance: (keyword[:-1].encode() + b"\0" + old[len(keyword) :],),
    "keyword with a blank before": lambda keyword, old, chance: (b" " + old,),
    "no value sign": lambda keyword, old, chance: (old[:8] + b"  " + old[10:],),
    "sign without a blank": lambda keyword, old, chance: (old[:8] + b"=" + old[10:],),
    "HIERARCH": lambda keyword, old, chance: (f"HIERARCH ESO {keyword} = 1".encode(),),
    "HIERARCH of a long name": lambda keyword, old, chance: (b"HIERARCH " + b"x" * 66 + b" = 1",),
    "as HIERARCH too": lambda keyword, old, chance: (old, f"HIERARCH {keyword.lower()} = 'h'".encode()),
    "continued": _continued,
    "continued by nothing": _raw(b"'abc&'"),
    "CONTINUE behind a number": lambda keyword, old, chance: (_card(keyword, b"1"), b"CONTINUE  'z'"),
    "CONTINUE without text": lambda keyword, old, chance: (_card(keyword, b"'abc&'"), b"CONTINUE  17"),
    "END too early": lambda keyword, old, chance: (b"END",),
    "END with a value": lambda keyword, old, chance: (_card("END", b"1"), old),
    "comment card": lambda keyword, old, chance: (b"COMMENT " + keyword.encode(), b"HISTORY \xff\xfe", b"", b" " * 80),
    "accent in the comment": lambda keyword, old, chance: (old[:60].rstrip() + b" / \xe9\xdf",),
    "NUL in the comment": lambda keyword, old, chance: (old[:60].rstrip() + b" / a\0b",),
    "tab in the comment": lambda keyword, old, chance: (old[:60].rstrip() + b" / a\tb",),
}  # fmt: skip
"""What can be wrong with a card: the keyword, the sound card, random numbers, to the cards in its place."""
