"""`chefmate sim usd`: writes a file that its own validator accepts, and names what is broken."""

import argparse
from pathlib import Path

import pytest
from pxr import UsdPhysics

from chefmate_core.errors import ConfigurationError
from chefmate_sim.cli import usd
from chefmate_sim.isaac.stage import open_stage


def arguments(out=None, validate=None, seed=0):
    return argparse.Namespace(out=out, validate=validate, seed=seed)


def test_a_written_kitchen_is_found_to_be_well(tmp_path, capsys):
    out = tmp_path / 'kitchen.usda'
    assert usd.run(arguments(out, seed=4)) == 0
    assert 'kitchen of seed 4' in capsys.readouterr().out
    assert usd.run(arguments(validate=out)) == 0
    assert 'no rule is broken' in capsys.readouterr().out


def test_two_seeds_are_two_kitchens(tmp_path):
    files = [tmp_path / f'{seed}.usda' for seed in (1, 2)]
    for seed, file in enumerate(files, start=1):
        assert usd.run(arguments(file, seed=seed)) == 0
    assert files[0].read_text() != files[1].read_text()


def test_a_broken_file_is_an_exit_code_of_1_and_the_prims_name(tmp_path, capsys):
    out = tmp_path / 'kitchen.usda'
    usd.run(arguments(out))
    stage = open_stage(out)
    stage.GetPrimAtPath('/World/patty').RemoveAPI(UsdPhysics.MassAPI)
    stage.Save()
    capsys.readouterr()
    assert usd.run(arguments(validate=out)) == 1
    said = capsys.readouterr().out
    assert said.startswith('/World/patty: no mass')


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(ConfigurationError, match='there is no file'):
        usd.run(arguments(validate=Path('/nowhere/kitchen.usda')))
