import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { capture, type Packet, packetsOf, tcpdump } from '../../../test/support/capture.ts';
import {
  arp,
  ethernet,
  icmp,
  ipv4,
  ipv6,
  macs,
  tagged,
  tcp,
  tcpFlags,
  udp,
} from '../../../test/support/frames.ts';
import { lacking, makePair } from '../../../test/support/network.ts';
import { makeNode } from '../../../test/support/pods.ts';

const skip = lacking() ?? false;
const folder = mkdtempSync(join(tmpdir(), 'sonde-packets-'));
const pair = skip ? undefined : await makePair();
const neighbour = skip ? undefined : await makePair();
after(() => {
  pair?.remove();
  neighbour?.remove();
  rmSync(folder, { recursive: true });
});

const { syn, ack, fin, psh } = tcpFlags;
const [here, there] = ['fd000000000000000000000000000001', 'fd000000000000000000000000000002'];

/** One of each kind that an expression below tells from the others. */
const frames: Buffer[] = [
  ethernet(0x0806, arp(1), macs.all),
  ethernet(0x0806, arp(2)),
  ethernet(0x0800, ipv4(1, icmp(8, 'echo'))),
  ethernet(0x0800, ipv4(1, icmp(0, 'reply'), { ttl: 3 })),
  ethernet(0x0800, ipv4(6, tcp(40000, 23, syn))),
  ethernet(0x0800, ipv4(6, tcp(40000, 23, psh | ack, 'login'), { to: '10.9.0.9' })),
  ethernet(0x0800, ipv4(6, tcp(40001, 80, syn))),
  ethernet(0x0800, ipv4(6, tcp(40001, 80, psh | ack, 'GET / HTTP/1.1\r\n\r\n'))),
  ethernet(0x0800, ipv4(6, tcp(40001, 80, fin | ack))),
  ethernet(0x0800, ipv4(6, tcp(40002, 443, syn), { from: '10.9.1.7' })),
  ethernet(0x0800, ipv4(17, udp(53, 40003, Buffer.of(0x12, 0x34, 0x81, 0x80)))),
  ethernet(0x0800, ipv4(17, udp(40003, 53, Buffer.of(0x12, 0x35, 1, 0)))),
  ethernet(0x0800, ipv4(17, udp(5000, 5001, 'x'.repeat(1400)))),
  ethernet(0x0800, ipv4(17, udp(5000, 5001, 'y'.repeat(1400)), { moreFragments: true })),
  ethernet(0x0800, ipv4(17, Buffer.from('z'.repeat(40)), { fragmentAt: 1408 })),
  ethernet(0x0800, ipv4(17, udp(5353, 5353, 'all'), { to: '224.0.0.251' }), '01:00:5e:00:00:fb'),
  ethernet(0x0800, ipv4(17, udp(68, 67, 'dhcp'), { from: '0.0.0.0', to: '255.255.255.255' }), macs.all),
  ethernet(0x0800, ipv4(47, Buffer.from('gre-gre-'), { from: '192.168.7.7' })),
  ethernet(0x0800, ipv4(132, Buffer.alloc(12))),
  ethernet(0x86dd, ipv6(6, tcp(40004, 80, syn), there, here)),
  ethernet(0x86dd, ipv6(58, icmp(128, 'six'), there, here)),
  ethernet(0x86dd, ipv6(17, udp(53, 53, 'six'), there, here)),
  tagged(5, 0x0800, ipv4(6, tcp(40005, 80, syn))),
  tagged(6, 0x0800, ipv4(17, udp(1, 2, 'tagged'))),
  ethernet(0x88cc, Buffer.from('lldp'.repeat(12)), '01:80:c2:00:00:0e'),
  ethernet(0x8847, Buffer.concat([Buffer.of(0, 1, 1, 64), ipv4(6, tcp(1, 2, syn))])),
];

const first = ethernet(0x88b5, Buffer.from('the first of all frames'));

