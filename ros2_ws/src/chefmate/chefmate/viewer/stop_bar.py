"""The emergency stop of the page: a bar that no panel hides, and the key Esc, whatever one does.

viser has no place that is always in sight, on a phone least of all. The bar is therefore a button
of the document itself; it goes into the page's <head> through the gateway, and speaks with the
robot by a websocket of its own (`gateway.stop_line`): one word up, `stop`; one down, how the stop
is (`EmergencyStop.look`), at least every `TELL_S`. Without that word for `LOST_MS` the bar says
that it cannot stop anything from here; time in which the browser itself did nothing does not
count. A press is said again with every word that comes until one of them shows that it was heard.
"""

from typing import Final

from chefmate.viewer.gateway.stop_line import ENDED, PATH, PRESS, ROBOT

BAR_ID = 'chefmate-stop'
TELL_S: Final = 0.5
LOST_MS = 3500
CLOSED_MS = 1000  # the same for a line that was closed
ANSWER_MS = 1500
REDIAL_MS = 500
SHEET = '48%'  # of a phone's height


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
#{BAR_ID}:is([data-look=silent], [data-look=latched], [data-look=gone]) {{
  border-color: #ffd43b;
}}
#{BAR_ID}[data-look=latched] {{ background: #7d1210; }}
#{BAR_ID}:is([data-look=connecting], [data-look=lost], [data-look=absent], [data-look=gone],
  [data-look={ENDED}]) {{
  background: #5c6066; border-style: dashed; cursor: not-allowed;
}}
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
  const plug = 'a real arm: pull its power plug';
  const texts = {{
    connecting: ['CONNECTING \\u2026', 'the arm cannot be stopped from here yet'],
    free: ['EMERGENCY STOP', matchMedia('(any-pointer: fine)').matches ? 'or press Esc' : 'press'],
    unknown: ['EMERGENCY STOP', 'the arm has not said yet how it is'],
    silent: ['EMERGENCY STOP', 'the arm has fallen silent; ' + plug],
    stopping: ['STOPPING \\u2026', ''],
    unanswered: ['NO ANSWER', 'asked again until it stops; ' + plug],
    stopped: ['STOPPED', 'the arm holds still'],
    latched: ['STOP IS LATCHED', 'but the arm has fallen silent; ' + plug],
    absent: ['NO ARM TO STOP', 'none answers here'],
    gone: ['NO ARM TO STOP', 'its driver has gone, the servos may hold; ' + plug],
    {ENDED}: ['PAGE ENDED', 'the arm cannot be stopped from here'],
    lost: ['NOT CONNECTED', 'the robot does not answer; ' + plug],
  }};
  const heard = ['stopping', 'unanswered', 'stopped', 'latched'];  // the press arrived
  const blind = document.createElement('canvas').getContext('webgl2') ? ''
    : 'no picture: this browser has no WebGL, or it is switched off';
  const address = new URL('{PATH[1:]}', location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  address.search = address.hash = '';
  let said = 'connecting', silent = 0, looked = 0, pressed = null, shown = null;
  let line = null, dialed = -Infinity, robot = null, known = false, moved = '';
  const now = () => performance.now();
  document.title = 'ChefMate';
  const bar = document.createElement('button');
  bar.id = '{BAR_ID}';
  bar.type = 'button';
  const insist = () => {{
    const open = known && line.readyState === WebSocket.OPEN;
    if (pressed !== null && open) line.send('{PRESS}');
  }};
  const press = () => {{
    if (pressed === null && said !== '{ENDED}') pressed = now();
    insist();
    show();
  }};
  const meet = (name) => {{
    if (robot !== null && name !== robot) {{  // its address is another's now: so is this page
      moved = 'now another robot: ' + name;
      pressed = shown = null;
    }}
    robot = name;
    said = 'connecting';  // what was said before is old
    known = true;
    document.title = 'ChefMate · ' + robot;
    insist();
  }};
  const hear = (event) => {{
    silent = 0;
    looked = now();
    if (event.data.startsWith('{ROBOT}')) return meet(event.data.slice({len(ROBOT)}));
    said = event.data;
    if (heard.includes(said) || said === '{ENDED}') pressed = null;
    insist();
    show();
  }};
  const dial = () => {{
    if (line) {{ line.onmessage = line.onclose = null; line.close(); }}
    dialed = now();
    known = false;
    line = new WebSocket(address);
    line.onmessage = hear;
    line.onclose = () => {{ silent = Math.max(silent, {LOST_MS - CLOSED_MS}); }};
  }};
  const show = () => {{
    silent += Math.min(now() - looked, 250);
    looked = now();
    const lost = silent > {LOST_MS};
    const closed = line.readyState > WebSocket.OPEN;
    if ((closed || lost) && now() - dialed > (closed ? {REDIAL_MS} : {LOST_MS})) dial();
    let look = lost && said !== '{ENDED}' ? 'lost' : said;
    if (!lost && pressed !== null && !heard.includes(said))
      look = now() - pressed < {ANSWER_MS} ? 'stopping' : 'unanswered';
    if (shown === look) return;
    shown = look;
    bar.dataset.look = look;
    const [big, small] = texts[look];
    bar.replaceChildren(big);
    for (const text of [small, blind, moved]) {{
      if (!text) continue;
      const note = document.createElement('small');
      note.textContent = text;
      bar.append(note);
    }}
    bar.setAttribute('aria-label', [big, small, blind, moved].filter(Boolean).join('. '));
  }};
  bar.addEventListener('pointerdown', (event) => {{ event.preventDefault(); press(); }});
  bar.addEventListener('click', (event) => {{ if (event.detail === 0) press(); }});
  addEventListener('keydown', (event) => {{
    if (event.key === 'Escape' && !event.repeat) press();
  }}, true);
  dial();
  addEventListener('DOMContentLoaded', () => {{ document.body.append(bar); show(); }});
  setInterval(show, 100);
}})();
</script>
"""
