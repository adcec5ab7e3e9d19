/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The publisher's first phase without a second one, and the checks of the
 * start that need no rights.
 */

#include "daemon/validate.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/problem.h"
#include "base/stats.h"
#include "conn/access_log.h"
#include "daemon/config.h"
#include "daemon/config_check.h"
#include "daemon/crypto.h"
#include "daemon/publish.h"
#include "feed/dir.h"

/* A template is checked where no file is made for it. */
static void
check_log_format(const struct config *c, struct problems *pr)
{
	struct text why = TEXT_EMPTY;
	struct access_log_file *f =
	    access_log_open("stdout", c->access_log_format, &why);

	if (f == NULL)
		problem_add(pr, PROBLEM_ERROR, c->path, 0, "access_log_format",
		    "%s", why.p);
	else
		access_log_close(f);
	text_free(&why);
}

static void
check_resources(struct config *c, struct problems *pr)
{
	struct loop *l = loop_new();
	struct stats_shard *shard = stats_shard_new();
	struct feed *f = feed_dir_new(l, c->resources, c->secrets);
	struct publisher *p =
	    publisher_new(l, f, c, stats_get(shard, SCOPE_SERVER, NULL));

	publisher_build(p, PUBLISH_CHECK);
	problems_append(pr, publisher_problems(p));
	publisher_free(p);
	feed_free(f);
	stats_shard_free(shard);
	loop_free(l);
}

bool
validate(const char *config_path, struct problems *pr)
{
	struct config *c = config_load(config_path, pr);

	if (c == NULL)
		return false;
	config_check_host(c, PROBLEM_WARNING, pr);
	if (!crypto_start(c, pr)) {
		config_free(c);
		return false;
	}
	check_log_format(c, pr);
	check_resources(c, pr);
	return pr->errors == 0;
}
