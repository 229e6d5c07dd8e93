# SPDX-License-Identifier: LGPL-2.1-or-later
# the daemon except main (): each owner of rooms adds a block of sources
noinst_LTLIBRARIES += libvp-daemon.la
libvp_daemon_la_SOURCES =
libvp_daemon_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/lib/common -I$(srcdir)/model -I$(srcdir)/daemon
libvp_daemon_la_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(LIBVIRT_CFLAGS) $(XML_CFLAGS)
libvp_daemon_la_LIBADD = $(GLIB_LIBS) $(LIBVIRT_LIBS) $(XML_LIBS)

# the libvirt door, and what needs no other room: threads, process watches, the console, notifications
libvp_daemon_la_SOURCES += \
	daemon/vp-console.c daemon/vp-console.h \
	daemon/vp-pidwatch.c daemon/vp-pidwatch.h \
	daemon/vp-sdnotify.c daemon/vp-sdnotify.h \
	daemon/vp-virt.c daemon/vp-virt.h daemon/vp-virt-private.h \
	daemon/vp-virt-domain.c \
	daemon/vp-virt-embed.c daemon/vp-virt-embed.h \
	daemon/vp-virt-error.c daemon/vp-virt-error.h \
	daemon/vp-virt-events.c \
	daemon/vp-virt-facts.c \
	daemon/vp-virt-lives.c \
	daemon/vp-virt-pid.c \
	daemon/vp-virt-xml.c daemon/vp-virt-xml.h \
	daemon/vp-worker.c daemon/vp-worker.h
