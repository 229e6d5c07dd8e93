# SPDX-License-Identifier: LGPL-2.1-or-later
# containerd's shim: its parts, and what it says to whoever talks to it
check_PROGRAMS += tests/unit/test-shim
TESTS += tests/unit/test-shim tests/unit/test-shim-talk.py
EXTRA_DIST += tests/unit/test-shim-talk.py
tests_unit_test_shim_SOURCES = tests/unit/test-shim.c
tests_unit_test_shim_CPPFLAGS = $(libvp_shim_a_CPPFLAGS)
tests_unit_test_shim_CFLAGS = $(AM_CFLAGS) $(GIO_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_shim_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_shim_LDADD = $(vp_shim_libs) $(PROTOBUF_C_LIBS) $(GIO_LIBS) $(GLIB_LIBS)
