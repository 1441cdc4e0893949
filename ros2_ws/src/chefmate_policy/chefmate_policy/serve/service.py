"""One engine, many clients: admits a few requests, runs one at a time, answers all in time."""

import asyncio
import logging
import time
from collections.abc import Callable
from enum import StrEnum

import numpy as np

from chefmate_core.errors import PolicyError
from chefmate_core.policy.engine import (
    Engine,
    EngineBusyError,
    EngineRequestError,
    EngineTimeoutError,
    ModelInput,
    ModelOutput,
)
from chefmate_core.policy.modality import Modality
from chefmate_core.policy.wire.errors import Code, RequestError
from chefmate_policy.serve.statistics import Statistics
from chefmate_policy.serve.worker import Worker

_LOG = logging.getLogger(__name__)


class State(StrEnum):
    """What the service does now."""

    LOADING = 'loading'
    READY = 'ready'
    STOPPING = 'stopping'


class InferenceService:
    """Runs an engine for several clients, from one event loop.

    One request runs, `waiting` wait; whoever comes then gets the error `busy` at once. A request
    whose time is over is answered with `timeout`, whether it waits or runs, and is not begun.
    """

    def __init__(self, waiting: int, timeout_s: float, statistics: Statistics) -> None:
        self.state = State.LOADING
        self.statistics = statistics
        self.admitted = 0  # running and waiting
        self._waiting, self._timeout_s = waiting, timeout_s
        self._engine: Engine | None = None
        self._turn = asyncio.Lock()
        self._queue: set[asyncio.Task] = set()
        self._inference = Worker('inference')
        self._decoding = Worker('decoding')

    async def load(self, load_engine: Callable[[], Engine]) -> None:
        """Load and warm up; requests are refused until then. Raises what the engine raises."""

        def load() -> Engine:
            engine = load_engine()
            engine.warm_up()
            return engine

        self._engine = await self._inference.run(load)
        if self.state is State.LOADING:
            self.state = State.READY

    @property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            RequestError: it is still loading, or the server stops.
        """
        if self.state is State.READY and self._engine is not None:
            return self._engine
        what = 'stopping' if self.state is State.STOPPING else 'still loading its model'
        raise RequestError(Code.BUSY, f'the server is {what}')

    @property
    def modality(self) -> Modality:
        """What the model sees and says; raises as `engine` does."""
        return self.engine.modality

    async def infer(
        self, decode: Callable[[], ModelInput], timeout_s: float | None = None
    ) -> ModelOutput:
        """Return the engine's answer to what `decode` returns; `decode` runs in a thread.

        Raises:
            RequestError: there is no answer; the code says why.
        """
        engine = self.engine
        if self.admitted > self._waiting:
            raise RequestError(
                Code.BUSY, f'one request runs and {self.admitted - 1} wait: ask again later'
            )
        limit_s = min(timeout_s or self._timeout_s, self._timeout_s)
        loop = asyncio.get_running_loop()
        job = asyncio.create_task(self._run(engine, decode, loop.time() + limit_s))
        self.admitted += 1
        self._queue.add(job)
        job.add_done_callback(self._finished)
        try:
            return await asyncio.wait_for(asyncio.shield(job), limit_s)
        except TimeoutError:
            # `_run` takes a job out of the queue when its turn has come: it must end by itself.
            if job in self._queue:
                job.cancel()
            raise _too_late(limit_s) from None
        except asyncio.CancelledError:
            if job.cancelled():
                raise RequestError(Code.BUSY, 'the server is stopping') from None
            if job in self._queue:  # the client has gone
                job.cancel()
            raise

    async def stop(self) -> None:
        """Refuse who waits and who comes; return when the running inference has ended."""
        self.state = State.STOPPING
        for job in tuple(self._queue):
            job.cancel()
        async with self._turn:
            if self._engine is not None:
                await self._inference.run(self._engine.close)
                self._engine = None
        self._inference.close()
        self._decoding.close()

    def _finished(self, job: asyncio.Task) -> None:
        self.admitted -= 1
        self._queue.discard(job)
        if not job.cancelled():
            job.exception()  # who asked may have gone: asyncio shall not complain

    async def _run(
        self, engine: Engine, decode: Callable[[], ModelInput], deadline_s: float
    ) -> ModelOutput:
        request = await self._decoding.run(decode)
        async with self._turn:
            if self.state is State.STOPPING:
                raise RequestError(Code.BUSY, 'the server is stopping')
            task = asyncio.current_task()
            assert task is not None
            self._queue.discard(task)
            if asyncio.get_running_loop().time() > deadline_s:
                raise RequestError(Code.TIMEOUT, 'the time of the request was over before it ran')
            output, took_s = await self._inference.run(_infer, engine, request)
        self.statistics.add_timings({'inference': took_s, **output.timings_s})
        return output


def _infer(engine: Engine, request: ModelInput) -> tuple[ModelOutput, float]:
    begun_s = time.perf_counter()
    try:
        output = engine.infer(request)
    except RequestError:
        raise
    except EngineBusyError as error:
        raise RequestError(Code.BUSY, str(error)) from error
    except EngineTimeoutError as error:
        raise RequestError(Code.TIMEOUT, str(error)) from error
    except EngineRequestError as error:
        raise RequestError(Code.BAD_REQUEST, str(error)) from error
    except PolicyError as error:
        raise RequestError(Code.INTERNAL, str(error)) from error
    except Exception as error:
        _LOG.exception('the engine failed')
        raise RequestError(
            Code.INTERNAL, f'the model failed: {type(error).__name__}: {error}'
        ) from error
    shape, size = np.shape(output.action), engine.modality.action_size
    if len(shape) != 2 or shape[0] < 1 or shape[1] != size:
        raise RequestError(
            Code.INTERNAL, f'the model said an action of shape {shape}, not (T, {size})'
        )
    if not np.all(np.isfinite(output.action)):
        raise RequestError(Code.INTERNAL, 'the model said an action with NaN or inf')
    return output, time.perf_counter() - begun_s


def _too_late(limit_s: float) -> RequestError:
    return RequestError(Code.TIMEOUT, f'no answer within the {limit_s:g} s of the request')
