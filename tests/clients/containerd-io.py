#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd and ctr, as they come, with virtpod's shim: streams that are files or go
to a logger, ways of events, options of the runtime."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from containerd import IMAGE, ContainerdEnv
from env import program
from tap import equal

# writes down how it was called, and what it gets until its end
LOGGER = """#!/bin/sh
PATH=/usr/bin:/bin
trap '' TERM
cd "$2" || exit 1
echo "$CONTAINER_NAMESPACE $CONTAINER_ID" >"$CONTAINER_ID.who"
exec 5>&-
cat <&4 >"$CONTAINER_ID.err" &
cat <&3 >"$CONTAINER_ID.out"
wait
echo done >"$CONTAINER_ID.done"
"""


class HandlerEnv(ContainerdEnv):
    """With a runtime handler in the daemon's configuration."""

    def daemon_command(self):
        with open(self.path("virtpod.conf"), "w", encoding="ascii") as f:
            f.write("[handler big]\nhypervisor.memory-mib=384\n")
        return super().daemon_command() + ["--config", self.path("virtpod.conf")]


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def test_file(env):
    """--log-uri file://: what it writes is appended, its directories are made"""
    log = env.path("logs/of it/out")
    uri = "file://" + log.replace(" ", "%20")
    for word in ("one", "two"):
        env.run("--rm", "--log-uri", uri, IMAGE, word, "sh", "-c", "echo %s; echo err >&2" % word)
    equal(sorted(read(log).split()), ["err", "err", "one", "two"], "the file")
    env.nothing_left()


def test_logger(env):
    """--log-uri binary://: a logger for the container and one for an exec, with their ids;
    they outlive a restart of the daemon, and have all of it when the task is deleted"""
    logs = env.path("loggers")
    os.mkdir(logs)
    with open(env.path("logger"), "w", encoding="ascii") as f:
        f.write(LOGGER)
    os.chmod(env.path("logger"), 0o755)
    uri = "binary://%s?dir=%s" % (env.path("logger"), logs)
    env.run_detached("web", "sh", "-c", "echo begin; echo err >&2; while ! [ -e /go ]; do sleep 0.2; done; seq 100000",
                     options=["--log-uri", uri])
    tap.eventually(lambda: read(logs + "/web.err") == "err\n", "the first output", 60)
    env.stop_daemon(kill=True)
    env.start_daemon()
    env.ok("task", "exec", "--exec-id", "x1", "--log-uri", uri, "web", "sh", "-c", "echo of an exec; touch /go")
    env.reaches("web", "STOPPED")
    env.ok("task", "rm", "web")
    equal(read(logs + "/web.who"), "default web\n", "who")
    equal(read(logs + "/web.out"), "begin\n" + "".join("%d\n" % i for i in range(1, 100001)), "stdout")
    equal(read(logs + "/x1.who"), "default x1\n", "who, of the exec")
    equal(read(logs + "/x1.out"), "of an exec\n", "stdout of the exec")
    equal([os.path.exists("%s/%s.done" % (logs, name)) for name in ("web", "x1")], [True, True], "their ends")
    env.ok("container", "rm", "web")
    env.nothing_left()


def test_logger_missing(env):
    """a logger that is not there fails the container, and leaves nothing"""
    done = env.run("--rm", "--log-uri", "binary:///no/such/logger", IMAGE, "none", "true")
    equal(done.returncode, 1, "status")
    tap.match(done.stderr.decode(), "there is no such logger", "error")
    env.ctr("container", "rm", "none")
    env.nothing_left()


def test_oom(env):
    """a container that runs out of memory: its event, and its status"""
    env.watch_events()
    env.run_detached("hungry", "sh", "-c", "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done",
                     options=["--memory-limit", str(24 << 20)])
    env.reaches("hungry", "STOPPED")
    tap.eventually(lambda: "/tasks/oom" in [topic for topic, _ in env.seen_events("hungry")], "event", 60)
    done = env.ctr("task", "rm", "hungry")
    tap.match(done.stderr.decode(), "exit code 137", "rm")
    env.ok("container", "rm", "hungry")
    env.unwatch_events()
    env.nothing_left()


def test_publish(env):
    """without containerd's ttrpc socket events go by its program"""
    wrapper = env.path("shim-without-ttrpc")
    with open(wrapper, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nunset TTRPC_ADDRESS\nexec %s \"$@\"\n" % program("containerd-shim-virtpod-v2"))
    os.chmod(wrapper, 0o755)
    env.watch_events()
    env.ok("run", "--rm", "--runtime", wrapper, "--snapshotter", env.snapshotter, IMAGE, "quiet", "true")
    topics = ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"]
    tap.eventually(lambda: [topic for topic, _ in env.seen_events("quiet")] == topics, "events", 60)
    env.unwatch_events()
    env.nothing_left()


def test_options(env):
    """the runtime's ConfigPath is a handler of virtpodd's; a file is refused"""
    done = env.run("--rm", "--runtime-config-path", "big", IMAGE, "of-handler", "sh", "-c",
                   "sed -n 's/MemTotal: *//p' /proc/meminfo")
    equal(done.stderr, b"", "stderr")
    tap.check(int(done.stdout.split()[0]) > 300 * 1024, "memory of the guest: %r" % done.stdout)
    done = env.run("--rm", "--runtime-config-path", "/etc/kata-containers/configuration.toml", IMAGE, "file", "true")
    equal(done.returncode, 1, "status")
    tap.match(done.stderr.decode(), "ConfigPath must be the name of a handler", "error")
    env.ctr("container", "rm", "file")
    done = env.run("--rm", "--runtime-config-path", "unknown", IMAGE, "unknown", "true")
    tap.match(done.stderr.decode(), 'handler "unknown": is not configured', "error")
    env.ctr("container", "rm", "unknown")
    env.nothing_left()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = HandlerEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_file, test_logger, test_logger_missing, test_oom, test_publish, test_options], ENV)
