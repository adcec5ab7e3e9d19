# SPDX-License-Identifier: Apache-2.0
"""The external servers: HTTP/1.1, HTTP/2 and echo, plain and over TLS.

An HTTP server answers with what it saw of the request and of the connection,
as JSON.  Ports are free ones; in its answers a server calls itself by the
address it has in the table of services.  One thread a connection.
"""

import http.server
import json
import socket
import ssl
import threading

import h2.config
import h2.connection
import h2.events

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
            serve_h2(connection, self.at)
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


def facts(connection, at, proto, host):
    seen = {"at": at, "proto": proto, "host": host}
    if isinstance(connection, ssl.SSLSocket):
        subject = (connection.getpeercert() or {}).get("subject", ())
        names = [v for part in subject for k, v in part if k == "commonName"]
        seen["tls"] = connection.version().removeprefix("TLSv")
        seen["alpn"] = connection.selected_alpn_protocol()
        seen["sni"] = getattr(connection, "name_asked_for", None)
        seen["peer"] = names[0] if names else None
    return json.dumps(seen).encode()


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
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


def serve_h2(connection, at):
    session = h2.connection.H2Connection(h2.config.H2Configuration(
        client_side=False, header_encoding="utf-8"))
    session.initiate_connection()
    connection.sendall(session.data_to_send())
    hosts = {}
    while data := connection.recv(65536):
        for event in session.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                hosts[event.stream_id] = dict(event.headers)[":authority"]
            elif isinstance(event, h2.events.StreamEnded):
                body = facts(connection, at, "HTTP/2.0",
                             hosts.pop(event.stream_id))
                session.send_headers(event.stream_id, [(":status", "200")])
                session.send_data(event.stream_id, body, end_stream=True)
        connection.sendall(session.data_to_send())
