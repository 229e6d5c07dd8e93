# SPDX-License-Identifier: LGPL-2.1-or-later
vp_conf_tests = \
	tests/unit/test-config-keys \
	tests/unit/test-kata-import
check_PROGRAMS += $(vp_conf_tests)
TESTS += $(vp_conf_tests)

tests_unit_test_config_keys_SOURCES = tests/unit/test-config-keys.c
tests_unit_test_config_keys_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_config_keys_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_config_keys_LDADD = $(vp_model_test_ldadd) -lm

tests_unit_test_kata_import_SOURCES = tests/unit/test-kata-import.c
tests_unit_test_kata_import_CPPFLAGS = $(vp_model_test_cppflags) \
	-DVP_KATA_DIR=\"$(abs_srcdir)/tests/kata\"
tests_unit_test_kata_import_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_kata_import_LDADD = $(vp_model_test_ldadd)
TESTS += tests/unit/test-cli-config.py tests/unit/test-cli-k8s.py
EXTRA_DIST += tests/kata tests/unit/test-cli-config.py tests/unit/test-cli-k8s.py
