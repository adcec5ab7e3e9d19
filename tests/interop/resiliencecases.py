# SPDX-License-Identifier: Apache-2.0
"""How servers are used: MeshTimeout, MeshRetry, MeshCircuitBreaker,
MeshHealthCheck and MeshLoadBalancingStrategy of services at the egress."""

from policed import (BALANCED, HALF, MES, PAIR, RAW, SAME_HALF, SICK, WEB,
                     to)

ONCE = 10
USERS = 24
FAILED = ("503 upstream connect error or disconnect/reset before headers. "
          "reset reason: ")


def ended(seconds, least, most=10):
    return "in time" if least <= seconds < most else f"{seconds:.3f} s"


def timeouts(world):
    slow = world.servers["one"]
    for what, service, limit in (
            ("requestTimeout", WEB, {"requestTimeout": "300ms"}),
            ("streamIdleTimeout", WEB, {"streamIdleTimeout": "300ms"}),
            ("requestTimeout", MES, {"requestTimeout": "300ms"})):
        world.under(to("MeshTimeout", service, http=limit))
        slow.released.clear()
        answer = world.ask(service, "/wait")
        slow.released.set()
        yield f"{what}: {service.name}", answer.status, 504
        yield f"{what}: its end", ended(answer.seconds, 0.3), "in time"
        yield f"{what}: others", world.ask(service).text, "200 one"
    world.under(to("MeshTimeout", RAW, idleTimeout="300ms"))
    with world.raw() as silent:
        yield "idleTimeout: po-raw", silent.echo(), "echo"
        yield ("idleTimeout: its end", ended(silent.seconds_to_end(), 0.25),
               "in time")
    yield "the log says so", world.until(
        lambda: world.logged(service=RAW.name, outcome="idle")), True


def retries(world):
    world.under(to("MeshRetry", HALF, http={"numRetries": 2}))
    yield ("one of two servers refuses, tried again",
           world.names(HALF, ONCE), "200 one")
    world.under(to("MeshRetry", SAME_HALF, http={"numRetries": 0}))
    yield ("not tried again", world.names(SAME_HALF, ONCE),
           f"200 one+{FAILED}remote connection failure")


def breakers(world):
    slow = world.servers["one"]
    world.under(to("MeshCircuitBreaker", WEB,
                   connectionLimits={"maxRequests": 1}))
    slow.released.clear()
    world.wait_at(WEB, slow)
    answer = world.ask(WEB)
    yield "maxRequests: one more", answer.text, f"{FAILED}overflow"
    yield ("x-envoy-overloaded", answer.headers.get("x-envoy-overloaded"),
           "true")
    slow.released.set()
    yield "afterwards", world.until(
        lambda: world.ask(WEB).text == "200 one"), True


def ejections(world):
    two = world.servers["two"]
    world.under(to("MeshCircuitBreaker", PAIR, outlierDetection={
        "baseEjectionTime": "60s", "maxEjectionPercent": 50,
        "detectors": {"totalFailures": {"consecutive": 2}}}))
    yield "both serve", world.names(PAIR, ONCE), "200 one+200 two"
    two.status = 500
    yield "one of them fails twice", world.until(
        lambda: world.statuses(PAIR, 4) == "200 200 200 200"), True
    two.status = 200
    before = two.asked
    yield "the other serves", world.names(PAIR, ONCE), "200 one"
    yield "it has seen", two.asked - before, 0
    world.under()
    yield ("without the policy both serve", world.names(PAIR, ONCE),
           "200 one+200 two")


def checks(world):
    two = world.servers["two"]
    world.under(to("MeshHealthCheck", SICK, interval="50ms", timeout="1s",
                   unhealthyThreshold=1, healthyThreshold=1, http={
                       "path": "/healthz", "expectedStatuses": [200]}))
    yield "both are asked how they are", world.until(
        lambda: two.checks > 0 and world.servers["one"].checks > 0), True
    two.status = 503
    yield "one is left out", world.until(
        lambda: world.names(SICK, 4) == "200 one"), True
    before = two.asked
    yield "the other serves", world.names(SICK, ONCE), "200 one"
    yield "the sick one has seen", two.asked - before, 0
    two.status = 200
    yield "it is back", world.until(
        lambda: world.names(SICK, 4) == "200 one+200 two"), True


def balance(world):
    world.under(to("MeshLoadBalancingStrategy", BALANCED, loadBalancer={
        "type": "RingHash", "ringHash": {"hashFunction": "XXHash"}},
        hashPolicies=[{"type": "Header", "header": {"name": "x-user"}}]))
    first = [server_for(world, user) for user in range(USERS)]
    yield "RingHash: servers in use", "+".join(sorted(set(first))), "one+two"
    again = [server_for(world, user) for user in range(USERS)]
    yield "the same user, the same server", again == first, True
    world.under(to("MeshLoadBalancingStrategy", BALANCED,
                   loadBalancer={"type": "RoundRobin"}))
    yield ("RoundRobin: one user", "+".join(sorted(
        {server_for(world, 1) for _ in range(ONCE)})), "one+two")


def server_for(world, user):
    return world.ask(BALANCED, headers={"x-user": f"user-{user}"}).body


SECTIONS = (
    ("MeshTimeout", timeouts),
    ("MeshRetry", retries),
    ("MeshCircuitBreaker, limits", breakers),
    ("MeshCircuitBreaker, outliers", ejections),
    ("MeshHealthCheck", checks),
    ("MeshLoadBalancingStrategy", balance),
)