/** tcpdump's expressions, with how many of the frames above pass where that is plain. */
const expressions: [string, number?][] = [
  ['', frames.length],
  ['dst host 10.9.0.1 and dst port 23', 1],
  ['tcp'],
  ['udp'],
  ['icmp', 2],
  ['arp', 2],
  ['ip'],
  ['ip6', 3],
  ['icmp6', 1],
  ['sctp', 1],
  ['ip proto 47', 1],
  ['host 10.9.0.2'],
  ['src host 10.9.1.7', 1],
  ['net 10.9.0.0/24'],
  ['not net 10.9.0.0/24'],
  ['src net 10.9.1.0/24 and tcp dst port 443', 1],
  ['port 53', 3],
  ['src port 53', 2],
  ['udp and not port 53'],
  ['tcp portrange 20-80'],
  ['host 10.9.0.9 or icmp and ip[8] < 10', 1],
  ['tcp[tcpflags] & (tcp-syn|tcp-fin) != 0', 5],
  ['tcp[13] == 24', 2],
  ['tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)', 1],
  ['udp[8:2] = 0x1234', 1],
  ['icmp[icmptype] == icmp-echo', 1],
  ['ip[6:2] & 0x1fff != 0', 1],
  ['ip[6] & 0x20 != 0', 1],
  ['greater 500', 2],
  ['less 60'],
  ['len = 66'],
  ['ether host 02:00:00:00:00:01'],
  ['ether dst ff:ff:ff:ff:ff:ff', 2],
  ['ether broadcast', 2],
  ['ether multicast'],
  ['ip multicast'],
  ['ip broadcast'],
  ['ether proto 0x88cc', 1],
  ['vlan', 2],
  ['vlan 5 and tcp', 1],
  ['mpls', 1],
  ['ip6 host fd00::1 and tcp', 1],
  ['arp[6:2] = 1', 1],
  ['inbound', frames.length],
  ['outbound', 0],
];

test(`${expressions.length} of tcpdump's expressions choose the same packets as tcpdump, byte for byte; a neighbour's are not among them`, {
  skip,
}, async () => {
  assert.ok(pair && neighbour);
  // A frame with a tag passes `tcp` as one without, in tcpdump too: the kernel keeps tags beside the packet. Beside one another, so many at a time: each waits for its rings at the end.
  for (let at = 0; at < expressions.length; at += 15) {
    const runs = await Promise.all(
      expressions.slice(at, at + 15).map(async ([filter, count]) => {
        const [peer, own] = await Promise.all([
          tcpdump(pair.near, 'eth0', filter, folder),
          capture(pair.pid, { filter, interface: 'eth0' }),
        ]);
        return { filter, count, peer, own };
      }),
    );
    neighbour.send([ethernet(0x0800, ipv4(6, tcp(1, 23, syn, 'neighbour')))]);
    // libpcap fails what came first, where only the kernel knows the answer: tcpdump's `inbound` has all but one.
    pair.send([first]);
    pair.send(frames);
    neighbour.send([ethernet(0x0800, ipv4(6, tcp(2, 23, syn, 'neighbour')))]);
    await Promise.all(
      runs.map(async ({ filter, count, peer, own }) => {
        const wanted = await peer.end();
        const { meta, rows } = await own.end();
        await own.remove();
        const plain = (packets: Packet[]) =>
          packets
            .map(({ bytes, originalBytes }) => `${originalBytes} ${bytes}`)
            .filter((each) => !each.endsWith(first.toString('hex')));
        assert.deepEqual(plain(rows), plain(wanted), filter);
        if (count !== undefined) assert.equal(plain(rows).length, count, filter);
        assert.equal(meta.events.recorded, BigInt(rows.length));
        assert.equal(meta.events.lost, 0n);
        assert.ok(rows.every(({ bytes }) => !bytes.includes(Buffer.from('neighbour').toString('hex'))));
      }),
    );
  }
});

test('the file is read by tshark and tcpdump: the same packets, an interface with the name of the target', {
  skip,
}, async () => {
  assert.ok(pair);
  const own = await capture(pair.pid, { filter: 'tcp', interface: 'eth0' });
  pair.send(frames);
  const { rows, publish } = await own.end();
  const file = join(await publish(), 'capture.pcapng');
  const read = join(folder, 'read.pcap');
  execFileSync('tcpdump', ['-r', file, '-w', read, '--time-stamp-precision=nano'], { stdio: 'ignore' });
  const bytes = packetsOf(readFileSync(read));
  assert.deepEqual(
    bytes.map(({ bytes, time, originalBytes }) => ({ bytes, time, originalBytes })),
    rows.map(({ bytes, time, originalBytes }) => ({ bytes, time, originalBytes })),
  );
  const fields = ['frame.interface_name', 'frame.interface_description', 'tcp.dstport'];
  const shown = execFileSync(
    'tshark',
    ['-r', file, '-T', 'fields', ...fields.flatMap((name) => ['-e', name])],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  ).toString();
  assert.deepEqual(shown.split('\n').slice(0, 2), ['test\teth0 on node-1\t23', 'test\teth0 on node-1\t23']);
  assert.equal(shown.split('\n').length - 1, rows.length);
  await own.remove();
});

test('all interfaces at once are what tcpdump has of any', { skip }, async () => {
  assert.ok(pair);
  const peer = await tcpdump(pair.near, 'any', 'ip or arp', folder);
  const own = await capture(pair.pid, { filter: 'ip or arp' });
  pair.send(frames);
  const wanted = await peer.end();
  const { rows } = await own.end();
  assert.ok(rows.length > 10);
  assert.deepEqual(
    rows.map(({ bytes }) => bytes),
    wanted.map(({ bytes }) => bytes),
  );
  await own.remove();
});

