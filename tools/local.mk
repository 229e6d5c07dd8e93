# SPDX-License-Identifier: LGPL-2.1-or-later
# the rules of docs/architecture.md as commands; both print TAP
dist_check_SCRIPTS = tools/check-layers tools/check-headers
vp_source_tests += tools/check-layers tools/check-headers

# what a header of any layer needs to compile
AM_TESTS_ENVIRONMENT += \
	CC='$(CC)'; export CC; \
	VP_HEADER_CFLAGS='$(GLIB_CFLAGS) $(XML_CFLAGS) $(NL_CFLAGS) $(LIBVIRT_CFLAGS) $(PROTOBUF_C_CFLAGS) $(POLKIT_CFLAGS)'; \
	export VP_HEADER_CFLAGS;
