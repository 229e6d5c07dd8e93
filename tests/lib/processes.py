# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many short processes: each one's status and output must be its own."""

import hashlib
import os
import signal

import tap

# what the kernel does with them by default is not to end a process
IGNORED = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}
STOPPING = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
# the C library's own
INTERNAL = {32, 33}

# the sum is made where the process runs, of what is written
RANDOM = """d=$(mktemp -d /dev/shm/copyXXXXXX) && mkfifo $d/pipe && { sha256sum <$d/pipe >&2 & } &&
head -c %d /dev/urandom | tee $d/pipe; wait; rm -r $d"""


def endings(deaf=()):
    """(shell command, status) for every exit status there is and every signal that can be told,
    but for those that the shell is @deaf to."""
    cases = [("exit %d" % status, status) for status in range(256)]
    for number in range(1, 65):
        if number in STOPPING or number in INTERNAL or number in deaf:
            continue
        cases.append(("kill -%d $$; exit 99" % number, 99 if number in IGNORED else 128 + number))
    return cases


def sample(cases, count):
    """@count of the endings, spread over all of them; more than there are: again from the start."""
    if count >= len(cases):
        return [cases[i % len(cases)] for i in range(count)]
    return [cases[i * len(cases) // count] for i in range(count)]


def run(container, cases, flight, begin_wait):
    """Runs them, up to @flight at once. @begin_wait (process) gives something whose
    .result () is the reply of Wait. Returns how many there were."""
    under_way = []

    def finish():
        number, command, wanted, process, wait, out = under_way.pop(0)
        status, exited_at = wait.result()
        with os.fdopen(out, "rb") as f:
            data = f.read()
        what = "process %d (%s)" % (number, command)
        tap.equal(status, wanted, "status of " + what)
        tap.equal(data, b"%d\n" % number, "output of " + what)
        tap.equal((process.get("State"), process.get("ExitStatus"), process.get("ExitedAt")),
                  ("stopped", wanted, exited_at), "properties of " + what)

    for number, (command, wanted) in enumerate(cases):
        out, inner = os.pipe()
        process = container.exec(["sh", "-c", "echo %d; %s" % (number, command)], stdout=inner)
        os.close(inner)
        under_way.append((number, command, wanted, process, begin_wait(process), out))
        if len(under_way) >= flight:
            finish()
    while under_way:
        finish()
    return len(cases)


def random_output(container, megabytes):
    """So much of it on stdout, each byte as the process wrote it."""
    out, out_inner = os.pipe()
    err, err_inner = os.pipe()
    process = container.exec(["sh", "-c", RANDOM % (megabytes << 20)], stdout=out_inner, stderr=err_inner)
    os.close(out_inner)
    os.close(err_inner)
    got, size = hashlib.sha256(), 0
    with os.fdopen(out, "rb", buffering=0) as f:
        while True:
            piece = f.read(1 << 20)
            if not piece:
                break
            got.update(piece)
            size += len(piece)
    with os.fdopen(err, "rb") as f:
        said = f.read().decode()
    tap.equal(process.wait(timeout=600), 0, "status (stderr: %r)" % said)
    tap.equal(size, megabytes << 20, "bytes")
    tap.equal(said.split()[0], got.hexdigest(), "SHA-256")
