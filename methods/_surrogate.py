"""Methods that craft against a surrogate: a network trained on the clean images, once for all who train it alike."""

from collections.abc import Iterator
from itertools import chain, cycle, islice
from typing import Annotated, Any, ClassVar

from pydantic import Field
from torch import Tensor
from torch.optim import SGD

from bench.core import (
    FLIP_CROP,
    PROTOCOL,
    Added,
    Augmentation,
    Classifier,
    Cost,
    Count,
    Fraction,
    ImageDataset,
    Method,
    Needs,
    NonNegative,
    Part,
    Positive,
    Schedule,
    Session,
    Trained,
    batches,
    check_finite,
    digest,
    in_order,
    maker,
    parts,
    revisions,
    schedule_rates,
    update,
    views_key,
)

Shares = Annotated[tuple[Fraction, ...], Field(strict=False)]
"""Points of a training, as shares of its length."""


class SurrogateMethod(Method):
    """A method that trains a network on the clean images and then keeps it fixed.

    The fields here are the training's; those of a subclass say what is done with the network.
    """

    needs: ClassVar[Needs] = "a clean model"
    shuffled: ClassVar[bool] = True
    """Whether each epoch has a new order and drops its incomplete last batch; else it is all images in their order."""

    epochs: Count
    """Epochs of the surrogate's training."""
    train_steps: Annotated[Count | None, Added()] = None
    """Its weight updates, instead of `epochs`."""
    train_batch_size: Count = 128
    lr: Positive = 0.1
    schedule: Schedule = "steps"
    """Of the rate, once an epoch, or once an update if `train_steps` is set: `steps` multiplies it by 0.1 after each of
    `decay_at`, `cosine` and `one_cycle` end near 0."""
    decay_at: Shares = ()
    """Shares of the training's length."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = False
    weight_decay: NonNegative = 5e-4

    @property
    def augmentation(self) -> Augmentation:
        """What the network sees of an image while it is trained."""
        return FLIP_CROP

    def train_surrogate(self, network: str, data: ImageDataset, session: Session) -> Classifier:
        """Train the surrogate, or take it from the session's shelf: the same bits, the same count of passes.

        Freeze it before use. Raises DivergedError if the training left a weight that is not finite.
        """
        model = session.build_for(network, data)

        def make() -> Trained:
            self._train(model, data, session)
            return model.state_dict(), content | {"gradient_images": model.gradient_images}

        content = self._content(network, session.seed) | {"precision": str(model.precision)}
        weights, about = session.shelf.model(key(content, data), make) if session.shelf else make()
        model.load_state_dict(weights)
        model.gradient_images = about["gradient_images"]
        session.keeper.keep_network(model)
        return model

    def uses(self) -> tuple[Part, ...]:
        return (self.augmentation.draw,)

    def cost(self, images: int) -> Cost:
        """What training the surrogate on so many images takes."""
        return Cost.of_images(self.train_steps * self.train_batch_size if self.train_steps else self.epochs * images)

    def _content(self, network: str, seed: int) -> dict[str, Any]:
        """Everything but the data that decides the weights, as JSON values."""
        return {
            "protocol": PROTOCOL,
            "network": network,
            "training": {key: value for key, value in self.canonical().items() if key in SurrogateMethod.model_fields},
            "augmentation": [self.augmentation.name, self.augmentation.revision],
            "shuffled": self.shuffled,
            "seed": seed,
            **revisions([SurrogateMethod, maker(network)]),
        }

    def _train(self, model: Classifier, data: ImageDataset, session: Session) -> None:
        optimiser = SGD(
            model.parameters(), self.lr, self.momentum, weight_decay=self.weight_decay, nesterov=self.nesterov
        )
        epoch = list(in_order(len(data), self.train_batch_size))
        order: Iterator[Tensor | slice] = cycle(epoch)
        if self.shuffled:
            order = batches(len(data), self.train_batch_size, session.generator("surrogate", "batches"))
            epoch = epoch[: max(1, len(data) // self.train_batch_size)]
        rounds, updates = (self.train_steps, 1) if self.train_steps else (self.epochs, len(epoch))
        rates = schedule_rates(self.schedule, optimiser, rounds, self.decay_at)
        views = session.generator("surrogate", "views")
        for _ in range(rounds):
            for part in islice(order, updates):
                images = data.floats(part)
                update(model, self.augmentation.draw(images, views)(images), data.labels[part], optimiser)
            rates.step()
        check_finite(model)


def key(content: dict[str, Any], data: ImageDataset) -> str:
    """The name of a trained network: 16 hexadecimal digits of the hash of what it was trained on and how."""
    about = content | {"shape": list(data.images.shape), "num_classes": data.num_classes} | views_key(data.shape)
    pixels = (data.images[part] for part in parts(len(data), data.shape))
    return digest(about, content=(rows.cpu().contiguous().numpy().data for rows in chain(pixels, [data.labels])))
