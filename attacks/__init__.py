"""Attacks of the unauthorised trainer: one file for each family. Those in ATTACKS are in the suite."""

from attacks.augmentation import AffineJitter, CutMix, Cutout, Mixup, RandAugment
from attacks.dvae import Dvae
from attacks.early_stopping import EarlyStopping
from attacks.gradient import Apgd, ApgdL2, Fgsm, FgsmL2, Pgd, PgdL2, Tpgd, TpgdL2
from attacks.low_pass import Gaussian, Mean, Median
from attacks.orthogonal_projection import OrthogonalProjection
from attacks.partial_poisoning import PartialPoisoning
from attacks.plain import Plain
from attacks.pretrained import Finetune, Frozen
from attacks.squeezing import BitDepth, Gray, Jpeg
from attacks.trades import Trades
from attacks.ueraser import Ueraser, UeraserLite, UeraserMax
from bench.core import Attack

ATTACKS: dict[str, type[Attack]] = {
    "none": Plain,
    "early_stopping": EarlyStopping,
    "partial_poisoning": PartialPoisoning,
    "mean": Mean,
    "median": Median,
    "gaussian": Gaussian,
    "gray": Gray,
    "jpeg": Jpeg,
    "bdr": BitDepth,
    "orthogonal_projection": OrthogonalProjection,
    "dvae": Dvae,
    "finetune": Finetune,
    "frozen": Frozen,
    "cutout": Cutout,
    "cutmix": CutMix,
    "mixup": Mixup,
    "randaugment": RandAugment,
    "affine_jitter": AffineJitter,
    "ueraser_lite": UeraserLite,
    "ueraser": Ueraser,
    "ueraser_max": UeraserMax,
    "pgd": Pgd,
    "pgd_l2": PgdL2,
    "fgsm": Fgsm,
    "fgsm_l2": FgsmL2,
    "tpgd": Tpgd,
    "tpgd_l2": TpgdL2,
    "apgd": Apgd,
    "apgd_l2": ApgdL2,
    "trades": Trades,
}
