"""Settings, frozen and spelled out in full, and the digest that names whatever they decide."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError
from pydantic_core import ErrorDetails

from bench.core.errors import brief, one_line
from bench.core.revision import revision_of

BARE = ("file", "radius", "l2_radius")
"""Settings that tables write without their name, right after the title."""
STACKED = " + "
"""What stands between the attacks of a stack."""
PHRASES = {
    "radius": "{}",
    "l2_radius": "{:g}",
    "steps": "{} {step|steps}",
    "rel_step_size": "steps of {:g} {radius|radii}",
    "epochs": "{} {epoch|epochs}",
    "updates": "{} {update|updates}",
    "batch_size": "batches of {}",
    "samples": "{} {sample|samples}",
    "lr": "learning rate {:g}",
}
"""How tables say settings that many plug-ins have, in the form of `Settings.phrases`."""
FORMS = re.compile(r"\{(\w+)\|(\w+)\}")
"""A word of a phrase in the singular and in the plural."""
ACRONYMS = ("pgd", "fgsm", "tpgd", "apgd", "cnn", "fnn")
"""Values of settings that tables write in capitals."""
LARGEST = 2**63 - 1
"""The largest whole number that calculations take."""
HUGE = 1e100
"""No amount that a plug-in tells is more: squares, sums and products of what is less stay finite."""
MOST = 1_000_000_000
"""No count is higher: what nobody can wait for is a slip."""
ImageShape = tuple[int, int, int]
"""Channels, height and width of an image."""
PROTOCOL = 1
"""Raised when the core itself changes what the same settings measure."""


def digest(*values: Any, content: Iterable[bytes | memoryview] = ()) -> str:
    """The name of JSON values, whatever the order of their keys, and of what follows them: 16 hexadecimal digits.

    They are the first of the SHA-256 of the values' JSON and the bytes of `content`.
    """
    found = hashlib.sha256()
    for value in values:
        found.update(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())
    for part in content:
        found.update(part)
    return found.hexdigest()[:16]


@dataclass(frozen=True)
class Added:
    """Marks a setting that a plug-in got when there were records already: `Annotated[bool, Added()]`.

    At its default it stays out of the canonical JSON, so that those records keep their keys.
    """


class Settings(BaseModel):
    """A frozen set of named values. Unknown names and numbers that are not finite are refused.

    Two equal settings are the same experiment.
    """

    revision: ClassVar[Annotated[int, Field(ge=1)]] = 1
    """Raised when the same settings start to mean something else: every cell that uses them is then a new one.

    It counts together with those of the bases, see `revision_of`."""
    phrases: ClassVar[Mapping[str, str]] = {}
    """How tables say a setting, by its name: a text with `{}` for the value, such as `{} {step|steps}`.

    Of two words in braces the first is said of a value of 1. Without a text it is name and value."""
    large: ClassVar[Mapping[str, Any]] = {}
    """What the source sets for the ImageNet subset: replaces the defaults if images have 128 pixels or more."""

    idle: ClassVar[frozenset[str]] = frozenset()
    """Settings that its relatives have and that do nothing here: a grid that writes one is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def phrase(self, key: str) -> str:
        """A setting as tables say it: `FGSM in the noise step`, `clean part only`, or a radius alone."""
        value = self.model_dump(mode="json")[key]
        if isinstance(value, str):
            value = value.upper() if value in ACRONYMS else value.replace("_", " ")
        if isinstance(value, list):
            value = ", ".join(f"{item:.3g}" if isinstance(item, float) else str(item) for item in value)
        name = key.replace("_", " ")
        if value is None:
            return f"default {name}"
        if isinstance(value, bool):
            return name if value else f"no {name}"
        phrase = self.phrases.get(key) or PHRASES.get(key) or f"{name} {'{:g}' if isinstance(value, float) else '{}'}"
        return FORMS.sub(lambda forms: forms[1 if value == 1 else 2], phrase).format(value)

    def canonical(self) -> dict[str, Any]:
        """Revision and all settings, defaults included, as JSON values: what decides a key."""
        fields = type(self).model_fields.items()
        added = {name: field.default for name, field in fields if Added() in field.metadata}
        unchanged = {name for name, default in added.items() if getattr(self, name) == default}
        return {"revision": revision_of(type(self)), **self.model_dump(mode="json", exclude=unchanged)}


def explained(error: ValidationError) -> str:
    """The first thing that pydantic found wrong with a value: where in it, what, and what stands there, in one line."""
    return problem(error.errors()[0])


def problem(first: ErrorDetails) -> str:
    """One thing that pydantic found wrong with a value, in one line, with the value if it is a single one."""
    place, value = ".".join(map(str, first["loc"])), brief(first["input"])
    ours = first["type"] == "value_error"
    said = str(first["ctx"]["error"]) if ours else first["msg"]
    if first["type"] == "missing":
        said = "is missing"
    elif not ours or (not isinstance(first["input"], dict | list) and value not in said):
        said += f", got {value}"
    wrong = f"{said[:1].lower()}{said[1:]}"
    return one_line(f"{place}: {wrong}" if place else wrong)


def is_number(value: Any) -> bool:
    """Whether a value of a file is a number, which text and `true` are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_usable(number: float) -> bool:
    """Whether calculations take the number: it is finite and, if whole, of 64 bits."""
    return abs(number) <= LARGEST if isinstance(number, int) else math.isfinite(number)


def parse_fraction(value: Any) -> Any:
    """Read `8/255` as a finite number; leave everything else to the type check that follows."""
    if not isinstance(value, str):
        return value
    numerator, slash, denominator = value.partition("/")
    try:
        number = float(numerator) / float(denominator) if slash else float(numerator)
    except (ValueError, ZeroDivisionError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"must be a number or a fraction such as 8/255, got {brief(value)}")
    return number


def format_fraction(value: float) -> str | float:
    """Write a radius as people read it, `8/255`, wherever that gives back the same number."""
    text = f"{value * 255:.10g}/255"
    return text if parse_fraction(text) == value else value


def _radius_in(interval: str) -> BeforeValidator:
    """Whoever writes grey levels is told how to write them; smaller values are left to the field."""

    def read(value: Any) -> Any:
        value = parse_fraction(value)
        if is_number(value) and value > 1:
            raise ValueError(f"must be in {interval}, got {value:g}; write {value:g}/255, not {value:g}")
        return value

    return BeforeValidator(read)


_written = PlainSerializer(format_fraction, return_type=str | float, when_used="json")

Radius = Annotated[float, _radius_in("(0, 1]"), Field(gt=0), _written]
"""The bound of a perturbation of images in [0, 1]: in (0, 1], written `8/255`."""

RadiusOrZero = Annotated[float, _radius_in("[0, 1]"), Field(ge=0), _written]
"""As Radius, with 0 for no perturbation at all."""

Fraction = Annotated[float, BeforeValidator(parse_fraction), Field(ge=0, le=1)]
"""A share in [0, 1]."""

PositiveFraction = Annotated[float, BeforeValidator(parse_fraction), Field(gt=0, le=1)]
"""A share in (0, 1]: one for which 0 would do nothing."""

Positive = Annotated[float, BeforeValidator(parse_fraction), Field(gt=0)]
NonNegative = Annotated[float, BeforeValidator(parse_fraction), Field(ge=0)]
Count = Annotated[int, Field(ge=1, le=MOST)]
CountOrZero = Annotated[int, Field(ge=0, le=MOST)]
