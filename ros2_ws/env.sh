# Put ChefMate into this shell:  . ros2_ws/env.sh        (bash or zsh)
# Works over ROS 2 from wheels in .venv and over a sourced ROS 2 Jazzy install.

if [ -n "${BASH_SOURCE:-}" ]; then
  _chefmate_ws="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
else
  _chefmate_ws="$(cd "$(dirname "${(%):-%x}")" && pwd)"
fi
_chefmate_venv="$(dirname "$_chefmate_ws")/.venv"

if [ ! -x "$_chefmate_venv/bin/python" ]; then
  echo "ChefMate is not set up here yet: run 'make setup' in $(dirname "$_chefmate_ws")" >&2
  return 1
fi
. "$_chefmate_venv/bin/activate"

if [ -d "$_chefmate_venv/share/rclpy" ]; then # ROS 2 from wheels: the environment is the ament prefix
  _chefmate_libs="$_chefmate_venv/lib"
  for _chefmate_dir in "$_chefmate_venv"/lib/python3.*/site-packages/ros_*.libs; do
    _chefmate_libs="$_chefmate_libs:$_chefmate_dir"
  done
  case ":${LD_LIBRARY_PATH:-}:" in
    *":$_chefmate_venv/lib:"*) ;;
    *) export LD_LIBRARY_PATH="$_chefmate_libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" ;;
  esac
  export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1 # their .pth need not start Python a second time
  case ":${AMENT_PREFIX_PATH:-}:" in
    *":$_chefmate_venv:"*) ;;
    *)
      export AMENT_PREFIX_PATH="$_chefmate_venv${AMENT_PREFIX_PATH:+:$AMENT_PREFIX_PATH}"
      export CMAKE_PREFIX_PATH="$_chefmate_venv${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}"
      ;;
  esac
  export ROS_VERSION=2 ROS_PYTHON_VERSION=3 ROS_DISTRO=jazzy
fi

# A neighbour's topics stay away from the arm unless two hosts are asked for.
export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"

# colcon's setup scripts call Python without quotes: give them one without a space in its path.
export COLCON_PYTHON_EXECUTABLE="${COLCON_PYTHON_EXECUTABLE:-$(readlink -f "$_chefmate_venv/bin/python")}"

if [ -z "${CHEFMATE_BUILDING:-}" ]; then
  if [ -f "$_chefmate_ws/install/local_setup.bash" ]; then
    if [ -n "${ZSH_VERSION:-}" ]; then
      . "$_chefmate_ws/install/local_setup.zsh"
    else
      . "$_chefmate_ws/install/local_setup.bash"
    fi
  else
    echo "ChefMate's workspace is not built yet: run 'make setup'" >&2
  fi
fi
unset _chefmate_ws _chefmate_venv _chefmate_libs _chefmate_dir
