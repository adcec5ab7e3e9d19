# SPDX-License-Identifier: Apache-2.0
"""One zegressd: its directory, its configuration, its life."""

import json
import os
import subprocess
from pathlib import Path

import processes
import yamltext
from resources import MESH

PROGRAMS = Path(os.environ["TOP_BUILDDIR"])

CONFIG = """\
zone = "{zone}";
resources = "{home}/resources";
secrets = "{home}/secrets";
listeners = ( {listeners} );
admin = {{ address = "{address}"; port = {admin}; socket = "{home}/ctl"; }};
access_log = "{home}/access.log";
state = "{home}/state";
dns = {{ servers = [ "{dns}" ]; hosts_file = ""; timeout_ms = 500; }};
allow_addresses = [ "127.0.0.0/8" ];
services = ( {services} );
"""
FALLBACK = """\
{{ match = {{ service = "{}"; }}; http2_fallback = true; }}"""


class Zone:
    """ingress is the address of an ingress listener in the same process,
    falling_back names a service of http2 that may speak HTTP/1.1."""

    def __init__(self, folder, zone, address, dns, ingress=None,
                 falling_back=None):
        self.home = Path(folder, zone)
        self.zone = zone
        self.address = address
        self.port = processes.free_port(address)
        self.admin = processes.free_port(address)
        listeners = [(address, self.port, "egress")]
        self.ingress = None
        if ingress:
            self.ingress = (ingress, processes.free_port(ingress))
            listeners.append((*self.ingress, "ingress"))
        for name in ("resources", f"secrets/{MESH}", "state"):
            (self.home / name).mkdir(parents=True)
        self.config = self.home / "zegressd.conf"
        self.config.write_text(CONFIG.format(
            zone=zone, home=self.home, address=address, admin=self.admin,
            dns=dns, services=falling_back and FALLBACK.format(falling_back)
            or "", listeners=", ".join(
                f'{{ address = "{a}"; port = {p}; role = "{r}"; }}'
                for a, p, r in listeners)))

    def secret(self, name, text):
        Path(self.home, "secrets", MESH, name).write_text(text)

    def write(self, name, documents):
        self.replace(self.home / "resources" / f"{name}.yaml",
                     yamltext.documents(documents))

    @staticmethod
    def replace(path, text):
        new = path.with_suffix(".new")
        new.write_text(text)
        new.rename(path)

    def start(self):
        log = open(self.home / "log", "wb")
        self.process = processes.start(
            [PROGRAMS / "zegressd", "-f", self.config], stdout=log, stderr=log)
        processes.wait_until_ready(
            self.process, f"http://{self.address}:{self.admin}/ready")

    def stop(self, seconds=30):
        """What is wrong with how it ended, or nothing."""
        if self.process.poll() is not None:
            return [f"zegressd of {self.zone} did not survive it"]
        self.process.terminate()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return [f"zegressd of {self.zone} did not end in {seconds} s"]
        return [f"zegressd of {self.zone} ended with {code}"] if code else []

    def reload(self):
        subprocess.run([PROGRAMS / "zegressctl", "-s", self.home / "ctl",
                        "reload"], check=True, stdout=subprocess.DEVNULL)

    def has_carried(self, service, seconds=5):
        """A request for it, as the access log tells; soon if not yet."""
        for _ in processes.looks(self.process, seconds):
            lines = (self.home / "access.log").read_text().splitlines()
            if any(entry["kind"] == "request" and entry["service"] == service
                   for entry in map(json.loads, lines)):
                return True
        return False


def version():
    said = subprocess.run([PROGRAMS / "zegressd", "-V"], check=True,
                          capture_output=True, text=True).stdout
    return said.splitlines()[0]
