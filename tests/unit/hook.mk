# SPDX-License-Identifier: LGPL-2.1-or-later
check_PROGRAMS += tests/unit/test-hook
TESTS += tests/unit/test-hook
tests_unit_test_hook_SOURCES = tests/unit/test-hook.c
tests_unit_test_hook_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/daemon -I$(srcdir)/model -I$(srcdir)/lib/common
tests_unit_test_hook_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_hook_LDADD = libvp-daemon.la libvp-model.la libvp-common.la $(GLIB_LIBS)
