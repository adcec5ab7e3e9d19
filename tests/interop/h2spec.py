# SPDX-License-Identifier: Apache-2.0
"""All of h2spec's cases against a running egress, through a local port of
`zegressctl connect`: once for a service whose server speaks HTTP/1.1, once for
one of HTTP/2.

A case may fail if h2spec.md explains it: a heading that names it as the report
below does, and the text after that.  Ends with 0 if nothing else failed, and
nothing that is explained there has passed.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from dataclasses import dataclass
from pathlib import Path

import pki
import processes
import resources
import services
from dnsserver import DnsServer
from servers import Server
from zone import Zone

CALLER = "h2spec"
SUITES = ("generic", "http2", "hpack")
SERVERS = ("behind-http1", "behind-http2")
SERVICES = [
    services.es(SERVERS[0], "http", "127.0.10.1", "web", ""),
    services.es(SERVERS[1], "http2", "127.0.10.1", "web", ""),
]
# For a frame that has to come.  A case that waits for silence takes as long.
TIMEOUT_S = 5
LONGEST_S = 600


@dataclass(frozen=True)
class Case:
    name: str
    section: str
    failure: str
    skipped: bool


class World:
    """A mesh of one caller, whose two services lead to one server."""

    def __init__(self, folder):
        self.folder = folder
        self.mesh_ca = pki.authority(
            folder, "mesh-ca", f"/O=Kuma/OU=Mesh/CN={resources.MESH}",
            f"URI:spiffe://{resources.MESH}")
        self.caller = pki.sidecar(folder, self.mesh_ca, resources.MESH,
                                  CALLER, "zone-1")
        self.server = Server("127.0.10.1:8080")
        self.dns = DnsServer("127.0.10.53", {})
        self.zone = Zone(folder, "zone-1", "127.0.1.10", self.dns.address)
        for kind, text in (("cert", self.mesh_ca.cert_pem),
                           ("key", self.mesh_ca.key_pem)):
            self.zone.secret(f"{resources.MESH}.ca-builtin-{kind}-ca-1", text)
        self.zone.write("mesh", [resources.mesh()])
        self.zone.write("services", [
            document for service in SERVICES for document in
            resources.documents(service, {"web": self.server.port}, None)])
        self.zone.write("permissions", resources.permissions(CALLER, []))
        self.zone.start()

    def connect(self, service):
        """The port that leads to a service."""
        process = processes.start([
            Path(os.environ["TOP_BUILDDIR"], "zegressctl"), "connect",
            "--mesh", resources.MESH, "--service", service,
            "--listen", "127.0.0.1:0",
            "--egress", f"{self.zone.address}:{self.zone.port}",
            "--cert", self.caller.cert, "--key", self.caller.key,
            "--ca", self.mesh_ca.cert], stdout=processes.PIPE, text=True,
            stderr=open(self.folder / f"connect-{service}.log", "wb"))
        said = process.stdout.readline()
        return int(re.fullmatch(r"listening on .*:(\d+)\n", said).group(1))


def ask(world, service):
    """name -> Case, of all that h2spec knows."""
    report = world.folder / f"{service}.xml"
    with open(world.folder / f"{service}.log", "wb") as log:
        subprocess.run(
            [os.environ["H2SPEC"], *SUITES, "--strict", "-h", "127.0.0.1",
             "-p", str(world.connect(service)), "-o", str(TIMEOUT_S),
             "-j", report], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            timeout=LONGEST_S, check=False)
    cases = {case.name: case for case in read(report)}
    for suite in SUITES:
        if not any(name.startswith(suite + "/") for name in cases):
            raise RuntimeError(f"h2spec has no results of {suite}")
    return cases


def read(report):
    for section in xml.etree.ElementTree.parse(report).iter("testsuite"):
        suite = section.get("package").split("/")[0]
        title = f"{suite}/{section.get('name')}"
        for case in section.iter("testcase"):
            failure = case.find("failure")
            failure = case.find("error") if failure is None else failure
            yield Case(f"{case.get('package')}: {case.get('classname')}",
                       title, "" if failure is None else failure.text,
                       case.find("skipped") is not None)


def table(results):
    """A line a section: how many passed behind each server."""
    sections = list(dict.fromkeys(
        case.section for cases in results.values() for case in cases.values()))
    width = max(map(len, sections))
    lines = ["".ljust(width) + "  " + "  ".join(results)]
    for section in sections:
        counts = []
        for cases in results.values():
            inside = [c for c in cases.values() if c.section == section]
            passed = sum(not c.failure and not c.skipped for c in inside)
            counts.append(f"{passed} of {len(inside)}")
        lines.append(section.ljust(width) + "  " + "  ".join(
            count.ljust(len(service))
            for count, service in zip(counts, results)))
    return "\n".join(lines)


def explained():
    """The cases that may fail."""
    text = Path(__file__).with_name("h2spec.md").read_text()
    return re.findall(r"^### (\S+: .*)$", text, re.MULTILINE)


def judge(results, known):
    """(complaints, passed, failed); a known failure is neither."""
    complaints, passed = [], 0
    for service, cases in results.items():
        for case in cases.values():
            if case.skipped:
                complaints.append(f"{service}: {case.name}: skipped")
            elif not case.failure:
                passed += 1
            elif case.name not in known:
                complaints.append(f"{service}: {case.name}\n"
                                  f"{indent(case.failure)}")
    for name in known:
        if not any(name in cases and cases[name].failure
                   for cases in results.values()):
            complaints.append(f"h2spec.md explains what does not fail: {name}")
    return complaints, passed, len(complaints)


def indent(text):
    return "\n".join("    " + line for line in text.splitlines())


def conformance(folder):
    world = World(folder)
    results = {service: ask(world, service) for service in SERVERS}
    print(table(results))
    known = explained()
    complaints, passed, failed = judge(results, known)
    ending = world.zone.stop()
    print(*complaints, *ending, sep="\n")
    print(f"{len(known)} explained in h2spec.md")
    print(f"{passed} passed, {failed + len(ending)} failed")
    return not complaints and not ending


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="zegress-h2spec."))
    passed = False
    try:
        passed = conformance(folder)
    finally:
        processes.stop_all()
        if passed:
            shutil.rmtree(folder)
        else:
            print(f"Reports and logs are in {folder}.", flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
