// Where things are sent to: the server's signed list, its key and its log, and where the service is offered.
export const enPlaces = {
  'places.title': 'Where your audio goes',
  'places.lead':
    'This page connects to the places listed here and to no other. Whoever runs this server has signed the list.',
  'places.loading': 'Checking the list…',
  'places.known': 'Verified: the same key as before, since {date}',
  'places.firstUse': 'First use: this browser remembers the key from now on',
  'places.changed': 'Changed: another key than before signs this list',
  'places.doubtful': 'In doubt: the log of changes does not hold',
  'places.purpose.house': 'App and rooms',
  'places.purpose.relay': 'Sound',
  'places.purpose.push': 'Push messages, by the server alone',
  'places.purpose.other': 'Another purpose',
  'places.where': 'Country',
  'places.where.unknown': 'Not known, or a private address',
  'places.owner': 'Network',
  'places.owner.unknown': 'Owner not known',
  'places.owner.of': '{owner} ({country})',
  'places.ports': '{protocol} port {ports}',
  'places.endpoints': 'Places',
  'places.endpoints.none': 'The list is empty: there is no sound.',
  'places.policy': 'What the operator allows',
  'places.policy.none': 'The operator has not written any rules. No country is excluded.',
  'places.policy.allowLocation': 'Only in these countries: {names}.',
  'places.policy.denyLocation': 'No place in: {names}.',
  'places.policy.allowOwner': 'Only networks owned from: {names}.',
  'places.policy.denyOwner': 'No network of, or owned from: {names}.',
  'places.policy.unknownDenied': 'A place that is not known is not allowed.',
  'places.policy.unknownAllowed': 'A place that is not known is allowed.',
  'places.policy.whole': 'The rules word for word',
  'places.key': 'Fingerprint of the key',
  'places.date': 'List made on',
  'places.database': 'Countries found with',
  'places.log': 'Log of changes',
  'places.log.size_one': '{count} entry, checked',
  'places.log.size_other': '{count} entries, checked',
  'places.log.following': 'Being checked…',
  'places.log.unavailable': 'Could not be checked this time',
  'places.explain': 'What this means',
  'places.explain.refused': 'If a connection was refused',
  'places.explain.refused.text':
    'Before any sound is sent, this page compares every address that the server offers with the signed list. If one of them is not in it, the whole offer is refused, and nothing is sent to any of them.',
  'places.explain.why':
    'It can be a mistake: a new relay whose operator forgot to sign the list again. It can also be somebody who wants your connection to go through a place that was ruled out. Ask whoever runs this server, by another way.',
  'places.explain.limits':
    'What a page cannot see: where the name of this server leads, and what your system or browser sends by itself. An outside audit can.',

  'trust.title': 'Another key signs the list of this server',
  'trust.title.log': 'The server’s log of changes does not hold',
  'trust.changed':
    'The list of places that this page may connect to is signed with another key than on your last visits. Somebody may be pretending to be this server, or may have taken it over.',
  'trust.signed':
    'The list of places that this page may connect to has a new key. The old key has signed this change in the server’s log, so whoever had the old key wanted it. If you did not hear of it, ask whoever runs this server.',
  'trust.advice':
    'Until you decide, you cannot join or start a room here. Compare the new fingerprint with whoever runs this server, by another way, such as a phone call.',
  'trust.old': 'Key known since {date}',
  'trust.new': 'New key',
  'trust.rollback': 'The log is shorter than it was on your last visit. Entries were taken out.',
  'trust.fork': 'The log is not the one of your last visit: it tells another history.',
  'trust.broken': 'The log has an entry in it that is not valid.',
  'trust.other-key': 'The list is signed with a key that the log does not know.',
  'trust.unlogged':
    'The list is not the last one that the log names: it may be an old or a secret one.',
  'trust.log.why':
    'Every change of the list must be in this log, for everybody to see. A log that does not hold can hide where your connection really goes.',
  'trust.leave': 'Leave',
  'trust.understood': 'I have compared the fingerprint, or I accept the risk',
  'trust.understood.signed': 'I want to go on with the new key',
  'trust.understood.log': 'I accept the risk',
  'trust.accept': 'Trust the new key',
  'trust.accept.log': 'Go on anyway',
  'trust.decide': 'Read and decide',

  'offer.denied.title': 'Alcove is not offered where you are',
  'offer.denied.text':
    'Whoever runs this server does not offer it to people who connect from your country.',
  'offer.notice': 'Notice of the operator',

  'error.offer.denied': 'This server is not offered to people who connect from your country.',
  'error.manifest.unavailable':
    'The server’s signed list of places cannot be fetched. Without it nobody can join or start a room: nobody could tell where the sound goes.',
  'error.manifest.invalid':
    'The server’s list of places is not valid. Nobody can join or start a room: nobody could tell where the sound goes.',
  'error.manifest.link_mismatch':
    'This server shows another key than the link promises. You did not join. Tell whoever sent you the link by another way.',
  'error.manifest.room_mismatch':
    'This server shows another key than this room promises. You did not join.',
  'error.room.manifest_key':
    'The server’s list of places has changed. Reload the page and try again.',
  'error.manifest.key_changed':
    'Another key than before signs this server’s list of places. You have to decide about it first.',
  'error.manifest.log_fault':
    'The server’s log of changes does not hold. You have to decide about it first.',
  'error.egress.unlisted':
    'The server offered a connection to {address}, which is not in its signed list. Nothing was sent there.',
  'error.egress.malformed':
    'The server offered a connection in a form that cannot be checked. Nothing was sent there.',
  'error.egress.foreign':
    'The server wanted a connection to {address}, which is not this server. Nothing was sent there.',
  'error.egress.stray':
    'Your browser was reached from {address}, which is not in the server’s signed list. The connection was closed at once.',
} as const;
