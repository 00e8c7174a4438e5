"""Devices, leases, and the work that a session counts."""

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

from bench.core import device
from bench.core.device import available_devices, default_jobs, describe, lease, memory_of, peak_memory
from bench.core.perturb import frozen, loss_gradient
from bench.core.session import Session
from tests.conftest import Undisturbed

CPU = torch.device("cpu")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with two GPUs of one maker and none of the other."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    return monkeypatch


@pytest.mark.parametrize(
    ("choice", "devices"),
    [
        ("auto", ["cuda:0", "cuda:1"]),
        ("cuda", ["cuda:0", "cuda:1"]),
        ("cuda:1", ["cuda:1"]),
        ("cpu", ["cpu"]),
    ],
)
def test_a_choice_stands_for_the_devices_that_are_there(
    choice: str, devices: list[str], machine: pytest.MonkeyPatch
) -> None:
    assert available_devices(choice) == devices
    assert choice == "cpu" or default_jobs(devices) == len(devices)


def test_auto_is_the_best_that_a_machine_has(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(torch.cuda, "device_count", lambda: 0)
    assert available_devices("auto") == ["cpu"]
    machine.setattr(torch.backends.mps, "is_available", lambda: True)
    assert available_devices("auto") == ["mps"]


def test_a_device_that_is_not_there_is_refused_with_the_choices(machine: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="no device") as caught:
        available_devices("cuda:2")
    assert str(caught.value) == "no device 'cuda:2' on this machine; choices: auto, cuda:0, cuda:1, cpu"
    machine.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ValueError, match=r"no device 'cuda' on this machine; choices: auto, cpu$"):
        available_devices("cuda")


def test_a_device_has_one_holder_at_a_time_and_the_next_waits_for_it(tmp_path: Path) -> None:
    names = ["cpu:0", "cpu:1"]
    first_may_go, second_may_go, got = threading.Event(), threading.Event(), threading.Semaphore(0)
    held: list[str] = []

    def hold(until: threading.Event) -> None:
        with lease(names, tmp_path) as device:
            held.append(str(device))
            got.release()
            until.wait(20)

    threads = [threading.Thread(target=hold, args=(event,)) for event in (first_may_go, second_may_go)]
    for thread in threads:
        thread.start()
        assert got.acquire(timeout=20)
    assert sorted(held) == names
    third = threading.Thread(target=hold, args=(first_may_go,))
    third.start()
    assert not got.acquire(timeout=1), "a third holder got a device that was taken"
    second_may_go.set()
    assert got.acquire(timeout=20)
    assert held[2] == held[1]
    first_may_go.set()
    for thread in (*threads, third):
        thread.join(20)


def test_so_many_cells_as_are_allowed_share_a_device_and_the_least_busy_comes_first(tmp_path: Path) -> None:
    with ExitStack() as block:
        held = [str(block.enter_context(lease(["cpu:0", "cpu:1"], tmp_path, holders=2))) for _ in range(4)]
    assert held == ["cpu:0", "cpu:1", "cpu:0", "cpu:1"]


def test_a_device_is_free_again_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError, match="inside"), lease(["cpu:0"], tmp_path):
            raise RuntimeError("inside")


def test_the_cpu_is_not_locked(tmp_path: Path) -> None:
    with lease(["cpu"], tmp_path / "locks") as one, lease(["cpu"], tmp_path / "locks") as other:
        assert one == other == CPU
    assert not (tmp_path / "locks").exists()


