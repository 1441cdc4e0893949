"""Running ROS 2 launch files, with or without a ROS 2 install.

    exit_code = run_launch_file('deploy', {'hardware': 'sim'}, output_sink=lambda line: ...)

Through the real `launch` where it can be imported, else through the built-in runner, which offers
the part of the launch API that ChefMate's files use and refuses everything else by name.
"""

from chefmate.launching.arguments import DeclaredArgument, parse_assignments
from chefmate.launching.errors import LaunchFileError, UnsupportedLaunchFeatureError
from chefmate.launching.job import (
    RUNNERS,
    LaunchJob,
    launch_file_arguments,
    run_launch_file,
)
from chefmate.launching.output import OutputLine, OutputSink

__all__ = [
    'RUNNERS',
    'DeclaredArgument',
    'LaunchFileError',
    'LaunchJob',
    'OutputLine',
    'OutputSink',
    'UnsupportedLaunchFeatureError',
    'launch_file_arguments',
    'parse_assignments',
    'run_launch_file',
]
