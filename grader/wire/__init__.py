"""The message format between the examiner and a worker. Both sides use it; it imports neither."""

from grader.wire.decode import decode
from grader.wire.encode import crosses, encode
from grader.wire.frame import Frames, PeerGone, PeerSilent
from grader.wire.values import Handle, InputRef, Name, TensorRecord, WireError, WireLimits

__all__ = [
    "Frames",
    "Handle",
    "InputRef",
    "Name",
    "PeerGone",
    "PeerSilent",
    "TensorRecord",
    "WireError",
    "WireLimits",
    "crosses",
    "decode",
    "encode",
]
