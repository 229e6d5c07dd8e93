#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest agent's network calls, on the host: a network namespace with interfaces
whose other ends are in a second one, and iproute2 to look at what became of them.
Prints TAP; skipped without root."""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.environ.get('top_srcdir') or os.path.dirname(os.path.realpath(__file__)) + '/../..'
BUILD = os.environ.get('top_builddir') or os.getcwd()
sys.path.insert(0, TOP + '/tests/lib')

import tap  # noqa: E402
from tap import check, equal  # noqa: E402

if os.geteuid() != 0:
    tap.skip_all('needs root')
for tool in ('ip', 'nsenter', 'unshare', 'protoc'):
    if shutil.which(tool) is None:
        tap.skip_all(tool + ' is missing')
try:
    import ttrpc_client
except ImportError as e:
    tap.skip_all(str(e))
if os.environ.get('VP_TEST_NETWORK_INSIDE') is None:
    os.environ['VP_TEST_NETWORK_INSIDE'] = '1'
    os.execvp('unshare', ['unshare', '-n', '-m', '--propagation', 'private', sys.executable,
                          os.path.realpath(__file__)] + sys.argv[1:])

MESSAGES = ttrpc_client.Messages(TOP + '/lib/wire')
MAC_A, MAC_B, MAC_C = '02:00:00:00:00:0a', '02:00:00:00:00:0b', '02:00:00:00:00:0c'
MAX = 4096
PERMANENT, NOARP, ONLINK, LINK_SCOPE = 0x80, 0x80, 4, 253


def ip(*args):
    p = subprocess.run(('ip',) + args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(p.returncode == 0, 'ip %s: %s' % (' '.join(args), p.stderr))
    return p.stdout


class Elsewhere:
    """The namespace with the other ends."""

    def __init__(self):
        self.process = subprocess.Popen(['unshare', '-n', 'sleep', 'infinity'])
        self.path = '/proc/%d/ns/net' % self.process.pid
        tap.eventually(lambda: os.readlink(self.path) != os.readlink('/proc/self/ns/net'), 'a second namespace', 60)

    def add(self, name, mac):
        """here, down"""
        ip('link', 'add', name, 'address', mac, 'type', 'veth', 'peer', 'name', 'to-' + name, 'netns',
           str(self.process.pid))
        subprocess.run(['nsenter', '--net=' + self.path, 'ip', 'link', 'set', 'to-' + name, 'up'], check=True)

    def end(self):
        self.process.kill()
        self.process.wait()


def link(name):
    return json.loads(ip('-j', 'link', 'show', 'dev', name))[0]


def addresses(name, link_local=False):
    """as text, in the kernel's order"""
    info = json.loads(ip('-j', 'addr', 'show', 'dev', name))[0]['addr_info']
    return ['%s/%d' % (a['local'], a['prefixlen']) for a in info
            if link_local or not a['local'].startswith('fe80:')]


def routes(family='-4'):
    found = json.loads(ip('-j', '-d', family, 'route', 'show', 'table', 'main') or '[]')
    return [r for r in found if r['protocol'] != 'kernel']


