# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service manager's half of keeping descriptors, as a part of a test's environment."""

import array
import os
import socket
import subprocess
import threading

from tap import check

LISTEN_FDS_START = 3


class ServiceManager:
    """NOTIFY_SOCKET, FDSTORE=1, FDSTOREREMOVE=1 and LISTEN_FDS; to stand before Env."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.kept = {}
        self.states = []

    def start(self):
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = "\0virtpod-test-%d" % os.getpid()
        self.notify.bind(name)
        os.environ["NOTIFY_SOCKET"] = "@" + name[1:]
        threading.Thread(target=self.listen, daemon=True).start()
        super().start()

    def listen(self):
        while True:
            data, control, _, _ = self.notify.recvmsg(4096, socket.CMSG_SPACE(16))
            lines = dict(line.split("=", 1) for line in data.decode().splitlines())
            name = lines.get("FDNAME")
            for _level, _type, payload in control:
                fds = array.array("i", payload)
                check(len(fds) == 1 and lines.get("FDSTORE") == "1", "descriptors with " + repr(lines))
                self.drop(name)
                self.kept[name] = fds[0]
            if lines.get("FDSTOREREMOVE") == "1":
                self.drop(name)
            self.states += [line for line in lines if line in ("READY", "STOPPING")]

    def drop(self, name):
        fd = self.kept.pop(name, -1)
        if fd >= 0:
            os.close(fd)

    def drop_all(self):
        for name in list(self.kept):
            self.drop(name)

    def streams(self):
        """What is kept of callers' descriptors."""
        return [name for name in list(self.kept) if not name.startswith("vp-agent-")]

    def agents(self):
        """The connections to agents that are kept."""
        return [name for name in list(self.kept) if name.startswith("vp-agent-")]

    def spawn_daemon(self, **how):
        names = list(self.kept)
        # far above where they will be, so that none lies in another's place
        high = [os.dup2(self.kept[name], 200 + i) for i, name in enumerate(names)]
        script = "".join("exec %d<&%d %d<&-; " % (LISTEN_FDS_START + i, fd, fd) for i, fd in enumerate(high))
        env = dict(os.environ)
        if names:
            env.update(LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names))
        command = ["bash", "-c", script + 'LISTEN_PID=$$ exec "$0" "$@"', *self.daemon_command()]
        daemon = subprocess.Popen(command, env=env, pass_fds=high, **how)
        for fd in high:
            os.close(fd)
        return daemon
