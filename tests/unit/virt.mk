# SPDX-License-Identifier: LGPL-2.1-or-later
vp_virt_tests = \
	tests/unit/test-cgroup \
	tests/unit/test-console \
	tests/unit/test-listen-fds \
	tests/unit/test-pidwatch \
	tests/unit/test-virt \
	tests/unit/test-virt-husk \
	tests/unit/test-virt-pid \
	tests/unit/test-virt-xml-init \
	tests/unit/test-worker
# real QEMU in directories of its own: seconds each, and skipped without root or QEMU
vp_virt_vm_tests = \
	tests/vm/test-virt-daemon \
	tests/vm/test-virt-embed
check_PROGRAMS += $(vp_virt_tests) $(vp_virt_vm_tests)
TESTS += $(vp_virt_tests) $(vp_virt_vm_tests)

vp_virt_test_cppflags = $(AM_CPPFLAGS) -I$(srcdir)/lib/common -I$(srcdir)/model -I$(srcdir)/daemon
vp_virt_test_cflags = $(AM_CFLAGS) $(GLIB_CFLAGS)
vp_virt_test_ldadd = libvp-daemon.la libvp-model.la libvp-common.la $(LIBVIRT_LIBS) $(XML_LIBS) $(GLIB_LIBS)

tests_unit_test_cgroup_SOURCES = tests/unit/test-cgroup.c
tests_unit_test_cgroup_CPPFLAGS = $(vp_virt_test_cppflags)
tests_unit_test_cgroup_CFLAGS = $(vp_virt_test_cflags)
tests_unit_test_cgroup_LDADD = $(vp_virt_test_ldadd)

tests_unit_test_console_SOURCES = tests/unit/test-console.c
tests_unit_test_console_CPPFLAGS = $(vp_virt_test_cppflags)
tests_unit_test_console_CFLAGS = $(vp_virt_test_cflags)
tests_unit_test_console_LDADD = $(vp_virt_test_ldadd)

tests_unit_test_listen_fds_SOURCES = tests/unit/test-listen-fds.c
tests_unit_test_listen_fds_CPPFLAGS = $(vp_virt_test_cppflags)
tests_unit_test_listen_fds_CFLAGS = $(vp_virt_test_cflags)
tests_unit_test_listen_fds_LDADD = $(vp_virt_test_ldadd)

tests_unit_test_pidwatch_SOURCES = tests/unit/test-pidwatch.c
tests_unit_test_pidwatch_CPPFLAGS = $(vp_virt_test_cppflags)
tests_unit_test_pidwatch_CFLAGS = $(vp_virt_test_cflags)
tests_unit_test_pidwatch_LDADD = $(vp_virt_test_ldadd)

tests_unit_test_virt_SOURCES = tests/unit/test-virt.c
tests_unit_test_virt_CPPFLAGS = $(vp_virt_test_cppflags)
tests_unit_test_virt_CFLAGS = $(vp_virt_test_cflags) $(LIBVIRT_CFLAGS)
tests_unit_test_virt_LDADD = $(vp_virt_test_ldadd)

tests_unit_test_virt_husk_SOURCES = tests/unit/test-virt-husk.c
tests_unit_test_virt_husk_CPPFLAGS = $(vp_virt_test_cppflags)
tests_unit_test_virt_husk_CFLAGS = $(vp_virt_test_cflags)
tests_unit_test_virt_husk_LDADD = $(vp_virt_test_ldadd)

tests_unit_test_virt_pid_SOURCES = tests/unit/test-virt-pid.c
tests_unit_test_virt_pid_CPPFLAGS = $(vp_virt_test_cppflags)
tests_unit_test_virt_pid_CFLAGS = $(vp_virt_test_cflags) $(LIBVIRT_CFLAGS)
tests_unit_test_virt_pid_LDADD = $(vp_virt_test_ldadd)

tests_unit_test_virt_xml_init_SOURCES = tests/unit/test-virt-xml-init.c
tests_unit_test_virt_xml_init_CPPFLAGS = $(vp_virt_test_cppflags)
tests_unit_test_virt_xml_init_CFLAGS = $(vp_virt_test_cflags) $(XML_CFLAGS)
tests_unit_test_virt_xml_init_LDADD = $(vp_virt_test_ldadd)

tests_unit_test_worker_SOURCES = tests/unit/test-worker.c
tests_unit_test_worker_CPPFLAGS = $(vp_virt_test_cppflags)
tests_unit_test_worker_CFLAGS = $(vp_virt_test_cflags)
tests_unit_test_worker_LDADD = $(vp_virt_test_ldadd)

tests_vm_test_virt_daemon_SOURCES = tests/vm/test-virt-daemon.c tests/lib/virt-world.c tests/lib/virt-world.h
tests_vm_test_virt_daemon_CPPFLAGS = $(vp_virt_test_cppflags) -I$(srcdir)/tests/lib
tests_vm_test_virt_daemon_CFLAGS = $(vp_virt_test_cflags) $(LIBVIRT_CFLAGS)
tests_vm_test_virt_daemon_LDADD = $(vp_virt_test_ldadd)

tests_vm_test_virt_embed_SOURCES = tests/vm/test-virt-embed.c tests/lib/virt-world.c tests/lib/virt-world.h
tests_vm_test_virt_embed_CPPFLAGS = $(vp_virt_test_cppflags) -I$(srcdir)/tests/lib
tests_vm_test_virt_embed_CFLAGS = $(vp_virt_test_cflags)
tests_vm_test_virt_embed_LDADD = $(vp_virt_test_ldadd)

# runs in guests, where there is no libc; sanitizers cannot be linked statically
if !ENABLE_SANITIZERS
noinst_PROGRAMS += tests/vm/abuse-agent
endif
tests_vm_abuse_agent_SOURCES = tests/vm/abuse-agent.c
tests_vm_abuse_agent_LDFLAGS = $(AM_LDFLAGS) -all-static
EXTRA_DIST += tests/vm/adoption-with-libvirtd.py tests/vm/guest-ends.py tests/vm/libvirtd-kills.py
