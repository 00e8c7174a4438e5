"""Which networks are compiled: by what was measured, once, and only where there is enough to do."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.core import compilation
from bench.core.compilation import EAGER, Calls, Modes
from bench.core.models import Classifier
from bench.core.session import Session
from bench.run import tuning
from bench.run.tuning import GAIN, WORTH_TRYING, KeptTuner, fastest, trial
from bench.store import Store
from tests.conftest import MadeUp, Undisturbed

CPU = torch.device("cpu")
SHAPE = (4, 3, 8, 8)
SECONDS_PER_PASS = 0.5
ENOUGH = WORTH_TRYING / SECONDS_PER_PASS


def timings(**seconds: tuple[float, float]) -> dict[str, Any]:
    """A trial with made-up seconds for training and frozen, by mode."""
    return {
        mode: {"training": {"seconds": training}, "frozen": {"seconds": frozen}}
        for mode, (training, frozen) in seconds.items()
    }


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which measurements were made; they find half a second per pass, and compiled input gradients twice as fast."""
    made: list[str] = []

    def look(*arguments: object) -> float:
        made.append("look")
        return SECONDS_PER_PASS

    def try_all(*arguments: object) -> dict[str, Any]:
        made.append("trial")
        return timings(eager=(1.0, 1.0), compiled=(1.0, 0.5))

    monkeypatch.setattr(tuning, "seconds_per_pass", look)
    monkeypatch.setattr(tuning, "trial", try_all)
    return made


def tuner(folder: Path, passes: float, **changes: Any) -> KeptTuner:
    return KeptTuner(
        **{"store": Store(folder), "device": CPU, "passes": passes, "shape": SHAPE, "num_classes": 2} | changes
    )


def modes(folder: Path, passes: float, name: str = "cnn", **changes: Any) -> Modes:
    def make() -> Classifier:
        raise AssertionError("made-up measurements need no network")

    return tuner(folder, passes, **changes).modes(name, make)


def test_each_kind_of_work_takes_its_fastest_mode() -> None:
    assert fastest(timings(eager=(2.0, 2.0), compiled=(1.0, 3.0))) == Modes("compiled", "eager")
    assert fastest(timings(eager=(2.0, 2.0), compiled=(1.0, 1.0), graphs=(1.5, 0.5))) == Modes("compiled", "graphs")
    assert fastest(timings(eager=(2.0, 2.0))) == EAGER


def test_a_mode_must_be_clearly_faster_than_a_simpler_one() -> None:
    nearly, clearly = 1 - 0.9 * GAIN, 1 - 1.1 * GAIN
    assert fastest(timings(eager=(1.0, 1.0), compiled=(nearly, clearly))) == Modes("eager", "compiled")
    assert fastest(timings(eager=(2.0, 2.0), compiled=(1.0, 1.0), graphs=(nearly, clearly))) == Modes(
        "compiled", "graphs"
    )


def test_a_mode_that_failed_is_not_taken() -> None:
    found = timings(eager=(1.0, 1.0), compiled=(0.5, 0.5))
    found["compiled"]["training"] = {"error": "Unsupported: a generator"}
    assert fastest(found) == Modes("eager", "compiled")


def test_short_work_is_done_eagerly_without_a_trial(tmp_path: Path, measured: list[str]) -> None:
    assert modes(tmp_path, 0.99 * ENOUGH) == EAGER
    assert measured == ["look"]


def test_long_work_is_tried_once_and_the_choice_is_kept(tmp_path: Path, measured: list[str]) -> None:
    first = modes(tmp_path, ENOUGH)
    assert first == modes(tmp_path, 2 * ENOUGH) == Modes("eager", "compiled")
    assert measured == ["look", "trial"]
    [file] = (tmp_path / "speed").iterdir()
    kept = json.loads(file.read_text())
    assert kept["network"] == "cnn"
    assert kept["shape"] == list(SHAPE)
    assert kept["trial"] == timings(eager=(1.0, 1.0), compiled=(1.0, 0.5))


def test_a_trial_changes_nothing_for_short_work(tmp_path: Path, measured: list[str]) -> None:
    assert modes(tmp_path, ENOUGH) != EAGER
    assert modes(tmp_path, 0.99 * ENOUGH) == EAGER


@pytest.mark.parametrize(
    "changes", [{"name": "resnet18"}, {"shape": (5, 3, 8, 8)}, {"num_classes": 3}], ids=["name", "shape", "classes"]
)
def test_other_networks_and_batches_are_measured_apart(
    changes: dict[str, Any], tmp_path: Path, measured: list[str]
) -> None:
    modes(tmp_path, 0)
    modes(tmp_path, 0, **changes)
    assert measured == ["look", "look"]


