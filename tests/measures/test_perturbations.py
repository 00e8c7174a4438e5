"""The perturbations of generator and victim: whose they are, and that the same measurement gives the same bits."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.core.keeper import Keeper
from bench.core.measures import Subject, Training
from bench.core.perturb import uniform
from bench.core.session import Session
from measures._embedding import embed
from measures._samples import mmd, participation_ratio, spectrum, two_sample_accuracy
from measures.perturbations import Perturbations
from methods.em import Em
from methods.error_minimizing import ErrorMinimizing
from methods.rem import Rem
from methods.sem import Sem
from tests.measures.conftest import DATA, MakeSubject

CPU = torch.device("cpu")
RADIUS = 8 / 255
SMALL = {"adv_radius": RADIUS, "adv_steps": 3, "adv_rel_step_size": 1.0}


@pytest.fixture
def met(subject: MakeSubject, two_layers: str) -> Subject:
    """A noise of REM, with the networks that its making kept."""
    method = Rem(surrogate=two_layers, updates=10, steps=2, samples=2, adv_steps=2, adv_radius=RADIUS, batch_size=16)
    session = Session(0, CPU, keeper=Keeper({"checkpoints"}))
    one = subject(method=method)
    noise = method.generate(one.clean, session)
    return subject(noise, method=method, kept=session.keeper.tensors)


def test_every_source_is_compared_with_each_network_of_the_victim(
    met: Subject, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("measures.perturbations.embed", lambda rows, seeds: {"plane": rows[:, :2]})
    told = {}

    def told_apart(part: np.ndarray, real: np.ndarray, seed: int) -> float:
        """A number for each pair, in the place of accuracies that may be equal by chance."""
        return told.setdefault((part.tobytes(), real.tobytes()), two_sample_accuracy(part, real, seed) + len(told))

    monkeypatch.setattr("measures.perturbations.two_sample_accuracy", told_apart)
    measure = Perturbations(**SMALL, images=40, embeddings=1, permutations=20)
    session = Session(0, CPU)
    found = measure.measure(met, training, session)
    assert session.passes == measure.cost(DATA, met.method, training).passes
    steps = {"generator": (1, 2, 4, 10), "victim": (2, 15, 60)}
    networks = [f"{loop} at {step}" for loop, milestones in steps.items() for step in milestones]
    assert list(found["sources"]) == ["uniform", "signs", *networks]
    for points in found["points"].values():
        late = ["generator at 4", "generator at 10", "victim at 2", "victim at 60"]
        assert list(points) == ["uniform", "signs", *late]
        assert all(np.array(part).shape == (40, 2) for part in points.values())
    assert set(found["points"]) == {"plane, raw", "plane, equal norm"}
    assert max(np.abs(part).max() for part in found["points"]["plane, equal norm"].values()) <= 1
    signs = found["sources"]["signs"]
    assert 0.8 < signs["saturated"] <= 1.0  # some are clipped with their images
    assert signs["mean_l2"] == pytest.approx(RADIUS * 192**0.5, rel=0.1)
    assert found["sources"]["uniform"]["mean_l2"] == pytest.approx(RADIUS * 64**0.5, rel=0.1)
    victims = networks[-3:]
    for name, about in found["sources"].items():
        assert list(about["against"]) == [victim for victim in victims if victim != name]
    last = found["sources"]["generator at 10"]["against"]["victim at 60"]
    assert (found["two_sample"], found["mmd_p"]) == (last["two_sample"], last["mmd_p"])
    early, late = (found["sources"][name]["against"] for name in ("victim at 2", "victim at 60"))
    for number in ("mmd", "cosine"):
        assert early["victim at 60"][number] == pytest.approx(late["victim at 2"][number])
    assert early["victim at 60"]["cosine"] != pytest.approx(found["sources"]["victim at 2"]["cosine"])
    assert len({tuple(one.values()) for one in found["sources"]["uniform"]["against"].values()}) == 3
    for shape in found["shapes"].values():
        assert list(shape["up"]) == list(found["sources"])
        assert {len(shares) for shares in shape["up"].values()} == {len(shape["across"])}
    norms, saturated, components = (shape["up"] for shape in found["shapes"].values())
    for name, shares in (norms | saturated).items():
        assert sum(shares) == pytest.approx(1), name
    assert (norms["signs"][-1], saturated["signs"][-1]) == (1.0, 1.0)
    assert found["shapes"]["first components"]["across"] == [1, 2, 4, 8, 16, 32]
    assert all(shares == sorted(shares) for shares in components.values())
    assert components["uniform"][0] < components["generator at 10"][0]


def test_the_variance_of_components_is_that_of_a_cloud_with_known_axes() -> None:
    axes = np.zeros((4, 4))
    axes[0, 0], axes[1, 0], axes[2, 1], axes[3, 1] = 3, -3, 1, -1
    assert spectrum(axes) == pytest.approx([0.9, 0.1, 0, 0], abs=1e-12)
    assert participation_ratio(axes) == pytest.approx(1 / 0.82)
    assert not spectrum(np.ones((4, 4))).any()
    assert participation_ratio(np.ones((4, 4))) == 0


def test_an_embedding_keeps_what_lies_together_and_warns_of_nothing() -> None:
    cloud = np.random.default_rng(0).normal(size=(20, 8))
    threads = torch.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = embed(np.concatenate([cloud, cloud + 30]), 1)
    assert torch.get_num_threads() == threads
    assert list(found) == ["UMAP 0", "t-SNE"]
    for placed in found.values():
        one, other = placed[:20], placed[20:]
        between = np.linalg.norm(one.mean(0) - other.mean(0))
        assert between > 2 * max(np.linalg.norm(part - part.mean(0), axis=1).mean() for part in (one, other))


def test_umap_works_where_numba_may_write_nowhere_and_leaves_nothing_behind(tmp_path: Path) -> None:
    script = """
