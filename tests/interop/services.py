# SPDX-License-Identifier: Apache-2.0
"""The table: every service, what a real Kuma egress answered for it, what we
answer, and why that differs where it does.

A recorded answer is one run of Kuma 2.14.3 with Envoy 1.40.0 as its egress;
source names the scenario of the recording, and the service asked there when
it had another name.
"""

from dataclasses import dataclass

from answers import (AS_SENT, CLOSED, CONNECT_FAILED, DENIED, GRPC,
                     GRPC_DENIED, GRPC_UNAVAILABLE, NO_UPSTREAM, PLAIN_TO_TLS,
                     RETRIED, echo, newer_tls, web)
from renegotiation import BOTH, CUT

BASELINE = "01-baseline"
TWO_ZONES = "20-multizone"
ZONES_SHARED = "20-multizone-bothzones-broken"
LOCALITY = "22-bothzones-ip-locality"


@dataclass(frozen=True)
class Endpoint:
    """host is a name or an address, server a key of World.ports."""

    host: str
    server: str
    zone: str = ""


@dataclass(frozen=True)
class Tls:
    """None leaves a setting out of the resource."""

    name: str | None = None
    ca: bool = True
    client: bool = False
    renegotiation: bool = False
    skip_name: bool = False
    mode: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Service:
    name: str
    protocol: str
    endpoints: tuple
    recorded: str
    tls: Tls | None = None
    # The port of a MeshExternalService; 0: an ExternalService.
    mes_port: int = 0
    source: str = BASELINE
    recorded_as: str = ""
    ours: str = ""
    why: str = ""
    times: int = 1
    together: bool = False
    # A server that must not have seen a connection.
    untouched: str = ""
    by_zone_2: bool = False
    # Its callers have WebSockets.
    upgrades: bool = False
    # By the sidecar.
    is_retried: bool = True

    @property
    def expected(self):
        return self.ours or self.recorded

    @property
    def is_http2(self):
        """That is how the sidecar asks for it."""
        return self.protocol in ("http2", "grpc")


def es(name, protocol, host, server, recorded, tls=None, **more):
    return Service(name, protocol, (Endpoint(host, server),), recorded, tls,
                   **more)


def mes(name, port, protocol, host, server, recorded, tls=None, **more):
    return Service(name, protocol, (Endpoint(host, server),), recorded, tls,
                   port, **more)


def tls12(at, host, sni, alpn="http/1.1", **more):
    """The recorded egress speaks TLS 1.2 at most to the outside."""
    return web(at, host, "1.2", alpn, sni, **more)


def newer(recorded):
    """We offer TLS 1.3 as well."""
    return {"recorded": recorded, "ours": newer_tls(recorded),
            "why": "better: TLS 1.3"}


PLAIN = web("127.0.10.1:8080", "plain.ext.test")
PLAIN_BY_ADDRESS = web("127.0.10.1:8080", AS_SENT)
SECOND = web("127.0.10.5:8080", "second.ext.test")
TLS_8443 = tls12("127.0.10.1:8443", "tls.ext.test", "tls.ext.test")
MUTUAL = tls12("127.0.10.1:8444", "mtls.ext.test", "mtls.ext.test",
               peer="mesh-client")
ONLY_1_2 = tls12("127.0.10.1:8447", "tls.ext.test", "tls.ext.test")
EVIL = tls12("127.0.10.2:8443", "evil.ext.test", "evil.ext.test")
H2_CLEAR = web("127.0.10.1:8080", "plain.ext.test", proto="HTTP/2.0")
H2_TLS = tls12("127.0.10.1:8446", "tls.ext.test", "tls.ext.test", "h2",
               proto="HTTP/2.0")
TWICE = {"times": 8, "why": "same, asked 8 times: both endpoints answer"}

TLS_NAME = Tls("tls.ext.test")

