# SPDX-License-Identifier: LGPL-2.1-or-later
# the guest's agent: one static file, libc and protobuf-c only
vp_agent_sources = \
	guest/agent/agent.h \
	guest/agent/agent-address.c guest/agent/agent-address.h \
	guest/agent/agent-bundle.c guest/agent/agent-bundle.h \
	guest/agent/agent-cgroup.c guest/agent/agent-cgroup.h \
	guest/agent/agent-channel.c guest/agent/agent-channel.h \
	guest/agent/agent-connect-worker.c guest/agent/agent-connect-worker.h \
	guest/agent/agent-console.c guest/agent/agent-console.h \
	guest/agent/agent-container.c guest/agent/agent-container.h \
	guest/agent/agent-container-create.c \
	guest/agent/agent-copy.c guest/agent/agent-copy.h \
	guest/agent/agent-crun.c guest/agent/agent-crun.h \
	guest/agent/agent-details.c guest/agent/agent-details.h \
	guest/agent/agent-diagnostic.c guest/agent/agent-diagnostic.h \
	guest/agent/agent-failure.c guest/agent/agent-failure.h \
	guest/agent/agent-freeze.c guest/agent/agent-freeze.h \
	guest/agent/agent-inet.c guest/agent/agent-inet.h \
	guest/agent/agent-init.c guest/agent/agent-init.h \
	guest/agent/agent-interface-rpc.c \
	guest/agent/agent-io.c guest/agent/agent-io.h \
	guest/agent/agent-iptables.c guest/agent/agent-iptables.h \
	guest/agent/agent-json.c guest/agent/agent-json.h \
	guest/agent/agent-link.c guest/agent/agent-link.h \
	guest/agent/agent-log.c guest/agent/agent-log.h \
	guest/agent/agent-loop.c guest/agent/agent-loop.h \
	guest/agent/agent-metrics.c guest/agent/agent-metrics.h \
	guest/agent/agent-modprobe.c guest/agent/agent-modprobe.h \
	guest/agent/agent-module.c guest/agent/agent-module.h \
	guest/agent/agent-neighbour-rpc.c \
	guest/agent/agent-netlink.c guest/agent/agent-netlink.h \
	guest/agent/agent-network.h \
	guest/agent/agent-oom.c \
	guest/agent/agent-openat2.c guest/agent/agent-openat2.h \
	guest/agent/agent-pause.c guest/agent/agent-pause.h \
	guest/agent/agent-piece.c guest/agent/agent-piece.h \
	guest/agent/agent-port.c guest/agent/agent-port.h \
	guest/agent/agent-process.c guest/agent/agent-process.h \
	guest/agent/agent-process-rpc.c guest/agent/agent-process-rpc.h \
	guest/agent/agent-reaper.c guest/agent/agent-reaper.h \
	guest/agent/agent-route.c guest/agent/agent-route.h \
	guest/agent/agent-route-rpc.c \
	guest/agent/agent-rpc.c guest/agent/agent-rpc.h \
	guest/agent/agent-sandbox.c guest/agent/agent-sandbox.h \
	guest/agent/agent-sched.c guest/agent/agent-sched.h \
	guest/agent/agent-stats.c guest/agent/agent-stats.h \
	guest/agent/agent-storage.c guest/agent/agent-storage.h \
	guest/agent/agent-table.c \
	guest/agent/agent-tar.c guest/agent/agent-tar.h guest/agent/agent-tar-private.h \
	guest/agent/agent-tar-create.c \
	guest/agent/agent-tar-extract.c \
	guest/agent/agent-tar-header.c guest/agent/agent-tar-header.h \
	guest/agent/agent-tar-reader.c guest/agent/agent-tar-reader.h \
	guest/agent/agent-tar-worker.c guest/agent/agent-tar-worker.h \
	guest/agent/agent-util.c guest/agent/agent-util.h

pkglibexec_PROGRAMS += virtpod-agent
noinst_LIBRARIES += libvp-agent.a
# everything but main(), for the unit tests too
libvp_agent_a_SOURCES = $(vp_agent_sources)
libvp_agent_a_CPPFLAGS = $(AM_CPPFLAGS) $(VP_WIRE_CPPFLAGS) -I$(srcdir)/guest/agent
libvp_agent_a_CFLAGS = $(AM_CFLAGS) $(VP_STATIC_CFLAGS)
virtpod_agent_SOURCES = guest/agent/main.c
virtpod_agent_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
virtpod_agent_CFLAGS = $(libvp_agent_a_CFLAGS)
if ENABLE_SANITIZERS
# sanitizers need their shared run-time: such an agent is for tests on the host
virtpod_agent_LDFLAGS = $(AM_LDFLAGS) -no-pie
else
virtpod_agent_LDFLAGS = -all-static -Wl,--gc-sections
endif
virtpod_agent_LDADD = libvp-agent.a libvp-wire-static.a libvp-wire-messages-static.a $(PROTOBUF_C_LIBS)
