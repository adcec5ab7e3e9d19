/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * Every option of zegressd.conf, one row each; no guard: define OPTION,
 * LISTENER_OPTION (in an entry of listeners), IDENTITY_OPTION (of identity),
 * SERVICE_OPTION (of services) and GRANT_OPTION (of grants), include, and they
 * are undefined again.
 * What services can be told is in policy/service_option.tbl.h.
 * Columns: name, type, member, default (of a list: its words), unit or the
 * words of a CHOICE ("false|true") or ONE_OF ("first|second|third"), least,
 * most, whether SIGHUP changes it, what it does.  A least of 1 wants a text
 * or a list not to be empty.
 */

OPTION("zone", TEXT, zone, "default", NULL, 1, 0, false,
    "Name of the zone that this egress belongs to.")
OPTION("resources", TEXT, resources, ZEGRESS_SYSCONFDIR "/zegress/resources", NULL, 1, 0, false,
    "Directory of resources: every *.yaml, *.yml and *.json in it and in its sub-directories; watched.")
OPTION("secrets", TEXT, secrets, "", NULL, 0, 0, false,
    "Directory of raw Secrets, secrets/MESH/NAME; watched. Data sources of the form file: are allowed only below it.")

OPTION("state", TEXT, state, ZEGRESS_LOCALSTATEDIR "/lib/zegress", NULL, 0, 0, false,
    "Directory of what survives a restart: the file grants. Who may write there may give grants; empty, or not there: none can be given.")

OPTION("ledger.entries", SIZE, ledger_entries, "10000", NULL, 0, 100000, false,
    "Callers with the services and hosts they used, and permissions, that are remembered in `state`/ledger; the longest unused go to one line a service. 0: none is kept.")
OPTION("ledger.interval_s", UINT, ledger_interval_s, "30", "s", 1, 3600, false,
    "The ledger is written this often: what a crash may lose.")

LISTENER_OPTION("listeners.address", TEXT, address, "0.0.0.0", NULL, 1, 0, false,
    "IPv4 or IPv6 address to accept connections on.")
LISTENER_OPTION("listeners.port", UINT, port, "10002", NULL, 0, 65535, false,
    "Port; 0 takes a free one, which the log names.")
LISTENER_OPTION("listeners.role", CHOICE, is_ingress, "egress", "egress|ingress", 0, 0, false,
    "Who dials it: this zone's sidecars (egress), or other zones (ingress).")

IDENTITY_OPTION("identity.mesh", TEXT, mesh, "", NULL, 1, 0, true,
    "The mesh that the certificate answers for.")
IDENTITY_OPTION("identity.cert", TEXT, cert, "", NULL, 1, 0, true,
    "Certificate (PEM), with its chain: a file, \"credential:NAME\" of the unit, or a PKCS #11 URI. Files are read again when they change, certificate and key together.")
IDENTITY_OPTION("identity.key", TEXT, key, "", NULL, 1, 0, true,
    "Its private key, likewise.")
IDENTITY_OPTION("identity.ca", TEXT, ca, "", NULL, 0, 0, true,
    "CA certificates that callers must chain to, likewise; without it those of the mesh's enabled backend.")

SERVICE_OPTION("services.match.mesh", STR, mesh, "", NULL, 1, 0, true,
    "Services of this mesh; without it those of every mesh.")
SERVICE_OPTION("services.match.service", STR, service, "", NULL, 1, 0, true,
    "Services of this name: kuma.io/service of an ExternalService, or the name of a MeshExternalService; without it all.")
#define SERVICE_ROW(id, type, member, name, standard, unit, least, most, whom, help) \
    SERVICE_OPTION("services." name, type, options.member, standard, unit, least, most, true, help)
#include "policy/service_option.tbl.h"

GRANT_OPTION("grants.caller", STR, grant.caller, "", NULL, 1, 0, true,
    "Who may: a service of the mesh, or a whole spiffe:// or kuma:// name of its certificate.")
GRANT_OPTION("grants.service", STR, grant.service, "", NULL, 1, 0, true,
    "What it may use: kuma.io/service of an ExternalService, or the name of a MeshExternalService.")
GRANT_OPTION("grants.mesh", STR, grant.mesh, "", NULL, 1, 0, true,
    "The mesh of both.")
