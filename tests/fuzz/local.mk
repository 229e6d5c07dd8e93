# SPDX-License-Identifier: LGPL-2.1-or-later
# What outsiders write, under libFuzzer (--enable-fuzzing, CC=clang), or its
# corpora as tests. `make fuzz SECONDS=n` runs each target for n seconds.
vp_fuzz_replays = \
	tests/fuzz/replay-annotation \
	tests/fuzz/replay-config \
	tests/fuzz/replay-json \
	tests/fuzz/replay-plan
check_PROGRAMS += $(vp_fuzz_replays)
TESTS += $(vp_fuzz_replays)
EXTRA_DIST += \
	tests/fuzz/corpus-annotation \
	tests/fuzz/corpus-config \
	tests/fuzz/corpus-json \
	tests/fuzz/corpus-plan \
	tests/fuzz/dict-annotation \
	tests/fuzz/dict-json

vp_fuzz_replay_sources = tests/fuzz/fuzz-replay.c tests/fuzz/fuzz.h
tests_fuzz_replay_annotation_SOURCES = tests/fuzz/fuzz-plan.c $(vp_fuzz_replay_sources)
tests_fuzz_replay_annotation_CPPFLAGS = $(vp_drivers_test_cppflags) -DFUZZ_ANNOTATION -DFUZZ_CORPUS=\"corpus-annotation\"
tests_fuzz_replay_annotation_CFLAGS = $(vp_drivers_test_cflags)
tests_fuzz_replay_annotation_LDADD = $(vp_drivers_test_ldadd)
tests_fuzz_replay_config_SOURCES = tests/fuzz/fuzz-config.c $(vp_fuzz_replay_sources)
tests_fuzz_replay_config_CPPFLAGS = $(vp_model_test_cppflags) -DFUZZ_CORPUS=\"corpus-config\"
tests_fuzz_replay_config_CFLAGS = $(vp_model_test_cflags)
tests_fuzz_replay_config_LDADD = $(vp_model_test_ldadd)
tests_fuzz_replay_json_SOURCES = tests/fuzz/fuzz-json.c $(vp_fuzz_replay_sources)
tests_fuzz_replay_json_CPPFLAGS = $(vp_model_test_cppflags) -DFUZZ_CORPUS=\"corpus-json\"
tests_fuzz_replay_json_CFLAGS = $(vp_model_test_cflags)
tests_fuzz_replay_json_LDADD = $(vp_model_test_ldadd)
tests_fuzz_replay_plan_SOURCES = tests/fuzz/fuzz-plan.c $(vp_fuzz_replay_sources)
tests_fuzz_replay_plan_CPPFLAGS = $(vp_drivers_test_cppflags) -DFUZZ_CORPUS=\"corpus-plan\"
tests_fuzz_replay_plan_CFLAGS = $(vp_drivers_test_cflags)
tests_fuzz_replay_plan_LDADD = $(vp_drivers_test_ldadd)

if ENABLE_FUZZING
vp_fuzz_programs = \
	tests/fuzz/fuzz-annotation \
	tests/fuzz/fuzz-config \
	tests/fuzz/fuzz-json \
	tests/fuzz/fuzz-plan
noinst_PROGRAMS += $(vp_fuzz_programs)

# everything below the daemon once more, so that libFuzzer sees the branches of all of it
vp_fuzz_cflags = $(GLIB_CFLAGS) $(XML_CFLAGS) $(MOUNT_CFLAGS) \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -w
vp_fuzz_ldflags = -fsanitize=fuzzer,address,undefined
noinst_LTLIBRARIES += libvp-fuzz.la
libvp_fuzz_la_SOURCES = $(libvp_common_la_SOURCES) $(libvp_model_la_SOURCES) $(libvp_drivers_la_SOURCES) $(vp_wire_sources)
nodist_libvp_fuzz_la_SOURCES = $(vp_wire_generated_c)
libvp_fuzz_la_CPPFLAGS = $(libvp_drivers_la_CPPFLAGS) $(libvp_model_la_CPPFLAGS)
libvp_fuzz_la_CFLAGS = $(vp_fuzz_cflags)
libvp_fuzz_la_LIBADD = $(PROTOBUF_C_LIBS) $(GLIB_LIBS) $(XML_LIBS) $(MOUNT_LIBS)

tests_fuzz_fuzz_annotation_SOURCES = tests/fuzz/fuzz-plan.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_annotation_CPPFLAGS = $(libvp_fuzz_la_CPPFLAGS) -DFUZZ_ANNOTATION
tests_fuzz_fuzz_annotation_CFLAGS = $(vp_fuzz_cflags)
tests_fuzz_fuzz_annotation_LDFLAGS = $(vp_fuzz_ldflags)
tests_fuzz_fuzz_annotation_LDADD = libvp-fuzz.la
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz-config.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_config_CPPFLAGS = $(libvp_fuzz_la_CPPFLAGS)
tests_fuzz_fuzz_config_CFLAGS = $(vp_fuzz_cflags)
tests_fuzz_fuzz_config_LDFLAGS = $(vp_fuzz_ldflags)
tests_fuzz_fuzz_config_LDADD = libvp-fuzz.la
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz-json.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_json_CPPFLAGS = $(libvp_fuzz_la_CPPFLAGS)
tests_fuzz_fuzz_json_CFLAGS = $(vp_fuzz_cflags)
tests_fuzz_fuzz_json_LDFLAGS = $(vp_fuzz_ldflags)
tests_fuzz_fuzz_json_LDADD = libvp-fuzz.la
tests_fuzz_fuzz_plan_SOURCES = tests/fuzz/fuzz-plan.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_plan_CPPFLAGS = $(libvp_fuzz_la_CPPFLAGS)
tests_fuzz_fuzz_plan_CFLAGS = $(vp_fuzz_cflags)
tests_fuzz_fuzz_plan_LDFLAGS = $(vp_fuzz_ldflags)
tests_fuzz_fuzz_plan_LDADD = libvp-fuzz.la

vp_all_fuzz_programs = $(vp_fuzz_programs) tests/fuzz/fuzz-frame tests/fuzz/fuzz-tar
fuzz-programs: $(BUILT_SOURCES)
	@$(MAKE) $(AM_MAKEFLAGS) $(vp_all_fuzz_programs)

# what is new goes to the build directory, not into the corpora
SECONDS = 30
fuzz: $(vp_all_fuzz_programs)
	@for target in $^; do \
	  name=$${target##*/fuzz-}; \
	  $(MKDIR_P) tests/fuzz/new-$$name && echo "fuzz-$$name: $(SECONDS) s" || exit 1; \
	  dict=$(srcdir)/tests/fuzz/dict-$$name; \
	  test -f $$dict && dict=-dict=$$dict || dict=; \
	  $$target -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 $$dict \
	    -artifact_prefix=tests/fuzz/$$name- tests/fuzz/new-$$name $(srcdir)/tests/fuzz/corpus-$$name || exit 1; \
	done
else
fuzz fuzz-programs:
	@echo "fuzz: configure with --enable-fuzzing CC=clang first" >&2; exit 1
endif
.PHONY: fuzz fuzz-programs clean-fuzz
clean-local: clean-fuzz
clean-fuzz:
	-rm -rf tests/fuzz/new-*
