/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ExternalService may say.  All that is wrong is told at once, as
 * Kuma does; that several of one service fit together is for the compiler of
 * the snapshot.  Unlike Kuma we take an empty serverName (no SNI), and refuse
 * half a pair of client certificate and key.  Main thread.
 */

#include "model/external_service.h"

#include "base/arena.h"
#include "model/kind_rows.h"
#include "model/scalar.h"
#include "model/target_bind.h"

#define AT(field) offsetof(struct external_service, field)

static const struct bind tls_rows[] = {
	{ .key = "enabled", .type = BIND_BOOL, .offset = AT(tls.is_enabled) },
	{ .key = "allowRenegotiation",
	    .type = BIND_BOOL,
	    .offset = AT(tls.allow_renegotiation) },
	{ .key = "skipHostnameVerification",
	    .type = BIND_BOOL,
	    .offset = AT(tls.skip_hostname_verification) },
	{ .key = "serverName",
	    .type = BIND_STR,
	    .offset = AT(tls.server_name),
	    .has_offset = AT(tls.has_server_name) },
	{ .key = "caCert", .type = BIND_SOURCE, .offset = AT(tls.ca_cert) },
	{ .key = "clientCert",
	    .type = BIND_SOURCE,
	    .offset = AT(tls.client_cert) },
	{ .key = "clientKey",
	    .type = BIND_SOURCE,
	    .offset = AT(tls.client_key) },
	{ .type = BIND_END },
};

static const struct bind networking_rows[] = {
	{ .key = "address", .type = BIND_STR, .offset = AT(address) },
	{ .key = "disableHostDNSEntry",
	    .type = BIND_BOOL,
	    .offset = AT(disable_host_dns_entry) },
	{ .key = "tls", .type = BIND_STRUCT, .sub = tls_rows },
	{ .type = BIND_END },
};

const struct bind external_service_bind[] = {
	{ .key = "tags", .type = BIND_TAGS, .offset = AT(tags) },
	{ .key = "networking",
	    .type = BIND_STRUCT,
	    .sub = networking_rows,
	    .has_offset = AT(has_networking) },
	{ .type = BIND_END },
};

static void
complain(struct problems *pr, const char *path, const char *why)
{
	problem_add(pr, PROBLEM_ERROR, NULL, 0, path, "%s", why);
}

/* One mistake often shows as several: each is told, as Kuma tells them. */
static void
check_address(struct external_service *es, struct problems *pr)
{
	static const char path[] = "networking.address";
	struct str port;
	uint64_t n = 0;

	if (es->address.len == 0) {
		complain(pr, path, "address can't be empty");
		return;
	}
	if (!split_host_port(es->address, &es->host, &port)) {
		complain(pr, path,
		    "unable to parse address; it is HOST:PORT, "
		    "an IPv6 host in []");
		es->host = port = STR_NONE;
	}
	es->host_is_address = is_ip_address(es->host);
	if (!es->host_is_address && !is_dns_name(es->host))
		complain(pr, path,
		    "address has to be a valid IP address or a domain name");
	if (!str_to_u64(port, UINT64_MAX, &n))
		complain(pr, path, "unable to parse port in address");
	if (n < 1 || n > 65535)
		complain(pr, path, "port must be in the range [1, 65535]");
	else
		es->port = (uint16_t)n;
}

static void
check_tls(const struct external_service_tls *tls, struct problems *pr)
{
	enum problem_level level =
	    tls->is_enabled ? PROBLEM_ERROR : PROBLEM_WARNING;

	source_check(&tls->ca_cert, level, "networking.tls.caCert", pr);
	source_check(&tls->client_cert, level, "networking.tls.clientCert", pr);
	source_check(&tls->client_key, level, "networking.tls.clientKey", pr);
	source_check_pair(
	    &tls->client_cert, &tls->client_key, level, "networking.tls", pr);
	if (tls->server_name.len > 0 && !is_dns_name(tls->server_name) &&
	    !is_ip_address(tls->server_name))
		problem_add(pr, PROBLEM_WARNING, NULL, 0,
		    "networking.tls.serverName",
		    "is not a DNS name; servers may refuse it");
}

static void
check_service_tags(const struct external_service *es, struct problems *pr)
{
	struct str service = tags_get(&es->tags, STR("kuma.io/service"));
	struct str protocol = tags_get(&es->tags, STR("kuma.io/protocol"));

	tags_check(&es->tags, TAGS_OF_SERVICE, "tags", pr);
	if (protocol.p != NULL && !is_protocol(protocol))
		complain(pr, "tags[\"kuma.io/protocol\"]",
		    "is not a protocol; use grpc, http, http2, kafka or tcp");
	if (service.len > 0 && str_eq(service, es->host))
		complain(pr, "tags[\"kuma.io/service\"]",
		    "cannot be the same as networking.address");
}

void
external_service_check(struct resource *r, struct problems *pr)
{
	struct external_service *es = r->spec;

	if (!es->has_networking) {
		complain(pr, "networking", "should have networking");
	} else {
		check_address(es, pr);
		check_tls(&es->tls, pr);
	}
	check_service_tags(es, pr);
}

const struct external_service *
external_service_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_EXTERNAL_SERVICE ? r->spec : NULL;
}
