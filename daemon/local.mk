# SPDX-License-Identifier: LGPL-2.1-or-later
# the daemon but for main (): edges, domain, front. Who links it lists the layers below it too.
noinst_LTLIBRARIES += libvp-daemon.la
libvp_daemon_la_SOURCES =
libvp_daemon_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/daemon -I$(srcdir)/drivers -I$(srcdir)/model \
	-I$(srcdir)/lib/common -I$(builddir)/lib/dbus $(VP_WIRE_CPPFLAGS)
libvp_daemon_la_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(LIBVIRT_CFLAGS) $(XML_CFLAGS) $(NL_CFLAGS)
libvp_daemon_la_LIBADD = $(GLIB_LIBS) $(LIBVIRT_LIBS) $(XML_LIBS) $(NL_LIBS)

# edge: the libvirt door, and what needs no other room: threads, process watches, the console, notifications
libvp_daemon_la_SOURCES += \
	daemon/vp-cgroup.c daemon/vp-cgroup.h daemon/vp-cgroup-private.h \
	daemon/vp-cgroup-device.c \
	daemon/vp-cgroup-hierarchy.c \
	daemon/vp-check.c daemon/vp-check.h daemon/vp-check-private.h \
	daemon/vp-check-guest.c \
	daemon/vp-check-host.c \
	daemon/vp-console.c daemon/vp-console.h \
	daemon/vp-console-reader.c daemon/vp-console-reader.h \
	daemon/vp-fdstore.c daemon/vp-fdstore.h \
	daemon/vp-hook.c daemon/vp-hook.h \
	daemon/vp-net.c daemon/vp-net.h \
	daemon/vp-net-door.c daemon/vp-net-door.h \
	daemon/vp-net-file.c daemon/vp-net-file.h \
	daemon/vp-net-macvtap.c daemon/vp-net-macvtap.h \
	daemon/vp-net-nl.c daemon/vp-net-nl.h \
	daemon/vp-net-leftover.c daemon/vp-net-leftover.h \
	daemon/vp-net-ns.c daemon/vp-net-ns.h \
	daemon/vp-net-rate.c daemon/vp-net-rate.h \
	daemon/vp-net-scan.c daemon/vp-net-scan.h \
	daemon/vp-net-stats.c daemon/vp-net-stats.h \
	daemon/vp-net-steer.c daemon/vp-net-steer.h \
	daemon/vp-net-tap.c daemon/vp-net-tap.h \
	daemon/vp-net-tc.c daemon/vp-net-tc.h \
	daemon/vp-net-watch.c daemon/vp-net-watch.h \
	daemon/vp-pidwatch.c daemon/vp-pidwatch.h \
	daemon/vp-listen-fds.c daemon/vp-listen-fds.h \
	daemon/vp-sdnotify.c daemon/vp-sdnotify.h \
	daemon/vp-virt.c daemon/vp-virt.h daemon/vp-virt-private.h \
	daemon/vp-virt-call.c \
	daemon/vp-virt-destroy.c \
	daemon/vp-virt-device.c \
	daemon/vp-virt-domain.c \
	daemon/vp-virt-doom.c \
	daemon/vp-virt-embed.c daemon/vp-virt-embed.h \
	daemon/vp-virt-error.c daemon/vp-virt-error.h \
	daemon/vp-virt-events.c \
	daemon/vp-virt-facts.c \
	daemon/vp-virt-husk.c daemon/vp-virt-husk.h \
	daemon/vp-virt-lives.c \
	daemon/vp-virt-pid.c \
	daemon/vp-virt-xml.c daemon/vp-virt-xml.h \
	daemon/vp-worker.c daemon/vp-worker.h

# edge: the agent's channel, its calls, the streams of processes
libvp_daemon_la_SOURCES += \
	daemon/vp-agent-address.c daemon/vp-agent-address.h \
	daemon/vp-agent-call.h \
	daemon/vp-agent-client.c daemon/vp-agent-client.h \
	daemon/vp-agent-client-private.h \
	daemon/vp-agent-client-container.c \
	daemon/vp-agent-client-network.c \
	daemon/vp-agent-client-open.c \
	daemon/vp-agent-client-rpcs.c \
	daemon/vp-agent-conn.c daemon/vp-agent-conn.h \
	daemon/vp-agent-conn-private.h \
	daemon/vp-agent-conn-open.c \
	daemon/vp-agent-error.c daemon/vp-agent-error.h \
	daemon/vp-agent-stats.c daemon/vp-agent-stats.h \
	daemon/vp-stdio.c daemon/vp-stdio.h \
	daemon/vp-stdio-end.c daemon/vp-stdio-end.h \
	daemon/vp-stdio-input.c daemon/vp-stdio-input.h \
	daemon/vp-stdio-output.c daemon/vp-stdio-output.h \
	daemon/vp-stdio-ring.c daemon/vp-stdio-ring.h

# edge: records on disk
libvp_daemon_la_SOURCES += \
	daemon/vp-store.c daemon/vp-store.h

