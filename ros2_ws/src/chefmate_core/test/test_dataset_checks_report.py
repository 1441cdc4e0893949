"""The page that shows a data set: whole, in one file, and true."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_session import EpisodePlan, picture, write_session

from chefmate_core.dataset.convert import Options
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset_checks import check, report
from chefmate_core.dataset_checks.inline_images import jpeg_uri
from chefmate_core.dataset_checks.pictures import shrink
from chefmate_core.dataset_checks.svg import Line, histogram, line_plot, nice_ticks, thinned
from chefmate_core.observing.jpeg import JpegDecoder
from chefmate_core.session_reader import open_session

PLAN = EpisodePlan(instruction='put <b>bread</b> & cheese on the "plate"')


class Reader(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self):
        super().__init__()
        self.tags, self.links, self.text, self.open = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ('src', 'href')]
        if tag not in ('meta', 'img'):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f'{tag} closes nothing'

    def handle_data(self, data):
        self.text.append(data)


def read(path):
    reader = Reader()
    reader.feed(path.read_text())
    assert not reader.open
    return reader


def make(folder, format_, plans):
    session = write_session(folder / 'session', plans)
    if format_ is None:
        return session
    return write_recording(
        open_session(session), folder / 'set', format_, options=Options(workers=1)
    )


@pytest.mark.parametrize('format_', [None, *Format])
def test_a_report_is_one_page_that_needs_nothing_else(tmp_path, format_):
    folder = make(tmp_path, format_, [PLAN, PLAN])
    assert report(folder, tmp_path / 'page.html') == []
    page = read(tmp_path / 'page.html')
    assert all(link.startswith(('data:image/jpeg;base64,', '#')) for link in page.links)
    assert not {'script', 'link', 'iframe', 'object'} & set(page.tags)
    assert 'http' not in re.sub(r'base64,[^"]*', '', (tmp_path / 'page.html').read_text())
    assert page.tags.count('img') == 2 * 2 * 8  # episodes, cameras, images of a filmstrip
    assert page.tags.count('svg') == 2 * 6 + 1 + 6 + 1  # joints; durations, joints, differences
    assert any(PLAN.instruction in text for text in page.text)
    assert 'b' not in page.tags  # what people wrote is text, not markup


def test_every_finding_is_on_the_page(tmp_path):
    folder = make(tmp_path, None, [EpisodePlan(idle_s=99.0), EpisodePlan(instruction='')])
    (folder / '.open_episode_000002').mkdir()
    findings = report(folder, tmp_path / 'page.html')
    text = ' '.join(read(tmp_path / 'page.html').text)
    assert len(findings) == 3 and findings == check(folder)
    for finding in findings:
        assert finding.name in text and finding.repair in text and str(finding.where) in text


def test_of_many_episodes_some_have_pictures_and_all_are_in_the_table(tmp_path):
    folder = make(tmp_path, None, [EpisodePlan(duration_s=0.5)] * 5)
    report(folder, tmp_path / 'page.html', most_episodes=2)
    page = read(tmp_path / 'page.html')
    assert page.tags.count('details') == 2 and page.tags.count('tr') == 6
    assert '2 of 5 episodes' in ' '.join(page.text)


def test_a_folder_that_is_no_data_set_has_a_page_that_says_so(tmp_path):
    report(tmp_path, tmp_path / 'page.html')
    assert 'not-a-data-set' in read(tmp_path / 'page.html').text


def test_an_inline_image_shows_what_it_was_made_of():
    image = shrink(picture('scene', 0.3), (48, 64)).astype(np.uint8)
    content = base64.b64decode(jpeg_uri(image).removeprefix('data:image/jpeg;base64,'))
    assert np.abs(JpegDecoder().decode(content).astype(int) - image).mean() < 8


def test_a_spike_in_a_long_line_is_still_seen():
    y = np.zeros(10_000)
    y[4321] = 7.0
    x, kept = thinned(np.arange(10_000.0), y)
    assert len(x) <= 300 and kept.max() == 7.0 and x[np.argmax(kept)] == 4321


def test_a_gap_in_a_line_stays_a_gap():
    y = np.sin(np.arange(100.0))
    y[40:50] = np.nan
    plot = line_plot('joint', [Line('state', np.arange(100.0), y, 'state')], 's')
    assert plot.count('<polyline') == 2 and 'nan' not in plot


@pytest.mark.parametrize('values', [[], [np.nan], [1.0], [3.0] * 9, [1e-9, 1e9]])
def test_any_values_have_a_histogram(values):
    drawn = histogram('x', np.array(values), 'units')
    assert drawn.endswith('</figure>') and 'nan' not in drawn
    assert ('class="bar"' in drawn) == bool(np.isfinite(values).any())


@given(
    st.floats(-1e6, 1e6, allow_nan=False), st.floats(1e-3, 1e6, allow_nan=False), st.integers(3, 8)
)
def test_marks_of_an_axis_are_inside_it_and_few(low, span, wanted):
    marks = nice_ticks(low, low + span, wanted)
    assert 1 <= len(marks) <= wanted + 1
    slack = 1e-6 * max(span, abs(low), 1.0)
    assert all(low - slack <= mark <= low + span + slack for mark in marks)


def test_a_shrunk_image_has_the_means_of_its_blocks():
    image = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)
    small = shrink(image, (2, 3))
    blocks = image.reshape(2, 4, 3, 4, 3).astype(float).mean(axis=(1, 3))
    np.testing.assert_allclose(small, blocks, rtol=1e-6)
    assert shrink(image[:1, :1], (12, 16)).shape == (12, 16, 3)
