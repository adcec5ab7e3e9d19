# SPDX-License-Identifier: Apache-2.0
"""A real sidecar asks every service of the table through our egress.

First zone-1 is alone; then it learns of zone-2; then its mesh prefers what is
near.  Both changes are reloads under the sidecar's open connections.  gRPC and
WebSocket are more than one answer: they have sections of their own.  Ends with
0 if everything was as the tables expect.
"""

import signal
import shutil
import sys
import tempfile
import time
from pathlib import Path

import answers
import clients
import faultcases
import grpcclient
import permissioncases
import processes
import reference
import ratecases
import report
import resiliencecases
import services
import socketclient
from policed import Policed
from world import World

BY_NAME = {service.name: service for service in services.ALL}


def answer(world, entry, service):
    address = world.sidecar.listener(service)
    if service in services.ASKED_LATE:
        server = world.servers[service.endpoints[0].server]
        return server.converse(address)
    if entry.together:
        return clients.ask_together(address)
    return answers.merge([clients.ask(service, address)
                          for _ in range(service.times)])


def run(world, entry, service):
    ours = answer(world, entry, service)
    if entry.untouched and world.servers[entry.untouched].accepted:
        ours += ", after a connection to the server"
    if entry.by_zone_2 and not world.zone_2.has_carried(service.name):
        ours += ", not through zone-2"
    return report.Row(service.name, entry.recorded, ours, entry.expected,
                      entry.why)


def section(title, rows):
    print(report.text(title, rows), flush=True)
    return title, rows


def asked(world, entries):
    return [run(world, entry, BY_NAME[getattr(entry, "service", None)
                                      or entry.name]) for entry in entries]


def calls(world):
    for name in ("es-grpc", "es-tls-grpc"):
        service = BY_NAME[name]
        said = grpcclient.conversations(
            world.sidecar.listener(service),
            world.servers[service.endpoints[0].server])
        for what, came, expected in said:
            yield report.Row(f"{name}: {what}", answers.NOT_ASKED, came,
                             expected, "as it should be")


def sockets(world):
    for service in services.SOCKETS:
        said = socketclient.conversations(
            world.sidecar.listener(service), socketclient.CONVERSATIONS
            + (() if service.name == "es-h2-socket" else socketclient.MORE))
        for what, came, expected in said:
            yield report.Row(f"{service.name}: {what}", answers.NO_SOCKET,
                             came, expected, "better: WebSocket is carried")


def all_sections(world):
    yield section("zone-1 alone", asked(world, services.ASKED))
    yield section("gRPC", list(calls(world)))
    yield section("WebSocket", list(sockets(world)))
    world.join_zones()
    yield section("zone-1 and zone-2", asked(world, services.WITH_ZONE_2))
    world.prefer_local()
    yield section("locality aware", asked(world, services.LOCALITY_AWARE))


def cases(policed, of):
    for what, came, expected in of(policed):
        yield report.Row(what, answers.NOT_ASKED, told(came), told(expected),
                         "as it should be")


def told(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def policy_sections(policed):
    for module in (permissioncases, ratecases, faultcases, resiliencecases):
        for title, of in module.SECTIONS:
            yield section(title, list(cases(policed, of)))


def recorded_entries():
    later = services.WITH_ZONE_2 + services.LOCALITY_AWARE
    for entry in services.ASKED + later:
        name = getattr(entry, "service", None) or entry.name
        yield entry.recorded_as or name, entry.source, entry.recorded


def interop(folder):
    started = time.monotonic()
    world = World(folder)
    try:
        sections = list(all_sections(world))
        policed = Policed(folder, world, world.dns.address)
        try:
            sections += policy_sections(policed)
        finally:
            wrong = policed.stop()
    finally:
        wrong += world.stop()
    report.write(sections, time.monotonic() - started)
    rows = [row for _, part in sections for row in part]
    wrong += reference.differences(recorded_entries())
    print(*wrong, report.summary(rows), sep="\n")
    return not wrong and all(row.is_right for row in rows)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="zegress-interop."))
    passed = False
    try:
        passed = interop(folder)
    finally:
        processes.stop_all()
        if passed:
            shutil.rmtree(folder)
        else:
            print(f"Configurations and logs are in {folder}.", flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
