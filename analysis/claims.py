"""What the seed paper claims, and what decides each claim."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.reading.conditions import ACCURACY, TO_THE_END

Settings = Mapping[str, Any]
EXTREMES = ("most", "least")
"""Values of settings that stand for the largest and the smallest that a grid has."""
OF_ONE = "{}, of one noise"
"""What is said of a claim if a comparison that decides it is of a single noise."""
HOLDS, FAILS, UNSURE, NOT_RUN = "holds", "does not hold", "cannot be told", "not run"
"""What the records may say of a claim."""
RECOVERED = 0.8
"""A method is undone if its victims reach this share of what the same attack reaches on clean images."""


@dataclass(frozen=True)
class Side:
    """What stands on one side of a comparison: a condition, by names and settings at the paper's scale."""

    method: str
    attacks: tuple[tuple[str, Settings], ...] = (("none", {}),)
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Comparison:
    """That the accuracy at `low` is below `share` of that at `high`, less `margin` (a share in [0, 1])."""

    low: Side
    high: Side
    share: float = 1.0
    margin: float = 0.0
    quantity: str = ACCURACY
    """Of the higher side."""


@dataclass(frozen=True)
class Sign:
    """That a number of generators goes together with protection from the attacks: `sign` is 1 or -1."""

    measure: str
    number: str
    """Its key in the results of the measure."""
    sign: int
    attacks: tuple[tuple[str, Settings], ...]
    reading: str
    """What is the paper's in it, and what is ours."""
    settings: tuple[tuple[str, Any], ...] = (("adv_radius", "4/255"),)
    """Of the measure, which a grid may write: written in another way, it is another number."""


@dataclass(frozen=True)
class Claim:
    """One sentence of the paper and what decides it: comparisons, or the sign of a correlation."""

    text: str
    comparisons: tuple[Comparison, ...] = ()
    sign: Sign | None = None
    sampled: bool = False
    """Whether those of the comparisons that the plans have decide it, because a grid chooses among many points."""


def pgd(radius: int) -> tuple[tuple[str, Settings], ...]:
    """Adversarial training at a radius in 1/255."""
    return (("pgd", {"radius": f"{radius}/255"}),)


def family(noise_step: str, surrogate_step: str) -> tuple[tuple[str, Any], ...]:
    """A point of the error-minimising family."""
    return (("noise_step", noise_step), ("surrogate_step", surrogate_step))


AT, MILD = pgd(4), pgd(2)
OTHERS = ("em_stepwise", "tap_rem", "ntga", "rem", "sem")
UNDONE = ("em_stepwise", "tap_rem", "sc", "ntga")
FILTERS = ("mean", "median", "gaussian")
SHARES = (0, 0.1, 0.3, 0.5, 0.7)
"""Clean shares of the images that say when to stop, as the paper has them."""
READING = "{} is our reading of the paper's Definition {}, whose formula and procedure we have not seen."
ADVERSARIES, RADII = range(1, 9), range(17)
"""Radii of both adversaries and of the random noise in 1/255: those of which a grid may have some."""


def _stopped(method: str, share: float) -> Side:
    """A victim that stops early by images of which a share is clean."""
    return Side(method, (("early_stopping", {"clean_share": share}), *AT))


def _poisoned(share: float) -> Side:
    return Side("sem", (("partial_poisoning", {"protected": share}), *AT))


def _noisy(adversary: int, radius: int) -> Side:
    """SEM with random noise of a radius, met by a victim with its own adversary."""
    settings = (("adv_radius", f"{adversary}/255"), ("random_radius", f"{radius}/255" if radius else 0))
    return Side("sem", pgd(adversary), settings)


CLAIMS = (
    Claim(
        "SC protects best without adversarial training",
        tuple(Comparison(Side("sc"), Side(method)) for method in OTHERS),
    ),
    Claim(
        "Adversarial training undoes EM, TAP, SC and NTGA",
        tuple(Comparison(Side("clean", AT), Side(method, AT), share=1 / RECOVERED) for method in UNDONE),
    ),
    Claim(
        "Adversarial training does not undo REM and SEM",
        tuple(Comparison(Side(method, AT), Side("clean", AT), share=RECOVERED) for method in ("rem", "sem")),
    ),
    Claim(
        "SEM protects better than REM at every radius of the victim up to 4/255",
        tuple(Comparison(Side("sem", pgd(radius)), Side("rem", pgd(radius))) for radius in (1, 2, 3, 4)),
    ),
    Claim(
        "Low-pass filters recover a part, and no more, of what SEM takes away",
        tuple(
            comparison
            for name in FILTERS
            for filtered in [((name, {}), *MILD)]
            for comparison in (
                Comparison(Side("sem", MILD), Side("sem", filtered)),
                Comparison(Side("sem", filtered), Side("clean", filtered)),
            )
        ),
    ),
    Claim(
        "Early stopping recovers little of what SEM takes away",
        tuple(
            comparison
            for share in SHARES
            for comparison in (
                Comparison(_stopped("sem", share), _stopped("clean", share), RECOVERED),
                Comparison(_stopped("sem", share), _stopped("sem", share), margin=-0.05, quantity=TO_THE_END),
            )
        ),
    ),
    Claim(
        "Partial poisoning protects from a share of 80 % on, and hardly below",
        (
            Comparison(_poisoned(0.8), Side("clean", AT), margin=0.05),
            *(Comparison(Side("clean", AT), _poisoned(share), margin=-0.05) for share in (0.6, 0.4, 0.2)),
        ),
    ),
    Claim(
        "SEM is best if its random noise has the adversary's radius",
        tuple(
            Comparison(_noisy(adversary, adversary), _noisy(adversary, radius))
            for adversary in ADVERSARIES
            for radius in RADII
            if radius != adversary
        ),
        sampled=True,
    ),
    Claim(
        "The most updates of the surrogate (M) and the most views (J) protect better than the fewest",
        (
            Comparison(Side("sem", AT, (("updates", "most"),)), Side("sem", AT, (("updates", "least"),))),
            Comparison(Side("sem", AT, (("samples", "most"),)), Side("sem", AT, (("samples", "least"),))),
        ),
    ),
    Claim(
        "Of SEM's parts, the adversary of the surrogate step is missed most",
        tuple(
            Comparison(Side(name, AT, settings), Side("error_minimizing", AT, family("random", "none")))
            for name, settings in (("rem", ()), ("error_minimizing", family("none", "pgd")))
        ),
    ),
    Claim(
        "The more robust the surrogate (R_theta), the better the protection",
        sign=Sign("surrogate_robustness", "r_theta", 1, AT, READING.format("R_theta", 1)),
    ),
    Claim(
        "The more robust the noise (R_delta_u), the worse the protection",
        sign=Sign("noise_robustness", "r_delta_u", -1, AT, READING.format("R_delta_u", 2)),
    ),
)
