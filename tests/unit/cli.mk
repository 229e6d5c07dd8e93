# SPDX-License-Identifier: LGPL-2.1-or-later
# the command line client against a mock daemon, and what has to agree with it
cli_tests = \
	tests/unit/test-cli-basic.py \
	tests/unit/test-cli-run.py \
	tests/unit/test-cli-tty.py \
	tests/unit/test-cli-completion.py \
	tests/unit/test-cli-cp.py \
	tests/unit/test-cli-oci.py \
	tests/unit/test-cli-standin.py \
	tests/unit/test-cli-verbs.py \
	tests/unit/test-docs.py
cli_source_tests = \
	tests/unit/test-check-layers.py \
	tests/unit/test-data.py \
	tests/unit/test-potfiles.py
TESTS += $(cli_tests)
vp_source_tests += $(cli_source_tests)
EXTRA_DIST += $(cli_tests) $(cli_source_tests) tests/lib/mock_virtpodd.py tests/lib/cli_harness.py

# what its commands are made of
cli_programs = \
	tests/unit/test-client-tar \
	tests/unit/test-client-text
check_PROGRAMS += $(cli_programs)
TESTS += $(cli_programs)
tests_unit_test_client_tar_SOURCES = tests/unit/test-client-tar.c
tests_unit_test_client_tar_CPPFLAGS = $(libvp_tar_la_CPPFLAGS)
tests_unit_test_client_tar_CFLAGS = $(libvp_tar_la_CFLAGS)
tests_unit_test_client_tar_LDADD = $(virtpod_cp_LDADD)
tests_unit_test_client_text_SOURCES = tests/unit/test-client-text.c
tests_unit_test_client_text_CPPFLAGS = $(libvp_client_la_CPPFLAGS)
tests_unit_test_client_text_CFLAGS = $(libvp_client_la_CFLAGS)
tests_unit_test_client_text_LDADD = $(virtpod_LDADD)