# domain: process < container < sandbox < manager
libvp_daemon_la_SOURCES += \
	daemon/vp-states.c daemon/vp-states.h \
	daemon/vp-standin-watch.c daemon/vp-standin-watch.h \
	daemon/vp-streams.c daemon/vp-streams.h \
	daemon/vp-waiters.c daemon/vp-waiters.h \
	daemon/vp-process.c daemon/vp-process.h \
	daemon/vp-container.c daemon/vp-container.h daemon/vp-container-private.h \
	daemon/vp-container-connect.c daemon/vp-container-connect.h \
	daemon/vp-container-copy.c daemon/vp-container-copy.h \
	daemon/vp-guest-worker.c daemon/vp-guest-worker.h \
	daemon/vp-container-exec.c \
	daemon/vp-container-pause.c \
	daemon/vp-container-hooks.c \
	daemon/vp-container-prepare.c \
	daemon/vp-container-update.c \
	daemon/vp-container-restore.c \
	daemon/vp-sandbox.c daemon/vp-sandbox.h daemon/vp-sandbox-private.h \
	daemon/vp-sandbox-agent.c \
	daemon/vp-sandbox-attach.c \
	daemon/vp-sandbox-detach.c \
	daemon/vp-sandbox-cgroup.c \
	daemon/vp-sandbox-door.c \
	daemon/vp-sandbox-end.c \
	daemon/vp-sandbox-forward.c \
	daemon/vp-sandbox-get.c \
	daemon/vp-sandbox-heartbeat.c \
	daemon/vp-sandbox-iptables.c \
	daemon/vp-sandbox-look.c \
	daemon/vp-sandbox-netns.c \
	daemon/vp-sandbox-network.c \
	daemon/vp-sandbox-nics.c \
	daemon/vp-sandbox-oom.c \
	daemon/vp-sandbox-pause.c \
	daemon/vp-sandbox-plan.c \
	daemon/vp-sandbox-record.c \
	daemon/vp-sandbox-rescan.c \
	daemon/vp-sandbox-restore.c \
	daemon/vp-sandbox-shutdown.c \
	daemon/vp-sandbox-start.c \
	daemon/vp-sandbox-stats.c \
	daemon/vp-sandbox-steps.c \
	daemon/vp-sandbox-remove.c \
	daemon/vp-sandbox-stop.c \
	daemon/vp-sandbox-watch.c \
	daemon/vp-manager.c daemon/vp-manager.h \
	daemon/vp-manager-explain.c \
	daemon/vp-manager-prune.c \
	daemon/vp-manager-stats.c \
	daemon/vp-memory.c daemon/vp-memory.h \
	daemon/vp-recovery.c daemon/vp-recovery.h

# front: the bus
libvp_daemon_la_SOURCES += \
	daemon/vp-bouncer.c daemon/vp-bouncer.h \
	daemon/vp-bouncer-caller.c daemon/vp-bouncer-caller.h \
	daemon/vp-bouncer-polkit.c daemon/vp-bouncer-polkit.h \
	daemon/vp-bouncer-table.c daemon/vp-bouncer-table.h \
	daemon/vp-dbus.h \
	daemon/vp-dbus-args.c daemon/vp-dbus-args.h \
	daemon/vp-dbus-admin.c \
	daemon/vp-dbus-container.c \
	daemon/vp-dbus-container-exec.c \
	daemon/vp-dbus-container-verbs.c \
	daemon/vp-dbus-guard.c daemon/vp-dbus-guard.h \
	daemon/vp-dbus-job.c daemon/vp-dbus-job.h \
	daemon/vp-dbus-events.c \
	daemon/vp-dbus-log-control.c daemon/vp-dbus-log-control.h \
	daemon/vp-dbus-manager.c \
	daemon/vp-dbus-manager-verbs.c \
	daemon/vp-dbus-network-args.c daemon/vp-dbus-network-args.h \
	daemon/vp-dbus-objects.c daemon/vp-dbus-objects.h \
	daemon/vp-dbus-peer.c daemon/vp-dbus-peer.h \
	daemon/vp-dbus-peer-bus.c daemon/vp-dbus-peer-bus.h \
	daemon/vp-dbus-process.c \
	daemon/vp-dbus-verbs.h \
	daemon/vp-dbus-reply.c daemon/vp-dbus-reply.h \
	daemon/vp-dbus-sandbox.c \
	daemon/vp-dbus-sandbox-network.c \
	daemon/vp-dbus-sandbox-verbs.c \
	daemon/vp-dbus-server.c

# composition root
libvp_daemon_la_SOURCES += \
	daemon/vp-daemon.c daemon/vp-daemon.h

# prints the table of states into docs/states.md, which is kept in the source
# tree; test-docs says when it is behind
noinst_PROGRAMS += daemon/vp-states-doc
daemon_vp_states_doc_SOURCES = daemon/vp-states-doc.c
daemon_vp_states_doc_CPPFLAGS = $(libvp_daemon_la_CPPFLAGS)
daemon_vp_states_doc_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
daemon_vp_states_doc_LDADD = $(virtpodd_LDADD)
noinst_DATA += daemon/states.stamp
CLEANFILES += daemon/states.stamp
daemon/states.stamp: daemon/vp-states-doc$(EXEEXT) $(srcdir)/docs/states.md
	$(AM_V_GEN)daemon/vp-states-doc$(EXEEXT) $(srcdir)/docs/states.md > $@.tmp && \
	if ! cmp -s $@.tmp $(srcdir)/docs/states.md && test -w $(srcdir)/docs; then \
		cat $@.tmp > $(srcdir)/docs/states.md; fi && rm -f $@.tmp && touch $@

# our layers in link order, for programs that are (or test) the daemon
vp_daemon_libs = libvp-daemon.la libvp-drivers.la libvp-model.la libvp-dbus.la libvp-wire.la libvp-common.la

sbin_PROGRAMS += virtpodd
virtpodd_SOURCES = daemon/main.c
if ENABLE_TSAN
virtpodd_SOURCES += tests/lib/tsan-glib.c
endif
virtpodd_CPPFLAGS = $(libvp_daemon_la_CPPFLAGS)
virtpodd_CFLAGS = $(libvp_daemon_la_CFLAGS)
virtpodd_LDADD = $(vp_daemon_libs) $(GLIB_LIBS) $(XML_LIBS) $(LIBVIRT_LIBS) $(MOUNT_LIBS) $(PROTOBUF_C_LIBS)
