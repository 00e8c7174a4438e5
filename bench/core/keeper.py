"""What a run keeps beside its result, on request: the networks it trained, and the perturbations met on the way."""

import math
from collections.abc import Collection, Iterable
from typing import Literal, get_args

import torch
from torch import Tensor, nn

Kind = Literal["surrogates", "perturbations", "checkpoints"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CALLS: dict[Kind, str] = {
    "surrogates": "keep_network(model)",
    "perturbations": "keep_perturbations(loop, step, steps, views, perturbed)",
    "checkpoints": "keep_checkpoint(model, step, steps)",
}
"""What a method calls of `session.keeper` for each kind."""
MILESTONES = (0.1, 0.2, 0.4, 1.0)
"""Shares of a training at which something is kept: steps 500, 1,000, 2,000 and 5,000 of 5,000."""
IMAGES = 1000
"""Perturbations kept at each milestone, from as many consecutive batches as that takes."""


class Keeper:
    """Collects what was asked for; `tensors` are by name, on the CPU.

    `weights/NAME` are those of the trained network, `checkpoints/STEP/NAME` those at milestones of its training.
    `LOOP/STEP/perturbations`, float (at most IMAGES, C, H, W), are perturbed minus unperturbed views of the last
    batches up to STEP, the first ones of the milestone first; LOOP is `noise step`, `surrogate step` or `victim`.
    """

    def __init__(self, kinds: Collection[Kind] = (), milestones: Collection[float] = MILESTONES) -> None:
        """`milestones` are shares of a training."""
        self.kinds = frozenset(kinds)
        self._shares = milestones
        self._weights: dict[str, Tensor] = {}
        self._checkpoints: dict[str, Tensor] = {}
        self._perturbations: dict[str, list[Tensor]] = {}

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Everything collected so far."""
        met = {f"{name}/perturbations": torch.cat(parts)[:IMAGES] for name, parts in self._perturbations.items()}
        return self._weights | self._checkpoints | met

    def keep_network(self, model: nn.Module) -> None:
        """Keep the weights and statistics of a trained network, if asked to."""
        if "surrogates" in self.kinds:
            self._weights = {f"weights/{name}": value.detach().cpu().clone() for name, value in _state(model).items()}

    def keep_checkpoint(self, model: nn.Module, step: int, steps: int) -> None:
        """Keep the weights after a step (1 to `steps`) of a training, if asked to and if it is a milestone."""
        if "checkpoints" in self.kinds and step in self._milestones(steps):
            kept = {f"checkpoints/{step}/{name}": value.detach().cpu().clone() for name, value in _state(model).items()}
            self._checkpoints |= kept

    def keep_perturbations(self, loop: str, step: int, steps: int, views: Tensor, perturbed: Tensor) -> None:
        """Keep what a step (1 to `steps`) added to its views, if asked to and if a milestone is near."""
        if "perturbations" not in self.kinds:
            return
        for milestone in self._milestones(steps):
            if milestone - math.ceil(IMAGES / len(views)) < step <= milestone:
                kept = self._perturbations.setdefault(f"{loop}/{milestone}", [])
                kept.append((perturbed - views).detach().cpu())

    def _milestones(self, steps: int) -> set[int]:
        """The steps of a training of so many that something is kept at."""
        return {max(1, round(share * steps)) for share in self._shares}


def check_kept(kinds: Collection[Kind], names: Iterable[str], method: str) -> None:
    """Raise ValueError, which says what to call, if tensors of these names lack a kind that was asked for."""
    there = {_kind(name) for name in names}
    for kind in sorted(set(kinds) - there):
        raise ValueError(f"{method} keeps no {kind}: its `generate` must call session.keeper.{CALLS[kind]}")


def _kind(name: str) -> Kind:
    first = name.partition("/")[0]
    return "surrogates" if first == "weights" else "checkpoints" if first == "checkpoints" else "perturbations"


def _state(model: nn.Module) -> dict[str, Tensor]:
    state: dict[str, Tensor] = model.state_dict()
    return state
