# SPDX-License-Identifier: Apache-2.0
"""A gRPC server and its caller: a message goes there and comes back."""

import concurrent.futures

import grpc

import answers

METHOD = "/ext.Echo/Say"


class Echo(grpc.GenericRpcHandler):
    def service(self, call):
        if call.method != METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda message, _: message)


class GrpcServer:
    def __init__(self, address, identity=None):
        self.server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(max_workers=2))
        self.server.add_generic_rpc_handlers([Echo()])
        if identity is None:
            self.port = self.server.add_insecure_port(f"{address}:0")
        else:
            self.port = self.server.add_secure_port(
                f"{address}:0", grpc.ssl_server_credentials(
                    [(identity.key.read_bytes(), identity.cert.read_bytes())]))
        self.server.start()

    def stop(self):
        self.server.stop(None).wait()


def ask(address):
    with grpc.insecure_channel("%s:%d" % address) as channel:
        try:
            message = channel.unary_unary(METHOD)(b"hello", timeout=15)
        except grpc.RpcError as error:
            return f"200 gRPC {error.code().name}: {error.details()}"
    return answers.GRPC if message == b"hello" else f"200 gRPC {message!r}"
