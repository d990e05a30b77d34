"""A run's hold on a Ray cluster: what runs on which node, which theorem is searched where, and what becomes of losses.

The list of nodes is read every few seconds: a new one gets its Lean pools and copies of models, and what was on one
that is gone is forgotten. A theorem is finished when its result has arrived here; until then it is nobody's, and is
handed out again when the search of it was lost. Its seed comes from the run and its name, so that the new search goes
the same way.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import ray

from lean_env.engine import EngineError, EngineInfo, Theorem
from prover.cluster.blueprint import Blueprint, Layout
from prover.cluster.calls import LOST, call
from prover.cluster.copies import Copies
from prover.cluster.lean_pool import LeanPool, Searched
from prover.cluster.sites import Site
from prover.cluster.tasks import PAUSE_S, STARTS, Tasks
from prover.options import InputError
from prover.records import EngineUse, Outcome
from prover.run import SPARE_SEARCHES, Plan, Progress, left_over, summed
from prover.store import Store
from search.ensemble import Pot

TICK_S = 2.0  # between two looks at the list of nodes
CONNECT_S = 10.0  # for a cluster to answer
PATIENCE_S = 60.0  # for the first Lean pool, before it is said that the run waits
CLOSE_S = 30.0  # for actors to end their processes


@asynccontextmanager
async def join(
    address: str, blueprint: Blueprint, layout: Layout, say: Callable[[str], None]
) -> AsyncIterator[Cluster]:
    """The cluster at `address` (auto, or HOST:PORT), with a Lean pool that is ready. `say` hears of joins and losses.

    Raises InputError when there is no cluster, EngineError and ModelError.
    """
    if "://" in address:
        raise InputError(f"--ray {address} is a client's address: run prove on a node of the cluster with --ray auto")
    if address != "auto":
        await _answers(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"no Ray cluster at {address} ({reason}): ray start --head, or mend the address") from error
    try:
        cluster = Cluster(blueprint, layout, say)
        try:
            await cluster.start()
            yield cluster
        finally:
            await cluster.close()
    finally:
        ray.shutdown()


async def _answers(address: str) -> None:
    """Raises InputError unless something listens at HOST:PORT, whatever it is; Ray would try for ten minutes."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (ValueError, OverflowError) as error:
        raise InputError(f"--ray {address} is no address: give auto, or HOST:PORT") from error
    except OSError as error:
        silent = isinstance(error, TimeoutError) and error.strerror is None
        reason = f"no answer in {CONNECT_S:g} s" if silent else error.strerror or str(error)
        raise InputError(f"no Ray cluster at {address} ({reason}): ray start --head, or mend the address") from error
    writer.close()


