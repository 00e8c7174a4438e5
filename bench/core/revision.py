"""Revisions: what plug-ins call has one too, and it enters every key that it decides."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Part = Callable[..., Any]
"""What plug-ins and trainings are made of: a function of the core (a network, a view, an adversary), or a plug-in."""
F = TypeVar("F", bound=Part)


def revised(revision: int) -> Callable[[F], F]:
    """Give a function a revision, raised when it starts to compute something else."""

    def mark(function: F) -> F:
        function.revision = revision  # type: ignore[attr-defined]
        return function

    return mark


def revision_of(part: Part) -> int:
    """That of a function, 1 if it has none. A class adds up: 1, and what it and each of its bases have beyond 1."""
    if isinstance(part, type):
        return sum((int(vars(base).get("revision", 1)) - 1 for base in part.__mro__), start=1)
    return int(getattr(part, "revision", 1))


def revisions(parts: Iterable[Part]) -> dict[str, Any]:
    """What a key says of the `parts` that decide it: those that are no longer at 1, by name; nothing if all are."""
    raised = {part.__name__: revision_of(part) for part in parts if revision_of(part) != 1}
    return {"revisions": raised} if raised else {}
