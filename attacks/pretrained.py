"""Pretrained start: fine-tuning, and a linear classifier on frozen features."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from attacks._weights import HUB, PretrainedWeights, Weights, load
from bench.core import Assumption, Attack, Classifier, ImageShape, Outline, Session, classifier_layers


class PretrainedStart(Attack):
    """An attack whose victim starts from weights that were learnt on clean images.

    A file must have the victim's tensors by name, as `--keep surrogates` and `torch.save` of a state_dict write them.
    Networks of timm take the normalisation that timm tells for its weights, unless the suite trained the file's.
    """

    repository = "vinusankars/Convolution-based-Unlearnability"
    assumes: ClassVar[frozenset[Assumption]] = frozenset({"pretrained weights"})
    deviations: ClassVar[tuple[str, ...]] = (
        "the victim has the recipe of the grid, and which weights it starts from is up to the grid as well",
    )

    takes_any_range = True

    weights: PretrainedWeights = Weights(HUB)
    """A file, or `hub`: timm's weights for a victim called timm/NAME."""
    size: Annotated[int, Field(ge=4)] | None = None
    """Height that images are enlarged to, bilinearly, inside the network; null leaves them as they are."""

    def declines(self, data: Outline, victim: str) -> str:
        """Nothing is made smaller, and the hub has weights for some networks only."""
        height = data.shape[1]
        if self.size and height > self.size:
            return f"images of {height} pixels are higher than the {self.size} that they are to be enlarged to"
        return self.weights.lack(victim)

    def seen(self, shape: ImageShape) -> ImageShape:
        """Enlarged images, their aspect kept."""
        channels, height, width = shape
        return (channels, self.size, self.size * width // height) if self.size else shape

    def content(self, victim: str) -> dict[str, Any]:
        """Which weights of the hub; a file's own content is in the setting."""
        return self.weights.on(victim)

    def start(self, model: Classifier, session: Session) -> Classifier:
        """Load the weights. Raises ValueError if they cannot be had or do not fit the victim."""
        session.notes |= load(model, self.weights, classifier=self._keeps_classifier)
        model.height = self.size
        return model

    @property
    def _keeps_classifier(self) -> bool:
        return False


class Finetune(PretrainedStart):
    """Start from weights learnt on clean images, and train all layers."""

    title = "fine-tuning"
    source = "fine-tuning, as CUDA is tested with (Sadasivan et al., CVPR 2023, arXiv 2303.04278)"

    classifier: Literal["new", "pretrained"] = "new"
    """Whether the layer of the classes starts afresh; `pretrained` is for weights learnt on the same classes."""

    @property
    def _keeps_classifier(self) -> bool:
        return self.classifier == "pretrained"


class Frozen(PretrainedStart):
    """Train a new linear classifier on the features of a network learnt on clean images, which stays as it is."""

    title = "frozen features"
    source = "new last layer, as CUDA is tested with (Sadasivan et al., CVPR 2023, arXiv 2303.04278)"

    def start(self, model: Classifier, session: Session) -> Classifier:
        """Load the weights, and freeze all but the new classifier layer."""
        super().start(model, session)
        model.train_only(*(model.body.get_submodule(layer) for layer in classifier_layers(model.body)))
        return model
