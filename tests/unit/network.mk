# SPDX-License-Identifier: LGPL-2.1-or-later
check_PROGRAMS += tests/unit/test-network
TESTS += tests/unit/test-network
tests_unit_test_network_SOURCES = tests/unit/test-network.c
tests_unit_test_network_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_network_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_network_LDADD = $(vp_model_test_ldadd)
