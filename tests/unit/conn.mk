# SPDX-License-Identifier: LGPL-2.1-or-later
vp_conn_tests = \
	tests/unit/test-bucket \
	tests/unit/test-agent-address \
	tests/unit/test-agent-conn \
	tests/unit/test-agent-error \
	tests/unit/test-agent-client \
	tests/unit/test-agent-client-network \
	tests/unit/test-stdio-attach \
	tests/unit/test-stdio-fifo \
	tests/unit/test-stdio-input \
	tests/unit/test-stdio-output \
	tests/unit/test-stdio-ring
check_PROGRAMS += $(vp_conn_tests)
TESTS += $(vp_conn_tests)
EXTRA_DIST += \
	tests/daemon/evil-calls.py \
	tests/daemon/evil-channel.py \
	tests/lib/evil_agent.py \
	tests/lib/evil_case.py \
	tests/lib/fake_agent.py \
	tests/lib/neighbour.py

vp_conn_test_cppflags = $(AM_CPPFLAGS) -I$(srcdir)/daemon -I$(srcdir)/lib/common $(VP_WIRE_CPPFLAGS)
vp_conn_test_cflags = $(AM_CFLAGS) $(GLIB_CFLAGS)
vp_conn_test_ldadd = libvp-daemon.la libvp-wire.la libvp-common.la $(GLIB_LIBS) $(PROTOBUF_C_LIBS)
vp_fake_agent = tests/unit/fake-agent.c tests/unit/fake-agent.h
vp_stdio_fixture = tests/unit/stdio-fixture.c tests/unit/stdio-fixture.h $(vp_fake_agent)

tests_unit_test_agent_address_SOURCES = tests/unit/test-agent-address.c
tests_unit_test_agent_address_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_agent_address_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_agent_address_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_agent_conn_SOURCES = tests/unit/test-agent-conn.c $(vp_fake_agent)
tests_unit_test_agent_conn_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_agent_conn_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_agent_conn_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_agent_error_SOURCES = tests/unit/test-agent-error.c
tests_unit_test_agent_error_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_agent_error_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_agent_error_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_agent_client_SOURCES = tests/unit/test-agent-client.c $(vp_fake_agent)
tests_unit_test_agent_client_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_agent_client_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_agent_client_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_agent_client_network_SOURCES = tests/unit/test-agent-client-network.c $(vp_fake_agent)
tests_unit_test_agent_client_network_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_agent_client_network_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_agent_client_network_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_stdio_attach_SOURCES = tests/unit/test-stdio-attach.c $(vp_stdio_fixture)
tests_unit_test_stdio_attach_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_stdio_attach_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_stdio_attach_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_stdio_fifo_SOURCES = tests/unit/test-stdio-fifo.c $(vp_stdio_fixture)
tests_unit_test_stdio_fifo_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_stdio_fifo_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_stdio_fifo_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_stdio_input_SOURCES = tests/unit/test-stdio-input.c $(vp_stdio_fixture)
tests_unit_test_stdio_input_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_stdio_input_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_stdio_input_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_stdio_output_SOURCES = tests/unit/test-stdio-output.c $(vp_stdio_fixture)
tests_unit_test_stdio_output_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_stdio_output_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_stdio_output_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_stdio_ring_SOURCES = tests/unit/test-stdio-ring.c
tests_unit_test_stdio_ring_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_stdio_ring_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_stdio_ring_LDADD = $(vp_conn_test_ldadd)

tests_unit_test_bucket_SOURCES = tests/unit/test-bucket.c
tests_unit_test_bucket_CPPFLAGS = $(vp_conn_test_cppflags)
tests_unit_test_bucket_CFLAGS = $(vp_conn_test_cflags)
tests_unit_test_bucket_LDADD = libvp-common.la $(GLIB_LIBS)
