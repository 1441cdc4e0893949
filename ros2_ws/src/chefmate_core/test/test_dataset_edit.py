"""Operations on data sets, read back from disk."""

import json

import numpy as np
import pytest
from recordings import image_of, recording

from chefmate_core.dataset import edit
from chefmate_core.dataset.convert import Options, write
from chefmate_core.dataset.errors import DatasetRequestError
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.reading import open_dataset
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.rows import episode_table
from chefmate_core.dataset.video import VideoCodec, images

ONE = Options(workers=1)
WRIST, SCENE = 'observation.images.wrist', 'observation.images.scene'
FORMATS = [Format.LEROBOT_V30, Format.GROOT]


def made(tmp_path, *lengths, name='made', target=Format.LEROBOT_V30, **more):
    path = write_recording(recording(*lengths, **more), tmp_path / name, target, options=ONE)
    return open_dataset(path)


def again(dataset, path, target):
    return open_dataset(write(dataset, path, target, ONE))


def first_states(dataset):
    return [
        episode_table(episode, dataset.features).column('observation.state')[0].as_py()
        for episode in dataset.episodes
    ]


def looks_like(dataset, number, key, camera, episode):
    """Whether the images of an episode are those that `camera` took in `episode`."""
    part = dataset.episodes[number]
    shown = list(images(part.videos[key], dataset.fps))
    return len(shown) == part.length and all(
        np.abs(image - image_of(camera, episode, index, 48, 64).astype(float)).mean() < 6
        for index, image in shown
    )


@pytest.mark.parametrize('target', FORMATS)
def test_a_subset_has_the_chosen_episodes_in_the_chosen_order(tmp_path, target):
    dataset = made(tmp_path, 5, 6, 7, instructions=('pick up the bread', 'make a sandwich'))
    part = again(edit.subset(dataset, [2, 1]), tmp_path / 'part', target)
    assert [episode.length for episode in part.episodes] == [7, 6]
    assert [episode.tasks[0] for episode in part.episodes] == [
        'pick up the bread',
        'make a sandwich',
    ]
    assert first_states(part) == first_states(dataset)[:0:-1]
    assert looks_like(part, 0, WRIST, 'wrist', 2)
    assert looks_like(part, 1, SCENE, 'scene', 1)
    index = [
        value
        for episode in part.episodes
        for value in episode_table(episode, part.features).column('index').to_pylist()
    ]
    assert index == list(range(13))


def test_deleting_episodes_drops_tasks_that_nobody_has(tmp_path):
    dataset = made(tmp_path, 5, 6, 7, instructions=('pick up the bread', 'make a sandwich'))
    part = again(edit.delete(dataset, [1]), tmp_path / 'part', Format.LEROBOT_V30)
    assert part.tasks == ('pick up the bread',)
    assert [episode.length for episode in part.episodes] == [5, 7]


@pytest.mark.parametrize('target', FORMATS)
def test_merging_puts_one_after_the_other_and_joins_the_tasks(tmp_path, target):
    one = made(tmp_path, 5, 6, name='one', target=target)
    two = made(
        tmp_path, 4, 3, name='two', target=target, instructions=('make a sandwich', one.tasks[0])
    )
    both = again(edit.merge([one, two]), tmp_path / 'both', target)
    assert [episode.length for episode in both.episodes] == [5, 6, 4, 3]
    assert both.tasks == ('pick up the bread', 'make a sandwich')
    assert [episode.tasks[0] for episode in both.episodes] == [*both.tasks[:1] * 2, both.tasks[1],
                                                               both.tasks[0]]  # fmt: skip
    assert first_states(both) == first_states(one) + first_states(two)
    assert looks_like(both, 2, WRIST, 'wrist', 0)


def test_videos_of_different_codecs_are_merged_into_files_of_their_own(tmp_path):
    one = made(tmp_path, 5, 6, name='one')
    av1 = Options(codec=VideoCodec.AV1, workers=1)
    path = write_recording(recording(4), tmp_path / 'two', Format.LEROBOT_V30, options=av1)
    both = again(edit.merge([one, open_dataset(path)]), tmp_path / 'both', Format.LEROBOT_V30)
    assert [looks_like(both, number, WRIST, 'wrist', number % 2) for number in range(3)] == [
        True
    ] * 3
    assert both.episodes[1].videos[WRIST].path != both.episodes[2].videos[WRIST].path


def test_data_sets_with_different_cameras_are_not_merged(tmp_path):
    one = made(tmp_path, 5, name='one')
    other = edit.rename_cameras(one, {'wrist': 'hand'})
    with pytest.raises(DatasetRequestError, match=r'observation\.images\.hand: only in one'):
        edit.merge([one, other])


def test_a_split_leaves_no_episode_out_and_gives_each_part_one(tmp_path):
    dataset = made(tmp_path, 2, 3, 4, 5, 6)
    parts = edit.split(dataset, {'train': 0.97, 'val': 0.03})
    assert [[episode.length for episode in part.episodes] for part in parts.values()] == [
        [2, 3, 4, 5],
        [6],
    ]
    assert again(parts['val'], tmp_path / 'val', Format.GROOT).total_frames == 6


@pytest.mark.parametrize('target', FORMATS)
def test_swapped_cameras_change_places_with_images_and_statistics(tmp_path, target):
    dataset = made(tmp_path, 5, 6, target=target)
    swapped = again(
        edit.rename_cameras(dataset, {'wrist': 'scene', 'scene': 'wrist'}),
        tmp_path / 'swapped',
        target,
    )
    assert looks_like(swapped, 1, WRIST, 'scene', 1)
    assert looks_like(swapped, 1, SCENE, 'wrist', 1)
    np.testing.assert_array_equal(
        swapped.episodes[1].statistics[WRIST]['mean'],
        dataset.episodes[1].statistics[SCENE]['mean'],
    )
    if target is Format.GROOT:
        assert swapped.modality['video'] == {
            'scene': {'original_key': SCENE},
            'wrist': {'original_key': WRIST},
        }