import numba
from numba.core import caching
def nowhere(self, own=caching._CacheLocator.ensure_cache_path):
    if not numba.config.CACHE_DIR:
        raise OSError("read-only")
    own(self)
caching._CacheLocator.ensure_cache_path = nowhere
from measures._embedding import _umap
print(_umap().UMAP.__name__, __import__("tqdm").tqdm.get_lock().mp_lock)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "UMAP None\n"  # a semaphore of a killed worker would be left behind
    assert list(tmp_path.iterdir()) == []


def test_the_noise_step_of_sem_adds_uniform_noise(subject: MakeSubject, two_layers: str) -> None:
    method = Sem(surrogate=two_layers, steps=1, samples=3, random_radius=RADIUS, batch_size=16)
    data = subject().clean
    session = Session(0, CPU)
    model = session.build(two_layers, num_classes=4, channels=3)
    met = method.meet(model.eval(), data.floats(), data.labels, session)
    assert met.shape == data.images.shape
    assert met.abs().max() <= RADIUS + 1e-6
    assert met.std().item() == pytest.approx(RADIUS / 3**0.5, rel=0.1)  # a little is clipped with the images


def test_where_the_noise_step_is_uniform_nothing_tells_it_from_uniform_draws(
    subject: MakeSubject, two_layers: str
) -> None:
    method = Sem(surrogate=two_layers, steps=2, samples=2, radius=RADIUS, random_radius=RADIUS, batch_size=16)
    data = subject().clean
    session = Session(0, CPU)
    model = session.build(two_layers, num_classes=4, channels=3)
    images = data.floats()
    met = method.meet(model.eval(), images, data.labels, session).flatten(1).double().numpy()
    drawn = ((images + uniform(images, RADIUS, session.generator("drawn"))).clamp(0, 1) - images).flatten(1)
    assert 0.4 < two_sample_accuracy(met, drawn.double().numpy(), 0) < 0.6
    assert mmd(met, drawn.double().numpy(), 200, 0)[1] > 0.01


def test_only_a_generator_that_perturbs_views_is_measured() -> None:
    assert Perturbations().declines(DATA, Em()) == "its noise step perturbs no views"
    assert Perturbations().declines(DATA, ErrorMinimizing()) == "its noise step perturbs no views"
    assert Perturbations().declines(DATA, ErrorMinimizing(noise_step="random")) == ""
    assert Perturbations().declines(DATA, Rem()) == ""
