"""Opens an OpenGL context without a display: EGL if it works here, else OSMesa."""

import ctypes
import os
from typing import Protocol

from chefmate_core.errors import ConfigurationError

BACKENDS = ('egl', 'osmesa')
DEBIAN_PACKAGES = 'libegl1 libgl1-mesa-dri libosmesa6'

# EGL constants; source: Khronos EGL/egl.h and EGL/eglext.h.
_EGL_PLATFORM_DEVICE_EXT = 0x313F
_MAX_DEVICES = 16


class GlContext(Protocol):
    """What both of MuJoCo's contexts offer."""

    def make_current(self) -> None:
        """Make it the calling thread's context."""

    def free(self) -> None:
        """Release it."""


def open_context(width: int, height: int, backend: str | None = None) -> tuple[GlContext, str]:
    """Return a context and its backend, `egl` or `osmesa`.

    The choice is `backend`, else the environment variable MUJOCO_GL, else EGL if it works, else
    OSMesa. PyOpenGL can hold only one of them in a process, so EGL is tried out first without it.

    Raises:
        ConfigurationError: an unknown backend, or none that works; the message names packages.
    """
    wanted = backend or os.environ.get('MUJOCO_GL', '').strip().lower() or None
    if wanted is not None and wanted not in BACKENDS:
        raise ConfigurationError(
            f'the kitchen is drawn without a display, by one of: {", ".join(BACKENDS)}; found '
            f'{wanted!r}. Unset MUJOCO_GL or set it to one of them'
        )
    chosen = wanted or ('egl' if egl_works() else 'osmesa')
    try:
        if chosen == 'egl':
            from mujoco.egl import GLContext
        else:
            from mujoco.osmesa import GLContext
        context = GLContext(width, height)
        context.make_current()
    # PyOpenGL reports a missing library as whatever the first use of it stumbles over.
    except (ImportError, AttributeError, OSError, RuntimeError, TypeError) as error:
        raise ConfigurationError(
            f'cannot draw the kitchen: OpenGL by {chosen} does not start ({error}). Install '
            f'software rendering: apt-get install {DEBIAN_PACKAGES}'
        ) from error
    return context, chosen


def egl_works() -> bool:
    """Return whether EGL has a device on this machine that can be initialised."""
    try:
        egl = ctypes.CDLL('libEGL.so.1')
    except OSError:
        return False
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    egl.eglGetProcAddress.argtypes = [ctypes.c_char_p]
    query_address = egl.eglGetProcAddress(b'eglQueryDevicesEXT')
    display_address = egl.eglGetProcAddress(b'eglGetPlatformDisplayEXT')
    if not query_address or not display_address:
        return False
    query_devices = ctypes.CFUNCTYPE(
        ctypes.c_uint, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int)
    )(query_address)
    get_display = ctypes.CFUNCTYPE(
        ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p
    )(display_address)
    egl.eglInitialize.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    egl.eglInitialize.restype = ctypes.c_uint
    devices = (ctypes.c_void_p * _MAX_DEVICES)()
    count = ctypes.c_int()
    if not query_devices(_MAX_DEVICES, devices, ctypes.byref(count)):
        return False
    for device in devices[: count.value]:
        display = get_display(_EGL_PLATFORM_DEVICE_EXT, device, None)
        if display and egl.eglInitialize(display, None, None):
            return True
    return False