class Case:
    """An agent, and what each test begins with: eth0 and eth1, which are down."""

    def __init__(self):
        self.undo = contextlib.ExitStack()

    def start(self):
        self.elsewhere = Elsewhere()
        self.undo.callback(self.elsewhere.end)
        self.dir = tempfile.mkdtemp(prefix='vp-agent-')
        self.undo.callback(shutil.rmtree, self.dir, ignore_errors=True)
        self.log = open(self.dir + '/log', 'w+')
        self.process = subprocess.Popen([BUILD + '/virtpod-agent', '--listen', 'unix:' + self.dir + '/s', '--root',
                                         self.dir + '/r', '--log', 'debug'], stderr=self.log)
        self.undo.callback(self.process.wait)
        self.undo.callback(self.process.terminate)
        tap.eventually(lambda: os.path.exists(self.dir + '/s'), 'the agent serves', 60)
        self.agent = tap.eventually(self.connect, 'the agent takes a connection', 60)
        self.undo.callback(self.agent.close)

    def connect(self):
        try:
            return ttrpc_client.Agent(self.dir + '/s', MESSAGES, timeout=60)
        except ConnectionRefusedError:
            return None

    def call(self, method, **fields):
        return self.agent.call(method, timeout=120, **fields)

    def fails(self, code, method, *words, **fields):
        """The call does, and its text has all of @words."""
        try:
            self.call(method, **fields)
        except ttrpc_client.RpcError as e:
            check(e.code == code, '%s instead of %s: %s' % (e.code, code, e.message))
            for word in words:
                check(word in e.message, '%r is not in %r' % (word, e.message))
            return
        raise tap.Failure('%s: no error, wanted %s' % (method, code))

    def interface(self, mac, name='', *inets, **fields):
        message = {'hwAddr': mac, 'name': name, **fields}
        message['IPAddresses'] = [{'family': 'v6' if ':' in i else 'v4', 'address': i.split('/')[0],
                                   'mask': i.split('/')[1]} for i in inets]
        return message

    def update(self, *args, **fields):
        return self.call('UpdateInterface', interface=self.interface(*args, **fields))

    def set_routes(self, *list_of):
        return self.call('UpdateRoutes', routes={'Routes': list(list_of)}).Routes

    def begin_test(self):
        for name in [n['ifname'] for n in json.loads(ip('-j', 'link')) if n['ifname'] != 'lo']:
            subprocess.run(['ip', 'link', 'del', name], stderr=subprocess.DEVNULL)
        ip('link', 'set', 'lo', 'up')
        self.elsewhere.add('eth0', MAC_A)
        self.elsewhere.add('eth1', MAC_B)

    def complaints(self):
        return []

    def diagnostics(self):
        if not hasattr(self, 'log'):
            return ''
        self.log.seek(0)
        return ''.join(self.log.readlines()[-40:])

    def stop(self):
        self.undo.close()


def update_interface(c):
    """name, MTU and addresses of both families; the answer is how it is then"""
    answer = c.update(MAC_A, 'net0', '10.1.0.2/16', 'fd00::2/64', mtu=1400)
    equal(addresses('net0'), ['10.1.0.2/16', 'fd00::2/64'])
    state = link('net0')
    equal((state['mtu'], 'UP' in state['flags'], 'NOARP' in state['flags']), (1400, True, False), 'the interface')
    info = json.loads(ip('-j', 'addr', 'show', 'dev', 'net0'))[0]['addr_info']
    equal(info[0]['broadcast'], '10.1.255.255', 'broadcast')
    check('tentative' not in [a for a in info if a['local'] == 'fd00::2'][0], 'the IPv6 address can be used at once')
    equal((answer.name, answer.mtu, answer.hwAddr), ('net0', 1400, MAC_A), 'the answer')
    equal(['%s/%s' % (a.address, a.mask) for a in answer.IPAddresses if not a.address.startswith('fe80')],
          ['10.1.0.2/16', 'fd00::2/64'], 'its addresses')


def replace_addresses(c):
    """those that are not asked for any more go, those that stay are not touched, what the kernel made stays"""
    c.update(MAC_A, 'eth0', '10.1.0.2/16', '10.1.0.3/16', '10.1.0.4/16', 'fd00::2/64', 'fd00::3/64')
    local = [a for a in addresses('eth0', link_local=True) if a.startswith('fe80')]
    equal(len(local), 1, 'link-local addresses')
    ip('route', 'add', '192.0.2.0/24', 'via', '10.1.0.1')
    c.update(MAC_A, 'eth0', '10.1.0.2/16', 'fd00::3/64')
    equal(addresses('eth0', link_local=True), ['10.1.0.2/16', 'fd00::3/64'] + local)
    equal([r['dst'] for r in routes()], ['192.0.2.0/24'], 'routes')
    # the first address of a network takes the others with it when it goes
    c.update(MAC_A, 'eth0', '10.1.0.9/16', '10.1.0.8/16', '10.2.0.1/32')
    c.update(MAC_A, 'eth0', '10.1.0.8/16', '172.16.0.1/31')
    equal(addresses('eth0'), ['10.1.0.8/16', '172.16.0.1/31'])
    c.update(MAC_A, 'eth0')
    equal(addresses('eth0'), [])


