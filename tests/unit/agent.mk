# SPDX-License-Identifier: LGPL-2.1-or-later
# lib/wire and guest/agent
vp_wire_tests = \
	tests/unit/test-frame \
	tests/unit/test-message-json \
	tests/unit/test-oci-names \
	tests/unit/test-sync \
	tests/unit/test-ttrpc
vp_agent_tests = \
	tests/unit/test-agent-bundle \
	tests/unit/test-agent-copy \
	tests/unit/test-agent-inet \
	tests/unit/test-agent-freeze \
	tests/unit/test-agent-loop \
	tests/unit/test-agent-modprobe \
	tests/unit/test-agent-piece \
	tests/unit/test-agent-stats \
	tests/unit/test-agent-tar-create \
	tests/unit/test-agent-tar-extract \
	tests/unit/test-agent-tar-header \
	tests/unit/test-agent-util
# with the real crun
vp_agent_programs = \
	tests/unit/test-agent-host.py \
	tests/unit/test-agent-host-spec.py \
	tests/unit/test-agent-host-talk.py \
	tests/unit/test-agent-host-tar.py \
	tests/unit/test-agent-host-connect.py \
	tests/unit/test-agent-iptables.py \
	tests/unit/test-agent-network.py
check_PROGRAMS += $(vp_wire_tests) $(vp_agent_tests)
TESTS += $(vp_wire_tests) $(vp_agent_tests) $(vp_agent_programs)
EXTRA_DIST += $(vp_agent_programs) tests/lib/agent_bench.py tests/lib/ttrpc_client.py

# the names of those that are programs, for who runs them under something else
.PHONY: agent-tests
agent-tests: $(vp_wire_tests) $(vp_agent_tests)
	@echo $^

vp_wire_test_cppflags = $(AM_CPPFLAGS) $(VP_WIRE_CPPFLAGS)
vp_wire_test_cflags = $(AM_CFLAGS) $(GLIB_CFLAGS)
vp_wire_test_ldadd = libvp-wire.la $(GLIB_LIBS)
tests_unit_test_frame_SOURCES = tests/unit/test-frame.c
tests_unit_test_frame_CPPFLAGS = $(vp_wire_test_cppflags)
tests_unit_test_frame_CFLAGS = $(vp_wire_test_cflags)
tests_unit_test_frame_LDADD = $(vp_wire_test_ldadd)
tests_unit_test_message_json_SOURCES = tests/unit/test-message-json.c
tests_unit_test_message_json_CPPFLAGS = $(vp_wire_test_cppflags)
tests_unit_test_message_json_CFLAGS = $(vp_wire_test_cflags)
tests_unit_test_message_json_LDADD = $(vp_wire_test_ldadd)
tests_unit_test_oci_names_SOURCES = tests/unit/test-oci-names.c
tests_unit_test_oci_names_CPPFLAGS = $(vp_wire_test_cppflags)
tests_unit_test_oci_names_CFLAGS = $(vp_wire_test_cflags)
tests_unit_test_oci_names_LDADD = $(vp_wire_test_ldadd)
tests_unit_test_sync_SOURCES = tests/unit/test-sync.c
tests_unit_test_sync_CPPFLAGS = $(vp_wire_test_cppflags)
tests_unit_test_sync_CFLAGS = $(vp_wire_test_cflags)
tests_unit_test_sync_LDADD = $(vp_wire_test_ldadd)
tests_unit_test_ttrpc_SOURCES = tests/unit/test-ttrpc.c
tests_unit_test_ttrpc_CPPFLAGS = $(vp_wire_test_cppflags)
tests_unit_test_ttrpc_CFLAGS = $(vp_wire_test_cflags)
tests_unit_test_ttrpc_LDADD = $(vp_wire_test_ldadd)

# the objects of the agent are not PIC
vp_agent_test_ldadd = libvp-agent.a libvp-wire-static.a libvp-wire-messages-static.a \
	$(PROTOBUF_C_LIBS) $(GLIB_LIBS)
