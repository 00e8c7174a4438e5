"""Whether compiling a network pays here: measured once for each network, batch and machine, then only looked up.

The same cell on the same machine is always computed in the same way, because what was measured is kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from bench.core.compilation import EAGER, Calls, Mode, Modes, candidates, forget
from bench.core.device import describe
from bench.core.settings import digest
from bench.run.timing import KINDS, Kind, Make, Shape, seconds_per_pass, timed, work
from bench.store import Store

LOOK = 1.0
"""Seconds of the measurement that tells how long the work will be."""
WORTH_TRYING = 600.0
"""Seconds of expected work from which a trial, one or two minutes, pays; a later process compiles again in seconds."""
GAIN = 0.1
"""The least share of the time that a more complicated mode must save: more than what chance moves a timing by."""
WARM_UP = 3
"""Calls before any counts: they compile, and record CUDA graphs."""
ROUND, ROUNDS = 0.5, 3
"""Seconds of a round of calls, and the number of rounds, the quickest of which counts."""

Timing = dict[str, Any]
"""`seconds` of one call and `compile_seconds` before the first, or an `error`."""
Trial = dict[Mode, dict[Kind, Timing]]
"""Timings by mode, the simplest first, and by kind of work."""


@dataclass(frozen=True)
class KeptTuner:
    """Decides by what is in the results folder, and measures what is missing there."""

    store: Store
    device: torch.device
    passes: float
    """Forecast of the forward+backward passes (128 images) that are to be done."""
    shape: Shape
    num_classes: int

    def modes(self, name: str, make: Make) -> Modes:
        """How to call the network called `name`: eagerly, unless the work is long and something else is faster."""
        about = self._about(name)
        key = digest(about)
        with self.store.lock(f"speed-{key}"):
            known = self.store.read_speed(key)
            if known is None:
                rate = seconds_per_pass(make, self.shape, self.num_classes, self.device, LOOK)
                known = about | {"seconds_per_pass": rate}
                self.store.write_speed(key, known)
            if self.passes * known["seconds_per_pass"] < WORTH_TRYING:
                return EAGER
            if "trial" not in known:
                known["trial"] = trial(make, self.shape, self.num_classes, self.device)
                self.store.write_speed(key, known)
        return fastest(known["trial"])

    def _about(self, name: str) -> dict[str, Any]:
        """Everything that a timing depends on."""
        machine = describe(self.device)
        hardware = {part: machine[part] for part in ("device", "processor", "precision", "threads")}
        network = {"network": name, "num_classes": self.num_classes, "shape": list(self.shape)}
        return network | hardware | {"torch": torch.__version__}


def fastest(trial: Trial) -> Modes:
    """For each kind of work the mode that beats the simpler ones by `GAIN`."""
    return Modes(**{kind: _fastest({mode: timings[kind] for mode, timings in trial.items()}) for kind in KINDS})


def _fastest(timings: Mapping[Mode, Timing]) -> Mode:
    best: Mode = "eager"
    limit = timings[best]["seconds"]
    for mode, timing in timings.items():
        if timing.get("seconds", float("inf")) < (1 - GAIN) * limit:
            best, limit = mode, timing["seconds"]
    return best


def trial(make: Make, shape: Shape, num_classes: int, device: torch.device) -> Trial:
    """Time every mode that may pay on the device, on networks of their own, which are thrown away.

    Eager work is timed before and after the others, and the better time counts: a machine that was busy for a while
    must not make compiling look good.
    """

    def measured(mode: Mode, kind: Kind) -> Timing:
        model = make()
        model.calls = Calls(Modes(mode, mode), common=0)
        with work(model, kind, shape, num_classes, device) as action:
            return timing(action, device)

    eager = {kind: measured("eager", kind) for kind in KINDS}
    found: Trial = {"eager": eager}
    for mode in candidates(device)[1:]:
        found[mode] = {}
        for kind in KINDS:
            try:
                found[mode][kind] = measured(mode, kind)
            except Exception as error:  # whatever compiling raises, and memory that runs out: then it is not this mode
                found[mode][kind] = {"error": f"{type(error).__name__}: {error}"}
            forget()
    for kind, before in eager.items():
        before["seconds"] = min(before["seconds"], measured("eager", kind)["seconds"])
    return found


def timing(action: Callable[[], object], device: torch.device) -> Timing:
    """Seconds of one call, and those that the first calls took beyond."""
    first = timed(action, device, WARM_UP)
    count = max(1, min(50, int(ROUND / timed(action, device))))
    seconds = min(timed(action, device, count) / count for _ in range(ROUNDS))
    return {"seconds": seconds, "compile_seconds": max(0.0, first - WARM_UP * seconds)}
