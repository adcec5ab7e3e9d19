# SPDX-License-Identifier: Apache-2.0
"""The application beside the sidecar: asks a service and says what came."""

import http.client
import json
import socket
import threading

import h2.config
import h2.connection
import h2.events

import answers
import grpcclient
import servers

TIMEOUT_S = 20


def ask(service, address):
    if service.protocol == "http":
        return ask_h1(address)
    if service.protocol == "http2":
        return ask_h2(address)
    if service.protocol == "grpc":
        return grpcclient.ask(address)
    return ask_echo(address, service.name)


def told(status, body):
    if status != 200:
        return answers.refused(status, body.decode(errors="replace"))
    seen = json.loads(body)
    if seen["host"] == answers.CALLERS_HOST:
        seen["host"] = answers.AS_SENT
    return answers.web(**seen)


def ask_h1(address, path="/"):
    connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path,
                           headers={"Host": answers.CALLERS_HOST})
        response = connection.getresponse()
        return told(response.status, response.read())
    except OSError as error:
        return f"{answers.CLOSED}: {error}"
    finally:
        connection.close()


def ask_together(address):
    """Requests that are open at the same time, and so on connections of their
    own all the way."""
    replies = []
    callers = [threading.Thread(target=lambda: replies.append(
        ask_h1(address, "/together"))) for _ in range(servers.TOGETHER)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return answers.merge(replies)


def ask_h2(address):
    session = h2.connection.H2Connection(
        h2.config.H2Configuration(header_encoding="utf-8"))
    status, body = 0, b""
    with socket.create_connection(address, TIMEOUT_S) as connection:
        session.initiate_connection()
        session.send_headers(1, [
            (":method", "GET"), (":scheme", "http"), (":path", "/"),
            (":authority", answers.CALLERS_HOST)], end_stream=True)
        connection.sendall(session.data_to_send())
        while data := connection.recv(65536):
            for event in session.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers)[":status"])
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                elif isinstance(event, h2.events.StreamEnded):
                    return told(status, body)
                elif isinstance(event, h2.events.StreamReset):
                    return f"reset {event.error_code}"
            connection.sendall(session.data_to_send())
    return answers.CLOSED


def ask_echo(address, name):
    line = f"hello {name}\n".encode()
    try:
        with socket.create_connection(address, TIMEOUT_S) as connection:
            connection.sendall(line)
            reply = connection.makefile("rb").readline()
    except ConnectionError:
        return answers.CLOSED
    if not reply:
        return answers.CLOSED
    if not reply.endswith(b": " + line):
        return f"garbled: {reply!r}"
    return answers.echo(reply[5:-len(line) - 2].decode())
