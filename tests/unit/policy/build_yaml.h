/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_BUILD_YAML_H
#define TESTS_BUILD_YAML_H

/* Snapshots from a few lines of YAML. */

#include "base/problem.h"
#include "model/store.h"
#include "policy/snapshot.h"

/* Mesh m with mutual TLS and a CA; routing is put in as it stands. */
#define MESH(name, routing)                                          \
	"type: Mesh\nname: " name                                    \
	"\nmtls: { enabledBackend: b, backends: [ { name: b, type: " \
	"builtin } ] }\nrouting: { " routing " }\n---\n"             \
	"type: Secret\nmesh: " name "\nname: " name                  \
	".ca-builtin-cert-b\ndata: Y2Egb25l\n---\n"                  \
	"type: Secret\nmesh: " name "\nname: " name                  \
	".ca-builtin-key-b\ndata: a2V5IG9uZQ==\n---\n"
#define ES(mesh, name, service, address, more)                     \
	"type: ExternalService\nmesh: " mesh "\nname: " name       \
	"\ntags: { kuma.io/service: " service " }\nnetworking: { " \
	"address: \"" address "\"" more " }\n---\n"
#define MES(mesh, name)                                              \
	"type: MeshExternalService\nmesh: " mesh "\nname: " name     \
	"\nspec: { match: { type: HostnameGenerator, port: 443, "    \
	"protocol: tcp }, endpoints: [ { address: 192.0.2.1, port: " \
	"443 } ] }\n---\n"
#define MTP(mesh, name, target, who, action)                               \
	"type: MeshTrafficPermission\nmesh: " mesh "\nname: " name         \
	"\nspec: { targetRef: { " target " }, from: [ { targetRef: { " who \
	" }, default: { action: " action " } } ] }\n---\n"
/* Of the `rules` form; lists: "deny: [ … ], allow: [ … ]". */
#define MTR(mesh, name, target, lists)                                      \
	"type: MeshTrafficPermission\nmesh: " mesh "\nname: " name          \
	"\nspec: { targetRef: { " target " }, rules: [ { default: { " lists \
	" } } ] }\n---\n"
#define CALLER(type, uri) "{ spiffeID: { type: " type ", value: \"" uri "\" } }"
#define ASKED(sni) "{ sni: { type: Exact, value: \"" sni "\" } }"
#define TP(mesh, name, who, destination)                                       \
	"type: TrafficPermission\nmesh: " mesh "\nname: " name                 \
	"\nsources: [ { match: { kuma.io/service: \"" who                      \
	"\" } } ]\ndestinations: [ { match: { kuma.io/service: \"" destination \
	"\" } } ]\n---\n"

/* Zone z1, all else as the configuration's defaults. */
extern const struct build_settings default_settings;

/* Put it into st as file a.yaml, and build. */
struct snapshot *build_in(struct store *st, const char *yaml,
    const struct build_settings *set, const struct snapshot *prev,
    const struct tls_ops *tls, struct problems *pr);
/* With a store of its own, the default settings, and no errors. */
struct snapshot *build_yaml(const char *yaml);

#endif
