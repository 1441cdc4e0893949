"""What can be wrong with a request, by code."""

from enum import StrEnum

from chefmate_core.errors import PolicyError


class Code(StrEnum):
    """Why there is no action."""

    BAD_REQUEST = 'bad_request'  # the same request will never succeed
    UNAUTHORISED = 'unauthorised'  # no token, or a wrong one
    BUSY = 'busy'  # as many requests as the server takes, or the model is still loading
    TIMEOUT = 'timeout'  # no answer within the time that the caller would wait
    TOO_LARGE = 'too_large'  # more bytes, pixels or values than the server takes
    INTERNAL = 'internal'  # the model failed


class RequestError(PolicyError):
    """A request that gets an error instead of an action."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


def bad_request(message: str) -> RequestError:
    """Return the error for what the caller has to change."""
    return RequestError(Code.BAD_REQUEST, message)


def too_large(message: str) -> RequestError:
    """Return the error for what exceeds a limit."""
    return RequestError(Code.TOO_LARGE, message)
