// The operator's policy in words, as far as its text is simple; the whole text is shown beside it.

export interface PolicyRules {
  allowLocation: string[];
  denyLocation: string[];
  allowOwner: string[];
  denyOwner: string[];
  /** Null where there is no rule that would ask. */
  unknown: 'allow' | 'deny' | null;
}

/** Reads tables of strings, numbers and lists of them: more is not needed for the words. */
export function readPolicy(toml: string): PolicyRules {
  const values = readValues(toml);
  const of = (name: string) => values.get(name) ?? [];
  const rules = {
    allowLocation: of('location.allow'),
    denyLocation: of('location.deny'),
    allowOwner: of('owner.allow'),
    denyOwner: [
      ...of('owner.deny'),
      ...of('owner.deny_asn').map((asn) => `AS${asn}`),
      ...of('owner.deny_name'),
    ],
  };
  const asks = Object.values(rules).some((list) => list.length > 0);
  const [said] = of('unknown');
  const unknown = said === 'allow' ? 'allow' : 'deny';
  return { ...rules, unknown: asks ? unknown : null };
}

function readValues(toml: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  let table = '';
  let open: { name: string; text: string } | null = null;
  for (const raw of toml.split(/\r?\n/)) {
    const line = withoutComment(raw).trim();
    if (open !== null) {
      open.text += ` ${line}`;
    } else {
      const heading = /^\[([\w.-]+)\]$/.exec(line)?.[1];
      if (heading !== undefined) table = `${heading}.`;
      const [, key, text] = /^([\w.-]+)\s*=\s*(.+)$/.exec(line) ?? [];
      if (key === undefined || text === undefined) continue;
      open = { name: table + key, text };
    }
    // A list may go on over several lines.
    if (open.text.startsWith('[') && !open.text.includes(']')) continue;
    values.set(open.name, itemsOf(open.text));
    open = null;
  }
  return values;
}

function withoutComment(line: string): string {
  return /^(?:[^"'#]|"[^"]*"|'[^']*')*/.exec(line)?.[0] ?? '';
}

function itemsOf(text: string): string[] {
  const found = text.matchAll(/"([^"]*)"|'([^']*)'|([\w.-]+)/g);
  return [...found].map(([, double, single, bare]) => double ?? single ?? bare ?? '');
}
