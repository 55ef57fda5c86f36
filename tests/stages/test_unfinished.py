"""Trainings that are interrupted and resumed: to the bit, never with other settings or data, never with a damaged file."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.dummy import DummyRegressor

from napari_wse2xai.data import PairedMaps, TrainedModel
from napari_wse2xai.errors import Cancelled, DataError, DataWarning, StopTraining
from napari_wse2xai.learning import checkpoint, references
from napari_wse2xai.stages import Train
from napari_wse2xai.stages.train import OneCycle
from napari_wse2xai.stages.unfinished import NETWORKS, NOTE, Unfinished
from napari_wse2xai.synthetic import make_flake

sys.path.append(str(Path(__file__).parents[1]))

from truth_pairs import truth_pair

SETTINGS = Train(target="position", recipe=OneCycle(epochs=4, dropout=0.2), surrogates=39, block_folds=2)


@pytest.fixture(scope="module", autouse=True)
def quick_rivals() -> Iterator[None]:
    """Leave out the slow references: they are trained anew in every run, and what they are does not matter here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(references, "reference_models", lambda seed: {"mean": DummyRegressor()})
        yield


@pytest.fixture(scope="module")
def pair() -> PairedMaps:
    return truth_pair(make_flake("triangle", shape_px=(18, 20), seed=1))


@pytest.fixture(scope="module")
def whole(pair: PairedMaps) -> TrainedModel:
    """Trained without interruption, and without a folder."""
    return SETTINGS([pair])


class StopAt:
    """Progress that raises something when a message holds all of some words, and notes what it was told."""

    def __init__(self, stop: type[BaseException], *words: str) -> None:
        self.stop, self.words, self.told = stop, words, list[str]()

    def __call__(self, fraction: float, message: str) -> None:
        self.told.append(message)
        if self.words and all(word in message for word in self.words):
            self.words = ()
            raise self.stop


