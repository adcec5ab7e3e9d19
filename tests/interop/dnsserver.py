# SPDX-License-Identifier: Apache-2.0
"""A DNS server that knows the names of *.ext.test, IPv4 only, over UDP."""

import socket
import struct
import threading

TTL_S = 30
TYPE_A = 1
NO_SUCH_NAME = 3


class DnsServer:
    def __init__(self, address, names):
        self.names = {name.lower(): hosts for name, hosts in names.items()}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.address = "%s:%d" % self.socket.getsockname()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, source = self.socket.recvfrom(4096)
            reply = self.answer(query)
            if reply:
                self.socket.sendto(reply, source)

    def answer(self, query):
        try:
            name, end = read_name(query, 12)
            kind, = struct.unpack_from(">H", query, end)
        except (IndexError, struct.error, UnicodeDecodeError):
            return None
        hosts = self.names.get(name.lower())
        code = NO_SUCH_NAME if hosts is None else 0
        found = hosts if hosts and kind == TYPE_A else []
        # Response, authoritative, recursion asked for and there.
        head = query[:2] + struct.pack(
            ">HHHHH", 0x8580 | code, 1, len(found), 0, 0)
        records = b"".join(
            struct.pack(">HHHIH", 0xc00c, TYPE_A, 1, TTL_S, 4)
            + socket.inet_aton(host) for host in found)
        return head + query[12:end + 4] + records


def read_name(message, at):
    labels = []
    while message[at]:
        length = message[at]
        labels.append(message[at + 1:at + 1 + length].decode("ascii"))
        at += 1 + length
    return ".".join(labels), at + 1
