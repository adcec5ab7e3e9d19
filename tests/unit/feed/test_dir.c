/* SPDX-License-Identifier: Apache-2.0 */
/* feed/dir.h: what happens in a directory reaches the store. */

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "feed/dir.h"
#include "model/mesh.h"
#include "model/secret.h"
#include "model/store.h"
#include "unit/feed/tree.h"

#define LATE_MS 5000

struct rig {
	struct tree tree;
	struct loop *loop;
	struct feed *feed;
	struct store *store;
	struct timer late;
	unsigned told;
	uint64_t told_ms;
};

static void
on_late(void *arg)
{
	struct rig *r = arg;

	loop_stop(r->loop);
}

static void
on_change(void *arg)
{
	struct rig *r = arg;

	r->told++;
	r->told_ms = clock_ms();
	loop_stop(r->loop);
}

/* Directories "r" and "s" of the tree. */
static void
rig_init(struct rig *r)
{
	*r = (struct rig){ .told = 0 };
	tree_init(&r->tree);
	tree_mkdir(&r->tree, "r");
	tree_mkdir(&r->tree, "s");
	r->loop = loop_new();
	r->store = store_new();
	timer_init(&r->late, r->loop, on_late, r);
}

static void
rig_start(struct rig *r)
{
	r->feed = feed_dir_new(
	    r->loop, tree_path(&r->tree, "r"), tree_path(&r->tree, "s"));
	feed_fill(r->feed, r->store);
	(void)store_commit(r->store);
	feed_start(r->feed, on_change, r);
}

static void
rig_fini(struct rig *r)
{
	feed_free(r->feed);
	store_free(r->store);
	loop_free(r->loop);
	tree_fini(&r->tree);
}

static void
commit(struct rig *r)
{
	feed_fill(r->feed, r->store);
	(void)store_commit(r->store);
}

/* The next change, taken into the store; fails the test if none comes. */
static void
expect_change(struct rig *r, const char *what)
{
	unsigned before = r->told;

	timer_set(&r->late, LATE_MS);
	loop_run(r->loop);
	timer_stop(&r->late);
	cr_assert_eq(r->told, before + 1, "%s: no change was told", what);
	commit(r);
}

static bool
has_mesh(const struct rig *r, const char *name)
{
	return store_find(r->store, KIND_MESH, STR_NONE, str_of(name)) != NULL;
}

static struct str
secret(const struct rig *r, const char *name)
{
	const struct resource *s =
	    store_find(r->store, KIND_SECRET, STR("default"), str_of(name));

	return s != NULL ? secret_of(s)->data : STR_NONE;
}

#define MESH(name) "type: Mesh\nname: " name "\n"

Test(dir, reads_what_is_there_at_the_start)
{
	static const char *const in[] = { "r/a.yaml", "r/b.yml",
		"r/sub/d.yaml" };
	static const char *const out[] = { "r/e.txt", "r/.f.yaml", "r/g.yaml~",
		"r/sub/deep/h.yaml" };
	char text[64], name[16];
	struct rig r;
	size_t i;

	rig_init(&r);
	tree_mkdir(&r.tree, "r/sub");
	tree_mkdir(&r.tree, "r/sub/deep");
	for (i = 0; i < ARRAY_LEN(in); i++) {
		snprintf(text, sizeof(text), MESH("in-%zu"), i);
		tree_write(&r.tree, in[i], text);
	}
	for (i = 0; i < ARRAY_LEN(out); i++) {
		snprintf(text, sizeof(text), MESH("out-%zu"), i);
		tree_write(&r.tree, out[i], text);
	}
	tree_write(
	    &r.tree, "r/c.json", "{\"type\": \"Mesh\", \"name\": \"json\"}");
	rig_start(&r);
	for (i = 0; i < ARRAY_LEN(in); i++) {
		snprintf(name, sizeof(name), "in-%zu", i);
		cr_expect(has_mesh(&r, name), "%s is read", in[i]);
	}
	for (i = 0; i < ARRAY_LEN(out); i++) {
		snprintf(name, sizeof(name), "out-%zu", i);
		cr_expect(!has_mesh(&r, name), "%s is passed over", out[i]);
	}
	cr_expect(has_mesh(&r, "json"));
	cr_expect_null(feed_error(r.feed));
	rig_fini(&r);
}

