# SPDX-License-Identifier: LGPL-2.1-or-later
# the command line client against a mock daemon, and what has to agree with it
cli_tests = \
	tests/unit/test-cli-basic.py \
	tests/unit/test-cli-run.py \
	tests/unit/test-cli-tty.py \
	tests/unit/test-cli-completion.py \
	tests/unit/test-cli-verbs.py \
	tests/unit/test-data.py \
	tests/unit/test-docs.py \
	tests/unit/test-potfiles.py \
	tests/unit/test-check-layers.py
TESTS += $(cli_tests)
EXTRA_DIST += $(cli_tests) tests/lib/mock_virtpodd.py tests/lib/cli_harness.py
