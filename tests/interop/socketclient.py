# SPDX-License-Identifier: Apache-2.0
"""The application's WebSockets through the sidecar, in its own HTTP/1.1.  Each
conversation says in one line what came of it; CONVERSATIONS has what they
should say.
"""

import os
import queue

from websockets.exceptions import (ConnectionClosed, InvalidHandshake,
                                   InvalidStatus)
from websockets.sync.client import connect

import echosocket

TIMEOUT_S = 15
# The name of all the servers.
HOST = "socket.ext.test"
MEBIBYTE = 1024 * 1024
GREETING = "gr\u00fc\u00dfe \u2603"


def dial(address, path="/"):
    return connect(
        "ws://%s:%d%s" % (*address, path), open_timeout=TIMEOUT_S,
        close_timeout=TIMEOUT_S, max_size=None, proxy=None,
        subprotocols=["echo.v1", echosocket.SUBPROTOCOL])


def same(got, sent):
    return "the same" if got == sent and type(got) is type(sent) else "others"


def echoed(address, sent):
    with dial(address) as connection:
        connection.send(sent)
        return same(connection.recv(TIMEOUT_S), sent)


def handshake(address):
    with dial(address) as connection:
        response = connection.response
        return (f"{response.status_code},"
                f" host={response.headers[echosocket.SEEN_HOST]},"
                f" subprotocol {connection.subprotocol}")


def text(address):
    return echoed(address, GREETING)


def binary(address):
    return echoed(address, bytes(range(256)))


def empty(address):
    return echoed(address, b"")


def large_text(address):
    return echoed(address, "\u00e4" * (MEBIBYTE // 2))


def large_binary(address):
    return echoed(address, os.urandom(MEBIBYTE))


def fragments(address):
    with dial(address) as connection:
        connection.send(["one ", "two ", "three"])
        return connection.recv(TIMEOUT_S)


def ping(address):
    with dial(address) as connection:
        answered = connection.ping(b"there?").wait(TIMEOUT_S)
        return "answered" if answered else "no pong"


def many(address):
    """No answer is waited for before the next message."""
    with dial(address) as connection:
        for number in range(1000):
            connection.send(str(number))
        got = [connection.recv(TIMEOUT_S) for _ in range(1000)]
    in_order = got == [str(number) for number in range(1000)]
    return f"{len(got)} {'in order' if in_order else 'out of order'}"


def ended(connection):
    """How, when the server is the one to end it."""
    try:
        return f"{connection.recv(TIMEOUT_S)!r} instead of an end"
    except ConnectionClosed as end:
        if not end.rcvd:
            return "no close frame"
        return f"{end.rcvd.code} {end.rcvd.reason}"


def server_closes(address):
    with dial(address) as connection:
        connection.send("close 4321 had enough")
        return ended(connection)


def we_close(address):
    with dial(address) as connection:
        connection.close(4000, "bye")
        return f"{connection.close_code} {connection.close_reason}"


def server_vanishes(address):
    with dial(address) as connection:
        connection.send("vanish")
        return ended(connection)


def refused(address):
    try:
        with dial(address, echosocket.NOWHERE) as connection:
            return f"{connection.response.status_code}"
    except InvalidStatus as error:
        response = error.response
        return f"{response.status_code} {response.body.decode().strip()}"


CONVERSATIONS = (
    ("handshake", handshake,
     f"101, host={HOST}, subprotocol {echosocket.SUBPROTOCOL}"),
    ("text", text, "the same"),
    ("binary", binary, "the same"),
    ("nothing", empty, "the same"),
    ("1 MiB of text", large_text, "the same"),
    ("1 MiB of random bytes", large_binary, "the same"),
    ("a message in fragments", fragments, "one two three"),
    ("1000 messages at once", many, "1000 in order"),
    ("ping", ping, "answered"),
    ("the server closes", server_closes, "4321 had enough"),
    ("we close", we_close, "4000 bye"),
)
# Of servers of HTTP/1.1.
MORE = (
    ("the server vanishes", server_vanishes, "no close frame"),
    ("the server refuses", refused, "404 nowhere"),
)


def conversations(address, entries):
    """(what, what came, what should have come)."""
    for what, converse, expected in entries:
        try:
            said = converse(address)
        except (ConnectionClosed, InvalidHandshake, OSError,
                queue.Empty) as error:
            said = f"{type(error).__name__}: {error}"
        yield what, said, expected
