"""The names that plug-ins may use: `from bench.core import ...`."""

from bench.core.adversary import (
    L2,
    Ball,
    Linf,
    apgd,
    maximise,
    pgd,
    tpgd,
)
from bench.core.augment import FLIP_CROP, FLIP_TRANSLATE, NO_AUGMENTATION, Augmentation, flip_crop
from bench.core.data import ImageDataset, Outline
from bench.core.device import float64_device
from bench.core.errors import brief
from bench.core.memory import empty, in_order, parts, take
from bench.core.models import TIMM, Classifier, ModelName, classifier_layers
from bench.core.perturb import as_int8, ascend, frozen, loss_gradient, quantised, uniform
from bench.core.protocols import Assumption, Attack, Cost, Method, Needs, Norm
from bench.core.seeding import default_randomness, generator_for
from bench.core.session import Session, Trained
from bench.core.settings import (
    PROTOCOL,
    Added,
    Count,
    CountOrZero,
    Fraction,
    ImageShape,
    NonNegative,
    Positive,
    PositiveFraction,
    Radius,
    RadiusOrZero,
    digest,
    parse_fraction,
)
from bench.core.train import batches, check_finite, update

__all__ = [
    "FLIP_CROP",
    "FLIP_TRANSLATE",
    "L2",
    "NO_AUGMENTATION",
    "PROTOCOL",
    "TIMM",
    "Added",
    "Assumption",
    "Attack",
    "Augmentation",
    "Ball",
    "Classifier",
    "Cost",
    "Count",
    "CountOrZero",
    "Fraction",
    "ImageDataset",
    "ImageShape",
    "Linf",
    "Method",
    "ModelName",
    "Needs",
    "NonNegative",
    "Norm",
    "Outline",
    "Positive",
    "PositiveFraction",
    "Radius",
    "RadiusOrZero",
    "Session",
    "Trained",
    "apgd",
    "as_int8",
    "ascend",
    "batches",
    "brief",
    "check_finite",
    "classifier_layers",
    "default_randomness",
    "digest",
    "empty",
    "flip_crop",
    "float64_device",
    "frozen",
    "generator_for",
    "in_order",
    "loss_gradient",
    "maximise",
    "parse_fraction",
    "parts",
    "pgd",
    "quantised",
    "take",
    "tpgd",
    "uniform",
    "update",
]
