"""The perturbations that a generator and its victim meet, embedded in the plane and compared in numbers."""

from typing import Annotated, Any, ClassVar, Protocol, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from bench.core import (
    MILESTONES,
    Classifier,
    Cost,
    Count,
    Keeper,
    Kind,
    Method,
    Outline,
    Session,
    Subject,
    Training,
    frozen,
    train_victim,
    uniform,
)
from measures._adversary import AdversarialMeasure, Adversary
from measures._embedding import embed, seconds_of
from measures._images import balanced
from measures._samples import FOLDS, Rows, mean_cosine, mmd, participation_ratio, spectrum, two_sample_accuracy, unit

REAL = (0.025, 0.25, 1.0)
"""Shares of the victim's training at which its networks are met: steps 1,000, 10,000 and 40,000 of 40,000."""
BINS = 24
"""Of a histogram."""
SATURATED = 0.99
"""Share of its source's largest value, which PGD's many have in common, from which a value is saturated."""
DECIMALS = 2
"""Of coordinates in the plane."""


class Meeting(Protocol):
    """A method whose noise step perturbs views."""

    surrogate: str

    def meet(self, model: nn.Module, images: Tensor, labels: Tensor, session: Session) -> Tensor:
        """What its noise step perturbs each of `images` (N, C, H, W) by, whole and under its noise."""

    def meeting_cost(self, images: int) -> Cost:
        """What `meet` takes for so many."""


