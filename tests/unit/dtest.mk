# SPDX-License-Identifier: LGPL-2.1-or-later
# the domain and the front of the daemon
vp_dtest_tests = \
	tests/unit/test-bouncer \
	tests/unit/test-check \
	tests/unit/test-container \
	tests/unit/test-dbus-args \
	tests/unit/test-manager \
	tests/unit/test-process \
	tests/unit/test-recovery \
	tests/unit/test-sandbox \
	tests/unit/test-states \
	tests/unit/test-spec-update \
	tests/unit/test-console-reader \
	tests/unit/test-agent-figures \
	tests/unit/test-store \
	tests/unit/test-streams \
	tests/unit/test-waiters
check_PROGRAMS += $(vp_dtest_tests)
TESTS += $(vp_dtest_tests)
EXTRA_DIST += \
	tests/daemon/admin.py \
	tests/daemon/adoption.py \
	tests/daemon/authorisation.py \
	tests/daemon/bus-matrix.py \
	tests/daemon/control-groups.py \
	tests/daemon/busctl.py \
	tests/daemon/cycles.py \
	tests/daemon/commands.py \
	tests/daemon/fdstore.py \
	tests/daemon/faults.py \
	tests/daemon/hooks.py \
	tests/daemon/lifecycle.py \
	tests/daemon/peers.py \
	tests/daemon/pod.py \
	tests/daemon/model.py \
	tests/daemon/network.py \
	tests/daemon/network-changes.py \
	tests/daemon/network-loopback.py \
	tests/daemon/network-models.py \
	tests/daemon/network-running.py \
	tests/daemon/overlaps.py \
	tests/daemon/processes.py \
	tests/daemon/restart.py \
	tests/daemon/mount-namespace.py \
	tests/daemon/shim-sandbox.py \
	tests/daemon/standin.py \
	tests/daemon/verbs.py \
	tests/lib/callers.py \
	tests/lib/faulty.py \
	tests/lib/cni.py \
	tests/lib/netns.py \
	tests/lib/pods.py \
	tests/lib/ports.py \
	tests/lib/polkit.py \
	tests/lib/testdriver.py

vp_dtest_cppflags = $(libvp_daemon_la_CPPFLAGS)
vp_dtest_cflags = $(libvp_daemon_la_CFLAGS)
vp_dtest_ldadd = $(virtpodd_LDADD)
vp_domain_fixture = tests/unit/domain-fixture.c tests/unit/domain-fixture.h $(vp_fake_agent)

tests_unit_test_bouncer_SOURCES = tests/unit/test-bouncer.c
tests_unit_test_bouncer_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_bouncer_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_bouncer_LDADD = $(vp_dtest_ldadd)

tests_unit_test_agent_figures_SOURCES = tests/unit/test-agent-figures.c
tests_unit_test_agent_figures_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_agent_figures_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_agent_figures_LDADD = $(vp_dtest_ldadd)

tests_unit_test_console_reader_SOURCES = tests/unit/test-console-reader.c
tests_unit_test_console_reader_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_console_reader_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_console_reader_LDADD = $(vp_dtest_ldadd)

tests_unit_test_spec_update_SOURCES = tests/unit/test-spec-update.c
tests_unit_test_spec_update_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_spec_update_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_spec_update_LDADD = $(vp_dtest_ldadd)

tests_unit_test_states_SOURCES = tests/unit/test-states.c
tests_unit_test_states_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_states_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_states_LDADD = $(vp_dtest_ldadd)

tests_unit_test_check_SOURCES = tests/unit/test-check.c
tests_unit_test_check_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_check_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_check_LDADD = $(vp_dtest_ldadd)

tests_unit_test_dbus_args_SOURCES = tests/unit/test-dbus-args.c
tests_unit_test_dbus_args_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_dbus_args_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_dbus_args_LDADD = $(vp_dtest_ldadd)

tests_unit_test_store_SOURCES = tests/unit/test-store.c
tests_unit_test_store_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_store_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_store_LDADD = $(vp_dtest_ldadd)

tests_unit_test_streams_SOURCES = tests/unit/test-streams.c
tests_unit_test_streams_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_streams_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_streams_LDADD = $(vp_dtest_ldadd)

tests_unit_test_waiters_SOURCES = tests/unit/test-waiters.c
tests_unit_test_waiters_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_waiters_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_waiters_LDADD = $(vp_dtest_ldadd)

tests_unit_test_container_SOURCES = tests/unit/test-container.c $(vp_domain_fixture)
tests_unit_test_container_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_container_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_container_LDADD = $(vp_dtest_ldadd)

tests_unit_test_manager_SOURCES = tests/unit/test-manager.c $(vp_domain_fixture)
tests_unit_test_manager_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_manager_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_manager_LDADD = $(vp_dtest_ldadd)

tests_unit_test_process_SOURCES = tests/unit/test-process.c $(vp_domain_fixture)
tests_unit_test_process_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_process_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_process_LDADD = $(vp_dtest_ldadd)

tests_unit_test_recovery_SOURCES = tests/unit/test-recovery.c $(vp_domain_fixture)
tests_unit_test_recovery_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_recovery_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_recovery_LDADD = $(vp_dtest_ldadd)

tests_unit_test_sandbox_SOURCES = tests/unit/test-sandbox.c $(vp_domain_fixture)
tests_unit_test_sandbox_CPPFLAGS = $(vp_dtest_cppflags)
tests_unit_test_sandbox_CFLAGS = $(vp_dtest_cflags)
tests_unit_test_sandbox_LDADD = $(vp_dtest_ldadd)

