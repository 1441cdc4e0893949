"""`chefmate serve`: let robots on other hosts, and other people's clients, ask a model."""

import argparse
import logging
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy.engine import Engine
from chefmate_core.policy.wire.token import read_token
from chefmate_policy.serve.config import HTTP_PORT, ZMQ_PORT, ServeConfig
from chefmate_policy.serve.server import PolicyServer


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `serve` and its options."""
    default = ServeConfig()
    parser = subparsers.add_parser(
        'serve',
        description='Serve a model to robots: over ZeroMQ and HTTP as the clients of GR00T ask, '
        "and over ChefMate's own protocol (chefmate://, on the ZeroMQ port). docs/serving.md "
        'describes them.',
        examples=(
            ('chefmate serve tiny-random', 'a small model on this machine only'),
            ('chefmate serve MODEL --host 0.0.0.0 --token-file F', 'to other hosts'),
            ('chefmate deploy policy:=chefmate://gpu-host:5555', 'the robot host asks it'),
            ('curl localhost:8000/metrics', 'how it goes'),
        ),
    )
    parser.add_argument(
        'model', metavar='MODEL', help='a name under models/, a checkpoint, or a hub id'
    )
    parser.add_argument(
        '--zmq-port', type=_port, default=ZMQ_PORT, metavar='P', help='0: any free one; or off'
    )
    parser.add_argument(
        '--http-port', type=_port, default=HTTP_PORT, metavar='P', help='0: any free one; or off'
    )
    parser.add_argument(
        '--host', default=default.host, metavar='H', help='the address to listen on'
    )
    parser.add_argument(
        '--token-file', type=Path, metavar='F', help='clients must know the text in this file'
    )
    parser.add_argument(
        '--insecure', action='store_true', help='let other hosts ask without a token'
    )
    parser.add_argument(
        '--allow-kill', action='store_true', help="let a client end the server ('kill')"
    )
    parser.add_argument(
        '--waiting',
        type=int,
        default=default.waiting,
        metavar='N',
        help='requests that may wait while one runs; others get the error busy',
    )
    parser.add_argument(
        '--timeout',
        type=float,
        default=default.timeout_s,
        metavar='S',
        help='how long a request may take',
    )
    parser.add_argument(
        '--option',
        action='append',
        default=[],
        metavar='NAME=VALUE',
        help="of the model's engine, such as embodiment=new_embodiment; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C.

    Raises:
        ConfigurationError: an option is wrong, or a port is taken.
        PolicyError: the model cannot be loaded.
    """
    console = Console(highlight=False)
    logging.basicConfig(
        level=logging.WARNING,  # of other libraries
        format='%(message)s',
        handlers=[RichHandler(console=Console(stderr=True), show_path=False)],
    )
    for ours in ('chefmate_core', 'chefmate_policy'):
        logging.getLogger(ours).setLevel(logging.INFO)
    options = _options(args.option)
    config = ServeConfig(
        host=args.host,
        zmq_port=args.zmq_port,
        http_port=args.http_port,
        token=read_token(args.token_file) if args.token_file else None,
        insecure=args.insecure,
        allow_kill=args.allow_kill,
        waiting=args.waiting,
        timeout_s=args.timeout,
    )

    loading = _Loading(console)

    def load() -> Engine:
        try:
            from chefmate_policy.engine.load import load_engine
        except ModuleNotFoundError as error:
            raise PolicyError(
                f'{args.model} needs the Python module {error.name!r}, which is not found. Next: '
                f'set up the policy host (make setup)'
            ) from error
        return load_engine(args.model, progress=loading.show, **options)

    def say_ready(engine: Engine) -> None:
        loading.stop()
        modality = engine.modality
        console.print(
            f'[bold green]ready[/]  {escape(engine.name)}: cameras '
            f'{escape(", ".join(modality.cameras))}; state {modality.state_size}; action '
            f'{modality.horizon} x {modality.action_size}'
        )

    server = PolicyServer(load, config, say_ready)
    for line in _addresses(server):
        console.print(line, soft_wrap=True)
    console.print(f'loading {escape(args.model)} ... (Ctrl-C ends)')
    try:
        server.run()
    finally:
        loading.stop()
    requests = server.statistics.requests
    failed = sum(count for (_, _, outcome), count in requests.items() if outcome != 'ok')
    console.print(f'stopped after {requests.total()} requests, {failed} of them with an error')
    return 0


class _Loading:
    """How far the loading of a model is; the engine's thread tells."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn('{task.description}'),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def show(self, what: str, done: int, total: int) -> None:
        """Draw it: bytes of bytes."""
        if what not in self._tasks:
            self._bar.start()
            self._tasks[what] = self._bar.add_task(what)
        self._bar.update(self._tasks[what], completed=done, total=total)

    def stop(self) -> None:
        """Take it away."""
        self._bar.stop()


def _addresses(server: PolicyServer) -> list[str]:
    lines = []
    addresses, config = server.addresses, server.config
    if 'zmq' in addresses:
        own = addresses['zmq'].replace('zmq://', 'chefmate://')
        lines.append(f'listens on  {addresses["zmq"]}  and  {own}')
    if 'http' in addresses:
        lines.append(f'listens on  {addresses["http"]}  (POST /act, GET /health, /metrics)')
    if config.token is not None:
        lines.append('clients need the token')
    elif config.insecure:
        lines.append('[bold yellow]anybody who reaches this address may ask[/]')
    return lines


def _port(text: str) -> int | None:
    if text == 'off':
        return None
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'expected a port or off; found {text!r}') from None


def _options(words: list[str]) -> dict[str, Any]:
    options = {}
    for word in words:
        name, equals, value = word.partition('=')
        if not equals or not name.isidentifier():
            raise ConfigurationError(
                f'--option {word!r}: expected NAME=VALUE. Next: see chefmate serve --help'
            )
        try:
            options[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigurationError(f'--option {word!r}: not YAML: {error}') from error
    return options
