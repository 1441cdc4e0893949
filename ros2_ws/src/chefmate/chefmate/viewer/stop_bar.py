"""The emergency stop of the page: a bar that no panel hides, and the key Esc wherever one types.

viser has no place that is always in sight, on a phone least of all. The bar is therefore a button
of the document itself; it goes into the page's <head> through the gateway. Pressed, it presses
the hotkey of the page's command, so that there is one way from a browser to the arm. What it says
comes back from the page: `state_html`, an invisible element that is replaced once a second. Does
that not happen for `LOST_MS`, the bar says that it cannot stop anything from here; time in which
the browser itself did nothing does not count.
"""

from html import escape
from typing import Final

STATE_ID = 'chefmate-state'
BAR_ID = 'chefmate-stop'
HOTKEY: Final = 'escape'
LOST_MS = 3500
ANSWER_MS = 1500
SHEET = '48%'  # of a phone's height


def state_html(stopped: bool | None, why_not: str, beat: int) -> str:
    """Return the element that tells the bar how things are; `why_not`: nobody can be stopped."""
    state = 'unknown' if stopped is None else 'stopped' if stopped else 'free'
    if why_not:
        state = 'absent'
    return (
        f'<span id="{STATE_ID}" hidden data-state="{state}" data-beat="{beat}" '
        f'data-why="{escape(why_not, quote=True)}"></span>'
    )


HEAD_HTML = f"""
<style>
#{BAR_ID} {{
  position: fixed; left: 16px; top: 16px; z-index: 100000; min-width: 232px; padding: 10px 22px;
  border: 3px solid #fff; border-radius: 12px; color: #fff; background: #d6201f; cursor: pointer;
  font: 800 21px/1.15 system-ui, sans-serif; letter-spacing: .04em; text-align: center;
  box-shadow: 0 3px 14px rgba(0, 0, 0, .35); touch-action: manipulation; user-select: none;
}}
#{BAR_ID} small {{
  display: block; font: 500 12px/1.3 system-ui, sans-serif; letter-spacing: 0; opacity: .92;
}}
#{BAR_ID}:hover {{ background: #b91514; }}
#{BAR_ID}:active {{ transform: translateY(1px); }}
#{BAR_ID}[data-look=stopping] {{ background: #7d1210; }}
#{BAR_ID}[data-look=stopped] {{ background: #2b2b2f; border-color: #e03131; cursor: default; }}
#{BAR_ID}[data-look=lost] {{ background: #5c6066; border-style: dashed; cursor: not-allowed; }}
#{BAR_ID}[data-look=unanswered] {{ background: #7d1210; border-color: #ffd43b; }}
/* viser's notices have their place where the bar is. */
.mantine-Notifications-root[data-position^=top] {{ margin-top: 84px; }}
@media (max-width: 600px) {{
  #{BAR_ID} {{ left: 8px; right: 8px; top: 8px; padding: 9px 12px; }}
}}
/* viser leaves a third of the panel to labels; a task is long, and its label short. */
[style*="width: 7.25em"] {{ width: 3.4em !important; }}
/* On a phone viser's panel is a sheet at the foot: as wide as the phone, half as high. */
@media (max-width: 600px) {{
  .mantine-Paper-root[style*="bottom: 0"] {{
    width: 100% !important; max-height: {SHEET} !important;
  }}
  .mantine-Paper-root[style*="bottom: 0"] [style*="width: 20em"] {{ width: 100% !important; }}
}}
</style>
<script>
(() => {{
  const texts = {{
    free: ['EMERGENCY STOP', 'or press Esc'],
    unknown: ['EMERGENCY STOP', 'the arm has not said yet how it is'],
    stopping: ['STOPPING \\u2026', ''],
    stopped: ['STOPPED', 'the arm holds still'],
    unanswered: ['NO ANSWER', 'press again; a real arm: pull its power plug'],
    lost: ['NOT CONNECTED', 'the page has ended: the arm cannot be stopped from here'],
    absent: ['NOTHING TO STOP', ''],
  }};
  let beat = null, silent = Infinity, looked = 0, pressed = -Infinity, shown = null;
  const now = () => performance.now();
  document.title = 'ChefMate';
  const bar = document.createElement('button');
  bar.id = '{BAR_ID}';
  bar.type = 'button';
  const press = () => {{
    pressed = now();
    document.documentElement.dispatchEvent(
      new KeyboardEvent('keydown', {{key: 'Escape', code: 'Escape', bubbles: true}}));
    show();
  }};
  const show = () => {{
    const state = document.getElementById('{STATE_ID}');
    silent += Math.min(now() - looked, 250);
    looked = now();
    if (state && state.dataset.beat !== beat) {{ beat = state.dataset.beat; silent = 0; }}
    const said = state ? state.dataset.state : 'lost';
    let look = silent > {LOST_MS} ? 'lost' : said;
    if (said === 'stopped') pressed = -Infinity;
    else if (look !== 'lost' && now() - pressed < {ANSWER_MS}) look = 'stopping';
    else if (look !== 'lost' && now() - pressed < 6 * {ANSWER_MS}) look = 'unanswered';
    if (shown === look) return;
    shown = look;
    bar.dataset.look = look === 'absent' ? 'lost' : look;
    const [big, small] = texts[look];
    bar.replaceChildren(big);
    const note = document.createElement('small');
    note.textContent = look === 'absent' ? state.dataset.why : small;
    if (note.textContent) bar.append(note);
    bar.setAttribute('aria-label', big + '. ' + note.textContent);
  }};
  bar.addEventListener('pointerdown', (event) => {{ event.preventDefault(); press(); }});
  bar.addEventListener('click', (event) => {{ if (event.detail === 0) press(); }});
  document.addEventListener('keydown', (event) => {{
    if (event.key !== 'Escape' || !event.isTrusted) return;
    const typing = event.target.closest && event.target.closest('input, textarea, select');
    if (typing) press(); else {{ pressed = now(); show(); }}
  }}, true);
  addEventListener('DOMContentLoaded', () => {{ document.body.append(bar); show(); }});
  setInterval(show, 100);
}})();
</script>
"""
