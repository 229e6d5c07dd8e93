# SPDX-License-Identifier: LGPL-2.1-or-later
# each program sees its layer and what is below
vp_model_tests = \
	tests/unit/test-annotation \
	tests/unit/test-config \
	tests/unit/test-json \
	tests/unit/test-json-oracle \
	tests/unit/test-oci-state \
	tests/unit/test-record \
	tests/unit/test-spec \
	tests/unit/test-spec-fields
vp_drivers_tests = \
	tests/unit/test-container-plan \
	tests/unit/test-domain-xml \
	tests/unit/test-golden \
	tests/unit/test-guest-network \
	tests/unit/test-guest-spec \
	tests/unit/test-host-mount \
	tests/unit/test-plan
check_PROGRAMS += $(vp_model_tests) $(vp_drivers_tests)
TESTS += $(vp_model_tests) $(vp_drivers_tests)
EXTRA_DIST += tests/golden

vp_model_test_cppflags = $(AM_CPPFLAGS) -I$(srcdir)/lib/common -I$(srcdir)/model \
	-DVP_CONF_IN=\"$(abs_srcdir)/data/virtpod.conf.in\" -DVP_GUESTDIR=\"$(guestdir)\"
vp_model_test_cflags = $(AM_CFLAGS) $(GLIB_CFLAGS)
vp_model_test_ldadd = libvp-model.la libvp-common.la $(GLIB_LIBS)
vp_drivers_test_cppflags = $(AM_CPPFLAGS) -I$(srcdir)/lib/common -I$(srcdir)/model -I$(srcdir)/drivers \
	$(VP_WIRE_CPPFLAGS) -DVP_GOLDEN_DIR=\"$(abs_srcdir)/tests/golden\"
vp_drivers_test_cflags = $(AM_CFLAGS) $(GLIB_CFLAGS) $(XML_CFLAGS)
vp_drivers_test_ldadd = libvp-drivers.la libvp-model.la libvp-wire.la libvp-common.la $(GLIB_LIBS) $(XML_LIBS)

tests_unit_test_annotation_SOURCES = tests/unit/test-annotation.c
tests_unit_test_annotation_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_annotation_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_annotation_LDADD = $(vp_model_test_ldadd)

tests_unit_test_config_SOURCES = tests/unit/test-config.c
tests_unit_test_config_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_config_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_config_LDADD = $(vp_model_test_ldadd)

tests_unit_test_json_SOURCES = tests/unit/test-json.c
tests_unit_test_json_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_json_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_json_LDADD = $(vp_model_test_ldadd)

tests_unit_test_oci_state_SOURCES = tests/unit/test-oci-state.c
tests_unit_test_oci_state_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_oci_state_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_oci_state_LDADD = $(vp_model_test_ldadd)

tests_unit_test_record_SOURCES = tests/unit/test-record.c
tests_unit_test_record_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_record_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_record_LDADD = $(vp_model_test_ldadd)

tests_unit_test_spec_SOURCES = tests/unit/test-spec.c
tests_unit_test_spec_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_spec_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_spec_LDADD = $(vp_model_test_ldadd)

tests_unit_test_spec_fields_SOURCES = tests/unit/test-spec-fields.c
tests_unit_test_spec_fields_CPPFLAGS = $(vp_model_test_cppflags) -DVP_SPEC_MD=\"$(abs_srcdir)/docs/spec.md\"
tests_unit_test_spec_fields_CFLAGS = $(vp_model_test_cflags)
tests_unit_test_spec_fields_LDADD = $(vp_model_test_ldadd)

tests_unit_test_container_plan_SOURCES = tests/unit/test-container-plan.c
tests_unit_test_container_plan_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_unit_test_container_plan_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_container_plan_LDADD = $(vp_drivers_test_ldadd)

tests_unit_test_domain_xml_SOURCES = tests/unit/test-domain-xml.c
tests_unit_test_domain_xml_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_unit_test_domain_xml_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_domain_xml_LDADD = $(vp_drivers_test_ldadd)

tests_unit_test_guest_network_SOURCES = tests/unit/test-guest-network.c
tests_unit_test_guest_network_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_unit_test_guest_network_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_guest_network_LDADD = $(vp_drivers_test_ldadd)

tests_unit_test_golden_SOURCES = tests/unit/test-golden.c
tests_unit_test_golden_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_unit_test_golden_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_golden_LDADD = $(vp_drivers_test_ldadd)

tests_unit_test_guest_spec_SOURCES = tests/unit/test-guest-spec.c
tests_unit_test_guest_spec_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_unit_test_guest_spec_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_guest_spec_LDADD = $(vp_drivers_test_ldadd)

tests_unit_test_host_mount_SOURCES = tests/unit/test-host-mount.c
tests_unit_test_host_mount_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_unit_test_host_mount_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_host_mount_LDADD = $(vp_drivers_test_ldadd)

tests_unit_test_plan_SOURCES = tests/unit/test-plan.c
tests_unit_test_plan_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_unit_test_plan_CFLAGS = $(vp_drivers_test_cflags)
tests_unit_test_plan_LDADD = $(vp_drivers_test_ldadd)


tests_unit_test_json_oracle_SOURCES = tests/unit/test-json-oracle.c
tests_unit_test_json_oracle_CPPFLAGS = $(vp_model_test_cppflags)
tests_unit_test_json_oracle_CFLAGS = $(vp_model_test_cflags) $(JSON_CFLAGS)
tests_unit_test_json_oracle_LDADD = $(vp_model_test_ldadd) $(JSON_LIBS)
