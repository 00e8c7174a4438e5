"""Protecting methods: one file each. Those in METHODS are in the suite."""

from bench.protocols import Method
from methods.clean import Clean
from methods.em import Em
from methods.ntga import Ntga
from methods.sc import Sc
from methods.sem import Sem

METHODS: dict[str, type[Method]] = {
    "clean": Clean,
    "em": Em,
    "sem": Sem,
    "sc": Sc,
    "ntga": Ntga,
}
