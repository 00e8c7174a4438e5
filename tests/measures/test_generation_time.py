"""The time of making a noise: it is made again, counted and not mixed with the warm-up."""

from typing import Any

import pytest
import torch
from torch import Tensor

from bench.core.data import ImageDataset
from bench.core.measures import Training
from bench.core.session import Session
from measures import generation_time
from measures.generation_time import GenerationTime
from methods.em_stepwise import EmStepwise
from methods.random_noise import RandomNoise
from tests.measures.conftest import DATA, MakeSubject

CPU = torch.device("cpu")


def test_a_noise_is_made_again_and_its_passes_alone_are_counted(
    subject: MakeSubject, training: Training, two_layers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Tensor] = []
    original = EmStepwise.generate

    def recording(self: EmStepwise, *arguments: Any) -> Tensor:
        made.append(original(self, *arguments))
        return made[-1]

    monkeypatch.setattr(EmStepwise, "generate", recording)
    method = EmStepwise(surrogate=two_layers, updates=3, batch_size=16, steps=2)
    session = Session(0, CPU)
    found = GenerationTime(warm_up=5).measure(subject(method=method), training, session)
    assert len(made) == 1
    assert found["passes"] == method.cost(80).passes
    assert session.passes == found["passes"] + 5 * 64 / 128
    assert found["images_per_second"] == pytest.approx(80 / found["seconds"])
    assert found["memory"] is None or 0 <= found["memory"] < 1000
    assert GenerationTime().cost(DATA, method, training) == method.cost(80)


def test_what_is_done_to_measure_memory_takes_no_time_of_generation(
    subject: MakeSubject, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]

    def slow(work: Any, device: torch.device) -> int:
        clock[0] += 100
        work()
        return 2**20

    def generate(self: RandomNoise, data: ImageDataset, session: Session) -> Tensor:
        clock[0] += 4
        return torch.zeros_like(data.images, dtype=torch.int8)

    monkeypatch.setattr(generation_time, "memory_of", slow)
    monkeypatch.setattr(generation_time.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(RandomNoise, "generate", generate)
    found = GenerationTime(warm_up=0).measure(subject(), training, Session(0, CPU))
    assert (found["seconds"], found["images_per_second"], found["memory"]) == (4, 20, 1)
