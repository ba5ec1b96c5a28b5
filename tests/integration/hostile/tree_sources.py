"""JSON whose branches are wrong: records, states of exposures, the journal of a commit, local tables of a user."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from attrs import field, frozen

from astrodriz_core.names import Rootname
from astrodriz_core.records.run import FileDigest
from astrodriz_io.record_files.exposure_states import restore_state
from astrodriz_io.record_files.sidecar import Piece, read_sidecar
from astrodriz_io.services.guide_stars import GuideStarFile
from astrodriz_io.services.headerlet_sources import FolderSource
from astrodriz_io.storage.disk import Disk
from astrodriz_io.storage.journal import Transaction
from astrodriz_io.storage.publishing import recover
from hostile.acting import command
from hostile.cases import Case, Mutation, Place
from hostile.values import BEYOND_LATIN, JSON_VALUES, ODD_TEXTS, TEXTS

__all__ = ["TreeSource", "tree_sources"]

Path_ = tuple[str | int, ...]
Act = Callable[[Case, Path], object]

BRANCHES = ("missing", "renamed", "in a list", "of another branch", "negated", "said twice", "one more beside it")
"""What can be wrong with a branch beside its value."""

VALUES: Mapping[str, str] = {
    **JSON_VALUES,
    **{f"text: {how}": json.dumps(text) for how, text in (TEXTS | ODD_TEXTS | BEYOND_LATIN).items()},
}
MARK = "\u0000mark\u0000"


@frozen(eq=False, repr=False)
class TreeSource:
    """A file set of which one JSON file has wrong branches.

    Attributes
    ----------
    file : str
        The JSON file.
    tree : object
        What it holds.
    sound : mapping of str to bytes
        The other files.
    around : callable
        What the files are, given the text of the tree; the text under the name of the file by default.
    """

    name: str
    weight: float
    depths: Mapping[str, float]
    file: str
    tree: object
    action: Act
    sound: Mapping[str, bytes] = field(factory=dict)
    around: Callable[[bytes], Mapping[str, bytes]] | None = None
    words: tuple[str, ...] = ()
    names_files: bool = False
    places: tuple[Place, ...] = field()

    @places.default
    def _every_branch(self) -> tuple[Place, ...]:
        return tuple(Place(self.file, json.dumps(path)) for path in _paths(self.tree))

    def hows(self, place: Place) -> Sequence[str]:
        """Every value, and what can be wrong with a branch."""
        return _HOWS

    def files(self, case: Case) -> Mapping[str, bytes]:
        """The other files and the tree."""
        text = _spoiled(self.tree, case.mutations).encode("utf-8", "surrogatepass")
        return {**self.sound, **(self.around(text) if self.around else {self.file: text})}

    def act(self, case: Case, folder: Path) -> None:
        """Read the file."""
        self.action(case, folder)

    def may_change(self, case: Case) -> Sequence[str]:
        """Nothing."""
        return ()

    def told(self, case: Case) -> Sequence[str]:
        """The file; a replay may look for one of the name that the record has."""
        return (*self.words, "Files of the run are missing: ", " not found.") if case.depth == "replay" else self.words


_HOWS = (*VALUES, *BRANCHES)


def _paths(tree: object, path: Path_ = ()) -> Iterator[Path_]:
    yield path
    branches = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, branch in branches:
        yield from _paths(branch, (*path, key))


def _spoiled(tree: object, mutations: Sequence[Mutation]) -> str:
    """JSON text of the tree; a branch that an earlier mutation took away is left alone."""
    raw: dict[str, str] = {}
    for number, mutation in enumerate(mutations):
        mark = f"{MARK}{number}"
        tree = _replaced(tree, tuple(json.loads(mutation.place.name)), mutation, mark, tree)
        raw[json.dumps(mark)] = VALUES.get(mutation.how, "null")
    text = json.dumps(tree)
    for mark, value in raw.items():
        text = text.replace(mark, value)
    return text


def _replaced(tree: object, path: Path_, mutation: Mutation, mark: str, whole: object) -> object:
    """A copy of the tree along a path, with what the mutation says at its end."""
    if not path:
        return _new_branch(tree, mutation, mark, whole)
    key, rest = path[0], path[1:]
    if isinstance(tree, list) and isinstance(key, int) and key < len(tree):
        if not rest and mutation.how == "missing":
            return tree[:key] + tree[key + 1 :]
        if not rest and mutation.how in ("said twice", "one more beside it"):
            return [*tree, tree[key]]
        return [*tree[:key], _replaced(tree[key], rest, mutation, mark, whole), *tree[key + 1 :]]
    if isinstance(tree, dict) and key in tree:
        if not rest and mutation.how in KEYS:
            return KEYS[mutation.how](tree, str(key))
        return {**tree, key: _replaced(tree[key], rest, mutation, mark, whole)}
    return tree


def _new_branch(branch: object, mutation: Mutation, mark: str, whole: object) -> object:
    if mutation.how in VALUES:
        return mark
    if mutation.how == "negated" and isinstance(branch, (int, float)):
        return -branch
    if mutation.how == "in a list":
        return [branch]
    if mutation.how == "of another branch":
        return _another(whole, mutation.chance)
    return branch


def _another(tree: object, chance: random.Random) -> object:
    """Some branch of the same tree."""
    while isinstance(tree, (dict, list)) and tree and chance.random() < 0.85:
        tree = chance.choice(list(tree.values()) if isinstance(tree, dict) else tree)
    return tree


KEYS: Mapping[str, Callable[[dict[str, object], str], dict[str, object]]] = {
    "missing": lambda tree, key: {name: value for name, value in tree.items() if name != key},
    "renamed": lambda tree, key: {f"{name}x" if name == key else name: value for name, value in tree.items()},
    "one more beside it": lambda tree, key: {**tree, "more": tree[key]},
    "said twice": lambda tree, key: {**tree, f"{key}\u200b": tree[key]},
}


def tree_sources(folder: Path, record: Mapping[str, bytes], inputs: Mapping[str, bytes]) -> tuple[TreeSource, ...]:
    """All trees.

    Parameters
    ----------
    folder : Path
        Where nothing else lies; for what the readers need besides.
    record : mapping of str to bytes
        The record and the sidecar that a run wrote.
    inputs : mapping of str to bytes
        The untouched files of the run.
    """
    (name,) = [name for name in record if name.endswith("_decisions.json")]
    (sidecar,) = [name for name in record if name.endswith(".zip")]
    tree = json.loads(record[name])
    depths = {"explain": 0.55, "diff": 0.43, "replay": 0.02}
    with zipfile.ZipFile(BytesIO(record[sidecar])) as archive:
        pieces = {each: archive.read(each) for each in archive.namelist()}
    state = next(each for each in pieces if each.startswith(f"{Piece.STATE.value}/"))
    exposure = next(each for each in inputs if each.endswith("_flt.fits"))
    return (
        TreeSource("record", 4, depths, name, tree, _Record(name), {**inputs, sidecar: record[sidecar],
                   "sound.json": record[name]}, words=(name, "xabc01", "sound.json")),
        TreeSource("state of an exposure", 3, {"read": 1.0}, exposure, json.loads(pieces[state]),
                   _restore, {exposure: inputs[exposure]}, around=_with_pieces(pieces),
                   words=("x.zip", exposure, "made_flt.fits")),
        TreeSource("journal", 3, {"read": 1.0}, "commit.json", JOURNAL, _recover),
        TreeSource("best.json", 2, {"read": 1.0}, "best.json", {"xabc01aaq": "IDC_a1b2c-GSC240"},
                   lambda case, at: FolderSource(at).offers(Rootname("xabc01aaq")), words=("best.json",)),
        TreeSource("guide star offsets", 2, {"read": 1.0}, "offsets.json", OFFSETS, _read_offsets,
                   words=("offsets.json",)),
    )  # fmt: skip


JOURNAL = [{"name": name, "sha256": "0" * 64, "replaces": replaces} for name, replaces in (("a", False), ("b", True))]
OFFSETS = {"xabc01aaq": {"deltaRA": "1e-5", "deltaDEC": 2e-5, "dGSinputDEC": "-20.0", "outputCatalog": "GSC240"},
           "y": [1e-5, 2e-5]}  # fmt: skip


@frozen
class _Record:
    """Reads a record by the commands that take one."""

    name: str

    def __call__(self, case: Case, folder: Path) -> None:
        record = str(folder / self.name)
        if case.depth == "explain":
            command("explain", record)
        elif case.depth == "diff":
            command("diff", record, str(folder / "sound.json"), good=(0, 1))
        else:
            command("replay", record, "--inputs", str(folder), "--output", str(folder / "made"), "-n", "1",
                    good=(0, 1))  # fmt: skip


def _with_pieces(pieces: Mapping[str, bytes]) -> Callable[[bytes], Mapping[str, bytes]]:
    def files(state: bytes) -> Mapping[str, bytes]:
        archive = BytesIO()
        with zipfile.ZipFile(archive, "w") as made:
            for name, content in {**pieces, f"{Piece.STATE.value}/{_sha(state)}": state}.items():
                made.writestr(name, content)
        return {"x.zip": archive.getvalue(), "state": _sha(state).encode()}

    return files


def _restore(case: Case, folder: Path) -> None:
    (exposure,) = folder.glob("*_flt.fits")
    digest = FileDigest(exposure.name, (folder / "state").read_text("ascii"))
    archive = FileDigest("x.zip", _sha((folder / "x.zip").read_bytes()))
    with read_sidecar(folder, archive) as found:
        restore_state(digest, exposure, folder / "made_flt.fits", found)


def _recover(case: Case, folder: Path) -> None:
    home = folder / "made"
    transaction = Transaction(home / ".a_astrodriz_commit", Disk())
    transaction.folder.mkdir(parents=True)
    transaction.journal.write_bytes((folder / "commit.json").read_bytes())
    recover(home)


def _read_offsets(case: Case, folder: Path) -> None:
    for root in ("xabc01aaq", "y"):
        GuideStarFile(folder / "offsets.json").offset(Rootname(root))


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
