/* SPDX-License-Identifier: Apache-2.0 */
/* Files that MeshAccessLogs have the daemon write. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "e2e/fixture.h"

static void
put(struct world *w, const char *service, const char *file)
{
	egress_writef(w->e, "policy.yaml",
	    "type: MeshAccessLog\nmesh: default\nname: p\nspec:\n  to:\n"
	    "  - targetRef: { kind: MeshService, name: %s }\n"
	    "    default: { backends: [ { type: File, file: %s } ] }\n",
	    service, file);
}

/* Services raw and api, and a folder for the files. */
static void
start(struct world *w, char folder[64])
{
	char config[128];

	(void)strcpy(folder, "/tmp/zegress-logs.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(
	    config, sizeof(config), "mesh_access_log = \"%s\";", folder);
	world_start_two(w, config);
}

static void
end(struct world *w, const char *folder)
{
	char words[96];

	world_end(w);
	(void)snprintf(words, sizeof(words), "rm -rf %s", folder);
	cr_expect_eq(system(words), 0);
}

/* The file, as text (static); empty if there is none. */
static const char *
lines_of(const char *folder, const char *name)
{
	static char text[4096];
	char path[160];
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	if (f != NULL) {
		n = fread(text, 1, sizeof(text) - 1, f);
		(void)fclose(f);
	}
	text[n] = '\0';
	return text;
}

static bool
is_in_force(struct world *w, const char *path)
{
	char want[160];

	(void)snprintf(want, sizeof(want), "  log %s ", path);
	return WAIT_UNTIL(
	    5000, strstr(egress_ctl(w->e, "services -v"), want) != NULL);
}

Test(mesh_log, requests)
{
	char folder[64], path[96], file[512];
	struct world w;

	start(&w, folder);
	(void)snprintf(path, sizeof(path), "%s/api.log", folder);
	(void)snprintf(file, sizeof(file),
	    "{ path: %s, format: { type: Plain, plain: '%%REQ(:METHOD)%% "
	    "%%REQ(:PATH)%% %%RESPONSE_CODE%% %%KUMA_SOURCE_SERVICE%% "
	    "%%KUMA_DESTINATION_SERVICE%% %%PROTOCOL%% %%RESPONSE_FLAGS%%' } }",
	    path);
	put(&w, "api", file);
	cr_assert(is_in_force(&w, path));
	cr_expect_eq(status_of(get_once(&w, "api", "/one?secret")), 200);
	cr_expect(WAIT_UNTIL(5000, lines_of(folder, "api.log")[0] != '\0'));
	cr_expect_str_eq(
	    lines_of(folder, "api.log"), "GET /one 200 web api HTTP/1.1 -\n");
	/* Our own log has it, too. */
	cr_expect(has_outcome(w.e, "ok", "\"path\":\"/one\""));
	end(&w, folder);
}

Test(mesh_log, connections)
{
	char folder[64], path[96], file[512];
	struct world w;

	start(&w, folder);
	(void)snprintf(path, sizeof(path), "%s/raw.log", folder);
	(void)snprintf(file, sizeof(file),
	    "{ path: %s, format: { type: Json, json: [ { key: to, value: "
	    "'%%KUMA_DESTINATION_SERVICE%%' }, { key: code, value: "
	    "'%%RESPONSE_CODE%%' }, { key: method, value: "
	    "'%%REQ(:METHOD)%%' } ] } }",
	    path);
	put(&w, "raw", file);
	cr_assert(is_in_force(&w, path));
	world_use_two(&w);
	cr_expect(WAIT_UNTIL(5000, lines_of(folder, "raw.log")[0] != '\0'));
	cr_expect_str_eq(lines_of(folder, "raw.log"),
	    "{\"to\":\"raw\",\"code\":0,\"method\":null}\n");
	end(&w, folder);
}

Test(mesh_log, rotation)
{
	char folder[64], path[96], old[112], file[256];
	struct world w;

	start(&w, folder);
	(void)snprintf(path, sizeof(path), "%s/api.log", folder);
	(void)snprintf(old, sizeof(old), "%s.1", path);
	(void)snprintf(file, sizeof(file),
	    "{ path: %s, format: { type: Plain, plain: '%%REQ(:PATH)%%' } }",
	    path);
	put(&w, "api", file);
	cr_assert(is_in_force(&w, path));
	(void)get_once(&w, "api", "/one");
	cr_expect(WAIT_UNTIL(
	    5000, strcmp(lines_of(folder, "api.log"), "/one\n") == 0));
	cr_assert_eq(rename(path, old), 0);
	egress_signal(w.e, SIGUSR1);
	/* Until a worker has heard it, lines go to the old file. */
	cr_expect(WAIT_UNTIL(
	    5000, status_of(get_once(&w, "api", "/two")) == 200 &&
		      strstr(lines_of(folder, "api.log"), "/two\n") != NULL));
	cr_expect(strstr(lines_of(folder, "api.log"), "/one") == NULL);
	end(&w, folder);
}

/* Whoever writes policies does not choose where the host is written to. */
Test(mesh_log, only_below_the_folder)
{
	char folder[64], path[96], file[160];
	struct world w;

	start(&w, folder);
	(void)snprintf(path, sizeof(path), "%s.outside", folder);
	(void)snprintf(file, sizeof(file), "{ path: %s }", path);
	put(&w, "api", file);
	cr_expect(WAIT_UNTIL(
	    5000, egress_said(w.e, "backends[0].file.path") &&
		      egress_said(w.e, "files may only be written below")));
	cr_expect_eq(status_of(get_once(&w, "api", "/one")), 200);
	cr_expect(has_outcome(w.e, "ok", "\"path\":\"/one\""));
	cr_expect_neq(access(path, F_OK), 0);
	end(&w, folder);
}
