# The robot host: cameras, servo bus, executor. No GPU, no torch, no simulation.
#   docker build -f docker/Dockerfile.robot -t chefmate-robot .
FROM ros:jazzy

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1
WORKDIR /chefmate

# What changes rarely first: system packages and the pinned Python packages, in a virtual environment over
# the ROS 2 of the image. bootstrap.py is the same set-up that `make` runs on any machine.
COPY ros2_ws/bootstrap ros2_ws/bootstrap
COPY ros2_ws/env.sh ros2_ws/env.sh
RUN source /opt/ros/jazzy/setup.bash \
  && mkdir -p ros2_ws/src \
  && python3 ros2_ws/bootstrap/bootstrap.py --roles robot \
  && rm -rf /var/lib/apt/lists/*

# The whole repository, launch files and calibration included; then only the workspace is built.
COPY . .
RUN source /opt/ros/jazzy/setup.bash \
  && python3 ros2_ws/bootstrap/bootstrap.py --roles robot

# Ctrl-C's signal, so that the launch ends its nodes in order and the arm holds.
STOPSIGNAL SIGINT
ENTRYPOINT ["/chefmate/docker/entrypoint.sh"]
CMD ["ros2", "launch", "chefmate", "deploy.launch.py", "hardware:=real", "instruction:=none"]
