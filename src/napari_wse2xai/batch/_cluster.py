"""Flakes on the machines that a Dask scheduler has: the same jobs, in a folder that all of them see.

dask.distributed comes with ``pip install "napari-wse2xai[cluster]"`` and is loaded when a scheduler is named.
"""

import os
import socket
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from napari_wse2xai import io
from napari_wse2xai._version import __version__
from napari_wse2xai.batch._jobs import Ended, FlakeJob, FlakeOutcome, as_they_end, work
from napari_wse2xai.errors import Cancelled, SettingsError, UserError

if TYPE_CHECKING:
    from distributed import Client

_ASK_S, _ANSWER_S = 0.5, 10
"""How often a worker asks whether to go on; how long a scheduler may take to answer."""
Process = tuple[str, int]
"""Machine and number."""
_one_at_a_time = Lock()
"""Warnings and threads of libraries are a process's own: a worker with several threads does one flake after the other."""


@contextmanager
def client_of(scheduler: "str | Client") -> Iterator["Client"]:
    """Client of a scheduler that is named by its address; a client that is given stays open."""
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise SettingsError(
            "A scheduler is spoken to by dask.distributed, which is not installed: pip install 'napari-wse2xai[cluster]'."
        ) from error
    if isinstance(scheduler, Client):
        yield scheduler
        return
    try:
        client = Client(scheduler, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"No Dask scheduler answers at '{scheduler}'; give the address that it prints when it starts, such as tcp://10.0.0.5:8786."
        ) from error
    with client:
        yield client


def on_workers(client: "Client", jobs: Sequence[FlakeJob], folder: Path, beat: Callable[[], None]) -> Generator[Ended, None, None]:
    """Do jobs on all workers, and give each as soon as it ends; a worker that dies costs its time only, Dask begins its jobs anew.

    Parameters
    ----------
    folder : of the batch, begun; on a path that is the same everywhere
    beat : called often, may raise `Cancelled`
    """
    from distributed import Event

    _refuse_strangers(client, folder.resolve())
    stop = Event(f"napari-wse2xai-{uuid.uuid4().hex}", client=client)
    pool = client.get_executor(pure=False)
    ours = {pool.submit(_on_worker, job, folder.resolve(), stop.name): job for job in jobs}
    try:
        yield from as_they_end(ours, beat)
    finally:
        stop.set()
        for future in ours:
            future.cancel()
        pool.shutdown()


def died(error: BaseException) -> bool:
    """Whether a job took its worker with it, again and again."""
    return type(error).__module__.startswith("distributed") and type(error).__name__ == "KilledWorker"


def _refuse_strangers(client: "Client", folder: Path) -> None:
    """Raise where there is no worker, or one that is this process, does not see the folder, or has another version of this package."""
    seen: dict[str, tuple[str, bool, Process]] = client.run(_seen, str(folder))
    if not seen:
        raise SettingsError(f"The Dask scheduler at {client.scheduler_info()['address']} has no workers; start some, then run it again.")
    for worker, (version, sees, process) in seen.items():
        if process == _process():
            raise SettingsError(f"The worker at {worker} is this process; workers must be processes of their own (processes=True).")
        if version != __version__:
            raise SettingsError(f"The worker at {worker} has napari-wse2xai {version}, here it is {__version__}; they must be the same.")
        if not sees:
            raise SettingsError(
                f"The worker at {worker} does not see the folder '{folder}'; use one that all machines see by the same path."
            )


def _seen(folder: str) -> tuple[str, bool, Process]:
    return __version__, (Path(folder) / io.UNFINISHED).exists(), _process()


def _process() -> Process:
    """Machine and number of a process: were a worker the caller's own, warnings would be told twice."""
    return socket.gethostname(), os.getpid()


def _on_worker(job: FlakeJob, folder: Path, stop: str) -> FlakeOutcome:
    with _one_at_a_time:
        try:
            return work(job, folder, _Asking(stop))
        except UserError as error:  # an outcome like others: Dask would log it as a fault, line by line
            return job.failed(str(error))


class _Asking:
    """Progress that ends where the caller wants no more."""

    def __init__(self, name: str) -> None:
        self.name, self._asked = name, time.monotonic()

    def __call__(self, fraction: float, message: str) -> None:
        from distributed import Event

        if time.monotonic() - self._asked < _ASK_S:
            return
        self._asked = time.monotonic()
        if Event(self.name).is_set():
            raise Cancelled
