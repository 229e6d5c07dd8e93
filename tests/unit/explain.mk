# SPDX-License-Identifier: LGPL-2.1-or-later
vp_explain_tests = \
	tests/unit/test-explain \
	tests/unit/test-negative
check_PROGRAMS += $(vp_explain_tests)
TESTS += $(vp_explain_tests) tests/unit/test-cli-explain.py
EXTRA_DIST += tests/negative tests/unit/test-cli-explain.py tests/daemon/explain.py

vp_explain_test_cppflags = $(vp_drivers_test_cppflags) -DVP_NEGATIVE_DIR=\"$(abs_srcdir)/tests/negative\"

tests_unit_test_explain_SOURCES = tests/unit/test-explain.c
tests_unit_test_explain_CPPFLAGS = $(vp_explain_test_cppflags)
tests_unit_test_explain_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_explain_LDADD = $(vp_drivers_test_ldadd)

tests_unit_test_negative_SOURCES = tests/unit/test-negative.c
tests_unit_test_negative_CPPFLAGS = $(vp_explain_test_cppflags)
tests_unit_test_negative_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_negative_LDADD = $(vp_drivers_test_ldadd)
