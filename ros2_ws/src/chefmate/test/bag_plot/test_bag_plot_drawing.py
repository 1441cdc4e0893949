"""The picture and the page, and the command that writes them."""

import re
import struct
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
import recording_rig as rig
from PIL import Image
from small_session import EpisodePlan, write_session

from chefmate.bag_plot import theme
from chefmate.bag_plot.figures import png
from chefmate.bag_plot.gate_panels import grown
from chefmate.bag_plot.page import html
from chefmate.bag_plot.panels import sections
from chefmate.bag_plot.reading import read_recording
from chefmate.cli.main import main

ALL = [
    'Joint positions: measured against commanded',
    'What the safety gate did',
    'Motion',
    'Rates and ages',
    'Servos',
]


def plot(*words):
    return main(['bag', 'plot', *[str(word) for word in words]])


def titles(recording):
    return [section.title for section in sections(recording)]


def pixels_of(picture, colour):
    """Return how many pixels have just this colour."""
    wanted = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])
    return int((np.asarray(picture.convert('RGB')) == wanted).all(axis=2).sum())


def test_a_bag_with_everything_has_every_section(whole_bag):
    assert titles(read_recording(whole_bag)) == ALL


@pytest.mark.parametrize(
    ('topics', 'expected'),
    [
        (['diagnostics'], ['Servos']),
        (['wrist/*'], ['Rates and ages']),
        (['policy/instruction'], ['What the safety gate did']),
        (['twin/joint_error'], ['Motion', 'Rates and ages']),
        (['follower/joint_states'], [ALL[0], 'Motion', 'Rates and ages']),
    ],
)
def test_what_the_bag_does_not_hold_leaves_no_empty_panel(whole_bag, topics, expected):
    recording = read_recording(whole_bag, topics)
    assert titles(recording) == expected
    assert png(recording, 'title', [])[:4] == b'\x89PNG'


def test_the_picture_shows_the_lines_and_the_modes(whole_bag):
    picture = Image.open(BytesIO(png(read_recording(whole_bag), 'bag', [('shown', '4 s')])))
    assert picture.width == 1210
    for colour in (theme.MEASURED, theme.APPLIED, theme.REQUESTED):
        assert pixels_of(picture, colour) > 100, colour
    following, blending, stopped = (
        pixels_of(picture, theme.MODE_COLOURS[mode])
        for mode in ('following', 'blending', 'estopped')
    )
    assert 4.0 < following / blending < 6.0  # 2.5 s against 0.5 s
    assert stopped > blending
    assert pixels_of(picture, theme.MODE_COLOURS['holding']) == 0


def test_counters_are_drawn_when_they_grew(whole_bag):
    counters = grown(read_recording(whole_bag))
    assert set(counters) == {'clamped_to_limits'}
    assert counters['clamped_to_limits'].tolist() == [0, 0, 2, 0]


def test_a_driver_that_began_anew_counts_nothing_backwards(new_bag):
    bag = new_bag()
    for second, count in enumerate((5, 7, 0, 1)):
        bag.diagnostics(float(second), {'gate_stalls': count})
    assert grown(read_recording(bag.close()))['stalls'].tolist() == [0, 2, 0, 1]


def test_the_page_is_one_file_that_loads_nothing(whole_page):
    assert not re.findall(r'<(script|link|img|iframe)', whole_page)
    addresses = re.findall(r'(?:src|href)="([^"]*)"', whole_page)
    assert addresses
    assert all(address.startswith('#') for address in addresses)
    assert 'url(http' not in whole_page
    assert '@import' not in whole_page


def test_the_drawings_in_a_page_are_whole_and_mix_no_names(whole_bag):
    # Two of these sections have panels of the same places and sizes.
    recording = read_recording(whole_bag, ['follower/joint_*', 'wrist/*'])
    drawings = re.findall(r'<svg.*?</svg>', html(recording, 'bag', [], []), re.DOTALL)
    assert len(drawings) == 4
    for drawing in drawings:
        ElementTree.fromstring(drawing)
        defined = set(re.findall(r'id="([^"]+)"', drawing))
        used = set(re.findall(r'(?:url\(|href=")#([^")]+)', drawing))
        assert used <= defined
    ids = [name for drawing in drawings for name in re.findall(r'clipPath id="([^"]+)"', drawing)]
    assert len(ids) == len(set(ids))


def test_every_colour_of_the_drawings_has_a_dark_one(whole_page):
    drawings = ' '.join(re.findall(r'<svg.*?</svg>', whole_page, re.DOTALL))
    left = set(re.findall(r'(?:fill|stroke): (#[0-9a-f]+)', drawings))
    assert not left, 'colours that a dark page would show as they are'
    used = set(re.findall(r'var\((--plot-\w+)\)', drawings))
    light, dark = theme.style_sheet().split('@media')
    assert len(used) > 10
    for name in used:
        assert f'{name}:' in light
        assert f'{name}:' in dark


