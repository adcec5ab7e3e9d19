# SPDX-License-Identifier: Apache-2.0
"""Throw-away keys and certificates, made by openssl(1)."""

import subprocess
from pathlib import Path


class Identity:
    """A certificate and its key, as files; issuer signs others with them."""

    def __init__(self, folder, name):
        self.cert = Path(folder, f"{name}.crt")
        self.key = Path(folder, f"{name}.key")

    @property
    def cert_pem(self):
        return self.cert.read_text()

    @property
    def key_pem(self):
        return self.key.read_text()


def openssl(*words):
    subprocess.run(["openssl", *words], check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)


def make(folder, name, subject, extensions, issuer=None, kind="rsa:2048"):
    """Without an issuer it signs itself."""
    made = Identity(folder, name)
    words = ["req", "-x509", "-newkey", kind, "-nodes", "-days", "2",
             "-config", "/dev/null", "-subj", subject,
             "-keyout", str(made.key), "-out", str(made.cert)]
    if kind == "ec":
        words += ["-pkeyopt", "ec_paramgen_curve:P-256"]
    if issuer:
        words += ["-CA", str(issuer.cert), "-CAkey", str(issuer.key)]
    for extension in extensions:
        words += ["-addext", extension]
    openssl(*words)
    return made


def authority(folder, name, subject, san=None):
    extensions = ["basicConstraints=critical,CA:TRUE",
                  "keyUsage=critical,keyCertSign,cRLSign"]
    if san:
        extensions.append(f"subjectAltName={san}")
    return make(folder, name, subject, extensions)


def leaf(folder, name, issuer, san, usage="serverAuth", subject=None):
    return make(folder, name, subject or f"/CN={name}",
                ["basicConstraints=CA:FALSE", f"extendedKeyUsage={usage}",
                 f"subjectAltName={san}"], issuer, "ec")


def sidecar(folder, issuer, mesh, service, zone):
    """As Kuma issues it: RSA, an empty subject, all tags as names."""
    names = [f"spiffe://{mesh}/{service}", "kuma://kuma.io/protocol/http",
             f"kuma://kuma.io/service/{service}", f"kuma://kuma.io/zone/{zone}"]
    san = "critical," + ",".join(f"URI:{name}" for name in names)
    return make(folder, service, "/",
                ["basicConstraints=critical,CA:FALSE",
                 "keyUsage=critical,digitalSignature,keyEncipherment,"
                 "keyAgreement",
                 "extendedKeyUsage=serverAuth,clientAuth",
                 f"subjectAltName={san}"], issuer)
