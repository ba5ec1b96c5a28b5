"""A file system that fails, stops or loses power at a chosen call, for the walks through the commit."""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from attrs import define, field

from astrodriz_io.storage.disk import Disk, storage_errors

Result = TypeVar("Result")


class Crash(BaseException):
    """The process is gone: nothing that catches exceptions may catch it."""


@define
class CountingDisk(Disk):
    """Counts the calls; subclasses make one of them go wrong."""

    calls: int = 0

    def act(self, name: str, call: Callable[[], Result]) -> Result:
        self.calls += 1
        return call()

    def make_folder(self, path: Path) -> None:
        self.act(path.name, lambda: Disk.make_folder(self, path))

    def write(self, path: Path, data: bytes) -> None:
        self.act(path.name, lambda: Disk.write(self, path, data))

    def copy(self, source: Path, target: Path) -> None:
        self.act(target.name, lambda: Disk.copy(self, source, target))

    def copy_mode(self, source: Path, target: Path) -> None:
        self.act(target.name, lambda: Disk.copy_mode(self, source, target))

    def move(self, source: Path, target: Path) -> bool:
        return self.act(target.name, lambda: Disk.move(self, source, target))

    def link(self, source: Path, target: Path) -> bool:
        return self.act(target.name, lambda: Disk.link(self, source, target))

    def remove(self, path: Path) -> None:
        self.act(path.name, lambda: Disk.remove(self, path))

    def discard(self, folder: Path, names: Iterable[str]) -> None:
        self.act(folder.name, lambda: Disk.discard(self, folder, names))

    def synchronise(self, path: Path) -> None:
        # Whether the medium has it cannot be seen from here; the walks would wait for it for minutes.
        self.act(path.name, path.stat)


@define
class FailingDisk(CountingDisk):
    """Answers one call, or every call from one on, with an error of the system; files may be left torn."""

    number: int = errno.EIO
    at: int = 0
    forever: bool = False

    def act(self, name: str, call: Callable[[], Result]) -> Result:
        self.calls += 1
        if self.calls == self.at or (self.forever and self.calls > self.at):
            with storage_errors(name):
                raise OSError(self.number, os.strerror(self.number))
        return call()

    def write(self, path: Path, data: bytes) -> None:
        if self.calls + 1 == self.at:
            path.write_bytes(data[: len(data) // 2])
        CountingDisk.write(self, path, data)


@define
class StoppingDisk(CountingDisk):
    """The process dies at one call: before it, after it, or half way through where it is not atomic."""

    at: int = 0
    after: bool = False

    def act(self, name: str, call: Callable[[], Result]) -> Result:
        self.calls += 1
        if self.calls != self.at:
            return call()
        if self.after:
            call()
        raise Crash

    def write(self, path: Path, data: bytes) -> None:
        if self.calls + 1 == self.at and not self.after:
            path.write_bytes(data[: len(data) // 2])
        CountingDisk.write(self, path, data)

    def discard(self, folder: Path, names: Iterable[str]) -> None:
        if self.calls + 1 == self.at and not self.after:
            for file in sorted(folder.rglob("*"))[::2]:
                if file.is_file():
                    file.unlink()
        CountingDisk.discard(self, folder, names)


@define
class PowerLossDisk(CountingDisk):
    """Power goes at one call, and with it any part of what was not forced to the medium.

    Of each file that was written and not synchronised only a part stays; each change of a name in a folder
    that was not synchronised since may be lost, whatever came after it.
    """

    shadow: Path = Path()
    at: int = 0
    seed: int = 0
    torn: set[Path] = field(factory=set)
    names: list[tuple[Path, Path | None, Path]] = field(factory=list)
    """(folder, copy of what had the name before or None, name), in the order of the changes."""

    def act(self, name: str, call: Callable[[], Result]) -> Result:
        self.calls += 1
        if self.calls == self.at:
            self.lose()
            raise Crash
        return call()

    def write(self, path: Path, data: bytes) -> None:
        CountingDisk.write(self, path, data)
        self.torn.add(path)

    def move(self, source: Path, target: Path) -> bool:
        before = self._kept(target)
        moved = CountingDisk.move(self, source, target)
        self.names.append((target.parent, before, target))
        if source in self.torn:
            self.torn.discard(source)
            self.torn.add(target)
        return moved

    def link(self, source: Path, target: Path) -> bool:
        linked = CountingDisk.link(self, source, target)
        self.names.append((target.parent, None, target))
        return linked

    def remove(self, path: Path) -> None:
        before = self._kept(path)
        CountingDisk.remove(self, path)
        self.names.append((path.parent, before, path))

    def synchronise(self, path: Path) -> None:
        CountingDisk.synchronise(self, path)
        self.torn.discard(path)
        self.names = [change for change in self.names if change[0] != path]

    def lose(self) -> None:
        """Take back what the medium does not have."""
        chance = random.Random(self.seed)
        for path in sorted(self.torn):
            if path.exists():
                data = path.read_bytes()
                path.unlink()
                path.write_bytes(data[: chance.randrange(len(data) + 1)])
        for folder, before, name in reversed(self.names):
            if not folder.exists() or chance.random() < 0.5:
                continue
            if before is None:
                name.unlink(missing_ok=True)
            else:
                before.replace(name)

    def _kept(self, path: Path) -> Path | None:
        if not path.exists():
            return None
        kept = self.shadow / f"{len(list(self.shadow.iterdir()))}"
        shutil.copy(path, kept)
        return kept
