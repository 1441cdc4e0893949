"""Which embodiment runs: asked for, or the only one; a wrong one lists the right ones."""

import pytest
from small_checkpoints import change_json, write

from chefmate_policy.checkpoint import EmbodimentError, open_checkpoint
from chefmate_policy.checkpoint.embodiment import SLOTS, choose_embodiment


def test_slots_are_the_published_ones():
    assert SLOTS == {
        'new_embodiment': 31, 'gr1': 24, 'oxe_droid': 17, 'agibot_genie1': 26,
        'so100': 2, 'unitree_g1': 3,
    }  # fmt: skip


def test_the_only_one_with_statistics_is_chosen_and_that_is_said():
    chosen = choose_embodiment(None, ['gr1'], 'metadata.json')
    assert (chosen.tag, chosen.slot) == ('gr1', 24)
    assert 'only one with statistics' in chosen.why
    assert choose_embodiment('gr1', ['gr1', 'oxe_droid'], 'metadata.json').why == ''


@pytest.mark.parametrize(
    ('asked', 'there', 'message'),
    [
        ('so101', ['new_embodiment'], "unknown embodiment 'so101'"),
        ('gr1', ['new_embodiment'], "no statistics for embodiment 'gr1'"),
        (None, ['new_embodiment', 'gr1'], 'which embodiment'),
        (None, [], 'no known embodiment has statistics'),
        (None, ['mine'], 'which no slot belongs to, mine'),
    ],
)
def test_a_wrong_tag_lists_the_valid_ones_with_their_slots(asked, there, message):
    with pytest.raises(EmbodimentError, match=message) as error:
        choose_embodiment(asked, there, 'metadata.json')
    for tag, slot in SLOTS.items():
        assert f'{tag} (slot {slot})' in str(error.value)
    assert 'metadata.json has statistics for' in str(error.value)


@pytest.mark.parametrize('layout', ['isaac', 'lerobot'])
def test_the_checkpoint_says_which_it_has(tmp_path, layout):
    folder = write(tmp_path / 'a', layout)
    with pytest.raises(EmbodimentError, match='has statistics for new_embodiment'):
        open_checkpoint(folder, 'gr1')
    assert open_checkpoint(folder, 'new_embodiment').embodiment.slot == 31


def test_one_of_several_must_be_named(tmp_path):
    folder = write(tmp_path / 'a')

    def second(content):
        content['gr1'] = content['new_embodiment']

    change_json(folder / 'experiment_cfg' / 'metadata.json', second)
    with pytest.raises(EmbodimentError, match='statistics for new_embodiment, gr1'):
        open_checkpoint(folder)
    assert open_checkpoint(folder, 'gr1').embodiment.slot == 24
