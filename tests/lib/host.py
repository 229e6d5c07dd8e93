# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a test program does to, and reads of, the host: namespaces, processes, mounts."""

import contextlib
import ctypes
import glob
import os
import signal
import socket
import sys
import time

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_REC, MS_PRIVATE, MS_SHARED = 0x4000, 1 << 18, 1 << 20

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s" % (what, os.strerror(error)))


def _propagation(flag):
    _checked(_libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | flag), None), "mount propagation")


def own_mount_namespace():
    """Moves this process into a mount namespace that shares nothing with the
    host's, but whose mounts are shared with namespaces made from it, as on a
    host: no test can leave a mount behind, and none sees another's."""
    _checked(_libc.unshare(CLONE_NEWNS), "unshare")
    _propagation(MS_PRIVATE)
    _propagation(MS_SHARED)


def own_network_namespace():
    """The same for interfaces; only the loopback device is in it."""
    _checked(_libc.unshare(CLONE_NEWNET), "unshare")


def run_below_reaper():
    """Starts this program again with a parent that collects every orphan: ours,
    virtpodd's and libvirt's, which waits for processes until they are collected."""
    if os.environ.get("VIRTPOD_TEST_REAPER") == str(os.getppid()):
        return
    # the parent is this very process
    os.environ["VIRTPOD_TEST_REAPER"] = str(os.getpid())
    reaper = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/lib/reaper")
    os.execv(sys.executable, [sys.executable, reaper, sys.executable, *sys.argv])


def resident_kib(pid):
    """Memory of a process that is in RAM."""
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


def family():
    """pid -> (parent, state, command line) of what this program started, orphans included."""
    table = descendants({os.getppid()})
    table.pop(os.getpid(), None)
    return table


def listens(path):
    """Whether somebody can be connected to at the Unix socket @path. It is there a moment before."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def process_table():
    """pid -> (parent, state, command line)."""
    table = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, encoding="utf-8", errors="replace") as f:
                stat = f.read()
            with open("/proc/%s/cmdline" % name, "rb") as f:
                command = f.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        comm = stat[stat.index("(") + 1:stat.rindex(")")]
        state, parent = stat[stat.rindex(")") + 2:].split()[:2]
        table[int(name)] = (int(parent), state, command or "[%s]" % comm)
    return table


def descendants(roots):
    """pid -> (parent, state, command line) of everything below the pids @roots."""
    table = process_table()
    found = {}
    grew = True
    while grew:
        grew = False
        for pid, entry in table.items():
            if pid not in found and (entry[0] in roots or entry[0] in found):
                found[pid] = entry
                grew = True
    return found


def mounts():
    """Mount points and types, as in /proc/self/mountinfo."""
    result = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            fields, _, rest = line.partition(" - ")
            result.append("%s (%s)" % (fields.split()[4], rest.split()[0]))
    return result


def control_groups(path):
    """Those at and below @path, relative to it, of whichever hierarchies."""
    found = set()
    for mount in glob.glob("/sys/fs/cgroup/*/") + ["/sys/fs/cgroup/"]:
        top = mount.rstrip("/") + path
        for base, _dirs, _files in os.walk(top):
            found.add(base[len(top):].lstrip("/"))
    return sorted(found)


def control_group_of(pid, controller):
    """Where a process is in the hierarchy with @controller, or else in that of version 2; None: it has ended."""
    places = {}
    try:
        with open("/proc/%d/cgroup" % pid, encoding="utf-8") as f:
            for line in f:
                _number, names, path = line.rstrip("\n").split(":", 2)
                places.update((name, path) for name in names.split(","))
    except (FileNotFoundError, ProcessLookupError):
        return None
    return places.get(controller, places.get(""))


def remove_control_groups(path):
    """What tests have made above groups that are gone."""
    for name in sorted(control_groups(path), key=len, reverse=True):
        for mount in glob.glob("/sys/fs/cgroup/*/") + ["/sys/fs/cgroup/"]:
            with contextlib.suppress(OSError):
                os.rmdir(os.path.join(mount.rstrip("/") + path, name))


def files_below(path):
    """Relative paths of everything below @path, mounts not entered."""
    result = []
    device = os.lstat(path).st_dev
    for base, dirs, files in os.walk(path):
        for name in dirs + files:
            result.append(os.path.relpath(os.path.join(base, name), path))
        dirs[:] = [name for name in dirs if os.lstat(os.path.join(base, name)).st_dev == device]
    return result


def descriptors(pid):
    """Descriptors of a process by what they are; numbers and inodes differ from run to run."""
    result = []
    try:
        names = os.listdir("/proc/%d/fd" % pid)
    except OSError:
        return result
    for name in names:
        try:
            target = os.readlink("/proc/%d/fd/%s" % (pid, name))
        except FileNotFoundError:  # closed meanwhile; the others count all the same
            continue
        result.append(target.split(":[")[0])
    return result


def interfaces():
    """Network interfaces that a sandbox could have made."""
    return [name for _index, name in socket.if_nameindex() if name.startswith(("vp", "tap", "macvtap"))]


def stop_process(process, timeout=60):
    """TERM, then KILL; returns the exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout)
        except Exception:
            process.kill()
            process.wait()
    return process.returncode


def end_family(timeout=60):
    """Kills what is left of what we started and waits until it is gone; returns its command lines."""
    left = {pid: entry[2] for pid, entry in family().items() if entry[1] != "Z"}
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    deadline = time.monotonic() + timeout
    while family() and time.monotonic() < deadline:
        time.sleep(0.01)
    return sorted(left.values())
