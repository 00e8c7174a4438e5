"""The JSON Schema of a grid file, so that editors complete and check it; `python -m bench.grid.schema` writes it."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bench.core.train import Recipe
from bench.grid.grid_file import Block, GridFile
from bench.grid.plug_ins import TABLES

FILE = Path(__file__).with_name("grid.schema.json")
"""What `python -m bench schema` prints: it needs neither the plug-ins nor torch, which take seconds to import."""


def schema_text() -> str:
    """The content that FILE should have, on one line, because nobody edits it."""
    return json.dumps(grid_schema(), separators=(",", ":")) + "\n"


def grid_schema() -> dict[str, Any]:
    """Draft 2020-12; every plug-in's settings stand in it, each as a single value or a list to sweep."""
    schema, block = GridFile.model_json_schema(), Block.model_json_schema()
    entries = {
        group: {"anyOf": [{"enum": list(table)}, *(_entry(name, table[name]) for name in table)]}
        for group, table in TABLES.items()
    }
    properties = schema["properties"]
    for group in entries:
        properties[group]["items"] = {"$ref": f"#/$defs/{group}"}
    properties["attacks"]["items"] = _single_or_list(properties["attacks"]["items"])
    block["properties"] |= {group: properties[group] for group in entries.keys() & block["properties"]}
    properties["also"]["items"] = block
    properties["train"] = Recipe.model_json_schema()
    required = [{"required": schema.pop("required")}, {"required": ["like"]}]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Grid of unlearnable-bench"}
    return {**schema, **head, "anyOf": required, "$defs": entries}


def _entry(name: str, settings: type[BaseModel]) -> dict[str, Any]:
    own = settings.model_json_schema()
    properties: dict[str, Any] = {
        key: _single_or_list(_single(value)) for key, value in own.get("properties", {}).items()
    }
    return {
        "type": "object",
        "description": own.get("description", ""),
        "properties": {"name": {"const": name}, **properties},
        "required": ["name", *own.get("required", [])],
        "additionalProperties": False,
    }


def _single_or_list(value: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]}


def _single(value: dict[str, Any]) -> dict[str, Any]:
    """A setting's schema; a radius may also be written as a fraction."""
    if value.get("type") == "number":
        bounds = {key: bound for key, bound in value.items() if key not in ("type", "default")}
        return {"anyOf": [{"type": "number", **bounds}, {"type": "string", "pattern": r"^[\d.]+/[\d.]+$"}]}
    return value


if __name__ == "__main__":
    FILE.write_text(schema_text())
