"""What a worker of a cluster is asked before a run, in a way that works whatever it has installed."""

from collections.abc import Callable, Coroutine
from typing import Any

Facts = dict[str, Any]

# What decides the bytes of an export, and what carries the tasks.
PACKAGES = ("astrokiran-graph-exporter", "polars", "connectorx", "pyarrow", "distributed")
# What the leader writes for the workers to read, so that each proves to have the same directory.
QUESTION = "question"


def portable_facts() -> Callable[..., Coroutine[Any, Any, Facts]]:
    """A function that tells what a worker, or the scheduler, is. Dask sends it as code, not by its name, and it imports
    nothing of ours: a machine may have another version of this program, or none.

    It reads the leader's question in a directory, if there is one, and leaves a file there whose name it tells as its
    answer.
    """

    async def facts(directory: str | None, packages: tuple[str, ...], dask_worker: Any = None) -> Facts:
        import asyncio
        import hashlib
        import importlib.metadata
        import importlib.util
        import multiprocessing
        import os
        import pathlib
        import platform
        import secrets
        import sys

        place, answer = pathlib.Path(directory or "/"), secrets.token_hex(8)
        versions, program, shared = {}, hashlib.sha256(), {}
        for name in packages:
            try:
                versions[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                versions[name] = "none"
        found = importlib.util.find_spec("exporter")
        for root in map(pathlib.Path, (found and found.submodule_search_locations) or ()):
            for path in sorted(root.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    content = path.read_bytes()
                    program.update(f"{path.relative_to(root)}\n{len(content)}\n".encode() + content)
        # Times of files say little of when they were installed: remembered is what was there before it was loaded.
        if "exporter" not in sys.modules or not hasattr(sys, "exporter_files"):
            sys.exporter_files = program.hexdigest()  # type: ignore[attr-defined]
        # A client of a network file system may see a new file late.
        for _ in range(12 if directory else 0):
            try:
                question = (place / "question").read_text()
                os.close(os.open(place / answer, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                shared = {"question": question, "answer": answer, "fault": ""}
                break
            except OSError as error:
                shared = {"question": "", "answer": "", "fault": error.strerror or type(error).__name__}
                await asyncio.sleep(0.25)
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id")
        return {
            "versions": {"Python": ".".join(map(str, sys.version_info[:2])), **versions},
            "program": program.hexdigest(),
            "stale": sys.exporter_files != program.hexdigest(),  # type: ignore[attr-defined]
            "daemon": bool(multiprocessing.current_process().daemon),
            "threads": dask_worker.state.nthreads if hasattr(dask_worker, "state") else 1,  # the scheduler has none
            "user": os.geteuid(),
            "machine": boot.read_text() if boot.exists() else platform.node(),
            "host": platform.node(),
        } | shared

    return facts


def portable_leftovers() -> Callable[..., list[str]]:
    """A function that tells a scheduler's plug-ins of runs whose leaders are gone."""

    def leftovers(prefix: str, dask_scheduler: Any = None) -> list[str]:
        clients, plugins = dask_scheduler.clients, dask_scheduler.worker_plugins
        return [name for name in plugins if name.startswith(prefix) and name.removeprefix(prefix) not in clients]

    return leftovers