EXTERNAL_SERVICES = [
    es("es-tcp", "tcp", "127.0.10.1", "tcp", echo("127.0.10.1:9000")),
    es("es-http", "http", "plain.ext.test", "plain", PLAIN),
    es("es-http2", "http2", "plain.ext.test", "plain", H2_CLEAR),
    es("es-grpc", "grpc", "grpc.ext.test", "grpc", GRPC),
    es("es-tls", "http", "tls.ext.test", "tls", tls=TLS_NAME,
       **newer(TLS_8443)),
    es("es-tls-ip", "http", "127.0.10.1", "tls", tls=Tls("api.ext.test"),
       **newer(tls12("127.0.10.1:8443", AS_SENT, "api.ext.test"))),
    es("es-tls-ip-nosn", "http", "127.0.10.4", "tls-by-address", tls=Tls(),
       **newer(tls12("127.0.10.4:8443", AS_SENT, None))),
    es("es-tls-nosn", "http", "tls.ext.test", "tls", tls=Tls(),
       **newer(TLS_8443)),
    es("es-tls-tcp", "tcp", "tcp.ext.test", "tls-tcp",
       echo("127.0.10.1:9443"), TLS_NAME),
    es("es-tls-h2", "http2", "tls.ext.test", "tls-h2", tls=TLS_NAME,
       **newer(H2_TLS)),
    es("es-tls-grpc", "grpc", "grpc.ext.test", "tls-grpc", GRPC,
       Tls("grpc.ext.test")),
    es("es-tls-h1only", "http", "tls.ext.test", "tls-h1", tls=TLS_NAME,
       **newer(tls12("127.0.10.1:8445", "tls.ext.test", "tls.ext.test"))),
    es("es-tls12", "http", "tls.ext.test", "tls12", ONLY_1_2, TLS_NAME),
    es("es-mtls", "http", "mtls.ext.test", "mtls",
       tls=Tls("mtls.ext.test", client=True), **newer(MUTUAL)),
    es("es-mtls-nocert", "http", "mtls.ext.test", "mtls", CONNECT_FAILED,
       Tls("mtls.ext.test")),
    es("es-reneg", "http", "tls.ext.test", "tls12", ONLY_1_2,
       Tls("tls.ext.test", renegotiation=True)),
    es("es-skiphost", "http", "wrongname.ext.test", "wrong-name",
       tls=Tls(skip_name=True),
       **newer(tls12("127.0.10.3:8443", "wrongname.ext.test",
                     "wrongname.ext.test"))),
    es("es-noca", "http", "evil.ext.test", "evil", EVIL, Tls(ca=False),
       ours=CONNECT_FAILED,
       why="better: without caCert the system's CAs verify the server"),
    es("es-badca", "http", "evil.ext.test", "evil", CONNECT_FAILED, TLS_NAME),
    es("es-badca-tcp", "tcp", "evil.ext.test", "evil", CLOSED, TLS_NAME),
    es("es-wrongname", "http", "wrongname.ext.test", "wrong-name",
       CONNECT_FAILED, Tls()),
    es("es-tls-to-plain", "http", "plain.ext.test", "plain", CONNECT_FAILED,
       TLS_NAME),
    es("es-plain-to-tls", "http", "tls.ext.test", "tls", PLAIN_TO_TLS),
    es("es-closed", "http", "127.0.10.9", "closed", CONNECT_FAILED),
    es("es-closed-tcp", "tcp", "127.0.10.9", "closed", CLOSED),
    es("es-closed-grpc", "grpc", "127.0.10.9", "closed", GRPC_UNAVAILABLE,
       source="local replies"),
    es("es-nx", "http", "nx.ext.test", "closed", NO_UPSTREAM),
    es("es-nx-tcp", "tcp", "nx.ext.test", "closed", CLOSED),
    Service("es-multi-ip", "http", (Endpoint("127.0.10.1", "plain"),
                                    Endpoint("127.0.10.5", "second")),
            PLAIN_BY_ADDRESS,
            ours=web("127.0.10.1:8080+127.0.10.5:8080", AS_SENT), **TWICE),
    Service("es-multi-dns", "http", (Endpoint("plain.ext.test", "plain"),
                                     Endpoint("second.ext.test", "second")),
            PLAIN, ours=web("127.0.10.1:8080+127.0.10.5:8080",
                            "plain.ext.test+second.ext.test"), **TWICE),
    es("es-multi-a", "http", "multi.ext.test", "both",
       web("127.0.10.1:8080", "multi.ext.test"),
       ours=web("127.0.10.1:8080+127.0.10.5:8080", "multi.ext.test"),
       together=True, why="same, asked 12 times at once: both addresses"
                          " answer"),
    Service("es-mixed", "http", (Endpoint("127.0.10.1", "plain"),
                                 Endpoint("second.ext.test", "second")),
            RETRIED, source="11-es-mixed-runtime", times=8,
            ours=web("127.0.10.1:8080+127.0.10.5:8080",
                     f"{AS_SENT}+second.ext.test"),
            why="better: names and addresses may be mixed"),
    Service("es-zone1", "http", (Endpoint("plain.ext.test", "plain",
                                          "zone-1"),), PLAIN),
    Service("es-zone2", "http", (Endpoint("second.ext.test", "second",
                                          "zone-2"),), RETRIED),
    Service("es-zone2-tls", "http", (Endpoint("tls.ext.test", "tls",
                                              "zone-2"),), RETRIED, TLS_NAME),
    Service("es-bothzones", "http", (
        Endpoint("plain.ext.test", "plain", "zone-1"),
        Endpoint("second.ext.test", "second", "zone-2")), PLAIN),
    es("es-noproto", "", "127.0.10.1", "tcp", echo("127.0.10.1:9000")),
]

