"""Training the network: the default recipe against the paper's on the same network, and our loop against a plain one with a DataLoader.

python benchmarks/training.py [seed ...]      (about a minute a seed on one free core)
"""

import sys
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from rounds import median_seconds, print_ratios
from torch.utils.data import DataLoader, TensorDataset

from napari_wse2xai import batch, recipe, synthetic
from napari_wse2xai.data import Pairable, Samples
from napari_wse2xai.learning import SpectralCNNRegressor
from napari_wse2xai.learning.network import SpectralNetwork
from napari_wse2xai.learning.splits import random_split
from napari_wse2xai.stages import Pair
from napari_wse2xai.stages.pair import StageCoordinates

PAPER = {
    "optimizer": "adam",
    "schedule": "constant",
    "loss": "squared",
    "learning_rate": 1e-3,
    "batch_size": 128,
    "dropout": 0.5,
    "weight_decay": 0.0,
    "jitter": 0.0,
    "max_epochs": 300,
}
"""The paper's recipe for any network, as far as 300 epochs."""


@dataclass
class Clock:
    """CPU seconds at each look of a run: they do not count what else the machine does."""

    begun: float = field(default_factory=time.process_time)
    seconds: list[float] = field(default_factory=list)

    def __call__(self, done: float, message: str, history: dict[str, list[float]]) -> None:
        """Note the time of a new look."""
        if len(history["epoch"]) > len(self.seconds):
            self.seconds.append(time.process_time() - self.begun)


def samples(seed: int) -> Samples:
    """Deconvolve and pair a synthetic flake of 1,156 pixels with the presets."""
    flake = synthetic.make_flake(seed=seed)
    results = batch.run_chains(recipe.preset(), {"raman": flake.raman, "pl": flake.pl})
    return Samples.of([Pair(method=StageCoordinates())(Pairable(results.peaks["raman"], results.peaks["pl"]))])


def curve(table: Samples, **settings: object) -> tuple[np.ndarray, np.ndarray]:
    """CPU seconds and validation R2 at every look of one run on a random 7:3 split."""
    training, validation = random_split(len(table))
    clock = Clock()
    network = SpectralCNNRegressor(table.lines, device="cpu", on_epoch=clock, **settings)
    features, target = table.features, table.targets[:, 0]
    network.fit(features[training], target[training], validation=(features[validation], target[validation]))
    return np.array(clock.seconds), np.array(network.history_["r2_validation"])


def recipes(seed: int) -> None:
    """Print R2 and time of the default recipe and of shorter runs, beside the paper's recipe on the same layers and drawing."""
    table = samples(seed)
    seconds, r2 = curve(table, **PAPER)
    print(f"seed {seed}: paper's recipe, 300 epochs: R2 {r2[-1]:.3f}, in its last five looks {r2[-5:].min():.3f} to {r2[-5:].max():.3f}")
    for epochs in (15, 20, SpectralCNNRegressor().max_epochs):
        ours, reached = curve(table, max_epochs=epochs)
        print(f"  default recipe, {epochs} epochs: R2 {reached[-1]:.3f} in {ours[-1] / seconds[-1]:.3f} of the time")


def plain_epochs(features: torch.Tensor, target: torch.Tensor, network: SpectralNetwork, epochs: int, batch_size: int) -> None:
    """Train as a tutorial would: DataLoader, Adam, a loss read at every step."""
    loader = DataLoader(TensorDataset(features, target), batch_size, shuffle=True, drop_last=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    network.train()
    for _ in range(epochs):
        total = 0.0
        for rows, wanted in loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(network.standardised(rows), wanted)
            loss.backward()
            optimizer.step()
            total += loss.item()


def loops(seed: int, rounds: int = 3, epochs: int = 5) -> None:
    """Time of some epochs, with the default network and batch."""
    table = samples(seed)
    base = SpectralCNNRegressor(table.lines, device="cpu", max_epochs=epochs)
    target = table.targets[:, 0]
    network = base.fit(table.features, target).module_
    tensors = (
        torch.as_tensor(table.features, dtype=torch.float32),
        torch.as_tensor((target - target.mean()) / target.std()).float()[:, None],
    )
    torch.set_num_threads(1)
    rivals = {
        "our fit": lambda: base.fit(table.features, target),
        "plain loop with DataLoader": lambda: plain_epochs(*tensors, network, epochs, base.batch_size),
    }
    print(f"{epochs} epochs of {len(table)} pixels, one thread")
    print_ratios(median_seconds(rivals, rounds), "our fit")


if __name__ == "__main__":
    seeds = [int(word) for word in sys.argv[1:]] or [0]
    loops(seeds[0])
    for number in seeds:
        recipes(number)