def no_name(c):
    """without a name, MTU or addresses it keeps what it has and goes up"""
    c.update(MAC_B.upper())
    state = link('eth1')
    equal((state['mtu'], 'UP' in state['flags']), (1500, True))


def flags(c):
    c.update(MAC_A, 'eth0', raw_flags=NOARP | 0x1143)
    check('NOARP' in link('eth0')['flags'], 'ARP is off')
    check('PROMISC' not in link('eth0')['flags'], 'other flags are not taken over')
    c.update(MAC_A, 'eth0')
    check('NOARP' not in link('eth0')['flags'], 'ARP is on')


def swap(c):
    """names that belong to each other: nothing is left with a made-up one"""
    c.update(MAC_A, 'eth1', '10.1.0.2/16')
    equal((link('eth1')['address'], link('eth0')['address']), (MAC_A, MAC_B))
    c.update(MAC_B, 'eth0', '10.2.0.2/16')
    equal((addresses('eth1'), addresses('eth0')), (['10.1.0.2/16'], ['10.2.0.2/16']))
    equal(sorted(n['ifname'] for n in json.loads(ip('-j', 'link'))), ['eth0', 'eth1', 'lo'], 'names')


def swap_up(c):
    """the same when both are up; the one that is not asked about keeps its addresses"""
    c.update(MAC_A, 'eth0', '10.1.0.2/16', 'fd00:1::2/64')
    c.update(MAC_B, 'eth1', '10.2.0.2/16', 'fd00:2::2/64')
    c.update(MAC_A, 'eth1', '10.1.0.2/16', 'fd00:1::2/64')
    equal((addresses('eth1'), addresses('eth0')), (['10.1.0.2/16', 'fd00:1::2/64'], ['10.2.0.2/16', 'fd00:2::2/64']))
    check('UP' in link('eth0')['flags'] and 'UP' in link('eth1')['flags'], 'both are up')
    equal(link('eth0')['address'], MAC_B)


def rotate(c):
    """three of them, each with the name of the next"""
    c.elsewhere.add('eth2', MAC_C)
    for mac, name in ((MAC_A, 'eth1'), (MAC_B, 'eth2'), (MAC_C, 'eth0')):
        c.update(mac, name)
    equal([link('eth%d' % i)['address'] for i in range(3)], [MAC_C, MAC_A, MAC_B])


def plugged_in(c):
    """an interface that comes while it is waited for"""
    pending = c.agent.start('UpdateInterface', interface=c.interface(MAC_C, 'late', '10.3.0.2/24'))
    c.call('Check')  # the agent goes on meanwhile
    check(not pending.done.is_set(), 'it waits')
    c.elsewhere.add('eth2', MAC_C)
    equal(pending.result(120).name, 'late')
    equal(addresses('late'), ['10.3.0.2/24'])


def never_plugged_in(c):
    """one that does not come, until the deadline and without one"""
    before = time.monotonic()
    c.fails('DEADLINE_EXCEEDED', 'UpdateInterface', interface=c.interface(MAC_C), timeout_nano=300 * 10**6)
    check(time.monotonic() - before >= 0.3, 'it was waited for')
    # given up for good: it is not configured behind the caller's back
    c.elsewhere.add('eth2', MAC_C)
    c.update(MAC_A)
    time.sleep(0.1)  # five looks, had it gone on
    check('UP' not in link('eth2')['flags'], 'left alone')
    ip('link', 'del', 'eth2')
    c.fails('NOT_FOUND', 'UpdateInterface', 'interface.hwAddr', MAC_C, interface=c.interface(MAC_C))


