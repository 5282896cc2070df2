// Texts of the findings about the capture itself: what the audit could not see.

#include <array>

#include "audit/finding_texts.h"

namespace alcove::audit {

namespace {

using enum FindingCode;

constexpr std::array kTexts = {
    FindingTexts{
        kCutFrames,
        {"Packets were captured only in part",
         "The capture holds only the beginning of some packets. What stood in the rest was "
         "not examined: something readable may be in there.",
         "Capture again without a limit of length (tcpdump -s 0)."},
        {"Des paquets n'ont été capturés qu'en partie",
         "La capture ne contient que le début de certains paquets. Le reste n'a pas été "
         "examiné, et il peut s'y trouver quelque chose de lisible.",
         "Refaites une capture sans limite de longueur (tcpdump -s 0)."}},
    FindingTexts{kEndedEarly,
                 {"The capture ends in the middle of a packet",
                  "The file is damaged or was copied before it was complete. What comes after is "
                  "not in this report.",
                  "Stop the capturing program before you copy the file, and compare its size."},
                 {"La capture s'arrête au milieu d'un paquet",
                  "Le fichier est abîmé, ou a été copié avant d'être complet. La suite n'est pas "
                  "dans ce rapport.",
                  "Arrêtez le programme de capture avant de copier le fichier, et comparez sa "
                  "taille."}},
    FindingTexts{kDroppedByCapture,
                 {"The capturing machine missed packets",
                  "It was too slow, or the network too fast. A forbidden packet may be among the "
                  "missing ones.",
                  "Capture again with less traffic, or to a faster disk."},
                 {"La machine de capture a manqué des paquets",
                  "Elle était trop lente, ou le réseau trop rapide. Un paquet interdit peut se "
                  "trouver parmi ceux qui manquent.",
                  "Refaites une capture avec moins de trafic, ou vers un disque plus rapide."}},
    FindingTexts{
        kUnknownLinkType,
        {"Frames of a kind that this program does not read",
         "The capture comes from a network whose packing is not known here, raw Wi-Fi "
         "frames for example. These frames were counted and not examined.",
         "Capture on an interface that gives Ethernet or IP packets."},
        {"Des trames d'un genre que ce programme ne lit pas",
         "La capture vient d'un réseau dont l'emballage n'est pas connu ici, par exemple du "
         "Wi-Fi brut. Ces trames ont été comptées mais pas examinées.",
         "Capturez sur une interface qui donne de l'Ethernet ou des paquets IP."}},
    FindingTexts{kLimitReached,
                 {"Not everything could be followed to its end",
                  "The audit keeps a bounded amount of memory. Some connections, fragments or "
                  "streams were given up to stay within it. This can be caused on purpose, to hide "
                  "something.",
                  "Capture less at a time, or filter by host, and audit the parts."},
                 {"Tout n'a pas pu être suivi jusqu'au bout",
                  "L'audit n'utilise qu'une quantité limitée de mémoire. Des connexions, des "
                  "fragments ou des flux ont été abandonnés pour y rester. On peut le provoquer "
                  "exprès, pour cacher quelque chose.",
                  "Capturez moins à la fois, ou filtrez par machine, et auditez les parties."}},
    FindingTexts{
        kUndecryptable,
        {"Keys were given that did not open their connection",
         "There were keys for this connection, but its data could not be opened with them. "
         "The beginning may be missing, or the keys may be another connection's.",
         "Start the capture before the app, and give the key log of the same run."},
        {"Des clés données n'ont pas ouvert leur connexion",
         "Il y avait des clés pour cette connexion, mais elles n'ont pas ouvert ses "
         "données. Le début manque peut-être, ou les clés sont celles d'une autre.",
         "Commencez la capture avant l'application, et donnez le journal de clés de la même "
         "exécution."}},
    FindingTexts{kMediaUnopened,
                 {"Encrypted audio for which no keys were given",
                  "Keys were given for other connections, but not for this audio. Whether it is "
                  "encrypted end to end inside could not be checked.",
                  "To check it, add the keys of this connection to the key log."},
                 {"Du son chiffré pour lequel aucune clé n'a été donnée",
                  "Des clés ont été données pour d'autres connexions, mais pas pour ce son. Il n'a "
                  "pas été possible de vérifier s'il est chiffré de bout en bout à l'intérieur.",
                  "Pour le vérifier, ajoutez les clés de cette connexion au journal de clés."}},
};

}  // namespace

std::span<const FindingTexts> texts_of_capture() { return kTexts; }

}  // namespace alcove::audit
