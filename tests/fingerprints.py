"""What every network, view, adversary, plug-in and the training compute on a tiny input.

`python -m tests.fingerprints` writes it down, and refuses what changed under an unchanged key.
"""

import atexit
import json
import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional as F

from attacks import ATTACKS
from bench.core.adversary import Linf, apgd, pgd, tpgd
from bench.core.augment import flip_crop, flip_resized_crop, flip_translate
from bench.core.data import ImageDataset
from bench.core.keeper import Keeper
from bench.core.measures import Measure, Training
from bench.core.measures import Subject as Noise
from bench.core.models import Classifier
from bench.core.network_names import MODELS, maker
from bench.core.perturb import frozen
from bench.core.protocols import Attack, Method
from bench.core.revision import revision_of
from bench.core.session import Session
from bench.core.settings import PROTOCOL, digest
from bench.core.train import Recipe, train
from measures import MEASURES
from methods import METHODS
from tests.attacks.conftest import SMALL
from tests.builders import plain
from tests.methods.test_contract_of_methods import noise_file, small

FILE = Path(__file__).with_suffix(".json")
CPU = torch.device("cpu")
VIEWS = (flip_crop, flip_resized_crop, flip_translate)
CHUNKS = 16
FILES = TemporaryDirectory()
"""Where the noise is that methods read, as long as the process lives."""
atexit.register(FILES.cleanup)
TOLERANCE = 0.05
"""Of the root mean square: what sums in another order, or another libjpeg, may move a number by."""
MEASURED: dict[str, tuple[str, dict[str, Any]]] = {
    "surrogate_robustness": ("r_theta", {"turns": 1, "steps": 2}),
    "noise_robustness": ("r_delta_u", {"updates": 3, "adv_steps": 2}),
    "delusiveness": ("loss", {}),
    "stability": ("stability", {"adv_steps": 2}),
    "perturbations": ("sizes", {"adv_steps": 2, "permutations": 1}),
}
"""Measures with a loss or sizes among their numbers, and few of everything.

The others have shares of a dozen images, which jump, and times, which differ.
"""
Values = dict[str, list[float]]
"""For each result, `CHUNKS` numbers or fewer, and last its root mean square."""


class Subject(NamedTuple):
    """Something that has a revision."""

    key: str
    """The digest of what names its results: a new one lets them change."""
    compute: Callable[[], dict[str, Tensor]]

    def values(self) -> Values:
        return {name: summary(tensor) for name, tensor in self.compute().items()}


def summary(tensor: Tensor) -> list[float]:
    """A weighted mean of each part of the values, and their root mean square."""
    flat = tensor.detach().double().flatten()
    weighted = flat * (1 + torch.arange(len(flat), dtype=torch.float64)).cos()
    means = [chunk.mean() for chunk in weighted.tensor_split(min(CHUNKS, len(flat)))]
    return [float(f"{value:.3g}") for value in (*means, flat.square().mean().sqrt())]


def same(one: Values, other: Values) -> bool:
    """Whether all numbers agree within the tolerance."""
    return one.keys() == other.keys() and all(
        len(here) == len(there)
        and all(math.isclose(a, b, rel_tol=0, abs_tol=TOLERANCE * here[-1]) for a, b in zip(here, there, strict=True))
        for here, there in ((one[name], other[name]) for name in one)
    )


def images() -> ImageDataset:
    """Twelve smooth images of three classes."""
    y, x = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    waves = [[(1 + channel + label) * x + (2 + number) * y for channel in range(3)] for label, number in cases()]
    levels = torch.stack([torch.stack(wave) for wave in waves]).float().mul(0.2).sin().mul(100).add(128)
    return ImageDataset(levels.byte(), torch.tensor([label for label, _ in cases()]), 3)


def cases() -> list[tuple[int, int]]:
    return [(number % 3, number) for number in range(12)]


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def network(name: str = "cnn") -> Classifier:
    """A network whose batch norm knows the images."""
    model = Session(0, CPU).build(name, num_classes=3, channels=3, size=(8, 8))
    model(images().floats())
    return model


def small_method(name: str) -> Method:
    """The method with little of everything; after several large steps of training the last bit of a sum would tell."""
    method = small(name, "cnn", noise_file(Path(FILES.name), images()))
    return method.model_copy(update={"epochs": 1, "lr": 0.01} if "epochs" in type(method).model_fields else {})


def network_results(name: str) -> dict[str, Tensor]:
    model, data = network(name), images()
    F.cross_entropy(model(data.floats()), data.labels).backward()
    gradients = torch.stack([weight.grad.norm() for weight in model.parameters() if weight.grad is not None])
    return {"logits": model.eval()(data.floats()), "gradients": gradients}


def view_results(draw: Callable[[Tensor, torch.Generator], Callable[[Tensor], Tensor]]) -> dict[str, Tensor]:
    floats = images().floats().requires_grad_()
    view = draw(floats, seeded())(floats)
    return {"view": view, "gradient": torch.autograd.grad(view.square().sum(), floats)[0]}


def adversary_results(maximise: Callable[..., Tensor]) -> dict[str, Tensor]:
    data, rates = images(), {} if maximise is apgd else {"rel_step_size": 0.5}
    model, labels = network(), () if maximise is tpgd else (data.labels,)
    with frozen(model):
        found = maximise(model, data.floats(), *labels, ball=Linf(0.05), steps=3, generator=seeded(), **rates)
    return {"perturbation": found - data.floats()}


