"""What the seed paper claims: each claim is a list of comparisons that decide it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Settings = Mapping[str, Any]
EXTREMES = ("most", "least")
"""Values of settings that stand for the largest and the smallest that a grid has."""
RECOVERED = 0.8
"""A method is undone if its victims reach this share of what the same attack reaches on clean images."""


@dataclass(frozen=True)
class Place:
    """A condition by names and settings at the paper's scale."""

    method: str
    attacks: tuple[tuple[str, Settings], ...] = (("none", {}),)
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Comparison:
    """That the accuracy at `low` is below `share` of that at `high`, less `margin` (a share in [0, 1])."""

    low: Place
    high: Place
    share: float = 1.0
    margin: float = 0.0


@dataclass(frozen=True)
class Claim:
    """One sentence of the paper and what decides it."""

    text: str
    comparisons: tuple[Comparison, ...]


def pgd(radius: int) -> tuple[tuple[str, Settings], ...]:
    """Adversarial training at a radius in 1/255."""
    return (("pgd", {"radius": f"{radius}/255"}),)


def family(noise_step: str, surrogate_step: str) -> tuple[tuple[str, Any], ...]:
    """A point of the error-minimising family."""
    return (("noise_step", noise_step), ("surrogate_step", surrogate_step))


AT, MILD = pgd(4), pgd(2)
STOPPED = (("early_stopping", {}), *AT)
OTHERS = ("em_stepwise", "tap_rem", "ntga", "rem", "sem")
UNDONE = ("em_stepwise", "tap_rem", "sc", "ntga")
FILTERS = ("mean", "median", "gaussian")
RADII = (0, 1, 2, 8)
"""Those of the random noise that every scale has beside 4, in 1/255."""


def _poisoned(share: float) -> Place:
    return Place("sem", (("partial_poisoning", {"protected": share}), *AT))


CLAIMS = (
    Claim(
        "SC protects best without adversarial training",
        tuple(Comparison(Place("sc"), Place(method)) for method in OTHERS),
    ),
    Claim(
        "Adversarial training undoes EM, TAP, SC and NTGA",
        tuple(Comparison(Place("clean", AT), Place(method, AT), share=1 / RECOVERED) for method in UNDONE),
    ),
    Claim(
        "Adversarial training does not undo REM and SEM",
        tuple(Comparison(Place(method, AT), Place("clean", AT), share=RECOVERED) for method in ("rem", "sem")),
    ),
    Claim(
        "SEM protects better than REM at every radius of the victim up to 4/255",
        tuple(Comparison(Place("sem", pgd(radius)), Place("rem", pgd(radius))) for radius in (1, 2, 3, 4)),
    ),
    Claim(
        "Low-pass filters recover a part, and no more, of what SEM takes away",
        tuple(
            comparison
            for name in FILTERS
            for filtered in [((name, {}), *MILD)]
            for comparison in (
                Comparison(Place("sem", MILD), Place("sem", filtered)),
                Comparison(Place("sem", filtered), Place("clean", filtered)),
            )
        ),
    ),
    Claim(
        "Early stopping recovers little of what SEM takes away",
        (Comparison(Place("sem", STOPPED), Place("clean", STOPPED), RECOVERED),),
    ),
    Claim(
        "Partial poisoning protects from a share of 80 % on, and hardly below",
        (
            Comparison(_poisoned(0.8), Place("clean", AT), margin=0.05),
            Comparison(Place("clean", AT), _poisoned(0.4), margin=-0.05),
        ),
    ),
    Claim(
        "SEM is best if its random noise has the adversary's radius",
        tuple(
            Comparison(
                Place("sem", AT, (("adv_radius", "4/255"), ("random_radius", "4/255"))),
                Place("sem", AT, (("adv_radius", "4/255"), ("random_radius", f"{radius}/255" if radius else 0))),
            )
            for radius in RADII
        ),
    ),
    Claim(
        "More updates of the surrogate (M) and more views (J) protect better",
        (
            Comparison(Place("sem", AT, (("updates", "most"),)), Place("sem", AT, (("updates", "least"),))),
            Comparison(Place("sem", AT, (("samples", "most"),)), Place("sem", AT, (("samples", "least"),))),
        ),
    ),
    Claim(
        "Of SEM's parts, the adversary of the surrogate step is missed most",
        tuple(
            Comparison(Place(name, AT, settings), Place("error_minimizing", AT, family("random", "none")))
            for name, settings in (("rem", ()), ("error_minimizing", family("none", "pgd")))
        ),
    ),
)
"""Two more, on the signs of two correlations, are told by the study of correlations."""
