"""A compiled network computes what an eager one does, and only what is common is compiled."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bench.core import compilation, session
from bench.core.compilation import CompiledCall, call
from bench.core.models import Classifier
from bench.core.network_names import MODELS
from bench.core.networks import Dropout
from bench.core.perturb import frozen, loss_gradient
from bench.core.session import Session
from bench.core.train import update
from tests.conftest import Undisturbed
from tests.core.training import NARROW

# torch looks at it while it compiles and hides the warning by itself, unless warnings are errors.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
CPU = torch.device("cpu")
IMAGES = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(6) % 4
DROPPING = {name for name in NARROW if name.startswith("vgg")}
"""Networks with dropout."""


def some_slow(names: set[str], *fast: str) -> list[Any]:
    """Parameters of a test, of which all but the `fast` ones run with the slow tests."""
    return [pytest.param(name, marks=[] if name in fast else pytest.mark.slow) for name in sorted(names)]


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Compile without the code generator, which needs a C++ compiler; the inputs of every graph that was compiled."""
    graphs: list[Any] = []

    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Any:
        graphs.append(inputs)
        return graph.forward

    compilation.forget()
    function = torch.compile(call, backend=backend, dynamic=False)
    monkeypatch.setattr(compilation, "compile_call", lambda: function)
    yield graphs
    compilation.forget()


@pytest.fixture
def dropping(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a network with dropout, whose masks come from a generator: what VGG-16 has and no compiler takes."""

    def body(num_classes: int, channels: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), Dropout(), nn.Linear(64 * channels, num_classes))

    monkeypatch.setitem(MODELS, "dropping", body)
    return "dropping"


def network(name: str, *, compiling: bool = True, precision: torch.dtype = torch.float32) -> Classifier:
    model = Session(0, CPU).build(name, num_classes=4, channels=3)
    model.precision = precision
    if compiling:
        model.call = CompiledCall(common=0)
    return model


def training(model: Classifier) -> list[Tensor]:
    """Logits of four updates, gradients in the images against the network after each, and its last weights."""
    optimiser, images = torch.optim.SGD(model.parameters(), 0.1, 0.9), IMAGES.to(next(model.parameters()).dtype)
    found = []
    for _ in range(4):
        found.append(update(model, images, LABELS, optimiser))
        with frozen(model):
            found.append(loss_gradient(model, images, LABELS))
    return found + [value.double() for value in model.state_dict().values()]


def assert_exact(name: str) -> None:
    """In float64 nothing but the order of sums may differ."""
    compiled, eager = (training(network(name, compiling=flag).double()) for flag in (True, False))
    for one, two in zip(compiled, eager, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-10)


def assert_same(name: str, tolerance: float, precision: torch.dtype = torch.float32) -> None:
    compiled, eager = (training(network(name, compiling=flag, precision=precision)) for flag in (True, False))
    for one, two in zip(compiled, eager, strict=True):
        torch.testing.assert_close(one, two, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["two_layers", *some_slow({*NARROW} - DROPPING, "cnn", "resnet18/8")])
def test_a_compiled_network_trains_and_is_attacked_as_an_eager_one_in_two_graphs(
    name: str, traced: list[Any], two_layers: str
) -> None:
    assert_exact(name)
    training(network(name).double())  # other weights, and another folding
    assert len(traced) == 2  # one in training, one frozen


@pytest.mark.parametrize("name", ["dropping", *some_slow(DROPPING, "vgg11/8")])
def test_a_network_that_cannot_be_compiled_whole_trains_all_the_same(
    name: str, traced: list[Any], dropping: str
) -> None:
    assert_exact(name)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 0.05)])
def test_generated_code_trains_and_attacks_as_eager_code_does(
    precision: torch.dtype, tolerance: float, two_layers: str, undisturbed: Undisturbed
) -> None:
    compilation.forget()
    with undisturbed():
        assert_same(two_layers, tolerance, precision)


@pytest.mark.slow
def test_generated_code_gives_the_same_bits_again(two_layers: str) -> None:
    runs = []
    for _ in range(2):
        compilation.forget()
        runs.append(training(network(two_layers)))
    assert all(torch.equal(one, other) for one, other in zip(*runs, strict=True))


def test_compiled_and_folded_is_eager_and_unfolded(traced: list[Any], two_layers: str) -> None:
    model = network(two_layers)
    training(model)
    with frozen(model):
        gradient = loss_gradient(model, IMAGES, LABELS)
    model.call = call
    torch.testing.assert_close(gradient, loss_gradient(model.eval(), IMAGES, LABELS), rtol=1e-4, atol=1e-6)


def test_compiling_changes_no_name_counts_the_same_and_touches_no_generator(
    traced: list[Any], two_layers: str, undisturbed: Undisturbed
) -> None:
    model, eager = network(two_layers), network(two_layers, compiling=False)
    with undisturbed():
        training(model)
    training(eager)
    assert list(model.state_dict()) == list(eager.state_dict())
    assert [name for name, _ in model.named_modules()] == [name for name, _ in eager.named_modules()]
    assert model.gradient_images == eager.gradient_images == 4 * 2 * len(IMAGES)
    assert model.training


def test_a_copy_of_a_compiled_network_uses_weights_of_its_own(traced: list[Any], two_layers: str) -> None:
    model = network(two_layers)
    before = model(IMAGES)
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    torch.testing.assert_close(twin(IMAGES), before)
    assert not model(IMAGES).any()


def test_only_what_is_common_and_has_gradients_is_compiled(monkeypatch: pytest.MonkeyPatch, two_layers: str) -> None:
    seen: list[tuple[int, bool]] = []

    def counted(body: nn.Module, pixels: Tensor) -> Tensor:
        seen.append((len(pixels), body.training))
        return call(body, pixels)

    monkeypatch.setattr(compilation, "compile_call", lambda: counted)
    model = network(two_layers)
    model.call = CompiledCall(common=2)
    for count in (6, 6, 5, 6):
        model.train()(IMAGES[:count])
        with frozen(model):
            model(IMAGES[:count])
            with torch.no_grad():
                model(IMAGES[:count])
        with torch.inference_mode():
            model(IMAGES[:count])
    assert seen == [(6, True), (6, False)]


def test_code_is_for_one_shape_and_free_of_choices_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(torch, "compile", lambda function, **options: asked.update(options))
    compilation.compile_call.__wrapped__()
    assert asked == {"dynamic": False, "options": {"deterministic": True}}


def test_a_session_that_compiles_forgets_what_earlier_ones_compiled(
    monkeypatch: pytest.MonkeyPatch, two_layers: str
) -> None:
    forgotten: list[int] = []
    monkeypatch.setattr(session, "forget", lambda: forgotten.append(1))
    calls = [
        Session(0, CPU, compiling=flag).build(two_layers, num_classes=2, channels=3).call for flag in (False, True)
    ]
    assert calls[0] is call
    assert isinstance(calls[1], CompiledCall)
    assert forgotten == [1]
