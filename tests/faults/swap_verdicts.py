"""What is right after a swap that met a fault, and after its repair."""

import json
import re

from exporter.sink.layout import PARTIAL
from tests.faults.frame import BUG
from tests.faults.swap_site import BEFORE, NEW, OLD, Site
from tests.faults.swapping import generation, generation_of

STALE = "latest leads to"
SENTENCE = re.compile(r"(\S+ )?exporter: \S.*")


def at_rest(site: Site) -> str:
    """What is wrong with a site where nothing is under way, and whose server should answer; empty if nothing is."""
    live = generation(site.data)
    if not site.answers():
        return f"no graph answers; the live store is of {live or 'no export'}"
    return disk_at_rest(site)


def disk_at_rest(site: Site) -> str:
    """The same by what is on the disk alone."""
    live = generation(site.data)
    if live not in (site.old, site.new):
        return f"the live store is of {live or 'no export'}: {[generation_of(part) for part in site.paths.both]}"
    root = site.stores.root
    if not root.exists():
        return "" if live == site.old else "a new store without its export"
    left = [path.name for path in (root / "stores").glob(f"{PARTIAL}*")] if (root / "stores").exists() else []
    if (root / "swap.json").exists() or left:
        return f"left behind: {left}, swap.json: {(root / 'swap.json').exists()}"
    current = site.stores.current()
    known = current.export if current else None
    if known != (live if live[0] == "2" else None):
        return f"the live store is of {live}, and taken for that of {known}"
    return kept_or_lost(site, live) or latest_of(site, live)


def kept_or_lost(site: Site, live: str) -> str:
    """What is wrong with the store that was not made live, or was before: a rollback must bring it back."""
    kept = {store.export or generation_of(store.paths.database): store.paths for store in site.stores.kept()}
    expected = {site.old, BEFORE, OLD} & ({site.old} if live == NEW else {BEFORE, OLD}) - {live, "empty"}
    if site.kind in ("first", "nothing") and live == site.old:
        expected = set()
    for name in expected:
        if name not in kept:
            return f"the store of {name} is lost: {sorted(kept)} are kept"
    for name, paths in kept.items():
        if found := [generation_of(part) for part in paths.both if generation_of(part) != name]:
            return f"the kept store of {name} is not whole: {found}"
    if lost := [store.name for store in site.stores.all() if store.export and not store.manifest]:
        return f"the manifest is lost of {lost}"
    return ""


def latest_of(site: Site, live: str) -> str:
    """What is wrong with `latest`."""
    link = str((site.directory / "output" / "latest").readlink())
    return "" if link == (live if live[0] == "2" else OLD) else f"live is {live}, and {STALE} {link}"


def said_wrongly(site: Site, code: int, codes: tuple[int, ...]) -> str:
    """What is wrong with how a run ended and what it said; empty if nothing is."""
    out, err = site.text("stdout"), site.text("stderr")
    if found := BUG.search(err):
        return f"traceback: {err[found.start() :][:1500]}"
    if code not in codes:
        return f"wrong code {code}: {err[-300:]}"
    if code < 0:
        return ""
    last = [line for line in err.splitlines() if SENTENCE.match(line)][-1:]
    if code and not last:
        return f"wrong code {code}: without a sentence: {err[-300:]}"
    if json.loads(out.splitlines()[-1])["exit_code"] != code:
        return f"wrong code: {code}, but the report says {out[-300:]}"
    return ""


def after_failure(site: Site, code: int, *, lasting: bool) -> str:
    """What is wrong after a run that ended by itself, in which a call failed, or all from there on: until something is
    repaired, the graph that the exit code tells of is live and answers. Only after 8 none need answer, which it takes
    more than one failure to come to."""
    if code == 8:
        return "" if lasting else f"one failure, and no graph answers: {site.text('stderr')[-500:]}"
    err = site.text("stderr")
    live = generation(site.data)
    expected = site.new if code == 0 or "is live and answers" in err else site.old
    if site.kind == "nothing" and expected == "empty" and live == "":
        return ""  # as it was
    if live != expected:
        return f"wrong code {code}, and live is {live or 'no export'}: {err[-500:]}"
    return "" if site.answers() else f"no graph answers after {code}: {err[-500:]}"


def after_repair(site: Site, code: int, *, served: bool) -> str:
    """What is wrong after a repair, before which nothing was served by a server that had been `served`: one of a host
    is started by whoever starts it there, if there was no swap to be repaired."""
    if wrong := said_wrongly(site, code, (0,)):
        return f"the repair: {wrong}"
    if not served and not site.runs():
        site.start()
    return at_rest(site)
