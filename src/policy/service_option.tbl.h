/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * What the `services` section of zegressd.conf can say of a service, one row
 * each; no guard: define SERVICE_ROW, include, and it is undefined again.
 * Columns: id, type (STR, STRS, UINT, BOOL or ONE_OF), member of struct
 * service_options, name below services, default (of a list its words), unit or
 * the words of a ONE_OF, least, most, what it is about (REQUESTS, of services
 * whose requests are looked at; CONNECTIONS to the server, so that those made
 * before a change are not used after it; or ANY other thing), what it does.  A
 * least of 1 wants a text or a list not to be empty.
 */

SERVICE_ROW(HOST, STR, host_text, "host", "endpoint", NULL, 1, 0, REQUESTS,
    "Host (:authority) of requests to the server: \"endpoint\" sends the name that is dialled (where an address is dialled, it stays), \"keep\" what the caller sent, anything else is the name to send, as \"api.example\" or \"api.example:8080\".")
SERVICE_ROW(HTTP2_FALLBACK, BOOL, http2_fallback, "http2_fallback", "false", NULL, 0, 0, REQUESTS,
    "A server of an http2 service may choose HTTP/1.1 by ALPN. Not for grpc.")
SERVICE_ROW(UPGRADES, STRS, upgrades, "upgrades", "websocket", NULL, 0, 0, REQUESTS,
    "Protocols that a request may upgrade to, by Upgrade in HTTP/1.1 or extended CONNECT in HTTP/2; the list replaces the default, an empty one refuses all.")
SERVICE_ROW(FORWARDED_FOR, ONE_OF, forwarded_for, "forwarded_for", "keep", "keep|append|remove", 0, 0, REQUESTS,
    "x-forwarded-for of requests: as the caller sent it, with the caller's address behind it, or none.")
SERVICE_ROW(FORWARD_CLIENT_CERT, BOOL, forwards_client_cert, "forward_client_cert", "false", NULL, 0, 0, REQUESTS,
    "Tell the server who calls, in an x-forwarded-client-cert of our own. The caller's is removed either way.")
SERVICE_ROW(VIA, STR, via, "via", "", NULL, 0, 0, REQUESTS,
    "Name for ourselves in Via of requests and answers; empty: no Via.")
SERVICE_ROW(SERVER, STR, server, "server", "", NULL, 0, 0, REQUESTS,
    "Server of answers; empty: as the server sent it.")
SERVICE_ROW(REQUEST_MS, UINT, request_ms, "request_ms", "0", "ms", 0, 86400000, REQUESTS,
    "Time from a request's head to the end of its answer; 0: no limit.")

SERVICE_ROW(STREAM_IDLE_MS, UINT, stream_idle_ms, "stream_idle_ms", "0", "ms", 0, 604800000, REQUESTS,
    "Time without a byte in either direction after which a request fails; 0: limits.stream_idle_ms.")
SERVICE_ROW(IDLE_MS, UINT, idle_ms, "idle_ms", "0", "ms", 0, 604800000, ANY,
    "Time without a byte in either direction after which a connection that carries bytes, or an upgraded request, ends; 0: limits.idle_ms.")
SERVICE_ROW(CONNECT_MS, UINT, connect_ms, "connect_ms", "0", "ms", 0, 600000, ANY,
    "Time to connect to a server, over all that is tried, looking up its name and TLS included; 0: limits.connect_ms.")
SERVICE_ROW(CONNECT_ATTEMPTS, UINT, connect_attempts, "connect_attempts", "0", NULL, 0, 1000, ANY,
    "Endpoints that are tried, one after the other, until one takes the connection, at most; 0: all.")

SERVICE_ROW(FAMILY, ONE_OF, family, "family", "auto", "auto|ipv4|ipv6|prefer_ipv4", 0, 0, CONNECTIONS,
    "Address families of a server's name: \"auto\" tries IPv6 and IPv4 in turn, IPv6 with a head start (RFC 8305), and puts a family that keeps failing last for a while; \"prefer_ipv4\" gives IPv4 the head start; the others use one only.")
