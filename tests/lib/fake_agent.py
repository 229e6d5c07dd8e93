#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An agent without a guest: serves Kata's agent protocol on a Unix socket and runs
containers as processes of the host, for tests of the daemon on libvirt's test
driver, where a domain is nothing but a name.

    agents = AgentHouse('/run/virtpod/sandboxes')   # one for every SID/ that appears
    agents.stop()

    agent = FakeAgent('/tmp/x/agent.sock')
    agent.fail['StartContainer'] = ('INTERNAL', 'broken on purpose')
    agent.delay['CreateSandbox'] = 2.0
    agent.mute.add('SignalProcess')                 # never answers
    agent.stop()

A process gets the arguments, environment and directory (if the host has it) of
the OCI spec and nothing else of it: no root, no namespaces, no user. As a
program: fake_agent.py [--directory] PATH.
"""
import errno
import fcntl
import os
import pty
import queue
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

from ttrpc_client import CODES, HEADER, ODD_REQUESTS, REQUEST, RESPONSE, Messages, make_sync

SYNC_MAGIC = make_sync(b'')
SYNC_SIZE = len(SYNC_MAGIC) + 16
FRAME_MAX = 4 << 20


class Failure(Exception):
    """What an RPC answers instead of a message."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = CODES.index(code)


# name of a program -> what runs instead, for those that an agent has within itself
PROGRAMS = {}


class Process:
    """A process of a container, and its streams on our side."""

    def __init__(self, spec):
        self.spec = spec  # grpc.Process
        self.terminal = spec.Terminal
        self.started = threading.Event()
        self.ended = threading.Event()
        self.waited = False
        self.status = None
        self.child = None
        self.stdin = self.stdout = self.stderr = None
        self.lock = threading.Lock()
        self.reading = {'stdout': threading.Lock(), 'stderr': threading.Lock()}
        self.answers = {}  # stream -> (connection, data) of the last answer, until the next read

    def find_program(self, env):
        name = PROGRAMS.get(self.spec.Args[0], self.spec.Args[0])
        if '/' in name:
            if not os.path.exists(name):
                raise Failure('NOT_FOUND',
                              'executable file `%s` not found: No such file or directory' % name)
            if not os.access(name, os.X_OK) or os.path.isdir(name):
                raise Failure('PERMISSION_DENIED', 'exec: `%s`: Permission denied' % name)
            return name
        program = shutil.which(name, path=env.get('PATH', os.defpath))
        if program is None:
            raise Failure('NOT_FOUND', 'executable file `%s` not found in $PATH' % name)
        return program

    def start(self):
        if not self.spec.Args:
            raise Failure('INVALID_ARGUMENT', 'process.args: is missing')
        env = dict(e.split('=', 1) for e in self.spec.Env if '=' in e)
        program = self.find_program(env)
        cwd = self.spec.Cwd if os.path.isdir(self.spec.Cwd or '') else '/'
        options = dict(executable=program, env=env, cwd=cwd)
        if self.terminal:
            master, slave = pty.openpty()
            self.stdin = self.stdout = master
            self.child = subprocess.Popen(self.spec.Args, stdin=slave, stdout=slave, stderr=slave,
                                          preexec_fn=self.take_terminal, **options)
            os.close(slave)
        else:
            self.child = subprocess.Popen(self.spec.Args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                          stderr=subprocess.PIPE, bufsize=0, start_new_session=True, **options)
            self.stdin = self.child.stdin.fileno()
            self.stdout = self.child.stdout.fileno()
            self.stderr = self.child.stderr.fileno()
        self.started.set()
        threading.Thread(target=self.reap, daemon=True).start()

    @staticmethod
    def take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def reap(self):
        code = self.child.wait()
        self.status = 128 - code if code < 0 else code
        self.ended.set()

    def read_over(self, name, size, conversation):
        """As read (); what a conversation got last is given again when it was the last thing it did."""
        with self.reading[name]:
            last, data = self.answers.pop(name, (conversation, b''))
            if last is conversation or not data:
                data = self.read(name, size)
            self.answers[name] = (conversation, data)
            return data

    def read(self, name, size):
        self.started.wait()
        fd = self.stdout if name == 'stdout' else self.stderr
        if fd is None:
            return b''
        try:
            return os.read(fd, size)
        except OSError as e:
            if e.errno in (errno.EIO, errno.EBADF):  # EIO: a terminal's word for the end
                return b''
            raise

    def write(self, data):
        if self.stdin is None or self.ended.is_set():
            raise Failure('FAILED_PRECONDITION', 'standard input is closed')
        try:
            return os.write(self.stdin, data)
        except OSError:
            raise Failure('FAILED_PRECONDITION', 'standard input is closed')

    def close_stdin(self):
        with self.lock:
            if not self.terminal and self.child is not None and self.stdin is not None:
                self.stdin = None
                self.child.stdin.close()

    def kill(self, signum, group=False):
        if not self.started.is_set():
            if signum == signal.SIGKILL:  # held before its program, where only this is heard
                self.status = 128 + signum
                self.ended.set()
                self.started.set()
            return
        if self.child is None:
            return
        try:
            (os.killpg if group else os.kill)(self.child.pid, signum)
        except ProcessLookupError:
            pass


