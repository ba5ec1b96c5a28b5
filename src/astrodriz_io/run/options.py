"""How a setting is given and kept: what the fields of `Settings` say of themselves, and switches of the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from attrs import Attribute, fields, frozen

from astrodriz_core.errors import UsageError

__all__ = ["OPTION", "Option", "Presence", "Switch", "Variable", "environment_switch", "option", "options_of"]

OPTION = "option"
"""Key of the `Option` in the metadata of a field."""

SWITCH_WORDS = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}


class Variable(Protocol):
    """A variable of the environment that sets one setting."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its name, and the deprecated one where there is one."""

    def read(self, environment: Mapping[str, str]) -> bool | None:
        """What it says; None where it is unset."""

    def notes(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """What the user should know of how it is set."""


@frozen
class Switch:
    """A variable that says on or off.

    Attributes
    ----------
    name : str
        Of the variable.
    deprecated : str or None
        An older name; honoured, with a note, where the new one is unset.
    """

    name: str
    deprecated: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The name, and the deprecated one where there is one."""
        return (self.name,) if self.deprecated is None else (self.name, self.deprecated)

    def read(self, environment: Mapping[str, str]) -> bool | None:
        """The first of the names that is set decides; see `environment_switch`."""
        values = (environment_switch(environment, name) for name in self.names)
        return next((value for value in values if value is not None), None)

    def notes(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """One note where the deprecated name is set."""
        if self.deprecated is None or self.deprecated not in environment:
            return ()
        return (f"The environment variable {self.deprecated} is deprecated; set {self.name} instead.",)


@frozen
class Presence:
    """A variable that is on when it is set, to whatever."""

    name: str

    @property
    def names(self) -> tuple[str, ...]:
        """The one name."""
        return (self.name,)

    def read(self, environment: Mapping[str, str]) -> bool | None:
        """True where it is set, else None."""
        return True if self.name in environment else None

    def notes(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """None ever."""
        return ()


@frozen(kw_only=True)
class Option:
    """All that is known of one setting but its type and default, which its field has.

    Attributes
    ----------
    flag : str
        Of the command line; without a hyphen it is a second argument. A flag of a setting that is true or false
        says the opposite of the default. Empty where only the environment or the program sets it.
    help : str
        For ``-h``, one line.
    metavar : str or None
        Word for its value there.
    parse : callable or None
        Makes a value of one word of the command line; None for a flag without a value.
    choices : tuple of str
        The words that are allowed; empty where all are.
    repeatable : bool
        Whether it may be given several times.
    exists : bool
        Whether it names a file or folder that has to be there.
    words : tuple of str
        What may stand in place of such a file or folder.
    argument : str or None
        Its name among the arguments of `process`; None where it is none of them.
    variable : Variable or None
        The variable of the environment that wins over flag and argument.
    recorded : callable or None
        Makes what the run record keeps of the value; None where it keeps nothing.
    """

    flag: str = ""
    help: str = ""
    metavar: str | None = None
    parse: Callable[[str], Any] | None = None
    choices: tuple[str, ...] = ()
    repeatable: bool = False
    exists: bool = False
    words: tuple[str, ...] = ()
    argument: str | None = None
    variable: Variable | None = None
    recorded: Callable[[Any], Any] | None = None


def option(**told: Any) -> dict[str, Option]:
    """The metadata of a field; see `Option`."""
    return {OPTION: Option(**told)}


def options_of(kind: type) -> dict[str, tuple[Attribute[Any], Option]]:
    """Field and option of every setting of a class, by the setting's name, in the order of the class."""
    return {each.name: (each, each.metadata[OPTION]) for each in fields(kind) if OPTION in each.metadata}


def environment_switch(environment: Mapping[str, str], name: str) -> bool | None:
    """Value of an on/off variable, in any case; None where it is unset.

    Raises
    ------
    UsageError
        The variable holds none of on, yes, true, off, no, false.
    """
    text = environment.get(name)
    if text is None:
        return None
    try:
        return SWITCH_WORDS[text.strip().lower()]
    except KeyError:
        raise UsageError(
            f"The environment variable {name} is {text!r}.",
            remedy=f"Set it to one of {', '.join(SWITCH_WORDS)}.",
        ) from None
