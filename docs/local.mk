# SPDX-License-Identifier: LGPL-2.1-or-later
# manual pages and the D-Bus reference are made from text; the rest is read as it is
dist_doc_DATA = docs/agent.md docs/annotations.md docs/architecture.md docs/containerd.md docs/drivers.md docs/errors.md docs/kubernetes.md docs/network.md docs/performance.md docs/security.md \
	docs/spec.md docs/states.md docs/store.md docs/threads.md docs/validation.md

man_rst = docs/containerd-shim-virtpod-v2.8.rst docs/virtpod.1.rst docs/virtpodd.8.rst docs/virtpod.conf.5.rst
EXTRA_DIST += $(man_rst)
if HAVE_RST2MAN
man_MANS += $(man_rst:.rst=)
CLEANFILES += $(man_rst:.rst=)

docs/containerd-shim-virtpod-v2.8: docs/containerd-shim-virtpod-v2.8.rst
	$(make_man)
docs/virtpod.1: docs/virtpod.1.rst
	$(make_man)
docs/virtpodd.8: docs/virtpodd.8.rst
	$(make_man)
# the keys come from the table that the daemon parses with
docs/virtpod.conf.5: docs/virtpod.conf.5.rst model/vp-config-doc$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs && model/vp-config-doc$(EXEEXT) --rst > $@.keys && \
	$(SED) -e '/^\.\. the build puts/{s/.*//' -e 'r $@.keys' -e '}' $< > $@.full && \
	$(RST2MAN) --strict $@.full $@.tmp && mv $@.tmp $@ && rm -f $@.keys $@.full
make_man = $(AM_V_GEN)$(MKDIR_P) docs && $(RST2MAN) --strict $< $@.tmp && mv $@.tmp $@
endif

# one page an interface, named after it
dbusdocdir = $(docdir)/dbus
dbusdoc_DATA = $(vp_dbus_xml:data/%.xml=docs/dbus/%.rst)
CLEANFILES += $(dbusdoc_DATA)
docs/dbus/%.rst: data/%.xml
	$(AM_V_GEN)$(MKDIR_P) docs/dbus && \
	$(GDBUS_CODEGEN) --interface-prefix org.virtpod. --generate-rst docs/dbus/.new $< && \
	$(SED) -e 's|</*literal>|``|g' docs/dbus/.new-$*.rst > $@.tmp && mv $@.tmp $@ && \
	rm -f docs/dbus/.new-$*.rst