GRANT_OPTION("grants.until", TEXT, until, "", NULL, 1, 0, true,
    "When it ends, as \"2026-12-31T18:00:00Z\", with what it alone allows. There is none without an end.")
GRANT_OPTION("grants.reason", STR, grant.reason, "", NULL, 1, 0, true,
    "Why, in at most 200 bytes, for the access log and whoever asks.")

OPTION("admin.address", TEXT, admin_address, "127.0.0.1", NULL, 0, 0, false,
    "Address of /ready, /stats/prometheus, /clusters and /config_dump (GET only, plain HTTP); empty turns it off.")
OPTION("admin.port", UINT, admin_port, "9901", NULL, 0, 65535, false,
    "Its port; 0 takes a free one, which the log names.")
OPTION("admin.socket", TEXT, admin_socket, ZEGRESS_RUNSTATEDIR "/zegress/control.sock", NULL, 0, 0, false,
    "Unix socket of zegressctl, mode 0660; empty turns it off.")

OPTION("access_log", TEXT, access_log, "stdout", NULL, 1, 0, false,
    "File of the access log, opened again at SIGUSR1; \"stdout\", or \"off\".")
OPTION("access_log_format", TEXT, access_log_format, "json", NULL, 1, 0, false,
    "\"json\", or a template with %{field} in it.")

OPTION("access_log_query", BOOL, logs_query, "false", NULL, 0, 0, false,
    "Log the query of a request with its path. Queries often carry what should not be in a log.")
OPTION("mesh_access_log", TEXT, mesh_log_folder, "", NULL, 0, 0, false,
    "Directory below which MeshAccessLogs may have files written, opened again at SIGUSR1; empty: they have none.")
OPTION("mesh_access_log_sinks", TEXTS, mesh_log_sinks, "", NULL, 0, 0, false,
    "Where MeshAccessLogs may have lines sent to, by TCP or OTLP, as \"logs.example:5000\", at most 8; none: nowhere. They go without TLS.")

OPTION("workers", UINT, workers, "0", NULL, 0, 256, false,
    "Threads that carry traffic; 0: one a CPU.")
OPTION("user", TEXT, user, "", NULL, 0, 0, false,
    "User to become once the listeners are open, when started as root.")
OPTION("sandbox", BOOL, has_sandbox, "true", NULL, 0, 0, false,
    "Give up, once started, every system call that serving does not need.")

OPTION("tls_records", ONE_OF, tls_records, "auto", "auto|openssl|own|kernel", 0, 0, false,
    "Who seals and opens the records of a connection after its handshake: OpenSSL, or a record layer of our own, which copies less and lets OpenSSL's memory go; it leaves connections to OpenSSL that may renegotiate or authenticate late, or use ciphers other than AES-GCM and ChaCha20. AES-GCM is done by intel-ipsec-mb where zegressd was built with it and the CPU has AES instructions, by OpenSSL otherwise. \"kernel\": the record layer of our own hands each direction to TLS in the Linux kernel (module tls) where that takes it; without it zegressd does not start. A connection of TLS 1.3 ends there when keys are to be changed before Linux 6.14. Its tests have not run on a real kernel yet. \"auto\" is what this version likes best: at present \"own\".")

OPTION("fips", BOOL, is_fips, "false", NULL, 0, 0, false,
    "TLS and keys by OpenSSL's FIPS provider only, with what it approves of; records stay with OpenSSL then. Without that provider, set up by `openssl fipsinstall`, zegressd does not start.")

OPTION("dns.servers", TEXTS, dns_servers, "", NULL, 0, 0, false,
    "Resolvers, as \"10.0.0.53\" or \"[fd00::53]:5353\"; none: those that /etc/resolv.conf names at the start.")
OPTION("dns.min_ttl_s", UINT, dns.min_ttl_s, "5", "s", 1, 86400, false,
    "Answers are kept at least this long.")
OPTION("dns.max_ttl_s", UINT, dns.max_ttl_s, "3600", "s", 1, 604800, false,
    "Answers are asked for anew after this long at the latest.")
OPTION("dns.negative_ttl_s", UINT, dns.negative_ttl_s, "5", "s", 1, 3600, false,
    "How long it is believed that a name does not exist, where its zone does not say less.")
OPTION("dns.max_stale_s", UINT, dns.max_stale_s, "86400", "s", 0, 2592000, false,
    "While the name servers fail, the last good answer is used for so long beyond its time; 0: not at all.")
