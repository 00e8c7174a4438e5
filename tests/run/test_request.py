"""What a user asked to run: filters, and the plans that are written beside the records."""

from pathlib import Path
from typing import Any

from bench.run.request import Request
from tests.grid.test_controls import HEAD


def request(folder: Path, **changes: Any) -> Request:
    (folder / "scales.yaml").write_text("paper: {}\n")
    (folder / "grid.yaml").write_text(HEAD + "methods: [em, sem]\nattacks: [none, early_stopping]\n")
    settings: dict[str, Any] = {"scale": "paper", "assignments": (), "only": (), "seeds": None, "noise_seeds": None}
    settings |= {"jobs": 1, "device": "cpu", "data_root": folder, "results": folder, "cluster": ""}
    return Request((folder / "grid.yaml",), **(settings | {"retry_failed": False} | changes))


def test_filters_hold_for_controls_as_for_all_else(tmp_path: Path) -> None:
    assert {cell.method.name for cell in request(tmp_path, only=("method=sem",)).cells} == {"sem"}
    assert {cell.method.name for cell in request(tmp_path, only=("method=random",)).cells} == {"random"}
    stopping = request(tmp_path, only=("attack=early_stopping",)).cells
    assert [cell.method.name for cell in stopping] == ["clean", "random", "em", "sem"]


def test_the_plan_says_what_is_a_control_and_what_an_attack_assumes(tmp_path: Path) -> None:
    [plan] = request(tmp_path).plans().values()
    told = {(place["method"], place["attack"]): (place["control"], place["assumes"]) for place in plan["conditions"]}
    assert told["clean", "none"] == (True, [])
    control = "partial_poisoning protected=0.9 clean_part_only=True"
    assert told["clean", control] == (True, ["clean images"])
    assert told["sem", "early_stopping"] == (False, [])
    by_place = {(place["method"], place["attack"]): place for place in plan["conditions"]}
    assert by_place["sem", "early_stopping"]["own_controls"] == [{"method": "clean", "attack": control}]
    assert by_place["sem", "none"]["own_controls"] == []
    assert [attack for (method, attack), place in by_place.items() if method == "clean" and place["release"]] == [
        control
    ]
