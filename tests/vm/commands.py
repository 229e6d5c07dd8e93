#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command's verbs on a real guest: copying, pausing, limits, statistics, console."""

import hashlib
import io
import json
import os
import select
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from env import Env, program
from tap import check, equal, eventually, match

MEGABYTES = 20


class Shared:
    """The container most tests of this program use."""

    container = None
    id = "shared"


def command(env, *args):
    return [program("virtpod"), "--address", env.address, *args]


def run(env, *args, status=0, stdin=b""):
    done = subprocess.run(command(env, *args), input=stdin, capture_output=True, timeout=120, check=False)
    equal(done.returncode, status, "status of %s (%s)" % (" ".join(args), done.stderr.decode(errors="replace")))
    return done.stdout if status == 0 else done.stderr


def inside(env, *args, status=0):
    """What a command in the container prints."""
    return run(env, "exec", Shared.id, *args, status=status).decode()


def host_file(env, *names, data=None):
    path = env.path("host", *names)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if data is not None:
        with open(path, "wb") as out:
            out.write(data)
    return path


def test_start(env):
    """a container to work in"""
    sandbox = env.manager.create_sandbox(Shared.id, env.bundle(["sleep", "100000"]))
    sandbox.start()
    Shared.container = env.manager.container(Shared.id)
    Shared.container.start()


def test_check(env):
    """check finds nothing that would keep a sandbox from starting"""
    done = subprocess.run(command(env, "check", "--json"), capture_output=True, timeout=60, check=False)
    rows = {row["check"]: row for row in json.loads(done.stdout)}
    for name in ("libvirt", "emulator", "virtiofsd", "guest-kernel", "guest-initrd", "socket-names", "memory"):
        equal(rows[name]["status"], "ok", "%s: %s" % (name, rows[name]["found"]))
    match(rows["acceleration"]["found"], r"^(kvm|tcg)", "acceleration")


def test_copy_in(env):
    """cp: a tree into the container, with modes, links and odd names"""
    host_file(env, "tree", "sub", "file", data=b"deep")
    host_file(env, "tree", "caf\u00e9 \n", data=b"odd")
    os.chmod(env.path("host", "tree", "sub", "file"), 0o640)
    os.symlink("sub/file", env.path("host", "tree", "link"))
    run(env, "cp", env.path("host", "tree"), Shared.id + ":/root-copy")
    equal(inside(env, "cat", "/root-copy/sub/file", "/root-copy/caf\u00e9 \n", "/root-copy/link"), "deepodddeep", "content")
    equal(inside(env, "stat", "-c", "%a %u %g", "/root-copy/sub/file"), "640 0 0\n", "mode and owner")
    equal(inside(env, "readlink", "/root-copy/link"), "sub/file\n", "link")
    # into a directory that is there, under its own name
    run(env, "cp", env.path("host", "tree", "sub", "file"), Shared.id + ":/root-copy/")
    equal(inside(env, "cat", "/root-copy/file"), "deep", "in the directory")
    match(run(env, "cp", "--no-overwrite", env.path("host", "tree", "sub", "file"), Shared.id + ":/root-copy/", status=1).decode(),
          r"^virtpod: cp shared: .*file", "what is there stays")
    match(run(env, "cp", env.path("host", "tree"), Shared.id + ":/no/such/place", status=1).decode(),
          r"\(NotFound\)", "no such directory")


def test_copy_out(env):
    """cp: a tree out of the container"""
    inside(env, "sh", "-c", "mkdir -p /out/sub; echo -n text >/out/sub/f; chmod 604 /out/sub/f; ln -s sub/f /out/l; mkfifo /out/fifo")
    place = env.path("host", "out")
    done = subprocess.run(command(env, "cp", Shared.id + ":/out", place), capture_output=True, timeout=120, check=False)
    equal((done.returncode, done.stderr), (0, b"virtpod: cp: 1 special files were left out\n"), "cp")
    with open(os.path.join(place, "sub/f"), "rb") as copied:
        equal(copied.read(), b"text", "content")
    equal(os.stat(os.path.join(place, "sub/f")).st_mode & 0o7777, 0o604, "mode")
    equal(os.readlink(os.path.join(place, "l")), "sub/f", "link")
    match(run(env, "cp", Shared.id + ":/no-such", place, status=1).decode(), r"\(NotFound\)", "no such file")


def test_copy_hostile(env):
    """cp: links in the container lead to the container's files, not to the host's"""
    inside(env, "sh", "-c", "mkdir -p /trap; ln -s ../../../../../../etc/hostname /trap/hostname; ln -s / /trap/root")
    host_file(env, "evil", data=b"evil")
    run(env, "cp", env.path("host", "evil"), Shared.id + ":/trap/root/written")
    equal(inside(env, "cat", "/written"), "evil", "below the container's root")
    check(not os.path.exists("/written"), "written on the host")


def test_copy_large(env):
    """cp: some megabytes there and back are the same"""
    data = os.urandom(MEGABYTES << 20)
    path = host_file(env, "large", data=data)
    before = time.monotonic()
    run(env, "cp", path, Shared.id + ":/tmp/large")
    middle = time.monotonic()
    run(env, "cp", Shared.id + ":/tmp/large", path + ".back")
    after = time.monotonic()
    with open(path + ".back", "rb") as back:
        equal(hashlib.sha256(back.read()).hexdigest(), hashlib.sha256(data).hexdigest(), "content")
    print("# %d MiB: in %.1f MiB/s, out %.1f MiB/s"
          % (MEGABYTES, MEGABYTES / (middle - before), MEGABYTES / (after - middle)))
    inside(env, "rm", "/tmp/large")