SERVICE_ROW(ATTEMPT_DELAY_MS, UINT, attempt_delay_ms, "attempt_delay_ms", "250", "ms", 10, 2000, CONNECTIONS,
    "Head start of an address before the next one is tried beside it.")
SERVICE_ROW(ADDRESSES, ONE_OF, addresses, "addresses", "any", "any|public", 0, 0, CONNECTIONS,
    "\"public\": a name may not lead to private networks, carrier-grade NAT or reserved addresses either. An address that stands in the resource itself may.")
SERVICE_ROW(ALLOW_ADDRESSES, STRS, allow_addresses, "allow_addresses", "", NULL, 0, 0, CONNECTIONS,
    "Networks that a name may lead to although they would be refused, beside allow_addresses of the daemon.")
SERVICE_ROW(DENY_ADDRESSES, STRS, deny_addresses, "deny_addresses", "", NULL, 0, 0, CONNECTIONS,
    "Networks that nothing may lead to, not even an address that stands in the resource, beside deny_addresses of the daemon.")
SERVICE_ROW(SOURCE, STRS, source, "source", "", NULL, 0, 0, CONNECTIONS,
    "Addresses of this host to connect from: one IPv4, one IPv6, or one of both. A family without one is not used then.")
SERVICE_ROW(INTERFACE, STR, interface, "interface", "", NULL, 0, 0, CONNECTIONS,
    "Network interface or VRF to connect through, as \"eth1\"; empty: as the routes say.")
SERVICE_ROW(MARK, UINT, mark, "mark", "0", NULL, 0, 4294967295, CONNECTIONS,
    "Mark of packets (SO_MARK), for routes and firewalls of this host; wants CAP_NET_ADMIN; 0: none.")
SERVICE_ROW(DSCP, UINT, dscp, "dscp", "0", NULL, 0, 63, CONNECTIONS,
    "Differentiated services code point of packets (RFC 2474).")
SERVICE_ROW(KEEPALIVE_S, UINT, keepalive_s, "keepalive.idle_s", "0", "s", 0, 32767, CONNECTIONS,
    "Silence after which TCP asks the server for a sign of life; 0: never.")
SERVICE_ROW(KEEPALIVE_INTERVAL_S, UINT, keepalive_interval_s, "keepalive.interval_s", "15", "s", 1, 32767, CONNECTIONS,
    "Time between such questions.")
SERVICE_ROW(KEEPALIVE_PROBES, UINT, keepalive_probes, "keepalive.probes", "4", NULL, 1, 127, CONNECTIONS,
    "Questions without an answer that end the connection.")
SERVICE_ROW(RESOLVERS, STRS, resolvers, "resolvers", "", NULL, 0, 0, CONNECTIONS,
    "Name servers for the names of its endpoints, as \"10.0.0.53\" or \"[fd00::53]:5353\", instead of dns.servers; what they say is remembered apart. The other options of dns hold for them too.")
SERVICE_ROW(SRV, BOOL, srv, "srv", "false", NULL, 0, 0, CONNECTIONS,
    "The names of its endpoints are those of SRV records, as \"_mongodb._tcp.example\": their targets are dialled, at the ports of the records, by priority and weight. TLS and Host go by the name without what begins with _.")
SERVICE_ROW(PROXY, STR, proxy, "proxy", "", NULL, 0, 0, CONNECTIONS,
    "Parent proxy to go through: \"http://HOST:PORT\" (CONNECT) or \"socks5://HOST:PORT\"; empty: none. TLS to the server runs inside of the tunnel. Only the proxy's own address can be held against the rules about addresses then, unless we find the server's: see proxy_resolve. Relays to other zones do not use it.")