Test(dir, hears_every_kind_of_change)
{
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	tree_replace(&r.tree, "r/a.yaml", MESH("one"));
	expect_change(&r, "rename into place");
	cr_expect(has_mesh(&r, "one"));
	tree_write(&r.tree, "r/a.yaml", MESH("two"));
	expect_change(&r, "rewrite");
	cr_expect(has_mesh(&r, "two"));
	cr_expect(!has_mesh(&r, "one"));
	tree_rename(&r.tree, "r/a.yaml", "r/a.off");
	expect_change(&r, "rename away");
	cr_expect(!has_mesh(&r, "two"));
	tree_rename(&r.tree, "r/a.off", "r/b.yaml");
	expect_change(&r, "rename back");
	cr_expect(has_mesh(&r, "two"));
	tree_remove(&r.tree, "r/b.yaml");
	expect_change(&r, "remove");
	cr_expect(!has_mesh(&r, "two"));
	rig_fini(&r);
}

Test(dir, hears_of_directories_that_come_and_go)
{
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	tree_mkdir(&r.tree, "r/sub");
	tree_write(&r.tree, "r/sub/a.yaml", MESH("one"));
	expect_change(&r, "a new directory");
	cr_expect(has_mesh(&r, "one"));
	tree_write(&r.tree, "r/sub/b.yaml", MESH("two"));
	expect_change(&r, "a file in it");
	cr_expect(has_mesh(&r, "two"));
	tree_rename(&r.tree, "r/sub", "away");
	expect_change(&r, "the directory is gone");
	cr_expect(!has_mesh(&r, "one"));
	cr_expect(!has_mesh(&r, "two"));
	rig_fini(&r);
}

Test(dir, follows_volumes_of_kubernetes)
{
	struct rig r;

	rig_init(&r);
	tree_mkdir(&r.tree, "r/..1");
	tree_write(&r.tree, "r/..1/a.yaml", MESH("one"));
	tree_link(&r.tree, "..1", "r/..data");
	tree_link(&r.tree, "..data/a.yaml", "r/a.yaml");
	rig_start(&r);
	cr_expect(has_mesh(&r, "one"));
	tree_mkdir(&r.tree, "r/..2");
	tree_write(&r.tree, "r/..2/a.yaml", MESH("two"));
	tree_link(&r.tree, "..2", "r/..tmp");
	tree_rename(&r.tree, "r/..tmp", "r/..data");
	expect_change(&r, "the volume was exchanged");
	cr_expect(has_mesh(&r, "two"));
	cr_expect(!has_mesh(&r, "one"));
	rig_fini(&r);
}

Test(dir, secrets_are_files_of_their_mesh)
{
	struct rig r;

	rig_init(&r);
	tree_mkdir(&r.tree, "s/default");
	tree_write(&r.tree, "s/default/ca", "first");
	rig_start(&r);
	cr_expect(str_eq(secret(&r, "ca"), STR("first")));
	tree_write(&r.tree, "s/default/ca", "second\n");
	expect_change(&r, "a secret changed");
	cr_expect(str_eq(secret(&r, "ca"), STR("second\n")));
	tree_write(&r.tree, "s/default/key", "new");
	expect_change(&r, "a secret came");
	cr_expect(str_eq(secret(&r, "key"), STR("new")));
	tree_remove(&r.tree, "s/default/ca");
	expect_change(&r, "a secret went");
	cr_expect_null(secret(&r, "ca").p);
	rig_fini(&r);
}

