#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest agent with the real crun, on the host: no VM, but private mount, pid, uts
and ipc namespaces and a cgroup2 of its own. Prints TAP; skipped without root."""
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import traceback

TOP = os.environ.get('top_srcdir') or os.path.dirname(os.path.realpath(__file__)) + '/../..'
BUILD = os.environ.get('top_builddir') or os.getcwd()
sys.path.insert(0, TOP + '/tests/lib')


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
                          '--kill-child', sys.executable, os.path.realpath(__file__)] + sys.argv[1:])
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


@test
def first_frame(b):
    """the bytes that any client starts with are answered on stream 1"""
    s = b.connect_raw()
    request = MESSAGES['ttrpc.Request'](service='grpc.Health', method='Check').SerializeToString()
    s.sendall(bytes([0, 0, 0, len(request), 0, 0, 0, 1, 1, 0]) + request)
    head = s.recv(10)
    assert head[:2] == b'\0\0' and head[4:] == b'\0\0\0\1\2\0', head
    s.close()
    b.reconnect()


@test
def sync(b):
    """a sync in the middle of a frame starts a new conversation"""
    s = b.connect_raw()
    s.sendall(b'\0\0\1\0\0\0\0\1\1\0half a frame')
    time.sleep(0.1)
    token = os.urandom(16)
    s.sendall(ttrpc_client.make_sync(token))
    assert s.recv(24) == ttrpc_client.make_sync(token, ack=True)
    s.close()
    b.reconnect(sync=True)
    assert b.agent.call('Check').status == 1


@test
def unimplemented(b):
    assert 'ListRoutes' in fails('UNIMPLEMENTED', b.agent.call, 'ListRoutes')
    assert 'Nonsense' in fails('UNIMPLEMENTED', b.agent.call, 'Nonsense',
                               request=MESSAGES['google.protobuf.Empty']())


@test
def no_sandbox(b):
    fails('FAILED_PRECONDITION', b.create, 'true')
    fails('NOT_FOUND', b.agent.call, 'StartContainer', container_id='c1')


@test
def create_sandbox(b):
    shm = {'driver': 'ephemeral', 'source': 'shm', 'fstype': 'tmpfs',
           'mount_point': b.dir + '/r/kata-containers/sandbox/shm',
           'options': ['noexec', 'nosuid', 'nodev', 'mode=1777', 'size=1048576']}
    bad = {'driver': 'blk', 'mount_point': '/x'}
    assert 'blk' in fails('UNIMPLEMENTED', b.agent.call, 'CreateSandbox', hostname='box', sandbox_id='s1',
                          storages=[shm, bad])
    b.agent.call('CreateSandbox', hostname='box', sandbox_id='s1', storages=[shm], dns=['nameserver 1.1.1.1'])
    line = [m for m in open('/proc/self/mounts') if '/sandbox/shm ' in m]
    assert len(line) == 1 and 'size=1024k' in line[0] and 'noexec' in line[0], line
    fails('ALREADY_EXISTS', b.agent.call, 'CreateSandbox', sandbox_id='s1')


@test
def output_and_status(b):
    cid = b.run('sh', '-c', 'echo out; echo err >&2; hostname; exit 3')
    assert b.agent.read_all(cid) == b'out\nbox\n'
    assert b.agent.read_all(cid, stream='Stderr') == b'err\n'
    assert b.wait(cid) == 3
    assert b.wait(cid) == 3, 'the status can be asked for again'
    b.remove(cid)
    fails('NOT_FOUND', b.wait, cid)


@test
def input(b):
    cid = b.run('cat')
    assert b.agent.call('WriteStdin', container_id=cid, data=b'hello').len == 5
    assert b.agent.call('ReadStdout', container_id=cid, len=3).data == b'hel'
    assert b.agent.call('ReadStdout', container_id=cid, len=100).data == b'lo'
    b.agent.call('CloseStdin', container_id=cid)
    assert b.agent.read_all(cid) == b''
    assert b.wait(cid) == 0
    fails('FAILED_PRECONDITION', b.agent.call, 'WriteStdin', container_id=cid, data=b'x')
    b.remove(cid)


@test
def full_pipe(b):
    """a process that does not read holds up its own input only"""
    cid = b.run('sh', '-c', 'sleep 1; cat')
    data = os.urandom(1 << 20)
    first = b.agent.call('WriteStdin', container_id=cid, data=data).len
    assert 0 < first < len(data)
    pending = b.agent.start('WriteStdin', container_id=cid, data=data[first:])
    t = time.time()
    b.agent.call('Check')
    assert time.time() - t < 0.5 and not pending.done.is_set()
    out = []
    reader = threading.Thread(target=lambda: out.append(b.agent.read_all(cid)))
    reader.start()
    done = first + pending.result().len
    while done < len(data):
        done += b.agent.call('WriteStdin', container_id=cid, data=data[done:]).len
    b.agent.call('CloseStdin', container_id=cid)
    reader.join()
    assert out == [data]
    assert b.wait(cid) == 0
    b.remove(cid)


@test
def many_waiters(b):
    cid = b.run('cat')
    waits = [b.agent.start('WaitProcess', container_id=cid) for _ in range(20)]
    reads = [b.agent.start('ReadStdout', container_id=cid, len=10) for _ in range(3)]
    b.agent.call('Check')
    b.agent.call('SignalProcess', container_id=cid, signal=9)
    assert [w.result().status for w in waits] == [137] * 20
    assert [r.result().data for r in reads] == [b''] * 3
    b.agent.call('SignalProcess', container_id=cid, signal=15)  # gone: nothing to do, no error
    b.remove(cid)


EXTRA = 'org.virtpod.spec.extra'


def with_extra(b, extra, *args, **kwargs):
    """a started container whose spec has @extra; @kwargs are changes of its linux section"""
    b.n += 1
    cid = PREFIX + 'x%d' % b.n
    spec = b.spec(*args)
    spec['Annotations'] = {'other': 'stays', EXTRA: extra if isinstance(extra, str) else json.dumps(extra)}
    spec['Linux'].update(kwargs)
    b.agent.call('CreateContainer', container_id=cid, OCI=spec)
    with open(b.dir + '/r/kata-containers/' + cid + '/config.json') as f:
        b.config = json.load(f)
    b.agent.call('StartContainer', container_id=cid)
    return cid


@test
def extra(b):
    """what the protocol has no fields for is honoured, also for later processes"""
    script = ('umask; cat /proc/sys/kernel/domainname; uname -m; cat /proc/self/oom_score_adj; ' +
              'cut -d " " -f 40,41 /proc/self/stat; head -n 1 /proc/self/limits; cat')
    with open('/proc/self/oom_score_adj', 'w') as f:
        f.write('5')
    cid = with_extra(b, {'domainname': 'example.org', 'unknown': {'a': [1, {'b': None}]},
                         'process': {'user': {'umask': 0o27}, 'oomScoreAdj': 0,
                                     'scheduler': {'policy': 'SCHED_BATCH', 'nice': 3,
                                                   'flags': ['SCHED_FLAG_RESET_ON_FORK']},
                                     'ioPriority': {'class': 'IOPRIO_CLASS_IDLE', 'priority': 4}},
                         'mounts': {'1': {'unknown': 7}},
                         'linux': {'personality': {'domain': 'LINUX32'}}},
                     'sh', '-c', script)
    assert b.config['annotations'] == {'other': 'stays'}, b.config['annotations']
    assert b.config['mounts'][1]['unknown'] == 7 and 'unknown' not in b.config['mounts'][0]
    assert b.config['unknown'] == {'a': [1, {'b': None}]} and b.config['process']['user']['uid'] == 0
    machine = b'i686' if os.uname().machine == 'x86_64' else b''
    out = []
    while len(out) < 6:
        out += b.agent.call('ReadStdout', container_id=cid, len=4096).data.split(b'\n')[:-1]
    assert out[0] == b'0027' and out[1] == b'example.org' and machine in out[2] and out[3] == b'0', out
    assert out[4] == b'0 3', out
    with open('/proc/%d/task/%d/children' % (b.process.pid, b.process.pid)) as f:
        pid = int(f.read().split()[-1])
    assert os.sched_getscheduler(pid) == os.SCHED_BATCH | os.SCHED_RESET_ON_FORK
    assert os.getpriority(os.PRIO_PROCESS, pid) == 3
    assert subprocess.run(['ionice', '-p', str(pid)], stdout=subprocess.PIPE).stdout.startswith(b'idle')
    b.exec(cid, 'e1', 'sh', '-c', 'umask')
    assert b.agent.read_all(cid, 'e1') == b'0027\n'
    b.agent.call('CloseStdin', container_id=cid)
    assert b.wait(cid) == 0
    b.remove(cid)


@test
def extra_cgroup(b):
    """resources of cgroup v2 by their files"""
    try:
        cid = with_extra(b, {'linux': {'resources': {'unified': {'pids.max': '77'}}}}, 'cat')
    except RpcError as e:
        assert 'controller `pids` is not available' in e.message, e.message
        return  # the machine has it in cgroup v1, crun asked for it
    assert open('/sys/fs/cgroup/' + cid + '/pids.max').read() == '77\n'
    b.agent.call('CloseStdin', container_id=cid)
    b.wait(cid)
    b.remove(cid)


@test
def extra_wrong(b):
    for wrong in ('', '{', '{"a":1,}', '{"mounts":{"3":{}}}', '{"mounts":{"x":{}}}', '[' * 100 + ']' * 100, '\x01'):
        message = fails('INVALID_ARGUMENT', with_extra, b, wrong, 'true')
        assert EXTRA in message, message
    message = fails('INVALID_ARGUMENT', with_extra, b, {'process': {'scheduler': {'policy': 'SCHED_NONE'}}}, 'true')
    assert 'process.scheduler' in message, message
    message = fails('INVALID_ARGUMENT', with_extra, b, {'process': {'ioPriority': {'class': 'x'}}}, 'true')
    assert 'process.ioPriority' in message, message


@test
def device_rules(b):
    """a container that may use no devices has those that every container has, and no others"""
    devices = [{'Path': '/dev/fuse', 'Type': 'c', 'Major': 10, 'Minor': 229, 'FileMode': 0o666}]
    script = 'echo >/dev/null && echo null; : </dev/fuse && echo fuse; head -c 1 /dev/urandom >/dev/null && echo random'
    rules = [{'Allow': False, 'Access': 'rwm'}]
    try:
        cid = with_extra(b, '{}', 'sh', '-c', script, Devices=devices, Resources={'Devices': rules})
    except RpcError as e:
        assert 'MEMLOCK' in e.message or 'bpf' in e.message.lower(), e.message
        return  # not with these rights, but crun was told
    assert b.agent.read_all(cid) == b'null\nrandom\n'
    b.wait(cid)
    b.remove(cid)


@test
def exec_process(b):
    cid = b.run('sleep', '1000')
    b.exec(cid, 'e1', 'sh', '-c', 'cat; exit 7')
    b.agent.call('WriteStdin', container_id=cid, exec_id='e1', data=b'in\n')
    b.agent.call('CloseStdin', container_id=cid, exec_id='e1')
    assert b.agent.read_all(cid, 'e1') == b'in\n'
    assert b.wait(cid, 'e1') == 7
    b.exec(cid, 'e1', 'true')
    assert b.wait(cid, 'e1') == 0
    message = fails('NOT_FOUND', b.exec, cid, 'e2', 'no-such-program')
    assert 'executable file' in message and 'no-such-program' in message, message
    fails('PERMISSION_DENIED', b.exec, cid, 'e3', '/bin/plain')
    message = fails('NOT_FOUND', b.exec, cid, 'e3', '/no/such')
    assert 'executable file' in message, message
    fails('NOT_FOUND', b.wait, cid, 'e2')
    b.exec(cid, 'e4', 'sleep', '1000')
    fails('ALREADY_EXISTS', b.exec, cid, 'e4', 'true')
    fails('INVALID_ARGUMENT', b.exec, cid, '../x', 'true')
    b.agent.call('SignalProcess', container_id=cid, exec_id='e4', signal=15)
    assert b.wait(cid, 'e4') == 143
    # the first process has no handler, so the signal itself would have no effect
    b.agent.call('SignalProcess', container_id=cid, signal=15)
    assert b.wait(cid) == 137
    fails('FAILED_PRECONDITION', b.exec, cid, 'e5', 'true')
    b.remove(cid)


@test
def short_lived(b):
    """the exit of a process that is over before anybody asks is not lost"""
    cid = b.run('sleep', '1000')
    for i in range(20):
        b.exec(cid, 'q%d' % i, 'sh', '-c', 'exit %d' % i)
    for i in range(20):
        assert b.wait(cid, 'q%d' % i) == i
    b.remove(cid)


@test
def left_over_writer(b):
    """a stray child that keeps the pipe open does not keep the reader"""
    cid = b.run('sleep', '1000')
    b.exec(cid, 'e1', 'sh', '-c', 'echo hi; sleep 1000 &')
    assert b.wait(cid, 'e1') == 0
    assert b.agent.read_all(cid, 'e1') == b'hi\n'
    b.remove(cid)


@test
def terminal(b):
    cid = b.run('sh', '-c', 'stty size; cat', terminal=True)
    assert b.agent.call('ReadStdout', container_id=cid, len=100).data == b'24 80\r\n'
    assert b.agent.read_all(cid, stream='Stderr') == b''
    b.exec(cid, 'e1', 'sh', '-c', 'head -n 1; stty size', terminal=True)
    b.agent.call('TtyWinResize', container_id=cid, exec_id='e1', row=30, column=90)
    b.agent.call('WriteStdin', container_id=cid, exec_id='e1', data=b'x\n')
    assert b.agent.read_all(cid, 'e1').endswith(b'30 90\r\n')
    b.agent.call('SignalProcess', container_id=cid, signal=9)
    assert b.wait(cid) == 137
    b.remove(cid)


@test
def create_errors(b):
    message = fails('NOT_FOUND', b.create, 'no-such-program', cid='x')
    assert 'executable file' in message, message
    assert not os.path.exists(b.dir + '/r/kata-containers/' + PREFIX + 'x')
    fails('PERMISSION_DENIED', b.create, '/bin/plain', cid='x')
    fails('INVALID_ARGUMENT', b.create, 'true', cid='../x')
    fails('INVALID_ARGUMENT', b.create, cid='x')
    cid = b.create('true', cid='x')
    fails('ALREADY_EXISTS', b.create, 'true', cid='x')
    b.exec(cid, 'e', 'sh', '-c', 'exit 6')  # what is held before its program has its namespaces already
    assert b.wait(cid, 'e') == 6
    b.agent.call('StartContainer', container_id=cid)
    fails('FAILED_PRECONDITION', b.agent.call, 'StartContainer', container_id=cid)
    assert b.wait(cid) == 0
    fails('FAILED_PRECONDITION', b.exec, cid, 'f', 'true')
    b.remove(cid)


@test
def storages(b):
    local = {'driver': 'local', 'source': 'local', 'mount_point': b.dir + '/local', 'options': ['mode=0711']}
    tmp = {'driver': 'ephemeral', 'source': 'tmpfs', 'fstype': 'tmpfs', 'mount_point': b.dir + '/eph',
           'options': ['size=64k', 'mode=0700']}
    cid = b.create('true', storages=[local, tmp])
    other = b.create('true', storages=[tmp])
    assert os.stat(b.dir + '/local').st_mode & 0o777 == 0o711
    b.remove(cid)
    assert os.path.ismount(b.dir + '/eph'), 'somebody else uses it'
    b.remove(other)
    assert not os.path.ismount(b.dir + '/eph')


@test
def ephemeral(b):
    """what is the sandbox' by its place outlives the container that brought it, and can be resized"""
    place = b.dir + '/r/kata-containers/sandbox/ephemeral/scratch'
    tmp = {'driver': 'ephemeral', 'source': 'tmpfs', 'fstype': 'tmpfs', 'mount_point': place,
           'options': ['size=64k', 'mode=0700', 'noexec', 'fsgid=77']}
    first = b.create('true', storages=[tmp])
    assert os.stat(place).st_gid == 77 and os.stat(place).st_mode & 0o2000
    with open(place + '/kept', 'w') as f:
        f.write('kept')
    b.remove(first)
    second = b.create('true', storages=[tmp])
    assert open(place + '/kept').read() == 'kept'
    b.agent.call('UpdateEphemeralMounts', storages=[{'driver': 'ephemeral', 'mount_point': place,
                                                     'options': ['remount', 'size=8M']}])
    line, = [m for m in open('/proc/self/mounts') if place in m]
    assert 'size=8192k' in line and 'noexec' in line, line
    fails('NOT_FOUND', b.agent.call, 'UpdateEphemeralMounts', storages=[{'mount_point': '/', 'options': ['size=1M']}])
    fails('INVALID_ARGUMENT', b.agent.call, 'UpdateEphemeralMounts',
          storages=[{'mount_point': place, 'options': ['size=1M,mode=0']}])
    b.remove(second)