SERVICE_ROW(PROXY_AUTH_FILE, STR, proxy_auth_file, "proxy_auth_file", "", NULL, 0, 0, CONNECTIONS,
    "File with USER:PASSWORD in one line for the parent proxy; it is read as the daemon's user, and anew whenever it has changed. Sent in the clear, as both kinds of proxies want it.")
SERVICE_ROW(PROXY_RESOLVE, ONE_OF, proxy_resolve, "proxy_resolve", "auto", "auto|proxy|local", 0, 0, CONNECTIONS,
    "Who finds the address of a server's name behind a parent proxy: \"proxy\": the proxy, which is given the name and whose rules are then the only ones about the server's address; \"local\": we, so that ours hold, and it is given the addresses one after the other; \"auto\": the proxy, but we for the names of a wildcard, since callers choose them: with \"proxy\" there, nothing of ours keeps callers out of private networks that the proxy can reach. Names of SRV records are always ours to find.")
SERVICE_ROW(PROXY_PROTOCOL, ONE_OF, proxy_protocol, "proxy_protocol", "off", "off|v2", 0, 0, CONNECTIONS,
    "Begin each connection to the server with a header of the PROXY protocol, version 2: the caller's address, the server name that it asked for (PP2_TYPE_AUTHORITY), its TLS (PP2_TYPE_SSL) and its SPIFFE id (type 0xE0). Connections of an HTTP service are then shared by requests of one caller's connection only.")
SERVICE_ROW(DIAL, STR, dial, "dial", "", NULL, 0, 0, CONNECTIONS,
    "\"unix:/PATH\": connect to this Unix socket of this host, whatever the endpoints say; what else they say stays (Host, server name, TLS). No name is resolved and no rule about addresses applies. The daemon's user has to be allowed to connect, and a sandbox such as PrivateTmp= must show the path. Empty: connect to the endpoints.")

SERVICE_ROW(TLS_CERT, STR, tls_cert, "tls.cert", "", NULL, 0, 0, CONNECTIONS,
    "Certificate (PEM), with its chain, to show to servers that ask for one, instead of the resource's: a file, \"credential:NAME\" of the unit, or a PKCS #11 URI. Files are read again when they change, both of a pair or neither.")
SERVICE_ROW(TLS_KEY, STR, tls_key, "tls.key", "", NULL, 0, 0, CONNECTIONS,
    "Its private key, likewise.")
SERVICE_ROW(TLS_SNI, STR, tls_sni, "tls.sni", "auto", NULL, 1, 0, ANY,
    "Server name that is sent: \"auto\" as the resource says, \"none\" sends none, anything else is the name. What the certificate must be for does not follow it: see tls.names.")
SERVICE_ROW(TLS_VERIFY_CHAIN, ONE_OF, tls_verify_chain, "tls.verify_chain", "auto", "auto|on|off", 0, 0, ANY,
    "Must the server's certificate chain to a CA? \"auto\": as the resource says.")
SERVICE_ROW(TLS_VERIFY_NAMES, ONE_OF, tls_verify_names, "tls.verify_names", "auto", "auto|on|off", 0, 0, ANY,
    "Must the server's certificate be for one of the expected names? \"auto\": as the resource says.")
SERVICE_ROW(TLS_NAMES, STRS, tls_names, "tls.names", "", NULL, 0, 0, ANY,
    "Names of which the certificate must have one, instead of those that the resource leads to: \"dns:api.example\", \"dns-suffix:.example\", \"prefix:api.\" (of DNS names and URIs), \"ip:192.0.2.1\", \"uri:spiffe://mesh/api\", \"uri-prefix:spiffe://mesh/\", \"email:ops@example\". Empty: as the resource says.")
SERVICE_ROW(TLS_CA, STR, tls_ca, "tls.ca", "auto", NULL, 1, 0, ANY,
    "What the server's certificate must chain to: \"auto\" as the resource says, \"system\" is the CA bundle of this host, anything else a file of PEM, which is read again when it changes.")
