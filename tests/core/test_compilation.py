"""A compiled network computes what an eager one does, and only what is common is compiled."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bench.core import compilation
from bench.core.compilation import MOST, Calls, Modes, candidates, own
from bench.core.models import MODELS, Classifier, Dropout
from bench.core.perturb import frozen, loss_gradient
from bench.core.session import Session
from bench.core.train import update
from bench.run import tuning
from tests.conftest import Undisturbed

# torch looks at it while it compiles and hides the warning by itself, unless warnings are errors.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
CPU = torch.device("cpu")
COMPILED = Modes("compiled", "compiled")
IMAGES = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(6) % 4


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile without the code generator, which needs a C++ compiler."""
    compilation.forget()
    function = torch.compile(compilation.plain, backend="aot_eager", fullgraph=True, dynamic=False)
    monkeypatch.setattr(compilation, "compiled", lambda mode: function)


@pytest.fixture
def shapes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The batches that reach compiled code, which here is the plain function."""
    seen: list[tuple[int, ...]] = []

    def compiled(mode: str) -> Callable[[nn.Module, Tensor], Tensor]:
        def call(body: nn.Module, pixels: Tensor) -> Tensor:
            seen.append(tuple(pixels.shape))
            return compilation.plain(body, pixels)

        return call

    monkeypatch.setattr(compilation, "compiled", compiled)
    return seen


def network(name: str, modes: Modes = COMPILED, precision: torch.dtype = torch.float32) -> Classifier:
    model = Session(0, CPU).build(name, num_classes=4, channels=3)
    model.calls, model.precision = Calls(modes, common=0), precision
    return model


def training(model: Classifier) -> list[Tensor]:
    """Logits of four updates, gradients in the images against the network after each, and its last weights."""
    optimiser = torch.optim.SGD(model.parameters(), 0.1, 0.9)
    found = []
    for _ in range(4):
        found.append(update(model, IMAGES, LABELS, optimiser))
        with frozen(model):
            found.append(loss_gradient(model, IMAGES, LABELS))
    return found + [value.double() for value in model.state_dict().values()]


def assert_same(model: Classifier, other: Classifier) -> None:
    for one, two in zip(training(model), training(other), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


def test_a_compiled_network_trains_and_is_attacked_as_an_eager_one(traced: None, two_layers: str) -> None:
    assert_same(network(two_layers), network(two_layers, Modes()))


def test_copies_made_for_cuda_graphs_change_no_bit(shapes: list[tuple[int, ...]], two_layers: str) -> None:
    graphs, eager = training(network(two_layers, Modes("graphs", "graphs"))), training(network(two_layers, Modes()))
    assert all(torch.equal(one, other) for one, other in zip(graphs, eager, strict=True))
    assert len(shapes) == 8


@pytest.mark.slow
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_generated_code_trains_and_attacks_as_eager_code_does(
    precision: torch.dtype, two_layers: str, undisturbed: Undisturbed
) -> None:
    compilation.forget()
    with undisturbed():
        found = training(network(two_layers, precision=precision))
    tolerance = 1e-4 if precision == torch.float32 else 0.05
    for one, other in zip(found, training(network(two_layers, Modes(), precision)), strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.slow
def test_generated_code_gives_the_same_bits_again(two_layers: str) -> None:
    runs = []
    for _ in range(2):
        compilation.forget()
        runs.append(training(network(two_layers)))
    assert all(torch.equal(one, other) for one, other in zip(*runs, strict=True))


def test_compiled_and_folded_is_eager_and_unfolded(traced: None, two_layers: str) -> None:
    model = network(two_layers)
    training(model)
    with frozen(model):
        gradient = loss_gradient(model, IMAGES, LABELS)
    model.calls = Calls()
    torch.testing.assert_close(gradient, loss_gradient(model.eval(), IMAGES, LABELS), rtol=1e-4, atol=1e-6)


def test_compiling_changes_no_name_counts_the_same_and_touches_no_generator(
    traced: None, two_layers: str, undisturbed: Undisturbed
) -> None:
    model, eager = network(two_layers), network(two_layers, Modes())
    with undisturbed():
        training(model)
    training(eager)
    assert list(model.state_dict()) == list(eager.state_dict())
    assert [name for name, _ in model.named_modules()] == [name for name, _ in eager.named_modules()]
    assert model.gradient_images == eager.gradient_images == 4 * 2 * len(IMAGES)
    assert model.training


def test_a_copy_of_a_compiled_network_uses_weights_of_its_own(traced: None, two_layers: str) -> None:
    model = network(two_layers)
    before = model(IMAGES)
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    torch.testing.assert_close(twin(IMAGES), before)
    assert not model(IMAGES).any()


def test_code_is_compiled_once_for_all_weights_and_foldings(monkeypatch: pytest.MonkeyPatch, two_layers: str) -> None:
    graphs: list[Any] = []

    def backend(graph: Any, inputs: list[Tensor]) -> Any:
        graphs.append(graph)
        return graph.forward

    compilation.forget()
    function = torch.compile(compilation.plain, backend=backend, fullgraph=True, dynamic=False)
    monkeypatch.setattr(compilation, "compiled", lambda mode: function)
    training(network(two_layers))
    training(network(two_layers))
    assert len(graphs) == 2  # one in training, one frozen


def test_only_what_is_common_and_has_gradients_is_compiled(shapes: list[tuple[int, ...]], two_layers: str) -> None:
    model = network(two_layers)
    model.calls = Calls(Modes(frozen="compiled"), common=2)
    for count in (6, 6, 5, 6):
        for _ in range(2):
            model.train()(IMAGES[:count])
        with frozen(model):
            model(IMAGES[:count])
            with torch.no_grad():
                model(IMAGES[:count])
        with torch.inference_mode():
            model(IMAGES[:count])
    assert shapes == [(6, 3, 8, 8)]


def test_no_more_shapes_are_compiled_than_torch_takes(shapes: list[tuple[int, ...]], two_layers: str) -> None:
    model = network(two_layers)
    for _ in range(2):
        for count in range(1, MOST + 2):
            model(IMAGES[:count])
    assert shapes == 2 * [(count, 3, 8, 8) for count in range(1, MOST + 1)]


def test_no_gradient_of_a_weight_is_left_where_a_replay_writes_over_it(two_layers: str) -> None:
    model = network(two_layers, Modes())
    update(model, IMAGES, LABELS, torch.optim.SGD(model.parameters(), 0.1))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_copy_owns_its_values_and_its_gradient() -> None:
    values = torch.rand(3, requires_grad=True)
    copied = own(values)
    assert torch.equal(copied, values)
    assert copied.data_ptr() != values.data_ptr()
    handed = torch.rand(3)
    [gradient] = torch.autograd.grad(copied, values, handed)
    assert torch.equal(gradient, handed)
    assert gradient.data_ptr() != handed.data_ptr()


def test_logits_and_gradients_outlive_the_buffers_that_a_replay_writes_over(
    monkeypatch: pytest.MonkeyPatch, two_layers: str
) -> None:
    """A stand-in for CUDA graphs: logits and input gradients lie in the same two buffers after every call."""
    logits, gradients = torch.empty(6, 4), torch.empty_like(IMAGES)

    class Replay(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, body: nn.Module, pixels: Tensor) -> Tensor:
            ctx.pixels = pixels.detach().requires_grad_()
            with torch.enable_grad():
                ctx.logits = body(ctx.pixels)
            return logits.copy_(ctx.logits.detach()).view_as(logits)

        @staticmethod
        def backward(ctx: Any, *handed: Tensor) -> Any:
            return None, gradients.copy_(torch.autograd.grad(ctx.logits, ctx.pixels, handed[0])[0])

    monkeypatch.setattr(compilation, "compiled", lambda mode: Replay.apply)
    model, eager = network(two_layers, Modes(frozen="graphs")), network(two_layers, Modes())
    with frozen(model), frozen(eager):
        kept = [
            (one(images).detach(), loss_gradient(one, images, LABELS))
            for images in (IMAGES, 1 - IMAGES)
            for one in (model, eager)
        ]
    for (ours, our_gradient), (theirs, their_gradient) in zip(kept[::2], kept[1::2], strict=True):
        assert torch.equal(ours, theirs)
        assert torch.equal(our_gradient, their_gradient)


@pytest.mark.parametrize("mode", ["compiled", "graphs"])
def test_code_is_for_one_shape_whole_and_free_of_choices_by_the_clock(
    mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(torch, "compile", lambda function, **options: asked.update(options))
    compilation.compiled.__wrapped__(mode)
    assert asked == {
        "fullgraph": True,
        "dynamic": False,
        "options": {"deterministic": True, "triton.cudagraphs": mode == "graphs"},
    }
    assert torch._inductor.list_mode_options("reduce-overhead") == {"triton.cudagraphs": True}


@pytest.mark.parametrize(
    ("device", "modes"),
    [("cpu", ("eager", "compiled")), ("cuda", ("eager", "compiled", "graphs")), ("mps", ("eager",))],
)
def test_cuda_graphs_are_for_cuda(device: str, modes: tuple[str, ...]) -> None:
    assert candidates(torch.device(device)) == modes


@pytest.mark.parametrize("name", ["cnn", pytest.param("resnet18", marks=pytest.mark.slow)])
def test_the_networks_are_one_graph_each_in_training_and_frozen(name: str, traced: None) -> None:
    assert_same(network(name), network(name, Modes()))


@pytest.fixture
def dropping(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a network with dropout, whose masks come from a generator: what VGG-16 has and no compiler takes."""

    def body(num_classes: int, channels: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), Dropout(), nn.Linear(64 * channels, num_classes))

    monkeypatch.setitem(MODELS, "dropping", body)
    return "dropping"


def test_dropout_with_a_stream_of_its_own_is_one_graph_only_where_it_does_nothing(traced: None, dropping: str) -> None:
    model = network(dropping)
    with frozen(model):
        loss_gradient(model, IMAGES, LABELS)
    with pytest.raises(Exception, match=r"(?i)generator"):
        model(IMAGES)


@pytest.mark.slow
def test_a_network_with_dropout_trains_eagerly_for_a_reason_that_is_kept(dropping: str) -> None:
    found = tuning.trial(lambda: network(dropping), (4, 3, 8, 8), 4, CPU)["compiled"]
    assert "generator" in found["training"]["error"].lower()
    assert found["frozen"]["seconds"] > 0
