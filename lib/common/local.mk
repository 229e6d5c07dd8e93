# SPDX-License-Identifier: LGPL-2.1-or-later
# the ground: GLib only, no noun of ours
noinst_LTLIBRARIES += libvp-common.la
libvp_common_la_SOURCES = \
	lib/common/vp-names.h \
	lib/common/vp-bucket.c lib/common/vp-bucket.h \
	lib/common/vp-error.c lib/common/vp-error.h \
	lib/common/vp-event.c lib/common/vp-event.h \
	lib/common/vp-fd.c lib/common/vp-fd.h \
	lib/common/vp-failpoint.c lib/common/vp-failpoint.h \
	lib/common/vp-id.c lib/common/vp-id.h \
	lib/common/vp-journal.c lib/common/vp-journal.h \
	lib/common/vp-log.c lib/common/vp-log.h lib/common/vp-log-private.h \
	lib/common/vp-mount-ns.c lib/common/vp-mount-ns.h \
	lib/common/vp-signal.c lib/common/vp-signal.h \
	lib/common/vp-source.h \
	lib/common/vp-steps.c lib/common/vp-steps.h
libvp_common_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/lib/common
libvp_common_la_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
libvp_common_la_LIBADD = $(GLIB_LIBS)
