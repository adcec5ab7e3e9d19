/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main of a fuzz driver where libFuzzer is not: it hands over each file
 * named, and each file of a folder named, once.  No input is made up here.
 */

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

#define PATH_BYTES 4096

/* The bytes of a file, in a block of just that size so that overruns show. */
static uint8_t *
read_file(FILE *f, size_t *n)
{
	uint8_t *bytes = NULL, *exact;
	size_t cap = 0, got;

	*n = 0;
	do {
		cap = cap * 2 + 4096;
		bytes = realloc(bytes, cap);
		FUZZ_CHECK(bytes != NULL);
		got = fread(bytes + *n, 1, cap - *n, f);
		*n += got;
	} while (got > 0);
	exact = malloc(*n > 0 ? *n : 1);
	FUZZ_CHECK(exact != NULL);
	memcpy(exact, bytes, *n);
	free(bytes);
	return exact;
}

/* How many inputs were run; -1 when path cannot be read. */
static int
run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes;
	size_t n;

	if (f == NULL) {
		perror(path);
		return -1;
	}
	bytes = read_file(f, &n);
	fclose(f);
	/* Before the call: the last name printed is the one that crashed. */
	printf("%s: %zu bytes\n", path, n);
	fflush(stdout);
	LLVMFuzzerTestOneInput(bytes, n);
	free(bytes);
	return 1;
}

static int
run_folder(DIR *folder, const char *name)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	int done = 0;

	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", name,
			entry->d_name) >= (int)sizeof(path) ||
		    run_file(path) == -1)
			return -1;
		done++;
	}
	return done;
}

int
main(int argc, char **argv)
{
	int i, n, done = 0;
	DIR *folder;

	for (i = 1; i < argc; i++) {
		folder = opendir(argv[i]);
		n = folder == NULL ? run_file(argv[i])
				   : run_folder(folder, argv[i]);
		if (folder != NULL)
			closedir(folder);
		if (n == -1)
			return 1;
		done += n;
	}
	printf("%d inputs\n", done);
	return done > 0 ? 0 : 1;
}
