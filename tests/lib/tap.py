# SPDX-License-Identifier: LGPL-2.1-or-later
"""A test program is a list of functions; this runs them and prints TAP."""

import os
import re
import signal
import sys
import time
import traceback


class Failure(Exception):
    """A check did not hold."""


class Skip(Exception):
    """A test cannot run here; the text says why."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(got, wanted, what="value"):
    if got != wanted:
        raise Failure("%s: got %s, wanted %s" % (what, short(got), short(wanted)))


def match(text, pattern, what="text"):
    if not re.search(pattern, text):
        raise Failure("%s: %s does not match %r" % (what, short(text), pattern))


def slack():
    """How much longer than by itself something may take here: 1 on a machine that has
    nothing else to do, more on one that is shared."""
    return min(max(os.getloadavg()[0] / os.cpu_count(), 1.0), 5.0)


def took(began, limit, what):
    """Fails when more than @limit seconds have gone since @began, an idle machine's."""
    elapsed = time.monotonic() - began
    check(elapsed < limit * slack(), "%s took %.1f s, not %.1f at most" % (what, elapsed, limit * slack()))


def eventually(condition, what, timeout=30.0):
    """Waits until @condition() is true; returns what it returned. Only a failure takes
    @timeout seconds, so there are more of them on a machine that is busy."""
    timeout *= 2 * slack()
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure("%s: not within %g s" % (what, timeout))
        time.sleep(0.02)


def short(value, limit=400):
    text = repr(value)
    return text if len(text) <= limit else "%s... (%d characters)" % (text[:limit], len(text))


def title(test):
    return (test.__doc__ or test.__name__).strip().splitlines()[0].rstrip(".").replace("#", "no.")


def diagnose(text):
    for line in text.rstrip("\n").splitlines():
        print("# " + line)


def skip_all(reason):
    print("1..0 # SKIP " + reason)
    sys.exit(0)


def _terminated(_number, _frame):
    raise SystemExit("terminated")


def run(tests, env=None):
    """Runs the tests in order, each with @env if there is one, and exits with
    status 1 if one failed. An environment that cannot start fails them all."""
    signal.signal(signal.SIGTERM, _terminated)
    # who runs this with nohup, or in the background, has them ignored, and what is ignored
    # is inherited down to the processes of containers that are to be killed by them
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    print("1..%d" % len(tests), flush=True)
    failed = 0
    try:
        failed = _run_all(tests, env)
    finally:
        if env is not None:
            env.stop()
    sys.exit(1 if failed else 0)


def _run_all(tests, env):
    failed = 0
    broken = None
    if env is not None:
        try:
            env.start()
        except Exception:
            broken = traceback.format_exc() + env.diagnostics()
    for number, test in enumerate(tests, 1):
        started = time.monotonic()
        error = broken
        try:
            if broken is None and env is not None:
                env.begin_test()
            if broken is None:
                test(env) if env is not None else test()
            if env is not None and broken is None and env.complaints():
                raise Failure("the daemon logged: " + "; ".join(env.complaints()))
        except Skip as reason:
            print("ok %d - %s # SKIP %s" % (number, title(test), reason), flush=True)
            continue
        except Failure as failure:
            error = "%s\n%s" % (failure, "".join(traceback.format_tb(failure.__traceback__)[1:-1]))
        except Exception:
            error = traceback.format_exc()
        if error is None:
            print("ok %d - %s" % (number, title(test)))
        else:
            failed += 1
            print("not ok %d - %s" % (number, title(test)))
            # the cause comes first and last: who prints only a part of this prints it
            diagnose(error.strip().splitlines()[0 if "Traceback" not in error else -1])
            if env is not None and broken is None:
                diagnose(env.diagnostics())
            diagnose(error)
        print("# %.2f s" % (time.monotonic() - started), flush=True)
    return failed
