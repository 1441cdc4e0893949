"""The expert understands the kitchen's instructions and refuses everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.errors import UnknownInstructionError
from chefmate_sim.expert.language import KNOWN_INSTRUCTIONS, SANDWICH, parse_instruction

BREAD_1, BREAD_2 = ('bread_slice_1',), ('bread_slice_2',)
CHEESE, PATTY = ('cheese_slice',), ('patty',)


@pytest.mark.parametrize(
    ('text', 'layers'),
    [
        ('pick up the bread slice and place it on the plate', BREAD_1),
        ('Pick up the BREAD slice, and place it on the plate!', BREAD_1),
        ('  put the first slice of bread onto the plate ', BREAD_1),
        ('Please put the toast on the dish.', BREAD_1),
        ('pick up one slice of bread', BREAD_1),
        ('pick up bread_slice_1', BREAD_1),
        ('the second bread, please: put it on the plate', BREAD_2),
        ('pick up bread_slice_2 and place it on the plate', BREAD_2),
        ('take bread number 2', BREAD_2),
        ('grab the other slice of bread', BREAD_2),
        ('put the cheese on the plate', CHEESE),
        ('Could you move the cheddar to the plate?', CHEESE),
        ('pick up the cheese slice from the tray and place it on the plate', CHEESE),
        ('take the cheese out of the slot', CHEESE),
        ('pick up the cheese in the tray and place it on the plate', CHEESE),
        ('grab the patty', PATTY),
        ('pick up the burger patty and lay it on the plate', PATTY),
        ('put the meat on the plate', PATTY),
        ('make a sandwich', SANDWICH),
        ('Make me a sandwich, please', SANDWICH),
        ('build a sandwich on the plate', SANDWICH),
        ('make a hamburger', SANDWICH[:2] + SANDWICH[3:]),
        ('make a sandwich with cheese and patty', SANDWICH),
        ('make a cheese sandwich', ('bread_slice_1', 'cheese_slice', 'bread_slice_2')),
    ],
)
def test_an_instruction_names_its_slices_bottom_to_top(text, layers):
    assert parse_instruction(text) == layers


@pytest.mark.parametrize(
    'text',
    [
        '',
        '   ',
        '?!',
        'dance',
        'pick it up',
        'make it',
        'pick up the tomato and place it on the plate',
        'pick up the plate',
        'the bread',
        'put the bread and the cheese on the plate',
        'grab the patty, then the cheese',
        'put the cheese on the bread',
        'put the bread in the tray',
        'move the bread from the plate to the tray',
        'do not pick up the bread',
        "don't pick up the bread",
        'make a sandwich without cheese',
        'throw the cheese',
        'eat the sandwich',
        'put two bread slices on the plate',
        'put the first and the second bread on the plate',
        'make two sandwiches',
        'pick up the second patty',
        'make a tomato sandwich',
    ],
)
def test_what_is_unclear_is_refused_with_a_list_of_what_is_understood(text):
    with pytest.raises(UnknownInstructionError) as refusal:
        parse_instruction(text)
    for known in KNOWN_INSTRUCTIONS:
        assert known in str(refusal.value)


def test_a_refusal_names_the_words_that_are_not_understood():
    with pytest.raises(UnknownInstructionError, match='unknown word: tomato'):
        parse_instruction('pick up the tomato')


@pytest.mark.parametrize('text', KNOWN_INSTRUCTIONS)
def test_every_instruction_that_is_advertised_is_understood(text):
    assert parse_instruction(text)


@given(st.text(max_size=60))
def test_any_text_is_either_understood_or_refused_with_the_typed_error(text):
    try:
        layers = parse_instruction(text)
    except UnknownInstructionError:
        return
    assert layers and set(layers) <= set(SANDWICH)
