# SPDX-License-Identifier: LGPL-2.1-or-later
# virtpod, the command: it sees the bus and nothing of the daemon
bin_PROGRAMS += virtpod
virtpod_SOURCES = \
	clients/virtpod/main.c \
	clients/virtpod/cmd-config.c \
	clients/virtpod/cmd-delete.c \
	clients/virtpod/cmd-exec.c \
	clients/virtpod/cmd-explain.c \
	clients/virtpod/cmd-inspect.c \
	clients/virtpod/cmd-kill.c \
	clients/virtpod/cmd-list.c \
	clients/virtpod/cmd-run.c \
	clients/virtpod/cmd-state.c \
	clients/virtpod/cmd-stop.c \
	clients/virtpod/cmd-version.c \
	clients/virtpod/cmd-xml.c \
	clients/virtpod/vp-client.c clients/virtpod/vp-client.h \
	clients/virtpod/vp-command.c clients/virtpod/vp-command.h \
	clients/virtpod/vp-json-text.c clients/virtpod/vp-json-text.h \
	clients/virtpod/vp-progress.c clients/virtpod/vp-progress.h \
	clients/virtpod/vp-relay.c clients/virtpod/vp-relay.h \
	clients/virtpod/vp-signals.c clients/virtpod/vp-signals.h \
	clients/virtpod/vp-tty.c clients/virtpod/vp-tty.h
virtpod_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/lib/common -I$(builddir)/lib/dbus -I$(srcdir)/clients/virtpod \
	-DLOCALEDIR=\"$(localedir)\" -DVP_SBINDIR=\"$(sbindir)\"
virtpod_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JSON_CFLAGS)
virtpod_LDADD = libvp-dbus.la libvp-common.la $(GLIB_LIBS) $(JSON_LIBS) $(LIBINTL)