def test_only_images_that_go_forward_with_gradients_count(two_layers: str) -> None:
    session, images = Session(0, CPU), torch.rand(64, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    models = [session.build(two_layers, num_classes=2, channels=3) for _ in range(2)]
    assert session.passes == 0
    for model in models:
        model(images)
    assert session.passes == 1
    with torch.no_grad():
        models[0](images)
    with torch.inference_mode():
        models[0](images)
    models[0](images[:1])
    assert session.passes == 1 + 1 / 128


def test_initial_weights_depend_on_the_seed_and_on_nothing_else_of_the_session(
    two_layers: str, undisturbed: Undisturbed
) -> None:
    def first_layer(session: Session) -> torch.Tensor:
        weight: torch.Tensor = session.build(two_layers, num_classes=2, channels=3).body[0].weight
        return weight

    used = Session(0, CPU)
    torch.rand(9, generator=used.generator("batches"))
    first_layer(used)
    with undisturbed():
        assert torch.equal(first_layer(used), first_layer(Session(0, CPU)))
        assert not torch.equal(first_layer(used), first_layer(Session(1, CPU)))


def test_a_session_gives_the_same_stream_for_the_same_purpose() -> None:
    session = Session(0, CPU)
    one, again, other = (torch.rand(3, generator=session.generator(use)) for use in ("a", "a", "b"))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_record_says_what_it_was_measured_on() -> None:
    about = describe(CPU)
    assert about["device"] == "cpu"
    assert about["threads"] == torch.get_num_threads()
    assert about["processor"]
    assert {"torch", "pillow", "libjpeg"} < set(about["versions"])
    assert peak_memory(CPU) > 50 * 2**20  # bytes: torch alone takes more than 50 MiB


def test_the_memory_of_work_is_what_it_takes_beyond_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = torch.ones(2**24)  # before, so it does not count
    tries = [memory_of(lambda: torch.ones(2**24).add_(held), CPU) for _ in range(3)]
    taken = None if tries[0] is None else max(filter(None, tries))
    assert taken is None or 2**25.9 < taken < 2**27  # bytes of one of them, nearly: the kernel counts by thread
    many = [torch.ones(2**10) for _ in range(2**13)]
    del many  # freed, but too small to go back to the system by itself
    again = memory_of(lambda: [torch.ones(2**10) for _ in range(2**13)], CPU)
    assert again is None or again > 2**24  # of 2**25
    monkeypatch.setattr(device, "PROCESS", tmp_path / "nowhere")  # as a system without it
    done: list[int] = []
    assert memory_of(lambda: done.append(1), CPU) is None
    assert done == [1]


def test_a_cpu_computes_in_float32_and_a_gpu_in_bfloat16_where_it_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device.precision(CPU) == torch.float32
    for has, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda has=has, **_: has)
        assert device.precision(torch.device("cuda")) == expected


def test_small_and_narrow_networks_compute_in_float32_everywhere_and_a_session_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bench.core.session.precision", lambda device: torch.bfloat16)
    session = Session(0, CPU)
    for name in ("cnn", "cnn/8", "resnet50/8"):
        assert session.build(name, num_classes=2, channels=3).precision == torch.float32
    assert session.precisions == ["float32"]
    for name in ("resnet18", "timm/test_vit/patch4"):
        assert session.build(name, num_classes=2, channels=3).precision == torch.bfloat16
    assert session.precisions == ["bfloat16", "float32"]


def test_bfloat16_rounds_logits_and_gradients_but_no_weight_and_counts_the_same(two_layers: str) -> None:
    exact, rounded = (Session(0, CPU).build(two_layers, num_classes=4, channels=3).eval() for _ in range(2))
    rounded.precision = torch.bfloat16
    images, labels = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(1)), torch.arange(6) % 4
    assert rounded(images).dtype == torch.float32
    assert torch.allclose(rounded(images), exact(images), atol=0.02)
    assert not torch.equal(rounded(images), exact(images))
    assert all(parameter.dtype == torch.float32 for parameter in rounded.parameters())
    with frozen(exact), frozen(rounded):
        one, other = (loss_gradient(model, images, labels) for model in (exact, rounded))
    assert torch.nn.functional.cosine_similarity(one.flatten(), other.flatten(), dim=0) > 0.99
    assert (exact.gradient_images, rounded.gradient_images) == (18, 24)


def test_a_part_has_generators_and_weights_of_its_own_and_counts_in_the_whole(two_layers: str) -> None:
    whole = Session(0, CPU)
    parts = [whole, whole.part("a"), whole.part("b"), Session(0, CPU).part("a")]
    draws = [torch.rand(1, generator=part.generator("x")).item() for part in parts]
    weights = [part.build(two_layers, num_classes=2, channels=3).state_dict()["body.0.weight"] for part in parts[:3]]
    assert len(set(draws[:3])) == 3
    assert draws[1] == draws[3]
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[1], weights[2])
    part = whole.part("c")
    part.build(two_layers, num_classes=2, channels=3)(torch.rand(4, 3, 8, 8)).sum().backward()
    assert part.passes == whole.passes == 4 / 128
    part.count(124)
    whole.count(128)
    assert part.passes == whole.passes == 2
