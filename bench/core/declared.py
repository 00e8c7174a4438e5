"""What plug-ins declare on their classes, checked when their tables are loaded: each must be as it is annotated."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Set
from difflib import get_close_matches
from types import FunctionType
from typing import Any, ClassVar, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from bench.core.errors import UserError, brief, suggestion
from bench.core.protocols import HOOKS, Attack
from bench.core.settings import Settings, explained, problem

METHODS = (FunctionType, classmethod, staticmethod, property)
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

WRAPPED: dict[str, Callable[[str], Any]] = {
    "frozen_set_type": lambda word: frozenset({word}),
    "tuple_type": lambda word: (word,),
}
"""What a single word was meant as, by what pydantic says is no such thing."""


def check_table(group: str, table: Mapping[str, Any], base: type[Settings]) -> None:
    """Raise UserError for the first plug-in of a table that is no complete class of the kind `base`.

    It names file, class, attribute and value, and what is allowed.
    """
    declared = dict(_declared(base))
    for name, kind in table.items():
        if not (isinstance(kind, type) and issubclass(kind, base)):
            raise UserError(
                f"{group}/__init__.py: {name}: must be a class of the kind {base.__name__}, got {brief(kind)}"
            )
        for missing in sorted(getattr(kind, "__abstractmethods__", ())):
            raise UserError(f"{_place(kind, missing)}: is missing; each {base.__name__} must define it")
        if not (kind.__doc__ or "").strip() and sys.flags.optimize < 2:  # python -OO leaves no docstring
            raise UserError(f"{_place(kind)}: has no docstring; its first line is what `list` says of it")
        for attribute, allowed in declared.items():
            _check(kind, attribute, allowed)
        _check_settings(kind)
        for name, owner in _methods(kind).items():
            _check_method(kind, name, owner)
        if issubclass(kind, Attack):
            _check_hooks(kind)


def check_names(tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise UserError for the first name that two tables have: plans tell plug-ins of all kinds by name."""
    owners: dict[str, str] = {}
    for group, table in tables.items():
        for name in table:
            if owner := owners.get(name):
                raise UserError(f"{group}/__init__.py: {name}: {owner}/__init__.py has one of this name; rename one")
            owners[name] = group


def _check_hooks(kind: type[Attack]) -> None:
    """Plain training has no hook and says so; without one, any other attack would be plain training too."""
    hooks = kind.hooks()
    if kind.plain and hooks:
        raise UserError(f"{_place(kind, hooks[0])}: plain training has no hook; an attack has plain = False")
    if not (kind.plain or hooks):
        own = [name for name in dir(kind) if name not in dir(Attack) and inspect.isfunction(getattr(kind, name))]
        slip = next((name for name in own if get_close_matches(name, HOOKS, 1)), "")
        raise UserError(f"{_place(kind, slip)}: {'is' if slip else 'has'} no hook{suggestion(slip, HOOKS)}")


def _declared(base: type[Settings]) -> Iterator[tuple[str, TypeAdapter[Any]]]:
    """The class attributes of a kind of plug-in, each with what it may be."""
    for owner in base.__mro__:
        if issubclass(owner, Settings):
            for name, annotation in inspect.get_annotations(owner, eval_str=True).items():
                origin: Any = get_origin(annotation)
                if origin is ClassVar:
                    yield name, TypeAdapter(*get_args(annotation))


def _check(kind: type[Settings], name: str, allowed: TypeAdapter[Any]) -> None:
    """Check an attribute wherever it is set: bases count too, since revisions add up."""
    if name in kind.model_fields:
        raise UserError(f"{_place(kind, name)}: is no setting; write `{name}: ClassVar = ...`")
    owners = [owner for owner in kind.__mro__ if name in vars(owner)]
    for owner in owners or [kind]:
        value = vars(owner).get(name)
        try:
            allowed.validate_python(_strictly(value), strict=True)
        except ValidationError as error:
            raise UserError(f"{_place(owner, name)}: {explained(error)}{_meant(value, error)}") from None


def _meant(value: Any, error: ValidationError) -> str:
    """How to write a single word where several may stand: the end of a message."""
    wrapped = WRAPPED.get(error.errors()[0]["type"])
    return f"; write {wrapped(value)!r}" if wrapped and isinstance(value, str) else ""


def _strictly(value: Any) -> Any:
    """The same as what pydantic takes for a mapping or a set: a dict or a frozenset."""
    return dict(value) if isinstance(value, Mapping) else frozenset(value) if isinstance(value, Set) else value


def _check_settings(kind: type[Settings]) -> None:
    """Each default must be what the type of its setting allows, and so must what replaces it for large images."""
    fields = kind.model_fields.items()
    defaults = {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}
    for where, values in (("", defaults), ("large", defaults | dict(kind.large))):
        try:
            kind.model_validate(values)
        except ValidationError as error:
            for wrong in error.errors():
                if wrong["type"] != "missing":  # a setting without a default must be written
                    raise UserError(f"{_place(kind, where)}{'.' if wrong['loc'] else ': '}{problem(wrong)}") from None


def _methods(kind: type[Settings]) -> dict[str, type[Settings]]:
    """The public methods and properties of a plug-in, each with the base that has it first."""
    owners = [owner for owner in kind.__mro__ if issubclass(owner, Settings)]
    return {
        name: owner
        for owner in owners
        for name, value in vars(owner).items()
        if isinstance(value, METHODS) and name[0] != "_"
    }


def _check_method(kind: type[Settings], name: str, owner: type[Settings]) -> None:
    """It must take what the one of `owner` takes, which it overrides, and must not be hidden by a setting."""
    first, found = inspect.getattr_static(owner, name), inspect.getattr_static(kind, name)
    if name in kind.model_fields:
        raise UserError(f"{_place(kind, name)}: is a method of {owner.__name__}; give the setting another name")
    if isinstance(first, property):
        if isinstance(found, FunctionType):
            raise UserError(f"{_place(kind, name)}: is called without parentheses; write @property above it")
        return
    if not isinstance(found, METHODS) or isinstance(found, property):
        raise UserError(f"{_place(kind, name)}: must be a method, got {brief(found)}")
    expected = inspect.signature(first.__get__(object(), owner)).parameters.values()
    try:
        inspect.signature(found.__get__(object(), kind)).bind(*(one for one in expected if one.kind in POSITIONAL))
    except (TypeError, ValueError):  # it takes others, or not even itself
        wanted, got = (", ".join(inspect.signature(getattr(one, name)).parameters) for one in (owner, kind))
        raise UserError(f"{_place(kind, name)}: must take ({wanted}), got ({got})") from None


def _place(owner: type, name: str = "") -> str:
    """File, class and, with a name, its attribute: the beginning of a message."""
    return f"{inspect.getfile(owner)}: {owner.__name__}{name and '.'}{name}"
