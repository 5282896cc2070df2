#pragma once
// What is said about a stream of media. Private to media_inspector.cc. One thread.

#include "audit/codec_recognizer.h"
#include "audit/finding.h"
#include "audit/rtp_stream.h"

namespace alcove::audit {

// "198.51.100.7:4000/udp": the far end of the flow.
std::string media_subject(const Flow& flow);
std::string_view codec_name(Codec codec);

// One finding with the stream's first packets as its evidence; a code is told once a stream.
void add_stream_finding(Findings& findings, FindingCode code, const Flow& flow, RtpStream& stream,
                        std::string_view detail_en, std::string_view detail_fr);
// At the end of a stream: the packets that its findings did not have as evidence.
void count_packets(Findings& findings, const Flow& flow, const RtpStream& stream);
// RTP in clear, its codec, speech in it.
void add_readable(Findings& findings, const Flow& flow, RtpStream& stream,
                  const Recognition& recognition);
void add_opened_plain(Findings& findings, const Flow& flow, RtpStream& stream,
                      const Recognition& recognition);
void add_opened_inner(Findings& findings, const Flow& flow, RtpStream& stream, bool sframe);
// At the end of a stream: sizes, pauses.
void add_traffic_findings(Findings& findings, const Flow& flow, RtpStream& stream);
void add_audio_level(Findings& findings, const Flow& flow, RtpStream& stream, std::uint8_t id);

}  // namespace alcove::audit