class Perturbations(AdversarialMeasure):
    """Where the perturbations of the noise step lie, beside those that a victim meets in adversarial training.

    On the same images, whole and clipped to [0, 1]: what the noise step perturbs them by at several steps of the
    surrogate, what PGD finds on a victim at several steps of its training on the released images, uniform draws, and
    random signs of the full radius.
    """

    revision = 4
    title = "perturbations"
    source = "figure of the SEM paper (Liu et al., AAAI 2024), UMAP of perturbations, collected and counted by us"
    deviations: ClassVar[tuple[str, ...]] = (
        "the perturbations are those of fixed images, neither flipped nor cropped, at networks kept on the way; the "
        "released notebook reads arrays of unknown making",
        "embedded three times with seeds, raw and at equal norm, and by t-SNE beside UMAP",
    )
    keeps: ClassVar[frozenset[Kind]] = frozenset({"checkpoints"})
    trains = True
    numbers = {"two_sample": "told apart from the victim's", "mmd_p": "p of equal distributions"}

    images: Annotated[Count, Field(ge=FOLDS)] = 1000
    """Training images, the classes in turn."""
    embeddings: Annotated[Count, Field(le=9)] = 3
    """UMAP embeddings, with seeds 0, 1, ...: as many as a figure has room for."""
    permutations: Count = 1000
    """Of the test of equal distributions."""

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        """Coordinates of every source, numbers of each, and of the last of the generator against the victim's last."""
        index = balanced(subject.clean.labels, self.images)
        images, labels = subject.clean.floats(index), subject.clean.labels[index]
        seen = subject.released.floats(index)
        draws = {
            "uniform": uniform(images, self.adv_radius, session.generator("uniform")),
            "signs": self.adv_radius * torch.sign(uniform(images, 1.0, session.generator("signs"))),
        }
        found = {name: (seen + part).clamp(0, 1) - seen for name, part in draws.items()}
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
        return self._compared(rows, session.seed) | {"points": self._points(rows), "shapes": self._shapes(rows)}

    def _victim(
        self, adversary: Adversary, subject: Subject, training: Training, session: Session
    ) -> dict[str, Tensor]:
        """The weights that a victim has on its way."""
        own, data = session.part("victim"), subject.released
        own.keeper = Keeper(self.keeps, REAL)
        model = own.build_for(training.model, data)
        train_victim(model, data, test=subject.test, attacks=[adversary], recipe=training.recipe, session=own)
        return own.keeper.tensors

    def _compared(self, rows: dict[str, Rows], seed: int) -> dict[str, Any]:
        """Each source by itself, and against the victim at each of its networks."""
        victims = [name for name in rows if name.startswith("victim")]
        sources: dict[str, dict[str, Any]] = {}
        for name, part in rows.items():
            norms = np.linalg.norm(part, axis=1)
            sources[name] = {
                "mean_l2": float(norms.mean()),
                "spread_of_l2": float(norms.std()),
                "saturated": float(_saturated(part).mean()),
                "participation_ratio": participation_ratio(part),
                "cosine": mean_cosine(part),
                "against": {real: self._apart(part, rows[real], seed) for real in victims if real != name},
            }
        last = [name for name in rows if name.startswith("generator")][-1]
        at_the_end = sources[last]["against"][victims[-1]]
        return {"sources": sources} | {number: at_the_end[number] for number in self.numbers}

    def _apart(self, part: Rows, real: Rows, seed: int) -> dict[str, float]:
        """How far two samples of perturbations of the same images differ."""
        discrepancy, p = mmd(part, real, self.permutations, seed)
        accuracy = two_sample_accuracy(part, real, seed)
        return {"cosine": mean_cosine(part, real), "two_sample": accuracy, "mmd": discrepancy, "mmd_p": p}

    def _shapes(self, rows: dict[str, Rows]) -> dict[str, Any]:
        """Of every source: shares of its rows by l2 norm and by saturated values, and of its variance by components."""
        norms = {name: np.linalg.norm(part, axis=1) for name, part in rows.items()}
        return {
            "l2 norm": _histograms(norms, max(part.max() for part in norms.values()) or 1.0),
            "saturated values": _histograms({name: _saturated(part) for name, part in rows.items()}, 1.0),
            "first components": _components(rows),
        }

    def _points(self, rows: dict[str, Rows]) -> dict[str, Any]:
        """Coordinates (N, 2) by embedding: of the draws, of the generator late and at its end, of the victim's ends.

        The paper's figure has the generator at step 2,000 of 5,000 and the victim at 1,000 of 40,000: these are among
        them.
        """
        generator, victim = ([name for name in rows if name.startswith(loop)] for loop in ("generator", "victim"))
        shown = {*generator[-2:], victim[0], victim[-1]}
        rows = {name: part for name, part in rows.items() if name in shown or " at " not in name}
        together = np.concatenate(list(rows.values()))
        ends = np.cumsum([len(part) for part in rows.values()])[:-1]
        points = {}
        for kind, cloud in (("raw", together), ("equal norm", unit(together))):
            for name, placed in embed(cloud, self.embeddings).items():
                parts = np.split(placed.round(DECIMALS), ends)
                points[f"{name}, {kind}"] = {source: part.tolist() for source, part in zip(rows, parts, strict=True)}
        return points

    def declines(self, data: Outline, method: Method) -> str:
        """Views must be perturbed, and each fold of the two-sample test needs an image."""
        if not callable(getattr(method, "meet", None)) or getattr(method, "noise_step", "") == "none":
            return "its noise step perturbs no views"
        return f"needs {FOLDS} images, got {data.train_images}" if data.train_images < FOLDS else ""

    def cost(self, data: Outline, method: Method, training: Training) -> Cost:
        """A victim, what is met at the kept networks, and the embeddings of two versions of six sources."""
        images = min(self.images, data.train_images)
        met = Cost.of_images(len(REAL) * self.adv_steps * images)
        for _ in MILESTONES:
            met += cast(Meeting, method).meeting_cost(images)
        return training.cost(data, self.adv_steps) + met + Cost(seconds=2 * seconds_of(6 * images, self.embeddings))


def _saturated(part: Rows) -> Rows:
    """The share of each row's values that are as large as the largest of all rows, (N,)."""
    share: Rows = (np.abs(part) >= SATURATED * np.abs(part).max()).mean(axis=1) if part.any() else np.zeros(len(part))
    return share


def _histograms(values: dict[str, Rows], largest: float) -> dict[str, Any]:
    """Shares of the values of each source in bins from 0 to `largest`, and the middles of these bins."""
    edges = np.linspace(0, largest, BINS + 1)
    counts = {name: np.histogram(part, edges)[0] / len(part) for name, part in values.items()}
    middles = (edges[1:] + edges[:-1]) / 2
    return {"across": middles.round(6).tolist(), "up": {name: shares.tolist() for name, shares in counts.items()}}


def _components(rows: dict[str, Rows]) -> dict[str, Any]:
    """The share of each source's variance in its first 1, 2, 4, ... principal components."""
    size = min(min(part.shape) for part in rows.values())
    counts = [2**power for power in range(size.bit_length())]
    sums = {name: np.cumsum(spectrum(part)) for name, part in rows.items()}
    return {"across": counts, "up": {name: [float(shares[at - 1]) for at in counts] for name, shares in sums.items()}}


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
