# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs test programs, some side by side, and makes one TAP of theirs. The caller has
# common.sh, sets `log_dir` and `test_seconds`, and reads passed, failed and skipped.
: "${me:?}" "${source_dir:?}" "${log_dir:?}" "${test_seconds:?}"

# how many programs at a time: most of their time they wait
at_once=${VIRTPOD_TEST_JOBS:-$(($(nproc) > 1 ? 2 : 1))}

passed=0
failed=0
skipped=0
number=1
failures=$(mktemp)

# ---- adding up ---------------------------------------------------------------------

# report LABEL STATUS LOG [SECONDS]: adds the TAP in LOG to the current group
report ()
{
  local counts p f s
  counts=$(mktemp)
  awk -v label="$1" -v first="$number" -v status="$2" -v counts="$counts" -v file="$3" -v failures="$failures" \
    -f "$source_dir/tools/lib/tap-merge.awk" "$3"
  read -r p f s <"$counts"
  rm -f "$counts"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  number=$((number + p + f + s))
  [ -z "${4:-}" ] || echo "# $1 $4"
}

begin_group ()
{
  echo
  say "$1"
  number=1
  group_started=$(now)
}

end_group ()
{
  finish_jobs
  echo "1..$((number - 1))"
  echo "# $(since "$group_started")"
}

# report_step LABEL LOG COMMAND...: a command as one test
report_step ()
{
  local label=$1 log=$2 status=0 began
  began=$(now)
  shift 2
  mkdir -p "$(dirname "$log")"
  # in a subshell: a step that gives up must not end the run
  ("$@") >"$log" 2>&1 </dev/null {jobs_ended}>&- || status=$?
  step_tap "$log" $status >"$log.tap"
  report "$label" 0 "$log.tap" "$(since "$began")"
  return $status
}

# step_tap LOG STATUS: the TAP of a command that prints none
step_tap ()
{
  cat "$1"
  echo "1..1"
  if [ "$2" -eq 0 ]; then echo "ok 1 - done"; else echo "not ok 1 - status $2"; fi
}

# ---- side by side --------------------------------------------------------------------

# What runs, by a number: its pid, label, log, kind (tap, or step for what prints none)
# and when it began. A program's results are printed when it has ended, all at once.
declare -A job_pid=() job_label=() job_log=() job_kind=() job_began=()
jobs_begun=0
# where the number and the status of each that ends are written; not for programs to have
fifo=$(mktemp -u)
mkfifo -m 0600 "$fifo"
exec {jobs_ended}<>"$fifo"
rm "$fifo"

# begin_job KIND LABEL LOG COMMAND...: starts a command as soon as there is a place
begin_job ()
{
  local job
  while [ ${#job_pid[@]} -ge "$at_once" ]; do
    end_job
  done
  job=$((++jobs_begun))
  job_kind[$job]=$1 job_label[$job]=$2 job_log[$job]=$3 job_began[$job]=$(now)
  shift 3
  run_job $job "${job_log[$job]}" "$@" &
  job_pid[$job]=$!
}

# run_job NUMBER LOG COMMAND...: in a process of its own, which passes TERM on
run_job ()
{
  local status=0 child=''
  trap 'kill $child' TERM
  "${@:3}" >"$2" 2>&1 </dev/null {jobs_ended}>&- &
  child=$!
  # not the shell's own words about how it ended
  wait $child 2>/dev/null || status=$?
  echo "$1 $status" >&"$jobs_ended"
}

# waits for the next one that ends
end_job ()
{
  local job status log
  read -r -u "$jobs_ended" job status
  wait "${job_pid[$job]}" || true
  log=${job_log[$job]}
  if [ "${job_kind[$job]}" = step ]; then
    step_tap "$log" "$status" >"$log.tap"
    status=0 log=$log.tap
  fi
  report "${job_label[$job]}" "$status" "$log" "$(since "${job_began[$job]}")"
  unset "job_pid[$job]" "job_label[$job]" "job_log[$job]" "job_kind[$job]" "job_began[$job]"
}

finish_jobs ()
{
  while [ ${#job_pid[@]} -gt 0 ]; do
    end_job
  done
}

# for who is interrupted
kill_jobs ()
{
  [ ${#job_pid[@]} -eq 0 ] || kill "${job_pid[@]}" 2>/dev/null || true
}

# run_programs GROUP BUILD-DIR FILE...: test programs that print TAP. Those with a line
# `# alone: why` run after the others, with nothing beside them.
run_programs ()
{
  local group=$1 dir=$2 file
  local -a alone=()
  shift 2
  for file in "$@"; do
    if [ ! -f "$file" ]; then
      continue
    elif grep -q '^# alone: ' "$file"; then
      alone+=("$file")
    else
      begin_program "$group" "$dir" "$file"
    fi
  done
  for file in "${alone[@]}"; do
    finish_jobs
    begin_program "$group" "$dir" "$file"
  done
  finish_jobs
}

# begin_program GROUP BUILD-DIR FILE
begin_program ()
{
  local -a command=("$3")
  case $3 in
    *.py) command=(/usr/bin/python3 "$3") ;;
    *.sh) command=(bash "$3") ;;
  esac
  begin_test "$1/${3##*/}" "$log_dir/$1-${3##*/}.log" "$2" "${command[@]}"
}

# begin_test LABEL LOG BUILD-DIR COMMAND...: what prints TAP. What a shell starts in the
# background ignores interrupts, which tests send; so this puts them back.
begin_test ()
{
  begin_job tap "$1" "$2" env --default-signal=INT,QUIT top_srcdir="$source_dir" top_builddir="$3" \
    timeout -k 30 "$test_seconds" "${@:4}"
}

# ---- automake's -----------------------------------------------------------------------

# run_make_check LABEL DIR [ARGUMENT...]: each test program's own TAP out of automake's logs
run_make_check ()
{
  local status=0 log ended found=no
  find "$2" -name '*.trs' -delete
  make -C "$2" check -j"$(nproc)" "${@:3}" >"$log_dir/$1-make-check.log" 2>&1 </dev/null {jobs_ended}>&- \
    || status=$?
  while read -r log; do
    found=yes
    ended=0
    if grep -q '^:test-result: ERROR' "${log%.log}.trs"; then
      ended=1
    fi
    report "$1/$(basename "$log" .log)" $ended "$log" "$(age "$log")"
  done < <(find "$2" -name '*.trs' 2>/dev/null | sort | sed 's/\.trs$/.log/')
  # a build that fails leaves no results that say so
  if [ $found = no ] || { [ $status -ne 0 ] && [ "$failed" -eq 0 ]; }; then
    { tail -n 40 "$log_dir/$1-make-check.log"; echo "1..1"; echo "not ok 1 - make check"; } >"$log_dir/$1-make-check.tap"
    report "$1" 0 "$log_dir/$1-make-check.tap"
  fi
}

# how long a log was written, where the file system remembers when it began
age ()
{
  stat -c '%.2W %.2Y' "$1" | awk '$1 > 0 && $2 >= $1 { printf "%.2f s", $2 - $1 }'
}

# ---- the end ----------------------------------------------------------------------------

# print_failures: of each program that failed its log, its failed tests and the last it said of them
print_failures ()
{
  if [ -s "$failures" ]; then
    echo
    say "failed; logs"
    cat "$failures"
  fi
  rm -f "$failures"
}