MESH_EXTERNAL_SERVICES = [
    mes("mes-http", 80, "http", "plain.ext.test", "plain", PLAIN),
    mes("mes-tcp", 9000, "tcp", "127.0.10.1", "tcp", echo("127.0.10.1:9000")),
    mes("mes-tls", 443, "http", "tls.ext.test", "tls", tls=TLS_NAME,
        **newer(TLS_8443)),
    mes("mes-tls-nosn", 444, "http", "tls.ext.test", "tls", tls=Tls(),
        **newer(TLS_8443)),
    mes("mes-tls-tcp", 9443, "tcp", "tcp.ext.test", "tls-tcp",
        echo("127.0.10.1:9443"), TLS_NAME),
    mes("mes-h2", 445, "http2", "tls.ext.test", "tls-h2", tls=TLS_NAME,
        **newer(H2_TLS)),
    mes("mes-grpc", 446, "grpc", "grpc.ext.test", "tls-grpc", GRPC,
        Tls("grpc.ext.test")),
    mes("mes-mtls", 447, "http", "mtls.ext.test", "mtls",
        tls=Tls("mtls.ext.test", client=True), **newer(MUTUAL)),
    Service("mes-mixed", "http", (Endpoint("127.0.10.1", "plain"),
                                  Endpoint("second.ext.test", "second")),
            SECOND, mes_port=81, source="11-mes-mixed-runtime",
            ours=web("127.0.10.1:8080+127.0.10.5:8080",
                     f"{AS_SENT}+second.ext.test"), **TWICE),
    mes("mes-badca", 448, "http", "evil.ext.test", "evil", CONNECT_FAILED,
        TLS_NAME),
    mes("mes-skipall", 449, "http", "evil.ext.test", "evil",
        tls=Tls(ca=False, mode="SkipAll"), **newer(EVIL)),
    mes("mes-skipca", 450, "http", "evil.ext.test", "evil",
        tls=Tls("tls.ext.test", ca=False, mode="SkipCA"),
        **newer(tls12("127.0.10.2:8443", "evil.ext.test", "tls.ext.test"))),
    mes("mes-sysca", 451, "http", "tls.ext.test", "tls", CONNECT_FAILED,
        Tls(ca=False)),
    mes("mes-tlsver", 452, "http", "tls.ext.test", "tls", TLS_8443,
        Tls("tls.ext.test", version="TLS12")),
    mes("mes-nx", 82, "http", "nx.ext.test", "closed", NO_UPSTREAM),
]

