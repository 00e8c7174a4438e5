"""Protecting methods: one file each. Those in METHODS are in the suite."""

from bench.core import Method
from methods.ar import Ar
from methods.clean import Clean
from methods.cuda import Cuda
from methods.em import Em
from methods.em_class import EmClass
from methods.em_stepwise import EmStepwise
from methods.error_minimizing import ErrorMinimizing
from methods.from_file import NoiseFile, NoiseFileL2, UnboundedFile
from methods.hypo import Hypo, HypoLinf
from methods.ntga import Ntga
from methods.ops import Ops
from methods.pil import Pil
from methods.random_noise import RandomL2, RandomNoise
from methods.rem import Rem
from methods.sc import Sc
from methods.sem import Sem
from methods.tap import Tap
from methods.tap_rem import TapRem

METHODS: dict[str, type[Method]] = {
    "clean": Clean,
    "random": RandomNoise,
    "random_l2": RandomL2,
    "em": Em,
    "em_class": EmClass,
    "em_stepwise": EmStepwise,
    "tap": Tap,
    "tap_rem": TapRem,
    "ntga": Ntga,
    "sc": Sc,
    "rem": Rem,
    "sem": Sem,
    "error_minimizing": ErrorMinimizing,
    "ar": Ar,
    "ops": Ops,
    "cuda": Cuda,
    "hypo": Hypo,
    "hypo_linf": HypoLinf,
    "pil": Pil,
    "file": NoiseFile,
    "file_l2": NoiseFileL2,
    "file_unbounded": UnboundedFile,
}
