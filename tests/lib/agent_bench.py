# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest agent with the real crun, on the host: no VM, but private mount, pid, uts
and ipc namespaces and a cgroup2 of its own. Importing it moves the program there, or
ends it as skipped.

    @test
    def name(b):
        assert b.run('true')

    main()
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.environ.get('top_srcdir') or os.path.dirname(os.path.realpath(__file__)) + '/../..'
BUILD = os.environ.get('top_builddir') or os.getcwd()


def skip(why):
    print('1..0 # SKIP ' + why)
    sys.exit(0)


if os.geteuid() != 0:
    skip('needs root')
for tool in ('crun', 'busybox', 'unshare', 'protoc'):
    if shutil.which(tool) is None:
        skip(tool + ' is missing')
try:
    import ttrpc_client
except ImportError as e:
    skip(str(e))
if os.environ.get('VP_TEST_AGENT_INSIDE') is None:
    os.environ['VP_TEST_AGENT_INSIDE'] = '1'
    os.execvp('unshare', ['unshare', '-m', '-p', '-u', '-i', '-f', '--mount-proc', '--propagation', 'private',
                          '--kill-child', sys.executable, os.path.realpath(sys.argv[0])] + sys.argv[1:])
if subprocess.run(['mount', '-t', 'cgroup2', 'none', '/sys/fs/cgroup']).returncode != 0:
    skip('cannot mount cgroup2')

RpcError = ttrpc_client.RpcError
MESSAGES = ttrpc_client.Messages(TOP + '/lib/wire')
PREFIX = 'vp%d-' % (time.time_ns() % 10**9)  # cgroups are the whole machine's
TESTS = []


def test(f):
    TESTS.append(f)
    return f


def fails(code, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except RpcError as e:
        assert e.code == code, '%s instead of %s: %s' % (e.code, code, e.message)
        return e.message
    raise AssertionError('no error, wanted ' + code)


class Bench:
    """An agent below a temporary directory, and a rootfs of busybox."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='vp-agent-')
        os.chmod(self.dir, 0o755)
        self.socket = self.dir + '/s'
        self.rootfs = self.dir + '/rootfs'
        for d in ('bin', 'proc', 'sys', 'dev', 'tmp', 'etc'):
            os.makedirs(self.rootfs + '/' + d)
        shutil.copy(shutil.which('busybox'), self.rootfs + '/bin/busybox')
        for name in ('sh', 'cat', 'sleep', 'echo', 'true', 'stty', 'head', 'hostname', 'cut', 'uname', 'ls', 'grep'):
            os.link(self.rootfs + '/bin/busybox', self.rootfs + '/bin/' + name)
        with open(self.rootfs + '/bin/plain', 'w') as f:
            f.write('not a program')
        self.log = open(self.dir + '/log', 'w+')
        # VIRTPOD_TEST_AGENT: e.g. "valgrind .../agent", of one that is not linked statically
        program = os.environ.get('VIRTPOD_TEST_AGENT', BUILD + '/virtpod-agent').split()
        self.process = subprocess.Popen(program + ['--listen', 'unix:' + self.socket, '--root',
                                         self.dir + '/r', '--log', 'debug'], stderr=self.log)
        for i in range(500):
            try:
                self.agent = ttrpc_client.Agent(self.socket, MESSAGES)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if i == 499:
                    raise
                time.sleep(0.02)
        self.n = 0

    def spec(self, *args, terminal=False):
        return {'Version': '1.0.2', 'Hostname': 'box', 'Root': {'Path': self.rootfs},
                'Process': {'Terminal': terminal, 'ConsoleSize': {'Height': 24, 'Width': 80},
                            'Args': list(args), 'Cwd': '/', 'User': {}, 'Env': ['PATH=/bin', 'TERM=xterm'],
                            'NoNewPrivileges': True},
                'Mounts': [{'destination': '/proc', 'type': 'proc', 'source': 'proc'},
                           {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs',
                            'options': ['nosuid', 'mode=755', 'size=65536k']},
                           {'destination': '/dev/pts', 'type': 'devpts', 'source': 'devpts',
                            'options': ['newinstance', 'ptmxmode=0666', 'mode=0620']}],
                'Linux': {'Namespaces': [{'Type': 'mount'}]}}

    def create_sandbox(self, **kwargs):
        self.agent.call('CreateSandbox', hostname='box', sandbox_id='s1', **kwargs)

    def create(self, *args, cid=None, storages=(), **kwargs):
        self.n += 1
        cid = PREFIX + (cid or 'c%d' % self.n)
        self.agent.call('CreateContainer', container_id=cid, OCI=self.spec(*args, **kwargs), storages=list(storages))
        return cid

    def run(self, *args, **kwargs):
        cid = self.create(*args, **kwargs)
        self.agent.call('StartContainer', container_id=cid)
        return cid

    def exec(self, cid, exec_id, *args, terminal=False):
        process = {'Terminal': terminal, 'Args': list(args), 'Cwd': '/', 'User': {}, 'Env': ['PATH=/bin']}
        self.agent.call('ExecProcess', container_id=cid, exec_id=exec_id, process=process)

    def fds(self):
        """the agent's open descriptors and what they are"""
        directory = '/proc/%d/fd/' % self.process.pid
        found = {}
        for fd in os.listdir(directory):
            try:
                found[fd] = os.readlink(directory + fd)
            except FileNotFoundError:
                pass
        return found

    def children(self):
        """the agent's children, each with its state and name"""
        pid = self.process.pid
        found = {}
        for child in open('/proc/%d/task/%d/children' % (pid, pid)).read().split():
            try:
                fields = open('/proc/%s/stat' % child).read().split()
                found[child] = fields[1:3]
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def wait(self, cid, exec_id=''):
        return self.agent.call('WaitProcess', container_id=cid, exec_id=exec_id).status

    def remove(self, cid):
        self.agent.call('RemoveContainer', container_id=cid)

    def connect_raw(self):
        """the connection of somebody else: ours is given up for it"""
        self.agent.close()
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        s.connect(self.socket)
        return s

    def reconnect(self, **kwargs):
        self.agent.close()
        self.agent = ttrpc_client.Agent(self.socket, MESSAGES, **kwargs)

    def close(self):
        self.agent.close()
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def main(sandbox=True):
    """Runs the tests with one agent, which has a @sandbox unless they make one."""
    print('1..%d' % len(TESTS), flush=True)
    bench = Bench()
    if sandbox:
        bench.create_sandbox()
    failed = 0
    for i, t in enumerate(TESTS):
        try:
            t(bench)
            print('ok %d - %s' % (i + 1, t.__name__), flush=True)
        except Exception:
            failed += 1
            print('not ok %d - %s' % (i + 1, t.__name__))
            print(''.join('# %s\n' % line for line in traceback.format_exc().splitlines()), end='', flush=True)
    status = open('/proc/%d/status' % bench.process.pid)
    print('# agent ' + ', '.join(' '.join(line.split()) for line in status if 'Rss' in line or 'VmHWM' in line))
    if failed:
        # not as part of the last test, whose traceback it would hide
        bench.log.seek(0)
        print(''.join('agent: ' + line for line in bench.log.readlines()[-80:]))
    bench.close()
    sys.exit(failed > 0)
