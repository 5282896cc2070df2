#pragma once
// A member's sound: the peer, the transform on every frame, and both halves of the audio on one
// clock. It knows nothing of rooms. One thread; sans-IO but for the source and the sink.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/datagram.h"
#include "base/time.h"
#include "client/audio_sink.h"
#include "client/audio_source.h"
#include "client/listener.h"
#include "client/media_peer.h"
#include "client/payload_log.h"
#include "client/speaker.h"
#include "e2ee/frame_transform.h"
#include "e2ee/held_frames.h"

namespace alcove::client {

struct MediaOptions {
  std::size_t slots = 4;
  bool use_udp = true;
  bool use_tcp = true;
  bool loop = false;  // the source begins again at its end
  // Is told the secrets of the DTLS sessions; outlives the session. May be null.
  base::TlsKeyLog* tls_key_log = nullptr;
  // Is told every payload received; outlives the session. May be null.
  PayloadLog* payload_log = nullptr;
};

struct FirstAudio {};
struct SourceFinished {};
struct SinkFailed {
  std::string message;
};
using MediaEvent =
    std::variant<rtc::PeerStateChanged, rtc::OpenTcpConnection, rtc::CloseTcpConnection,
                 SpeakingChange, FirstAudio, SourceFinished, SinkFailed>;

class MediaSession {
 public:
  // source and sink may be null and outlive this.
  MediaSession(MediaOptions options, MediaPeerFactory peers, AudioSource* source, AudioSink* sink);
  ~MediaSession();

  // Keys of a join: in place before the first packet, replaced by those of the next join, and alive
  // until then. Nothing is sent or heard without.
  void set_frames(e2ee::FrameTransform& frames);

  // A new peer in place of the one before, if any; the sound goes on.
  std::string create_offer(std::vector<base::SocketAddress> local_addresses);
  base::Result<void> set_answer(base::Instant now, std::string_view sdp);
  base::Result<std::string> create_restart_offer(std::vector<base::SocketAddress> local_addresses);
  base::Result<void> set_restart_answer(base::Instant now, std::string_view sdp);

  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram);
  void handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                         const base::Path& path);
  void handle_tcp_failed(base::Instant now, const base::SocketAddress& remote);
  void handle_tcp_closed(base::Instant now, std::uint64_t connection);
  void handle_timeout(base::Instant now);
  base::Instant next_deadline() const;

  // The recording's first sample is of this moment.
  void start_recording(base::Instant now);
  // Writes what is due and completes the file.
  base::Result<void> finish_recording(base::Instant now);
  // Whether frames may leave; in force for the next frame. rogue: seals them in place of the keys,
  // and outlives its use (tests).
  void set_sending(base::Instant now, bool allowed, e2ee::FrameTransform* rogue = nullptr);
  // Frames that came ahead of their key since the last take: for whoever may have it soon.
  std::vector<e2ee::HeldFrame> take_unopened() { return std::exchange(unopened_, {}); }
  // One of them that opens now.
  void play(base::Instant now, const e2ee::HeldFrame& frame);

  bool connected() const { return peer_ && peer_->state() == rtc::PeerState::kConnected; }
  // Sending a voice at this moment.
  bool speaking() const { return speaker_ && speaker_->sending(); }
  rtc::ClientPeerStatistics statistics() const;
  JitterCounters jitter_counters() const { return listener_.counters(); }
  e2ee::FrameCounters frame_counters() const {
    return frames_ == nullptr ? e2ee::FrameCounters{} : frames_->counters();
  }

  // To be sent, then cleared by the caller.
  base::DatagramQueue& outgoing();
  std::vector<MediaEvent> take_events();

 private:
  void drain_peer(base::Instant now);
  void handle_frame(base::Instant now, const rtc::RemoteFrame& frame);
  void play_until(base::Instant now);
  void speak_until(base::Instant now);
  bool speaker_runs() const;

  MediaOptions options_;
  MediaPeerFactory peers_;
  e2ee::FrameTransform* frames_ = nullptr;
  e2ee::FrameTransform* rogue_ = nullptr;
  AudioSource* source_;
  AudioSink* sink_;
  std::unique_ptr<MediaPeer> peer_;
  std::optional<Speaker> speaker_;
  Listener listener_;
  std::vector<e2ee::HeldFrame> unopened_;
  bool allowed_ = false;
  bool source_finished_ = false;
  bool first_audio_ = false;
  base::Instant next_play_ = base::kNever;
  base::Instant next_speak_ = base::kNever;
  unsigned ticks_ = 0;
  std::vector<MediaEvent> events_;
  base::DatagramQueue nothing_;  // what outgoing() gives before there is a peer
};

}  // namespace alcove::client
