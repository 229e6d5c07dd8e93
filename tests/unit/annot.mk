# SPDX-License-Identifier: LGPL-2.1-or-later
# annotations and sizes
vp_annot_tests = \
	tests/unit/test-annotation-page \
	tests/unit/test-annotation-table \
	tests/unit/test-host-path \
	tests/unit/test-node-set \
	tests/unit/test-sizing
check_PROGRAMS += $(vp_annot_tests)
TESTS += $(vp_annot_tests)

tests_unit_test_annotation_page_SOURCES = tests/unit/test-annotation-page.c
tests_unit_test_annotation_page_CPPFLAGS = $(vp_model_test_cppflags) \
	-DVP_ANNOTATIONS_MD=\"$(abs_srcdir)/docs/annotations.md\"
tests_unit_test_annotation_page_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_annotation_page_LDADD = $(vp_model_test_ldadd)

tests_unit_test_annotation_table_SOURCES = tests/unit/test-annotation-table.c tests/lib/annotation-cases.h \
	tests/lib/annotation-cases-machine.c tests/lib/annotation-cases-devices.c tests/lib/annotation-cases-others.c
tests_unit_test_annotation_table_CPPFLAGS = $(vp_model_test_cppflags) -I$(srcdir)/tests/lib
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

# every key and every annotation, one at a time
check_PROGRAMS += tests/unit/test-keys
TESTS += tests/unit/test-keys
EXTRA_DIST += tests/keys
tests_unit_test_keys_SOURCES = tests/unit/test-keys.c tests/lib/key-case.c tests/lib/key-case.h \
	tests/lib/key-world.c tests/lib/key-world.h
tests_unit_test_keys_CPPFLAGS = $(vp_drivers_test_cppflags) -I$(srcdir)/tests/lib \
	-DVP_KEYS_DIR=\"$(abs_srcdir)/tests/keys\" -DVP_SOURCE_DIR=\"$(abs_srcdir)\"
tests_unit_test_keys_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_keys_LDADD = $(vp_drivers_test_ldadd)
