# SPDX-License-Identifier: Apache-2.0
"""A TLS 1.2 server that asks its caller for a certificate in the middle of a
connection, by renegotiation: openssl(1)'s s_server, told what to do."""

import socket
import threading

import processes

ASK_FOR_CERTIFICATE = b"R\n"
HAS_ASKED = b"SSL_do_handshake"
REPLIES = {b"before\n": b"first reply\n", b"after\n": b"second reply\n"}
BOTH = "replies before and after"
CUT = "reply before, then closed"


class AskingServer:
    def __init__(self, folder, identity, client_ca):
        self.port = processes.free_port("127.0.10.1")
        self.process = processes.start(
            ["openssl", "s_server", "-accept", f"127.0.10.1:{self.port}",
             "-cert", identity.cert, "-key", identity.key,
             "-CAfile", client_ca.cert, "-tls1_2"],
            stdin=processes.PIPE, stdout=processes.PIPE,
            stderr=open(folder / f"s_server-{self.port}.log", "wb"))
        self.is_listening = threading.Event()
        self.has_asked = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()
        self.is_listening.wait(10)

    def serve(self):
        for line in self.process.stdout:
            if line in REPLIES:
                self.say(REPLIES[line])
            elif line.startswith(HAS_ASKED):
                self.has_asked.set()
            elif line.startswith(b"ACCEPT"):
                self.is_listening.set()

    def say(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def converse(self, listener):
        """Through the sidecar at listener: a line, the question, a line."""
        with socket.create_connection(listener, 10) as caller:
            if exchange(caller, b"before\n") != b"first reply\n":
                return "no reply"
            self.say(ASK_FOR_CERTIFICATE)
            self.has_asked.wait(10)
            reply = exchange(caller, b"after\n")
        return {b"second reply\n": BOTH, b"": CUT}.get(reply, repr(reply))


def exchange(caller, line):
    try:
        caller.sendall(line)
        return caller.makefile("rb").readline()
    except ConnectionError:
        return b""
