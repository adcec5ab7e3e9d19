# SPDX-License-Identifier: Apache-2.0
"""Services as the resources that a user of Kuma writes, and the server names
under which a sidecar asks for them."""

import base64

MESH = "default"


class Credentials:
    """The CA of the external servers, and a client certificate for them."""

    def __init__(self, ca, client):
        self.ca = ca
        self.client = client


def sni(service):
    if not service.mes_port:
        return f"{service.name}{{mesh={MESH}}}"
    digest = 0xcbf29ce484222325
    for byte in f"{service.name};{MESH};".encode():
        digest = (digest ^ byte) * 0x100000001b3 % 2**64
    return f"a{digest:016x}.{service.name}.{service.mes_port}.{MESH}.mes"


def documents(service, ports, credentials):
    if service.mes_port:
        return [mesh_external_service(service, ports, credentials)]
    return [external_service(service, number, endpoint, ports, credentials)
            for number, endpoint in enumerate(service.endpoints)]


def external_service(service, number, endpoint, ports, credentials):
    tags = {"kuma.io/service": service.name}
    if service.protocol:
        tags["kuma.io/protocol"] = service.protocol
    if endpoint.zone:
        tags["kuma.io/zone"] = endpoint.zone
    networking = {"address": f"{endpoint.host}:{ports[endpoint.server]}"}
    if service.tls:
        networking["tls"] = es_tls(service.tls, credentials)
    return {"type": "ExternalService", "mesh": MESH,
            "name": service.name + (f"-{number}" if number else ""),
            "tags": tags, "networking": networking}


def es_tls(tls, credentials):
    block = {"enabled": True}
    if tls.name:
        block["serverName"] = tls.name
    if tls.renegotiation:
        block["allowRenegotiation"] = True
    if tls.skip_name:
        block["skipHostnameVerification"] = True
    if tls.ca:
        block["caCert"] = {"inlineString": credentials.ca.cert_pem}
    if tls.client:
        block["clientCert"] = {"inlineString": credentials.client.cert_pem}
        block["clientKey"] = {"inlineString": credentials.client.key_pem}
    return block


def mesh_external_service(service, ports, credentials):
    spec = {
        "match": {"type": "HostnameGenerator", "port": service.mes_port,
                  "protocol": service.protocol},
        "endpoints": [{"address": e.host, "port": ports[e.server]}
                      for e in service.endpoints],
    }
    if service.tls:
        spec["tls"] = mes_tls(service.tls, credentials)
    return {"type": "MeshExternalService", "mesh": MESH,
            "name": service.name, "spec": spec}


def mes_tls(tls, credentials):
    def inline(pem):
        return {"inline": base64.b64encode(pem.encode()).decode()}

    verification = {}
    if tls.mode:
        verification["mode"] = tls.mode
    if tls.name:
        verification["serverName"] = tls.name
    if tls.ca:
        verification["caCert"] = inline(credentials.ca.cert_pem)
    if tls.client:
        verification["clientCert"] = inline(credentials.client.cert_pem)
        verification["clientKey"] = inline(credentials.client.key_pem)
    block = {"enabled": True}
    if tls.version:
        block["version"] = {"min": tls.version, "max": tls.version}
    if verification:
        block["verification"] = verification
    return block


def mesh(prefers_local=False):
    return {
        "type": "Mesh", "name": MESH,
        "mtls": {"enabledBackend": "ca-1",
                 "backends": [{"name": "ca-1", "type": "builtin"}]},
        "routing": {"zoneEgress": True,
                    "localityAwareLoadBalancing": prefers_local},
    }


def permission(name, target, caller, action):
    return {
        "type": "MeshTrafficPermission", "mesh": MESH, "name": name,
        "spec": {"targetRef": target,
                 "from": [{"targetRef": caller,
                           "default": {"action": action}}]},
    }


def permissions(caller, denied):
    """caller may use everything but what is denied to everybody."""
    who = {"kind": "MeshSubset", "tags": {"kuma.io/service": caller}}
    rules = [permission(f"{caller}-may", {"kind": "Mesh"}, who, "Allow")]
    for service in denied:
        kind = "MeshExternalService" if service.mes_port else "MeshService"
        rules.append(permission(f"nobody-{service.name}",
                                {"kind": kind, "name": service.name},
                                {"kind": "Mesh"}, "Deny"))
    return rules


def zone_ingress(zone, address, port):
    return {"type": "ZoneIngress", "name": f"{zone}-ingress", "zone": zone,
            "networking": {"address": address, "port": port,
                           "advertisedAddress": address,
                           "advertisedPort": port}}
