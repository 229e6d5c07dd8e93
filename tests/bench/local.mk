# SPDX-License-Identifier: LGPL-2.1-or-later
# `make bench` measures: BENCH="P1 P13" selects figures, N=5 sets the rounds.
# docs/performance.md says what each figure is.
EXTRA_PROGRAMS += tests/bench/echo tests/bench/messages tests/bench/plan tests/bench/sweep
CLEANFILES += $(EXTRA_PROGRAMS)
EXTRA_DIST += \
	tests/bench/bench.py \
	tests/bench/bus_figures.py \
	tests/bench/door_figures.py \
	tests/bench/guest_figures.py \
	tests/bench/life_figures.py \
	tests/bench/network_figures.py \
	tests/bench/plan_figures.py \
	tests/bench/rawvm.py \
	tests/bench/report.py \
	tests/bench/scale_figures.py \
	tests/bench/shim_figures.py \
	tests/bench/start_figures.py \
	tests/bench/world.py

tests_bench_echo_SOURCES = tests/bench/echo.c
tests_bench_echo_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
tests_bench_echo_LDADD = $(GLIB_LIBS)

tests_bench_sweep_SOURCES = tests/bench/sweep.c
tests_bench_sweep_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
tests_bench_sweep_LDADD = $(GLIB_LIBS)

tests_bench_messages_SOURCES = tests/bench/messages.c
tests_bench_messages_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_bench_messages_CFLAGS = $(vp_drivers_test_cflags)
tests_bench_messages_LDADD = $(vp_drivers_test_ldadd)

tests_bench_plan_SOURCES = tests/bench/plan.c
tests_bench_plan_CPPFLAGS = $(vp_drivers_test_cppflags)
tests_bench_plan_CFLAGS = $(vp_drivers_test_cflags)
tests_bench_plan_LDADD = $(vp_drivers_test_ldadd)

.PHONY: bench
bench: all $(EXTRA_PROGRAMS)
	@$(AM_TESTS_ENVIRONMENT) BENCH='$(BENCH)' N='$(N)' STRIP='$(STRIP)' \
	  $(PYTHON3) $(srcdir)/tests/bench/bench.py
