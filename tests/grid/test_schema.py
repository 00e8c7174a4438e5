"""The schema of grid files knows all plug-ins, and what is shipped is what the code says."""

import json

import pytest

from bench.grid.schema import FILE, schema_text
from methods import METHODS
from tests.commands import bench


def test_the_schema_that_is_shipped_is_up_to_date() -> None:
    assert FILE.read_text() == schema_text(), "run: python -m bench.grid.schema"


def test_the_schema_knows_every_plug_in_and_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("schema") == 0
    schema = json.loads(capsys.readouterr().out)
    names, *entries = schema["$defs"]["methods"]["anyOf"]
    assert names == {"enum": list(METHODS)}
    by_name = {entry["properties"]["name"]["const"]: entry for entry in entries}
    assert "random_radius" in by_name["sem"]["properties"]
    assert schema["properties"]["methods"]["items"] == {"$ref": "#/$defs/methods"}
    block = schema["properties"]["also"]["items"]
    assert block["properties"]["methods"] == schema["properties"]["methods"]
    assert set(block["required"]) == {"methods"}
    assert set(block["properties"]) == {"methods", "attacks", "noise_seeds"}
    whole, like = (set(form["required"]) for form in schema["anyOf"])
    assert whole == {"title", "datasets", "models", "methods", "attacks"}
    assert like == {"like"}