test('packets are cut off at the snap length and say how long they were', { skip }, async () => {
  assert.ok(pair);
  const own = await capture(pair.pid, { interface: 'eth0', snapLength: 60 });
  pair.send(frames);
  const { rows } = await own.end();
  assert.deepEqual(
    rows.map(({ bytes, originalBytes }) => [bytes, originalBytes]),
    frames.map((frame) => [frame.subarray(0, 60).toString('hex'), frame.length]),
  );
  await own.remove();
});

test('so many packets as the budget has end the job; the last so many bytes are kept where they are asked for', {
  skip,
}, async () => {
  assert.ok(pair);
  const first = await capture(pair.pid, { interface: 'eth0' }, { budget: { events: 10 } });
  const last = await capture(pair.pid, { interface: 'eth0', lastBytes: 500 });
  const numbered = Array.from({ length: 40 }, (_, number) =>
    ethernet(0x0800, ipv4(17, udp(number, 9, 'n'.repeat(58)))),
  );
  pair.send(numbered);
  const ended = await first.session.finished;
  assert.equal(ended.meta.ended, 'Budget');
  const plain = ({ bytes }: { bytes: string }) => bytes;
  const sent = numbered.map((frame) => frame.toString('hex'));
  assert.deepEqual((await first.end()).rows.map(plain), sent.slice(0, 10));
  // Of 100 bytes each.
  assert.deepEqual((await last.end()).rows.map(plain), sent.slice(-5));
  await first.remove();
  await last.remove();
});

test('what the ring has no room for is counted: recorded and lost are what was sent', { skip }, async () => {
  assert.ok(pair);
  const own = await capture(pair.pid, { interface: 'eth0', filter: 'udp port 4000' });
  const large = Array.from({ length: 100 }, () =>
    ethernet(0x0800, ipv4(17, udp(4000, 4000, 'f'.repeat(1400)))),
  );
  // Meanwhile this thread takes no batches: the reader stops, and the ring fills.
  pair.send(large, 350);
  const { meta, rows } = await own.end();
  assert.ok(meta.events.lost > 0n);
  assert.equal(meta.events.losses[0]?.reason, 'RingFull');
  assert.equal(BigInt(rows.length) + meta.events.lost, 35_000n);
  await own.remove();
});

test("a filter that is none is refused in libpcap's words, and so is one that the interface can't have; nothing is attached", {
  skip,
}, async () => {
  assert.ok(pair);
  const refused = { reason: 'FilterInvalid', message: /syntax error.*man pcap-filter/ };
  await assert.rejects(capture(pair.pid, { filter: 'port and' }), refused);
  await assert.rejects(capture(pair.pid, { filter: 'ether host 02:00:00:00:00:01' }), {
    reason: 'FilterInvalid',
  });
  await assert.rejects(capture(pair.pid, { interface: 'eth7' }), {
    reason: 'TargetMissing',
    message: /no interface eth7.*ip link/,
  });
});

test("a pod's packets carry its name; of a pod with the node's network a namespaced job gets none, and says so", {
  skip,
}, async () => {
  assert.ok(pair);
  const node = makeNode('systemd');
  const [own, host] = [node.pod(1), node.pod(2)];
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
  const groups = [own.container(), host.container()] as const;
  const home = readFileSync('/proc/self/cgroup', 'utf8').match(/^0::(.*)$/m)?.[1] ?? '/';
  try {
    writeFileSync(join(groups[0], 'cgroup.procs'), String(pair.pid));
    writeFileSync(join(groups[1], 'cgroup.procs'), String(sleeper.pid));
    const now = [own.target('shop', 'checkout', {}), host.target('shop', 'exporter', {})];
    const run = await capture(
      0,
      { interface: 'eth0' },
      {
        targets: [],
        pods: { now, mountPoint: node.mountPoint },
        job: { name: 'test', namespace: 'shop', uid: 'pods' },
      },
    );
    pair.send(frames);
    const { meta, rows } = await run.end();
    assert.equal(rows.length, frames.length);
    assert.ok(rows.every(({ pod, container }) => pod === 'checkout' && container === null));
    assert.match(JSON.stringify(meta.warnings), /shop\/exporter has the node's own network.*ClusterTraceJob/);
    await run.remove();
  } finally {
    writeFileSync(join(node.mountPoint, home, 'cgroup.procs'), String(pair.pid));
    const gone = once(sleeper, 'exit');
    sleeper.kill('SIGKILL');
    await gone;
    node.remove();
  }
});