def test_words_from_the_bag_stay_words(whole_page):
    assert 'pick up the &lt;cheese&gt; &amp; $x^$' in whole_page
    for hostile in ('<b>', '<script>', '<i>', '<cheese>'):
        assert hostile not in whole_page


def test_numbers_on_the_axes_are_plain(whole_page):
    drawn = re.findall(r'<text[^>]*>([^<]*)<', whole_page)
    assert '10' in drawn
    odd = [text for text in drawn if '$' in text or '\\' in text]
    assert odd == ['pick up the &lt;cheese&gt; &amp; $x^$']


def test_a_spike_of_one_message_is_in_the_page(new_bag):
    bag = new_bag()
    for step in range(12_000):
        spike = 1.5 if step == 7654 else 0.0
        bag.joints('/follower/joint_states', step / 100, np.full(6, spike))
    page = html(read_recording(bag.close()), 'bag', [], [])
    first = page[page.index('<svg') :]
    lines = re.findall(r'd="([^"]*)"[^>]*style="[^"]*plot-2563ec', first)
    points = [
        [float(number) for number in point.split()]
        for point in re.findall(r'[ML] ([\d.]+ [\d.]+)', lines[0])
    ]
    heights = np.array(points)[:, 1]
    assert len(points) < 1600
    assert (heights < heights.max() - 50).sum() == 1  # the one above all others


def test_the_table_counts_every_topic_and_names_what_is_not_drawn(new_bag):
    bag = new_bag()
    for step in range(201):
        bag.joints('/follower/joint_states', step / 100, np.zeros(6))
    bag.raw('/follower/joint_states', 'sensor_msgs/msg/JointState', b'', 2.01)
    bag.write('/chatter', bag.header(0.0), 0.0)
    page = html(read_recording(bag.close()), 'bag', [], [])
    (row,) = re.findall(r'<tr><td[^>]*>follower/joint_states</td>(.*?)</tr>', page)
    cells = re.findall(r'>([^<]*)</td>', row)
    assert cells == ['202', '100.0', '0.010', '1.0', '1.0', '1']
    assert 'Not drawn: /chatter' in page


@pytest.mark.parametrize('count', [1, 2])
def test_a_bag_of_one_or_two_messages_is_drawn(new_bag, count):
    bag = new_bag()
    for step in range(count):
        bag.joints('/follower/joint_states', step / 100, np.zeros(6))
    recording = read_recording(bag.close())
    assert png(recording, 'title', [])[:4] == b'\x89PNG'
    assert html(recording, 'title', [], [])


def test_the_command_writes_a_page_of_the_newest_episode(tmp_path, monkeypatch, capsys):
    session = write_session(
        tmp_path / 'bread', [EpisodePlan(duration_s=1.2), EpisodePlan(duration_s=1.2)]
    )
    monkeypatch.chdir(tmp_path)
    assert plot(session) == 0
    page = (tmp_path / 'bread-episode_000001-plots.html').read_text()
    assert 'pick up the bread' in page
    said = capsys.readouterr().out
    assert 'written: bread-episode_000001-plots.html' in said
    assert 'the newest of 2 episodes' in said


def test_what_our_recorder_wrote_is_plotted(tmp_path):
    recorder = rig.make_recorder(tmp_path / 'session')
    rig.record(recorder, rig.episode_messages(seconds=1.5))
    recorder.close()
    out = tmp_path / 'plots.html'
    assert plot(tmp_path / 'session', '--out', out) == 0
    assert 'pick up the cheese' in out.read_text()


def test_the_command_writes_a_picture_of_a_stretch(whole_bag, tmp_path):
    out = tmp_path / 'part.PNG'
    assert plot(whole_bag, '--out', out, '--from', 1, '--to', 2, '--topics', 'follower/*') == 0
    content = out.with_suffix('.png').read_bytes()
    assert struct.unpack('>I', content[16:20]) == (1210,)


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['--out', 'plots.pdf'], 'ends in .html or .png'),
        (['--out', 'no/such/plots.html'], 'there is no folder'),
        (['--from', 'nan'], 'expected seconds'),
        (['--from', '-1'], 'expected seconds'),
        (['--from', '3', '--to', '3'], 'is not after'),
        (['--episode', '1'], '--episode chooses one of a session'),
        (['--topics', 'nothing/*'], 'no such topic'),
    ],
)
def test_wrong_options_are_refused_and_nothing_is_written(
    whole_bag, tmp_path, monkeypatch, capsys, words, said
):
    monkeypatch.chdir(tmp_path)
    assert plot(whole_bag, *words) == 2
    assert said in ' '.join(capsys.readouterr().err.split())
    assert [path.name for path in tmp_path.iterdir()] == ['bag']


def test_a_damaged_bag_is_a_failure_and_a_wrong_path_a_mistake(whole_bag, tmp_path, capsys):
    assert plot(tmp_path / 'nothing') == 2
    (whole_bag / 'metadata.yaml').write_text('broken: [')
    assert plot(whole_bag, '--out', tmp_path / 'a.html') == 1
    assert 'no readable rosbag2 folder' in capsys.readouterr().err
