// Texts of the findings about protocols that are readable or weak.

#include <array>

#include "audit/finding_texts.h"

namespace alcove::audit {

namespace {

using enum FindingCode;

constexpr std::array kTexts = {
    FindingTexts{
        kCleartextDns,
        {"Names were looked up in readable form",
         "Which names this device looks for can be read by everybody on the way and by the "
         "name server. It shows which services are used and when.",
         "Use encrypted DNS (DNS over TLS or HTTPS) with a provider that you trust."},
        {"Des noms ont été cherchés sous forme lisible",
         "Toute personne en chemin, ainsi que le serveur de noms, peut lire quels noms cet "
         "appareil cherche. Cela montre quels services servent et quand.",
         "Utilisez le DNS chiffré (DNS sur TLS ou HTTPS) chez un fournisseur de confiance."}},
    FindingTexts{kCleartextHttp,
                 {"Web traffic without encryption",
                  "Pages or requests went over plain HTTP. Everybody on the way can read them, and "
                  "can change what comes back.",
                  "The app should use HTTPS alone. Do not enter anything on such pages."},
                 {"Du trafic web sans chiffrement",
                  "Des pages ou des requêtes sont passées en HTTP simple. Toute personne en chemin "
                  "peut les lire, et changer ce qui revient.",
                  "L'application ne devrait employer que HTTPS. Ne saisissez rien sur ces pages."}},
    FindingTexts{
        kCleartextSdp,
        {"The description of a call could be read",
         "The description (SDP) tells the devices' addresses, what they can do, and which "
         "keys are expected. Who can change it can put himself in the middle of the call.",
         "The app has to send it over an encrypted connection."},
        {"La description d'un appel pouvait être lue",
         "La description (SDP) donne les adresses des appareils, ce qu'ils savent faire, et "
         "les clés attendues. Qui peut la changer peut se placer au milieu de l'appel.",
         "L'application doit l'envoyer par une connexion chiffrée."}},
    FindingTexts{
        kWeakTls,
        {"Encryption that is out of date",
         "The server chose a version or a cipher that is known to be weak. Somebody with "
         "means may open such a connection.",
         "The operator of the server has to switch off everything below TLS 1.2 and broken "
         "ciphers."},
        {"Un chiffrement dépassé",
         "Le serveur a choisi une version ou un chiffrement connu pour être faible. "
         "Quelqu'un qui en a les moyens peut ouvrir une telle connexion.",
         "L'exploitant du serveur doit désactiver tout ce qui précède TLS 1.2 et les "
         "chiffrements cassés."}},
    FindingTexts{
        kVendorProtocol,
        {"Packets of a known audio vendor's own protocol",
         "They look like the first contact or the quality tests of a company that carries "
         "audio for apps. In 2021 such packets showed user ids, room ids and tokens. So "
         "another company than the app's maker is involved.",
         "Ask the maker of the app which companies carry its audio, and where their "
         "servers and owners are."},
        {"Des paquets du protocole d'un fournisseur audio connu",
         "Ils ressemblent au premier contact ou aux mesures de qualité d'une société qui "
         "transporte le son pour des applications. En 2021, de tels paquets montraient "
         "utilisateurs, salons et jetons. Une autre société que l'éditeur est donc en jeu.",
         "Demandez à l'éditeur quelles sociétés transportent son audio, et où sont leurs "
         "serveurs et leurs propriétaires."}},
    FindingTexts{kSrtpKeyInClear,
                 {"The key of the audio itself could be read",
                  "The key for the encrypted media was sent in readable form (a=crypto). Whoever "
                  "copied it can open all audio of the call.",
                  "Take everything that was said as heard by others. The app has to agree keys by "
                  "DTLS."},
                 {"La clé du son lui-même pouvait être lue",
                  "La clé du média chiffré a été envoyée sous forme lisible (a=crypto). Qui l'a "
                  "copiée peut ouvrir tout le son de l'appel.",
                  "Considérez tout ce qui a été dit comme entendu par d'autres. L'application doit "
                  "convenir des clés par DTLS."}},
};

}  // namespace

std::span<const FindingTexts> texts_of_readable_protocols() { return kTexts; }

}  // namespace alcove::audit