SERVICE_ROW(TLS_CRL, STRS, tls_crl, "tls.crl", "", NULL, 0, 0, ANY,
    "Files of PEM with revocation lists (RFC 5280), which are read again when they change. One that is missing for a certificate that is to be checked, or out of date, refuses the server.")
SERVICE_ROW(TLS_CRL_CHECK, ONE_OF, tls_crl_check, "tls.crl_check", "leaf", "leaf|chain", 0, 0, ANY,
    "Which certificates tls.crl is asked about: the server's own, or all of its chain.")
SERVICE_ROW(TLS_OCSP, ONE_OF, tls_ocsp, "tls.ocsp", "off", "off|check|require", 0, 0, ANY,
    "Stapled answer of OCSP (RFC 6066, section 8): \"check\" asks for one and refuses the server if it is not good, or if the certificate promises one (RFC 7633) and none comes; \"require\" wants one from every server.")
SERVICE_ROW(TLS_MIN_VERSION, ONE_OF, tls_min_version, "tls.min_version", "auto", "auto|1.0|1.1|1.2|1.3", 0, 0, ANY,
    "Lowest version of TLS that is offered; \"auto\": as the resource says, or 1.2. Below 1.2 it wants weak_tls.")
SERVICE_ROW(TLS_MAX_VERSION, ONE_OF, tls_max_version, "tls.max_version", "auto", "auto|1.0|1.1|1.2|1.3", 0, 0, ANY,
    "Highest version of TLS that is offered; \"auto\": as the resource says, or 1.3.")
SERVICE_ROW(WEAK_TLS, BOOL, weak_tls, "weak_tls", "false", NULL, 0, 0, ANY,
    "TLS 1.0 and 1.1 may be offered where tls.min_version or the resource asks for them, with ciphers, keys and signatures that are broken by now. It concerns this service alone.")
SERVICE_ROW(TLS_CIPHERS, STRS, tls_ciphers, "tls.ciphers", "", NULL, 0, 0, ANY,
    "Ciphers of TLS 1.2 and before, in order, as \"ECDHE-RSA-AES256-GCM-SHA384\". A name behind a \"?\" is left out where the TLS library does not know it, here and in the next three. Empty: those with forward secrecy and authenticated encryption.")
SERVICE_ROW(TLS_CIPHERSUITES, STRS, tls_ciphersuites, "tls.ciphersuites", "", NULL, 0, 0, ANY,
    "Cipher suites of TLS 1.3, in order, as \"TLS_AES_256_GCM_SHA384\". Empty: all that the library knows.")
SERVICE_ROW(TLS_GROUPS, STRS, tls_groups, "tls.groups", "", NULL, 0, 0, ANY,
    "Groups for the exchange of keys, in order, as \"?X25519MLKEM768\", \"X25519\" or \"P-256\". Empty: X25519MLKEM768 where the library has it, X25519, P-256, P-384, P-521.")
SERVICE_ROW(TLS_SIGNATURES, STRS, tls_signatures, "tls.signature_algorithms", "", NULL, 0, 0, ANY,
    "Signature algorithms that servers may use, in order, as \"rsa_pss_rsae_sha256\" or \"ECDSA+SHA256\". Empty: as the library has them.")
SERVICE_ROW(TLS_RENEGOTIATION, ONE_OF, tls_renegotiation, "tls.renegotiation", "auto", "auto|on|off", 0, 0, ANY,
    "May the server renegotiate, or in TLS 1.3 ask for a client certificate late? \"auto\": as allowRenegotiation of the resource says.")
SERVICE_ROW(TLS_RENEGOTIATIONS, UINT, tls_renegotiations, "tls.renegotiations", "3", NULL, 1, 1000, ANY,
    "How often it may on one connection.")