@test
def copy_file(b):
    """a host without a shared file system can bring files one by one"""
    base = b.dir + '/r/kata-containers/shared/containers'
    b.agent.call('CopyFile', path=base + '/c/x', file_size=4, file_mode=0o100755, data=b'ab')
    b.agent.call('CopyFile', path=base + '/c/x', file_size=4, file_mode=0o100755, offset=2, data=b'cd')
    assert open(base + '/c/x').read() == 'abcd' and os.stat(base + '/c/x').st_mode & 0o777 == 0o755
    fails('INVALID_ARGUMENT', b.agent.call, 'CopyFile', path='/etc/x', file_size=1, data=b'x')


@test
def shared_pids(b):
    """containers of one pid namespace see each other, and of its process 1 nothing"""
    def start(*args):
        b.n += 1
        cid = PREFIX + 'p%d' % b.n
        spec = b.spec(*args)
        spec['Process']['Capabilities'] = {k: ['CAP_KILL'] for k in ('Bounding', 'Effective', 'Permitted')}
        b.agent.call('CreateContainer', container_id=cid, OCI=spec, sandbox_pidns=True)
        b.agent.call('StartContainer', container_id=cid)
        return cid
    first = start('sleep', '1234')
    second = start('sh', '-c', 'cat /proc/*/cmdline; echo; echo $$; ls /proc/1/root/; cat /proc/1/environ;'
                   'kill -9 1; (sleep 0.1 & ); sleep 0.4; grep -h State /proc/*/status')
    out = b.agent.read_all(second).decode()
    err = b.agent.read_all(second, stream='Stderr').decode()
    assert 'virtpod-pause' in out and 'sleep\x001234' in out, out
    assert out.split('\n')[1] != '1', out
    assert err.count('Permission denied') == 2, (out, err)
    assert 'zombie' not in out, out
    assert b.wait(second) == 0
    b.remove(second)
    # one that has nothing to do with it has its own
    alone = b.run('sh', '-c', 'echo $$')
    assert b.agent.read_all(alone) == b'1\n'
    b.remove(alone)
    pause, = [p for p in os.listdir('/proc') if p.isdigit() and int(p) > 1 and
              b'virtpod-pause' in open('/proc/%s/cmdline' % p, 'rb').read()]
    assert os.listdir('/proc/%s/fd' % pause) == []
    assert os.listdir('/proc/%s/root/' % pause) == []
    fields = dict(line.split(':\t', 1) for line in open('/proc/%s/status' % pause) if ':\t' in line)
    assert int(fields['CapPrm'], 16) == 0 and int(fields['CapBnd'], 16) == 0, fields
    assert fields['Uid'].split() == ['65534'] * 4
    print('# pause ' + fields['VmRSS'].strip())
    # the first to come may go: the others live on
    third = start('sleep', '1000')
    b.remove(first)
    assert b.agent.call('GetDiagnosticData', container_id=third, log_type='virtpod:pids').data.count('\n') == 1
    b.agent.call('SignalProcess', container_id=third, signal=9)
    assert b.wait(third) == 137
    b.remove(third)