def test_another_machine_or_torch_is_measured_apart(
    tmp_path: Path, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    modes(tmp_path, 0)
    about = tuning.describe(CPU)
    for part in ("device", "processor", "precision", "threads"):
        monkeypatch.setattr(tuning, "describe", lambda device, part=part: about | {part: "another"})
        modes(tmp_path, 0)
    monkeypatch.setattr(tuning, "describe", lambda device: about)
    monkeypatch.setattr(tuning.torch, "__version__", "0")
    modes(tmp_path, 0)
    assert measured == 6 * ["look"]


def small(name: str) -> Classifier:
    return Session(0, CPU).build(name, num_classes=2, channels=3)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(tuning, "LOOK", 0.001)
    monkeypatch.setattr(tuning, "ROUND", 0.001)
    return monkeypatch


def test_a_network_that_cannot_be_compiled_stays_eager_and_the_reason_is_kept(
    hasty: pytest.MonkeyPatch, two_layers: str, undisturbed: Undisturbed
) -> None:
    def refuse(mode: str) -> Any:
        raise RuntimeError("no C++ compiler")

    hasty.setattr(compilation, "compiled", refuse)
    with undisturbed():
        found = trial(lambda: small(two_layers), SHAPE, 2, CPU)
    assert set(found) == {"eager", "compiled"}
    assert all(timing["seconds"] > 0 for timing in found["eager"].values())
    assert found["compiled"] == {kind: {"error": "RuntimeError: no C++ compiler"} for kind in ("training", "frozen")}
    assert fastest(found) == EAGER


def test_an_error_of_the_network_itself_is_not_hidden(hasty: pytest.MonkeyPatch, two_layers: str) -> None:
    with pytest.raises(RuntimeError, match="channels"):
        trial(lambda: small(two_layers), (4, 5, 8, 8), 2, CPU)


def test_both_kinds_of_work_are_timed_in_the_mode_that_is_asked(hasty: pytest.MonkeyPatch, two_layers: str) -> None:
    seen: list[tuple[str, bool]] = []

    def compiled(mode: str) -> Any:
        def call(body: torch.nn.Module, pixels: torch.Tensor) -> torch.Tensor:
            seen.append((mode, body.training))
            return compilation.plain(body, pixels)

        return call

    hasty.setattr(compilation, "compiled", compiled)
    hasty.setattr(tuning, "candidates", lambda device: ("eager", "compiled", "graphs"))
    found = trial(lambda: small(two_layers), SHAPE, 2, CPU)
    assert list(dict.fromkeys(seen)) == [(mode, kind) for mode in ("compiled", "graphs") for kind in (True, False)]
    assert all(set(timing) == {"seconds", "compile_seconds"} for mode in found.values() for timing in mode.values())


def test_a_machine_that_was_busy_at_first_does_not_make_compiling_look_good(
    monkeypatch: pytest.MonkeyPatch, two_layers: str
) -> None:
    seconds = iter((9.0, 9.0, 4.0, 4.0, 3.0, 10.0))  # eager, compiled, eager again; each in training, then frozen
    monkeypatch.setattr(tuning, "timing", lambda action, device: {"seconds": next(seconds), "compile_seconds": 0.0})
    found = trial(lambda: small(two_layers), SHAPE, 2, CPU)
    assert [timing["seconds"] for timing in found["eager"].values()] == [3.0, 9.0]
    assert fastest(found) == Modes("eager", "compiled")


def test_compile_time_is_what_the_first_calls_take_beyond_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = [0.0], [0]
    monkeypatch.setattr("bench.run.timing.time.perf_counter", lambda: clock[0])

    def action() -> None:
        calls[0] += 1
        clock[0] += 7.25 if calls[0] == 1 else 0.25

    found = tuning.timing(action, CPU)
    assert found == {"seconds": 0.25, "compile_seconds": 7.0}


class Told:
    """A tuner that always says the same, and who asked."""

    def __init__(self, modes: Modes) -> None:
        self.told, self.asked = modes, list[str]()

    def modes(self, name: str, make: Any) -> Modes:
        self.asked.append(name)
        assert not torch.equal(make().body[0].weight, torch.zeros(1))
        return self.told


def test_a_session_asks_once_for_each_network_and_tells_what_it_was_told(two_layers: str) -> None:
    told = Told(Modes(frozen="compiled"))
    session = Session(0, CPU, tuner=told)
    one, other = (session.build(two_layers, num_classes=2, channels=3) for _ in range(2))
    assert told.asked == [two_layers]
    assert session.modes == {two_layers: Modes(frozen="compiled")}
    assert one.calls.modes == other.calls.modes == Modes(frozen="compiled")
    plain = Session(0, CPU).build(two_layers, num_classes=2, channels=3)
    assert plain.calls.modes == EAGER
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), plain.parameters(), strict=True))


def test_what_a_tuner_tries_with_is_not_counted(two_layers: str, hasty: pytest.MonkeyPatch, tmp_path: Path) -> None:
    session = Session(0, CPU, tuner=tuner(tmp_path, 0))
    model = session.build(two_layers, num_classes=2, channels=3)
    assert session.passes == model.gradient_images == 0
    assert json.loads(next((tmp_path / "speed").iterdir()).read_text())["seconds_per_pass"] > 0


def test_what_earlier_sessions_compiled_is_forgotten_before_more_is_compiled(
    two_layers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[int] = []
    monkeypatch.setattr("bench.core.session.forget", lambda: forgotten.append(1))
    for told, times in ((EAGER, 0), (Modes("compiled"), 1)):
        session = Session(0, CPU, tuner=Told(told))
        for name in (two_layers, "cnn"):
            session.build(name, num_classes=2, channels=3)
        assert len(forgotten) == times


def test_work_measured_leaves_the_network_trainable(two_layers: str, made_up: MadeUp) -> None:
    model = small(two_layers)
    model.calls = Calls()
    for kind in tuning.KINDS:
        with tuning.work(model, kind, SHAPE, 2, CPU) as action:
            action()
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
