# SPDX-License-Identifier: Apache-2.0
"""Faults on purpose: FaultInjection and MeshFaultInjection, for those whom
certificates name."""

from policed import (ANYBODY, CALLER, FORGED, MES, STRANGER, WEB, legacy,
                     policy, target)

DELAY_S = 0.3
# At 64 kbps a second is 8000 bytes.
BYTES = 8400
LONG = f"/bytes/{BYTES}"


def legacy_fault(source, **conf):
    return legacy("FaultInjection", "fault",
                  {"kuma.io/service": source, "kuma.io/protocol": "http"},
                  WEB, conf=conf)


def mesh_fault(who, service=WEB, **http):
    return policy("MeshFaultInjection", "fault", targetRef=target(service),
                  **{"from": [{"targetRef": who,
                               "default": {"http": [http]}}]})


def abort(status):
    return {"abort": {"httpStatus": status, "percentage": 100}}


def delay():
    return {"delay": {"value": "300ms", "percentage": 100}}


def bandwidth():
    return {"responseBandwidth": {"limit": "64 kbps", "percentage": 100}}


def took(answer, seconds):
    """Not less; what more it takes is up to the machine."""
    if answer.seconds < seconds:
        return f"{answer.status} after {answer.seconds:.3f} s"
    return f"{answer.status} {len(answer.body)} bytes"


def faults(world, of_caller, of_stranger):
    """The two make a policy of conf: for calls of the caller, of another."""
    before = world.servers["one"].asked
    world.under(of_caller(**abort(418)))
    yield "abort", world.ask(WEB).text, "418 fault filter abort"
    yield ("another's tags in a header", world.ask(WEB, headers=FORGED).text,
           "418 fault filter abort")
    yield "the server has seen", world.servers["one"].asked - before, 0
    yield "the log says so", world.until(
        lambda: world.logged(service=WEB.name, outcome="fault_injected")), True
    world.under(of_caller(**delay()))
    yield ("delay of 300 ms", took(world.ask(WEB), DELAY_S), "200 3 bytes")
    world.under(of_caller(**bandwidth()))
    yield ("64 kbps", took(world.ask(WEB, LONG), 0.99), f"200 {BYTES} bytes")
    world.under(of_stranger(**abort(418)))
    yield "of another caller", world.ask(WEB).text, "200 one"
    yield ("its tags in a header", world.ask(WEB, headers=FORGED).text,
           "200 one")


def legacy_faults(world):
    yield from faults(world, lambda **conf: legacy_fault("client", **conf),
                      lambda **conf: legacy_fault("stranger", **conf))


def mesh_faults(world):
    yield from faults(world, lambda **http: mesh_fault(CALLER, **http),
                      lambda **http: mesh_fault(STRANGER, **http))
    world.under(mesh_fault(ANYBODY, **abort(503)))
    yield "abort for anybody", world.ask(WEB).text, "503 fault filter abort"
    world.under(mesh_fault(ANYBODY, MES, **abort(418)))
    yield ("of a MeshExternalService", world.ask(MES).text,
           "418 fault filter abort")


SECTIONS = (
    ("FaultInjection", legacy_faults),
    ("MeshFaultInjection", mesh_faults),
)
