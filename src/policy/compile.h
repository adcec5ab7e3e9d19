/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

/*
 * From resources to a plan.  The order of the passes is in compile.c; this is
 * what they have in common.  Main thread, for the time of one build.
 */

#include "base/arena.h"
#include "base/problem.h"
#include "model/store.h"
#include "policy/compile_index.h"
#include "policy/fingerprint.h"
#include "policy/plan.h"
#include "policy/share.h"
#include "policy/snapshot.h"

struct external_service;
struct mesh_external_service;
struct subsets; /* compile_subset.h */

struct compile {
	const struct store *store;
	const struct build_settings *set;
	const struct snapshot *prev; /* may be NULL */
	const struct tls_ops *tls;   /* may be NULL: PEM is taken as good */
	struct problems *pr;
	struct plan *plan;
	struct share *share;
	struct fingerprint fingerprint;
	struct mesh_build *meshes; /* those with mutual TLS, by name */
	size_t n_meshes;
	struct zone *zones;
	struct ingress *ingresses; /* of other zones, by name */
	bool *is_entry_used;       /* of set->services */
	struct arena arena;        /* until the build is over */
};

struct plan *compile(const struct store *st, const struct build_settings *set,
    const struct snapshot *prev, const struct tls_ops *tls,
    struct problems *pr) MUST_CHECK;

/* "file:line Kind/name" */
struct str resource_origin(struct arena *a, const struct resource *r);
/* The list of this kind, cut down to one mesh. */
const struct resource *const *resources_of(
    const struct compile *c, enum kind kind, struct str mesh, size_t *n);
/* "<mesh>/<what>/<name>" */
struct str service_key(
    struct arena *a, struct str mesh, const char *what, struct str name);
/* "<mesh>_<name>" with what Envoy would not have in a name replaced. */
struct str stats_name(struct arena *a, struct str mesh, struct str name);
enum protocol protocol_of(struct str name);
/* The server names of a kuma.io/service, folded and sorted; may be none. */
void add_tag_names(struct compile *c, const struct mesh_build *m,
    const struct named *n, const struct resource *r, struct service *draft,
    struct subsets *to);
struct service *find_prev_service(const struct compile *c, struct str key);
/* Names of more than 255 bytes fit no ClientHello of a sidecar. */
bool name_fits(struct compile *c, const struct resource *r, struct str name);

/* compile_zone.c */
void index_zones(struct compile *c);
void compile_zone_egresses(struct compile *c);
/* Endpoints of other zones for a service that names tag zones. */
void add_relays(struct compile *c, struct mesh_build *m, const struct named *n,
    struct service *draft, struct subsets *subsets);
void add_zone_relays(struct compile *c, struct str zone,
    const struct resource *r, struct service *draft, struct arena *a);
/* A service that only the ingresses of other zones know. */
void compile_relay(
    struct compile *c, struct mesh_build *m, const struct named *n);

/* compile_mesh.c: sets m->can_serve */
void compile_mesh(struct compile *c, struct mesh_build *m);
/* compile_service.c */
void compile_services(struct compile *c, struct mesh_build *m);
/* compile_mes.c */
void compile_mesh_external_services(struct compile *c, struct mesh_build *m);

/* compile_options.c: entries of the configuration that speak of a service. */
void note_entries(struct compile *c, struct str mesh, struct str service);
/* The same of a service that is only in other zones: what is about them. */
void note_zone_entries(struct compile *c, struct str mesh, struct str service);
/*
 * What policies and the configuration say of a service whose protocol is
 * known; the configuration goes first.  Strings lie there or in a.
 */
void choose_options(struct compile *c, const struct policy_subject *about,
    const struct service *draft, struct arena *a, struct service_options *o);
/* For a service that is served here, before its endpoints are made. */
void set_options(struct compile *c, const struct policy_subject *about,
    struct service *draft, struct arena *a);
/*
 * compile_wildcard.c: tells what does not go together with the wildcard of the
 * draft, and takes its endpoints out if they cannot stand for many.
 */
void check_wildcard(struct compile *c, struct service *draft);
/* The draft is complete, and of no use afterwards; without options: default. */
struct service *seal_service(
    struct compile *c, struct service *draft, struct service *prev) MUST_CHECK;
/* At the end, since any service may be meant. */
void warn_unused_entries(struct compile *c);

/*
 * compile_tls.c.  False: reported.  *out is a reference, NULL for plaintext.
 * Of the draft protocol and options count.
 */
bool external_service_tls(struct compile *c, const struct resource *r,
    const struct external_service *es, const struct service *draft,
    struct tls_spec **out) MUST_CHECK;
/* What all endpoints of a MeshExternalService have in common. */
bool mes_tls(struct compile *c, const struct resource *r,
    const struct mesh_external_service *mes, const struct service *draft,
    struct tls_spec *common) MUST_CHECK;
struct tls_spec *mes_endpoint_tls(struct compile *c,
    const struct mesh_external_service *mes, const struct service *draft,
    const struct tls_spec *common, size_t endpoint) MUST_CHECK;

/*
 * compile_tls_options.c: what the configuration says of the TLS of a service,
 * beside its resource.  False: reported, with the entry's place.
 */
/* The switches of t, which are as the resource has them. */
void tls_options_switch(const struct service_options *o, struct tls_spec *t);
/* Likewise its versions; is_min_free: the resource says nothing of the lowest.
 */
bool tls_options_versions(struct compile *c, const struct service *draft,
    bool is_min_free, struct tls_spec *t) MUST_CHECK;
/* From a file, which tls.ca names. */
bool tls_options_ca(struct compile *c, const struct service *draft,
    struct tls_spec *t) MUST_CHECK;
/* Revocation and lists. */
bool tls_options_rest(struct compile *c, const struct service *draft,
    struct tls_spec *t) MUST_CHECK;
void tls_options_sni(const struct service_options *o, struct str of_resource,
    struct tls_spec *t);
/* Instead of those that t has, if any are given. */
void tls_options_names(
    const struct service_options *o, struct arena *a, struct tls_spec *t);
/* The resource has no TLS that they could be about. */
void warn_no_tls(
    struct compile *c, const struct resource *r, const struct service *draft);

/*
 * compile_source.c: the bytes of a data source, borrowed from the share; NULL
 * and reported at level when it leads nowhere.
 */
struct blob *source_blob(struct compile *c, const struct resource *r,
    struct str mesh, const struct data_source *source, const char *path,
    enum problem_level level);
/* The pair that options of the service name; false: there is none, reported. */
bool given_pair_blobs(struct compile *c, const struct resource *r,
    const struct service_options *o, struct blob **cert,
    struct blob **key) MUST_CHECK;

#endif