OPTION("dns.timeout_ms", UINT, dns.timeout_ms, "2000", "ms", 50, 60000, false,
    "Time for an answer, each try.")
OPTION("dns.tries", UINT, dns.tries, "3", NULL, 1, 10, false,
    "Tries until a lookup has failed; each server has one at least.")
OPTION("dns.max_names", SIZE, dns.max_names, "20000", NULL, 16, 10000000, false,
    "Names remembered by each worker.")
OPTION("dns.ipv4", BOOL, dns.ipv4, "true", NULL, 0, 0, false,
    "Ask for and use IPv4 addresses.")
OPTION("dns.ipv6", BOOL, dns.ipv6, "true", NULL, 0, 0, false,
    "Ask for and use IPv6 addresses.")
OPTION("dns.hosts_file", TEXT, hosts_file, "/etc/hosts", NULL, 0, 0, false,
    "File of names that are not asked for; empty: none.")

OPTION("limits.hello_ms", UINT, conn.hello_ms, "15000", "ms", 10, 600000, false,
    "Time for a caller's ClientHello.")
OPTION("limits.tls_ms", UINT, conn.tls_ms, "15000", "ms", 10, 600000, false,
    "Time for the handshake with a caller, from its ClientHello on.")
OPTION("limits.connect_ms", UINT, upstream.connect_ms, "5000", "ms", 10, 600000, false,
    "Time to reach a service: name, TCP and TLS together.")
OPTION("limits.idle_ms", UINT, conn.idle_ms, "3600000", "ms", 10, 604800000, false,
    "A relay without a byte in either direction is closed after this long.")
OPTION("limits.head_ms", UINT, conn.head_ms, "15000", "ms", 10, 600000, false,
    "Time for the head of a request that was begun.")
OPTION("limits.http_idle_ms", UINT, conn.http_idle_ms, "300000", "ms", 10, 604800000, false,
    "A caller's HTTP connection without a request is closed after this long.")
OPTION("limits.stream_idle_ms", UINT, conn.stream_idle_ms, "300000", "ms", 10, 604800000, false,
    "A request in which no byte moves is given up after this long.")
OPTION("limits.drain_ms", UINT, conn.drain_ms, "30000", "ms", 0, 86400000, false,
    "Time from SIGTERM until the connections that are left are closed.")
OPTION("limits.connections", SIZE, conn.connections, "100000", NULL, 1, 10000000, false,
    "Connections of callers, each worker.")
OPTION("limits.source_relays", SIZE, conn.source_relays, "1000", NULL, 1, 10000000, false,
    "Relays to other zones of one source address, each worker.")
OPTION("limits.source_dials", SIZE, conn.source_dials, "100", NULL, 1, 1000000, false,
    "Of those, relays that are still being connected.")
OPTION("limits.callers", SIZE, callers, "65536", NULL, 0, 10000000, false,
    "Pairs of caller and service that caller_limits of services are kept for, all workers together. Callers beyond share one entry of the service: together they get what one may have.")
OPTION("limits.drain_body", SIZE, conn.drain_body, "65536", "bytes", 0, 67108864, false,
    "Body of a refused request that is read to keep its connection usable.")
OPTION("limits.body_bytes", SIZE, conn.body_bytes, "0", "bytes", 0, SIZE_MAX / 2, false,
    "Body of a request, of which a longer one is refused with 413; 0: no limit.")
OPTION("limits.upstream_connections", SIZE, upstream.connections, "1024", NULL, 1, 1000000, false,
    "Connections to one service, each worker.")
OPTION("limits.upstream_pending", SIZE, upstream.pending, "1024", NULL, 0, 1000000, false,
    "Requests that wait for a connection to one service, each worker.")
OPTION("limits.pool_idle_ms", UINT, upstream.pool_idle_ms, "60000", "ms", 0, 86400000, false,
    "An idle connection to a service is closed after this long.")
OPTION("limits.pool_per_endpoint", SIZE, upstream.pool_per_endpoint, "1024", NULL, 0, 100000, false,
    "Idle connections kept to one endpoint, each worker.")
OPTION("limits.head_bytes", SIZE, http.head_bytes, "61440", "bytes", 1024, 1048576, false,
    "Size of the head of a request or response; in HTTP/2 of its names and values, none of which may be over 65536.")
