# SPDX-License-Identifier: LGPL-2.1-or-later
# virtpod, the command: it sees the bus and nothing of the daemon
bin_PROGRAMS += virtpod
noinst_LTLIBRARIES += libvp-client.la

# what commands are made of; a library so that tests can link it
libvp_client_la_SOURCES = \
	clients/virtpod/vp-client.c clients/virtpod/vp-client.h \
	clients/virtpod/vp-command.c clients/virtpod/vp-command.h \
	clients/virtpod/vp-console-view.c clients/virtpod/vp-console-view.h \
	clients/virtpod/vp-create.c clients/virtpod/vp-create.h \
	clients/virtpod/vp-detach.c clients/virtpod/vp-detach.h \
	clients/virtpod/vp-json-text.c clients/virtpod/vp-json-text.h \
	clients/virtpod/vp-mount-option.c clients/virtpod/vp-mount-option.h \
	clients/virtpod/vp-net-namespace.c clients/virtpod/vp-net-namespace.h \
	clients/virtpod/vp-oci-options.c clients/virtpod/vp-oci-options.h \
	clients/virtpod/vp-output.c clients/virtpod/vp-output.h \
	clients/virtpod/vp-plain.c clients/virtpod/vp-plain.h \
	clients/virtpod/vp-program.c clients/virtpod/vp-program.h \
	clients/virtpod/vp-progress.c clients/virtpod/vp-progress.h \
	clients/virtpod/vp-relay.c clients/virtpod/vp-relay.h \
	clients/virtpod/vp-report.c clients/virtpod/vp-report.h \
	clients/virtpod/vp-signals.c clients/virtpod/vp-signals.h \
	clients/virtpod/vp-standin.c clients/virtpod/vp-standin.h \
	clients/virtpod/vp-stats-stream.c clients/virtpod/vp-stats-stream.h \
	clients/virtpod/vp-target.c clients/virtpod/vp-target.h \
	clients/virtpod/vp-tty.c clients/virtpod/vp-tty.h \
	clients/virtpod/vp-usage.c clients/virtpod/vp-usage.h
libvp_client_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/lib/common -I$(builddir)/lib/dbus -I$(srcdir)/clients/virtpod \
	-DVP_PKGLIBEXECDIR=\"$(pkglibexecdir)\"
libvp_client_la_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JSON_CFLAGS)
libvp_client_la_LIBADD = libvp-dbus.la libvp-common.la $(GLIB_LIBS) $(JSON_LIBS) $(LIBINTL)

virtpod_SOURCES = \
	clients/virtpod/main.c \
	clients/virtpod/cmd-attach.c \
	clients/virtpod/cmd-check.c \
	clients/virtpod/cmd-config.c \
	clients/virtpod/cmd-console.c \
	clients/virtpod/cmd-create.c \
	clients/virtpod/cmd-delete.c \
	clients/virtpod/cmd-events.c \
	clients/virtpod/cmd-exec.c \
	clients/virtpod/cmd-explain.c \
	clients/virtpod/cmd-features.c \
	clients/virtpod/cmd-inspect.c \
	clients/virtpod/cmd-k8s.c \
	clients/virtpod/cmd-kill.c \
	clients/virtpod/cmd-list.c \
	clients/virtpod/cmd-logs.c \
	clients/virtpod/cmd-network.c \
	clients/virtpod/cmd-pause.c \
	clients/virtpod/cmd-port-forward.c \
	clients/virtpod/cmd-prune.c \
	clients/virtpod/cmd-ps.c \
	clients/virtpod/cmd-run.c \
	clients/virtpod/cmd-spec.c \
	clients/virtpod/cmd-state.c \
	clients/virtpod/cmd-stats.c \
	clients/virtpod/cmd-stop.c \
	clients/virtpod/cmd-update.c \
	clients/virtpod/cmd-version.c \
	clients/virtpod/cmd-wait.c \
	clients/virtpod/cmd-xml.c \
	clients/virtpod/verbs.c
virtpod_CPPFLAGS = $(libvp_client_la_CPPFLAGS) -DLOCALEDIR=\"$(localedir)\" -DVP_BINDIR=\"$(bindir)\" \
	-DVP_SBINDIR=\"$(sbindir)\"
virtpod_CFLAGS = $(libvp_client_la_CFLAGS)
virtpod_LDADD = libvp-client.la $(GLIB_LIBS) $(JSON_LIBS) $(LIBINTL) -lm
