# SPDX-License-Identifier: LGPL-2.1-or-later
# containerd's shim: one of it for each pod, so it is small: static, libc and protobuf-c only
vp_shim_protos = \
	clients/shim/bootstrap.proto \
	clients/shim/cgroup.proto \
	clients/shim/event.proto \
	clients/shim/options.proto \
	clients/shim/pod.proto \
	clients/shim/sandbox.proto \
	clients/shim/task.proto
vp_shim_generated_c = $(vp_shim_protos:.proto=.pb-c.c)
vp_shim_generated_h = $(vp_shim_protos:.proto=.pb-c.h)
VP_SHIM_CPPFLAGS = -I$(srcdir)/clients/shim -I$(builddir)/clients/shim -I$(srcdir)/lib/common \
	$(VP_BUS_CPPFLAGS) $(VP_WIRE_CPPFLAGS)

bin_PROGRAMS += containerd-shim-virtpod-v2
noinst_LIBRARIES += libvp-shim.a libvp-shim-messages.a
nodist_libvp_shim_messages_a_SOURCES = $(vp_shim_generated_c) $(vp_shim_generated_h)
libvp_shim_messages_a_CPPFLAGS = $(VP_SHIM_CPPFLAGS)
libvp_shim_messages_a_CFLAGS = -w $(VP_STATIC_CFLAGS)
# everything but main(), for the unit tests too
libvp_shim_a_SOURCES = \
	clients/shim/shim-address.c clients/shim/shim-address.h \
	clients/shim/shim-bootstrap.c clients/shim/shim-bootstrap.h \
	clients/shim/shim-create.c \
	clients/shim/shim-daemon.c clients/shim/shim-daemon.h \
	clients/shim/shim-delete.c clients/shim/shim-delete.h \
	clients/shim/shim-event.c clients/shim/shim-event.h \
	clients/shim/shim-logger.c clients/shim/shim-logger.h \
	clients/shim/shim-loop.c clients/shim/shim-loop.h \
	clients/shim/shim-mount.c clients/shim/shim-mount.h \
	clients/shim/shim-op.c clients/shim/shim-op.h \
	clients/shim/shim-options.c clients/shim/shim-options.h \
	clients/shim/shim-pod.c clients/shim/shim-pod.h \
	clients/shim/shim-process.c \
	clients/shim/shim-runtime.c clients/shim/shim-runtime.h \
	clients/shim/shim-sandbox.c clients/shim/shim-sandbox.h clients/shim/shim-sandbox-private.h \
	clients/shim/shim-sandbox-life.c \
	clients/shim/shim-server.c clients/shim/shim-server.h \
	clients/shim/shim-stats.c clients/shim/shim-stats.h \
	clients/shim/shim-stream.c clients/shim/shim-stream.h \
	clients/shim/shim-task.c clients/shim/shim-task.h \
	clients/shim/shim-text.c clients/shim/shim-text.h \
	clients/shim/shim-uri.c clients/shim/shim-uri.h \
	clients/shim/shim-util.c clients/shim/shim-util.h \
	clients/shim/shim-verbs.c
libvp_shim_a_CPPFLAGS = $(AM_CPPFLAGS) $(VP_SHIM_CPPFLAGS)
libvp_shim_a_CFLAGS = $(AM_CFLAGS) $(VP_STATIC_CFLAGS)
containerd_shim_virtpod_v2_SOURCES = clients/shim/main.c
containerd_shim_virtpod_v2_CPPFLAGS = $(libvp_shim_a_CPPFLAGS)
containerd_shim_virtpod_v2_CFLAGS = $(libvp_shim_a_CFLAGS)
vp_shim_libs = libvp-shim.a libvp-bus.a libvp-shim-messages.a libvp-wire-static.a libvp-wire-messages-static.a
containerd_shim_virtpod_v2_LDADD = $(vp_shim_libs) $(PROTOBUF_C_LIBS)
if ENABLE_SANITIZERS
containerd_shim_virtpod_v2_LDFLAGS = $(AM_LDFLAGS) -no-pie
else
containerd_shim_virtpod_v2_LDFLAGS = -all-static -Wl,--gc-sections
endif

$(vp_shim_generated_c): clients/shim/%.pb-c.c: clients/shim/%.proto
	$(AM_V_GEN)$(MKDIR_P) clients/shim \
	  && $(PROTOC_C) -I$(srcdir)/clients/shim -I$(srcdir)/lib/wire --c_out=clients/shim $<
$(vp_shim_generated_h): clients/shim/%.pb-c.h: clients/shim/%.pb-c.c
	@test -f $@ || { rm -f $<; $(MAKE) $(AM_MAKEFLAGS) $<; }

EXTRA_DIST += $(vp_shim_protos)
BUILT_SOURCES += $(vp_shim_generated_c) $(vp_shim_generated_h)
CLEANFILES += $(vp_shim_generated_c) $(vp_shim_generated_h)
