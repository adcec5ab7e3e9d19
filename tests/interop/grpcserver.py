# SPDX-License-Identifier: Apache-2.0
"""A gRPC server without generated code: messages are bytes.  What happens to
its calls it tells by began and ended.
"""

import concurrent.futures
import queue
import threading

import grpc

SAY = "/ext.Echo/Say"
COUNT = "/ext.Echo/Count"
GATHER = "/ext.Echo/Gather"
CHAT = "/ext.Echo/Chat"
FAIL = "/ext.Echo/Fail"
FAIL_LATE = "/ext.Echo/FailLate"
WAIT = "/ext.Echo/Wait"
DRIP = "/ext.Echo/Drip"

# Percent signs and what is not ASCII have an encoding of their own.
LOST = "50% lost: caf\u00e9"
LAST = (("x-last", "said"), ("x-last-bin", b"\x00\xff\x80"))
# Of every call in which a caller does not end before that.
LONGEST_S = 30


class Echo(grpc.GenericRpcHandler):
    def __init__(self):
        self.began = queue.Queue()
        self.ended = queue.Queue()
        self.methods = {
            SAY: grpc.unary_unary_rpc_method_handler(self.say),
            COUNT: grpc.unary_stream_rpc_method_handler(self.count),
            GATHER: grpc.stream_unary_rpc_method_handler(self.gather),
            CHAT: grpc.stream_stream_rpc_method_handler(self.chat),
            FAIL: grpc.unary_unary_rpc_method_handler(self.fail),
            FAIL_LATE: grpc.unary_stream_rpc_method_handler(self.fail_late),
            WAIT: grpc.unary_unary_rpc_method_handler(self.wait),
            DRIP: grpc.unary_stream_rpc_method_handler(self.drip),
        }

    def service(self, call):
        return self.methods.get(call.method)

    def say(self, message, context):
        context.send_initial_metadata(
            [(name, value) for name, value in context.invocation_metadata()
             if name.startswith("x-sent")])
        context.set_trailing_metadata(LAST)
        return message

    def count(self, message, context):
        context.set_trailing_metadata(LAST)
        for number in range(int(message)):
            yield str(number).encode()

    def gather(self, messages, _context):
        return b"+".join(messages)

    def chat(self, messages, _context):
        for message in messages:
            yield b"heard " + message

    def fail(self, _message, context):
        context.set_trailing_metadata(LAST)
        context.abort(grpc.StatusCode.DATA_LOSS, LOST)

    def fail_late(self, _message, context):
        yield b"one"
        yield b"two"
        self.fail(_message, context)

    def wait(self, _message, context):
        """Never answers by itself."""
        over = threading.Event()
        context.add_callback(over.set)
        self.began.put(context.time_remaining())
        self.ended.put(over.wait(LONGEST_S))

    def drip(self, _message, context):
        """Nobody may ask it for more once it is over."""
        over = threading.Event()

        def end():
            over.set()
            self.ended.put(True)

        context.add_callback(end)
        while not over.wait(0.01):
            yield b"drop"


class GrpcServer:
    def __init__(self, address, identity=None):
        self.echo = Echo()
        self.server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(max_workers=16))
        self.server.add_generic_rpc_handlers([self.echo])
        if identity is None:
            self.port = self.server.add_insecure_port(f"{address}:0")
        else:
            self.port = self.server.add_secure_port(
                f"{address}:0", grpc.ssl_server_credentials(
                    [(identity.key.read_bytes(), identity.cert.read_bytes())]))
        self.server.start()

    def stop(self):
        self.server.stop(None).wait()
