import type { enPlaces } from './en_places';

export const frPlaces: Record<keyof typeof enPlaces, string> = {
  'places.title': 'Où va votre son',
  'places.lead':
    'Cette page se connecte aux endroits de cette liste et à aucun autre. La personne qui gère ce serveur a signé la liste.',
  'places.loading': 'Vérification de la liste…',
  'places.known': 'Vérifié : la même clé qu’avant, depuis le {date}',
  'places.firstUse': 'Première visite : ce navigateur retient désormais la clé',
  'places.changed': 'Changé : une autre clé qu’avant signe cette liste',
  'places.doubtful': 'Doute : le journal des changements n’est pas valable',
  'places.purpose.house': 'Application et salons',
  'places.purpose.relay': 'Son',
  'places.purpose.push': 'Notifications, par le serveur seulement',
  'places.purpose.other': 'Un autre usage',
  'places.where': 'Pays',
  'places.where.unknown': 'Inconnu, ou une adresse privée',
  'places.owner': 'Réseau',
  'places.owner.unknown': 'Propriétaire inconnu',
  'places.owner.of': '{owner} ({country})',
  'places.ports': 'Port {protocol} {ports}',
  'places.endpoints': 'Endroits',
  'places.endpoints.none': 'La liste est vide : il n’y a pas de son.',
  'places.policy': 'Ce que l’exploitant permet',
  'places.policy.none': 'L’exploitant n’a écrit aucune règle. Aucun pays n’est exclu.',
  'places.policy.allowLocation': 'Seulement dans ces pays : {names}.',
  'places.policy.denyLocation': 'Aucun endroit dans ces pays : {names}.',
  'places.policy.allowOwner': 'Seulement des réseaux possédés depuis : {names}.',
  'places.policy.denyOwner': 'Aucun réseau de, ou possédé depuis : {names}.',
  'places.policy.unknownDenied': 'Un endroit inconnu n’est pas permis.',
  'places.policy.unknownAllowed': 'Un endroit inconnu est permis.',
  'places.policy.whole': 'Les règles mot pour mot',
  'places.key': 'Empreinte de la clé',
  'places.date': 'Liste établie le',
  'places.database': 'Pays trouvés avec',
  'places.log': 'Journal des changements',
  'places.log.size_one': '{count} entrée, vérifiée',
  'places.log.size_other': '{count} entrées, vérifiées',
  'places.log.following': 'Vérification en cours…',
  'places.log.unavailable': 'N’a pas pu être vérifié cette fois',
  'places.explain': 'Ce que cela veut dire',
  'places.explain.refused': 'Si une connexion a été refusée',
  'places.explain.refused.text':
    'Avant d’envoyer du son, cette page compare chaque adresse que le serveur propose avec la liste signée. Si l’une d’elles n’y est pas, toute la proposition est refusée, et rien n’est envoyé à aucune d’elles.',
  'places.explain.why':
    'Cela peut être une erreur : un nouveau relais, et une liste que l’on a oublié de signer de nouveau. Cela peut aussi être quelqu’un qui veut faire passer votre connexion par un endroit exclu. Demandez à la personne qui gère ce serveur, par un autre moyen.',
  'places.explain.limits':
    'Ce qu’une page ne peut pas voir : où mène le nom de ce serveur, et ce que votre système ou votre navigateur envoie de lui-même. Un audit extérieur le peut.',

  'trust.title': 'Une autre clé signe la liste de ce serveur',
  'trust.title.log': 'Le journal des changements du serveur n’est pas valable',
  'trust.changed':
    'La liste des endroits auxquels cette page peut se connecter est signée avec une autre clé qu’à vos dernières visites. Quelqu’un se fait peut-être passer pour ce serveur, ou en a pris le contrôle.',
  'trust.signed':
    'La liste des endroits auxquels cette page peut se connecter a une nouvelle clé. L’ancienne clé a signé ce changement dans le journal du serveur : qui avait l’ancienne clé l’a voulu. Si personne ne vous l’a dit, demandez à la personne qui gère ce serveur.',
  'trust.advice':
    'Tant que vous n’avez pas décidé, vous ne pouvez ni rejoindre ni ouvrir un salon ici. Comparez la nouvelle empreinte avec la personne qui gère ce serveur, par un autre moyen, par exemple au téléphone.',
  'trust.old': 'Clé connue depuis le {date}',
  'trust.new': 'Nouvelle clé',
  'trust.rollback':
    'Le journal est plus court qu’à votre dernière visite. Des entrées ont été retirées.',
  'trust.fork':
    'Le journal n’est pas celui de votre dernière visite : il raconte une autre histoire.',
  'trust.broken': 'Le journal contient une entrée qui n’est pas valable.',
  'trust.other-key': 'La liste est signée avec une clé que le journal ne connaît pas.',
  'trust.unlogged':
    'La liste n’est pas la dernière que le journal nomme : elle est peut-être ancienne ou secrète.',
  'trust.log.why':
    'Chaque changement de la liste doit être dans ce journal, visible par tous. Un journal qui n’est pas valable peut cacher où va vraiment votre connexion.',
  'trust.leave': 'Partir',
  'trust.understood': 'J’ai comparé l’empreinte, ou j’accepte le risque',
  'trust.understood.signed': 'Je veux continuer avec la nouvelle clé',
  'trust.understood.log': 'J’accepte le risque',
  'trust.accept': 'Faire confiance à la nouvelle clé',
  'trust.accept.log': 'Continuer quand même',
  'trust.decide': 'Lire et décider',

  'offer.denied.title': 'Alcove n’est pas proposé là où vous êtes',
  'offer.denied.text':
    'La personne qui gère ce serveur ne le propose pas à qui se connecte depuis votre pays.',
  'offer.notice': 'Avis de l’exploitant',

  'error.offer.denied': 'Ce serveur n’est pas proposé à qui se connecte depuis votre pays.',
  'error.manifest.unavailable':
    'La liste signée des endroits du serveur ne peut pas être obtenue. Sans elle, personne ne peut rejoindre ni ouvrir un salon : nul ne saurait où va le son.',
  'error.manifest.invalid':
    'La liste des endroits du serveur n’est pas valable. Personne ne peut rejoindre ni ouvrir un salon : nul ne saurait où va le son.',
  'error.manifest.link_mismatch':
    'Ce serveur montre une autre clé que celle promise par le lien. Vous n’êtes pas entré. Dites-le par un autre moyen à la personne qui vous a envoyé le lien.',
  'error.manifest.room_mismatch':
    'Ce serveur montre une autre clé que celle promise par ce salon. Vous n’êtes pas entré.',
  'error.room.manifest_key':
    'La liste des lieux du serveur a changé. Rechargez la page et réessayez.',
  'error.manifest.key_changed':
    'Une autre clé qu’avant signe la liste des endroits de ce serveur. Vous devez d’abord décider.',
  'error.manifest.log_fault':
    'Le journal des changements du serveur n’est pas valable. Vous devez d’abord décider.',
  'error.egress.unlisted':
    'Le serveur a proposé une connexion à {address}, qui n’est pas dans sa liste signée. Rien n’y a été envoyé.',
  'error.egress.malformed':
    'Le serveur a proposé une connexion sous une forme qui ne peut pas être vérifiée. Rien n’y a été envoyé.',
  'error.egress.foreign':
    'Le serveur voulait une connexion à {address}, qui n’est pas ce serveur. Rien n’y a été envoyé.',
  'error.egress.stray':
    'Votre navigateur a été joint depuis {address}, qui n’est pas dans la liste signée du serveur. La connexion a été coupée aussitôt.',
};