def many_wait(c):
    """200 of them at once that do not come"""
    other = [c.agent.start('UpdateInterface', interface=c.interface('02:00:00:00:01:%02x' % i), timeout_nano=10**9)
             for i in range(200)]
    c.call('Check')
    for call in other:
        try:
            call.result(120)
            raise tap.Failure('it was found')
        except ttrpc_client.RpcError as e:
            equal(e.code, 'DEADLINE_EXCEEDED')
    c.update(MAC_A)


BAD_INTERFACES = (
    ('interface', None),
    ('interface.hwAddr', dict(hwAddr='')),
    ('interface.hwAddr', dict(hwAddr='02:00:00:00:00')),
    ('interface.hwAddr', dict(hwAddr='02:00:00:00:00:0a:0b')),
    ('interface.hwAddr', dict(hwAddr='02:00:00:00:00:0g')),
    ('interface.hwAddr', dict(hwAddr='02-00-00-00-00-0a')),
    ('interface.name', dict(name='a/b')),
    ('interface.name', dict(name='..')),
    ('interface.name', dict(name='a' * 16)),
    ('interface.name', dict(name='a' * 100000)),
    ('interface.name', dict(name='eth%d')),
    ('interface.name', dict(name='eth 0')),
    ('interface.name', dict(name='eth0:1')),
    ('interface.name', dict(name='eth\n0')),
    ('interface.name', dict(name='\u00e9th0')),
    ('interface.name', dict(name='lo')),
    ('interface.mtu', dict(mtu=1)),
    ('interface.mtu', dict(mtu=67)),
    ('interface.mtu', dict(mtu=65536)),
    ('interface.mtu', dict(mtu=2**32 + 1500)),
    ('interface.mtu', dict(mtu=2**64 - 1)),
    ('interface.IPAddresses[0].mask', dict(IPAddresses=[{'address': 'fd00::1', 'mask': '129'}])),
    ('interface.IPAddresses[0].mask', dict(IPAddresses=[{'address': '10.0.0.1', 'mask': '33'}])),
    ('interface.IPAddresses[0].mask', dict(IPAddresses=[{'address': '10.0.0.1', 'mask': '-1'}])),
    ('interface.IPAddresses[0].mask', dict(IPAddresses=[{'address': '10.0.0.1', 'mask': ''}])),
    ('interface.IPAddresses[0].mask', dict(IPAddresses=[{'address': '10.0.0.1', 'mask': '255.255.255.0'}])),
    ('interface.IPAddresses[0].mask', dict(IPAddresses=[{'address': '10.0.0.1', 'mask': '4294967320'}])),
    ('interface.IPAddresses[0].address', dict(IPAddresses=[{'mask': '24'}])),
    ('interface.IPAddresses[0].address', dict(IPAddresses=[{'address': '10.0.0.256', 'mask': '24'}])),
    ('interface.IPAddresses[0].address', dict(IPAddresses=[{'address': '10.0.0.1/24', 'mask': '24'}])),
    ('interface.IPAddresses[0].address', dict(IPAddresses=[{'address': '0.0.0.0', 'mask': '24'}])),
    ('interface.IPAddresses[0].address', dict(IPAddresses=[{'address': '224.0.0.1', 'mask': '24'}])),
    ('interface.IPAddresses[0].address', dict(IPAddresses=[{'address': 'ff02::1', 'mask': '64'}])),
    ('interface.IPAddresses[0].address', dict(IPAddresses=[{'address': 'fe80::1%eth0', 'mask': '64'}])),
    ('interface.IPAddresses[0].address', dict(IPAddresses=[{'address': 'example.org', 'mask': '24'}])),
    ('interface.IPAddresses[0].address', dict(IPAddresses=[{'address': 'x' * 100000, 'mask': '24'}])),
    ('interface.IPAddresses[0].family', dict(IPAddresses=[{'family': 'v6', 'address': '10.0.0.1', 'mask': '24'}])),
    ('interface.IPAddresses[1].address', dict(IPAddresses=[{'address': '10.0.0.1', 'mask': '24'},
                                                           {'address': '10.0.0.', 'mask': '24'}])),
    ('interface.IPAddresses: 10000', dict(IPAddresses=[{'address': '10.0.0.1', 'mask': '24'}] * 10000)),
)


