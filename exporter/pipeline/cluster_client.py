"""The leader's connection to a Dask scheduler: silent, and never waited for without an end."""

import logging
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from distributed import Client

from exporter.errors import RunError, UsageError
from exporter.interrupts import signals_blocked, start_thread

CONNECT_SECONDS = 10
# What Dask itself waits for a comm is less.
ANSWER_SECONDS = 90.0
LOST = "the connection to the scheduler was lost; look at its log, and run the export again"
GONE = "every worker of the cluster is gone; look at their logs, and run the export again"

Result = TypeVar("Result")


def connected_client(address: str) -> Client:
    """A client of the scheduler at an address such as tls://scheduler:8786; certificates are those of Dask's own
    settings. Raises `UsageError` if these are missing, `RunError` if the scheduler does not answer."""
    silence()
    try:
        with signals_blocked():  # its thread begins in here
            return Client(address, timeout=CONNECT_SECONDS, name="exporter", set_as_default=False)
    except (OSError, TimeoutError):
        raise RunError(f"the scheduler {address} does not answer; start it, or correct --cluster") from None
    except (ValueError, TypeError, RuntimeError):
        remedy = "for tls:// it needs certificates: set DASK_DISTRIBUTED__COMM__TLS__…"
        if address.startswith("tcp://"):
            remedy = "its settings may require encryption: give tls://…"
        raise UsageError(f"Dask cannot connect to {address}; {remedy}") from None


def present_workers(client: Client) -> dict[str, Any]:
    """What the scheduler knows of each worker, by its address. (`Client.scheduler_info` may return what the client
    itself asked for in the same moment, which has no workers.)"""
    assert client.scheduler is not None  # it is connected
    workers: dict[str, Any] = client.sync(client.scheduler.identity, n_workers=-1)["workers"]
    return workers


def answers(client: Client, seconds: float = CONNECT_SECONDS / 2) -> bool:
    """Whether the scheduler is there: a client learns that it is gone a moment after a question has failed for that."""
    with suppress(Exception):
        if client.status == "running":
            answer(lambda: present_workers(client), seconds)
            return True
    return False


def silence() -> None:
    """Takes Dask's messages from stderr, which is for ours."""
    for name, logger in logging.root.manager.loggerDict.items():
        if name.partition(".")[0] in ("distributed", "dask", "tornado", "asyncio") and isinstance(
            logger, logging.Logger
        ):
            logger.handlers[:] = [logging.NullHandler()]
            logger.propagate = False
    warnings.filterwarnings("ignore", module=r"(distributed|dask|tornado)\b")


def answer(ask: Callable[[], Result], seconds: float = ANSWER_SECONDS) -> Result:
    """What a function returns, which waits for the scheduler or a worker. Raises what it raises, and `RunError` if it
    takes longer than this."""
    found: list[Result] = []
    failed: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            found.append(ask())
        except BaseException as error:
            failed.append(error)
        finally:
            done.set()

    start_thread(run)
    if not done.wait(seconds):
        raise RunError(f"the cluster did not answer within {seconds:.0f} seconds; look at its scheduler and workers")
    if failed:
        raise failed[0]
    return found[0]
