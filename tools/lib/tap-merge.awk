# SPDX-License-Identifier: LGPL-2.1-or-later
# Reads the TAP of one program and prints it as a part of a longer run.
#
# -v label=NAME      put before each test's title
# -v first=N         number of the first test
# -v status=N        exit status of the program
# -v counts=FILE     gets "PASSED FAILED SKIPPED"
# -v file=FILE       what is read, for
# -v failures=FILE   to which each failed test is added, with the end of what the
#                    program said of it
#
# A program that ends badly without a failed test, or that runs fewer tests than
# it planned, has one failed test more.

function result(word, text)
{
  printf "%s %d - %s: %s\n", word, first + n, label, text
  if (word == "not ok")
    cause("   not ok " (first + n) " - " text)
  n++
}

# the last lines of what is said about one failed test; with none, remembers them
function cause(text,    i)
{
  for (i = (nsaid > 25 ? nsaid - 25 : 0); i < nsaid; i++)
    causes = causes "     " said[i % 25] "\n"
  nsaid = 0
  if (text != "")
    causes = causes text "\n"
}

BEGIN { n = passed = failed = skipped = 0; plan = -1; seen = 0; causes = "" }

/^1\.\.[0-9]+/ {
  plan = substr($1, 4) + 0
  if (plan == 0) {
    reason = $0
    sub(/^1\.\.0[ #]*([Ss][Kk][Ii][Pp])?[^ ]* */, "", reason)
    result("ok", "all # SKIP " reason)
    skipped++
  }
  next
}

/^(not )?ok([^a-z]|$)/ {
  text = $0
  good = !sub(/^not /, "", text)
  sub(/^ok *[0-9]* *(- )?/, "", text)
  seen++
  if (text ~ /# *[Ss][Kk][Ii][Pp]/)
    skipped++
  else if (good)
    passed++
  else
    failed++
  result(good ? "ok" : "not ok", text)
  showing = !good
  next
}

/^Bail out!/ { bail = $0; next }

/^#/ {
  if (showing) {
    print
    said[nsaid++ % 25] = substr($0, 3)
  }
  next
}

# automake's own line about the result above
/^(PASS|FAIL|SKIP|XFAIL|XPASS): / { next }

# what a failed program printed besides
{ rest[nrest++ % 40] = $0 }

END {
  complaint = ""
  if (bail != "")
    complaint = bail
  else if (status == 124)
    complaint = "took too long"
  else if (status != 0 && status != 77 && failed == 0)
    complaint = "ended with status " status
  else if (plan < 0)
    complaint = "printed no plan"
  else if (plan > 0 && seen != plan)
    complaint = "ran " seen " of " plan " tests"
  if (complaint != "") {
    failed++
    result("not ok", complaint)
  }
  if (failed) {
    silent = nsaid == 0
    cause("")
    for (i = (nrest > 40 ? nrest - 40 : 0); i < nrest; i++) {
      print "# | " rest[i % 40]
      if (silent && i >= nrest - 25)
        causes = causes "     " rest[i % 40] "\n"
    }
    printf "%s: %s\n%s", label, file, causes >> failures
  }
  print passed, failed, skipped > counts
}
