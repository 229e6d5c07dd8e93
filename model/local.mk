# SPDX-License-Identifier: LGPL-2.1-or-later
# values only: parse, validate, format, free
noinst_LTLIBRARIES += libvp-model.la
libvp_model_la_SOURCES = \
	model/vp-annotation.c model/vp-annotation.h \
	model/vp-annotation-apply.c model/vp-annotation-apply.h \
	model/vp-annotation-describe.c \
	model/vp-annotation-params.c \
	model/vp-annotation-resource.c model/vp-annotation-resource.h \
	model/vp-annotation-table.c model/vp-annotation-table.h \
	model/vp-annotation-value.c model/vp-annotation-value.h \
	model/vp-config.c model/vp-config.h \
	model/vp-config-describe.c \
	model/vp-config-file.c \
	model/vp-config-handler.c \
	model/vp-config-key.c \
	model/vp-config-private.h \
	model/vp-config-table.c model/vp-config-table.h \
	model/vp-config-unused.c \
	model/vp-config-value.c \
	model/vp-container-plan.c model/vp-container-plan.h \
	model/vp-decision.c model/vp-decision.h \
	model/vp-facts.c model/vp-facts.h \
	model/vp-guest-storage.c model/vp-guest-storage.h \
	model/vp-host-bind.c model/vp-host-bind.h \
	model/vp-json.c model/vp-json.h \
	model/vp-json-private.h \
	model/vp-json-member.c \
	model/vp-json-read.c \
	model/vp-json-writer.c model/vp-json-writer.h \
	model/vp-kata-import.c model/vp-kata-import.h \
	model/vp-kata-import-table.c model/vp-kata-import-table.h \
	model/vp-key-file.c model/vp-key-file.h \
	model/vp-network.c model/vp-network.h \
	model/vp-node-set.c model/vp-node-set.h \
	model/vp-oci-state.c model/vp-oci-state.h \
	model/vp-partition.c \
	model/vp-plan.c model/vp-plan.h \
	model/vp-plan-cpu.c \
	model/vp-plan-device.c model/vp-plan-device.h \
	model/vp-plan-text.c \
	model/vp-record.c model/vp-record.h \
	model/vp-record-read.c \
	model/vp-spec.c model/vp-spec.h model/vp-spec-private.h \
	model/vp-spec-check.c \
	model/vp-spec-describe.c \
	model/vp-spec-exec.c \
	model/vp-spec-hooks.c \
	model/vp-spec-linux.c \
	model/vp-spec-mount.c \
	model/vp-spec-process.c \
	model/vp-spec-rules.c model/vp-spec-rules.h \
	model/vp-spec-rules-linux.c \
	model/vp-spec-sandbox.c \
	model/vp-spec-table.c model/vp-spec-table.h model/vp-spec-table-macros.h \
	model/vp-spec-table-linux.c \
	model/vp-spec-update.c model/vp-spec-update.h \
	model/vp-toml.c model/vp-toml.h \
	model/vp-uplink.c model/vp-uplink.h \
	model/vp-verity.c model/vp-verity.h
libvp_model_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/lib/common -I$(srcdir)/model \
	-DVP_GUESTDIR=\"$(guestdir)\" -DVP_PKGCONFDIR=\"$(pkgconfdir)\"
libvp_model_la_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
libvp_model_la_LIBADD = libvp-common.la $(GLIB_LIBS)

# prints data/virtpod.conf.in and the manual page's list of keys; the first is
# kept in the source tree and test-config says when it is behind the table
noinst_PROGRAMS += model/vp-config-doc
model_vp_config_doc_SOURCES = model/vp-config-doc.c
model_vp_config_doc_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/model
model_vp_config_doc_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
model_vp_config_doc_LDADD = libvp-model.la $(GLIB_LIBS)

EXTRA_DIST += data/virtpod.conf.in
nodist_pkgconf_DATA = data/virtpod.conf
CLEANFILES += data/virtpod.conf
data/virtpod.conf: data/virtpod.conf.in Makefile
	$(AM_V_GEN)$(MKDIR_P) data && \
		$(SED) -e 's|@guestdir[@]|$(guestdir)|g' $(srcdir)/data/virtpod.conf.in > $@.tmp && mv $@.tmp $@
