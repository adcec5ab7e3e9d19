# SPDX-License-Identifier: Apache-2.0
"""A zone of its own for policies, behind a sidecar that does not try again:
what the egress says is what the caller sees.

  127.0.1.1    sidecar of the caller `client`
  127.0.3.10   its egress
  127.0.11.1   the world outside
"""

import http.client
import http.server
import json
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, replace

import answers
import clients
import processes
import resources
import services
from servers import Server, closed_port
from sidecar import Sidecar
from zone import PROGRAMS, Zone

OUTSIDE = "127.0.11.1"
CALLER = {"kind": "MeshSubset", "tags": {"kuma.io/service": "client"}}
STRANGER = {"kind": "MeshSubset", "tags": {"kuma.io/service": "stranger"}}
ANYBODY = {"kind": "Mesh"}
# What Kuma believes, and a caller writes as it likes.
FORGED = {"x-kuma-tags": "&kuma.io/service=stranger&"}

WEB = services.es("po-web", "http", OUTSIDE, "one", "", is_retried=False)
RAW = services.es("po-raw", "tcp", OUTSIDE, "raw", "")
MES = services.mes("po-mes", 80, "http", OUTSIDE, "one", "", is_retried=False)
PAIR = services.Service("po-pair", "http", (
    services.Endpoint(OUTSIDE, "one"), services.Endpoint(OUTSIDE, "two")), "",
    is_retried=False)
# One of its servers refuses connections.
HALF = services.Service("po-half", "http", (
    services.Endpoint(OUTSIDE, "closed"), services.Endpoint(OUTSIDE, "one")),
    "", is_retried=False)
SAME_HALF = replace(HALF, name="po-same-half")
SICK = replace(PAIR, name="po-sick")
BALANCED = replace(PAIR, name="po-balanced")
ALL = [WEB, RAW, MES, PAIR, HALF, SAME_HALF, SICK, BALANCED]


class Web(http.server.ThreadingHTTPServer):
    """Answers with its name; does as it is told."""

    daemon_threads = True

    def __init__(self, name):
        super().__init__((OUTSIDE, 0), Handler)
        self.name = name
        self.port = self.server_address[1]
        self.status = 200
        self.checks = 0
        self.asked = 0
        self.open = 0
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_words):
        pass    # callers may leave as they like


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.name.encode()
        if self.path == "/healthz":
            self.server.checks += 1
        else:
            self.server.asked += 1
        if self.path == "/wait":
            self.server.open += 1
            self.server.released.wait(20)
        if self.path.startswith("/bytes/"):
            body = b"." * int(self.path.removeprefix("/bytes/"))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


@dataclass
class Answer:
    status: int
    headers: dict
    body: str
    seconds: float

    @property
    def text(self):
        return f"{self.status} {self.body}".strip()


def policy(kind, name, **spec):
    return {"type": kind, "mesh": resources.MESH, "name": name, "spec": spec}


def legacy(kind, name, source, service, **more):
    """Of the policies before targetRef."""
    return {"type": kind, "mesh": resources.MESH, "name": name,
            "sources": [{"match": source}],
            "destinations": [{"match": {"kuma.io/service": service.name,
                                        "kuma.io/protocol":
                                            service.protocol}}], **more}


def target(service):
    kind = "MeshExternalService" if service.mes_port else "MeshService"
    return {"kind": kind, "name": service.name}


# In force for nobody.
NOTHING = legacy("RateLimit", "nothing", {"kuma.io/service": "nobody"},
                 replace(WEB, name="nowhere"),
                 conf={"http": {"requests": 1, "interval": "1h"}})


def to(kind, service, **default):
    """A policy about what leads to the service."""
    return policy(kind, f"for-{service.name}", to=[
        {"targetRef": target(service), "default": default}])


