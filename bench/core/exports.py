"""The names that plug-ins may use: `from bench.core import ...`."""

from bench.core.adversary import (
    L2,
    Ball,
    Linf,
    Maximiser,
    apgd,
    maximise,
    maximiser,
    pgd,
    tpgd,
)
from bench.core.augment import FLIP_CROP, FLIP_TRANSLATE, NO_AUGMENTATION, Augmentation, flip_crop, views_key
from bench.core.content import HASH, File, KnownFile, file_setting, known_file
from bench.core.data import ImageDataset, Outline
from bench.core.device import float64_device, memory_of, synchronise
from bench.core.errors import brief, head_of, some, suggestion
from bench.core.keeper import MILESTONES, Keeper, Kind
from bench.core.measures import Measure, Subject, Training
from bench.core.memory import empty, in_order, parts, take
from bench.core.models import Classifier, classifier_layers
from bench.core.network_names import ModelName, maker
from bench.core.networks import TIMM, two_linear
from bench.core.perturb import as_int8, ascend, frozen, loss_gradient, quantised, uniform
from bench.core.plug_in import FORWARD, Cost
from bench.core.protocols import Assumption, Attack, Method, Needs, Norm
from bench.core.revision import Part, revisions
from bench.core.schedules import Schedule, schedule_rates
from bench.core.seeding import default_randomness, generator_for
from bench.core.session import IMAGES_PER_PASS, Session, Trained
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
from bench.core.tensor_file import read_tensor
from bench.core.train import batches, check_finite, evaluate, update
from bench.core.train import train as train_victim

__all__ = [
    "FLIP_CROP",
    "FLIP_TRANSLATE",
    "FORWARD",
    "HASH",
    "IMAGES_PER_PASS",
    "L2",
    "MILESTONES",
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
    "File",
    "Fraction",
    "ImageDataset",
    "ImageShape",
    "Keeper",
    "Kind",
    "KnownFile",
    "Linf",
    "Maximiser",
    "Measure",
    "Method",
    "ModelName",
    "Needs",
    "NonNegative",
    "Norm",
    "Outline",
    "Part",
    "Positive",
    "PositiveFraction",
    "Radius",
    "RadiusOrZero",
    "Schedule",
    "Session",
    "Subject",
    "Trained",
    "Training",
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
    "evaluate",
    "file_setting",
    "flip_crop",
    "float64_device",
    "frozen",
    "generator_for",
    "head_of",
    "in_order",
    "known_file",
    "loss_gradient",
    "maker",
    "maximise",
    "maximiser",
    "memory_of",
    "parse_fraction",
    "parts",
    "pgd",
    "quantised",
    "read_tensor",
    "revisions",
    "schedule_rates",
    "some",
    "suggestion",
    "synchronise",
    "take",
    "tpgd",
    "train_victim",
    "two_linear",
    "uniform",
    "update",
    "views_key",
]