@test
def pause_and_stats(b):
    cid = b.run('sleep', '1000')
    b.agent.call('PauseContainer', container_id=cid)
    fails('FAILED_PRECONDITION', b.agent.call, 'PauseContainer', container_id=cid)
    b.agent.call('ResumeContainer', container_id=cid)
    stats = b.agent.call('StatsContainer', container_id=cid).cgroup_stats
    assert stats.cpu_stats.cpu_usage.total_usage > 0
    b.agent.call('PauseContainer', container_id=cid)
    b.remove(cid)


@test
def pids_and_metrics(b):
    """what runs in a container, by the numbers the agent's side knows it by"""
    cid = b.run('sh', '-c', 'sleep 1000 & sleep 1000 & wait')
    b.exec(cid, 'e1', 'sleep', '1000')

    def pids():
        data = b.agent.call('GetDiagnosticData', container_id=cid, log_type='virtpod:pids').data
        return [int(line) for line in data.splitlines()]
    for _ in range(100):
        names = sorted(open('/proc/%d/comm' % pid).read().strip() for pid in pids())
        if names.count('sleep') == 3:
            break
        time.sleep(0.05)
    assert names == ['sh', 'sleep', 'sleep', 'sleep'], names
    assert 'other' in fails('UNIMPLEMENTED', b.agent.call, 'GetDiagnosticData', container_id=cid, log_type='other')
    fails('NOT_FOUND', b.agent.call, 'GetDiagnosticData', container_id='nobody', log_type='virtpod:pids')
    text = b.agent.call('GetMetrics').metrics
    for line in text.splitlines():
        name, value = line.rsplit(' ', 1)
        assert line.startswith('# ') or float(value) >= 0, line
    assert 'kata_guest_meminfo{item="MemTotal"} ' in text
    b.remove(cid)