class Raw:
    """A connection to the service of bytes."""

    def __init__(self, address):
        self.connection = socket.create_connection(address,
                                                   clients.TIMEOUT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_words):
        self.connection.close()

    def echo(self):
        try:
            self.connection.sendall(b"hello\n")
            return "echo" if self.connection.recv(100) else answers.CLOSED
        except ConnectionError:
            return answers.CLOSED

    def seconds_to_end(self):
        started = time.monotonic()
        try:
            while self.connection.recv(100):
                pass
        except ConnectionError:
            pass
        return time.monotonic() - started


class Policed:
    def __init__(self, folder, keys, dns):
        self.servers = {"one": Web("one"), "two": Web("two"),
                        "raw": Server(f"{OUTSIDE}:9000", speaks="echo")}
        self.closed, closed = closed_port(OUTSIDE)
        ports = {name: s.port for name, s in self.servers.items()}
        ports["closed"] = closed
        self.zone = Zone(folder, "policed", "127.0.3.10", dns)
        self.zone.secret(f"{resources.MESH}.ca-builtin-cert-ca-1",
                         keys.mesh_ca.cert_pem)
        self.zone.secret(f"{resources.MESH}.ca-builtin-key-ca-1",
                         keys.mesh_ca.key_pem)
        self.zone.write("mesh", [resources.mesh()])
        self.zone.write("services", [
            document for service in ALL for document in
            resources.documents(service, ports, keys.credentials)])
        self.zone.start()
        (folder / "policed-sidecar").mkdir()
        self.sidecar = Sidecar(
            folder / "policed-sidecar", ALL,
            (self.zone.address, self.zone.port), keys.caller, keys.mesh_ca)
        self.sidecar.start()

    def stop(self):
        for name in ("one", "two"):
            self.servers[name].released.set()
        self.sidecar.stop()
        return self.zone.stop()

    def under(self, *documents, all_may=True):
        """These policies and no others are in force when it returns."""
        usual = [resources.permission("all-may", ANYBODY, CALLER, "Allow")]
        # A file that becomes empty is taken for a mistake.
        self.zone.write("policies", [NOTHING] + (usual if all_may else [])
                        + list(documents))
        self.zone.reload()

    def ctl(self, *words):
        return subprocess.run(
            [PROGRAMS / "zegressctl", "-s", self.zone.home / "ctl", *words],
            check=True, capture_output=True, text=True).stdout

    def entries(self):
        """Of the access log; the line that is being written may be half."""
        text = (self.zone.home / "access.log").read_text()
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def logged(self, **fields):
        """How many lines of the access log have these fields."""
        return sum(all(entry.get(k) == v for k, v in fields.items())
                   for entry in self.entries())

    def ask(self, service, path="/", headers=()):
        started = time.monotonic()
        connection = http.client.HTTPConnection(
            *self.sidecar.listener(service), timeout=clients.TIMEOUT_S)
        try:
            connection.request("GET", path, headers=dict(headers))
            got = connection.getresponse()
            body = got.read().decode(errors="replace")
            fields = {k.lower(): v for k, v in got.getheaders()}
            return Answer(got.status, fields, body,
                          time.monotonic() - started)
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, {}, f"{answers.CLOSED}: {error}",
                          time.monotonic() - started)
        finally:
            connection.close()

    def statuses(self, service, times, headers=()):
        return " ".join(str(self.ask(service, headers=headers).status)
                        for _ in range(times))

    def names(self, service, times):
        """Of the servers that answered, in order of the alphabet."""
        return "+".join(sorted({self.ask(service).text
                                for _ in range(times)}))

    def raw(self):
        return Raw(self.sidecar.listener(RAW))

    def echo(self):
        with self.raw() as connection:
            return connection.echo()

    def wait_at(self, service, server):
        """A request that is under way until the server is released."""
        before = server.open
        threading.Thread(target=self.ask, args=(service, "/wait"),
                         daemon=True).start()
        self.until(lambda: server.open > before)

    def until(self, is_so, seconds=10):
        """Whether it came true in time."""
        return any(is_so() for _ in processes.looks(self.zone.process,
                                                    seconds))
