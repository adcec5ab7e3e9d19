# SPDX-License-Identifier: Apache-2.0
"""Who may: every form of permission, report mode, grants, and what a permission
that goes takes with it."""

import time

import answers
from policed import (ANYBODY, CALLER, MES, RAW, STRANGER, WEB, legacy, policy,
                     target)
from resources import permission

ME = "spiffe://default/client"
ANSWERED = "200 one"
REPORT = {"labels": {"zegress.io/mode": "report"}}
# Of one that was told; what is under way when it ends has this long.
GRANTED_S = 3


def seen(world, service):
    if service is RAW:
        return world.echo()
    return world.ask(service).text


def of(world, what, service, expected, *documents, all_may=False):
    world.under(*documents, all_may=all_may)
    return f"{what}: {service.name}", seen(world, service), expected


def traffic_permission(world):
    def by(source, service):
        return legacy("TrafficPermission", "tp", source, service)

    yield of(world, "none", WEB, answers.DENIED)
    yield of(world, "none", RAW, answers.CLOSED)
    for service, good, bad in ((WEB, ANSWERED, answers.DENIED),
                               (RAW, "echo", answers.CLOSED)):
        for what, tags, expected in (
                ("of the caller", {"kuma.io/service": "client"}, good),
                ("of anybody", {"kuma.io/service": "*"}, good),
                ("of the caller's zone", {"kuma.io/service": "*",
                                          "kuma.io/zone": "zone-1"}, good),
                ("of another zone", {"kuma.io/service": "*",
                                     "kuma.io/zone": "zone-2"}, bad),
                ("of another", {"kuma.io/service": "stranger"}, bad)):
            yield of(world, what, service, expected, by(tags, service))


def from_form(world):
    rows = (
        ("Allow", CALLER, "Allow", True),
        ("Deny", CALLER, "Deny", False),
        ("AllowWithShadowDeny", CALLER, "AllowWithShadowDeny", True),
        ("Allow of another", STRANGER, "Allow", False),
        ("Allow of anybody", ANYBODY, "Allow", True),
    )
    for service in (WEB, RAW):
        good, bad = ((ANSWERED, answers.DENIED) if service is WEB
                     else ("echo", answers.CLOSED))
        for what, who, action, passes in rows:
            yield of(world, what, service, good if passes else bad,
                     permission("mtp", target(service), who, action))
    yield ("AllowWithShadowDeny is in the log", world.until(
        lambda: world.logged(service=WEB.name, shadow_denied=True)), True)
    yield of(world, "Deny", MES, answers.DENIED,
             permission("mtp", target(MES), CALLER, "Deny"))
    yield of(world, "Deny for it beside Allow for all", WEB, answers.DENIED,
             permission("mtp", target(WEB), CALLER, "Deny"), all_may=True)


def rules(service, **default):
    return policy("MeshTrafficPermission", "rules", targetRef=target(service),
                  rules=[{"default": default}])


def match(kind, value):
    return {"spiffeID": {"type": kind, "value": value}}


def rules_form(world):
    rows = (
        ("allow Exact", {"allow": [match("Exact", ME)]}, True),
        ("allow Prefix", {"allow": [match("Prefix", "spiffe://default/cl")]},
         True),
        ("allow Exact of another", {"allow": [match("Exact", ME + "s")]},
         False),
        ("deny wins", {"allow": [match("Exact", ME)],
                       "deny": [match("Prefix", "spiffe://default")]}, False),
        ("allowWithShadowDeny", {"allowWithShadowDeny": [match("Exact", ME)]},
         True),
        ("allow its server name", {"allow": [{"sni": {
            "type": "Exact", "value": "%s{mesh=default}"}}]}, True),
        ("allow another server name", {"allow": [{"sni": {
            "type": "Exact", "value": "other{mesh=default}"}}]}, False),
    )
    for service in (WEB, RAW):
        good, bad = ((ANSWERED, answers.DENIED) if service is WEB
                     else ("echo", answers.CLOSED))
        for what, default, passes in rows:
            yield of(world, what, service, good if passes else bad,
                     rules(service, **named(default, service)))
    yield of(world, "deny wins over a from that allows", WEB, answers.DENIED,
             rules(WEB, deny=[match("Exact", ME)]), all_may=True)
    yield of(world, "allow Exact", MES, ANSWERED,
             rules(MES, allow=[match("Exact", ME)]))
    yield of(world, "allow Exact of another", MES, answers.DENIED,
             rules(MES, allow=[match("Exact", ME + "s")]))


def named(value, service):
    """With the service's name where a text has a place for it."""
    if isinstance(value, dict):
        return {k: named(v, service) for k, v in value.items()}
    if isinstance(value, list):
        return [named(v, service) for v in value]
    return value.replace("%s", service.name)


def report_mode(world):
    for service, good, bad in ((WEB, ANSWERED, answers.DENIED),
                               (RAW, "echo", answers.CLOSED)):
        denial = permission("report", target(service), CALLER, "Deny")
        yield of(world, "a denial", service, bad, denial, all_may=True)
        denial |= REPORT
        yield of(world, "a denial in report mode", service, good, denial,
                 all_may=True)
        yield (f"{service.name}: the log has what it would deny", world.until(
            lambda: would_deny(world, service)), True)
        yield of(world, "nobody else allows", service, bad, denial)


def would_deny(world, service):
    return any(
        entry.get("service") == service.name
        and entry.get("would_deny", "").endswith("MeshTrafficPermission/report")
        for entry in world.entries())


def grants(world):
    world.under(all_may=False)
    yield "before: po-web", seen(world, WEB), answers.DENIED
    yield "before: po-raw", seen(world, RAW), answers.CLOSED
    for service in (WEB, RAW):
        world.ctl("grant", "--for", f"{GRANTED_S}s", "--reason", "a repair",
                  "client", service.name)
    started = time.monotonic()
    yield "with it: po-web", seen(world, WEB), ANSWERED
    with world.raw() as open_one:
        yield "with it: po-raw", open_one.echo(), "echo"
        open_one.seconds_to_end()
        lasted = time.monotonic() - started
    yield ("its end closes what is open", within(lasted - GRANTED_S, -1, 1),
           "in a second")
    yield "after it: po-web", seen(world, WEB), answers.DENIED
    yield "after it: po-raw", seen(world, RAW), answers.CLOSED


def within(seconds, least, most):
    return "in a second" if least <= seconds <= most else f"{seconds:.2f} s"


def revoked(world):
    world.under()
    with world.raw() as open_one:
        yield "while it is allowed", open_one.echo(), "echo"
        started = time.monotonic()
        world.under(all_may=False)
        open_one.seconds_to_end()
        yield ("it is closed", within(time.monotonic() - started, 0, 1),
               "in a second")
    yield "the log says so", world.until(
        lambda: world.logged(service=RAW.name, outcome="revoked")), True
    yield "a new one", seen(world, RAW), answers.CLOSED
    yield "the next request", seen(world, WEB), answers.DENIED


SECTIONS = (
    ("TrafficPermission", traffic_permission),
    ("MeshTrafficPermission, from", from_form),
    ("MeshTrafficPermission, rules", rules_form),
    ("report mode", report_mode),
    ("grants", grants),
    ("a permission that goes", revoked),
)
