# SPDX-License-Identifier: Apache-2.0
"""How often: RateLimit and MeshRateLimit.  Rates are by the hour, so that no
token comes while we count."""

from policed import (ANYBODY, CALLER, FORGED, MES, RAW, STRANGER, WEB, legacy,
                     policy, target)

HOUR = "1h"


def rate_limit(name, source, requests, **on_limit):
    http = {"requests": requests, "interval": HOUR}
    if on_limit:
        http["onRateLimit"] = on_limit
    return legacy("RateLimit", name, {"kuma.io/service": source}, WEB,
                  conf={"http": http})


def mesh_rate_limit(service, who, **local):
    return policy("MeshRateLimit", "rate", targetRef=target(service),
                  **{"from": [{"targetRef": who,
                               "default": {"local": local}}]})


def per_hour(n, **more):
    return {"requestRate": {"num": n, "interval": HOUR}, **more}


def legacy_rates(world):
    world.under(rate_limit("three", "client", 3))
    yield "3 of an hour", world.statuses(WEB, 5), "200 200 200 429 429"
    yield "what is said", world.ask(WEB).body, "local_rate_limited"
    yield "the log says so", world.until(
        lambda: world.logged(service=WEB.name, outcome="rate_limited")), True
    world.under(rate_limit("worded", "client", 1, status=430, headers=[
        {"key": "x-limited", "value": "yes"}]))
    yield "a status of its own", world.statuses(WEB, 2), "200 430"
    yield ("a header of its own", world.ask(WEB).headers.get("x-limited"),
           "yes")
    world.under(rate_limit("none", "stranger", 1))
    yield "of another caller", world.statuses(WEB, 3), "200 200 200"
    yield ("its tags in a header", world.statuses(WEB, 3, FORGED),
           "200 200 200")
    world.under(rate_limit("two", "client", 2))
    yield ("another's tags in a header", world.statuses(WEB, 3, FORGED),
           "200 200 429")


def mesh_rates(world):
    world.under(mesh_rate_limit(WEB, ANYBODY, http=per_hour(2)))
    yield "2 of an hour", world.statuses(WEB, 4), "200 200 429 429"
    yield "what is said", world.ask(WEB).body, "local_rate_limited"
    world.under(mesh_rate_limit(WEB, CALLER, http=per_hour(
        1, onRateLimit={"status": 431, "headers": {
            "set": [{"name": "x-limited", "value": "yes"}],
            "add": [{"name": "x-more", "value": "too"}]}})))
    yield "of the caller, another status", world.statuses(WEB, 2), "200 431"
    fields = world.ask(WEB).headers
    yield "headers that are set", fields.get("x-limited"), "yes"
    yield "headers that are added", fields.get("x-more"), "too"
    world.under(mesh_rate_limit(WEB, STRANGER, http=per_hour(1)))
    yield "of another caller", world.statuses(WEB, 3), "200 200 200"
    yield ("its tags in a header", world.statuses(WEB, 3, FORGED),
           "200 200 200")
    world.under(mesh_rate_limit(MES, ANYBODY, http=per_hour(1)))
    yield "of a MeshExternalService", world.statuses(MES, 2), "200 429"
    world.under(mesh_rate_limit(WEB, ANYBODY, http=per_hour(
        1, disabled=True)))
    yield "disabled", world.statuses(WEB, 3), "200 200 200"


def connection_rates(world):
    before = world.servers["raw"].accepted
    world.under(mesh_rate_limit(RAW, ANYBODY, tcp={
        "connectionRate": {"num": 2, "interval": HOUR}}))
    with world.raw() as first:
        yield "2 of an hour, the first", first.echo(), "echo"
        yield "the second", world.echo(), "echo"
        yield "the third", world.echo(), "closed"
        yield "what is open goes on", first.echo(), "echo"
    yield "the log says so", world.until(lambda: world.logged(
        service=RAW.name, outcome="connection_rate_limited")), True
    yield "the server has seen", world.servers["raw"].accepted - before, 2



SECTIONS = (
    ("RateLimit", legacy_rates),
    ("MeshRateLimit", mesh_rates),
    ("MeshRateLimit of connections", connection_rates),
)
