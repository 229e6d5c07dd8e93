# SPDX-License-Identifier: LGPL-2.1-or-later
# the daemon but for main(): edges, domain, front
noinst_LTLIBRARIES += libvp-daemon.la
libvp_daemon_la_SOURCES =
libvp_daemon_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/daemon -I$(srcdir)/lib/common $(VP_WIRE_CPPFLAGS)
libvp_daemon_la_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
libvp_daemon_la_LIBADD = libvp-common.la libvp-wire.la $(GLIB_LIBS)

# edge: the agent's channel, its calls, the streams of processes
libvp_daemon_la_SOURCES += \
	daemon/vp-agent-call.h \
	daemon/vp-agent-client.c daemon/vp-agent-client.h \
	daemon/vp-agent-client-rpcs.c \
	daemon/vp-agent-conn.c daemon/vp-agent-conn.h \
	daemon/vp-agent-error.c daemon/vp-agent-error.h
libvp_daemon_la_SOURCES += \
	daemon/vp-stdio.c daemon/vp-stdio.h \
	daemon/vp-stdio-end.c daemon/vp-stdio-end.h \
	daemon/vp-stdio-input.c daemon/vp-stdio-input.h \
	daemon/vp-stdio-output.c daemon/vp-stdio-output.h \
	daemon/vp-stdio-ring.c daemon/vp-stdio-ring.h