def tar(b, cid, *args, data=b'', user=None, exec_id=None):
    """the agent's tar in a container: status, archive, messages"""
    b.n += 1
    exec_id = exec_id or 't%d' % b.n
    process = {'Args': ['virtpod:tar'] + list(args), 'User': user or {}}
    b.agent.call('ExecProcess', container_id=cid, exec_id=exec_id, process=process)

    def feed():
        left = data
        try:
            while left:
                left = left[b.agent.call('WriteStdin', container_id=cid, exec_id=exec_id, data=left[:1 << 20]).len:]
            b.agent.call('CloseStdin', container_id=cid, exec_id=exec_id)
        except RpcError as e:
            assert e.code == 'FAILED_PRECONDITION', e
    feeder = threading.Thread(target=feed)
    feeder.start()
    out = b.agent.read_all(cid, exec_id, chunk=1 << 20)
    err = b.agent.read_all(cid, exec_id, stream='Stderr')
    feeder.join()
    return b.wait(cid, exec_id), out, err.decode()


def make_archive(*members):
    """(name, type, content) ..."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as archive:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.mtime, info.devmajor, info.devminor = kind, 1234567890, 1, 3
            if kind == tarfile.REGTYPE:
                info.size = len(content)
            else:
                info.linkname = content
            archive.addfile(info, io.BytesIO(content) if kind == tarfile.REGTYPE else None)
    return out.getvalue()


@test
def tar_both_ways(b):
    """an archive is what a container has, also before it runs and while it is paused"""
    cid = b.create('sleep', '1000')
    blob = os.urandom(3000000)
    archive = make_archive(('in/blob', tarfile.REGTYPE, blob), ('in/link', tarfile.SYMTYPE, '/etc/passwd'))
    for state in ('created', 'running', 'paused'):
        if state == 'running':
            b.agent.call('StartContainer', container_id=cid)
        if state == 'paused':
            b.agent.call('PauseContainer', container_id=cid)
        assert tar(b, cid, 'extract', '/tmp', data=archive) == (0, b'', ''), state
        with open(b.rootfs + '/tmp/in/blob', 'rb') as f:
            assert f.read() == blob, state
        assert os.readlink(b.rootfs + '/tmp/in/link') == '/etc/passwd'
        status, out, err = tar(b, cid, 'create', '/tmp/in')
        assert (status, err) == (0, ''), (state, status, err)
        with tarfile.open(fileobj=io.BytesIO(out)) as read:
            assert sorted(read.getnames()) == ['in', 'in/blob', 'in/link'], read.getnames()
            assert read.extractfile('in/blob').read() == blob
            assert read.getmember('in/blob').mtime == 1234567890
    # what the container mounted, which no other than a process in there sees
    status, out, err = tar(b, cid, 'create', '/')
    with tarfile.open(fileobj=io.BytesIO(out)) as read:
        names = set(read.getnames())
    assert './dev/pts/ptmx' in names and './proc' in names, (status, err)
    assert not [n for n in names if n.startswith('./proc/')], 'content of proc'
    b.remove(cid)


@test
def tar_refusals(b):
    cid = b.run('sleep', '1000')
    for args in ((), ('list', '/'), ('create', 'x'), ('extract', '/', '--what')):
        fails('INVALID_ARGUMENT', tar, b, cid, *args)
    fails('INVALID_ARGUMENT', b.agent.call, 'ExecProcess', container_id=cid, exec_id='t', process={
        'Args': ['virtpod:tar', 'create', '/'], 'Terminal': True})
    assert tar(b, cid, 'create', '/nowhere') == (2, b'', '/nowhere: No such file or directory\n')
    status, _, err = tar(b, cid, 'extract', '/tmp', data=make_archive(('../x', tarfile.REGTYPE, b'')))
    assert status == 3 and 'refused' in err, (status, err)
    # links of the container lead to what is in it
    os.symlink('/../../../../../../tmp', b.rootfs + '/tmp/up')
    assert tar(b, cid, 'extract', '/tmp/up', data=make_archive(('f', tarfile.REGTYPE, b'x')))[0] == 0
    assert os.path.exists(b.rootfs + '/tmp/f')
    # whatever it waits for, it ends with its container
    b.agent.call('ExecProcess', container_id=cid, exec_id='waits', process={'Args': ['virtpod:tar', 'extract', '/']})
    wait = b.agent.start('WaitProcess', container_id=cid, exec_id='waits')
    b.remove(cid)
    assert wait.result().status == 137


@test
def tar_rights(b):
    """root in the worker is no more than root in the container, and its user is the one asked for"""
    spec = b.spec('sleep', '1000')
    spec['Process']['Capabilities'] = {k: ['CAP_CHOWN', 'CAP_KILL'] for k in ('Bounding', 'Effective', 'Permitted')}
    b.n += 1
    cid = PREFIX + 'r%d' % b.n
    b.agent.call('CreateContainer', container_id=cid, OCI=spec)
    b.agent.call('ExecProcess', container_id=cid, exec_id='t', process={'Args': ['virtpod:tar', 'extract', '/tmp']})

    def status_of(exec_id, expected):
        for _ in range(100):
            pids = b.agent.call('GetDiagnosticData', container_id=cid, log_type='virtpod:pids').data.split()
            for pid in pids:
                text = open('/proc/%s/status' % pid).read()
                fields = dict(line.split(':\t', 1) for line in text.splitlines() if ':\t' in line)
                if fields['Name'] == 'virtpod-agent' and fields['Uid'].split()[0] == str(expected):
                    return pid, fields
            time.sleep(0.02)
        raise AssertionError(pids)
    pid, fields = status_of('t', 0)
    for _ in range(100):
        if int(fields['CapBnd'], 16) == 0x21 and int(fields['CapEff'], 16) == 0x21:
            break
        time.sleep(0.02)
        pid, fields = status_of('t', 0)
    sets = {k: int(fields[k], 16) for k in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')}
    assert sets == {'CapInh': 0, 'CapPrm': 0x21, 'CapEff': 0x21, 'CapBnd': 0x21, 'CapAmb': 0}, sets
    assert fields['NoNewPrivs'] == '1'
    fds = sorted(os.listdir('/proc/%s/fd' % pid))
    kinds = [os.readlink('/proc/%s/fd/%s' % (pid, fd)).split(':')[0] for fd in fds]
    assert kinds.count('pipe') == 3 and len(kinds) <= 5, kinds
    b.agent.call('SignalProcess', container_id=cid, exec_id='t', signal=9)
    assert b.wait(cid, 't') == 137
    # another user may not write where the container's root may
    os.chmod(b.rootfs + '/etc', 0o755)
    archive = make_archive(('g', tarfile.REGTYPE, b'x'))
    status, _, err = tar(b, cid, 'extract', '/etc', data=archive, user={'UID': 1234, 'GID': 1234})
    assert status == 4 and 'Permission denied' in err, (status, err)
    os.chmod(b.rootfs + '/tmp', 0o1777)
    assert tar(b, cid, 'extract', '/tmp', data=archive, user={'UID': 1234, 'GID': 99})[0] == 0
    st = os.stat(b.rootfs + '/tmp/g')
    assert (st.st_uid, st.st_gid) == (1234, 99)
    # devices: asked for, but without the capability
    device = make_archive(('null', tarfile.CHRTYPE, ''))
    assert tar(b, cid, 'extract', '/tmp', data=device)[0] == 3
    status, _, err = tar(b, cid, 'extract', '/tmp', '--devices', data=device)
    assert status == 4 and 'mknod' in err, (status, err)
    b.remove(cid)


@test
def tar_user_namespace(b):
    """root of a container with a user namespace is root there only"""
    spec = b.spec('sleep', '1000')
    spec['Linux']['Namespaces'].append({'Type': 'user'})
    for kind in ('UIDMappings', 'GIDMappings'):
        spec['Linux'][kind] = [{'ContainerID': 0, 'HostID': 100000, 'Size': 65536}]
    spec['Mounts'] = [m for m in spec['Mounts'] if m['destination'] == '/proc']
    b.n += 1
    cid = PREFIX + 'u%d' % b.n
    mapped = b.dir + '/mapped'
    shutil.copytree(b.rootfs, mapped, symlinks=True)
    subprocess.run(['chown', '-R', '-h', '100000:100000', mapped], check=True)
    spec['Root']['Path'] = mapped
    b.agent.call('CreateContainer', container_id=cid, OCI=spec)
    assert tar(b, cid, 'extract', '/tmp', data=make_archive(('user', tarfile.REGTYPE, b'x'))) == (0, b'', '')
    assert os.stat(mapped + '/tmp/user').st_uid == 100000
    b.remove(cid)


@test
def deadline(b):
    """a read that was given up does not take anything out of the pipe"""
    cid = b.run('cat')
    fails('DEADLINE_EXCEEDED', b.agent.call, 'ReadStdout', container_id=cid, len=10, timeout_nano=100000000)
    b.agent.call('WriteStdin', container_id=cid, data=b'kept')
    assert b.agent.call('ReadStdout', container_id=cid, len=10).data == b'kept'
    b.remove(cid)


@test
def reconnect(b):
    """neither output nor status is lost with the host that asked for it"""
    cid = b.run('sh', '-c', 'cat; exit 5')
    b.agent.start('ReadStdout', container_id=cid, len=10)
    b.agent.start('WaitProcess', container_id=cid)
    b.agent.call('Check')
    b.reconnect(sync=True)
    b.agent.call('WriteStdin', container_id=cid, data=b'kept')
    b.agent.call('CloseStdin', container_id=cid)
    assert b.agent.read_all(cid) == b'kept'
    assert b.wait(cid) == 5
    b.remove(cid)


@test
def told_again(b):
    """what a host was told and has not followed up is told to the next one"""
    cid = b.run('sh', '-c', 'echo -n one; sleep 0.3; echo -n two; echo -n err >&2; cat')

    def read(length, **kwargs):
        answer = b.agent.call('ReadStdout', container_id=cid, len=length, **kwargs)
        return answer.data, answer.offset
    assert read(100) == (b'one', 0)
    b.reconnect(sync=True)
    assert read(100) == (b'one', 0)
    assert read(100) == (b'two', 3)
    b.reconnect(sync=True)
    # in pieces, of which the first two are confirmed by the reads behind them
    assert [read(1), read(1)] == [(b't', 3), (b'w', 4)]
    assert read(1) == (b'o', 5)
    b.reconnect(sync=True)
    assert read(100) == (b'o', 5)
    # the other stream is another matter
    assert b.agent.call('ReadStderr', container_id=cid, len=100).data == b'err'
    b.agent.call('WriteStdin', container_id=cid, data=b'new')
    assert read(100) == (b'new', 6)
    b.agent.call('CloseStdin', container_id=cid)
    assert b.wait(cid) == 0
    # also when its end has come meanwhile, and as often as it takes
    for _ in range(3):
        b.reconnect(sync=True)
        assert read(100) == (b'new', 6)
    assert read(100) == (b'', 9)
    assert read(100) == (b'', 9)
    b.reconnect(sync=True)
    assert read(100) == (b'', 9)
    assert b.wait(cid) == 0, 'the status too'
    b.remove(cid)


@test
def told_again_much(b):
    """a host that dies again and again, with several reads at once, gets every byte once by the offsets"""
    size = 8000000
    script = 'i=0; while [ $i -lt %d ]; do echo 0123456789abcdef0123456789abcdef$i; i=$((i + 1)); done' % (size // 40)
    cid = b.run('sh', '-c', script)
    got = bytearray()
    deaths = doubled = 0
    ended = False
    while not ended:
        at_once = deaths % 3 + 1
        done = len(got) if at_once > 1 else 0

        def reads():
            return [b.agent.start('ReadStdout', container_id=cid, len=30000, done=done) for _ in range(at_once)]
        for answer in reads():
            answer = answer.result()
            assert answer.offset <= len(got), (answer.offset, len(got))
            doubled += answer.offset < len(got)
            got[answer.offset:] = answer.data or got[answer.offset:]
            ended = ended or not answer.data
        if len(got) > deaths * size / 40:
            deaths += 1
            done = len(got) if at_once > 1 else 0
            answer = reads()[0].result()
            if deaths % 2:
                got[answer.offset:] = answer.data or got[answer.offset:]
            b.reconnect(sync=True)
    want = ''.join('0123456789abcdef0123456789abcdef%d\n' % i for i in range(size // 40)).encode()
    assert bytes(got) == want, (len(got), len(want))
    assert deaths > 20 and doubled > 0, (deaths, doubled)
    b.remove(cid)


@test
def input_of_the_dead(b):
    """what a host has sent is written, in order, also if it does not live to hear so"""
    cid = b.run('sh', '-c', 'sleep 1; cat')
    first = b.agent.call('WriteStdin', container_id=cid, data=b'a' * 200000).len
    assert first < 200000
    b.agent.start('WriteStdin', container_id=cid, data=b'b' * 150000, timeout_nano=1000000000000)
    b.agent.start('WriteStdin', container_id=cid, data=b'c' * 150000)
    b.agent.call('Check')
    b.reconnect(sync=True)
    late = b.agent.start('WriteStdin', container_id=cid, data=b'd' * 10)
    out = []
    reader = threading.Thread(target=lambda: out.append(b.agent.read_all(cid)))
    reader.start()
    assert late.result().len == 10
    b.agent.call('CloseStdin', container_id=cid)
    reader.join()
    assert out[0] == b'a' * first + b'b' * 150000 + b'c' * 150000 + b'd' * 10, len(out[0])
    assert b.wait(cid) == 0
    b.remove(cid)


@test
def remove_while_running(b):
    cid = b.run('sleep', '1000')
    b.exec(cid, 'e1', 'sleep', '1000')
    wait = b.agent.start('WaitProcess', container_id=cid)
    removals = [b.agent.start('RemoveContainer', container_id=cid) for _ in range(3)]
    for r in removals:
        r.result()
    assert wait.result().status == 137


@test
def garbage(b):
    """what is not ttrpc ends the connection, not the agent"""
    for junk in (b'\xff' * 100, b'\0\x50\0\0\0\0\0\1\1\0', b'\0\0\0\1\0\0\0\1\7\0', b'\1' + os.urandom(4096)):
        s = b.connect_raw()
        try:
            s.sendall(junk)
            s.shutdown(socket.SHUT_WR)
            while s.recv(100):
                pass
        except ConnectionError:
            pass
        s.close()
    b.reconnect()
    assert b.agent.call('Check').status == 1


@test
def destroy(b):
    b.run('sleep', '1000')
    b.run('sleep', '1000')
    b.agent.call('DestroySandbox')
    assert not os.path.exists(b.dir + '/r/kata-containers')
    assert not [m for m in open('/proc/self/mounts') if '/r/kata-containers' in m]
    assert os.listdir(b.dir + '/r/agent/crun') == []
    # stdio, loop, listener, connection, signals, log, and crun's sealed copy; the
    # connection before this one may take a moment to go
    deadline = time.monotonic() + 20
    while len(b.fds()) > 9 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(b.fds()) <= 9, b.fds()
    # what the containers' processes left to the agent is collected behind the answer
    while b.children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not b.children(), b.children()


def main():
    print('1..%d' % len(TESTS), flush=True)
    bench = Bench()
    failed = 0
    for i, t in enumerate(TESTS):
        try:
            t(bench)
            print('ok %d - %s' % (i + 1, t.__name__), flush=True)
        except Exception:
            failed += 1
            print('not ok %d - %s' % (i + 1, t.__name__), flush=True)
            traceback.print_exc()
    status = open('/proc/%d/status' % bench.process.pid)
    print('# agent ' + ', '.join(' '.join(line.split()) for line in status if 'Rss' in line or 'VmHWM' in line))
    if failed:
        bench.log.seek(0)
        print('# ' + '# '.join(bench.log.readlines()[-80:]))
    bench.close()
    sys.exit(failed > 0)


main()
