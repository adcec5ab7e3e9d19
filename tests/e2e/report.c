/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the runner, not in a test's own process: where the tests have their
 * directories, and what to show of them when a test has failed or died.
 */

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/egress.h"

#define ZONES 3
/* The end of a log has what went wrong. */
#define MOST_BYTES 16384

ReportHook(PRE_ALL)(struct criterion_test_set *set)
{
	char dir[64];

	(void)set;
	/* The path of a socket has to fit into 108 bytes. */
	(void)snprintf(dir, sizeof(dir), "/tmp/ze2e.%d", (int)getpid());
	if (mkdir(dir, 0755) != 0 || setenv("TMPDIR", dir, 1) != 0)
		abort();
}

static void
show(const char *home, int zone, const char *name)
{
	char path[512], line[4096];
	long n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%d/%s", home, zone, name);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	(void)fseek(f, 0, SEEK_END);
	n = ftell(f);
	(void)fseek(f, n > MOST_BYTES ? n - MOST_BYTES : 0, SEEK_SET);
	(void)fprintf(stderr, "--- %s (%ld bytes)\n", path, n);
	while (fgets(line, sizeof(line), f) != NULL)
		(void)fputs(line, stderr);
	(void)fclose(f);
}

ReportHook(POST_TEST)(struct criterion_test_stats *stats)
{
	char home[256];

	(void)snprintf(home, sizeof(home), "%s/%s.%s", getenv("TMPDIR"),
	    stats->test->category, stats->test->name);
	for (int i = 1; i <= ZONES; i++)
		if (stats->test_status != CR_STATUS_PASSED || stats->crashed ||
		    stats->timed_out) {
			show(home, i, "log");
			show(home, i, "access.log");
		}
	egress_remove_tree(home);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	(void)stats;
	egress_remove_tree(getenv("TMPDIR"));
}
