"""The JSON Schema of a grid file, so that editors complete and check it."""

from typing import Any

from pydantic import BaseModel

from bench.core.train import Recipe
from bench.grid.expand import TABLES, Block, GridFile


def grid_schema() -> dict[str, Any]:
    """Draft 2020-12; every plug-in's settings stand in it, each as a single value or a list to sweep."""
    schema = GridFile.model_json_schema()
    properties = schema["properties"]
    for group, table in TABLES.items():
        entry = {"anyOf": [{"enum": list(table)}, *(_entry(name, table[name]) for name in table)]}
        if group == "attacks":
            entry = {"anyOf": [entry, {"type": "array", "items": entry, "minItems": 1}]}
        properties[group]["items"] = entry
    block = Block.model_json_schema()
    block["properties"] |= {group: properties[group] for group in block["properties"]}
    properties["also"]["items"] = block
    properties["train"] = Recipe.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Grid of unlearnable-bench"}


def _entry(name: str, settings: type[BaseModel]) -> dict[str, Any]:
    own = settings.model_json_schema()
    properties: dict[str, Any] = {
        key: {"anyOf": [_single(value), {"type": "array", "items": _single(value), "minItems": 1}]}
        for key, value in own.get("properties", {}).items()
    }
    return {
        "type": "object",
        "description": own.get("description", ""),
        "properties": {"name": {"const": name}, **properties},
        "required": ["name", *own.get("required", [])],
        "additionalProperties": False,
    }


def _single(value: dict[str, Any]) -> dict[str, Any]:
    """A setting's schema; a radius may also be written as a fraction."""
    if value.get("type") == "number":
        bounds = {key: bound for key, bound in value.items() if key not in ("type", "default")}
        return {"anyOf": [{"type": "number", **bounds}, {"type": "string", "pattern": r"^[\d.]+/[\d.]+$"}]}
    return value
