"""What is going on, at the top of the panel: it is always there, whatever tab is open."""

from html import escape

import viser

from chefmate.viewer.story import Story, Tone

PADDING = 'padding: 2px 12px 8px'
QUIET = 'opacity: .65; font-size: 12px'


class StatusPanel:
    """Headline, task, judge, the last answer to a button."""

    def __init__(self, gui: viser.GuiApi, robot: str, control: bool) -> None:
        mode = 'You may give tasks' if control else 'You are watching'
        self._mode = f'{mode} · {robot}'
        self._card = gui.add_html('')

    def draw(self, story: Story, answer: tuple[str, Tone], notes: tuple[str, ...]) -> None:
        """Show the story; `answer` is what came of the last button, or empty."""
        mode = f'{self._mode} · {story.arm}' if story.arm else self._mode
        lines = [
            f'<div style="{QUIET}">{escape(mode)}</div>',
            f'<div style="font-weight:700;font-size:17px;line-height:1.3;margin-top:2px;'
            f'color:{story.tone.value}">{escape(story.headline)}</div>',
        ]
        if story.instruction:
            lines.append(f'<div style="margin-top:3px">“{escape(story.instruction)}”</div>')
        if story.judged:
            lines.append(f'<div style="{QUIET};margin-top:2px">{escape(story.judged)}</div>')
        if story.careful:
            lines.append(
                f'<div style="font-size:13px;color:{Tone.WARNING.value}">'
                f'{escape(story.careful)}</div>'
            )
        said, tone = answer
        if said:
            lines.append(
                f'<div style="margin-top:6px;padding-left:8px;font-size:13px;'
                f'border-left:3px solid {tone.value}">{escape(said)}</div>'
            )
        lines += [f'<div style="{QUIET};margin-top:4px">{escape(note)}</div>' for note in notes]
        content = f'<div style="{PADDING};overflow-wrap:anywhere">{"".join(lines)}</div>'
        if self._card.content != content:
            self._card.content = content
