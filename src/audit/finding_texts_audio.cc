// Texts of the findings about audio, and about what sizes and timings tell.

#include <array>

#include "audit/finding_texts.h"

namespace alcove::audit {

namespace {

using enum FindingCode;

constexpr std::array kTexts = {
    FindingTexts{kRtpInClear,
                 {"Audio packets that are not encrypted",
                  "Media went over the network in the standard form RTP, without the encryption "
                  "that belongs to it (SRTP). Everybody on the way can record it.",
                  "Do not speak over this app. Its maker has to encrypt media, end to end where "
                  "the carrier must not listen."},
                 {"Des paquets de son sans chiffrement",
                  "Le média est passé sous la forme standard RTP, sans le chiffrement qui va avec "
                  "(SRTP). Toute personne en chemin peut l'enregistrer.",
                  "Ne parlez pas avec cette application. Son éditeur doit chiffrer le média, de "
                  "bout en bout là où le transporteur ne doit pas écouter."}},
    FindingTexts{kOpusReadable,
                 {"Audio that can be played: Opus",
                  "The payloads of this stream decode as Opus, the usual format of voices on the "
                  "internet. Whoever had these packets could listen.",
                  "Take everything that was said over this stream as heard by others."},
                 {"Du son qui peut être écouté, en Opus",
                  "Le contenu de ce flux se décode en Opus, le format habituel de la voix sur "
                  "internet. Qui avait ces paquets pouvait écouter.",
                  "Considérez tout ce qui a été dit dans ce flux comme entendu par d'autres."}},
    FindingTexts{kPcmuReadable,
                 {"Audio that can be played: G.711 µ-law",
                  "The payloads of this stream are plain telephone audio (PCMU). Whoever had these "
                  "packets could listen.",
                  "Take everything that was said over this stream as heard by others."},
                 {"Du son qui peut être écouté, en G.711 loi µ",
                  "Le contenu de ce flux est du son de téléphone en clair (PCMU). Qui avait ces "
                  "paquets pouvait écouter.",
                  "Considérez tout ce qui a été dit dans ce flux comme entendu par d'autres."}},
    FindingTexts{kPcmaReadable,
                 {"Audio that can be played: G.711 A-law",
                  "The payloads of this stream are plain telephone audio (PCMA). Whoever had these "
                  "packets could listen.",
                  "Take everything that was said over this stream as heard by others."},
                 {"Du son qui peut être écouté, en G.711 loi A",
                  "Le contenu de ce flux est du son de téléphone en clair (PCMA). Qui avait ces "
                  "paquets pouvait écouter.",
                  "Considérez tout ce qui a été dit dans ce flux comme entendu par d'autres."}},
    FindingTexts{kG722Readable,
                 {"Audio that can be played: G.722",
                  "The payloads of this stream are plain wideband telephone audio (G.722). Whoever "
                  "had these packets could listen.",
                  "Take everything that was said over this stream as heard by others."},
                 {"Du son qui peut être écouté, en G.722",
                  "Le contenu de ce flux est du son de téléphone à large bande en clair (G.722). "
                  "Qui avait ces paquets pouvait écouter.",
                  "Considérez tout ce qui a été dit dans ce flux comme entendu par d'autres."}},
    FindingTexts{
        kSpeechReadable,
        {"A voice can be heard in the captured packets",
         "What was decoded from this stream has the pauses and the melody of a person who "
         "speaks. It was not only possible to listen: there was something to hear.",
         "Take what was said as known to others. Warn the people who spoke."},
        {"Une voix s'entend dans les paquets capturés",
         "Ce qui a été décodé de ce flux a les pauses et la mélodie d'une personne qui "
         "parle. Non seulement on pouvait écouter, mais il y avait quelque chose à entendre.",
         "Considérez ce qui a été dit comme connu d'autres. Prévenez les personnes qui ont "
         "parlé."}},
    FindingTexts{
        kNoInnerEncryption,
        {"The company that carries the audio can hear it",
         "With the keys of the connection to the relay, this audio could be played: there "
         "is no second encryption inside. Strangers on the network hear nothing, but the "
         "operator of the relay does.",
         "The app has no end-to-end encryption for this stream, whatever it says. Speak as "
         "if the operator listened."},
        {"La société qui transporte le son peut l'écouter",
         "Avec les clés de la connexion au relais, ce son a pu être joué. Il n'y a pas de "
         "second chiffrement à l'intérieur. Des inconnus sur le réseau n'entendent rien, "
         "mais l'exploitant du relais entend.",
         "L'application n'a pas de chiffrement de bout en bout pour ce flux, quoi qu'elle "
         "dise. Parlez comme si l'exploitant écoutait."}},
    FindingTexts{
        kInnerEncryption,
        {"Audio stays encrypted for the company that carries it",
         "Even with the keys of the connection to the relay, the audio inside is encrypted "
         "once more (SFrame). This is how it should be.",
         "Nothing to do."},
        {"Le son reste chiffré pour la société qui le transporte",
         "Même avec les clés de la connexion au relais, le son à l'intérieur est chiffré "
         "une deuxième fois (SFrame). C'est ainsi que cela doit être.",
         "Rien à faire."}},
    FindingTexts{kWeakDtls,
                 {"Media keys were agreed in a weak way",
                  "The handshake that makes the keys for the audio used an outdated version or a "
                  "broken cipher. Somebody with means may open the audio.",
                  "Update the app and the server. DTLS 1.2 with AES-GCM is the least."},
                 {"Les clés du média ont été convenues d'une manière faible",
                  "L'échange qui crée les clés du son a utilisé une version dépassée ou un "
                  "chiffrement cassé. Quelqu'un qui en a les moyens peut ouvrir le son.",
                  "Mettez à jour l'application et le serveur. DTLS 1.2 avec AES-GCM est le "
                  "minimum."}},
    FindingTexts{kUnencryptedRtcp,
                 {"Reports about the audio are not encrypted",
                  "The control packets of the media (RTCP) can be read: who sends, how much, how "
                  "well it arrives, and often a name for the sender.",
                  "Its maker has to encrypt them (SRTCP), as the audio itself."},
                 {"Les rapports sur le son ne sont pas chiffrés",
                  "Les paquets de contrôle du média (RTCP) sont lisibles. On y voit qui émet, "
                  "combien, avec quelle qualité, et souvent un nom de l'émetteur.",
                  "L'éditeur doit les chiffrer (SRTCP), comme le son lui-même."}},
    FindingTexts{
        kSizesTellSpeech,
        {"Packet sizes follow the voice",
         "The audio is encrypted, but its packets are longer and shorter as the voice is. "
         "Research has recognised the language and whole phrases from such sizes alone.",
         "The app should fill packets up to one size (constant bit rate and padding)."},
        {"La taille des paquets suit la voix",
         "Le son est chiffré, mais ses paquets s'allongent et raccourcissent avec la voix. "
         "La recherche a reconnu la langue et des phrases entières par ces seules tailles.",
         "L'application devrait remplir les paquets jusqu'à une même taille (débit constant "
         "et bourrage)."}},
    FindingTexts{
        kAudioLevelInClear,
        {"The loudness of the voice is readable in every packet",
         "A header field that encryption does not cover tells how loud each fiftieth of a "
         "second is (RFC 6464). It shows who speaks, when, and the rhythm of it.",
         "The app should not offer this header extension, or should encrypt it."},
        {"Le volume de la voix est lisible dans chaque paquet",
         "Un champ d'en-tête que le chiffrement ne couvre pas donne le volume de chaque "
         "cinquantième de seconde (RFC 6464). Il montre qui parle, quand, et à quel rythme.",
         "L'application ne devrait pas proposer cette extension, ou devrait la chiffrer."}},
    FindingTexts{
        kSilenceTold,
        {"Pauses of the voice are visible",
         "Sending stops and goes on with short pauses of the speech. Whoever watches "
         "learns the rhythm of what is said, more than that somebody speaks at all.",
         "The app should go on sending for at least a second after the last word."},
        {"Les pauses de la voix sont visibles",
         "L'envoi s'arrête et reprend aux courtes pauses de la parole. Qui observe apprend "
         "le rythme de ce qui est dit, et pas seulement que quelqu'un parle.",
         "L'application devrait continuer d'émettre au moins une seconde après le dernier "
         "mot."}},
};

}  // namespace

std::span<const FindingTexts> texts_of_audio() { return kTexts; }

}  // namespace alcove::audit
