"""Whole messages over a stream: an 8-byte length, then the message."""

from __future__ import annotations

import os
import select
import struct
import time

from grader.wire.values import WireError

_LENGTH = struct.Struct("<Q")
_CHUNK = 1 << 16


class PeerGone(Exception):
    """The other side closed the stream or died."""


class PeerSilent(Exception):
    """The other side did not finish a message in time."""


def frame(message: bytes) -> bytes:
    """A message as it goes over the stream."""
    return _LENGTH.pack(len(message)) + message


class Frames:
    """Messages over one descriptor, with a deadline for each whole message.

    The deadline is for the message, not for the next byte, so a slow drip does not outlast it. A worker
    waits for ever (its parent's death ends it), and so needs no poll among its system calls.
    """

    def __init__(self, descriptor: int, *, message_bytes: int, blocking: bool = False) -> None:
        self.descriptor = descriptor
        self.message_bytes = message_bytes
        self.blocking = blocking
        self._ahead = bytearray()
        if not blocking:
            os.set_blocking(descriptor, False)
            self._reads = select.poll()
            self._reads.register(descriptor, select.POLLIN)
            self._writes = select.poll()
            self._writes.register(descriptor, select.POLLOUT)

    def send(self, message: bytes, seconds: float | None = None) -> None:
        """Send one message.

        Raises:
            PeerGone, PeerSilent: see their classes.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        rest = memoryview(frame(message))
        while rest:
            try:
                rest = rest[os.write(self.descriptor, rest) :]
            except BlockingIOError:
                self._wait(self._writes, deadline)
            except (BrokenPipeError, ConnectionResetError):
                raise PeerGone from None

    def receive(self, seconds: float | None = None) -> bytes:
        """Receive one message.

        Raises:
            PeerGone, PeerSilent: see their classes.
            WireError: the message announced is longer than the bound.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while len(self._ahead) < _LENGTH.size:
            self._read(deadline)
        (length,) = _LENGTH.unpack_from(self._ahead)
        if length > self.message_bytes:
            raise WireError(f"a message of {length:,} bytes; the limit is {self.message_bytes:,}")
        stop = _LENGTH.size + length
        while len(self._ahead) < stop:
            self._read(deadline)
        message = bytes(self._ahead[_LENGTH.size : stop])
        del self._ahead[:stop]
        return message

    def _read(self, deadline: float | None) -> None:
        if deadline is not None and time.monotonic() > deadline:
            raise PeerSilent
        try:
            chunk = os.read(self.descriptor, _CHUNK)
        except BlockingIOError:
            self._wait(self._reads, deadline)
            return
        except ConnectionResetError:
            raise PeerGone from None
        if not chunk:
            raise PeerGone
        self._ahead += chunk

    def _wait(self, poll: select.poll, deadline: float | None) -> None:
        if deadline is None:
            poll.poll()
            return
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(1000 * left):
            raise PeerSilent
