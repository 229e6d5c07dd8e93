# SPDX-License-Identifier: LGPL-2.1-or-later
# `make guest-image` builds the guest's kernel and initramfs from Debian packages.
# It downloads, so it is not part of `all`; `make install` installs what was built.
EXTRA_DIST += \
	guest/image/build-image guest/image/extract-vmlinux guest/image/modules.list
CLEANFILES += \
	guest/image/vmlinux guest/image/initrd.img guest/image/manifest \
	guest/image/.lock guest/image/linux-image-*.deb

.PHONY: guest-image
guest-image: virtpod-agent
	$(AM_V_GEN)$(srcdir)/guest/image/build-image --agent virtpod-agent --output guest/image

install-data-hook:
	@if test -f guest/image/manifest; then \
	  $(MKDIR_P) '$(DESTDIR)$(guestdir)'; \
	  $(INSTALL_DATA) guest/image/vmlinux guest/image/initrd.img guest/image/manifest '$(DESTDIR)$(guestdir)'; \
	fi
	@rm -rf '$(DESTDIR)$(guestdir)/tools'; \
	if test -d guest/image/tools; then cp -R guest/image/tools '$(DESTDIR)$(guestdir)'; fi

uninstall-hook:
	rm -f '$(DESTDIR)$(guestdir)/vmlinux' '$(DESTDIR)$(guestdir)/initrd.img' '$(DESTDIR)$(guestdir)/manifest'
	rm -rf '$(DESTDIR)$(guestdir)/tools'

clean-local: clean-guest-tools
clean-guest-tools:
	rm -rf guest/image/tools
.PHONY: clean-guest-tools
