/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SNAPSHOT_H
#define POLICY_SNAPSHOT_H

/*
 * A snapshot is every decision the loaded resources lead to, worked out once
 * and never changed afterwards.  Workers read it without a lock.  A connection
 * keeps its service, and asks the newest snapshot for permission.
 *
 * Whatever can fail, fails in snapshot_build(), in the main thread, before a
 * worker can see the result.  What does change while we run (health, token
 * buckets, pools) is not here: see upstream/cluster.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "policy/mesh_spec.h"
#include "policy/service.h"
#include "policy/tls_spec.h"

struct grant;
struct plan;
struct problems;
struct snapshot;
struct store;

/*
 * What only a TLS library can say about PEM; given by tls/, so that policy
 * stays pure.  Each returns false and explains in why.
 */
struct tls_ops {
	bool (*check_ca)(struct str pem, struct text *why);
	bool (*check_pair)(
	    struct str cert_pem, struct str key_pem, struct text *why);
	/* Path of the system's CA bundle, or NULL when there is none. */
	const char *(*system_ca)(void);
	bool (*check_crl)(struct str pem, struct text *why);
	/* A name without "?": does the library know it? */
	bool (*check_choice)(
	    enum tls_choice what, struct str name, struct text *why);
};

/* A file that an option names; bytes.p NULL: it was never good. */
struct given_file {
	struct str path;
	struct str bytes;
};

/* identity = ( … ) of the configuration, read from its files. */
struct given_identity {
	const char *mesh;
	struct str cert_pem;
	struct str key_pem;
	struct str ca_pem; /* empty: the mesh's enabled backend */
};

/* tls.cert and tls.key of `services`, by what they say, and what is there. */
struct given_pair {
	struct str cert;
	struct str key;
	struct str cert_pem; /* empty: it was never good */
	struct str key_pem;
};
/* As memcmp(), by what they say. */
int given_pair_cmp(const struct given_pair *a, const struct given_pair *b);

/* The part of the configuration that decides what resources mean. */
struct build_settings {
	struct str zone;
	bool verify_without_ca; /* by the system's CA bundle; else not at all */
	bool mes_without_rule_allows;
	bool serve_mixed_endpoints;
	bool modes_as_kuma2; /* MeshExternalService modes taken literally */
	/* No connection ends here: neither identities nor TLS are wanted. */
	bool relays_only;
	bool report_only; /* every service is in report mode */
	int64_t now_s;    /* what ends by then is left out */
	const struct grant *grants;
	size_t n_grants;
	const char *mesh_log_folder; /* of files of MeshAccessLogs; or NULL */
	/* "host:port", which their backends of type Tcp may name. */
	const char *const *mesh_log_sinks;
	size_t n_mesh_log_sinks;
	const char *secrets_dir; /* data source `file:` only below; or NULL */
	const struct given_identity *identities;
	size_t n_identities;
	const struct given_pair *pairs; /* sorted */
	size_t n_pairs;
	const struct service_entry *services; /* in the file's order */
	size_t n_services;
	const struct given_file *files;
	size_t n_files;
};

/*
 * Compile the resources in st; what did not change since prev (may be NULL) is
 * shared with it.  A resource that makes no sense is reported in pr and left
 * out, or its last good version from prev stays; the result is never NULL.
 * The caller owns the one reference.
 */
struct snapshot *snapshot_build(const struct store *st,
    const struct build_settings *set, const struct snapshot *prev,
    const struct tls_ops *tls, struct problems *pr) MUST_CHECK;
/* The half that any feed can use; takes the plan over. */
struct snapshot *snapshot_freeze(struct plan *p, const struct snapshot *prev,
    struct problems *pr) MUST_CHECK;

/* Safe from any thread; the last unref frees. */
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);

/* The service behind a server name (any case), or NULL.  Lives as long as s. */
struct service *snapshot_match(const struct snapshot *s, struct str sni);
/* The service of this key in s, or NULL: to ask anew after a reload. */
struct service *snapshot_find(const struct snapshot *s, struct str key);

struct service *const *snapshot_services(const struct snapshot *s, size_t *n);
struct mesh_spec *const *snapshot_meshes(const struct snapshot *s, size_t *n);
/* This zone's ZoneEgresses as a relay service, or NULL. */
struct service *snapshot_zone_egresses(const struct snapshot *s);
/* Hosts (names or addresses) of this zone's ZoneIngresses. */
const struct str *snapshot_ingress_hosts(const struct snapshot *s, size_t *n);

/* When the first of the permissions in force ends; INT64_MAX: none does. */
int64_t snapshot_next_end_s(const struct snapshot *s);

/* Services that are not in prev by digest, and keys of prev that are gone. */
struct snapshot_diff {
	struct service **changed; /* borrowed from s */
	size_t n_changed;
	struct service **gone; /* borrowed from prev */
	size_t n_gone;
};
/* The caller frees both arrays. */
void snapshot_diff(const struct snapshot *prev, const struct snapshot *s,
    struct snapshot_diff *out);

/* The text that `zegressctl services -v`, /config_dump and golden tests show.
 */
void snapshot_print(const struct snapshot *s, struct text *out);
void service_print(const struct service *s, struct text *out);

#endif
