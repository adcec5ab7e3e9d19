# SPDX-License-Identifier: Apache-2.0
"""The application's gRPC calls through the sidecar.  Each says in one line
what its caller and, by its own words, the server saw; CALLS has what they
should say.
"""

import queue

import grpc

import answers
import grpcserver

TIMEOUT_S = 15
SENT = (("x-sent", "first"), ("x-sent", "second"), ("x-sent-bin", b"\x00\x80"))
LARGE = 3 * 1024 * 1024
AT_ONCE = 64
DEADLINE_S = 1.0
# It is rounded up on its way, to whole milliseconds at the least.
DEADLINE_MOST_S = 1.2


def open_channel(address):
    # A channel of its own: grpcio shares connections between equal ones.
    return grpc.insecure_channel(
        "%s:%d" % address, options=[("grpc.use_local_subchannel_pool", 1),
                                    ("grpc.enable_http_proxy", 0)])


def ask(address):
    """A message goes there and comes back."""
    with open_channel(address) as channel:
        try:
            message = channel.unary_unary(grpcserver.SAY)(
                b"hello", timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            details = answers.BODIES.get(error.details(), error.details())
            return f"200 gRPC {error.code().name}: {details}"
    return answers.GRPC if message == b"hello" else f"200 gRPC {message!r}"


def status(call):
    return f"{call.code().name} {call.details()}".strip()


def ours(metadata):
    return " ".join(f"{name}={value!r}" for name, value in metadata
                    if name.startswith(("x-sent", "x-last")))


def soon(things):
    try:
        return things.get(timeout=10)
    except queue.Empty:
        return None


def unary(channel, _server):
    message, call = channel.unary_unary(grpcserver.SAY).with_call(
        b"hello", TIMEOUT_S, SENT)
    return (f"{message.decode()}; {ours(call.initial_metadata())};"
            f" {ours(call.trailing_metadata())}; {status(call)}")


def large(channel, _server):
    sent = bytes(range(256)) * (LARGE // 256)
    got = channel.unary_unary(grpcserver.SAY)(sent, TIMEOUT_S)
    return f"{len(got)} bytes, {'the same' if got == sent else 'others'}"


def at_once(channel, _server):
    say = channel.unary_unary(grpcserver.SAY)
    calls = {b"%d" % n: say.future(b"%d" % n, TIMEOUT_S)
             for n in range(AT_ONCE)}
    right = sum(call.result() == sent for sent, call in calls.items())
    return f"{right} of {len(calls)} echoed"


def server_streaming(channel, _server):
    call = channel.unary_stream(grpcserver.COUNT)(b"1000", TIMEOUT_S)
    got = [int(message) for message in call]
    order = "in order" if got == sorted(got) else "out of order"
    return f"{len(got)} {order}; {ours(call.trailing_metadata())}"


def client_streaming(channel, _server):
    return channel.stream_unary(grpcserver.GATHER)(
        iter([b"a", b"b", b"c"]), TIMEOUT_S).decode()


def bidirectional(channel, _server):
    """Each message is sent after the answer to the one before has come."""
    to_say = queue.Queue()
    call = channel.stream_stream(grpcserver.CHAT)(
        iter(to_say.get, None), TIMEOUT_S)
    heard = []
    for word in (b"one", b"two", b"three"):
        to_say.put(word)
        heard.append(next(call).decode())
    to_say.put(None)
    rest = list(call)
    return f"{', '.join(heard)}; {len(rest)} more; {status(call)}"


def failure(channel, _server):
    call = channel.unary_unary(grpcserver.FAIL).future(b"", TIMEOUT_S)
    return f"{call.exception() and status(call)};" \
           f" {ours(call.trailing_metadata())}"


def late_failure(channel, _server):
    call = channel.unary_stream(grpcserver.FAIL_LATE)(b"", TIMEOUT_S)
    got = []
    try:
        for message in call:
            got.append(message.decode())
    except grpc.RpcError:
        pass    # its status is what we ask for
    return f"{' '.join(got)}; {status(call)}; {ours(call.trailing_metadata())}"


def unknown(channel, _server):
    call = channel.unary_unary("/ext.Echo/Nothing").future(b"", TIMEOUT_S)
    return f"{call.exception() and call.code().name}"


def deadline(channel, server):
    call = channel.unary_unary(grpcserver.WAIT).future(b"", DEADLINE_S)
    left = soon(server.echo.began)
    told = left is not None and 0 < left <= DEADLINE_MOST_S
    call.exception()
    return (f"{call.code().name}; the server"
            f" {'knew it' if told else f'was told {left}'},"
            f" {'saw the end' if soon(server.echo.ended) else 'saw no end'}")


def cancellation(channel, server):
    """Without a deadline: only a reset can tell the server."""
    call = channel.unary_unary(grpcserver.WAIT).future(b"")
    soon(server.echo.began)
    call.cancel()
    return ("cancelled; the server"
            f" {'saw it' if soon(server.echo.ended) else 'did not see it'}")


def cancelled_stream(channel, server):
    call = channel.unary_stream(grpcserver.DRIP)(b"")
    got = [next(call) for _ in range(3)]
    call.cancel()
    return (f"{len(got)} messages, cancelled; the server"
            f" {'saw it' if soon(server.echo.ended) else 'did not see it'}")


LAST = "x-last='said' x-last-bin=b'\\x00\\xff\\x80'"
CALLS = (
    ("unary", unary, "hello; x-sent='first' x-sent='second'"
                     f" x-sent-bin=b'\\x00\\x80'; {LAST}; OK"),
    ("3 MiB there and back", large, f"{LARGE} bytes, the same"),
    ("64 at once", at_once, f"{AT_ONCE} of {AT_ONCE} echoed"),
    ("server streaming", server_streaming, f"1000 in order; {LAST}"),
    ("client streaming", client_streaming, "a+b+c"),
    ("bidirectional", bidirectional,
     "heard one, heard two, heard three; 0 more; OK"),
    ("an error", failure, f"DATA_LOSS {grpcserver.LOST}; {LAST}"),
    ("an error after messages", late_failure,
     f"one two; DATA_LOSS {grpcserver.LOST}; {LAST}"),
    ("an unknown method", unknown, "UNIMPLEMENTED"),
    ("deadline", deadline,
     "DEADLINE_EXCEEDED; the server knew it, saw the end"),
    ("cancellation", cancellation, "cancelled; the server saw it"),
    ("cancellation of a stream", cancelled_stream,
     "3 messages, cancelled; the server saw it"),
)


def conversations(address, server):
    """(what, what came, what should have come)."""
    with open_channel(address) as channel:
        for what, call, expected in CALLS:
            try:
                said = call(channel, server)
            except grpc.RpcError as error:
                said = f"{error.code().name} {error.details()}"
            yield what, said, expected