def test_copy_streams(env):
    """cp: a tar stream in on stdin, another out on stdout"""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        member = tarfile.TarInfo("streamed")
        member.size = 5
        tar.addfile(member, io.BytesIO(b"hello"))
    inside(env, "mkdir", "/streams")
    run(env, "cp", "-", Shared.id + ":/streams", stdin=stream.getvalue())
    with tarfile.open(fileobj=io.BytesIO(run(env, "cp", Shared.id + ":/streams", "-"))) as tar:
        equal(sorted(tar.getnames()), ["streams", "streams/streamed"], "names")
        equal(tar.extractfile("streams/streamed").read(), b"hello", "content")
    run(env, "cp", "-", Shared.id + ":/streams", status=1, stdin=b"x" * 2000)


def ticks(env):
    return int(inside(env, "sh", "-c", "cat /tmp/ticks 2>/dev/null | wc -l"))


def test_pause(env):
    """pause: the processes stand still until resume"""
    run(env, "exec", "--detach", Shared.id, "sh", "-c", "while :; do echo x >>/tmp/ticks; sleep 0.1; done")
    eventually(lambda: ticks(env) > 2, "a process that runs")
    run(env, "pause", Shared.id)
    equal(json.loads(run(env, "state", Shared.id))["status"], "paused", "status")
    time.sleep(1)
    run(env, "resume", Shared.id)
    count = ticks(env)
    time.sleep(1)
    check(ticks(env) > count, "it goes on")


def test_pause_machine(env):
    """pause --sandbox: the whole machine stands still, and calls say why"""
    run(env, "pause", "--sandbox", Shared.id)
    match(run(env, "exec", Shared.id, "true", status=125).decode(), r"paused.*\(InvalidState\)", "exec")
    run(env, "resume", "--sandbox", Shared.id)
    inside(env, "true")


def test_ps(env):
    """ps: the numbers of processes that are there"""
    pids = run(env, "ps", "--quiet", Shared.id).decode().split()
    check(len(pids) >= 2 and all(pid.isdigit() for pid in pids), "pids: %s" % pids)


def test_update(env):
    """update: the limits are those of the guest's cgroup, and stats shows them"""
    run(env, "update", "--memory", "48m", "--pids-limit", "123", "--cpus", "0.5", Shared.id)
    row = json.loads(run(env, "stats", "--no-stream", "--json", Shared.id))[0]
    equal(row["memoryLimitBytes"], 48 << 20, "memory")
    equal(row["stats"]["pids.limit"], 123, "pids")
    run(env, "update", "--memory", "-1", "--pids-limit", "-1", "--cpus", "-1", Shared.id)
    row = json.loads(run(env, "stats", "--no-stream", "--json", Shared.id))[0]
    equal(row["memoryLimitBytes"], 2 ** 64 - 1, "no limit")


def test_stats(env):
    """stats: a busy container is seen to be busy"""
    run(env, "exec", "--detach", Shared.id, "sh", "-c", "while [ ! -e /tmp/enough ]; do :; done")
    lines = run(env, "stats", "--no-stream", Shared.id).decode().splitlines()
    percent = float(lines[1].split()[2].rstrip("%"))
    inside(env, "touch", "/tmp/enough")
    check(percent > 20, "CPU of a busy loop: %s" % lines)
    rows = json.loads(run(env, "stats", "--no-stream", "--json", "--sandboxes"))
    equal([row["id"] for row in rows], [Shared.id], "sandboxes")
    check(rows[0]["memoryBytes"] > 50 << 20, "memory of the machine")


def test_console(env):
    """logs --console: what the guest's kernel and agent said"""
    text = run(env, "logs", "--console", Shared.id).decode(errors="replace")
    check(text != "", "the console log is empty")
    child = subprocess.Popen(command(env, "console", "--tail-bytes", "100", Shared.id), stdout=subprocess.PIPE)
    check(select.select([child.stdout], [], [], 30)[0], "the last of it")
    child.kill()
    child.communicate()


def test_prune(env):
    """prune: leaves what runs, deletes what has ended"""
    sandbox = env.manager.create_sandbox("ended", env.bundle(["true"]))
    sandbox.start()
    sandbox.stop()
    equal(json.loads(run(env, "prune", "--dry-run", "--json")), [{"id": "ended", "kind": "sandbox"}], "dry run")
    equal(run(env, "prune", "--older-than", "1000", "--quiet"), b"", "too young")
    equal(run(env, "prune", "--quiet"), b"ended\n", "pruned")
    equal(run(env, "list", "--quiet", "--sandboxes"), b"shared\n", "what is left")


def test_end(env):
    """wait and attach see the end"""
    child = subprocess.Popen(command(env, "wait", Shared.id), stdout=subprocess.PIPE)
    time.sleep(0.5)
    run(env, "kill", Shared.id, "KILL")
    equal(child.communicate(timeout=60)[0], b"137\n", "status")
    run(env, "delete", Shared.id)


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]


if __name__ == "__main__":
    ENV = Env(libvirt=os.environ.get("VIRTPOD_TEST_LIBVIRT", "embed"))
    ENV.require()
    tap.run([test for test in TESTS if not sys.argv[1:] or test.__name__ in sys.argv[1:] + ["test_start"]], ENV)
