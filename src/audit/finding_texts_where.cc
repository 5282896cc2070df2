// Texts of the findings about where packets went.

#include <array>

#include "audit/finding_texts.h"

namespace alcove::audit {

namespace {

using enum FindingCode;

constexpr std::array kTexts = {
    FindingTexts{
        kDeniedCountry,
        {"Packets to or from a country that the policy rules out",
         "This device exchanged packets with an address in a country that your policy denies. One "
         "small packet is enough, even a \"ping\" with nothing in it: whoever runs the network "
         "there learns that this device exists, when it is in use, and its internet address.",
         "Stop using the app until its maker explains it, and block the address in a firewall. If "
         "the country looks wrong, look the address up in a second database: the report names the "
         "one that was used."},
        {"Des paquets vers un pays que la politique exclut, ou venant de lui",
         "Cet appareil a échangé des paquets avec une adresse située dans un pays que votre "
         "politique refuse. Un seul petit paquet suffit, même un « ping » vide. Qui tient le "
         "réseau "
         "là-bas apprend que cet appareil existe, quand il sert, et son adresse internet.",
         "Cessez d'utiliser l'application tant que son éditeur ne s'est pas expliqué, et bloquez "
         "l'adresse dans un pare-feu. Si le pays semble faux, cherchez l'adresse dans une deuxième "
         "base de données. Le rapport nomme celle qui a servi."}},
    FindingTexts{
        kDeniedOwner,
        {"Packets to a network whose owner the policy rules out",
         "The machine may stand in a country that you allow, but its network belongs to a company "
         "that has to obey a state that you rule out. That company can be ordered to record what "
         "passes.",
         "Treat it as a packet to the owner's country. Ask the maker of the app which companies "
         "carry its traffic, and block the address in a firewall."},
        {"Des paquets vers un réseau dont la politique exclut le propriétaire",
         "La machine se trouve peut-être dans un pays que vous acceptez, mais son réseau "
         "appartient "
         "à une société qui doit obéir à un État que vous excluez. On peut ordonner à cette "
         "société "
         "d'enregistrer ce qui passe.",
         "Traitez-le comme un paquet vers le pays du propriétaire. Demandez à l'éditeur quelles "
         "sociétés acheminent son trafic, et bloquez l'adresse dans un pare-feu."}},
    FindingTexts{
        kDeniedUnknown,
        {"Packets to an address that nobody can place",
         "The database does not say where this address is, or who owns its network, and your "
         "policy "
         "denies what is not known.",
         "Look the address up by hand, with whois for example. If it is harmless, list it under "
         "addresses.allow in the policy, otherwise treat it as denied."},
        {"Des paquets vers une adresse que personne ne sait situer",
         "La base de données ne dit pas où se trouve cette adresse, ou à qui appartient son "
         "réseau, "
         "et votre politique refuse l'inconnu.",
         "Cherchez l'adresse à la main, par exemple avec whois. Si elle est sans danger, "
         "inscrivez-la sous addresses.allow dans la politique, sinon traitez-la comme refusée."}},
    FindingTexts{
        kNotInManifest,
        {"Packets to an address that the server's manifest does not list",
         "The server has signed a closed list of every address that its app may contact. This "
         "address is not in the list, so either the app broke the promise or another program on "
         "the device was captured as well.",
         "Find out which program sent the packets. Capture again with nothing but the app running, "
         "in a network namespace for example. If they remain, the promise is broken."},
        {"Des paquets vers une adresse absente du manifeste du serveur",
         "Le serveur a signé une liste fermée de toutes les adresses que son application peut "
         "contacter. Cette adresse n'y est pas. Soit l'application rompt la promesse, soit un "
         "autre "
         "programme de l'appareil a été capturé aussi.",
         "Cherchez quel programme a envoyé ces paquets. Refaites une capture avec l'application "
         "seule, par exemple dans un espace de noms réseau. S'ils restent, la promesse est "
         "rompue."}},
    FindingTexts{
        kAnycast,
        {"Packets to an address that is in many places at once",
         "The same address is announced from several countries (anycast). The network decides "
         "which "
         "one a packet reaches, and that can change any minute. So its location cannot be known, "
         "whatever a database says.",
         "Judge it by its owner alone. Ask the maker of the app for addresses that stand in one "
         "place."},
        {"Des paquets vers une adresse qui se trouve en plusieurs lieux à la fois",
         "La même adresse est annoncée depuis plusieurs pays (anycast). C'est le réseau qui décide "
         "lequel un paquet atteint, et cela peut changer à tout moment. On ne peut donc pas "
         "connaître le lieu, quoi que dise une base de données.",
         "Jugez-la par son seul propriétaire. Demandez à l'éditeur des adresses qui ont un seul "
         "lieu."}},
    FindingTexts{
        kDnsNotInManifest,
        {"A name was looked up that the manifest does not list",
         "The device asked for the address of a name that the server's app has no reason to know. "
         "Even if nothing was sent there, the question itself can be seen.",
         "Find out which program asked. If it was the app, the promise of the manifest is broken."},
        {"Un nom absent du manifeste a été cherché",
         "L'appareil a demandé l'adresse d'un nom que l'application n'a aucune raison de "
         "connaître. "
         "Même si rien n'y a été envoyé, la question elle-même est visible.",
         "Cherchez quel programme l'a posée. Si c'est l'application, la promesse du manifeste est "
         "rompue."}},
    FindingTexts{
        kManifestAgainstPolicy,
        {"The server's manifest lists an address that the policy rules out",
         "The server says openly that its app may contact this address, and your policy denies it. "
         "With another policy than the operator's this can be intended by the operator.",
         "Do not use this server under this policy. Show the operator this finding."},
        {"Le manifeste du serveur contient une adresse que la politique exclut",
         "Le serveur dit ouvertement que son application peut contacter cette adresse, et votre "
         "politique la refuse. Si ce n'est pas la politique de l'exploitant, celui-ci peut le "
         "vouloir ainsi.",
         "N'utilisez pas ce serveur sous cette politique. Montrez ce constat à l'exploitant."}},
    FindingTexts{
        kManifestInvalid,
        {"The server's manifest cannot be trusted",
         "Its signature does not hold, it was signed with another key than the one you know, or "
         "its "
         "history does not fit. Somebody may have changed it on the way, or the server may have "
         "been taken over. It was not used in this audit.",
         "Fetch it again over another network and compare. Ask the operator, by another way than "
         "this server, whether the key was changed. Do not use the server before you know."},
        {"Le manifeste du serveur n'est pas digne de confiance",
         "Sa signature ne tient pas, il est signé d'une autre clé que celle que vous connaissez, "
         "ou "
         "son historique ne concorde pas. Quelqu'un a pu le changer en chemin, ou s'emparer du "
         "serveur. Il n'a pas servi dans cet audit.",
         "Récupérez-le de nouveau par un autre réseau et comparez. Demandez à l'exploitant, "
         "autrement que par ce serveur, si la clé a changé. N'utilisez pas le serveur avant de le "
         "savoir."}},
    FindingTexts{
        kDeniedOther,
        {"Packets to an address that the policy denies for another reason",
         "The policy denies this address by name, or its kind: private, reserved or special "
         "addresses. The detail says which rule.",
         "Read the rule in the detail. If the address is your own network's, the policy is "
         "stricter "
         "than this capture allows."},
        {"Des paquets vers une adresse que la politique refuse pour une autre raison",
         "La politique refuse cette adresse nommément, ou son espèce, telle que privée, réservée "
         "ou "
         "spéciale. Le détail dit quelle règle.",
         "Lisez la règle dans le détail. Si l'adresse est celle de votre propre réseau, la "
         "politique est plus stricte que cette capture ne le permet."}},
    FindingTexts{
        kManifestNameElsewhere,
        {"A name of the manifest led to an address that is not listed for it",
         "The name is the server's, but the answer to the question where it is was another address "
         "than the signed ones. Somebody may be redirecting this device to another machine.",
         "Ask for the name over another network and compare. If the answers differ, do not trust "
         "this network. If not, tell the operator: the manifest is out of date."},
        {"Un nom du manifeste a mené à une adresse qui n'y figure pas",
         "Le nom est celui du serveur, mais la réponse donne une autre adresse que celles qui sont "
         "signées. Quelqu'un détourne peut-être cet appareil vers une autre machine.",
         "Cherchez le nom par un autre réseau et comparez. Si les réponses diffèrent, ne vous fiez "
         "pas à ce réseau. Sinon, prévenez l'exploitant que son manifeste est périmé."}},
};

}  // namespace

std::span<const FindingTexts> texts_of_where() { return kTexts; }

}  // namespace alcove::audit
