# SPDX-License-Identifier: LGPL-2.1-or-later
# annotations and sizes
vp_annot_tests = \
	tests/unit/test-annotation-table \
	tests/unit/test-host-path \
	tests/unit/test-node-set \
	tests/unit/test-sizing
check_PROGRAMS += $(vp_annot_tests)
TESTS += $(vp_annot_tests)

tests_unit_test_annotation_table_SOURCES = tests/unit/test-annotation-table.c
tests_unit_test_annotation_table_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_annotation_table_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_annotation_table_LDADD = $(vp_model_test_ldadd)

tests_unit_test_node_set_SOURCES = tests/unit/test-node-set.c
tests_unit_test_node_set_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_node_set_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_node_set_LDADD = $(vp_model_test_ldadd)

tests_unit_test_sizing_SOURCES = tests/unit/test-sizing.c
tests_unit_test_sizing_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_unit_test_sizing_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_sizing_LDADD = $(vp_drivers_test_ldadd)

tests_unit_test_host_path_SOURCES = tests/unit/test-host-path.c
tests_unit_test_host_path_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_unit_test_host_path_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_host_path_LDADD = $(vp_drivers_test_ldadd)
