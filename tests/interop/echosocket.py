# SPDX-License-Identifier: Apache-2.0
"""A WebSocket server that sends every message back as it came.  Over HTTP/1.1
it is one of PyPI's websockets; for a stream of HTTP/2 there is its protocol
without the I/O.

"close CODE REASON" makes it close first, "vanish" makes it leave without a
word.
"""

import socket
import threading

from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.datastructures import Headers
from websockets.protocol import Protocol, Side, State
from websockets.sync.server import serve

SUBPROTOCOL = "echo.v2"
NOWHERE = "/nowhere"
SEEN_HOST = "x-seen-host"


def agreement(host, offered):
    """Fields of the answer to a handshake with the subprotocols offered."""
    names = [name.strip() for name in (offered or "").split(",")]
    if SUBPROTOCOL in names:
        return [(SEEN_HOST, host), ("sec-websocket-protocol", SUBPROTOCOL)]
    return [(SEEN_HOST, host)]


def asked_to_close(message):
    """(code, reason) if the message asks for that."""
    if not isinstance(message, str) or not message.startswith("close "):
        return None
    _, code, reason = message.split(" ", 2)
    return int(code), reason


class EchoSocket:
    """Of HTTP/1.1; one thread a connection."""

    def __init__(self, address, context=None):
        self.server = serve(
            self.converse, address, 0, ssl=context, max_size=None,
            subprotocols=[SUBPROTOCOL], process_request=refuse,
            process_response=tell)
        self.port = self.server.socket.getsockname()[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def converse(self, connection):
        try:
            for message in connection:
                if message == "vanish":
                    return vanish(connection)
                if close := asked_to_close(message):
                    return connection.close(*close)
                connection.send(message)
        except ConnectionClosed:
            pass    # callers may leave as they like

    def stop(self):
        self.server.shutdown()


def refuse(_connection, request):
    if request.path == NOWHERE:
        return Response(404, "Not Found", Headers(
            {"Content-Length": "8"}), b"nowhere\n")


def tell(_connection, request, response):
    response.headers[SEEN_HOST] = request.headers["Host"]


def vanish(connection):
    connection.socket.shutdown(socket.SHUT_RDWR)


class FrameEcho:
    """Of one stream of HTTP/2: bytes in, bytes out."""

    def __init__(self):
        self.protocol = Protocol(Side.SERVER, state=State.OPEN, max_size=None)
        self.message = []
        self.is_closed = False

    def answer_to(self, data):
        self.protocol.receive_data(data)
        for frame in self.protocol.events_received():
            if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self.echo(frame)
        answer = self.protocol.data_to_send()
        self.is_closed = b"" in answer
        return b"".join(answer)

    def echo(self, frame):
        self.message.append(frame)
        if not frame.fin:
            return
        kind = self.message[0].opcode
        whole = b"".join(bytes(part.data) for part in self.message)
        self.message.clear()
        close = kind is Opcode.TEXT and asked_to_close(whole.decode())
        if close:
            self.protocol.send_close(*close)
        else:
            self.protocol.send_frame(Frame(kind, whole))