def bad_interfaces(c):
    """each names the field, and nothing was changed"""
    c.update(MAC_A, 'eth0', '10.9.0.1/24')
    for field, change in BAD_INTERFACES:
        fields = {} if change is None else {'interface': {'hwAddr': MAC_A, **change}}
        c.fails('INVALID_ARGUMENT', 'UpdateInterface', field + (':' if ':' not in field else ''), **fields)
    equal((addresses('eth0'), link('eth0')['mtu']), (['10.9.0.1/24'], 1500))


def refused_mtu(c):
    """one that the kernel does not allow on that interface"""
    ip('link', 'add', 'narrow', 'address', MAC_C, 'link', 'eth1', 'type', 'macvlan')
    c.fails('INVALID_ARGUMENT', 'UpdateInterface', 'interface.mtu: 9000', interface={'hwAddr': MAC_C, 'mtu': 9000})


def many_addresses(c):
    """a thousand of both families, and again"""
    inets = ['10.%d.%d.1/24' % (i // 256, i % 256) for i in range(500)] + ['fd00:%x::1/64' % i for i in range(1, 501)]
    for _ in range(2):
        equal(len(c.update(MAC_A, 'eth0', *inets).IPAddresses) >= 1000, True)
        equal(sorted(addresses('eth0')), sorted(inets))
    c.update(MAC_A, 'eth0')
    equal(addresses('eth0'), [])


def list_interfaces(c):
    c.update(MAC_A, 'eth0', '10.1.0.2/16', mtu=1280)
    found = {i.name: i for i in c.call('ListInterfaces').Interfaces}
    equal(sorted(found), ['eth0', 'eth1', 'lo'])
    equal((found['eth0'].mtu, found['eth0'].hwAddr, found['eth0'].IPAddresses[0].address,
           found['eth0'].IPAddresses[0].mask), (1280, MAC_A, '10.1.0.2', '16'))
    equal((found['lo'].hwAddr, [a.address for a in found['lo'].IPAddresses]), ('', ['127.0.0.1', '::1']))


def update_routes(c):
    """both families, through gateways that an earlier or a later route leads to, with all that a route has"""
    c.update(MAC_A, 'eth0', '10.1.0.2/16', '10.1.0.3/16', 'fd00::2/64')
    c.update(MAC_B, 'eth1')
    answer = c.set_routes(
        {'dest': '', 'gateway': '169.254.1.1', 'device': 'eth0'},
        {'dest': '169.254.1.1/32', 'device': 'eth0', 'scope': LINK_SCOPE},
        {'dest': '192.0.2.0/24', 'gateway': '198.51.100.1', 'device': 'eth1', 'flags': ONLINK | 16, 'mtu': 1300},
        {'dest': '203.0.113.7', 'gateway': '10.1.0.1', 'device': 'eth0', 'source': '10.1.0.3'},
        {'dest': 'default', 'gateway': 'fd00::1', 'device': 'eth0', 'family': 'v6'},
        {'dest': '2001:db8::/32', 'gateway': 'fe80::1', 'device': 'eth0', 'family': 'v6', 'mtu': 1290})
    found = {r['dst']: r for r in routes() + [dict(r, dst='6 ' + r['dst']) for r in routes('-6')]}
    equal(sorted(found), ['169.254.1.1', '192.0.2.0/24', '203.0.113.7', '6 2001:db8::/32', '6 default', 'default'])
    equal((found['default']['gateway'], found['default']['protocol']), ('169.254.1.1', 'static'))
    equal(found['169.254.1.1']['scope'], 'link')
    equal((found['192.0.2.0/24']['flags'], found['192.0.2.0/24']['metrics']), (['onlink'], [{'mtu': 1300}]))
    equal(found['203.0.113.7']['prefsrc'], '10.1.0.3')
    equal(found['6 2001:db8::/32']['gateway'], 'fe80::1')
    equal(sorted(r.dest for r in answer if r.gateway), ['', '', '192.0.2.0/24', '2001:db8::/32', '203.0.113.7/32'])
    listed = c.call('ListRoutes').Routes
    equal([r.SerializeToString() for r in listed], [r.SerializeToString() for r in answer], 'ListRoutes')
    # what it says can be said to it
    again = c.call('UpdateRoutes', request=MESSAGES['grpc.UpdateRoutesRequest'](
        routes=MESSAGES['grpc.Routes'](Routes=listed))).Routes
    equal([r.SerializeToString() for r in again], [r.SerializeToString() for r in answer], 'its own answer')


def replace_routes(c):
    """what somebody made and is not asked for goes; the kernel's and a routing daemon's stay"""
    c.update(MAC_A, 'eth0', '10.1.0.2/16')
    ip('route', 'add', '192.0.2.0/24', 'via', '10.1.0.9')
    ip('route', 'add', '198.51.100.0/24', 'via', '10.1.0.9', 'metric', '77')
    ip('route', 'add', '203.0.113.0/24', 'via', '10.1.0.9', 'proto', 'bird')
    ip('route', 'add', 'default', 'via', '10.1.0.9')
    ip('route', 'add', '192.0.2.0/24', 'dev', 'eth0', 'table', '77')
    c.set_routes({'gateway': '10.1.0.1', 'device': 'eth0'})
    equal([(r['dst'], r['gateway']) for r in routes()], [('default', '10.1.0.1'), ('203.0.113.0/24', '10.1.0.9')])
    equal(len(ip('route', 'show', 'table', '77').splitlines()), 1, 'other tables')
    c.set_routes()
    equal([r['dst'] for r in routes()], ['203.0.113.0/24'])
    check('10.1.0.0/16' in ip('route'), "the kernel's route stays")


def kernels_route(c):
    """one that the kernel made already is not made twice, nor taken over"""
    c.update(MAC_A, 'eth0', '10.1.0.2/16')
    c.set_routes({'dest': '10.1.0.0/16', 'device': 'eth0', 'scope': LINK_SCOPE, 'source': '10.1.0.2'})
    equal(routes(), [])
    check('10.1.0.0/16' in ip('route'), "the kernel's")


def same_destination(c):
    """the first is preferred, the second is there for when that fails"""
    c.update(MAC_A, 'eth0', '10.1.0.2/16', 'fd01::2/64')
    c.update(MAC_B, 'eth1', '10.2.0.2/16', 'fd02::2/64')
    both = [{'gateway': '10.1.0.1', 'device': 'eth0'}, {'gateway': '10.2.0.1', 'device': 'eth1'},
            {'gateway': 'fd01::1', 'device': 'eth0'}, {'gateway': 'fd02::1', 'device': 'eth1'}]
    for order in (both, both, both[::-1]):
        c.set_routes(*order)
        for family in ('-4', '-6'):
            wanted = [r['device'] for r in order if (':' in r['gateway']) == (family == '-6')]
            found = sorted(routes(family), key=lambda r: r.get('metric', 0))
            equal([r['dev'] for r in found], wanted, family)


BAD_ROUTES = (
    ('INVALID_ARGUMENT', '.dest', dict(dest='10.0.0.0/33')),
    ('INVALID_ARGUMENT', '.dest', dict(dest='fd00::/129')),
    ('INVALID_ARGUMENT', '.dest', dict(dest='10.0.0.0/')),
    ('INVALID_ARGUMENT', '.dest', dict(dest='/8')),
    ('INVALID_ARGUMENT', '.dest', dict(dest='10.0.0.1/8')),
    ('INVALID_ARGUMENT', '.dest', dict(dest='nowhere')),
    ('INVALID_ARGUMENT', '.dest', dict(dest='1' * 100000 + '/8')),
    ('INVALID_ARGUMENT', '.family', dict(dest='10.0.0.0/8', family='v6')),
    ('INVALID_ARGUMENT', '.gateway', dict(gateway='10.1.0')),
    ('INVALID_ARGUMENT', '.gateway', dict(gateway='0.0.0.0')),
    ('INVALID_ARGUMENT', '.gateway', dict(dest='10.0.0.0/8', gateway='fd00::1')),
    ('INVALID_ARGUMENT', '.gateway', dict(gateway='10.1.0.1', family='v6')),
    ('INVALID_ARGUMENT', '.source', dict(source='here')),
    ('INVALID_ARGUMENT', '.source', dict(dest='10.0.0.0/8', source='fd00::2')),
    ('INVALID_ARGUMENT', '.scope', dict(scope=256)),
    ('INVALID_ARGUMENT', '.mtu', dict(mtu=65536)),
    ('NOT_FOUND', '.device', dict(device='eth9')),
    ('NOT_FOUND', '.device', dict(device='')),
    ('NOT_FOUND', '.device', dict(device='../eth0')),
)


def bad_routes(c):
    """each names the field, and nothing was changed"""
    c.update(MAC_A, 'eth0', '10.1.0.2/16')
    good = {'dest': '198.51.100.0/24', 'gateway': '10.1.0.1', 'device': 'eth0'}
    c.set_routes(good)
    for code, field, change in BAD_ROUTES:
        c.fails(code, 'UpdateRoutes', 'routes.Routes[1]' + field + ':',
                routes={'Routes': [dict(good, dest='192.0.2.0/24'), {'dest': '', 'device': 'eth0', **change}]})
    c.fails('INVALID_ARGUMENT', 'UpdateRoutes', 'routes: ')
    c.fails('INVALID_ARGUMENT', 'UpdateRoutes', 'routes.Routes: 4097', routes={'Routes': [good] * (MAX + 1)})
    equal([r['dst'] for r in routes()], ['198.51.100.0/24'])
    # what only the kernel knows: what was there is still there
    c.fails('FAILED_PRECONDITION', 'UpdateRoutes', 'routes.Routes[0]', '172.16.0.1', 'unreachable',
            routes={'Routes': [{'dest': '192.0.2.0/24', 'gateway': '172.16.0.1', 'device': 'eth0'}]})
    equal([r['dst'] for r in routes()], ['198.51.100.0/24'])


def many_routes(c):
    c.update(MAC_A, 'eth0', '10.1.0.2/16', 'fd00::2/64')
    many = [{'dest': '172.%d.%d.0/24' % (16 + i // 256, i % 256), 'gateway': '10.1.0.1', 'device': 'eth0'}
            for i in range(1000)]
    many += [{'dest': '2001:db8:%x::/64' % i, 'gateway': 'fd00::1', 'device': 'eth0'} for i in range(1000)]
    for _ in range(2):
        check(len(c.set_routes(*many)) >= 2000, 'the answer has all')
        equal((len(routes()), len(routes('-6'))), (1000, 1000))
    c.set_routes(*many[::2])
    equal((len(routes()), len(routes('-6'))), (500, 500))


def neighbours(c):
    """both families; a state of its own, or for good"""
    c.update(MAC_A, 'eth0', '10.1.0.2/16', 'fd00::2/64', raw_flags=0)
    add = [{'toIPAddress': {'address': '10.1.0.1'}, 'device': 'eth0', 'lladdr': MAC_B},
           {'toIPAddress': {'address': '10.1.0.3'}, 'device': 'eth0', 'lladdr': MAC_B, 'state': 4},
           {'toIPAddress': {'family': 'v6', 'address': 'fd00::1'}, 'device': 'eth0', 'lladdr': MAC_B,
            'state': PERMANENT}]
    for mac in (MAC_B, MAC_C):
        for entry in add:
            entry['lladdr'] = mac
        c.call('AddARPNeighbors', neighbors={'ARPNeighbors': add})
        found = {n['dst']: n for n in json.loads(ip('-j', 'neigh', 'show', 'dev', 'eth0'))}
        for entry in add:
            n = found[entry['toIPAddress']['address']]
            equal(n['lladdr'], mac)
            equal('PERMANENT' in n['state'], entry.get('state') != 4, n['dst'])
    c.call('AddARPNeighbors', neighbors={})


BAD_NEIGHBOURS = (
    ('INVALID_ARGUMENT', '.toIPAddress.address', dict(toIPAddress=None)),
    ('INVALID_ARGUMENT', '.toIPAddress.address', dict(toIPAddress={'address': '10.1.0.1/16'})),
    ('INVALID_ARGUMENT', '.toIPAddress.address', dict(toIPAddress={'address': '224.0.0.1'})),
    ('INVALID_ARGUMENT', '.lladdr', dict(lladdr='')),
    ('INVALID_ARGUMENT', '.lladdr', dict(lladdr=MAC_A * 10)),
    ('INVALID_ARGUMENT', '.state', dict(state=-1)),
    ('INVALID_ARGUMENT', '.state', dict(state=256)),
    ('INVALID_ARGUMENT', '.flags', dict(flags=-1)),
    ('INVALID_ARGUMENT', '.flags', dict(flags=256)),
    ('NOT_FOUND', '.device', dict(device='eth9')),
)


def bad_neighbours(c):
    c.update(MAC_A, 'eth0', '10.1.0.2/16')
    good = {'toIPAddress': {'address': '10.1.0.1'}, 'device': 'eth0', 'lladdr': MAC_B}
    for code, field, change in BAD_NEIGHBOURS:
        bad = {k: v for k, v in {**good, **change}.items() if v is not None}
        c.fails(code, 'AddARPNeighbors', 'neighbors.ARPNeighbors[1]' + field + ':',
                neighbors={'ARPNeighbors': [good, bad]})
    c.fails('INVALID_ARGUMENT', 'AddARPNeighbors', 'neighbors: ')
    c.fails('INVALID_ARGUMENT', 'AddARPNeighbors', 'neighbors.ARPNeighbors: 4097',
            neighbors={'ARPNeighbors': [good] * (MAX + 1)})
    equal(ip('neigh', 'show', 'dev', 'eth0'), '')


def while_it_changes(c):
    """lists are whole while somebody makes and removes interfaces all the time"""
    c.update(MAC_A, 'eth0', '10.1.0.2/16')
    ended = threading.Event()

    def change():
        while not ended.is_set():
            ip('link', 'add', 'flicker', 'type', 'bridge')
            ip('link', 'del', 'flicker')
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(50):
            names = [i.name for i in c.call('ListInterfaces').Interfaces]
            check(names.count('eth0') == 1 and names.count('eth1') == 1 and names.count('lo') == 1, str(names))
            c.set_routes({'gateway': '10.1.0.1', 'device': 'eth0'})
    finally:
        ended.set()
        thread.join()


def nothing_left(c):
    """no descriptor of all that"""
    tap.eventually(lambda: len(os.listdir('/proc/%d/fd' % c.process.pid)) <= 9, 'descriptors are closed', 60)


if __name__ == '__main__':
    tap.run((update_interface, replace_addresses, no_name, flags, swap, swap_up, rotate, plugged_in,
             never_plugged_in, many_wait, bad_interfaces, refused_mtu, many_addresses, list_interfaces, update_routes,
             replace_routes, kernels_route, same_destination, bad_routes, many_routes, neighbours, bad_neighbours,
             while_it_changes, nothing_left), Case())
