"""What plug-ins stand on, and all of `bench` that they may import: the names of `bench.core.exports`."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.core.exports import *  # noqa: F403 (the names are listed there)
else:

    def __getattr__(name: str) -> object:
        """Import them when one is first asked for: torch takes two seconds, and commands that only read need none."""
        return getattr(import_module("bench.core.exports"), name)
