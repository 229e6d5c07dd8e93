#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# tools/lib/programs.sh: what tools/check makes of programs that pass, fail, crash, hang
# and run side by side.
set -u

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/programs"
cd "$work/programs" || exit 1

# each line by itself, so that another's could come between
cat >good-a.sh <<'END'
echo 1..2
touch "$0.runs"
for i in 1 2; do echo "ok $i - a$i"; sleep 0.3; done
rm "$0.runs"
END
sed 's/- a/- b/' good-a.sh >good-b.sh
cat >fails.sh <<'END'
echo 1..3
echo "ok 1 - fine # SKIP today"
echo "some log"
echo "not ok 2 - broken"
for i in $(seq 60); do echo "# log line $i"; done
echo "# the cause"
echo "ok 3 - goes on"
END
cat >clean.sh <<'END'
echo 1..1
[ -z "$(find /proc/self/fd -lname '*(deleted)')" ] || printf 'not '
echo "ok 1 - clean"
END
echo 'echo 1..1; echo "ok 1 - before"; echo dying words >&2; kill -SEGV $$' >crashes.sh
mkdir slow
echo 'echo 1..1; sleep 60' >slow/hangs.sh
echo 'echo 1..2; echo "ok 1 - half"' >half.sh
echo 'echo "1..0 # SKIP not here"' >skips.sh
echo 'trap "echo ok 1 - interrupted; exit" INT; echo 1..1; kill -INT $$; echo not ok 1 - deaf' >interrupted.sh
# says when somebody else runs
for name in lonely-a lonely-b; do
  cat >$name.sh <<'END'
# alone: for this test
echo 1..1
touch "$0.runs"
sleep 0.3
[ "$(ls -- *.runs)" = "${0##*/}.runs" ] || printf 'not '
echo "ok 1 - alone"
rm "$0.runs"
END
done

export me=test source_dir=$top_srcdir log_dir=$work test_seconds=60 VIRTPOD_TEST_JOBS=3
# shellcheck disable=SC2016
bash -euc '. "$source_dir/tools/lib/common.sh"; . "$source_dir/tools/lib/programs.sh"
  begin_group group
  report_step step "$log_dir/step.log" false || true
  begin_job step good-step "$log_dir/good-step.log" true
  run_programs p "$log_dir" "$PWD"/*.sh
  test_seconds=1
  run_programs p "$log_dir" slow/hangs.sh
  end_group
  print_failures
  echo "$passed passed, $failed failed, $skipped skipped"' >"$work/out" 2>&1

number=0
# has TITLE PATTERN
has ()
{
  number=$((number + 1))
  if grep -Pzq "$2" "$work/out"; then echo "ok $number - $1"; else echo "not ok $number - $1"; bad=1; fi
}

bad=
echo 1..16
has "all are counted" '\n12 passed, 5 failed, 2 skipped\n$'
has "numbers go on, and the plan comes last" '\n1\.\.19\n'
has "each program's results are together" 'p/good-a.sh: a1\nok \d+ - p/good-a.sh: a2\n'
has "and the other's" 'p/good-b.sh: b1\nok \d+ - p/good-b.sh: b2\n'
has "seconds of each" '\n# p/good-a.sh \d+\.\d\d s\n'
has "a step that fails" '\nnot ok 1 - step: status 1\n'
has "a step that does not" '\nok \d+ - good-step: done\n'
has "a crash" 'not ok \d+ - p/crashes.sh: ended with status 139\n'
has "a hang" 'not ok \d+ - p/hangs.sh: took too long\n'
has "too few tests" 'not ok \d+ - p/half.sh: ran 1 of 2 tests\n'
has "a program that cannot run" 'ok \d+ - p/skips.sh: all # SKIP not here\n'
has "descriptors of ours are not inherited" '\nok \d+ - p/clean.sh: clean\n'
has "interrupts arrive" '\nok \d+ - p/interrupted.sh: interrupted\n'
has "nothing runs beside who wants to be alone" '\nok \d+ - p/lonely-a.sh: alone\n(#.*\n)*ok \d+ - p/lonely-b.sh: alone\n'
has "the end names logs, and the cause last" '\np/fails.sh: .*p-fails.sh.log\n   not ok \d+ - broken\n     log line 37\n(.*\n)*     the cause\n'
has "or what was said outside of TAP" '\np/crashes.sh: .*p-crashes.sh.log\n   not ok .*\n     dying words\n'
if [ -n "$bad" ]; then
  sed 's/^/# /' "$work/out"
  exit 1
fi
