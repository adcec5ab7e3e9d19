# SPDX-License-Identifier: Apache-2.0
"""The external servers: HTTP/1.1, HTTP/2 and echo, plain and over TLS.

An HTTP server answers with what it saw of the request and of the connection,
as JSON.  Ports are free ones; in its answers a server calls itself by the
address it has in the table of services.  One thread a connection.
"""

import http.server
import socket
import ssl
import threading

from facts import facts
from h2server import Conversation

PREFACE = b"PRI * HTTP/2.0"
TLS_HANDSHAKE = b"\x16"
# So many requests wait for each other at /together: each needs a connection
# of its own.
TOGETHER = 12


def closed_port(address):
    """A port that refuses: bound, so that nobody else gets it."""
    holder = socket.socket()
    holder.bind((address, 0))
    return holder, holder.getsockname()[1]


class Server:
    """Listens from the start; serves until the process ends."""

    meeting = threading.Barrier(TOGETHER)

    def __init__(self, at, context=None, speaks="web", port=0):
        self.at = at
        self.context = context
        self.speaks = speaks
        self.accepted = 0
        self.listener = socket.create_server((at.split(":")[0], port),
                                             backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, source = self.listener.accept()
            self.accepted += 1
            threading.Thread(target=self.serve, args=(connection, source),
                             daemon=True).start()

    def serve(self, connection, source):
        with connection:
            connection.settimeout(30)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.talk(connection, source)
            except OSError:
                pass    # callers may leave as they like

    def talk(self, connection, source):
        first = connection.recv(len(PREFACE), socket.MSG_PEEK)
        if not first:
            return
        if self.context is None:
            return self.speak(connection, source, first)
        if not first.startswith(TLS_HANDSHAKE):
            return answer_plaintext(connection)
        with self.context.wrap_socket(connection, server_side=True) as tls:
            speaks_h2 = tls.selected_alpn_protocol() == "h2"
            self.speak(tls, source, PREFACE if speaks_h2 else b"")

    def speak(self, connection, source, first):
        if self.speaks == "echo":
            echo_lines(connection, self.at)
        elif first.startswith(PREFACE):
            Conversation(connection, self.at).run()
        else:
            Handler(connection, source, self)


def server_context(identity, alpn=("http/1.1",), client_ca=None, newest=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.cert, identity.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if newest:
        context.maximum_version = newest
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca.cert)
    context.sni_callback = note_name
    return context


def note_name(connection, name, _context):
    connection.name_asked_for = name


def answer_plaintext(connection):
    connection.recv(4096)
    text = b"This server speaks TLS.\n"
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                       b"Content-Length: %d\r\n\r\n%s" % (len(text), text))


def echo_lines(connection, at):
    for line in connection.makefile("rb"):
        connection.sendall(b"echo %s: %s" % (at.encode(), line))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.read_body()
        if self.path == "/together":
            try:
                self.server.meeting.wait(10)
            except threading.BrokenBarrierError:
                return self.send_error(504)
        body = facts(self.connection, self.server.at, self.request_version,
                     self.headers["Host"])
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_GET

    def read_body(self):
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        while size := int(self.rfile.readline() or b"0", 16):
            self.rfile.read(size + 2)
        while self.rfile.readline().strip():
            pass    # trailers

    def log_message(self, *_words):
        pass
