"""Which bag is meant, and what is said where there is none."""

import pytest
from small_session import EpisodePlan, write_session

from chefmate.bag_plot.finding import find_bag
from chefmate_core.dataset.errors import DatasetError, DatasetRequestError


@pytest.fixture
def session(tmp_path):
    plans = [EpisodePlan(duration_s=0.3, instruction=f'do {n}') for n in ('this', 'that')]
    return write_session(tmp_path / 'bread', plans)


def test_of_a_session_the_newest_episode_is_meant(session):
    bag = find_bag(session)
    assert bag.folder == session / 'episode_000001'
    assert bag.manifest.instruction == 'do that'
    assert (bag.title, bag.file_stem) == ('bread, episode 1', 'bread-episode_000001')
    assert bag.others == 1


def test_an_episode_is_chosen_by_its_number_or_its_folder(session):
    by_number, by_folder = find_bag(session, 0), find_bag(session / 'episode_000000')
    assert by_number.folder == by_folder.folder
    assert by_number.manifest == by_folder.manifest


def test_the_file_of_a_bag_stands_for_its_folder(whole_bag):
    bag = find_bag(next(whole_bag.glob('*.mcap')))
    assert bag.folder == whole_bag
    assert bag.manifest is None
    assert bag.title == 'bag'


def test_an_episode_that_is_not_there_is_refused_with_those_that_are(session):
    with pytest.raises(DatasetRequestError, match=r'no finished episode 7; found 0, 1'):
        find_bag(session, 7)


def test_an_episode_of_a_bag_alone_is_refused(whole_bag):
    with pytest.raises(DatasetRequestError, match='--episode chooses one of a session'):
        find_bag(whole_bag, 0)


@pytest.mark.parametrize('named', ['session', 'folder'])
def test_an_open_episode_is_named_with_its_repair(session, named):
    for episode in session.glob('episode_*'):
        if episode.is_dir():
            episode.rename(session / '.open_episode_000003')
            break
    for episode in session.glob('episode_000001*'):
        episode.rename(session / f'gone_{episode.name}')
    path = session if named == 'session' else session / '.open_episode_000003'
    with pytest.raises(DatasetError, match=r'not finished.*chefmate dataset repair .*bread'):
        find_bag(path)


def test_a_session_without_an_episode_says_how_to_record_one(tmp_path):
    with pytest.raises(DatasetRequestError, match=r'no episode.*chefmate record'):
        find_bag(write_session(tmp_path / 'empty', []))


def test_a_bag_that_was_never_finished_is_named_with_its_repair(whole_bag):
    (whole_bag / 'metadata.yaml').unlink()
    with pytest.raises(DatasetError, match=r'no metadata\.yaml.*ros2 bag reindex'):
        find_bag(whole_bag)


def test_a_folder_that_is_no_bag_says_what_is_in_it(tmp_path):
    with pytest.raises(DatasetRequestError, match='found an empty folder'):
        find_bag(tmp_path)
    for number in range(7):
        (tmp_path / f'{number}.txt').touch()
    with pytest.raises(DatasetRequestError, match=r'found 0\.txt, .* and 2 more'):
        find_bag(tmp_path)


def test_a_path_that_leads_nowhere_or_to_a_file_is_refused(tmp_path):
    with pytest.raises(DatasetRequestError, match='found nothing there'):
        find_bag(tmp_path / 'no')
    (tmp_path / 'notes.txt').touch()
    with pytest.raises(DatasetRequestError, match='found a file there'):
        find_bag(tmp_path / 'notes.txt')
