// Texts of the findings about identifiers and names that could be read.

#include <array>

#include "audit/finding_texts.h"

namespace alcove::audit {

namespace {

using enum FindingCode;

constexpr std::array kTexts = {
    FindingTexts{
        kKnownIdentifier,
        {"A name or number that you gave could be read on the way",
         "One of the identifiers that this audit was told to look for went over the "
         "network unencrypted. Everybody on the way can tell that this person or this room "
         "was here, and link it to the device's internet address.",
         "Assume that who took part is known. The maker of the app has to encrypt it, and "
         "should use other ids for each visit."},
        {"Un nom ou un numéro que vous avez donné pouvait être lu en chemin",
         "L'un des identifiants que cet audit devait chercher est passé sans chiffrement. "
         "Toute personne en chemin peut dire que cette personne ou ce salon était là, et "
         "le relier à l'adresse internet de l'appareil.",
         "Considérez que la participation est connue. L'éditeur doit chiffrer cette "
         "donnée, et devrait changer d'identifiants à chaque visite."}},
    FindingTexts{
        kToken,
        {"An access token could be read on the way",
         "A token is a key to an account or a room. Whoever copies it can enter in its "
         "owner's place until it expires, and it often contains who and where in readable "
         "form.",
         "Sign out everywhere and change the password. Do not use the app on networks that "
         "you do not trust before it is repaired."},
        {"Un jeton d'accès pouvait être lu en chemin",
         "Un jeton est la clé d'un compte ou d'un salon. Qui le copie peut entrer à la "
         "place de son propriétaire jusqu'à ce qu'il expire. Souvent il contient sous "
         "forme lisible qui entre et où.",
         "Déconnectez tous vos appareils et changez de mot de passe. N'utilisez pas "
         "l'application sur des réseaux peu sûrs avant qu'elle soit réparée."}},
    FindingTexts{
        kRepeatedToken,
        {"The same long code appears in several connections",
         "A code that stays the same lets everybody who watches link these connections to "
         "one device or person, even without knowing what it means.",
         "Ask the maker of the app what it is. It should be encrypted or be new each time."},
        {"Le même code long apparaît dans plusieurs connexions",
         "Un code qui ne change pas permet à qui observe de relier ces connexions à un même "
         "appareil ou une même personne, même sans savoir ce qu'il signifie.",
         "Demandez à l'éditeur ce que c'est. Il devrait être chiffré ou changer à chaque "
         "fois."}},
    FindingTexts{
        kIdentifierField,
        {"A field that names a user, a room or a device could be read",
         "The data contains a field whose name says that it identifies somebody or "
         "something, such as a user id. It went over the network unencrypted.",
         "Look at the excerpt. If it is yours, assume that your presence is known."},
        {"Un champ qui désigne un utilisateur, un salon ou un appareil pouvait être lu",
         "Les données contiennent un champ dont le nom dit qu'il identifie quelqu'un ou "
         "quelque chose, par exemple un numéro d'utilisateur. Il est passé sans chiffrement.",
         "Regardez l'extrait. S'il s'agit de vous, considérez votre présence comme connue."}},
    FindingTexts{
        kDeviceString,
        {"The kind of the device could be read",
         "The model and system of the device went over the network unencrypted. With other "
         "traces it helps to recognise a person, and tells an attacker which weaknesses to "
         "try.",
         "The maker of the app should not send it, or should encrypt it."},
        {"Le type de l'appareil pouvait être lu",
         "Le modèle et le système de l'appareil sont passés sans chiffrement. Avec d'autres "
         "traces, cela aide à reconnaître une personne, et dit à un attaquant quelles "
         "faiblesses essayer.",
         "L'éditeur ne devrait pas l'envoyer, ou devrait le chiffrer."}},
    FindingTexts{
        kStunAttribute,
        {"Connection checks tell more than they need to",
         "The packets that find a way through the network (STUN) carry text that repeats, "
         "names software or contains private addresses. It can link visits to each other.",
         "The app should use new random names for each connection and nothing else."},
        {"Les vérifications de connexion en disent trop",
         "Les paquets qui cherchent un chemin dans le réseau (STUN) portent un texte qui se "
         "répète, nomme un logiciel ou contient des adresses privées. Cela peut relier des "
         "visites entre elles.",
         "L'application devrait employer de nouveaux noms aléatoires à chaque connexion, et "
         "rien d'autre."}},
    FindingTexts{
        kRtcpName,
        {"A name of the sender could be read in the media's reports",
         "The control packets of the media (RTCP) carry a name that stays the same for a "
         "device or a person.",
         "The app should encrypt these packets and use a new random name each time."},
        {"Un nom de l'émetteur pouvait être lu dans les rapports du média",
         "Les paquets de contrôle du média (RTCP) portent un nom qui reste le même pour un "
         "appareil ou une personne.",
         "L'application devrait chiffrer ces paquets et employer un nouveau nom aléatoire à "
         "chaque fois."}},
    FindingTexts{kPrivateAddress,
                 {"The address inside of your own network could be read",
                  "The device's private address was written into data that left the network. It "
                  "helps to tell apart the devices behind one connection.",
                  "The app should not send it, or should encrypt it."},
                 {"L'adresse interne à votre réseau pouvait être lue",
                  "L'adresse privée de l'appareil figurait dans des données qui ont quitté le "
                  "réseau. Elle aide à distinguer les appareils derrière une même connexion.",
                  "L'application ne devrait pas l'envoyer, ou devrait la chiffrer."}},
    FindingTexts{
        kMdnsName,
        {"A name of this device was called out in the local network",
         "Everybody in the same network, a café's for example, can read it. Such names "
         "often contain a person's name.",
         "Give the device a name that says nothing. If the app makes the name, it should "
         "be random and new each time."},
        {"Un nom de cet appareil a été annoncé dans le réseau local",
         "Toute personne dans le même réseau, celui d'un café par exemple, peut le lire. De "
         "tels noms contiennent souvent celui d'une personne.",
         "Donnez à l'appareil un nom qui ne dit rien. Si l'application le crée, il devrait "
         "être aléatoire et nouveau à chaque fois."}},
    FindingTexts{
        kIdentifierInsideTls,
        {"The operator of the server can read an identifier",
         "With the keys that you gave, an identifier was found inside of encrypted data. "
         "Nobody on the way can read it, but the server that it went to can.",
         "Nothing is wrong as long as that server has to know it. Check that it is the "
         "server that you think."},
        {"L'exploitant du serveur peut lire un identifiant",
         "Avec les clés que vous avez données, un identifiant a été trouvé dans des données "
         "chiffrées. Personne en chemin ne peut le lire, mais le serveur destinataire oui.",
         "Rien d'anormal tant que ce serveur doit le connaître. Vérifiez que c'est bien le "
         "serveur que vous croyez."}},
};

}  // namespace

std::span<const FindingTexts> texts_of_readable() { return kTexts; }

}  // namespace alcove::audit
