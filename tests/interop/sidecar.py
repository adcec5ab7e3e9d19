# SPDX-License-Identifier: Apache-2.0
"""An Envoy as the sidecar of a caller, with what Kuma gives it: a listener
and a cluster a service, the mesh's identity and CA as named secrets, its
retries and time limits.  What Kuma sends by xDS is written into the bootstrap
here; nothing else is left out that the egress could see.  Upgrades to
WebSocket are added for the services that have them.
"""

import json
import subprocess
from pathlib import Path

import processes
import resources

ADDRESS = "127.0.1.1"
API = "type.googleapis.com/envoy"
IDENTITY = f"identity_cert:secret:{resources.MESH}"
MESH_CA = f"mesh_ca:secret:{resources.MESH}"
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

INTERNAL = [("10.0.0.0", 8), ("192.168.0.0", 16), ("172.16.0.0", 12),
            ("fc00::", 7), ("127.0.0.1", 32), ("::1", 128)]
SOCKETS = {
    "upgrade_configs": [{"upgrade_type": "websocket"}],
    # At the end of a tunnel it waits so long for the caller to go first, and
    # the caller waits for it.
    "delayed_close_timeout": "0.010s",
}
RETRY_ON = {
    "http": "gateway-error,connect-failure,refused-stream",
    "grpc": "cancelled,connect-failure,gateway-error,refused-stream,reset,"
            "resource-exhausted,unavailable",
}


def typed(name, api, **settings):
    return {"name": name, "typed_config": {"@type": f"{API}.{api}",
                                           **settings}}


def cluster_name(service):
    if service.mes_port:
        return (f"{resources.MESH}_{service.name}__zone-1_extsvc_"
                f"{service.mes_port}")
    return service.name


def socket_address(address, port):
    return {"socket_address": {"address": address, "port_value": port}}


def transport_socket(service):
    egress = {"san_type": "URI",
              "matcher": {"exact": f"spiffe://{resources.MESH}/zone-egress"}}
    return typed(
        "envoy.transport_sockets.tls",
        "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni=resources.sni(service),
        common_tls_context={
            "alpn_protocols": ["kuma"],
            "tls_certificate_sds_secret_configs": [{"name": IDENTITY}],
            "combined_validation_context": {
                "default_validation_context": {
                    "match_typed_subject_alt_names": [egress]},
                "validation_context_sds_secret_config": {"name": MESH_CA},
            },
        })


def cluster(service, egress):
    name = cluster_name(service)
    made = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "circuit_breakers": {"thresholds": [{
            "max_connections": 1024, "max_pending_requests": 1024,
            "max_requests": 1024, "max_retries": 3, "track_remaining": True,
        }]},
        "transport_socket": transport_socket(service),
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{
                "endpoint": {"address": socket_address(*egress)},
                "load_balancing_weight": 1,
            }]}],
        },
    }
    if is_http(service):
        made["typed_extension_protocol_options"] = {HTTP_OPTIONS: {
            "@type": f"type.googleapis.com/{HTTP_OPTIONS}",
            "common_http_protocol_options": {
                "idle_timeout": "3600s", "max_connection_duration": "0s",
                "max_stream_duration": "0s"},
            "explicit_http_config": version(service),
        }}
    return made


def version(service):
    if not service.is_http2:
        return {"http_protocol_options": {}}
    # An upgrade becomes an extended CONNECT.
    return {"http2_protocol_options": {"allow_connect": service.upgrades}}


def is_http(service):
    return service.protocol in ("http", "http2", "grpc")


def tcp_filter(service):
    return typed(
        "envoy.filters.network.tcp_proxy",
        "extensions.filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix=cluster_name(service), cluster=cluster_name(service),
        max_connect_attempts=5, idle_timeout="3600s")


def route(service):
    settings = {"cluster": cluster_name(service), "auto_host_rewrite": True,
                "timeout": "15s", "idle_timeout": "1800s"}
    if service.is_retried and service.protocol in RETRY_ON:
        settings["retry_policy"] = {
            "retry_on": RETRY_ON[service.protocol],
            "num_retries": 5,
            "per_try_timeout": "16s",
            "retry_back_off": {"base_interval": "0.025s",
                               "max_interval": "0.250s"},
        }
    return {"match": {"prefix": "/"}, "route": settings}


def http_filter(service):
    filters = [typed("envoy.filters.http.router",
                     "extensions.filters.http.router.v3.Router")]
    if service.protocol == "grpc":
        filters.insert(0, typed(
            "envoy.filters.http.grpc_stats",
            "extensions.filters.http.grpc_stats.v3.FilterConfig",
            emit_filter_state=True))
    return typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        stat_prefix=cluster_name(service),
        route_config={
            "name": f"outbound:{service.name}",
            "validate_clusters": False,
            "virtual_hosts": [{"name": service.name, "domains": ["*"],
                               "routes": [route(service)]}],
        },
        http_filters=filters,
        **(SOCKETS if service.upgrades else {}),
        internal_address_config={"cidr_ranges": [
            {"address_prefix": a, "prefix_len": n} for a, n in INTERNAL]},
        normalize_path=True,
        common_http_protocol_options={"idle_timeout": "0s"},
        request_headers_timeout="0s")


def listener(service, port):
    make = http_filter if is_http(service) else tcp_filter
    return {
        "name": f"outbound:{ADDRESS}:{port}",
        "address": socket_address(ADDRESS, port),
        "filter_chains": [{"filters": [make(service)]}],
        "traffic_direction": "OUTBOUND",
    }


def secrets(identity, mesh_ca):
    return [
        {"name": IDENTITY, "tls_certificate": {
            "certificate_chain": {"filename": str(identity.cert)},
            "private_key": {"filename": str(identity.key)}}},
        {"name": MESH_CA, "validation_context": {
            "trusted_ca": {"filename": str(mesh_ca.cert)}}},
    ]


class Sidecar:
    """ports tells the listener of each service."""

    def __init__(self, folder, services, egress, identity, mesh_ca):
        self.folder = folder
        self.admin = processes.free_port(ADDRESS)
        self.ports = {s.name: processes.free_port(ADDRESS) for s in services}
        self.bootstrap = {
            "node": {"id": f"{resources.MESH}.{identity.cert.stem}",
                     "cluster": identity.cert.stem},
            "admin": {"address": socket_address(ADDRESS, self.admin)},
            "static_resources": {
                "listeners": [listener(s, self.ports[s.name])
                              for s in services],
                "clusters": [cluster(s, egress) for s in services],
                "secrets": secrets(identity, mesh_ca),
            },
        }

    def start(self):
        config = self.folder / "envoy.json"
        config.write_text(json.dumps(self.bootstrap, indent=1))
        log = open(self.folder / "envoy.log", "wb")
        self.process = processes.start(
            [program(), "-c", config, "--disable-hot-restart",
             "--concurrency", "2", "-l", "warning"], stdout=log, stderr=log)
        processes.wait_until_ready(self.process,
                                   f"http://{ADDRESS}:{self.admin}/ready")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def listener(self, service):
        return (ADDRESS, self.ports[service.name])


def program():
    import envoy
    return Path(envoy.__file__).parent / "_bin" / "envoy"


def envoy_version():
    said = subprocess.run([program(), "--version"], check=True,
                          capture_output=True, text=True).stdout
    return said.strip().split("version: ")[1].split("/")[1]