# Denied by a rule for the caller that the others allow.
DENIED_SERVICES = [
    es("es-denied", "http", "127.0.10.6", "guarded-web", DENIED,
       source="02-no-permission", recorded_as="es-http",
       untouched="guarded-web"),
    es("es-denied-tcp", "tcp", "127.0.10.6", "guarded-tcp", CLOSED,
       source="02-no-permission", recorded_as="es-tls-tcp",
       untouched="guarded-tcp",
       why="better: closed without a connection to the server"),
    es("es-denied-grpc", "grpc", "grpc.ext.test", "guarded-grpc", GRPC_DENIED,
       source="local replies"),
    mes("mes-denied", 83, "http", "127.0.10.6", "guarded-web", DENIED,
        source="05-mes-forbidden", recorded_as="mes-http",
        untouched="guarded-web"),
    Service("es-zone2-denied", "http", (Endpoint("127.0.10.6", "guarded-web",
                                                 "zone-2"),), RETRIED,
            recorded_as="es-zone2"),
]

# First asked where the nearest is preferred: a relay that a sidecar has open
# stays where it leads.
NEAREST = Service("es-nearest", "http", (
    Endpoint("plain.ext.test", "plain", "zone-1"),
    Endpoint("second.ext.test", "second", "zone-2")), "")

# The servers of these renegotiate in the middle of the connection.
ASKED_LATE = [
    es("es-rn-yes", "tcp", "tcp.ext.test", "asking-1", BOTH,
       Tls("tls.ext.test", client=True, renegotiation=True),
       source="renegotiation"),
    es("es-rn-no", "tcp", "tcp.ext.test", "asking-2", CLOSED,
       Tls("tls.ext.test", client=True), source="renegotiation", ours=CUT,
       why="same: closed when asked, which here is after a first reply"),
]

# A WebSocket server speaks HTTP/1.1; behind the third there is one of HTTP/2
# (RFC 8441).  To the services of http2 the sidecar sends an extended CONNECT.
SOCKETS = [
    es("es-socket", "http", "socket.ext.test", "socket", "", upgrades=True),
    es("es-tls-socket", "http", "socket.ext.test", "tls-socket", "",
       Tls("socket.ext.test"), upgrades=True),
    es("es-h2-socket", "http2", "socket.ext.test", "h2-socket", "",
       upgrades=True),
    es("es-h2-tls-socket", "http2", "socket.ext.test", "tls-socket", "",
       Tls("socket.ext.test"), upgrades=True),
]
# Of http2, and its server chooses HTTP/1.1.
FALLING_BACK = "es-h2-tls-socket"

ASKED = (EXTERNAL_SERVICES + MESH_EXTERNAL_SERVICES + DENIED_SERVICES
         + ASKED_LATE)
ALL = ASKED + SOCKETS + [NEAREST]


@dataclass(frozen=True)
class Later:
    """A service asked again, after the resources have changed."""

    service: str
    recorded: str
    source: str
    ours: str = ""
    why: str = ""
    together: bool = False
    recorded_as: str = ""
    untouched: str = ""
    # Only zone-2 can have answered; its log has to tell of it.
    by_zone_2: bool = False

    @property
    def expected(self):
        return self.ours or self.recorded


# zone-1 has learnt of the ingress of zone-2.
WITH_ZONE_2 = [
    Later("es-zone2", SECOND, TWO_ZONES, by_zone_2=True),
    Later("es-zone2-tls", TLS_8443, TWO_ZONES, newer_tls(TLS_8443),
          "better: TLS 1.3", by_zone_2=True),
    Later("es-zone2-denied", DENIED, "21-multizone-tp-client-only-client",
          recorded_as="es-zone2-tls", untouched="guarded-web",
          by_zone_2=True),
    Later("es-bothzones", RETRIED, ZONES_SHARED,
          web("127.0.10.1:8080+127.0.10.5:8080",
              "plain.ext.test+second.ext.test"),
          "better: both zones serve it", together=True, by_zone_2=True),
]

# Its mesh prefers what is near.
LOCALITY_AWARE = [
    Later("es-nearest", RETRIED, LOCALITY, PLAIN,
          "better: the endpoint of this zone serves", together=True,
          recorded_as="es-bothzones"),
]
