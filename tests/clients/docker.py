#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docker 20.10, as it comes, with virtpod as one of its runtimes."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import host
import tap
from docker import DockerEnv
from podman import IMAGE
from tap import equal, match

DEADLINE = 240
TRAP = 'trap "echo got usr1" USR1; trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done'


def test_run(env):
    """run: input, output, exit status, environment, directory, user, host name, volumes, a read-only root"""
    source = env.path("volume")
    os.mkdir(source)
    with open(os.path.join(source, "file"), "w", encoding="ascii") as f:
        f.write("from the host\n")
    script = ("echo $A; pwd; id -u; hostname; cat /rw/file; echo err >&2; cat; echo back >/rw/back;"
              "echo no 2>/dev/null >/ro/new || echo refused; touch /new 2>/dev/null || echo refused; exit 7")
    os.chmod(source, 0o777)
    done = env.docker_run("-i", "--network", "none", "--env", "A=1", "--workdir", "/tmp", "--user", "65534",
                          "--hostname", "web", "--read-only", "-v", source + ":/rw", "-v", source + ":/ro:ro",
                          IMAGE, "sh", "-c", script, stdin=b"typed\n")
    equal((done.returncode, done.stderr), (7, b"err\n"), "status and stderr")
    equal(done.stdout.decode().splitlines(), ["1", "/tmp", "65534", "web", "from the host", "typed", "refused",
                                              "refused"], "stdout")
    with open(os.path.join(source, "back"), encoding="ascii") as f:
        equal(f.read(), "back\n", "file written in the guest")


def test_no_command(env):
    """run: 127 without such a command, 126 for a file that is none"""
    done = env.docker_run("--network", "none", IMAGE, "no-such-program")
    equal(done.returncode, 127, done.stderr)
    match(done.stderr.decode(), "no-such-program", "stderr")
    equal(env.docker_run("--network", "none", IMAGE, "/etc/not-executable").returncode, 126, "a file")


def test_life(env):
    """run -d, logs, exec, top, pause, unpause, kill, stop, start, rm -f"""
    env.docker_ok("run", "-d", "--name", "life", "--runtime", "virtpod", "--network", "none", IMAGE, "sh", "-c", TRAP)
    tap.eventually(lambda: "ready" in env.docker_ok("logs", "life"), "output in the log", DEADLINE)
    done = env.docker("exec", "life", "sh", "-c", "echo out; echo err >&2; exit 3")
    equal((done.returncode, done.stdout, done.stderr), (3, b"out\n", b"err\n"), "exec")
    equal(env.docker_ok("exec", "-i", "life", "cat", stdin=b"typed"), "typed", "exec -i")
    tap.check(env.docker("exec", "life", "no-such-program").returncode in (126, 127), "exec of nothing")
    match(env.docker_ok("top", "life", "-o", "pid,args"), "virtpod-proxy", "top: what there is on the host")
    env.docker_ok("pause", "life")
    equal(env.docker_state("life")[0], "paused")
    env.docker_ok("unpause", "life")
    env.docker_ok("kill", "--signal", "USR1", "life")
    tap.eventually(lambda: "got usr1" in env.docker_ok("logs", "life"), "answer to USR1", DEADLINE)
    env.docker_ok("stop", "--time", "60", "life")
    equal(env.docker_state("life"), ("exited", "5"), "stop")
    env.docker_ok("start", "life")
    equal(env.docker_state("life")[0], "running", "start")
    env.docker_ok("rm", "--force", "life")
    env.all_gone()


def stats(env, name):
    """Memory in bytes and number of processes that docker shows."""
    memory, pids = env.docker_ok("stats", "--no-stream", "--format", "{{.MemUsage}};{{.PIDs}}", name).strip().split(";")
    number, unit = re.match(r"([0-9.]+)([KMG]?i?)B", memory).groups()
    return float(number) * {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}[unit], int(pids)


def test_stats(env):
    """stats: those of the machine, which is in the control group that docker has named"""
    if not any(os.access("/sys/fs/cgroup" + name + "/cgroup.procs", os.W_OK) for name in ("/memory", "")):
        print("# no control groups can be made here")
        return
    cid = env.docker_ok("run", "-d", "--name", "stats", "--runtime", "virtpod", "--network", "none", IMAGE, "sh", "-c",
                        "while :; do :; done").strip()

    def places(controller):
        return {host.control_group_of(pid, controller) for pid, (_parent, _state, command) in host.family().items()
                if "qemu-system" in command or "virtiofsd" in command or "virtpod-proxy" in command} - {None}

    # what others had may be about to end
    for controller in ("memory", "cpuacct", "pids"):
        tap.eventually(lambda controller=controller: places(controller) == {"/docker/" + cid}, controller, 60)
    memory, n_pids = stats(env, "stats")
    tap.check(memory > 40e6 and n_pids > 3, "memory %d, processes %d" % (memory, n_pids))
    tap.eventually(lambda: float(env.docker_ok("stats", "--no-stream", "--format", "{{.CPUPerc}}", "stats").strip()[:-1])
                   > 10, "time of a guest that works", DEADLINE)
    env.docker_ok("rm", "--force", "stats")
    tap.eventually(lambda: host.control_groups("/docker/" + cid) == [], "no control group", 60)


def test_terminal(env):
    """run -it and exec -it: a terminal with the size of docker's own"""
    script = 'tty; while [ "$(stty size)" != "40 100" ]; do sleep 0.1; done; echo sized; read x; echo "<$x>"; exit 4'
    status, seen = env.docker_on_terminal(["run", "--rm", "-it", "--runtime", "virtpod", "--network", "none", IMAGE,
                                           "sh", "-c", script], [(b"sized", b"hello\r")])
    equal(status, 4, seen)
    match(seen.decode(), "<hello>", "what was read")
    env.docker_ok("run", "-d", "--name", "tty", "--runtime", "virtpod", "--network", "none", IMAGE, "sleep", "100000")
    status, seen = env.docker_on_terminal(["exec", "-it", "tty", "sh", "-c", "tty; echo waiting; sleep 600"],
                                          [(b"waiting", b"\x03")])
    equal(status, 130, "exec -it, ended by its interrupt key: %r" % seen)
    env.docker_ok("rm", "--force", "tty")


def test_bridge(env):
    """the default network: docker sets it up by a hook; two containers reach each other"""
    env.docker_ok("run", "-d", "--name", "web", "--runtime", "virtpod", IMAGE, "sh", "-c",
                  "while :; do echo from web | busybox nc -l -p 80; done")
    address = env.docker_ok("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "web").strip()
    match(address, r"^172\.\d+\.\d+\.\d+$", "address")
    seen = env.docker_run(IMAGE, "sh", "-c", "until busybox nc -w 10 %s 80 </dev/null; do sleep 0.2; done" % address)
    equal((seen.returncode, seen.stdout), (0, b"from web\n"), seen.stderr)
    env.docker_ok("rm", "--force", "web")


def test_all_gone(env):
    """all of this left nothing behind"""
    env.all_gone()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = DockerEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_run, test_no_command, test_life, test_stats, test_terminal, test_bridge, test_all_gone], ENV)