SERVICE_ROW(TLS_RESUMPTION, BOOL, tls_resumption, "tls.resumption", "true", NULL, 0, 0, ANY,
    "Resume sessions with the server. Each worker keeps those of an endpoint at an address, for 2 h at most.")

SERVICE_ROW(REPORT, BOOL, report, "report", "false", NULL, 0, 0, ANY,
    "Report mode: who may not use the service is logged and counted as one who would be denied, and goes on.")

SERVICE_ROW(CALLER_CONNECTIONS, UINT, caller_connections, "caller_limits.connections", "0", NULL, 0, 1000000, ANY,
    "Connections that each caller (SPIFFE name) may have open to the service, all workers together; more are closed; 0: no limit.")
SERVICE_ROW(CALLER_REQUESTS, UINT, caller_requests, "caller_limits.requests", "0", NULL, 0, 1000000, REQUESTS,
    "Requests that each caller may have under way; more get 429; 0: no limit.")
SERVICE_ROW(CALLER_REQUESTS_PER_S, UINT, caller_requests_per_s, "caller_limits.requests_per_s", "0", NULL, 0, 1000000, REQUESTS,
    "Requests a second of each caller; as many may come at once; more get 429; 0: no limit.")
SERVICE_ROW(CALLER_MIB_PER_DAY, UINT, caller_mib_per_day, "caller_limits.mib_per_day", "0", "MiB", 0, 268435455, ANY,
    "Payload of each caller in a day of UTC, both directions together. When it is used up, what is under way is cut, connections are closed and requests get 429; a restart forgets what was used; 0: no limit.")

SERVICE_ROW(WILDCARD, STR, wildcard, "wildcard", "", NULL, 0, 0, CONNECTIONS,
    "Suffix, as \"*.s3.amazonaws.com\", that makes the service stand for all names under it (one label more, or several). Where a connection goes is then decided by the name that the caller asks for: Host (:authority) of each request, or, where requests are not looked at, the server name in the caller's own TLS inside. Port, TLS and permission are the resource's, its host is not used; Host stays as the caller sent it, and TLS names and expects that name. Such names never lead to private networks or carrier-grade NAT, whatever allow_addresses says. They cannot be combined with dial.")
SERVICE_ROW(WILDCARD_NAMES, UINT, wildcard_names, "wildcard_names", "100", NULL, 1, 1000, ANY,
    "Names of a wildcard that a worker knows at a time; the one that was not used for longest makes room, and while all are in use no other one is taken.")

SERVICE_ROW(BALANCE_POLICY, ONE_OF, balance_policy, "balance.policy", "round_robin", "round_robin|least_request|random|ring_hash|maglev", 0, 0, ANY,
    "How an endpoint is chosen among equals: in turn; the one with fewest requests (connections, of tcp and kafka) of some drawn by lot; by lot; or by what balance.hash says of caller and request.")
SERVICE_ROW(BALANCE_HASH, STRS, balance_hash, "balance.hash", "caller", NULL, 1, 0, ANY,
    "What ring_hash and maglev go by, together: \"caller\" (SPIFFE identity), \"source\" (its address), and of requests \"header:NAME\", \"cookie:NAME\", \"query:NAME\" (a parameter), \"path\" (without the query) and \"host\"; see BALANCE.")
SERVICE_ROW(BALANCE_CHOICES, UINT, balance_choices, "balance.choices", "2", NULL, 1, 100, ANY,
    "Endpoints that least_request draws to compare.")
SERVICE_ROW(BALANCE_TABLE_SIZE, UINT, balance_table_size, "balance.table_size", "16384", NULL, 128, 65537, ANY,
    "Places of maglev's table (the next prime is taken), or most points of the ring, which has 512 for the lightest endpoint; in each worker.")
SERVICE_ROW(BALANCE_RING_LEAST, UINT, balance_ring_least, "balance.ring_least", "0", NULL, 0, 65537, ANY,
    "Least points of the ring, as far as table_size allows it: with few endpoints more than 512 make shares more even.")
