# SPDX-License-Identifier: LGPL-2.1-or-later
vp_xml_tests = \
	tests/unit/test-cmdline \
	tests/unit/test-partition \
	tests/unit/test-plan-cpu \
	tests/unit/test-variants \
	tests/vm/test-xml-accepted
check_PROGRAMS += $(vp_xml_tests)
TESTS += $(vp_xml_tests)
EXTRA_DIST += tests/domain-xml

vp_xml_test_cppflags = $(vp_drivers_test_cppflags) -I$(srcdir)/tests/lib \
	-DVP_DOMAIN_XML_DIR=\"$(abs_srcdir)/tests/domain-xml\" \
	-DVP_DRIVERS_PAGE=\"$(abs_srcdir)/docs/drivers.md\"

vp_variants = tests/lib/variants.c tests/lib/variants.h tests/lib/variants-private.h \
	tests/lib/variants-cloud.c tests/lib/variants-devices.c tests/lib/variants-machine.c

tests_unit_test_cmdline_SOURCES = tests/unit/test-cmdline.c
tests_unit_test_cmdline_CPPFLAGS = $(vp_xml_test_cppflags)
tests_unit_test_cmdline_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_cmdline_LDADD = $(vp_drivers_test_ldadd)

tests_unit_test_partition_SOURCES = tests/unit/test-partition.c
tests_unit_test_partition_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_partition_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_partition_LDADD = $(vp_model_test_ldadd)

tests_unit_test_plan_cpu_SOURCES = tests/unit/test-plan-cpu.c
tests_unit_test_plan_cpu_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_plan_cpu_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_plan_cpu_LDADD = $(vp_model_test_ldadd)

tests_unit_test_variants_SOURCES = tests/unit/test-variants.c $(vp_variants)
tests_unit_test_variants_CPPFLAGS = $(vp_xml_test_cppflags)
tests_unit_test_variants_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_variants_LDADD = $(vp_drivers_test_ldadd)

# a real libvirt, in this process and in a directory of its own
tests_vm_test_xml_accepted_SOURCES = tests/vm/test-xml-accepted.c $(vp_variants)
tests_vm_test_xml_accepted_CPPFLAGS = $(vp_xml_test_cppflags)
tests_vm_test_xml_accepted_CFLAGS = $(vp_drivers_test_cflags) $(LIBVIRT_CFLAGS)
tests_vm_test_xml_accepted_LDADD = $(vp_drivers_test_ldadd) $(LIBVIRT_LIBS)