class Cluster:
    """The nodes of a cluster at work for one run. `info` is the engine's once `start` has come back."""

    info: EngineInfo
    _plan: Plan  # from prove_all on
    _pot: Pot  # what finished theorems have left over; a theorem that goes to a pool takes what it may need along

    def __init__(self, blueprint: Blueprint, layout: Layout, say: Callable[[str], None]) -> None:
        self._blueprint, self._layout, self._say = blueprint, layout, say
        self._tasks = Tasks(say)
        self._sites: dict[str, Site] = {}
        self._copies = Copies(blueprint.models, self._tasks, self._introduce, say)
        self._pools: dict[Any, EngineUse] = {}  # what each has done, by the actor
        self._past: list[EngineUse] = []  # what those did that are no more
        self._lost: set[Any] = set()  # pools
        self._ready = asyncio.Event()
        self._theorems: asyncio.Queue[Theorem] = asyncio.Queue()
        self._losses: Counter[str] = Counter()  # of searches, by theorem
        self._finished: Callable[[Searched], None] = lambda searched: None

    async def start(self) -> None:
        """Take all nodes that there are, and wait for the first Lean pool. Raises EngineError and ModelError."""
        self._tasks.spawn(self._look())
        self._tasks.spawn(self._say_waiting())
        await self._tasks.wait(self._ready.wait())

    async def prove_all(self, plan: Plan, store: Store, progress: Progress) -> None:
        """Attempt every theorem of the store that has no result yet; `plan` is that of the blueprint.

        Raises StoreError, EngineError and ModelError; what was finished before is kept.
        """
        self._plan, self._pot = plan, left_over(store.findings(), plan)
        self._finished = partial(self._record, store, progress)
        await self._tasks.wait(self._finish_all(store))

    async def close(self) -> None:
        """End all actors and their processes."""
        actors = [*self._pools, *self._copies.ready]
        await self._tasks.close()
        if closing := [asyncio.ensure_future(actor.close.remote()) for actor in actors]:
            done, _ = await asyncio.wait(closing, timeout=CLOSE_S)
            for each in done:
                each.exception()  # one that cannot end by itself ends with its place
        for site in self._sites.values():
            site.leave()

    async def _finish_all(self, store: Store) -> None:
        for finding in store.findings():
            if finding.outcome is None:
                self._theorems.put_nowait(finding.theorem)
            elif finding.attempt and finding.outcome is Outcome.PROVED:  # a run killed before it came to the file
                path = store.proof_path(finding.theorem.name)
                if not path.exists():
                    store.write(path, await self._standalone(finding.theorem, finding.attempt.proof))
        await self._theorems.join()

    async def _look(self) -> None:
        """See which nodes there are, again and again."""
        while True:
            nodes = await asyncio.to_thread(ray.nodes)
            alive = {node["NodeID"]: node["Resources"] for node in nodes if node["Alive"]}
            for gone in self._sites.keys() - alive.keys():
                site = self._sites.pop(gone)
                self._say(f"{site} is gone")
                self._copies.leave(site)
                site.leave()
            for new in alive.keys() - self._sites.keys():
                self._sites[new] = self._enter(new, alive[new])
            self._copies.level()
            self._introduce()
            await asyncio.sleep(TICK_S)

    async def _say_waiting(self) -> None:
        """Say once that no Lean pool begins; other jobs may have the cluster, or the copies of models."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._ready.wait()
        except TimeoutError:
            self._say(
                "no Lean pool has begun yet: it needs a CPU that is free and that no copy of a model takes (ray status"
                " shows what there is); the run begins as soon as there is one"
            )

    def _enter(self, node: str, resources: Mapping[str, float]) -> Site:
        share = self._layout.share(resources, models=bool(self._blueprint.models))
        site = Site.reserve(node, share)
        for bundle, processes in enumerate(share.pools):
            life = partial(self._run_pool, site, bundle, processes)
            site.tasks.append(self._tasks.keep(f"the Lean pool on {site}", life, EngineError))
        for bundle in range(len(share.pools), len(share.bundles)):
            self._copies.add(site, bundle, share.gpus_each)
        return site

    async def _run_pool(self, site: Site, bundle: int, processes: int) -> None:
        """A Lean pool at work, until it is lost."""
        pool = site.actor(LeanPool, bundle, num_cpus=processes).remote(self._blueprint)
        lanes: list[asyncio.Task[None]] = []
        try:
            info, said = await call(pool.start.remote(processes))
            for line in said:
                self._say(f"{site}: {line}")
            if not self._agrees(info, site):
                return
            self._pools[pool] = summed([])
            self._ready.set()
            self._introduce()
            self._say(f"{site}: {processes} Lean processes")
            lanes = [self._tasks.spawn(self._lane(pool)) for _ in range(processes + SPARE_SEARCHES)]
            await pool.watch.remote()
        except LOST:
            self._lost.add(pool)
            ray.kill(pool)  # it may only be out of reach: what it still does would be for nobody
            raise
        finally:
            for lane in lanes:
                lane.cancel()
            if pool in self._pools:
                self._past.append(self._pools.pop(pool))

    async def _lane(self, pool: Any) -> None:
        """One theorem after the other from the common queue, searched in this pool."""
        while True:
            theorem = await self._theorems.get()
            granted = self._pot.take(self._plan.ensemble.wants(self._plan.budget))
            try:
                searched: Searched = await call(pool.attempt.remote(theorem, granted))
                self._pools[pool] = searched.use
                if attempt := searched.finding.attempt:
                    granted += self._plan.budget.expansions - attempt.expansions
                self._finished(searched)
            except LOST:
                self._lose(theorem)
                await asyncio.sleep(PAUSE_S)  # the loss of a whole pool ends its lanes meanwhile
            except asyncio.CancelledError:
                if pool in self._lost:  # which was noticed there before it was here
                    self._lose(theorem)
                else:
                    self._theorems.put_nowait(theorem)
                raise
            finally:
                self._pot.put(granted)
                self._theorems.task_done()

    def _lose(self, theorem: Theorem) -> None:
        """Put a theorem back whose search was lost. Raises EngineError when that was too often."""
        self._losses[theorem.name] += 1
        self._theorems.put_nowait(theorem)
        if self._losses[theorem.name] == STARTS:
            raise EngineError(
                f"{theorem.name} was lost {STARTS} times with the Lean pool that searched it: see Ray's logs, and"
                " whether its proofs need more memory than a node has"
            )

    def _record(self, store: Store, progress: Progress, searched: Searched) -> None:
        finding = searched.finding
        if finding.attempt:
            store.record(finding.attempt)
        else:
            store.record_unsupported(finding.theorem.name, finding.reason)
        if searched.proof_file:
            store.write(store.proof_path(finding.theorem.name), searched.proof_file)
        store.record_use(summed([*self._past, *self._pools.values()]))
        progress(finding)

    def _agrees(self, info: EngineInfo, site: Site) -> bool:
        """Whether the engine of a pool is that of the others: figures of several Leans are figures of none."""
        if not self._ready.is_set():
            self.info = info
        elif info != self.info:
            self._say(
                f"{site} is left out: it has {info.name}, {info.version}, and the run {self.info.name}, "
                f"{self.info.version}: install the same on every node"
            )
        return info == self.info

    def _introduce(self) -> None:
        """Tell every pool whom to ask; what it already knows costs nothing."""
        for place, pool in enumerate(self._pools):
            pool.know.remote(self._copies.known(place))

    async def _standalone(self, theorem: Theorem, proof: str) -> str:
        while True:
            for pool in list(self._pools):
                try:
                    text: str = await call(pool.standalone.remote(theorem, proof))
                except LOST:
                    continue
                return text
            await asyncio.sleep(PAUSE_S)
