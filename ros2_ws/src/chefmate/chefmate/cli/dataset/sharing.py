"""`chefmate dataset push` and `pull`: data sets on the Hugging Face hub."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from chefmate_core.dataset.errors import DatasetRequestError
from chefmate_core.dataset.info import read_info
from chefmate_core.dataset.reading import open_dataset
from chefmate_core.errors import ChefMateError, ConfigurationError


class HubError(ChefMateError, OSError):
    """The hub cannot be reached, or refuses."""


def push(args: argparse.Namespace) -> int:
    """Upload a data set, with the tag by which LeRobot finds its version."""
    open_dataset(args.path)  # nobody is helped by half a data set on the hub
    version = read_info(args.path).version
    with _hub(args.name) as hub:
        api = hub.HfApi()
        api.create_repo(args.name, repo_type='dataset', private=not args.public, exist_ok=True)
        commit = api.upload_folder(
            repo_id=args.name,
            repo_type='dataset',
            folder_path=str(args.path),
            commit_message='Upload by ChefMate',
        )
        api.create_tag(args.name, tag=version, repo_type='dataset', exist_ok=True)
    Console(highlight=False).print(f'[green]pushed:[/] {commit.commit_url}', soft_wrap=True)
    return 0


def pull(args: argparse.Namespace) -> int:
    """Download a data set and open it."""
    path: Path = args.path
    if path.exists() and any(path.iterdir()):
        raise DatasetRequestError(f'{path}: exists already and is not overwritten')
    with _hub(args.name) as hub:
        hub.snapshot_download(
            args.name, repo_type='dataset', revision=args.revision, local_dir=str(path)
        )
    dataset = open_dataset(path)
    Console(highlight=False).print(
        f'[green]here:[/] {path}: {len(dataset.episodes)} episodes, {dataset.format}',
        soft_wrap=True,
    )
    return 0


@contextmanager
def _hub(name: str) -> Iterator[Any]:
    """Yield the hub's library; what goes wrong with it becomes an error that says what to do.

    Raises:
        ConfigurationError: the library is not installed, or the name is wrong.
        HubError: there is no connection, or the hub refuses.
    """
    try:
        import huggingface_hub as hub
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError:
        raise ConfigurationError(
            'huggingface_hub is not installed here. Next: pip install huggingface_hub'
        ) from None
    if name.count('/') != 1:
        raise ConfigurationError(f'{name!r}: expected ORGANISATION/NAME')
    try:
        yield hub
    except HFValidationError as error:
        raise ConfigurationError(f'{name!r} cannot be a name on the hub: {error}') from error
    except HfHubHTTPError as error:
        raise HubError(
            f'the hub refuses {name}: {error}. Next: log in (hf auth login) and check the name'
        ) from error
    except ChefMateError:
        raise
    except Exception as error:  # each release has connection errors of other libraries
        raise HubError(
            f'the hub cannot be reached for {name}: {type(error).__name__}: {error}. '
            f'Next: connect to the internet and try again; what is on disk is untouched'
        ) from error
