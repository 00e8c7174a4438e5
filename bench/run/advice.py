"""Which scale fits this machine, if the one that was asked for takes weeks."""

from dataclasses import dataclass, replace

from bench.core.errors import UserError
from bench.run.forecast import Rates, forecast
from bench.run.request import Request
from bench.run.schedule import arrange, is_done

LONG = 7 * 86400.0
"""Seconds from which on a run deserves a word before it starts."""
FITTING = 86400.0
"""Seconds in which a run that fits ends."""
BUDGET = 0.5
"""Seconds of measurement for each scale."""


@dataclass(frozen=True)
class Fit:
    """A scale, and the seconds that the same grids take at it on this machine."""

    scale: str
    seconds: float


def fitting_scale(request: Request, rates: Rates | None = None) -> Fit | None:
    """The first other scale, in the order of the scales file, that ends within a day; else the fastest.

    None if there is no other scale, or the data that they need are missing. Networks in `rates` are not measured again.
    """
    others = {name: replace(request, scale=name) for name in request.scales if name != request.scale}
    known: Rates = {} if rates is None else rates  # one for all scales: else the shorter may seem to take longer
    fits = [Fit(name, seconds) for name, one in others.items() if (seconds := _seconds(one, known)) is not None]
    return next((fit for fit in fits if fit.seconds <= FITTING), min(fits, key=lambda fit: fit.seconds, default=None))


def _seconds(request: Request, rates: Rates) -> float | None:
    """What is left to do takes so long; None if it cannot be run here and now."""
    try:
        cells, place = request.cells, request.workplace
    except UserError:  # such as a grid that refuses the scale: it is not the one that the user asked for
        return None
    todo = [cell for cell in cells if not is_done(cell, place.store, retry_failed=request.retry_failed)]
    if not all(cell.dataset.settings.is_there(place.data_root) for cell in todo):
        return None
    return forecast(arrange(todo, place, request.asked), place, BUDGET, rates).seconds_in_all
