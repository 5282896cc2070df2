import { expect, it } from 'vitest';
import { readPolicy } from '../src/lib/policy_words';

it('reads the rules of a policy that is written simply', () => {
  const rules = readPolicy(`
# deny = ["FR"]
unknown = "allow" # or not

[location]
deny = [
  "CN", # a "reason"
  'RU',
]
[owner]
allow = ["DE"]
deny = ["CN"]
deny_asn = [64510]
deny_name = ["Backbone"]
[offer]
deny = ["KP"]
`);
  expect(rules).toEqual({
    allowLocation: [],
    denyLocation: ['CN', 'RU'],
    allowOwner: ['DE'],
    denyOwner: ['CN', 'AS64510', 'Backbone'],
    unknown: 'allow',
  });
});

it('reads dotted keys, and says what holds for unknown places where nothing is written', () => {
  expect(readPolicy('location.deny = ["CN"]')).toMatchObject({
    denyLocation: ['CN'],
    unknown: 'deny',
  });
  expect(readPolicy('')).toMatchObject({ denyLocation: [], unknown: null });
  expect(readPolicy('x = [\n"never ends"')).toMatchObject({ unknown: null });
});
