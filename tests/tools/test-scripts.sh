#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The project's own scripts: shellcheck, Python syntax, help texts, package lists.
set -u

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$top_srcdir" || exit 1
mapfile -t shell < <(grep -rlIE --exclude-dir=__pycache__ '^#!/bin/(ba)?sh|^# shellcheck shell=' tools tests guest .ci autogen.sh 2>/dev/null | sort)
mapfile -t python < <({ find tests tools -name '*.py'; grep -rlI --exclude-dir=__pycache__ '^#!/usr/bin/python3' tools guest tests; } | sort -u)

result ()
{
  local title=$1 status=$2 output=$3
  number=$((number + 1))
  if [ "$status" -eq 0 ]; then
    echo "ok $number - $title"
  else
    echo "not ok $number - $title"
    echo "${output//$'\n'/$'\n'# }" | sed '1s/^/# /'
  fi
}

number=0
echo "1..$((${#shell[@]} + ${#python[@]} + 3))"

for file in "${shell[@]}"; do
  if command -v shellcheck >/dev/null; then
    output=$(shellcheck -x "$file" 2>&1)
    result "shellcheck $file" $? "$output"
  else
    number=$((number + 1))
    echo "ok $number - shellcheck $file # SKIP shellcheck is not installed"
  fi
done

for file in "${python[@]}"; do
  output=$(/usr/bin/python3 - "$file" 2>&1 <<'EOF'
import ast, sys
ast.parse(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1])
EOF
  )
  result "syntax of $file" $? "$output"
done

for tool in quickstart check; do
  output=$(tools/$tool --help 2>&1)
  result "tools/$tool --help" $? "$output"
done

output=$(sed -n '/^\[/d; /^#/d; /^$/d; p' tools/packages.txt | sort | uniq -d)
[ -z "$output" ]
result "packages.txt names no package twice" $? "$output"
