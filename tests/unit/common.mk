# SPDX-License-Identifier: LGPL-2.1-or-later
vp_common_tests = \
	tests/unit/test-error \
	tests/unit/test-id \
	tests/unit/test-fd \
	tests/unit/test-journal \
	tests/unit/test-pump \
	tests/unit/test-signal \
	tests/unit/test-steps
check_PROGRAMS += $(vp_common_tests)
TESTS += $(vp_common_tests)

vp_common_test_cppflags = $(AM_CPPFLAGS) -I$(srcdir)/lib/common
vp_common_test_cflags = $(AM_CFLAGS) $(GLIB_CFLAGS)
vp_common_test_ldadd = libvp-common.la $(GLIB_LIBS)

tests_unit_test_error_SOURCES = tests/unit/test-error.c
tests_unit_test_error_CPPFLAGS = $(vp_common_test_cppflags)
tests_unit_test_error_CFLAGS = $(vp_common_test_cflags)
tests_unit_test_error_LDADD = $(vp_common_test_ldadd)

tests_unit_test_id_SOURCES = tests/unit/test-id.c
tests_unit_test_id_CPPFLAGS = $(vp_common_test_cppflags)
tests_unit_test_id_CFLAGS = $(vp_common_test_cflags)
tests_unit_test_id_LDADD = $(vp_common_test_ldadd)

tests_unit_test_fd_SOURCES = tests/unit/test-fd.c
tests_unit_test_fd_CPPFLAGS = $(vp_common_test_cppflags)
tests_unit_test_fd_CFLAGS = $(vp_common_test_cflags)
tests_unit_test_fd_LDADD = $(vp_common_test_ldadd)

tests_unit_test_pump_SOURCES = tests/unit/test-pump.c
tests_unit_test_pump_CPPFLAGS = $(vp_common_test_cppflags)
tests_unit_test_pump_CFLAGS = $(vp_common_test_cflags)
tests_unit_test_pump_LDADD = $(vp_common_test_ldadd)

tests_unit_test_steps_SOURCES = tests/unit/test-steps.c
tests_unit_test_steps_CPPFLAGS = $(vp_common_test_cppflags)
tests_unit_test_steps_CFLAGS = $(vp_common_test_cflags)
tests_unit_test_steps_LDADD = $(vp_common_test_ldadd)

tests_unit_test_signal_SOURCES = tests/unit/test-signal.c
tests_unit_test_signal_CPPFLAGS = $(vp_common_test_cppflags)
tests_unit_test_signal_CFLAGS = $(vp_common_test_cflags)
tests_unit_test_signal_LDADD = $(vp_common_test_ldadd)

tests_unit_test_journal_SOURCES = tests/unit/test-journal.c
tests_unit_test_journal_CPPFLAGS = $(vp_common_test_cppflags)
tests_unit_test_journal_CFLAGS = $(vp_common_test_cflags)
tests_unit_test_journal_LDADD = $(vp_common_test_ldadd)
