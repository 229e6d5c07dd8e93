# SPDX-License-Identifier: LGPL-2.1-or-later
# containerd's shim: its parts, and what it says to whoever talks to it
vp_shim_tests = \
	tests/unit/test-shim \
	tests/unit/test-shim-logger \
	tests/unit/test-shim-message \
	tests/unit/test-shim-pod
check_PROGRAMS += $(vp_shim_tests)
TESTS += $(vp_shim_tests) tests/unit/test-shim-talk.py
EXTRA_DIST += tests/unit/test-shim-talk.py tests/lib/shim.py
vp_shim_test_cflags = $(AM_CFLAGS) $(GIO_CFLAGS) $(GLIB_CFLAGS) -fno-pie
vp_shim_test_ldadd = $(vp_shim_libs) $(PROTOBUF_C_LIBS) $(GIO_LIBS) $(GLIB_LIBS)

tests_unit_test_shim_SOURCES = tests/unit/test-shim.c
tests_unit_test_shim_CPPFLAGS = $(libvp_shim_a_CPPFLAGS)
tests_unit_test_shim_CFLAGS = $(vp_shim_test_cflags)
tests_unit_test_shim_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_shim_LDADD = $(vp_shim_test_ldadd)

tests_unit_test_shim_logger_SOURCES = tests/unit/test-shim-logger.c
tests_unit_test_shim_logger_CPPFLAGS = $(libvp_shim_a_CPPFLAGS)
tests_unit_test_shim_logger_CFLAGS = $(vp_shim_test_cflags)
tests_unit_test_shim_logger_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_shim_logger_LDADD = $(vp_shim_test_ldadd)

tests_unit_test_shim_message_SOURCES = tests/unit/test-shim-message.c
tests_unit_test_shim_message_CPPFLAGS = $(libvp_shim_a_CPPFLAGS)
tests_unit_test_shim_message_CFLAGS = $(vp_shim_test_cflags)
tests_unit_test_shim_message_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_shim_message_LDADD = $(vp_shim_test_ldadd)

tests_unit_test_shim_pod_SOURCES = tests/unit/test-shim-pod.c
tests_unit_test_shim_pod_CPPFLAGS = $(libvp_shim_a_CPPFLAGS)
tests_unit_test_shim_pod_CFLAGS = $(vp_shim_test_cflags)
tests_unit_test_shim_pod_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_shim_pod_LDADD = $(vp_shim_test_ldadd)