/* Many changes are one, told after the last of them. */
Test(dir, waits_for_quiet)
{
	uint64_t last_ms;
	struct rig r;
	char name[32];
	unsigned i;

	rig_init(&r);
	rig_start(&r);
	for (i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "r/%u.yaml", i);
		tree_write(&r.tree, name, MESH("x"));
		loop_turn(r.loop);
	}
	last_ms = clock_ms();
	expect_change(&r, "fifty files");
	cr_expect_eq(r.told, 1);
	cr_expect_geq(r.told_ms, last_ms + FEED_QUIET_MS - 20);
	rig_fini(&r);
}

/* Who never rests is heard all the same, within the feed's patience. */
Test(dir, does_not_wait_forever)
{
	uint64_t start_ms = clock_ms();
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	while (r.told == 0 && clock_ms() - start_ms < LATE_MS) {
		tree_write(&r.tree, "r/a.yaml", MESH("x"));
		loop_turn(r.loop);
	}
	cr_expect_eq(r.told, 1);
	cr_expect_lt(r.told_ms - start_ms, 2 * FEED_PATIENCE_MS);
	rig_fini(&r);
}

/* Half of a file may be a valid document that lacks the rest. */
Test(dir, leaves_a_file_alone_while_it_is_written)
{
	struct rig r;
	int fd;

	rig_init(&r);
	tree_write(&r.tree, "r/a.yaml", MESH("one") "---\n" MESH("two"));
	rig_start(&r);
	fd = open(tree_path(&r.tree, "r/a.yaml"), O_WRONLY | O_TRUNC);
	cr_assert_neq(fd, -1);
	cr_assert_eq(write(fd, MESH("one"), strlen(MESH("one"))),
	    (ssize_t)strlen(MESH("one")));
	tree_write(&r.tree, "r/b.yaml", MESH("other"));
	expect_change(&r, "another file");
	cr_expect(has_mesh(&r, "other"));
	cr_expect(has_mesh(&r, "two"), "the half file was not read");
	feed_rescan(r.feed);
	commit(&r);
	cr_expect(has_mesh(&r, "two"), "nor by a rescan");
	close(fd);
	expect_change(&r, "it was closed");
	cr_expect(has_mesh(&r, "one"));
	cr_expect(!has_mesh(&r, "two"));
	rig_fini(&r);
}

Test(dir, a_directory_that_is_gone_keeps_what_it_held)
{
	struct rig r;

	rig_init(&r);
	tree_write(&r.tree, "r/a.yaml", MESH("one"));
	rig_start(&r);
	tree_rename(&r.tree, "r", "away");
	expect_change(&r, "it is gone");
	cr_expect(has_mesh(&r, "one"));
	cr_assert_not_null(feed_error(r.feed));
	cr_expect_not_null(strstr(feed_error(r.feed), "No such file"));
	cr_expect_eq(store_problems(r.store)->errors, 1);
	tree_write(&r.tree, "away/b.yaml", MESH("two"));
	tree_rename(&r.tree, "away", "r");
	expect_change(&r, "it is back");
	cr_expect(has_mesh(&r, "two"));
	cr_expect_null(feed_error(r.feed));
	cr_expect_eq(store_problems(r.store)->errors, 0);
	rig_fini(&r);
}

Test(dir, a_file_that_cannot_be_read_keeps_what_it_held)
{
	struct rig r;

	rig_init(&r);
	tree_write(&r.tree, "r/a.yaml", MESH("one"));
	rig_start(&r);
	tree_remove(&r.tree, "r/a.yaml");
	cr_assert_eq(mkfifo(tree_path(&r.tree, "r/a.yaml"), 0600), 0);
	expect_change(&r, "a FIFO took its place");
	cr_expect(has_mesh(&r, "one"));
	cr_expect_eq(store_problems(r.store)->errors, 1);
	rig_fini(&r);
}

