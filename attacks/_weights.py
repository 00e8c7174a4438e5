"""Pretrained weights from a file or the hub: known by content, read without running code, fitted without a guess."""

import io
from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import safetensors.torch
import torch
from pydantic import Field
from torch import Tensor, nn

from bench.core import (
    HASH,
    TIMM,
    Classifier,
    KnownFile,
    brief,
    classifier_layers,
    digest,
    file_setting,
    head_of,
    known_file,
)

HUB = "hub"
KEPT, NETWORK = "weights/", "body."
"""What the names in a file of `--keep surrogates` begin with."""
INSTEAD = "name a file: weights: FILE, or --set 'attacks.*.weights=FILE'"
HUB_FILES = ("model.safetensors", "pytorch_model.bin")
TIMEOUT = 10
"""Seconds to wait for the hub's first answer."""


class WeightsError(ValueError):
    """A file holds no weights, or weights do not fit. The message is one line: which, what is wrong, what to write."""


@dataclass(frozen=True)
class Weights(KnownFile):
    """Which pretrained weights: a file, or those that the hub has; then the content is `hub`."""

    def on(self, victim: str) -> dict[str, Any]:
        """What fixes the weights beyond `content`: timm's name and tag of those that the hub has for `victim`."""
        return {"hub": _address(victim)} if self.content == HUB else {}

    def lack(self, victim: str) -> str:
        """Why there are no weights for the network called `victim`, and what a user can write; empty if there are."""
        if self.content != HUB or _address(victim):
            return ""
        return f"the hub has no weights for {victim}, but for many networks called {TIMM}NAME; {INSTEAD}"


def _address(victim: str) -> str | tuple[str, ...]:
    """Where the hub has weights for the network called `victim`; empty if it has none."""
    if not victim.startswith(TIMM):
        return ""
    import timm

    known = timm.get_pretrained_cfg(victim.removeprefix(TIMM))
    return (known.hf_hub_id or known.url or "") if known else ""


def _parse(value: Any) -> Any:
    """Read `hub`, the name of a file, or the hash that stands in a record."""
    if isinstance(value, Weights):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be {HUB} or a file of weights, got {brief(value)}")
    if value == HUB:
        return Weights(HUB)
    try:
        return Weights(*astuple(known_file(value)))
    except ValueError as error:
        raise ValueError(f"{error}; write {HUB} or a file") from None


PretrainedWeights = Annotated[
    Weights,
    *file_setting(_parse),
    Field(json_schema_extra={"default": HUB}),  # as people write it
]
"""A setting: `hub`, or a file, absolute or relative to the working folder. In the cell's key stands its content."""


class Pretrained(NamedTuple):
    """Weights as they were read."""

    name: str
    """What messages and the record call them."""
    digest: str
    tensors: dict[str, Tensor]
    """Those of the network inside a Classifier, by name."""
    normalisation: Mapping[str, Any]
    """`mean` and `std` for each channel, if the network does not expect x - 1/2."""


def load(model: Classifier, weights: Weights, *, classifier: bool) -> dict[str, str]:
    """Put `weights` into the network, its classifier layer only if so asked, and return what to note of them.

    The network takes their normalisation too. Raises WeightsError if the file has none, and if a tensor is missing,
    unexpected or of another shape; UserError or OSError, which are no fault of the cell, if they cannot be had now.
    """
    found = _from_hub(model.body) if weights.content == HUB else _from_file(weights, model.body)
    layers = classifier_layers(model.body)
    left = [] if classifier else [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]
    _check(found, model.body.state_dict(), left)
    fitting = {name: tensor for name, tensor in found.tensors.items() if name not in left}
    model.body.load_state_dict(fitting, strict=False)
    if found.normalisation:
        model.normalise(*(torch.as_tensor(found.normalisation[name]) for name in ("mean", "std")))
    return {"weights": weights.path.name if weights.path else found.name, "digest": found.digest}


def _check(found: Pretrained, wanted: Mapping[str, Tensor], left: Collection[str]) -> None:
    """Raise WeightsError for the first tensor, but those `left` out, that does not fit the network."""
    for name in [*wanted, *found.tensors]:
        if name in left:
            continue
        if name not in found.tensors:
            raise WeightsError(f"{found.name}: tensor {name} ({_shape(wanted[name])}) of the victim is missing")
        if name not in wanted:
            raise WeightsError(f"{found.name}: tensor {name} ({_shape(found.tensors[name])}) is not in the victim")
        there, here = _shape(found.tensors[name]), _shape(wanted[name])
        if there != here:
            raise WeightsError(f"{found.name}: tensor {name} is {there}, in the victim {here}")


def _from_file(weights: Weights, body: nn.Module) -> Pretrained:
    file = weights.unchanged()
    tensors = _tensors(file, file.read_bytes())
    kept = {name.removeprefix(KEPT): tensor for name, tensor in tensors.items() if name.startswith(KEPT)}
    tensors = kept or tensors
    if not any(name.startswith(NETWORK) for name in tensors):
        return Pretrained(str(file), weights.content, tensors, _told(body))
    own: dict[str, Any] = {}
    if {"mean", "std"} <= tensors.keys():
        own = {name: tensors.pop(name).flatten() for name in ("mean", "std")}
    inside = {name.removeprefix(NETWORK): tensor for name, tensor in tensors.items()}
    return Pretrained(str(file), weights.content, inside, own)


def _tensors(file: Path, content: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file, else of what `torch.save` wrote, by name."""
    try:
        if file.suffix == ".safetensors":
            return safetensors.torch.load(content)
        found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or foreign file makes its reader raise anything
        raise WeightsError(f"{file}: not a file of weights ({head_of(error)})") from None
    if not isinstance(found, dict) or not all(isinstance(tensor, Tensor) for tensor in found.values()):
        raise WeightsError(f"{file}: holds no tensors by name; save the state_dict of a network")
    return found


def _from_hub(body: nn.Module) -> Pretrained:
    """What timm has pretrained for its network, from the cache or the hub."""
    import huggingface_hub
    import timm

    told = body.pretrained_cfg
    assert isinstance(told, dict)  # only networks of timm have weights on the hub
    address = told["hf_hub_id"] or told["url"]
    try:
        if told["hf_hub_id"] and not _cached(address):
            # Without a network the hub's own download asks again and again, for a minute.
            huggingface_hub.get_session().head(huggingface_hub.constants.ENDPOINT, timeout=TIMEOUT)
        with torch.random.fork_rng(devices=[]):
            tensors = timm.create_model(told["architecture"], pretrained=True).state_dict()
    except Exception as error:  # network, hub, cache and timm each have errors of their own
        raise ConnectionError(f"{address}: cannot be had from the hub now ({head_of(error)}); {INSTEAD}") from error
    about = {name: [str(tensor.dtype), _shape(tensor)] for name, tensor in tensors.items()}
    content = (tensor.contiguous().numpy().data for tensor in tensors.values())
    return Pretrained(address, HASH + digest(about, content=content), tensors, _told(body))


def _cached(address: str) -> bool:
    import huggingface_hub

    return any(isinstance(huggingface_hub.try_to_load_from_cache(address, file), str) for file in HUB_FILES)


def _told(body: nn.Module) -> dict[str, Any]:
    """The normalisation that timm says its weights for this network expect; nothing for networks of the suite."""
    told = getattr(body, "pretrained_cfg", {})
    return {name: told[name] for name in ("mean", "std") if name in told}


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"