SERVICE_ROW(BALANCE_LOCALITY, ONE_OF, balance_locality, "balance.locality", "mesh", "mesh|on|off", 0, 0, ANY,
    "Ingresses of other zones are only used where this zone cannot serve; mesh: as localityAwareLoadBalancing of the mesh says.")
SERVICE_ROW(BALANCE_ZONES, STRS, balance_zones, "balance.zones", "", NULL, 0, 0, ANY,
    "Which other zones take over, in this order: each \"any\", \"none\", or \"only ZONE...\" or \"except ZONE...\"; zones that none of them accepts are not used. Not of MeshExternalServices.")
SERVICE_ROW(BALANCE_OVERPROVISIONING, UINT, balance_overprovisioning, "balance.overprovisioning", "140", "%", 100, 1000, ANY,
    "A priority gets all of the load while this much of what is healthy in it is at least 100 %; what is missing goes to the next one.")
SERVICE_ROW(BALANCE_PANIC, UINT, balance_panic, "balance.panic", "0", "%", 0, 100, ANY,
    "Where less of a priority is healthy, and the others cannot take its load, unhealthy endpoints share in it; 0: only when none is healthy.")
SERVICE_ROW(BALANCE_SLOW_START_MS, UINT, balance_slow_start_ms, "balance.slow_start_ms", "0", "ms", 0, 3600000, ANY,
    "Time in which the weight of an endpoint that is new, or healthy again, grows to its full; 0: at once. Not for ring_hash and maglev.")
SERVICE_ROW(BALANCE_SLOW_START_LEAST, UINT, balance_slow_start_least, "balance.slow_start_least", "10", "%", 1, 100, ANY,
    "Its weight at the beginning.")

SERVICE_ROW(HEALTH_CHECK, ONE_OF, health.kind, "health.check", "none", "none|tcp|tls|http|grpc", 0, 0, ANY,
    "How endpoints are checked, also while nothing is asked of them: that they take a connection; that TLS with them succeeds; that they answer a GET; that their health service (grpc.health.v1) says SERVING, which wants protocol grpc or http2. One whose check fails is left out while others are good. Checks go where requests go, with the same TLS.")
SERVICE_ROW(HEALTH_PATH, STR, health.path, "health.path", "/", NULL, 1, 0, ANY,
    "Path of the GET.")
SERVICE_ROW(HEALTH_HOST, STR, health.host, "health.host", "", NULL, 0, 0, ANY,
    "Host (:authority) of the check; empty: the endpoint's.")
SERVICE_ROW(HEALTH_HEADERS, STRS, health.headers, "health.headers", "", NULL, 0, 0, ANY,
    "Fields to add to it, each as \"NAME: VALUE\"; of grpc too.")
SERVICE_ROW(HEALTH_STATUSES, STRS, health.statuses, "health.statuses", "200", NULL, 1, 0, ANY,
    "Statuses that are good, as \"200\" or \"200-299\".")
SERVICE_ROW(HEALTH_GRPC_SERVICE, STR, health.grpc_service, "health.grpc_service", "", NULL, 0, 0, ANY,
    "Service that the health service is asked about; empty: the server as a whole.")
SERVICE_ROW(HEALTH_TCP_SEND, STR, health.tcp_send, "health.tcp_send", "", NULL, 0, 0, ANY,
    "Bytes to send in a check by tcp, in base64; with this or health.tcp_receive it speaks TLS to an endpoint that has it.")
SERVICE_ROW(HEALTH_TCP_RECEIVE, STRS, health.tcp_receive, "health.tcp_receive", "", NULL, 0, 0, ANY,
    "Bytes that have to come then, each in base64, one behind the other, with anything between them, in the first 4096.")
SERVICE_ROW(HEALTH_INTERVAL_MS, UINT, health.interval_ms, "health.interval_ms", "60000", "ms", 10, 86400000, ANY,
    "Time from one check to the next.")