def test_cameras_can_be_swapped_back_in_one_episode_alone(tmp_path):
    dataset = made(tmp_path, 5, 6)
    swap = {'wrist': 'scene', 'scene': 'wrist'}
    mended = again(edit.rename_cameras(dataset, swap, [1]), tmp_path / 'new', Format.LEROBOT_V30)
    assert looks_like(mended, 0, WRIST, 'wrist', 0)
    assert looks_like(mended, 1, WRIST, 'scene', 1)
    assert looks_like(mended, 1, SCENE, 'wrist', 1)
    with pytest.raises(DatasetRequestError, match='change places'):
        edit.rename_cameras(dataset, {'wrist': 'hand'}, [1])


def test_a_renamed_camera_is_renamed_in_groots_modality_too(tmp_path):
    dataset = made(tmp_path, 5, target=Format.GROOT)
    renamed = again(
        edit.rename_cameras(dataset, {'scene': 'front'}), tmp_path / 'renamed', Format.GROOT
    )
    assert renamed.modality['video']['front'] == {'original_key': 'observation.images.front'}
    assert 'scene' not in renamed.modality['video']


def test_two_cameras_never_get_one_name(tmp_path):
    with pytest.raises(DatasetRequestError, match='change places'):
        edit.rename_cameras(made(tmp_path, 5), {'wrist': 'scene'})


@pytest.mark.parametrize('target', FORMATS)
def test_relabelling_two_instructions_to_one_makes_one_task(tmp_path, target):
    dataset = made(tmp_path, 5, 6, 7, instructions=('bread', 'Bread!', 'cheese'))
    relabelled = again(edit.relabel(dataset, {'Bread!': 'bread'}), tmp_path / 'new', target)
    assert relabelled.tasks == ('bread', 'cheese')
    tasks = [
        set(episode_table(episode, relabelled.features).column('task_index').to_pylist())
        for episode in relabelled.episodes
    ]
    assert tasks == [{0}, {0}, {1}]


def test_an_instruction_with_unicode_line_breaks_stays_one_line_of_json(tmp_path):
    """Python's splitlines takes them for ends of lines; JSON lines end with a newline only."""
    odd = 'bread\u2028then\x85cheese'
    dataset = made(tmp_path, 2, target=Format.LEROBOT_V21, instructions=(odd,))
    assert dataset.tasks == (odd,)


def test_one_episode_can_be_given_another_instruction(tmp_path):
    dataset = made(tmp_path, 5, 6)
    relabelled = again(
        edit.relabel(dataset, episodes={1: 'make a sandwich'}), tmp_path / 'new', Format.GROOT
    )
    assert [episode.tasks[0] for episode in relabelled.episodes] == [
        'pick up the bread',
        'make a sandwich',
    ]


@pytest.mark.parametrize(
    ('operation', 'message'),
    [
        (lambda dataset: edit.subset(dataset, [0, 2]), 'no episode 2; there are 0 to 1'),
        (lambda dataset: edit.subset(dataset, [1, 1]), 'named twice'),
        (lambda dataset: edit.delete(dataset, [0, 1]), 'no episode would be left'),
        (lambda dataset: edit.split(dataset, {'a': 1, 'b': 1, 'c': 1}), 'cannot be split into 3'),
        (lambda dataset: edit.split(dataset, {'a': 1, 'b': -1}), 'positive'),
        (lambda dataset: edit.relabel(dataset, {'fly': 'swim'}), "no episode has the .* 'fly'"),
        (lambda dataset: edit.relabel(dataset, episodes={0: ' '}), 'must not be empty'),
        (lambda dataset: edit.rename_cameras(dataset, {'left': 'x'}), 'wrist'),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_could(tmp_path, operation, message):
    with pytest.raises(DatasetRequestError, match=message):
        operation(made(tmp_path, 2, 3))


def test_annotations_of_groot_keep_their_texts_when_data_sets_are_merged(tmp_path):
    """The columns `annotation.*` name rows of the table of tasks, as task_index does."""
    first = made(tmp_path, 3, 2, name='first', target=Format.GROOT)
    root = first.root
    annotate(root, ['pick up the bread', 'valid'], 1)
    second = made(tmp_path, 2, name='second', target=Format.GROOT, instructions=('cheese',))
    annotate(second.root, ['cheese', 'invalid'], 1)
    both = again(
        edit.merge([open_dataset(root), open_dataset(second.root)]), tmp_path / 'b', Format.GROOT
    )
    texts = [
        {both.tasks[index] for index in table.column('annotation.human.validity').to_pylist()}
        for table in (episode_table(episode, both.features) for episode in both.episodes)
    ]
    assert texts == [{'valid'}, {'valid'}, {'invalid'}]


def annotate(root, tasks, index):
    """Add a column of annotations to a GR00T data set."""
    import pyarrow.parquet as pq

    (root / 'meta/tasks.jsonl').write_text(
        ''.join(
            json.dumps({'task_index': number, 'task': text}) + '\n'
            for number, text in enumerate(tasks)
        )
    )
    info = json.loads((root / 'meta/info.json').read_text())
    key = 'annotation.human.validity'
    info['features'][key] = {'dtype': 'int64', 'shape': [1], 'names': None}
    (root / 'meta/info.json').write_text(json.dumps(info))
    for path in root.glob('data/*/*.parquet'):
        table = pq.read_table(path)
        pq.write_table(table.append_column(key, [[index] * table.num_rows]), path)