OPTION("limits.line_bytes", SIZE, http.line_bytes, "0", "bytes", 0, 1048576, false,
    "Size of one line of it, the request line or one field; 0: no limit but limits.head_bytes.")
OPTION("limits.headers", SIZE, http.fields, "100", NULL, 1, HEAD_FIELDS_MAX, false,
    "Fields in it.")
OPTION("limits.trailer_bytes", SIZE, http.trailer_bytes, "8192", "bytes", 0, 1048576, false,
    "Size of the trailer of a message.")

OPTION("limits.h2_streams", UINT, h2.streams, "100", NULL, 1, 10000, false,
    "Requests that a caller may have open on one connection of HTTP/2.")
OPTION("limits.upstream_h2_streams", UINT, h2_server.streams, "100", NULL, 1, 10000, false,
    "Requests that share one connection of HTTP/2 to a server, which may allow fewer.")
OPTION("limits.h2_stream_window", SIZE, h2.stream_window, "262144", "bytes", 65535, 16777216, false,
    "What one stream of HTTP/2 may send before its reader has taken anything, and what is held of it at most; both sides.")
OPTION("limits.h2_connection_window", SIZE, h2.connection_window, "1048576", "bytes", 65535, 67108864, false,
    "The same for all streams of a connection together.")
OPTION("limits.h2_ping_ms", UINT, h2.ping_ms, "60000", "ms", 0, 86400000, false,
    "A caller's connection of HTTP/2 with open requests that is silent for this long is asked with PING whether it is there; 0: never.")
OPTION("limits.upstream_h2_ping_ms", UINT, h2_server.ping_ms, "0", "ms", 0, 86400000, false,
    "The same for connections to servers. Many gRPC servers refuse a client that asks more than once in five minutes.")
OPTION("limits.h2_ping_timeout_ms", UINT, h2.ping_timeout_ms, "20000", "ms", 10, 600000, false,
    "Time for the answer to a PING; both sides.")
#define H2_EVENT(...)
#define H2_ABUSE(id, name, limit, standard, help) \
	OPTION("limits.h2_" limit, UINT, h2.abuse[H2_ABUSE_##id], #standard, \
	    NULL, 1, 1000000, false, \
	    help " More than this in ten seconds end their connection of HTTP/2.")
#include "http/h2_event.tbl.h"

OPTION("expiry_warning_days", TEXT, expiry_warning_days, "30 7 1", NULL, 0, 0, true,
    "Days before the end of a certificate or CA, ours or of a server, at which the log warns of it; empty: never.")

OPTION("allow_addresses", NETWORKS, allow, "", NULL, 0, 0, false,
    "Networks that a service's name may lead to although such addresses are refused (this host, link-local, metadata services).")
OPTION("deny_addresses", NETWORKS, deny, "", NULL, 0, 0, false,
    "Networks that are never connected to.")
OPTION("remote_sources", NETWORKS, remote_sources, "", NULL, 0, 0, false,
    "Networks whose callers belong to other zones, beside this zone's ZoneIngresses.")

OPTION("verify_without_ca", CHOICE, verifies_none_without_ca, "system", "system|none", 0, 0, true,
    "Servers of services without caCert: verified by the system's CA bundle, or not at all, as Kuma does.")
OPTION("mes_without_rule", CHOICE, mes_without_rule_allows, "deny", "deny|allow", 0, 0, true,
    "A MeshExternalService that no permission speaks of.")
OPTION("report_only", BOOL, is_report_only, "false", NULL, 0, 0, true,
    "Report mode of every service: who may not use one is logged and counted as one who would be denied, and goes on.")
OPTION("mixed_endpoints", CHOICE, refuses_mixed_endpoints, "serve", "serve|refuse", 0, 0, true,
    "A service that has names as well as addresses among its endpoints.")
OPTION("on_revoke", CHOICE, keeps_revoked, "close", "close|keep", 0, 0, false,
    "Open connections whose permission a reload has taken away.")
OPTION("compat", CHOICE, is_kuma2, "", "|kuma-2", 0, 0, true,
    "\"kuma-2\" gives Kuma's meaning of verify_without_ca, mes_without_rule and MeshExternalService modes, where they are not set themselves.")

#undef OPTION
#undef LISTENER_OPTION
#undef IDENTITY_OPTION
#undef SERVICE_OPTION
#undef GRANT_OPTION
/* clang-format on */
