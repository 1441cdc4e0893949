"""The capture thread: reads a source, lets good frames through, opens it again when it breaks."""

import logging
import threading
import time
from collections.abc import Callable

from chefmate_core.camera.delivery import DeliveryMeter
from chefmate_core.camera.frame import Frame, FrameSource
from chefmate_core.camera.monitor import Finding, FrameMonitor
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.errors import CameraError

_LOG = logging.getLogger(__name__)

# A frame with one of these is never delivered: it would lie about its size or its time.
ALWAYS_WITHHELD = frozenset({Finding.WRONG_SIZE, Finding.BAD_STAMP})
WRONG_SIZES_BEFORE_REOPEN = 3


class CaptureLoop:
    """Owns the source and the thread.

    Args:
        open_source: opens the camera; raises CameraError while it cannot.
        deliver: takes each good frame, in the capture thread, and is quick.
        monitor: judges the frames.
        period_s: time between two frames as the source intends it.
        reopen_period_s: time between two attempts to open.
        withhold_bad_frames: keep back what the monitor finds black or frozen, too.
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        deliver: Callable[[Frame], None],
        monitor: FrameMonitor,
        *,
        period_s: float,
        reopen_period_s: float = 1.0,
        withhold_bad_frames: bool = True,
    ) -> None:
        self._open_source = open_source
        self._deliver = deliver
        self._monitor = monitor
        self._meter = DeliveryMeter(period_s, window=90)
        self._reopen_period_s = reopen_period_s
        self._withheld = frozenset(Finding) if withhold_bad_frames else ALWAYS_WITHHELD
        self._lock = threading.Lock()  # guards everything that diagnosis() reads
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name='camera_capture', daemon=True)
        self._source: FrameSource | None = None
        self._problem = ''
        self._findings: frozenset[Finding] = frozenset()
        self._wrong_sizes = 0
        self._reopened = 0
        self._delivered = 0
        self._delivery_errors = 0

    def start(self) -> None:
        """Open the source and start the thread.

        Raises:
            CameraError: the source cannot be opened; only later losses are waited out.
        """
        self._source = self._open_source()
        self._monitor.start(time.monotonic())
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End the thread and close the source; return whether the thread ended in time."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if self._thread.is_alive():  # inside a driver's read; the process takes the device along
            return False
        self._close()
        return True

    def diagnosis(self) -> Diagnosis:
        """Return the camera's health now. Any thread."""
        now_s = time.monotonic()
        with self._lock:
            stalled = self._monitor.is_stalled(now_s)
            report = self._meter.report()
            counts = self._monitor.counts
            values: dict[str, object] = {
                'rate_hz': report.rate_hz if not stalled else 0.0,
                'max_gap_s': report.max_gap_s,
                'handling_p99_s': report.latency_p99_s,
                'frames': counts['frames'],
                'published': self._delivered,
                **{finding.value: counts[finding.value] for finding in Finding},
                'reopened': self._reopened,
                'publish_errors': self._delivery_errors,
            }
            problem, findings = self._problem, self._findings
        if problem:
            return Diagnosis(Level.ERROR, problem, values)
        if stalled:
            timeout_s = self._monitor.config.stall_timeout_s
            return Diagnosis(Level.ERROR, f'stalled: no frame for {timeout_s:g} s', values)
        if findings:
            words = ', '.join(sorted(finding.value for finding in findings))
            level = Level.ERROR if findings & self._withheld else Level.WARN
            return Diagnosis(level, f'frames are {words}', values)
        return Diagnosis(Level.OK, 'streaming', values)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if self._source is None and not self._reopen():
                    self._stop.wait(self._reopen_period_s)
                elif self._source is not None:
                    self._step(self._source)
        except Exception as error:  # a dead capture thread must be seen, not suspected
            _LOG.exception('the capture thread ended')
            with self._lock:
                self._problem = f'capture ended by {type(error).__name__}: {error}; restart it'

    def _step(self, source: FrameSource) -> None:
        try:
            frame = source.read()
        except CameraError as error:
            self._lose(str(error))
            return
        with self._lock:
            self._findings = self._monitor.observe(frame)
            findings = self._findings
        wrong_size = Finding.WRONG_SIZE in findings
        self._wrong_sizes = self._wrong_sizes + 1 if wrong_size else 0
        if self._wrong_sizes >= WRONG_SIZES_BEFORE_REOPEN:
            height_px, width_px = frame.image.shape[:2]
            config = self._monitor.config
            self._lose(
                f'the camera delivers {width_px}x{height_px}, expected {config.width_px}x'
                f'{config.height_px}: somebody else set its format'
            )
        elif not findings & self._withheld:
            self._hand_over(frame)

    def _hand_over(self, frame: Frame) -> None:
        try:
            self._deliver(frame)
        except Exception as error:  # the next frame may well get through
            with self._lock:
                self._delivery_errors += 1
                first = self._delivery_errors == 1
            if first:
                _LOG.error('a frame was not delivered: %s: %s', type(error).__name__, error)
            return
        with self._lock:
            self._delivered += 1
            self._meter.add(frame.steady_s, time.monotonic())

    def _lose(self, problem: str) -> None:
        _LOG.error('camera lost: %s', problem)
        with self._lock:
            self._problem = problem
            self._findings = frozenset()
        self._wrong_sizes = 0
        self._close()
        self._stop.wait(self._reopen_period_s)  # a device that opens but never reads must not spin

    def _reopen(self) -> bool:
        try:
            self._source = self._open_source()
        except CameraError as error:
            with self._lock:
                self._problem = str(error)
            return False
        _LOG.warning('camera is back')
        with self._lock:
            self._problem = ''
            self._reopened += 1
            self._monitor.start(time.monotonic())
        return True

    def _close(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None
