# SPDX-License-Identifier: LGPL-2.1-or-later
# the wire: ttrpc and the messages of the agent protocol, shared by the daemon
# and the guest agent. libc and protobuf-c only.
vp_wire_protos = \
	lib/wire/agent.proto \
	lib/wire/csi.proto \
	lib/wire/google.proto \
	lib/wire/health.proto \
	lib/wire/oci.proto \
	lib/wire/status.proto \
	lib/wire/ttrpc.proto \
	lib/wire/types.proto
vp_wire_generated_c = $(vp_wire_protos:.proto=.pb-c.c)
vp_wire_generated_h = $(vp_wire_protos:.proto=.pb-c.h)
vp_wire_sources = \
	lib/wire/vp-agent-names.h \
	lib/wire/vp-frame.c lib/wire/vp-frame.h \
	lib/wire/vp-json-scan.c lib/wire/vp-json-scan.h \
	lib/wire/vp-message.c lib/wire/vp-message.h \
	lib/wire/vp-message-json.c lib/wire/vp-message-json.h \
	lib/wire/vp-oci-names.c lib/wire/vp-oci-names.h \
	lib/wire/vp-rpc.c lib/wire/vp-rpc.h \
	lib/wire/vp-sync.c lib/wire/vp-sync.h \
	lib/wire/vp-ttrpc.c lib/wire/vp-ttrpc.h \
	lib/wire/vp-ttrpc-client.c lib/wire/vp-ttrpc-client.h \
	lib/wire/vp-ttrpc-server.c lib/wire/vp-ttrpc-server.h

# For everyone who includes a header of this folder. The OCI messages have a
# field named linux, which is a predefined macro in gnu C.
VP_WIRE_CPPFLAGS = -I$(builddir)/lib/wire -I$(srcdir)/lib/wire $(PROTOBUF_C_CFLAGS) -Ulinux

noinst_LTLIBRARIES += libvp-wire.la libvp-wire-messages.la
# protoc-c's output is not ours to keep free of warnings
nodist_libvp_wire_messages_la_SOURCES = $(vp_wire_generated_c) $(vp_wire_generated_h)
libvp_wire_messages_la_CPPFLAGS = $(VP_WIRE_CPPFLAGS)
libvp_wire_messages_la_CFLAGS = -w
libvp_wire_la_SOURCES = $(vp_wire_sources)
libvp_wire_la_CPPFLAGS = $(AM_CPPFLAGS) $(VP_WIRE_CPPFLAGS)
libvp_wire_la_CFLAGS = $(AM_CFLAGS)
libvp_wire_la_LIBADD = libvp-wire-messages.la $(PROTOBUF_C_LIBS)

# the same for the guest agent, which is one static file: no libtool, not PIC
noinst_LIBRARIES = libvp-wire-static.a libvp-wire-messages-static.a
nodist_libvp_wire_messages_static_a_SOURCES = $(vp_wire_generated_c) $(vp_wire_generated_h)
libvp_wire_messages_static_a_CPPFLAGS = $(VP_WIRE_CPPFLAGS)
libvp_wire_messages_static_a_CFLAGS = -w $(VP_STATIC_CFLAGS)
libvp_wire_static_a_SOURCES = $(vp_wire_sources)
libvp_wire_static_a_CPPFLAGS = $(AM_CPPFLAGS) $(VP_WIRE_CPPFLAGS)
libvp_wire_static_a_CFLAGS = $(AM_CFLAGS) $(VP_STATIC_CFLAGS)
# every function in a section of its own: what the agent does not call is dropped
VP_STATIC_CFLAGS = -fno-pie -ffunction-sections -fdata-sections

$(vp_wire_generated_c): lib/wire/%.pb-c.c: lib/wire/%.proto
	$(AM_V_GEN)$(MKDIR_P) lib/wire && $(PROTOC_C) -I$(srcdir)/lib/wire --c_out=lib/wire $<
$(vp_wire_generated_h): lib/wire/%.pb-c.h: lib/wire/%.pb-c.c
	@test -f $@ || { rm -f $<; $(MAKE) $(AM_MAKEFLAGS) $<; }

EXTRA_DIST += $(vp_wire_protos)
BUILT_SOURCES += $(vp_wire_generated_c) $(vp_wire_generated_h)
CLEANFILES += $(vp_wire_generated_c) $(vp_wire_generated_h)
