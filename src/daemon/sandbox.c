/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of system calls that serving needs; what is not on it fails as not
 * permitted, and what only an attacker would call ends the process.  An
 * unknown call of a newer libc therefore degrades and does not kill.  Main
 * thread.
 */

#include "daemon/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

static bool
become(const struct passwd *pw)
{
	if (initgroups(pw->pw_name, pw->pw_gid) == -1 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1) {
		log_error(pw->pw_name, "cannot become this user: %s",
		    strerror(errno));
		return false;
	}
	/* If that can be undone, it was not done. */
	if (pw->pw_uid != 0 && setuid(0) != -1) {
		log_error(pw->pw_name, "root could be had back");
		return false;
	}
	return true;
}

/* NULL: there is none, and the log says so. */
static const struct passwd *
find(const char *user)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL)
		log_error(user, "option user: %s",
		    errno != 0 ? strerror(errno) : "there is no such user");
	return pw;
}

bool
sandbox_give(const char *path, const char *user)
{
	const struct passwd *pw;

	if (user[0] == '\0' || geteuid() != 0)
		return true;
	pw = find(user);
	if (pw == NULL)
		return false;
	if (lchown(path, pw->pw_uid, pw->pw_gid) == 0)
		return true;
	log_error(path, "cannot be given to %s: %s", user, strerror(errno));
	return false;
}

bool
sandbox_become(const char *user)
{
	const struct passwd *pw;

	if (user[0] == '\0')
		return true;
	pw = find(user);
	if (pw == NULL)
		return false;
	if (geteuid() == pw->pw_uid)
		return true;
	if (geteuid() != 0) {
		log_warn(user, "option user: only root can become another "
			       "user; going on as before");
		return true;
	}
	return become(pw);
}

static const int allowed[] = {
#define ALLOWED(name) SCMP_SYS(name),
#define DEADLY(name)
#include "daemon/syscalls.tbl.h"
};

static const int deadly[] = {
#define ALLOWED(name)
#define DEADLY(name) SCMP_SYS(name),
#include "daemon/syscalls.tbl.h"
};

/* Calls that this machine does not have are no error. */
static int
add_all(scmp_filter_ctx ctx, uint32_t action, const int *v, size_t n)
{
	size_t i;
	int error;

	for (i = 0; i < n; i++) {
		error = seccomp_rule_add(ctx, action, v[i], 0);
		if (error != 0 && error != -EDOM && error != -EFAULT)
			return error;
	}
	return 0;
}

static int
load(scmp_filter_ctx ctx)
{
	int error;

	error = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (error == 0)
		error =
		    add_all(ctx, SCMP_ACT_ALLOW, allowed, ARRAY_LEN(allowed));
	if (error == 0)
		error = add_all(
		    ctx, SCMP_ACT_KILL_PROCESS, deadly, ARRAY_LEN(deadly));
	if (error == 0)
		error = seccomp_load(ctx);
	return error;
}

bool
sandbox_enter(void)
{
	scmp_filter_ctx ctx;
	int error = -ENOMEM;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		log_error("sandbox", "no_new_privs: %s", strerror(errno));
		return false;
	}
	if (IS_SANITIZED) {
		log_warn("sandbox", "not entered: built with a sanitizer");
		return true;
	}
	ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (ctx != NULL)
		error = load(ctx);
	seccomp_release(ctx);
	if (error == 0)
		return true;
	log_error("sandbox",
	    "%s; `sandbox = false` does without, if this kernel cannot",
	    strerror(-error));
	return false;
}
