// Address literals, read strictly: what two parsers could read differently is no address here.

/**
 * The bytes of an address in hexadecimal: 8 digits for IPv4, 32 for IPv6. Null for names, zones, octal or short
 * IPv4, and IPv6 forms that mean an IPv4 address (mapped and compatible): browsers may send to that one.
 */
export function parseAddress(text: string): string | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Of the hexadecimal form: this machine. */
export function isLoopback(address: string): boolean {
  return address.length === 8 ? address.startsWith('7f') : address === kIpv6Loopback;
}

/** Of the hexadecimal form: 0.0.0.0 and ::, to which nobody sends. */
export function isUnspecified(address: string): boolean {
  return /^0+$/.test(address);
}

const kIpv6Loopback = '1'.padStart(32, '0');

function parseIpv4(text: string): string | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let out = '';
  for (const part of parts) {
    // A leading zero is octal to some.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    out += Number(part).toString(16).padStart(2, '0');
  }
  return out;
}

function parseIpv6(text: string): string | null {
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text)) return null;
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '', true) : '';
  if (head === null || tail === null) return null;
  const gap = 32 - head.length - tail.length;
  if (halves.length === 2 ? gap < 4 : gap !== 0) return null;
  const address = head + '0'.repeat(gap) + tail;
  const isMapped = /^0{20}ffff/.test(address);
  const isCompatible =
    /^0{24}/.test(address) && !isUnspecified(address) && address !== kIpv6Loopback;
  return isMapped || isCompatible ? null : address;
}

/** "2001:db8" as hexadecimal digits; the last group may be an IPv4 address where `last`. */
function groupsOf(text: string, last: boolean): string | null {
  if (text === '') return '';
  const groups = text.split(':');
  let out = '';
  for (const [index, group] of groups.entries()) {
    const ipv4 = last && index === groups.length - 1 ? parseIpv4(group) : null;
    if (ipv4 === null && !/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
    out += ipv4 ?? group.toLowerCase().padStart(4, '0');
  }
  return out.length > 32 ? null : out;
}