SERVICE_ROW(HEALTH_NO_TRAFFIC_MS, UINT, health.no_traffic_ms, "health.no_traffic_interval_ms", "0", "ms", 0, 86400000, ANY,
    "The same while nothing was asked of the service yet; 0: health.interval_ms.")
SERVICE_ROW(HEALTH_FIRST_JITTER_MS, UINT, health.first_jitter_ms, "health.initial_jitter_ms", "500", "ms", 0, 86400000, ANY,
    "The first check comes within this time, by chance.")
SERVICE_ROW(HEALTH_JITTER_MS, UINT, health.jitter_ms, "health.interval_jitter_ms", "0", "ms", 0, 86400000, ANY,
    "As much is added to the interval at most, by chance.")
SERVICE_ROW(HEALTH_JITTER, UINT, health.jitter_percent, "health.interval_jitter_percent", "10", "%", 0, 100, ANY,
    "As much of the interval is added at most, by chance; both may be given.")
SERVICE_ROW(HEALTH_TIMEOUT_MS, UINT, health.timeout_ms, "health.timeout_ms", "15000", "ms", 10, 86400000, ANY,
    "Time that a check may take.")
SERVICE_ROW(HEALTH_UNHEALTHY, UINT, health.unhealthy, "health.unhealthy_threshold", "5", NULL, 1, 1000, ANY,
    "Failed checks in a row until a good endpoint is left out. The very first check decides alone.")
SERVICE_ROW(HEALTH_HEALTHY, UINT, health.healthy, "health.healthy_threshold", "1", NULL, 1, 1000, ANY,
    "Good checks in a row until it is used again.")
SERVICE_ROW(HEALTH_LOGS_FAILURES, BOOL, health.logs_failures, "health.always_log_failures", "false", NULL, 0, 0, ANY,
    "Log each check that fails, not only the one by which an endpoint is left out.")
SERVICE_ROW(HEALTH_FAILS_IN_PANIC, BOOL, health.fails_in_panic, "health.fail_traffic_on_panic", "false", NULL, 0, 0, ANY,
    "Endpoints that are left out, by checks or outlier detection, are not even the last resort: when all are, requests fail at once.")

SERVICE_ROW(OUTLIER_5XX, UINT, outlier.consecutive_5xx, "outlier.consecutive_5xx", "0", NULL, 0, 1000000, ANY,
    "Answers 5xx in a row that leave an endpoint out for a while; no answer, and no connection, counts as one too; 0: off. Of all endpoints that are left out the last resort is made.")
SERVICE_ROW(OUTLIER_GATEWAY, UINT, outlier.consecutive_gateway, "outlier.consecutive_gateway_failure", "0", NULL, 0, 1000000, ANY,
    "The same for answers 502, 503 and 504.")
SERVICE_ROW(OUTLIER_LOCAL, UINT, outlier.consecutive_local, "outlier.consecutive_local_origin_failure", "0", NULL, 0, 1000000, ANY,
    "The same for requests without an answer and connections that could not be made. Behind a parent proxy only when the proxy says that the server failed: CONNECT is answered by 502 or 504, or SOCKS says host unreachable, connection refused or time to live expired.")
SERVICE_ROW(OUTLIER_SPLITS, BOOL, outlier.splits_local, "outlier.split_external_local_origin_errors", "false", NULL, 0, 0, ANY,
    "What has no answer is counted by outlier.consecutive_local_origin_failure only.")
SERVICE_ROW(OUTLIER_RATE_FACTOR, UINT, outlier.success_rate_factor, "outlier.success_rate_stdev_factor", "0", NULL, 0, 100000, ANY,
    "An endpoint is left out if its success rate in an interval is below the mean of all by this many thousandths of their standard deviation; 0: off. Usual: 1900.")
