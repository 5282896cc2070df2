import { describe, expect, it } from 'vitest';
import { isLoopback, isUnspecified, parseAddress } from '../../src/egress/address';

describe('parseAddress', () => {
  it('reads literals to their bytes', () => {
    for (const [text, bytes] of [
      ['198.51.100.7', 'c6336407'],
      ['0.0.0.0', '00000000'],
      ['::', '0'.repeat(32)],
      ['::1', '1'.padStart(32, '0')],
      ['2001:DB8::1', '20010db8000000000000000000000001'],
      ['2001:db8:0:0:0:0:0:1', '20010db8000000000000000000000001'],
      ['2001:db8::', '20010db8000000000000000000000000'],
      ['64:ff9b::192.0.2.1', '0064ff9b0000000000000000c0000201'],
      ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ] as const) {
      expect(parseAddress(text), text).toBe(bytes);
    }
  });

  it('reads nothing that somebody could read otherwise', () => {
    const bad = [
      ...[
        '',
        'relay.example',
        'a.local',
        '1.2.3',
        '1.2.3.256',
        '1.2.3.4.5',
        '01.2.3.4',
        '0x7f.0.0.1',
      ],
      ...['127.1', '2130706433', '1.2.3.4 ', '１.2.3.4', '1.2.3.4%eth0', 'fe80::1%eth0', '[::1]'],
      ...[':::', 'g::1', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8::'],
      ...['12345::', '::ffff:192.0.2.1', '::ffff:c000:201', '::192.0.2.1', '::2', '1.2.3.4::'],
      ...['::1.2.3', ':1', '1:', '2001:db8:::1', '1:2:3:4:5:6:7:1.2.3.4'],
    ];
    for (const text of bad) expect(parseAddress(text), text).toBeNull();
  });

  it('knows this machine and nowhere', () => {
    const of = (text: string) => parseAddress(text) ?? '';
    expect([of('127.0.0.1'), of('127.9.9.9'), of('::1')].every(isLoopback)).toBe(true);
    expect([of('128.0.0.1'), of('::'), of('7f00::')].some(isLoopback)).toBe(false);
    expect([of('0.0.0.0'), of('::')].every(isUnspecified)).toBe(true);
    expect(isUnspecified(of('0.0.0.1'))).toBe(false);
  });
});
