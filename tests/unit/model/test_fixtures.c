/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files, as users have them, load without a word. */

#include "model/external_service.h"
#include "model/mesh.h"
#include "model/mesh_external_service.h"
#include "model/permission.h"
#include "model/secret.h"
#include "model/zone_proxy.h"
#include "unit/model/model_load.h"

/* A file beside this one. */
static struct store *
load_fixture(const char *name)
{
	const char *top = getenv("TOP_SRCDIR");
	struct store *st = store_new();
	struct text bytes = TEXT_EMPTY;
	char path[512], *said;
	size_t n;
	FILE *f;

	if (top != NULL)
		snprintf(path, sizeof(path), "%s/tests/unit/model/fixtures/%s",
		    top, name);
	else
		snprintf(path, sizeof(path), "unit/model/fixtures/%s", name);
	f = fopen(path, "r");
	cr_assert_not_null(f, "%s", path);
	while ((n = fread(text_reserve(&bytes, 4096), 1, 4096, f)) > 0)
		bytes.len += n;
	fclose(f);
	store_put_file(st, name, text_str(&bytes));
	text_free(&bytes);
	store_commit(st);
	said = print_problems(st);
	cr_expect_str_eq(said, "", "%s", said);
	free(said);
	return st;
}

Test(fixtures, universal)
{
	struct store *st = load_fixture("universal.yaml");
	const struct external_service *bank = external_service_of(
	    find(st, KIND_EXTERNAL_SERVICE, "shop", "bank-eu"));
	const struct mesh_external_service *weather = mesh_external_service_of(
	    find(st, KIND_MESH_EXTERNAL_SERVICE, "shop", "weather"));
	const struct mesh *shop = mesh_of(find(st, KIND_MESH, "", "shop"));

	cr_expect_eq(count_in_force(st), 9u);
	cr_assert_not_null(bank);
	expect_str(tags_get(&bank->tags, STR("kuma.io/zone")), "eu");
	cr_expect(str_starts(
	    bank->tls.client_cert.value, STR("-----BEGIN CERTIFICATE-----\n")));
	expect_str(bank->tls.client_key.value, "not a key");
	cr_assert_not_null(weather);
	cr_expect_eq(weather->n_endpoints, 2u);
	cr_expect_eq(weather->min_version, TLS_1_2);
	cr_assert_not_null(shop);
	cr_expect_eq(shop->leaf_life_s, 12u * 3600);
	expect_str(secret_of(find(st, KIND_SECRET, "shop", "bank-ca"))->data,
	    "not a real certificate\n");
	store_free(st);
}

Test(fixtures, kubernetes)
{
	struct store *st = load_fixture("kubernetes.yaml");
	const struct external_service *bank = external_service_of(
	    find(st, KIND_EXTERNAL_SERVICE, "shop", "bank"));
	const struct mesh_traffic_permission *all =
	    mesh_traffic_permission_of(find(st, KIND_MESH_TRAFFIC_PERMISSION,
		"shop", "all-to-bank.kuma-system"));
	const struct mesh *shop = mesh_of(find(st, KIND_MESH, "", "shop"));

	cr_expect_eq(count_in_force(st), 8u);
	cr_assert_not_null(bank);
	expect_str(bank->host, "api.bank.example");
	cr_assert_not_null(all);
	expect_str(all->target.name, "bank_svc_443");
	cr_assert_not_null(shop);
	cr_expect_eq(shop->ca_type, CA_PROVIDED);
	expect_str(shop->ca_key.value, "shop-ca-key");
	cr_expect_not_null(find(st, KIND_SECRET, "shop", "bank-ca"));
	cr_expect_not_null(
	    find(st, KIND_TRAFFIC_PERMISSION, "shop", "till-to-bank"));
	store_free(st);
}

Test(fixtures, json)
{
	struct store *st = load_fixture("zones.json");
	const struct zone_ingress *zi =
	    zone_ingress_of(find(st, KIND_ZONE_INGRESS, "", "us-in-1"));

	cr_assert_not_null(zi);
	expect_str(zi->advertised_address, "in.us.example");
	cr_assert_eq(zi->n_services, 1u);
	cr_expect_eq(zi->services[0].instances, 2u);
	store_free(st);
}
