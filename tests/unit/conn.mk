# SPDX-License-Identifier: LGPL-2.1-or-later
vp_conn_tests = \
	tests/unit/test-agent-conn \
	tests/unit/test-agent-client \
	tests/unit/test-stdio
check_PROGRAMS += $(vp_conn_tests)
TESTS += $(vp_conn_tests)
EXTRA_DIST += \
	tests/daemon/evil-agent.py \
	tests/lib/evil_agent.py \
	tests/lib/fake_agent.py \
	tests/lib/neighbour.py

vp_conn_test_cppflags = $(AM_CPPFLAGS) -I$(srcdir)/daemon -I$(srcdir)/lib/common $(VP_WIRE_CPPFLAGS)
vp_conn_test_cflags = $(AM_CFLAGS) $(GLIB_CFLAGS)
vp_conn_test_ldadd = libvp-daemon.la libvp-wire.la libvp-common.la $(GLIB_LIBS) $(PROTOBUF_C_LIBS)
vp_fake_agent = tests/unit/fake-agent.c tests/unit/fake-agent.h

tests_unit_test_agent_conn_SOURCES = tests/unit/test-agent-conn.c $(vp_fake_agent)
tests_unit_test_agent_conn_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_agent_conn_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_agent_conn_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_agent_client_SOURCES = tests/unit/test-agent-client.c $(vp_fake_agent)
tests_unit_test_agent_client_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_agent_client_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_agent_client_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_stdio_SOURCES = tests/unit/test-stdio.c $(vp_fake_agent)
tests_unit_test_stdio_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_stdio_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_stdio_LDADD = $(vp_conn_test_ldadd)
