"""The recorder: takes serialised messages, and writes episodes in a thread of its own."""

import shutil
import threading
import time
from collections.abc import Sequence

from chefmate_core.errors import ChefMateError
from chefmate_core.recording.definitions import MessageTypes
from chefmate_core.recording.episode import OpenEpisode
from chefmate_core.recording.errors import RecordingError
from chefmate_core.recording.message_queue import Message, MessageQueue
from chefmate_core.recording.presence import Presence
from chefmate_core.recording.recorder_config import Ended, RecorderConfig, State
from chefmate_core.recording.report import ReportLimits
from chefmate_core.recording.session import SessionFolder
from chefmate_core.recording.session_info import SessionInfo
from chefmate_core.recording.topics import RecordedTopic

TAKE_S = 0.2  # how long the thread waits for messages before it looks after files and disk
AWAKE_S = 0.1  # whoever watches less often was held up meanwhile
FLUSH_S, SYNC_S, DISK_S = 0.5, 5.0, 1.0
MEGABYTE = 1 << 20


class Recorder:
    """Episodes of one session. `add` may be called from one thread, the rest from another.

    Args:
        full_names: relative topic name -> the name in the bag.
    """

    def __init__(
        self,
        session: SessionFolder,
        info: SessionInfo,
        topics: Sequence[RecordedTopic],
        full_names: dict[str, str],
        types: MessageTypes,
        config: RecorderConfig,
        limits: ReportLimits,
    ) -> None:
        self.session = session
        self.config = config
        self.presence = Presence(topics, config.stall_timeout_s)
        self.saved: list[int] = []  # by this recorder
        self.last: Ended | None = None
        self.instruction = ''
        self._info, self._topics, self._full_names = info, tuple(topics), full_names
        self._types, self._limits = types, limits
        for topic in topics:
            types.find(topic.type_name)  # refuses now what an episode could not be begun with
        self._lock = threading.RLock()
        self._state = State.IDLE
        self._episode: OpenEpisode | None = None
        self._queue = MessageQueue(0)
        self._thread: threading.Thread | None = None
        self._reason, self._discard = '', False
        self._started_s, self._watched_s = 0.0, time.monotonic()
        self._stalled: set[str] = set()
        self.free_mb = self._free_mb()

    # --- what happens ----------------------------------------------------------------------------

    def add(self, message: Message) -> None:
        """Take a message: written if an episode is open."""
        self.presence.see(message, time.monotonic())
        if self._state is State.RECORDING and not self._queue.put(message):
            with self._lock:
                if self._state is State.RECORDING and self._queue.overflowed:
                    self._end('the disk could not keep up', discard=False)

    def lost_in_transport(self, name: str, count: int) -> None:
        """Take the middleware's word that it lost messages of a topic."""
        episode = self._episode
        if self._state is State.RECORDING and episode is not None:
            episode.monitor.lost_in_transport(name, count)

    def start(self, now_ns: int) -> int:
        """Begin an episode and return its index.

        Raises:
            RecordingError: one is open, a required topic is silent, no instruction is in force, or
                the disk is full; the message says which, and what to do.
            SessionError: the session was recorded with another arm or other cameras.
        """
        with self._lock:
            self._refuse_start()
            self.session.begin()
            index = self.session.next_index
            self._episode = self._open(index, now_ns)
            self._queue = MessageQueue(round(self.config.queue_mb * MEGABYTE))
            self._reason, self._discard, self._stalled = '', False, set()
            self._started_s = time.monotonic()
            self._state = State.RECORDING
            self._thread = threading.Thread(target=self._write, name='recorder', daemon=True)
            self._thread.start()
            return index

    def finish(self, reason: str = 'stopped') -> int:
        """End and save the open episode, in the background; return its index."""
        return self._end_open(reason, discard=False)

    def discard(self) -> int:
        """Drop the open episode, or else remove the one saved last; return its index.

        Raises:
            RecordingError: there is neither.
        """
        with self._lock:
            if self._state is State.RECORDING:
                return self._end_open('discarded', discard=True)
            if self._state is State.FINISHING:
                raise RecordingError('the episode is just being saved. Next: try again')
            if not self.saved:
                raise RecordingError('no episode is open, and none was saved by this recorder')
            index = self.saved[-1]
            try:
                self.session.discard_finished(index)
            except OSError as error:
                raise RecordingError(f'episode {index} cannot be removed: {error}') from error
            self.saved.pop()
            self.last = Ended(index, 'discarded')
            return index

    def wait(self, timeout_s: float) -> bool:
        """Wait until the episode that was ended is on the disk; return whether it is."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return self._state is State.IDLE

    def watch(self) -> str:
        """Look for topics that fell silent; return what is new, for a log. Call it often."""
        now_s = time.monotonic()
        asleep_s, self._watched_s = now_s - self._watched_s - AWAKE_S, now_s
        if asleep_s > 0.0:
            self.presence.excuse(asleep_s, now_s)
        with self._lock:
            if self._state is not State.RECORDING or self._episode is None:
                return ''
            silent = set(self.presence.silent(now_s))
            new = sorted(silent - self._stalled)
            self._stalled = silent
            if not new:
                return ''
            text = f'{", ".join(new)} fell silent at second {self.elapsed_s:.1f}'
            self._episode.monitor.note(text)
            if self.config.on_stall == 'end':
                self._end(text, discard=False)
                text += '; the episode ends here'
            return text

    def close(self, timeout_s: float = 10.0) -> None:
        """Save the open episode, and let others write to the session."""
        with self._lock:
            if self._state is State.RECORDING:
                self._end('the recorder was ended', discard=False)
        if self.wait(timeout_s):
            self.session.close()

    # --- what is ---------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What it does now."""
        return self._state

    @property
    def elapsed_s(self) -> float:
        """Age of the open episode; 0 without one."""
        return time.monotonic() - self._started_s if self._state is State.RECORDING else 0.0

    def values(self) -> dict[str, object]:
        """Figures for diagnostics and for the live view."""
        now_s = time.monotonic()
        episode = self._episode
        values: dict[str, object] = {
            'state': self._state.value,
            'instruction': self.instruction,
            'saved': len(self.saved),
            'elapsed_s': self.elapsed_s,
            'free_mb': self.free_mb,
            'silent': ', '.join(self.presence.silent(now_s)),
        }
        if episode is not None:
            values |= {
                'episode': episode.index,
                'written_mb': episode.size_bytes / MEGABYTE,
                'queue_mb': self._queue.waiting_bytes / MEGABYTE,
                'queue_most_mb': self._queue.most_bytes / MEGABYTE,
            }
            values |= {f'missing {name}': n for name, n in episode.monitor.missing().items()}
        values |= {f'rate_hz {name}': hz for name, hz in self.presence.rates_hz(now_s).items()}
        if self.last is not None:
            values |= {'last': self.last.index, 'last_reason': self.last.reason}
            values['last_saved'] = self.last.folder or ''
            values['last_failure'] = self.last.failure
            values['last_findings'] = '; '.join(self.last.findings)
        return values

    def why_not(self) -> str:
        """Return why no episode can begin now, or nothing."""
        if self._state is not State.IDLE:
            return f'episode {self._episode.index if self._episode else ""} is {self._state.value}'
        silent = self.presence.silent(time.monotonic())
        if silent:
            return (
                f'no message on {", ".join(silent)} in the last '
                f'{self.config.stall_timeout_s:g} s. Next: start the arm and the cameras '
                '(`ros2 topic hz` shows what arrives)'
            )
        if not self.instruction.strip():
            return (
                'no instruction is in force, and an episode without one teaches nothing. Next: '
                'set the parameter instruction, or publish policy/instruction'
            )
        self.free_mb = self._free_mb()
        if self.free_mb < self.config.stop_free_mb:
            return (
                f'{self.free_mb:.0f} MB are free on the disk of {self.session.path}, and '
                f'{self.config.stop_free_mb:.0f} MB must stay. Next: free some space'
            )
        return ''

    # --- inside ----------------------------------------------------------------------------------

    def _refuse_start(self) -> None:
        reason = self.why_not()
        if reason:
            raise RecordingError(f'no episode was begun: {reason}')

    def _open(self, index: int, now_ns: int) -> OpenEpisode:
        try:
            self.session.describe(self._info, self.presence.sizes_px())
            return OpenEpisode(
                self.session,
                index,
                self.instruction,
                now_ns,
                self._topics,
                self._full_names,
                self._types,
                self._limits,
            )
        except OSError as error:
            self.session.discard_open(index)
            raise RecordingError(f'no episode was begun: {error}') from error

    def _end_open(self, reason: str, discard: bool) -> int:
        with self._lock:
            if self._state is not State.RECORDING or self._episode is None:
                raise RecordingError('no episode is open. Next: start one')
            self._end(reason, discard)
            return self._episode.index

    def _end(self, reason: str, discard: bool) -> None:
        """With the lock held, of an open episode."""
        self._reason, self._discard = reason, discard
        self._state = State.FINISHING
        if discard:
            self._queue.drop()
        self._queue.end()

    def _write(self) -> None:
        """The thread: one episode from its first message to its end."""
        episode, queue = self._episode, self._queue
        assert episode is not None
        failure, folder = '', None
        try:
            self._write_messages(episode, queue)
            if self._discard:
                episode.discard()
            elif queue.overflowed:
                raise RecordingError(_overflow(queue))
            else:
                folder = episode.finish(time.time_ns(), self._reason)
        except Exception as error:  # whatever it is: said, and the next episode can begin
            queue.end()
            episode.abandon()
            kind = '' if isinstance(error, ChefMateError) else f'{type(error).__name__}: '
            failure = f'episode {episode.index} FAILED: {kind}{error}'
        with self._lock:
            self.last = Ended(episode.index, self._reason, folder, failure, episode.findings)
            if folder is not None:
                self.saved.append(episode.index)
            self._episode = None
            self._state = State.IDLE

    def _write_messages(self, episode: OpenEpisode, queue: MessageQueue) -> None:
        flushed_s = synced_s = looked_s = time.monotonic()
        ended = False
        while not ended:
            messages, ended = queue.take(TAKE_S)
            for message in messages:
                episode.write(message.name, message.log_ns, message.publish_ns, message.data)
            now_s = time.monotonic()
            if now_s - flushed_s > FLUSH_S:
                to_disk = now_s - synced_s > SYNC_S
                episode.flush(to_disk)
                flushed_s, synced_s = now_s, now_s if to_disk else synced_s
            if now_s - looked_s > DISK_S:
                looked_s = now_s
                self._look_at_disk(episode)

    def _look_at_disk(self, episode: OpenEpisode) -> None:
        self.free_mb = self._free_mb()
        if self.free_mb >= self.config.stop_free_mb:
            return
        with self._lock:
            if self._state is State.RECORDING:
                text = f'the disk is nearly full ({self.free_mb:.0f} MB are free)'
                episode.monitor.note(f'{text}: ended at second {self.elapsed_s:.1f}')
                self._end(text, discard=False)

    def _free_mb(self) -> float:
        return shutil.disk_usage(self.session.path).free / MEGABYTE


def _overflow(queue: MessageQueue) -> str:
    lost = ', '.join(f'{count} of {name}' for name, count in sorted(queue.overflowed.items()))
    return (
        f'the disk could not keep up, and messages were lost: {lost}. What came before is kept; '
        '`chefmate dataset repair` makes an episode of it. Next: a faster disk, or lower rates'
    )
