"""What is going on, in words for somebody who has never seen the arm."""

from dataclasses import dataclass
from enum import Enum

from chefmate.viewer.feeds import Feeds
from chefmate.viewer.health import ARM, POLICY, TASK, TELEOP, Health

PATIENCE_S, SERVO_PATIENCE_S = 1.0, 3.0
ERROR = 2  # of a report
# Words of an arm driver's report (chefmate_core.driver.report), and of a stop by hand.
LATCHED, PRESSED = 'emergency stop is latched: ', 'pressed'


class Tone(Enum):
    """How a sentence is meant; the value is its colour, readable on light and on dark."""

    QUIET = '#868e96'
    WORKING = '#228be6'
    GOOD = '#2f9e44'
    WARNING = '#e8890c'
    BAD = '#e03131'


@dataclass(frozen=True)
class Verdict:
    """What the simulation's judge, who knows the true poses, says of the task."""

    achieved: bool
    sentence: str


@dataclass(frozen=True)
class Story:
    """What happens, the task in force, what the judge says, what hurts, which arm it is."""

    headline: str
    tone: Tone
    instruction: str
    judged: str
    working: bool
    careful: str  # what a servo suffers from
    arm: str  # whether it is a real one


def tell(
    feeds: Feeds,
    health: Health,
    stopped: bool | None,
    instruction: str,
    verdict: Verdict | None,
    now_s: float,
) -> Story:
    """Return the story of this moment."""
    progress = feeds.progress.fresh(now_s, PATIENCE_S)
    busy = health.value(POLICY, 'busy', now_s) == 'True'
    working = progress is not None or busy
    judged = ''
    if verdict is not None and instruction and not working:
        judged = _judged(verdict)

    servos = feeds.servos.fresh(now_s, SERVO_PATIENCE_S)
    careful = '; '.join(servos.findings) if servos is not None else ''

    arm_is = health.kind_of_arm(now_s)

    def story(headline: str, tone: Tone) -> Story:
        return Story(headline, tone, instruction, judged, working, _sentence(careful), arm_is)

    if stopped:
        return story(_stopped(health, arm_speaks(feeds, health, now_s), now_s), Tone.BAD)
    if feeds.joints.refusal:
        return story(f'The arm reports {feeds.joints.refusal}', Tone.BAD)
    if feeds.joints.value is None:
        return story('Waiting for the arm', Tone.QUIET)
    if feeds.joints.fresh(now_s, PATIENCE_S) is None:
        return story('The arm has fallen silent', Tone.BAD)
    if progress is not None:
        return story(f'{_sentence(progress.phase)} · {progress.elapsed_s:.0f} s', Tone.WORKING)
    if busy:
        return story('Working', Tone.WORKING)
    if verdict is not None and verdict.achieved and instruction:
        return story('Done', Tone.GOOD)
    return story(_waiting(health, now_s), Tone.QUIET)


def arm_speaks(feeds: Feeds, health: Health, now_s: float) -> bool:
    """Return whether the arm's own words are fresh: its joints', its driver's. Nobody: no news."""
    if feeds.joints.fresh(now_s, PATIENCE_S) is not None:
        return True
    report = health.of(ARM, now_s)
    if report is None:
        return feeds.joints.value is None and ARM not in health.reports
    return report.level < ERROR or report.sentence.startswith(LATCHED)


def _stopped(health: Health, speaks: bool, now_s: float) -> str:
    """Return what is known of a stopped arm; latched in the driver is not yet standing still."""
    if not speaks:
        return 'The stop is latched, but the arm has fallen silent'
    report = health.of(ARM, now_s)
    said = report.sentence if report is not None else ''
    reason = said.removeprefix(LATCHED) if said.startswith(LATCHED) else PRESSED
    if reason.startswith(PRESSED):
        return 'Stopped. The arm holds still'
    return f'Stopped by itself: {reason}'


def _waiting(health: Health, now_s: float) -> str:
    """Return what an arm that has nothing to do waits for."""
    teleop = health.of(TELEOP, now_s)
    if teleop is not None:
        return f'Moved by hand: {teleop.sentence}'
    task, policy = health.of(TASK, now_s), health.of(POLICY, now_s)
    if task is not None and policy is not None and policy.sentence != 'ready':
        return f'Getting ready: {policy.sentence}'
    if task is not None:
        return _sentence(task.sentence)
    if policy is None:
        return 'The arm holds its place'
    return 'Ready for a task' if policy.sentence == 'ready' else _sentence(policy.sentence)


def _judged(verdict: Verdict) -> str:
    """Return the first of the judge's findings: the rest is for those who debug."""
    if verdict.achieved:
        return ''  # the headline says so
    return f'Not there yet. {_sentence(verdict.sentence.split("; ")[0])}'


def _sentence(text: str) -> str:
    """Return a part's words as a sentence; names are words, too."""
    words = text.replace('_', ' ')
    return words[:1].upper() + words[1:]