tests_unit_test_agent_bundle_SOURCES = tests/unit/test-agent-bundle.c
tests_unit_test_agent_bundle_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_bundle_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_bundle_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_bundle_LDADD = $(vp_agent_test_ldadd)
tests_unit_test_agent_copy_SOURCES = tests/unit/test-agent-copy.c tests/unit/agent-openat2-by-hand.c
tests_unit_test_agent_copy_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_copy_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_copy_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_copy_LDADD = $(vp_agent_test_ldadd)
tests_unit_test_agent_inet_SOURCES = tests/unit/test-agent-inet.c
tests_unit_test_agent_inet_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_inet_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_inet_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_inet_LDADD = $(vp_agent_test_ldadd)
tests_unit_test_agent_freeze_SOURCES = tests/unit/test-agent-freeze.c
tests_unit_test_agent_freeze_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_freeze_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_freeze_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_freeze_LDADD = $(vp_agent_test_ldadd)
tests_unit_test_agent_loop_SOURCES = tests/unit/test-agent-loop.c
tests_unit_test_agent_loop_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_loop_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_loop_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_loop_LDADD = $(vp_agent_test_ldadd)
tests_unit_test_agent_modprobe_SOURCES = tests/unit/test-agent-modprobe.c
tests_unit_test_agent_modprobe_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_modprobe_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_modprobe_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_modprobe_LDADD = $(vp_agent_test_ldadd)
tests_unit_test_agent_piece_SOURCES = tests/unit/test-agent-piece.c
tests_unit_test_agent_piece_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_piece_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_piece_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_piece_LDADD = $(vp_agent_test_ldadd)
tests_unit_test_agent_stats_SOURCES = tests/unit/test-agent-stats.c
tests_unit_test_agent_stats_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_stats_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_stats_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_stats_LDADD = $(vp_agent_test_ldadd)
vp_tar_fixture = tests/unit/tar-fixture.c tests/unit/tar-fixture.h tests/unit/agent-openat2-by-hand.c
tests_unit_test_agent_tar_create_SOURCES = tests/unit/test-agent-tar-create.c $(vp_tar_fixture)
tests_unit_test_agent_tar_create_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_tar_create_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_tar_create_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_tar_create_LDADD = $(vp_agent_test_ldadd)
tests_unit_test_agent_tar_extract_SOURCES = tests/unit/test-agent-tar-extract.c $(vp_tar_fixture)
tests_unit_test_agent_tar_extract_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_tar_extract_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_tar_extract_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_tar_extract_LDADD = $(vp_agent_test_ldadd)
tests_unit_test_agent_tar_header_SOURCES = tests/unit/test-agent-tar-header.c $(vp_tar_fixture)
tests_unit_test_agent_tar_header_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_tar_header_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_tar_header_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_tar_header_LDADD = $(vp_agent_test_ldadd)
tests_unit_test_agent_util_SOURCES = tests/unit/test-agent-util.c
tests_unit_test_agent_util_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_unit_test_agent_util_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_unit_test_agent_util_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_unit_test_agent_util_LDADD = $(vp_agent_test_ldadd)

# the wire under libFuzzer, or its corpus as a test
vp_fuzz_frame_corpus = \
	tests/fuzz/corpus-frame/check \
	tests/fuzz/corpus-frame/create-container \
	tests/fuzz/corpus-frame/junk \
	tests/fuzz/corpus-frame/lost \
	tests/fuzz/corpus-frame/responses \
	tests/fuzz/corpus-frame/sync \
	tests/fuzz/corpus-frame/write-stdin
EXTRA_DIST += $(vp_fuzz_frame_corpus)
check_PROGRAMS += tests/fuzz/replay-frame
TESTS += tests/fuzz/replay-frame
tests_fuzz_replay_frame_SOURCES = tests/fuzz/fuzz-frame.c
tests_fuzz_replay_frame_CPPFLAGS = $(AM_CPPFLAGS) $(VP_WIRE_CPPFLAGS) -DFUZZ_REPLAY
tests_fuzz_replay_frame_CFLAGS = $(AM_CFLAGS)
tests_fuzz_replay_frame_LDADD = libvp-wire.la
if ENABLE_FUZZING
noinst_PROGRAMS += tests/fuzz/fuzz-frame
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz-frame.c $(vp_wire_sources)
nodist_tests_fuzz_fuzz_frame_SOURCES = $(vp_wire_generated_c)
tests_fuzz_fuzz_frame_CPPFLAGS = $(AM_CPPFLAGS) $(VP_WIRE_CPPFLAGS)
tests_fuzz_fuzz_frame_CFLAGS = -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -w
tests_fuzz_fuzz_frame_LDFLAGS = -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_frame_LDADD = $(PROTOBUF_C_LIBS)
endif

# the same for archives
vp_fuzz_tar_corpus = \
	tests/fuzz/corpus-tar/gnu \
	tests/fuzz/corpus-tar/links \
	tests/fuzz/corpus-tar/pax \
	tests/fuzz/corpus-tar/sparse \
	tests/fuzz/corpus-tar/ustar \
	tests/fuzz/corpus-tar/v7
EXTRA_DIST += $(vp_fuzz_tar_corpus)
check_PROGRAMS += tests/fuzz/replay-tar
TESTS += tests/fuzz/replay-tar
tests_fuzz_replay_tar_SOURCES = tests/fuzz/fuzz-tar.c tests/fuzz/fuzz-replay.c tests/fuzz/fuzz.h
tests_fuzz_replay_tar_CPPFLAGS = $(libvp_agent_a_CPPFLAGS) -DFUZZ_CORPUS=\"corpus-tar\"
tests_fuzz_replay_tar_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) -fno-pie
tests_fuzz_replay_tar_LDFLAGS = $(AM_LDFLAGS) -no-pie
tests_fuzz_replay_tar_LDADD = $(vp_agent_test_ldadd)
if ENABLE_FUZZING
noinst_PROGRAMS += tests/fuzz/fuzz-tar
tests_fuzz_fuzz_tar_SOURCES = tests/fuzz/fuzz-tar.c tests/fuzz/fuzz.h \
	guest/agent/agent-tar-header.c guest/agent/agent-tar-reader.c guest/agent/agent-util.c
tests_fuzz_fuzz_tar_CPPFLAGS = $(libvp_agent_a_CPPFLAGS)
tests_fuzz_fuzz_tar_CFLAGS = $(GLIB_CFLAGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -w
tests_fuzz_fuzz_tar_LDFLAGS = -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_tar_LDADD = $(GLIB_LIBS)
endif
