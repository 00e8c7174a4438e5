"""PIL: its gradient by hand, the sign of what is released, and the order of its training."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bench.core.models import Classifier
from bench.core.session import IMAGES_PER_PASS, Session
from methods.pil import Pil
from tests.conftest import Linear, MadeUp

CPU = torch.device("cpu")


def map_of(weight: Tensor) -> Classifier:
    """The linear map with this weight (classes, pixels), taking pixels as they are."""
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False, dtype=weight.dtype)
    layer.weight.data = weight
    return Classifier(torch.nn.Sequential(torch.nn.Flatten(), layer), centre=0.0)


@pytest.mark.parametrize("balance", [0.0, 0.9, 1.0])
def test_the_gradient_of_both_terms_for_two_pixels_is_that_by_hand(balance: float) -> None:
    weight = torch.tensor([[2.0, -1.0], [0.5, 3.0]], dtype=torch.float64)
    noise = torch.tensor([0.03, -0.02], dtype=torch.float64).view(1, 1, 1, 2).requires_grad_()
    image = torch.tensor([0.7, 0.2], dtype=torch.float64).view(1, 1, 1, 2)
    loss = Pil(balance=balance).loss(map_of(weight), noise, image, torch.tensor([1]))
    [gradient] = torch.autograd.grad(loss, noise)

    def softmax(a: float, b: float) -> tuple[float, float]:
        return math.exp(a) / (math.exp(a) + math.exp(b)), math.exp(b) / (math.exp(a) + math.exp(b))

    d, left = (0.03, -0.02), (0.67, 0.22)
    p = softmax(2 * d[0] - d[1], 0.5 * d[0] + 3 * d[1])
    q = softmax(2 * left[0] - left[1], 0.5 * left[0] + 3 * left[1])
    # Cross-entropy towards class 1: p - (0, 1), through the map. KL: q - (1/2, 1/2), through the map, minus for x - d.
    recognised = [(p[0]) * 2 + (p[1] - 1) * 0.5, (p[0]) * -1 + (p[1] - 1) * 3]
    undecided = [-((q[0] - 0.5) * 2 + (q[1] - 0.5) * 0.5), -((q[0] - 0.5) * -1 + (q[1] - 0.5) * 3)]
    expected = [balance * a + (1 - balance) * b for a, b in zip(recognised, undecided, strict=True)]
    assert gradient.flatten().tolist() == pytest.approx(expected, rel=1e-9)
    value = balance * -math.log(p[1]) + (1 - balance) * sum(0.5 * math.log(0.5 / each) for each in q)
    assert loss.item() == pytest.approx(value, rel=1e-9)


def test_what_is_taken_away_is_classified_as_the_label_and_what_is_added_is_not(made_up: MadeUp) -> None:
    data = made_up([label for label in range(5) for _ in range(8)], classes=5)
    method = Pil(train_batch_size=8)
    noise = method.generate(data, Session(0, CPU))
    model = method.train_surrogate("two_linear", data, Session(0, CPU))
    assert torch.equal(model(-noise.float() / 255).argmax(1), data.labels)
    assert (model(noise.float() / 255).argmax(1) != data.labels).all()


def test_with_two_classes_and_its_own_term_alone_the_noise_is_the_corner_of_the_map(
    linear: Linear, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    weight = torch.randn(2, 192, generator=torch.Generator().manual_seed(0)) / 10
    monkeypatch.setattr(Pil, "surrogate", linear(weight))
    data = made_up([0, 1, 1, 0, 0])
    noise = Pil(balance=1.0, lr=1e-12, epochs=1, batch_size=2).generate(data, Session(0, CPU))
    towards_1 = (weight[1] - weight[0]).sign().view(3, 8, 8)
    expected = torch.stack([8 * towards_1 if label == 0 else -8 * towards_1 for label in [0, 1, 1, 0, 0]])
    assert torch.equal(noise, expected.to(torch.int8))


def test_the_map_is_trained_in_order_as_two_matrices_by_momentum_and_a_cosine(made_up: MadeUp) -> None:
    data = made_up([0, 1, 2, 2, 1, 0, 0], classes=3)
    session = Session(0, CPU)
    start = session.build("two_linear", num_classes=3, channels=3, size=(8, 8))
    first, second = (parameter.detach().double().requires_grad_() for parameter in start.parameters())
    speeds = [torch.zeros_like(first), torch.zeros_like(second)]
    for epoch in range(4):
        rate = 0.003 * (1 + math.cos(math.pi * epoch / 4)) / 2
        for rows in (slice(0, 3), slice(3, 6), slice(6, 7)):
            pixels = data.images[rows].double().flatten(1) / 255
            loss = F.cross_entropy(pixels @ first.T @ second.T, data.labels[rows])
            for place, gradient in enumerate(torch.autograd.grad(loss, [first, second])):
                speeds[place] = 0.9 * speeds[place] + gradient
            with torch.no_grad():
                first -= rate * speeds[0]
                second -= rate * speeds[1]
    model = Pil(epochs=4, train_batch_size=3).train_surrogate("two_linear", data, Session(0, CPU))
    for ours, expected in zip(model.parameters(), (first, second), strict=True):
        assert torch.allclose(ours.double(), expected, atol=1e-6)


def test_the_work_is_the_training_and_two_passes_for_every_step(made_up: MadeUp) -> None:
    data, session = made_up([0, 1] * 5 + [1]), Session(0, CPU)
    method = Pil(epochs=3, steps=2, batch_size=4, train_batch_size=4)
    method.generate(data, session)
    assert session.passes == method.cost(11).passes == (3 * 11 + 2 * 2 * 11) / IMAGES_PER_PASS
