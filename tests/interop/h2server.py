# SPDX-License-Identifier: Apache-2.0
"""An external server of HTTP/2: answers every request with what it saw of it,
within the windows of its caller, and an extended CONNECT (RFC 8441) by being
a WebSocket that sends back what comes.  One connection; callers may reset
streams as they like.
"""

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

import echosocket
from facts import facts


class Stream:
    def __init__(self, headers):
        self.headers = dict(headers)
        self.unsent = bytearray()
        self.ends = False
        self.socket = None


class Conversation:
    def __init__(self, connection, at):
        self.connection = connection
        self.at = at
        self.streams = {}
        self.session = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8"))
        self.session.local_settings = h2.settings.Settings(
            client=False, initial_values={
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 100,
                h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL: 1})

    def run(self):
        self.session.initiate_connection()
        self.send()
        while data := self.connection.recv(65536):
            try:
                for event in self.session.receive_data(data):
                    self.take(event)
                for number in list(self.streams):
                    self.push(number)
            except h2.exceptions.ProtocolError:
                return self.send()    # GOAWAY says why
            self.send()

    def send(self):
        self.connection.sendall(self.session.data_to_send())

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.begin(event.stream_id, event.headers)
        elif isinstance(event, h2.events.DataReceived):
            self.session.acknowledge_received_data(
                event.flow_controlled_length, event.stream_id)
            self.feed(event.stream_id, event.data)
        elif isinstance(event, h2.events.StreamEnded):
            self.end(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.streams.pop(event.stream_id, None)

    def begin(self, number, headers):
        stream = self.streams[number] = Stream(headers)
        if stream.headers[":method"] != "CONNECT":
            return
        if stream.headers.get(":protocol") != "websocket":
            del self.streams[number]
            return self.session.reset_stream(
                number, h2.errors.ErrorCodes.REFUSED_STREAM)
        stream.socket = echosocket.FrameEcho()
        self.session.send_headers(number, [
            (":status", "200"),
            *echosocket.agreement(
                stream.headers[":authority"],
                stream.headers.get("sec-websocket-protocol"))])

    def feed(self, number, data):
        stream = self.streams.get(number)
        if stream and stream.socket:
            stream.unsent += stream.socket.answer_to(data)
            stream.ends = stream.socket.is_closed

    def end(self, number):
        stream = self.streams.get(number)
        if not stream:
            return
        stream.ends = True
        if not stream.socket:
            self.session.send_headers(number, [(":status", "200")])
            stream.unsent += facts(self.connection, self.at, "HTTP/2.0",
                                   stream.headers[":authority"])

    def push(self, number):
        """As much as the windows let through."""
        stream = self.streams[number]
        while stream.unsent:
            room = min(self.session.local_flow_control_window(number),
                       self.session.max_outbound_frame_size)
            if room <= 0:
                return
            self.session.send_data(number, bytes(stream.unsent[:room]))
            del stream.unsent[:room]
        if stream.ends:
            self.session.end_stream(number)
            del self.streams[number]