class Container:
    def __init__(self, request):
        self.id = request.container_id
        self.state = 'created'
        self.processes = {'': Process(request.OCI.Process)}

    def find(self, exec_id):
        name = '' if exec_id == self.id else exec_id
        if name not in self.processes:
            raise Failure('NOT_FOUND', 'process "%s" of container "%s": not found' % (exec_id, self.id))
        return self.processes[name]

    def kill_all(self):
        for process in list(self.processes.values()):
            process.kill(signal.SIGKILL, group=True)


class Sandbox:
    """The RPCs, by their names; each runs in a thread of its own."""

    def __init__(self, messages):
        self.messages = messages
        self.lock = threading.Lock()
        self.sandbox_id = None
        self.containers = {}
        self.interfaces = {}  # by hwAddr; a host that names another one makes it
        self.routes = self.messages['grpc.Routes']()
        self.neighbours = []
        self.tools = None  # what the guest has of VP_GUEST_TOOLS
        self.tables = {}  # of each family, by their first lines
        self.oom = queue.Queue()  # ids of containers that ran out of memory
        self.destroyed = threading.Event()
        # .conversation: whose call this thread answers; .arrived: containers there were when it came
        self.caller = threading.local()

    def message(self, name, /, **fields):
        return self.messages['grpc.' + name](**fields)

    def find(self, cid):
        container = self.containers.get(cid)
        # one that is late is not for the next container of that id
        if container is None or self.caller.arrived.get(cid) is not container:
            raise Failure('NOT_FOUND', 'container "%s": not found' % cid)
        return container

    def process(self, r):
        return self.find(r.container_id).find(r.exec_id)

    def Check(self, r):
        return self.message('HealthCheckResponse', status=1)

    def Version(self, r):
        return self.message('VersionCheckResponse', grpc_version='0.0.1', agent_version='fake-1')

    def GetGuestDetails(self, r):
        details = self.message('AgentDetails', version='fake-1', init_daemon=True, supports_seccomp=True,
                               storage_handlers=['ephemeral', 'virtio-fs', 'local'])
        return self.message('GuestDetailsResponse', mem_block_size_bytes=128 << 20, agent_details=details)

    def CreateSandbox(self, r):
        with self.lock:
            if self.sandbox_id is not None:
                raise Failure('ALREADY_EXISTS', 'sandbox "%s": exists already' % self.sandbox_id)
            self.sandbox_id = r.sandbox_id

    def DestroySandbox(self, r):
        self.destroyed.set()
        for container in list(self.containers.values()):
            container.kill_all()

    def CreateContainer(self, r):
        with self.lock:
            if self.sandbox_id is None:
                raise Failure('FAILED_PRECONDITION', 'there is no sandbox')
            if r.container_id in self.containers:
                raise Failure('ALREADY_EXISTS', 'container "%s": exists already' % r.container_id)
            self.containers[r.container_id] = Container(r)

    def StartContainer(self, r):
        container = self.find(r.container_id)
        if container.state != 'created':
            raise Failure('FAILED_PRECONDITION', 'container "%s": is %s' % (container.id, container.state))
        if container.find('').ended.is_set():
            raise Failure('FAILED_PRECONDITION', 'container "%s": has ended' % container.id)
        container.find('').start()
        container.state = 'running'
        self.check_late(container, container.find(''))

    def check_late(self, container, process):
        """What was started while everything was killed does not stay."""
        if self.destroyed.is_set() or self.containers.get(container.id) is not container:
            process.kill(signal.SIGKILL, group=True)

    def RemoveContainer(self, r):
        container = self.find(r.container_id)
        with self.lock:
            self.containers.pop(r.container_id, None)
        container.kill_all()

    def ExecProcess(self, r):
        container = self.find(r.container_id)
        if container.state != 'running' or container.find('').ended.is_set():
            raise Failure('FAILED_PRECONDITION', 'container "%s": is not running' % container.id)
        with self.lock:
            before = container.processes.get(r.exec_id)
            if before is not None and not before.waited:  # one that has told its end is forgotten
                raise Failure('ALREADY_EXISTS', 'process "%s": exists already' % r.exec_id)
            container.processes[r.exec_id] = process = Process(r.process)
        try:
            process.start()
        except Exception:
            del container.processes[r.exec_id]
            raise
        self.check_late(container, process)

    def SignalProcess(self, r):
        container = self.find(r.container_id)
        if not r.exec_id and r.signal == signal.SIGKILL:
            container.kill_all()
        else:
            container.find(r.exec_id).kill(r.signal)

    def WaitProcess(self, r):
        process = self.process(r)
        process.ended.wait()
        process.waited = True
        return self.message('WaitProcessResponse', status=process.status)

    def PauseContainer(self, r):
        self.find(r.container_id).find('').kill(signal.SIGSTOP, group=True)

    def ResumeContainer(self, r):
        self.find(r.container_id).find('').kill(signal.SIGCONT, group=True)

    def StatsContainer(self, r):
        container = self.find(r.container_id)
        usage = self.message('CpuUsage', total_usage=3000000, usage_in_usermode=2000000, usage_in_kernelmode=1000000)
        memory = self.message('MemoryStats', cache=11, usage=self.message('MemoryData', usage=100, limit=1 << 63))
        stats = self.message('CgroupStats', cpu_stats=self.message('CpuStats', cpu_usage=usage), memory_stats=memory,
                             pids_stats=self.message('PidsStats', current=len(container.processes)))
        network = self.messages['grpc.NetworkStats'](name='eth0', rx_bytes=5)
        return self.message('StatsContainerResponse', cgroup_stats=stats, network_stats=[network])

    def GetMetrics(self, r):
        return self.message('Metrics', metrics='guest_up 1\n')

    def GetDiagnosticData(self, r):
        if r.log_type != 'virtpod:pids':
            raise Failure('UNIMPLEMENTED', 'log_type: is not known')
        pids = [p.child.pid for p in self.find(r.container_id).processes.values() if p.child and not p.ended.is_set()]
        return self.message('GetDiagnosticDataResponse', data=''.join('%d\n' % pid for pid in pids))

    def ReadStdout(self, r):
        return self.message('ReadStreamResponse', data=self.process(r).read_over('stdout', r.len, self.caller.conversation))

    def ReadStderr(self, r):
        return self.message('ReadStreamResponse', data=self.process(r).read_over('stderr', r.len, self.caller.conversation))

    def WriteStdin(self, r):
        process = self.process(r)
        process.started.wait()
        return self.message('WriteStreamResponse', len=process.write(r.data))

    def CloseStdin(self, r):
        self.process(r).close_stdin()

    def TtyWinResize(self, r):
        process = self.process(r)
        if not process.terminal or not process.started.is_set():
            raise Failure('FAILED_PRECONDITION', 'process "%s": has no terminal' % r.exec_id)
        fcntl.ioctl(process.stdout, termios.TIOCSWINSZ, struct.pack('HHHH', r.row, r.column, 0, 0))

    def UpdateInterface(self, r):
        if not r.interface.hwAddr:
            raise Failure('INVALID_ARGUMENT', 'interface.hwAddr: "" is not a hardware address')
        with self.lock:
            self.interfaces[r.interface.hwAddr] = r.interface
        return r.interface

    def ListInterfaces(self, r):
        with self.lock:
            return self.message('Interfaces', Interfaces=self.interfaces.values())

    def UpdateRoutes(self, r):
        with self.lock:
            names = {interface.name for interface in self.interfaces.values()}
            for i, route in enumerate(r.routes.Routes):
                if route.device not in names:
                    raise Failure('NOT_FOUND', 'routes.Routes[%d].device: "%s": no such interface' % (i, route.device))
            self.routes = r.routes
        return self.routes

    def ListRoutes(self, r):
        return self.routes

    def AddARPNeighbors(self, r):
        with self.lock:
            self.neighbours.extend(r.neighbors.ARPNeighbors)

    def iptables(self, r):
        """The tables of the family, if the host shows what it takes to have any."""
        if not os.path.isdir(os.path.join(self.tools or '', 'xtables')):
            raise Failure('UNIMPLEMENTED', 'iptables: is not in this guest')
        return self.tables.setdefault(r.is_ipv6, {})

    def GetIPTables(self, r):
        with self.lock:
            return self.message('GetIPTablesResponse', data=b''.join(self.iptables(r).values()))

    def SetIPTables(self, r):
        """Rules are tables by their first lines, which begin with *."""
        with self.lock:
            tables = self.iptables(r)
            for text in r.data.split(b'*')[1:]:
                if not text.endswith(b'COMMIT\n'):
                    raise Failure('INVALID_ARGUMENT', 'iptables: COMMIT expected')
                tables[text.split(b'\n')[0]] = b'*' + text
        return self.message('SetIPTablesResponse', data=b'warning: fine\n')

    def GetOOMEvent(self, r):
        while not self.destroyed.is_set():
            try:
                return self.message('OOMEvent', container_id=self.oom.get(timeout=0.1))
            except queue.Empty:
                pass
        raise Failure('UNAVAILABLE', 'the sandbox is destroyed')

    def ok(self, r):
        pass

    UpdateContainer = SetGuestDateTime = ReseedRandomDev = OnlineCPUMem = ok


