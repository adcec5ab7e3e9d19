# SPDX-License-Identifier: Apache-2.0
"""Everything that runs, on loopback: the external servers and their names, a
zegressd a zone, the sidecar of the caller.

  127.0.1.1    sidecar of the caller `client`, in zone-1
  127.0.1.10   egress of zone-1
  127.0.2.20   ingress of zone-2, and
  127.0.2.10   its egress, in one process
  127.0.10.N   the world outside, and its DNS at 127.0.10.53
"""

import ssl

import pki
import renegotiation
import resources
import services
from dnsserver import DnsServer
from echosocket import EchoSocket
from grpcserver import GrpcServer
from servers import Server, closed_port, server_context
from sidecar import Sidecar
from zone import Zone

CALLER = "client"

NAMES = {
    "plain.ext.test": ["127.0.10.1"],
    "grpc.ext.test": ["127.0.10.1"],
    "tls.ext.test": ["127.0.10.1"],
    "tcp.ext.test": ["127.0.10.1"],
    "mtls.ext.test": ["127.0.10.1"],
    "evil.ext.test": ["127.0.10.2"],
    "wrongname.ext.test": ["127.0.10.3"],
    "socket.ext.test": ["127.0.10.7"],
    "second.ext.test": ["127.0.10.5"],
    "multi.ext.test": ["127.0.10.1", "127.0.10.5"],
}


class World:
    def __init__(self, folder):
        self.folder = folder
        self.make_keys()
        self.servers = {}
        self.start_plain()
        self.start_tls()
        self.start_grpc()
        self.start_sockets()
        self.start_asking()
        self.closed, closed = closed_port("127.0.10.9")
        self.ports = {name: s.port for name, s in self.servers.items()}
        self.ports["closed"] = closed
        self.ports["both"] = self.ports["plain"]
        self.dns = DnsServer("127.0.10.53", NAMES)
        self.start_zones()
        self.start_sidecar()

    def make_keys(self):
        folder = self.folder / "pki"
        folder.mkdir()
        self.mesh_ca = pki.authority(
            folder, "mesh-ca", f"/O=Kuma/OU=Mesh/CN={resources.MESH}",
            f"URI:spiffe://{resources.MESH}")
        self.caller = pki.sidecar(folder, self.mesh_ca, resources.MESH,
                                  CALLER, "zone-1")
        outside = pki.authority(folder, "outside-ca", "/CN=Outside")
        evil = pki.authority(folder, "evil-ca", "/CN=Nobody")
        self.client_ca = pki.authority(folder, "client-ca", "/CN=Clients")
        self.credentials = resources.Credentials(outside, pki.leaf(
            folder, "mesh-client", self.client_ca, "DNS:mesh-client",
            "clientAuth"))
        self.good = pki.leaf(folder, "good", outside, ",".join(
            f"DNS:{name}.ext.test"
            for name in ("tls", "api", "grpc", "mtls", "socket")))
        self.by_address = pki.leaf(folder, "by-address", outside,
                                   "IP:127.0.10.4")
        self.wrong = pki.leaf(folder, "wrong", outside, "DNS:other.ext.test")
        self.evil = pki.leaf(folder, "evil", evil,
                             "DNS:tls.ext.test,DNS:evil.ext.test")

    def start_plain(self):
        first, second = two_of_one_port("127.0.10.1:8080", "127.0.10.5:8080")
        self.servers |= {
            "plain": first,
            "second": second,
            "tcp": Server("127.0.10.1:9000", speaks="echo"),
            "guarded-web": Server("127.0.10.6:8080"),
            "guarded-tcp": Server("127.0.10.6:9000", speaks="echo"),
        }

    def start_tls(self):
        web = server_context(self.good, ("h2", "http/1.1"))
        self.servers |= {
            "tls": Server("127.0.10.1:8443", web),
            "tls-h1": Server("127.0.10.1:8445", server_context(self.good)),
            "tls-h2": Server("127.0.10.1:8446",
                             server_context(self.good, ("h2",))),
            "tls12": Server("127.0.10.1:8447", server_context(
                self.good, newest=ssl.TLSVersion.TLSv1_2)),
            "mtls": Server("127.0.10.1:8444", server_context(
                self.good, client_ca=self.client_ca)),
            "tls-tcp": Server("127.0.10.1:9443",
                              server_context(self.good, ()), "echo"),
            "tls-by-address": Server("127.0.10.4:8443",
                                     server_context(self.by_address)),
            "wrong-name": Server("127.0.10.3:8443",
                                 server_context(self.wrong)),
            "evil": Server("127.0.10.2:8443", server_context(self.evil)),
        }

    def start_grpc(self):
        self.servers |= {
            "grpc": GrpcServer("127.0.10.1"),
            "tls-grpc": GrpcServer("127.0.10.1", self.good),
            "guarded-grpc": GrpcServer("127.0.10.1"),
        }

    def start_sockets(self):
        self.servers |= {
            "socket": EchoSocket("127.0.10.7"),
            "tls-socket": EchoSocket("127.0.10.7", server_context(self.good)),
            "h2-socket": Server("127.0.10.7:8080"),
        }

    def start_asking(self):
        for name in ("asking-1", "asking-2"):
            self.servers[name] = renegotiation.AskingServer(
                self.folder, self.good, self.client_ca)

    def start_zones(self):
        address = self.dns.address
        self.zone_1 = Zone(self.folder, "zone-1", "127.0.1.10", address,
                           falling_back=services.FALLING_BACK)
        self.zone_2 = Zone(self.folder, "zone-2", "127.0.2.10", address,
                           "127.0.2.20")
        documents = [document for service in services.ALL for document in
                     resources.documents(service, self.ports,
                                         self.credentials)]
        for zone in (self.zone_1, self.zone_2):
            zone.secret(f"{resources.MESH}.ca-builtin-cert-ca-1",
                        self.mesh_ca.cert_pem)
            zone.secret(f"{resources.MESH}.ca-builtin-key-ca-1",
                        self.mesh_ca.key_pem)
            zone.write("mesh", [resources.mesh()])
            zone.write("services", documents)
            zone.write("permissions", resources.permissions(
                CALLER, services.DENIED_SERVICES))
            zone.start()

    def start_sidecar(self):
        self.sidecar = Sidecar(
            self.folder, services.ALL, (self.zone_1.address, self.zone_1.port),
            self.caller, self.mesh_ca)
        self.sidecar.start()

    def join_zones(self):
        self.zone_1.write("zone-2", [
            resources.zone_ingress("zone-2", *self.zone_2.ingress)])
        self.zone_1.reload()

    def prefer_local(self):
        self.zone_1.write("mesh", [resources.mesh(prefers_local=True)])
        self.zone_1.reload()

    def stop(self):
        """What is wrong with how it ended.  The sidecar goes first: what is
        relayed for it does not end by itself."""
        self.sidecar.stop()
        for name in ("grpc", "tls-grpc", "guarded-grpc", "socket",
                     "tls-socket"):
            self.servers[name].stop()
        return self.zone_1.stop() + self.zone_2.stop()


def two_of_one_port(first, second):
    """A name with two addresses leads to one port on both."""
    while True:
        one = Server(first)
        try:
            return one, Server(second, port=one.port)
        except OSError:
            pass    # somebody has that port there: take another