/* Until give_back(), nothing can be opened. */
static void
take_descriptors(struct rlimit *before)
{
	struct rlimit few;
	int next = dup(STDERR_FILENO);

	(void)close(next);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, before), 0);
	few = *before;
	few.rlim_cur = (rlim_t)next;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
}

static void
give_back(const struct rlimit *before)
{
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, before), 0);
}

/* Nobody writes the file again only because we were short of descriptors. */
Test(dir, a_file_is_tried_again_when_descriptors_were_short)
{
	struct rlimit before;
	struct rig r;

	rig_init(&r);
	tree_write(&r.tree, "r/a.yaml", MESH("one"));
	rig_start(&r);
	tree_replace(&r.tree, "r/a.yaml", MESH("two"));
	take_descriptors(&before);
	expect_change(&r, "it was replaced");
	cr_expect(has_mesh(&r, "one"));
	cr_expect_eq(store_problems(r.store)->errors, 1);
	give_back(&before);
	expect_change(&r, "there are descriptors again");
	cr_expect(has_mesh(&r, "two"));
	cr_expect_eq(store_problems(r.store)->errors, 0);
	rig_fini(&r);
}

/* A scan that cannot look into a directory must not become deaf to it. */
Test(dir, a_scan_is_made_again_when_descriptors_were_short)
{
	struct rlimit before;
	struct rig r;

	rig_init(&r);
	tree_mkdir(&r.tree, "r/part");
	tree_write(&r.tree, "r/part/a.yaml", MESH("one"));
	rig_start(&r);
	cr_assert(has_mesh(&r, "one"));
	take_descriptors(&before);
	feed_rescan(r.feed);
	commit(&r);
	cr_expect(has_mesh(&r, "one"));
	give_back(&before);
	expect_change(&r, "there are descriptors again");
	cr_expect(has_mesh(&r, "one"));
	tree_write(&r.tree, "r/part/b.yaml", MESH("two"));
	expect_change(&r, "a file in the directory");
	cr_expect(has_mesh(&r, "two"));
	rig_fini(&r);
}

/* At the start the first by path serves, whatever the directory's order. */
Test(dir, of_duplicates_the_first_by_path_serves)
{
	const struct resource *m;
	struct rig r;

	rig_init(&r);
	tree_write(
	    &r.tree, "r/z.yaml", MESH("one") "routing: { zoneEgress: true }\n");
	tree_write(&r.tree, "r/a.yaml", MESH("one"));
	rig_start(&r);
	m = store_find(r.store, KIND_MESH, STR_NONE, STR("one"));
	cr_assert_not_null(m);
	cr_expect(!mesh_of(m)->zone_egress);
	cr_expect_str_eq(m->file, tree_path(&r.tree, "r/a.yaml"));
	rig_fini(&r);
}

Test(dir, a_rescan_reads_what_was_not_heard)
{
	struct rig r;

	rig_init(&r);
	/* A link's target is not watched. */
	tree_write(&r.tree, "target", MESH("one"));
	tree_link(&r.tree, "../target", "r/a.yaml");
	rig_start(&r);
	cr_expect(has_mesh(&r, "one"));
	tree_write(&r.tree, "target", MESH("two"));
	commit(&r);
	cr_expect(has_mesh(&r, "one"));
	feed_rescan(r.feed);
	commit(&r);
	cr_expect(has_mesh(&r, "two"));
	rig_fini(&r);
}

Test(dir, starts_without_its_directories)
{
	struct rig r;

	rig_init(&r);
	tree_rename(&r.tree, "r", "away");
	rig_start(&r);
	cr_expect_not_null(feed_error(r.feed));
	tree_rename(&r.tree, "away", "r");
	tree_write(&r.tree, "r/a.yaml", MESH("one"));
	expect_change(&r, "it came");
	cr_expect(has_mesh(&r, "one"));
	rig_fini(&r);
}
