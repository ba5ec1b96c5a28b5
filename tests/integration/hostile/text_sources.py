"""Texts that are wrong in one word or line: replies of services, and catalogues as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen
from fuzzing import CSV, ECSV, GUIDE, XML, client
from loopback import serving

from astrodriz_core.errors import CatalogError, DatabaseError
from astrodriz_core.names import Rootname
from astrodriz_io.catalogs.files import FileCatalog, Footprint
from astrodriz_io.catalogs.service import ServiceCatalog
from astrodriz_io.services.guide_stars import GuideStarService
from astrodriz_io.services.headerlet_sources import DatabaseSource
from astrodriz_io.services.time_budget import TimeBudget
from astrodriz_io.services.web import WebClient
from hostile.cases import Case, Mutation, Place
from hostile.values import BEYOND_LATIN, NUMBERS, ODD_TEXTS, TEXTS

__all__ = ["TextSource", "text_sources"]

WORD = re.compile(r"[^\s,<>={}\[\]]+")
VALUES: Mapping[str, str] = {
    **NUMBERS,
    **{f"text: {how}": text for how, text in (TEXTS | ODD_TEXTS | BEYOND_LATIN).items()},
    "entity": "&a;",
    "character of no number": "&#xffffffff;",
    "thousands of letters": "y" * 5000,
    "thousands of digits": "9" * 5000,
    "quoted comma": '"1,2"',
    "open quote": '"',
    "missing": "",
    "comment": "#",
    "comma": ",",
    "open tag": "<a>",
    "closed tag": "</a>",
    "deep": "<a>" * 3000,
}
LINES: Mapping[str, Callable[[str], str]] = {
    "line missing": lambda line: "",
    "line doubled": lambda line: f"{line}\n{line}",
    "line a thousand times": lambda line: "\n".join([line] * 1000),
    "line without its end": lambda line: line[: len(line) // 2],
    "line with a word more": lambda line: f"{line},7",
    "line commented": lambda line: f"# {line}",
    "declares an entity": lambda line: f'<!DOCTYPE x [<!ENTITY a "b">]>{line}',
}
ENCODINGS = ("utf-16", "utf-32", "utf-7", "latin-1", "utf-8-sig", "cp037")
QUERY = (Footprint(30.0, -20.0, 0.1), 2015.2)


@frozen(eq=False, repr=False)
class TextSource:
    """A text of which words and lines are wrong."""

    name: str
    weight: float
    depths: Mapping[str, float]
    file: str
    text: str
    action: Callable[[Case, Path], object]
    words: tuple[str, ...] = ()
    names_files: bool = False
    places: tuple[Place, ...] = field()

    @places.default
    def _every_word(self) -> tuple[Place, ...]:
        found = WORD.finditer(self.text)
        words = [Place(self.file, f"word {number} {match[0][:12]}") for number, match in enumerate(found)]
        lines = [Place(self.file, f"line {number}") for number, _ in enumerate(self.text.split("\n"))]
        return (*words, *lines, Place(self.file, "encoding"))

    def hows(self, place: Place) -> Sequence[str]:
        """By what is wrong: a word, a line, the encoding."""
        kind = place.name.split(" ")[0]
        return {"word": tuple(VALUES), "line": tuple(LINES), "encoding": ENCODINGS}[kind]

    def files(self, case: Case) -> Mapping[str, bytes]:
        """The text."""
        by_kind: dict[str, list[Mutation]] = {"word": [], "line": [], "encoding": []}
        for mutation in case.mutations:
            by_kind[mutation.place.name.split(" ")[0]].append(mutation)
        text = _with_lines(_with_words(self.text, by_kind["word"]), by_kind["line"])
        encoding = by_kind["encoding"][0].how if by_kind["encoding"] else "utf-8"
        return {self.file: text.encode(encoding, "replace" if by_kind["encoding"] else "surrogatepass")}

    def act(self, case: Case, folder: Path) -> None:
        """Read the text."""
        self.action(case, folder)

    def may_change(self, case: Case) -> Sequence[str]:
        """Nothing."""
        return ()

    def told(self, case: Case) -> Sequence[str]:
        """The file, where it is one of the user's."""
        return self.words


def _with_words(text: str, mutations: Sequence[Mutation]) -> str:
    new = {int(mutation.place.name.split(" ")[1]): VALUES[mutation.how] for mutation in mutations}
    number = iter(range(len(text)))
    return WORD.sub(lambda match: new.get(next(number), match[0]), text)


def _with_lines(text: str, mutations: Sequence[Mutation]) -> str:
    lines = text.split("\n")
    for mutation in mutations:
        at = min(int(mutation.place.name.split(" ")[1]), len(lines) - 1)
        lines[at] = LINES[mutation.how](lines[at])
    return "\n".join(lines)


def text_sources() -> tuple[TextSource, ...]:
    """All texts."""
    reply = f"Objects found: 2\n{CSV.decode().strip()}"
    both = {"read": 0.97, "loopback": 0.03}
    return (
        TextSource("catalogue CSV", 3, {"read": 1.0}, "stars.csv", CSV.decode(), _file("stars.csv"), ("stars.csv",)),
        TextSource("catalogue ECSV", 1, {"read": 1.0}, "stars.ecsv", ECSV.decode(), _file("stars.ecsv"),
                   ("stars.ecsv",)),
        TextSource("catalogue service", 4, both, "reply.csv", reply, _asking(_catalogue)),
        TextSource("astrometry database", 4, both, "reply.xml", XML.decode(), _asking(_database)),
        TextSource("guide star service", 4, both, "reply.xml", GUIDE.decode(), _asking(_guide_stars)),
    )  # fmt: skip


def _file(name: str) -> Callable[[Case, Path], object]:
    return lambda case, folder: FileCatalog(folder / name).query(*QUERY) and None


Ask = Callable[[str, Callable[[type[DatabaseError] | type[CatalogError]], WebClient]], None]


def _asking(ask: Ask) -> Callable[[Case, Path], object]:
    """Ask a service whose reply lies in the one file of the folder."""

    def act(case: Case, folder: Path) -> None:
        (path,) = folder.iterdir()
        if case.depth == "read":
            ask("http://host", lambda error: client(path, error))
            return
        with serving(lambda *_: (200, path.read_bytes())) as loopback:
            ask(loopback.address, lambda error: WebClient("service", error, TimeBudget(), attempts=1))

    return act


def _catalogue(address: str, client_for: Callable[..., WebClient]) -> None:
    ServiceCatalog(address, client=client_for(CatalogError), name="GAIAeDR3").query(*QUERY)


def _database(address: str, client_for: Callable[..., WebClient]) -> None:
    DatabaseSource(address, client=client_for(DatabaseError)).offers(Rootname("xabc01aaq"))


def _guide_stars(address: str, client_for: Callable[..., WebClient]) -> None:
    GuideStarService(address, client=client_for(DatabaseError)).offset(Rootname("xabc01aaq"))
