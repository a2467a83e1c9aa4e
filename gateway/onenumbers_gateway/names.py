"""Names of tools: unique in the mesh, and never changed because another server appeared."""

from __future__ import annotations

from collections.abc import Mapping

MAX_NAMES = 100_000
"""Assignments that are remembered; beyond it the oldest of tools that are gone are forgotten."""


class NameBook:
    """Who has which name. First come, first served; a latecomer's tool carries its server's name before its own.

    Args:
        known: Assignments of an earlier run: name by "server/package.Service/Method".
    """

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self._names: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        for key, name in (known or {}).items():
            if name not in self._owners:
                self._names[key], self._owners[name] = name, key

    @property
    def assignments(self) -> Mapping[str, str]:
        """Name by key, oldest first."""
        return self._names

    def assign(self, server: str, method: str, wanted: str) -> str:
        """Returns the name of a tool: the one that it has, or a new one.

        Args:
            server: Name of its server.
            method: Full name of its method.
            wanted: Name that the contract asks for.
        """
        key = f"{server}/{method}"
        known = self._names.get(key)
        qualified = f"{server.replace('-', '_')}_{wanted}"
        if known is not None and known.startswith((wanted, qualified)):
            return known
        if known is not None:
            # The contract itself gave the tool another name.
            del self._owners[self._names.pop(key)]
        name, number = wanted, 2
        if name in self._owners:
            name = qualified
        while name in self._owners:
            name, number = f"{qualified}_{number}", number + 1
        self._names[key], self._owners[name] = name, key
        return name

    def forget_excess(self, alive: set[str]) -> None:
        """Keeps the book bounded; never forgets the keys in `alive`."""
        for key in list(self._names):
            if len(self._names) <= MAX_NAMES:
                return
            if key not in alive:
                del self._owners[self._names.pop(key)]
