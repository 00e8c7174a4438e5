"""Plug-ins that declare something wrongly, for the tests of what is checked when tables are loaded."""

from typing import Any, ClassVar

import pytest

from bench.core.declared import check_table
from bench.core.errors import UserError
from bench.core.measures import Measure, Subject, Training
from bench.core.session import Session
from bench.core.settings import Settings
from bench.grid.plug_ins import KINDS

HERE = __file__
"""Where messages say that what `changed` makes is."""


class Found(Measure):
    """A whole measure."""

    source = "test"
    numbers: ClassVar = {"x": "the x"}

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        return {"x": 1}


def changed(base: type[Settings], **attributes: Any) -> type[Settings]:
    """A class that inherits from `base` and declares something else."""
    return type("Changed", (base,), {"__module__": __name__, "__doc__": "Something else.", **attributes})


def refusal(kind: Any, group: str = "measures") -> str:
    with pytest.raises(UserError) as told:
        check_table(group, {"changed": kind}, KINDS[group])
    return str(told.value)
