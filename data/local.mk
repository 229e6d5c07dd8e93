# SPDX-License-Identifier: LGPL-2.1-or-later
# what other programs read: bus, polkit, systemd, shells
dist_dbusinterfaces_DATA = $(vp_dbus_xml)
dist_dbusconf_DATA = data/org.virtpod.conf
dbusservices_DATA = data/org.virtpod.service
systemdunit_DATA = data/virtpodd.service
dist_systemdunit_DATA = data/virtpodd.socket
polkit_DATA = data/org.virtpod.policy
dist_sysusers_DATA = data/sysusers/virtpod.conf
dist_tmpfiles_DATA = data/tmpfiles/virtpod.conf

# what journalctl --catalog explains entries with
catalogdir = $(prefix)/lib/systemd/catalog
dist_catalog_DATA = data/virtpod.catalog

polkitrulesdir = $(datadir)/polkit-1/rules.d
dist_polkitrules_DATA = data/60-virtpod.rules

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = data/completions/virtpod
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = data/completions/_virtpod

data_in = data/org.virtpod.service.in data/virtpodd.service.in data/org.virtpod.policy.in
EXTRA_DIST += $(data_in)
CLEANFILES += $(data_in:.in=)

# with make's directories, which may still be told on its command line
data_substitute = $(AM_V_GEN)$(MKDIR_P) data && \
	$(SED) -e 's|@sbindir[@]|$(sbindir)|g' $< > $@.tmp && mv $@.tmp $@

data/org.virtpod.service: data/org.virtpod.service.in Makefile
	$(data_substitute)
data/virtpodd.service: data/virtpodd.service.in Makefile
	$(data_substitute)

# the prompts in every language of po/; without msgfmt in English only
data/org.virtpod.policy: data/org.virtpod.policy.in po/LINGUAS
	$(AM_V_GEN)$(MKDIR_P) data && \
	if test '$(MSGFMT)' != : && $(MSGFMT) --version >/dev/null 2>&1; then \
		$(MSGFMT) --xml --template=$< -d $(srcdir)/po -o $@.tmp; \
	else cp $< $@.tmp; fi && mv $@.tmp $@
