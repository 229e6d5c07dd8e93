# SPDX-License-Identifier: LGPL-2.1-or-later
check_PROGRAMS += tests/unit/test-network
TESTS += tests/unit/test-network
tests_unit_test_network_SOURCES = tests/unit/test-network.c
tests_unit_test_network_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_network_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_network_LDADD = $(vp_model_test_ldadd)

check_PROGRAMS += tests/unit/test-net
TESTS += tests/unit/test-net
tests_unit_test_net_SOURCES = tests/unit/test-net.c
tests_unit_test_net_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/daemon -I$(srcdir)/model -I$(srcdir)/lib/common
tests_unit_test_net_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(NL_CFLAGS)
tests_unit_test_net_LDADD = libvp-daemon.la libvp-drivers.la libvp-model.la libvp-common.la $(GLIB_LIBS) $(MOUNT_LIBS) \
	$(NL_LIBS)

check_PROGRAMS += tests/unit/test-planner-network
TESTS += tests/unit/test-planner-network
tests_unit_test_planner_network_SOURCES = tests/unit/test-planner-network.c
tests_unit_test_planner_network_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_unit_test_planner_network_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_planner_network_LDADD = $(vp_drivers_test_ldadd)

check_PROGRAMS += tests/unit/test-uplink
TESTS += tests/unit/test-uplink
tests_unit_test_uplink_SOURCES = tests/unit/test-uplink.c
tests_unit_test_uplink_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_unit_test_uplink_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_uplink_LDADD = $(vp_drivers_test_ldadd)
