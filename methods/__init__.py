"""Protecting methods: one file each. Those in METHODS are in the suite."""

from bench.protocols import Method
from methods.clean import Clean
from methods.em import Em
from methods.em_class import EmClass
from methods.em_stepwise import EmStepwise
from methods.error_minimizing import ErrorMinimizing
from methods.hypo import Hypo, HypoLinf
from methods.ntga import Ntga
from methods.pil import Pil
from methods.rem import Rem
from methods.sc import Sc
from methods.sem import Sem
from methods.tap import Tap

METHODS: dict[str, type[Method]] = {
    "clean": Clean,
    "em": Em,
    "em_class": EmClass,
    "em_stepwise": EmStepwise,
    "error_minimizing": ErrorMinimizing,
    "rem": Rem,
    "sem": Sem,
    "sc": Sc,
    "tap": Tap,
    "hypo": Hypo,
    "hypo_linf": HypoLinf,
    "pil": Pil,
    "ntga": Ntga,
}