SERVICE_ROW(OUTLIER_RATE_HOSTS, UINT, outlier.success_rate_hosts, "outlier.success_rate_minimum_hosts", "5", NULL, 0, 1000000, ANY,
    "Endpoints with enough requests that there must be for that.")
SERVICE_ROW(OUTLIER_RATE_VOLUME, UINT, outlier.success_rate_volume, "outlier.success_rate_request_volume", "100", NULL, 0, 1000000000, ANY,
    "Requests in an interval that are enough for that.")
SERVICE_ROW(OUTLIER_FAILURE_PERCENT, UINT, outlier.failure_percent, "outlier.failure_percentage_threshold", "0", "%", 0, 100, ANY,
    "An endpoint is left out if so many of its requests in an interval failed; 0: off. Usual: 85.")
SERVICE_ROW(OUTLIER_FAILURE_HOSTS, UINT, outlier.failure_percent_hosts, "outlier.failure_percentage_minimum_hosts", "5", NULL, 0, 1000000, ANY,
    "Endpoints with enough requests that there must be for that.")
SERVICE_ROW(OUTLIER_FAILURE_VOLUME, UINT, outlier.failure_percent_volume, "outlier.failure_percentage_request_volume", "50", NULL, 0, 1000000000, ANY,
    "Requests in an interval that are enough for that.")
SERVICE_ROW(OUTLIER_INTERVAL_MS, UINT, outlier.interval_ms, "outlier.interval_ms", "10000", "ms", 10, 86400000, ANY,
    "Interval of rates and percentages; each without an ejection makes the next ejection shorter.")
SERVICE_ROW(OUTLIER_BASE_MS, UINT, outlier.base_ms, "outlier.base_ejection_ms", "30000", "ms", 10, 86400000, ANY,
    "How long an endpoint is left out, times how often it was lately.")
SERVICE_ROW(OUTLIER_MOST_MS, UINT, outlier.most_ms, "outlier.max_ejection_ms", "300000", "ms", 10, 86400000, ANY,
    "The longest that it is left out.")
SERVICE_ROW(OUTLIER_MOST_PERCENT, UINT, outlier.most_percent, "outlier.max_ejection_percent", "10", "%", 0, 100, ANY,
    "Share of the endpoints that may be left out at a time; one may be whatever that comes to, unless it is 0. With srv each address counts as one, as to Envoy.")

SERVICE_ROW(BREAKER_CONNECTIONS, UINT, breaker.connections, "breaker.connections", "0", NULL, 0, 1000000000, ANY,
    "Connections to the service at a time, of the whole daemon (checks are made all the same when it is reached); 0: limits.upstream_connections, of each worker.")
SERVICE_ROW(BREAKER_PENDING, UINT, breaker.pending, "breaker.pending", "0", NULL, 0, 1000000000, ANY,
    "Requests that may wait for a connection at a time, of the whole daemon; 0: limits.upstream_pending, of each worker.")
SERVICE_ROW(BREAKER_REQUESTS, UINT, breaker.requests, "breaker.requests", "0", NULL, 0, 1000000000, ANY,
    "Requests at a time, of the whole daemon, those that wait for a connection included; more are answered by 503; 0: any number.")
SERVICE_ROW(BREAKER_RETRIES, UINT, breaker.retries, "breaker.retries", "0", NULL, 0, 1000000000, ANY,
    "Requests and connections that are tried again (at another endpoint, or on a fresh connection) at a time, of the whole daemon; 0: any number.")
SERVICE_ROW(BREAKER_RETRY_PERCENT, UINT, breaker.retry_percent, "breaker.retry_percent", "100", "%", 0, 100, ANY,
    "Likewise as a share of the requests in progress; 100: any number.")
SERVICE_ROW(BREAKER_RETRY_MINIMUM, UINT, breaker.retry_minimum, "breaker.retry_minimum", "3", NULL, 0, 1000000000, ANY,
    "At least so many, whatever that share comes to.")

#undef SERVICE_ROW
/* clang-format on */
