"""What tests of methods share."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import methods._perturbed_views

Draw = Callable[[Tensor, torch.Generator], Callable[[Tensor], Tensor]]
UseViews = Callable[[Draw], None]


@pytest.fixture
def use_views(monkeypatch: pytest.MonkeyPatch) -> UseViews:
    """A function that replaces flip and crop inside the family."""
    return lambda draw: monkeypatch.setattr(methods._perturbed_views, "flip_crop", draw)
