/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of what the egress needs for one mesh.  Which CA and which identity it
 * is, is decided in compile_mesh.c; the daemon mints with it.  Any thread may
 * take and drop references.
 */

#include "policy/mesh_spec.h"

#include <stdlib.h>

struct mesh_spec *
mesh_spec_ref(struct mesh_spec *m)
{
	ref_up(&m->ref);
	return m;
}

void
mesh_spec_unref(struct mesh_spec *m)
{
	if (m == NULL || !ref_down(&m->ref))
		return;
	blob_unref(m->ca);
	blob_unref(m->cert);
	blob_unref(m->key);
	blob_unref(m->ca_cert);
	blob_unref(m->ca_key);
	free(m->mesh);
	free(m->origin);
	free(m);
}