def training_results() -> dict[str, Tensor]:
    session, data, recipe = Session(0, CPU), images(), Recipe(steps=6, batch_size=4, evaluate_every=2)
    model = session.build("cnn", num_classes=3, channels=3)
    history = train(model, data, test=data, attacks=[], recipe=recipe, session=session)
    return {"logits": model(data.floats()), "losses": torch.tensor([look.train_loss for look in history])}


def method_results(method: Method) -> dict[str, Tensor]:
    data = images()
    released = data.protected(method.generate(data, Session(0, CPU)))
    return {"noise": released.images.double() - data.images.double()}


def attack_results(name: str) -> dict[str, Tensor]:
    """What each hook makes of images, or of a network."""
    with TemporaryDirectory() as folder:
        return hook_results(small_attack(name, Path(folder, "weights.safetensors")))


def small_attack(name: str, file: Path) -> Attack:
    """The attack with few steps; pretrained weights are those of another start, which are written to `file`."""
    if "weights" not in ATTACKS[name].model_fields:
        return ATTACKS[name].model_validate(SMALL.get(name, {}))
    other = Session(1, CPU).build("cnn", num_classes=3, channels=3).state_dict()
    safetensors.torch.save_file({key: value.contiguous() for key, value in other.items()}, file)
    return ATTACKS[name].model_validate({"weights": str(file)})


def hook_results(attack: Attack) -> dict[str, Tensor]:
    data, model = images(), network()
    inverse = data.filled(lambda part: 255 - data.images[part])
    floats, shares = data.floats(), F.one_hot(data.labels, 3).float()
    perturbed = floats
    if "perturb" in attack.hooks():
        with frozen(model):
            perturbed = attack.perturb(model, floats, data.labels, seeded())
    results: dict[str, Callable[[], Tensor]] = {
        "hold_out": lambda: torch.cat(attack.hold_out(data, Session(0, CPU))),
        "prepare": lambda: attack.prepare(data, inverse, Session(0, CPU)).floats(),
        "start": lambda: attack.start(model, Session(0, CPU)).eval()(floats),
        "augment": lambda: attack.augment(floats, data.labels, seeded()),
        "mix": lambda: torch.cat([part.flatten() for part in attack.mix(floats, shares, seeded())]),
        "perturb": lambda: perturbed - floats,
        "loss": lambda: attack.loss(floats, model, perturbed, data.labels)[0],
    }
    return {hook: results[hook]() for hook in attack.hooks()} or {"nothing": torch.zeros(1)}


def measure_results(measure: Measure, key: str) -> dict[str, Tensor]:
    """One number of the noise of REM, or the sizes of perturbations without their embeddings."""
    data, method = images(), small_method("rem")
    session = Session(0, CPU, keeper=Keeper({"surrogates", "checkpoints"}))
    released = data.protected(method.generate(data, session))
    training = Training("cnn", Recipe(steps=6, batch_size=4, evaluate_every=2))
    with patch("measures.perturbations.embed", lambda rows, seeds: {"plane": rows[:, :2]}):
        found = measure.measure(Noise(method, data, released, data, session.keeper.tensors), training, Session(0, CPU))
    sizes = [about["mean_l2"] for about in found.get("sources", {}).values()]
    return {key: torch.tensor(sizes or [found[key]])}


def subjects() -> dict[str, Subject]:
    """All that has a revision, by kind and name."""
    functions = {
        **{f"network {name}": (maker(name), partial(network_results, name)) for name in MODELS},
        **{f"view {draw.__name__}": (draw, partial(view_results, draw)) for draw in VIEWS},
        **{f"adversary {one.__name__}": (one, partial(adversary_results, one)) for one in (pgd, tpgd, apgd)},
    }
    found = {name: Subject(digest(revision_of(part)), compute) for name, (part, compute) in functions.items()}
    found["training"] = Subject(digest(PROTOCOL, Recipe().canonical()), training_results)
    for name, kind in METHODS.items():
        found[f"method {name}"] = Subject(digest(plain(kind).canonical()), partial(method_results, small_method(name)))
    for name, attack in ATTACKS.items():
        found[f"attack {name}"] = Subject(digest(attack().canonical()), partial(attack_results, name))
    for name, (number, settings) in MEASURED.items():
        measure = MEASURES[name]
        compute = partial(measure_results, measure(**settings), number)
        found[f"measure {name}"] = Subject(digest(measure().canonical()), compute)
    return found


def read() -> dict[str, Any]:
    """The committed fingerprints: `key` and `values` of each subject."""
    known: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return known


def main() -> None:
    """Write all fingerprints, unless one changed under its old key: then name those."""
    known, new = read(), {name: {"key": one.key, "values": one.values()} for name, one in subjects().items()}
    for name in known.keys() & new.keys():
        if same(known[name]["values"], new[name]["values"]) and known[name]["key"] == new[name]["key"]:
            new[name] = known[name]
    changed = [name for name in known.keys() & new.keys() if known[name] != new[name]]
    refused = sorted(name for name in changed if known[name]["key"] == new[name]["key"])
    if refused:
        sys.exit(f"raise the revision first, nothing is written: {', '.join(refused)}")
    lines = [f"{json.dumps(name)}: {json.dumps(new[name])}" for name in sorted(new)]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
