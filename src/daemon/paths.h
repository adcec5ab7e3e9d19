/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_PATHS_H
#define DAEMON_PATHS_H

/* Where things are by default; the build says where its folders are. */

#ifndef ZEGRESS_SYSCONFDIR
#define ZEGRESS_SYSCONFDIR "/etc"
#endif
#ifndef ZEGRESS_LOCALSTATEDIR
#define ZEGRESS_LOCALSTATEDIR "/var"
#endif
#ifndef ZEGRESS_RUNSTATEDIR
#define ZEGRESS_RUNSTATEDIR "/run"
#endif

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "development"
#endif

#define DEFAULT_CONFIG ZEGRESS_SYSCONFDIR "/zegress/zegressd.conf"

#endif