def assert_same(one: TrainedModel, other: TrainedModel) -> None:
    """Everything but times."""
    for name, values in one.weights["position"].items():
        np.testing.assert_array_equal(other.weights["position"][name], values)
    for name in ("split", "predicted", "held_out", "block"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert [replace(score, seconds=0) for score in one.scores] == [replace(score, seconds=0) for score in other.scores]
    assert one.verdicts == other.verdicts
    for name, values in one.curves.items():
        if not name.endswith("seconds"):
            np.testing.assert_array_equal(other.curves[name], values)


def test_interrupted_again_and_again_and_resumed_it_gives_the_same_to_the_bit(pair: PairedMaps, whole: TrainedModel, tmp_path) -> None:
    folder = tmp_path / "kept"
    with pytest.raises(Cancelled):
        SETTINGS([pair], StopAt(Cancelled, "CNN, random", "epoch 2 of 4"), checkpoint=folder)
    assert len(list(folder.glob(NETWORKS))) == 1
    blocks = StopAt(KeyboardInterrupt, "CNN, blocks", "epoch 3 of 4")
    with pytest.raises(KeyboardInterrupt):
        SETTINGS([pair], blocks, checkpoint=folder)
    assert any(message.startswith("CNN, random, resumed at epoch 2 of 4: epoch 3 of 4") for message in blocks.told)
    last = StopAt(RuntimeError, "CNN, all pixels", "epoch 1 of 4")
    with pytest.raises(RuntimeError):
        SETTINGS([pair], last, checkpoint=folder)
    assert not any("CNN, random" in message and "epoch 3 of 4" in message for message in last.told), (
        "a finished network is not trained again"
    )
    end = StopAt(Cancelled)
    assert_same(SETTINGS([pair], end, checkpoint=folder), whole)
    assert any("CNN, all pixels, resumed at epoch 1 of 4" in message for message in end.told)
    assert len(list(folder.glob(NETWORKS))) == 4, "kept until the model is: whoever named the folder removes it"
    assert not list(folder.glob("**/*.part"))


def test_what_was_ended_early_ends_there_again(pair: PairedMaps, tmp_path) -> None:
    quick = SETTINGS.model_copy(update={"network_on_blocks": False})
    first = quick([pair], StopAt(StopTraining, "CNN, random", "epoch 2 of 4"), checkpoint=tmp_path)
    assert list(first.curves["position epoch"]) == [1.0, 2.0]
    again = StopAt(Cancelled)
    assert_same(quick([pair], again, checkpoint=tmp_path), first)
    assert not any("epoch 3" in message for message in again.told)


def test_another_training_in_the_folder_is_refused_and_stays(pair: PairedMaps, tmp_path) -> None:
    with pytest.raises(Cancelled):
        SETTINGS([pair], StopAt(Cancelled, "CNN, random", "epoch 1 of 4"), checkpoint=tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.glob("**/*") if file.is_file()}
    with pytest.raises(DataError, match=r"other settings or data \(seed\)"):
        SETTINGS.model_copy(update={"seed": 1})([pair], checkpoint=tmp_path)
    other = replace(pair, pl=replace(pair.pl, position=pair.pl.position + np.float32(0.01)))
    with pytest.raises(DataError, match=r"other settings or data \(data\)"):
        SETTINGS([other], checkpoint=tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.glob("**/*") if file.is_file()} == before


def test_a_damaged_file_is_one_sentence_and_a_new_start(pair: PairedMaps, tmp_path) -> None:
    quick = SETTINGS.model_copy(update={"network_on_blocks": False})
    with pytest.raises(Cancelled):
        quick([pair], StopAt(Cancelled, "CNN, random", "epoch 2 of 4"), checkpoint=tmp_path)
    (place,) = tmp_path.glob(NETWORKS)
    content = place.read_bytes()
    place.write_bytes(content[:200] + bytes(99) + content[299:])
    anew = StopAt(Cancelled, "CNN, all pixels")
    with pytest.warns(DataWarning, match="trained from its first epoch") as said, pytest.raises(Cancelled):
        quick([pair], anew, checkpoint=tmp_path)
    assert len(said) == 1
    assert anew.told[0].startswith("CNN, random: epoch")
    assert not any("resumed" in message for message in anew.told)


def test_a_folder_that_cannot_be_written_is_no_reason_not_to_train(pair: PairedMaps, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.warns(DataWarning, match="could not be resumed"), pytest.raises(Cancelled):
        SETTINGS([pair], StopAt(Cancelled, "CNN, blocks"), checkpoint=tmp_path / "file" / "kept")


def test_cancelled_before_an_epoch_is_done_nothing_is_left(pair: PairedMaps, tmp_path) -> None:
    one = Unfinished.among(tmp_path / "shelf", SETTINGS, SETTINGS.samples([pair]))
    with pytest.raises(Cancelled), one.claimed() as folder:
        assert folder == one.folder
        assert (one.folder / NOTE).exists()
        raise Cancelled
    assert not (tmp_path / "shelf").exists()


def test_trainings_lie_beside_one_another_and_the_oldest_go(pair: PairedMaps, tmp_path) -> None:
    kept = []
    for seed in range(4):
        settings = SETTINGS.model_copy(update={"seed": seed})
        one = Unfinished.among(tmp_path, settings, settings.samples([pair]))
        assert (one.difference() == "") is (seed == 0)
        (one.folder / "position").mkdir(parents=True)
        (one.folder / NOTE).write_text(one.identity)
        (one.folder / "position" / "1.pt").write_bytes(b"")
        assert one.stopped
        assert one.difference() == "", "begun before: it is gone on with"
        kept.append(one)
    assert len({one.folder for one in kept}) == 4
    assert json.loads(kept[2].identity)["seed"] == 2
    fresh = SETTINGS.model_copy(update={"seed": 9})
    new = Unfinished.among(tmp_path, fresh, fresh.samples([pair]))
    assert new.difference() == "seed"
    new.prune(keep=1)
    assert len(list(tmp_path.iterdir())) == 1
    for one in kept:
        one.remove()
    assert not tmp_path.exists()


def test_a_state_is_written_once_a_minute_and_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(checkpoint.time, "perf_counter", lambda: clock[0])
    kept, written = checkpoint.Checkpoint(tmp_path / "run", "mine"), []
    for second in range(0, 150, 10):
        clock[0] = 1000.0 + second
        kept.keep({"epoch": torch.tensor(second)})
        if (tmp_path / "run").exists():
            written.append(second)
            (tmp_path / "run").unlink()
    assert written == [70, 140]
    kept.write()
    assert checkpoint.Checkpoint.read(tmp_path / "run", "mine")["epoch"] == 140
