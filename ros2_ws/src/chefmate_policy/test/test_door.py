import pytest

from chefmate_core.errors import PolicyError
from chefmate_core.policy.registry import available_policies, load_policy


def test_groot_is_found_by_name_without_importing_torch():
    assert 'groot' in available_policies()


def test_groot_says_what_is_still_missing_and_what_to_use_instead():
    with pytest.raises(PolicyError, match=r'missing: the model.*policy:=expert'):
        load_policy('groot')
