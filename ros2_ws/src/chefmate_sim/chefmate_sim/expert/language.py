"""From an instruction in English to the slices that shall lie on the plate, bottom to top.

The vocabulary is closed on purpose: a word that is not listed may change the meaning ("tomato",
"not", "throw"), and an arm must not move on half an understanding. What is unclear is refused,
never guessed.
"""

import re
from itertools import pairwise

from chefmate_core.errors import UnknownInstructionError

KNOWN_INSTRUCTIONS = (
    'pick up the bread slice and place it on the plate',
    'pick up the second bread slice and place it on the plate',
    'pick up the cheese slice and place it on the plate',
    'pick up the patty and place it on the plate',
    'make a sandwich',
    'make a cheese sandwich',
)

# Bottom to top. The widest layers carry the others, and the top bread lands on cheese (a slab with
# straight edges) instead of a round patty, off whose rim it slid in the feasibility study.
SANDWICH = ('bread_slice_1', 'patty', 'cheese_slice', 'bread_slice_2')


def _vocabulary(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BREAD = {'bread', 'breads', 'toast', 'toasts'}
_CHEESE = {'cheese', 'cheeses', 'cheddar'}
_PATTY = {'patty', 'patties', 'pattie', 'meat', 'beef'}
_BURGER = {'burger', 'hamburger', 'cheeseburger'}  # a patty to be picked, a sandwich to be made
_SANDWICH = {'sandwich', 'sandwiches'}

_FIRST = {'first', '1', 'one'}
_SECOND = {'second', '2', 'two', 'other'}

_MOVE_VERBS = _vocabulary("""
    pick put place grab take lift get move bring fetch set lay grasp transfer serve add carry
    deliver drop stack position
""")
_MAKE_VERBS = _vocabulary("""
    make build assemble prepare stack cook create construct compose serve
""")
_PLATE = {'plate', 'dish'}
_TRAY = {'tray', 'holder', 'slot'}
_SLICE = {'slice', 'slices', 'piece', 'pieces', 'sheet'}
_FILLERS = _vocabulary("""
    a an the it that this up on onto to of and then please kindly could can would will you me i
    want need like for from in into out over upon now chef chefmate hey robot my some down with
    using go just let s us there round number top center centre middle whole full delicious hi
    hello ok okay
""")
_KNOWN_WORDS = (
    _BREAD | _CHEESE | _PATTY | _BURGER | _SANDWICH | _FIRST | _SECOND | _MOVE_VERBS | _MAKE_VERBS
    | _PLATE | _TRAY | _SLICE | _FILLERS
)  # fmt: skip

_ONTO = {'on', 'onto', 'into', 'over', 'upon'}


def parse_instruction(text: str) -> tuple[str, ...]:
    """Return the names of the slices to stack on the plate, bottom to top.

    Args:
        text: an instruction such as those in `KNOWN_INSTRUCTIONS`; case, punctuation, politeness
            and common synonyms do not matter.

    Raises:
        UnknownInstructionError: nothing known is named, or the meaning is not clear; the message
            says why and lists what is understood.
    """
    words = _words(text)
    if not words:
        raise _refusal(text, 'it is empty')
    unknown = [word for word in words if word not in _KNOWN_WORDS]
    if unknown:
        raise _refusal(text, f'unknown word{"s" * (len(unknown) > 1)}: {", ".join(unknown)}')
    _refuse_other_destinations(text, words)
    if _means_sandwich(words):
        return _sandwich(text, words)
    return (_single_slice(text, words),)


def _words(text: str) -> list[str]:
    return re.findall(r'[a-z]+|\d+', str(text).lower().replace('_', ' ').replace("n't", ' not '))


def _means_sandwich(words: list[str]) -> bool:
    present = set(words)
    return bool(
        present & _SANDWICH or (present & _BURGER and present & (_MAKE_VERBS - _MOVE_VERBS))
    )


def _sandwich(text: str, words: list[str]) -> tuple[str, ...]:
    """Return the layers: those that are named between two slices of bread, or all."""
    present = set(words)
    if not present & _MAKE_VERBS and not present & {'want', 'like', 'get', 'need'}:
        raise _refusal(text, 'a sandwich can be made, nothing else')
    if present & (_FIRST | _SECOND):
        raise _refusal(text, 'one sandwich at a time, from all that is in the tray')
    cheese = bool(present & (_CHEESE | {'cheeseburger'}))
    patty = bool(present & (_PATTY | _BURGER))
    if not (cheese or patty) or (cheese and patty):
        return SANDWICH
    left_out = 'patty' if cheese else 'cheese_slice'
    return tuple(layer for layer in SANDWICH if layer != left_out)


def _single_slice(text: str, words: list[str]) -> str:
    present = set(words)
    if not present & _MOVE_VERBS and not present & {'want', 'like', 'need'}:
        raise _refusal(text, 'it does not say what to do')
    kinds = {
        'bread': present & _BREAD,
        'cheese_slice': present & _CHEESE,
        'patty': present & (_PATTY | _BURGER),
    }
    named = [kind for kind, found in kinds.items() if found]
    if not named:
        raise _refusal(text, 'it names no ingredient')
    if len(named) > 1:
        raise _refusal(text, f'it names more than one ingredient ({", ".join(named)})')
    ordinals = present & (_FIRST | _SECOND)
    if named[0] != 'bread':
        if ordinals - {'one'}:
            raise _refusal(text, f'there is only one {named[0].removesuffix("_slice")}')
        return named[0]
    return _bread(text, words)


def _bread(text: str, words: list[str]) -> str:
    first, second = set(words) & _FIRST, set(words) & _SECOND
    if first and second:
        raise _refusal(text, 'it names both bread slices; ask for one at a time')
    # "bread slice 2" names a slice, "2 bread slices" and "two slices" count them.
    if any(pair[0] in {'2', 'two'} and pair[1] in _BREAD | _SLICE for pair in pairwise(words)):
        raise _refusal(text, 'one slice at a time')
    if set(words) & {'breads', 'toasts', 'slices', 'pieces'}:
        raise _refusal(text, 'one slice at a time')
    return 'bread_slice_2' if second else 'bread_slice_1'


def _refuse_other_destinations(text: str, words: list[str]) -> None:
    """Refuse "put the bread in the tray", "lay the patty on the cheese" and the like."""
    nouns = _BREAD | _CHEESE | _PATTY | _BURGER | _SANDWICH | _PLATE | _TRAY
    for index, word in enumerate(words):
        noun = next((later for later in words[index + 1 :] if later in nouns), None)
        if word in _ONTO and noun not in _PLATE | _TRAY | {None}:
            raise _refusal(text, f'slices go on the plate only, not on the {noun}')
        if word == 'from' and noun not in _TRAY:
            raise _refusal(text, 'slices are taken from the tray only')
    if set(words) & _TRAY and not set(words) & ({'from', 'out'} | _PLATE):
        raise _refusal(text, 'slices go on the plate, not back into the tray')


def _refusal(text: str, why: str) -> UnknownInstructionError:
    known = '\n  '.join(KNOWN_INSTRUCTIONS)
    return UnknownInstructionError(
        f'cannot act on the instruction {str(text)!r}: {why}. Understood are, in these or similar '
        f'words:\n  {known}'
    )
