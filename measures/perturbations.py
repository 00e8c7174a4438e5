"""The perturbations that a generator and its victim meet, embedded in the plane and compared in numbers."""

from typing import Any, ClassVar, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from bench.core import (
    Classifier,
    Cost,
    Count,
    Kind,
    Method,
    Session,
    Subject,
    Training,
    frozen,
    train_victim,
    uniform,
)
from measures._adversary import AdversarialMeasure, Adversary
from measures._embedding import embed
from measures._images import balanced
from measures._samples import Rows, mean_cosine, mmd, participation_ratio, two_sample_accuracy, unit

SATURATED = 0.99
"""Share of the radius from which a value counts as one of the full radius."""
DECIMALS = 2
"""Of coordinates in the plane."""


class Meeting(Protocol):
    """A method whose noise step perturbs views."""

    surrogate: str

    def meet(self, model: nn.Module, images: Tensor, labels: Tensor, session: Session) -> Tensor:
        """What its noise step adds to a view of each of `images` (N, C, H, W)."""


class Perturbations(AdversarialMeasure):
    """Where the perturbations of the noise step lie, beside those that a victim meets in adversarial training.

    On the same images: what the noise step adds at several steps of the surrogate, what PGD finds on a victim at
    several steps of its training on the released images, uniform draws, and random signs of the full radius.
    """

    title = "perturbations"
    source = "figure of the SEM paper (Liu et al., AAAI 2024), UMAP of perturbations, collected and counted by us"
    deviations: ClassVar[tuple[str, ...]] = (
        "the perturbations are those of fixed images at networks kept on the way; the released notebook reads arrays "
        "of unknown making",
        "embedded three times with seeds, raw and at equal norm, and by t-SNE beside UMAP",
    )
    keeps: ClassVar[frozenset[Kind]] = frozenset({"checkpoints"})
    trains = True
    numbers = {"two_sample": "told apart from the victim's", "mmd_p": "p of equal distributions"}

    images: Count = 1000
    """Training images, the classes in turn."""
    embeddings: Count = 3
    """UMAP embeddings, with seeds 0, 1, ..."""
    permutations: Count = 200
    """Of the test of equal distributions."""

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        """Coordinates of every source, numbers of each, and of the last of the generator against the victim's last."""
        index = balanced(subject.clean.labels, self.images)
        images, labels = subject.clean.floats(index), subject.clean.labels[index]
        seen = subject.released.floats(index)
        found = {
            "uniform": uniform(images, self.adv_radius, session.generator("uniform")),
            "signs": self.adv_radius * torch.sign(uniform(images, 1.0, session.generator("signs"))),
        }
        generator = cast(Meeting, subject.method)  # as `declines` has made sure
        for name, model in _networks(subject.kept, "generator", generator.surrogate, subject, session):
            with frozen(model):
                found[name] = generator.meet(model, images, labels, session.part(name))
        adversary = self.adversary()
        weights = self._victim(adversary, subject, training, session)
        for name, model in _networks(weights, "victim", training.model, subject, session):
            starts = session.part(name).generator("adversary")
            found[name] = adversary.perturb(model, seen, labels, starts) - seen
        rows = {name: part.flatten(1).double().cpu().numpy() for name, part in found.items()}
        return self._compared(rows, session.seed) | {"points": self._points(rows)}

    def _victim(
        self, adversary: Adversary, subject: Subject, training: Training, session: Session
    ) -> dict[str, Tensor]:
        """The weights that a victim has on its way."""
        own, data = session.part("victim"), subject.released
        own.keeper.kinds = self.keeps
        model = own.build_for(training.model, data)
        train_victim(model, data, test=subject.test, attacks=[adversary], recipe=training.recipe, session=own)
        return own.keeper.tensors

    def _compared(self, rows: dict[str, Rows], seed: int) -> dict[str, Any]:
        """Each source by itself and against the victim's last, which training ends with."""
        real = list(rows)[-1]
        sources = {}
        for name, part in rows.items():
            norms = np.linalg.norm(part, axis=1)
            about = {
                "mean_l2": float(norms.mean()),
                "spread_of_l2": float(norms.std()),
                "saturated": float((np.abs(part) >= SATURATED * np.abs(part).max()).mean()) if part.any() else 0.0,
                "participation_ratio": participation_ratio(part),
                "cosine": mean_cosine(part),
                "cosine_with_victim": mean_cosine(part, rows[real]) if name != real else None,
            }
            if name != real:
                discrepancy, p = mmd(part, rows[real], self.permutations, seed)
                about |= {"two_sample": two_sample_accuracy(part, rows[real], seed), "mmd": discrepancy, "mmd_p": p}
            sources[name] = about
        last = [name for name in rows if name.startswith("generator")][-1]
        return {"sources": sources, "two_sample": sources[last]["two_sample"], "mmd_p": sources[last]["mmd_p"]}

    def _points(self, rows: dict[str, Rows]) -> dict[str, Any]:
        """Coordinates (N, 2) by embedding: of the draws, and of the first and the last of generator and victim."""
        networks = {loop: [name for name in rows if name.startswith(loop)] for loop in ("generator", "victim")}
        ends_of = {name for names in networks.values() for name in (names[0], names[-1])}
        rows = {name: part for name, part in rows.items() if name in ends_of or " at " not in name}
        together = np.concatenate(list(rows.values()))
        ends = np.cumsum([len(part) for part in rows.values()])[:-1]
        points = {}
        for kind, cloud in (("raw", together), ("equal norm", unit(together))):
            for name, placed in embed(cloud, self.embeddings).items():
                parts = np.split(placed.round(DECIMALS), ends)
                points[f"{name}, {kind}"] = {source: part.tolist() for source, part in zip(rows, parts, strict=True)}
        return points

    def declines(self, method: Method) -> str:
        return "" if callable(getattr(method, "meet", None)) else "its noise step perturbs no views"

    def cost(self, images: int, method: Method, training: Training) -> Cost:
        """A victim with its adversary. The embeddings take minutes whatever the network, which no passes tell."""
        return Cost.of_images((1 + self.adv_steps) * training.recipe.steps * training.recipe.batch_size)


def _networks(kept: Any, loop: str, network: str, subject: Subject, session: Session) -> list[tuple[str, Classifier]]:
    """The networks of a training, as they were on its way, each named by its step."""
    weights: dict[int, dict[str, Tensor]] = {}
    for key, value in kept.items():
        if key.startswith("checkpoints/"):
            _, step, name = key.split("/", 2)
            weights.setdefault(int(step), {})[name] = value
    found = []
    for step in sorted(weights):
        model = session.build_for(network, subject.clean)
        model.load_state_dict(weights[step])
        found.append((f"{loop} at {step}", model))
    return found
