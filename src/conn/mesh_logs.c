/* SPDX-License-Identifier: Apache-2.0 */
/* Which line goes where. */

#include "conn/mesh_logs.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "conn/mesh_log_files.h"
#include "conn/mesh_log_line.h"
#include "conn/mesh_log_sinks.h"
#include "conn/otlp_logs.h"

struct mesh_logs {
	struct loop *loop;
	struct mesh_log_files *files; /* NULL: none are written */
	struct mesh_log_sinks *sinks;
	struct stats_set *stats;
	bool is_due;
};

struct mesh_logs *
mesh_logs_new(const struct mesh_logs_env *env)
{
	struct mesh_logs *m = xcalloc(1, sizeof(*m));

	m->loop = env->loop;
	m->stats = stats_get(env->stats, SCOPE_SERVER, NULL);
	if (env->folder != NULL)
		m->files = mesh_log_files_new(env->folder, env->loop, m->stats);
	m->sinks = mesh_log_sinks_new(&(struct mesh_log_sinks_env){
	    .loop = env->loop,
	    .dns = env->dns,
	    .lost = m->stats,
	    .http = env->http,
	    .h2 = env->h2,
	});
	return m;
}

void
mesh_logs_free(struct mesh_logs *m)
{
	if (m == NULL)
		return;
	mesh_log_files_free(m->files);
	mesh_log_sinks_free(m->sinks);
	m->files = NULL;
	m->sinks = NULL;
	loop_later(m->loop, free, m); /* behind flush_all(), if that is due */
}

void
mesh_logs_reopen(struct mesh_logs *m)
{
	if (m->files != NULL)
		mesh_log_files_reopen(m->files);
}

static void
flush_all(void *arg)
{
	struct mesh_logs *m = arg;

	m->is_due = false;
	if (m->files != NULL)
		mesh_log_files_flush(m->files);
	if (m->sinks != NULL)
		mesh_log_sinks_flush(m->sinks);
}

static struct text *
lines_of(struct mesh_logs *m, const struct mesh_log *log)
{
	switch (log->kind) {
	case MESH_LOG_KIND_FILE:
		return m->files == NULL
			   ? NULL
			   : mesh_log_files_lines(m->files, log->to);
	case MESH_LOG_KIND_TCP:
	case MESH_LOG_KIND_OTLP:
		return mesh_log_sinks_lines(m->sinks, log);
	}
	return NULL;
}

void
mesh_logs_write(
    struct mesh_logs *m, const struct service *s, const struct log_entry *e)
{
	int64_t now = clock_wall_ms();
	struct text *lines;
	size_t i;

	for (i = 0; i < s->n_logs; i++) {
		lines = lines_of(m, &s->logs[i]);
		if (lines == NULL)
			stat_inc(m->stats, STAT_MESH_LOG_LOST);
		else if (s->logs[i].kind == MESH_LOG_KIND_OTLP)
			otlp_add_record(&s->logs[i], s, e, now, lines);
		else
			mesh_log_line(&s->logs[i], s, e, now, lines);
	}
	if (s->n_logs > 0 && !m->is_due) {
		m->is_due = true;
		loop_later(m->loop, flush_all, m);
	}
}