class Conversation:
    """What is said on a connection until a token begins another: the streams' numbers
    begin again with that, so nothing that is late may be said in it."""

    def __init__(self, connection, lock=None):
        self.connection = connection
        self.lock = lock or threading.Lock()
        self.over = False

    def send(self, data):
        with self.lock:
            if not self.over:
                self.connection.sendall(data)

    def begin_anew(self):
        with self.lock:
            self.over = True
        return Conversation(self.connection, self.lock)


class FakeAgent:
    """One agent at one socket. A connection may come back: containers stay."""

    def __init__(self, path, messages=None, prepare=None):
        """@prepare (self): what is to be so before somebody can call."""
        self.messages = messages or Messages()
        self.sandbox = Sandbox(self.messages)
        self.sandbox.tools = os.path.join(os.path.dirname(path), 'shared', '.tools')
        self.delay, self.fail, self.mute = {}, {}, set()
        self.calls = []  # names of the methods called, in order
        self.connections = []
        self.path = path
        if prepare is not None:
            prepare(self)
        self.listener = socket.socket(socket.AF_UNIX)
        # a path that is too long for a socket address is reached by its directory
        place = os.open(os.path.dirname(path) or '.', os.O_PATH | os.O_DIRECTORY)
        self.listener.bind('/proc/self/fd/%d/%s' % (place, os.path.basename(path)))
        os.close(place)
        self.listener.listen(4)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def hang_up(self):
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        """Ends the agent as the end of the virtual machine would."""
        self.sandbox.DestroySandbox(None)
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.hang_up()
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass

    @staticmethod
    def receive(connection, n):
        data = bytearray()
        while len(data) < n:
            piece = connection.recv(n - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return bytes(data)

    def serve(self, connection):
        conversation = Conversation(connection)
        try:
            while True:
                head = self.receive(connection, HEADER.size)
                if head[:1] == SYNC_MAGIC[:1]:
                    sync = head + self.receive(connection, SYNC_SIZE - HEADER.size)
                    conversation = conversation.begin_anew()
                    conversation.send(make_sync(sync[len(SYNC_MAGIC):], ack=True))
                    continue
                length, stream, kind, _ = HEADER.unpack(head)
                if length > FRAME_MAX or kind != REQUEST:
                    raise ConnectionError
                request = self.messages['ttrpc.Request'].FromString(self.receive(connection, length))
                # what it comes to is settled before anybody is told that it came
                fate = (request.method in self.mute, self.fail.get(request.method))
                self.calls.append(request.method)
                threading.Thread(target=self.answer, args=(conversation, stream, request, fate,
                                                           dict(self.sandbox.containers)), daemon=True).start()
        except (ConnectionError, OSError):
            connection.close()

    def run(self, request, failure):
        method = request.method
        time.sleep(self.delay.get(method, 0))
        if failure is not None:
            raise Failure(*failure)
        if not method[:1].isupper() or not hasattr(self.sandbox, method):
            raise Failure('UNIMPLEMENTED', '%s: is not implemented' % method)
        kind = self.messages['grpc.' + ODD_REQUESTS.get(method, method + 'Request')]
        return getattr(self.sandbox, method)(kind.FromString(request.payload))

    def answer(self, conversation, stream, request, fate, arrived):
        mute, failure = fate
        response = self.messages['ttrpc.Response']()
        self.sandbox.caller.conversation, self.sandbox.caller.arrived = conversation, arrived
        if mute:
            return
        try:
            message = self.run(request, failure)
            if message is not None:
                response.payload = message.SerializeToString()
        except Failure as e:
            response.status.code = e.code
            response.status.message = str(e)
        except Exception as e:
            response.status.code = CODES.index('INTERNAL')
            response.status.message = '%s: %s' % (type(e).__name__, e)
        payload = response.SerializeToString()
        try:
            conversation.send(HEADER.pack(len(payload), stream, RESPONSE, 0) + payload)
        except OSError:
            pass  # whoever asked is gone


class AgentHouse:
    """An agent at DIRECTORY/SID/agent.sock for every SID that appears; it ends with its
    directory. Faults set in .delay, .fail and .mute are those of agents to come."""

    def __init__(self, directory, name='agent.sock'):
        self.directory, self.name = directory, name
        self.messages = Messages()
        self.agents = {}
        self.delay, self.fail, self.mute = {}, {}, set()
        self.blind = False  # no more agents
        self.prepare = None  # called with (sid, agent) before an agent listens to calls
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.ended.wait(0.02):
            try:
                present = set(os.listdir(self.directory))
            except OSError:
                present = set()
            # a directory may have gone and come back by the same name since the last look
            for sid in [sid for sid, agent in self.agents.items()
                        if sid not in present or not os.path.lexists(agent.path)]:
                self.agents.pop(sid).stop()
            for sid in set() if self.blind else present - set(self.agents):
                try:
                    self.agents[sid] = FakeAgent(os.path.join(self.directory, sid, self.name), self.messages,
                                                 lambda agent, sid=sid: self.set_up(sid, agent))
                except OSError:
                    continue

    def set_up(self, sid, agent):
        agent.delay.update(self.delay)
        agent.fail.update(self.fail)
        agent.mute.update(self.mute)
        if self.prepare is not None:
            self.prepare(sid, agent)

    def stop(self):
        self.ended.set()
        self.thread.join()
        for agent in self.agents.values():
            agent.stop()


def main():
    args = [a for a in sys.argv[1:] if a != '--directory']
    if len(args) != 1:
        sys.exit(__doc__)
    agent = (AgentHouse if '--directory' in sys.argv else FakeAgent)(args[0])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        signal.pause()
    finally:
        agent.stop()


if __name__ == '__main__':
    main()
