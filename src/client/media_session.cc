#include "client/media_session.h"

#include <algorithm>
#include <array>
#include <utility>

namespace alcove::client {

using base::Instant;
using base::Result;

namespace {

// A process that was stopped for longer does not catch up with a burst of old sound.
constexpr base::Duration kMaxCatchUp = base::milliseconds(200);
constexpr unsigned kTicksPerLossUpdate = 50;

}  // namespace

MediaSession::MediaSession(MediaOptions options, MediaPeerFactory peers, AudioSource* source,
                           AudioSink* sink)
    : options_(options),
      peers_(std::move(peers)),
      source_(source),
      sink_(sink),
      listener_(options.slots, sink != nullptr) {
  if (source_ != nullptr) speaker_.emplace(*source_, options_.loop);
}

MediaSession::~MediaSession() = default;

void MediaSession::set_frames(e2ee::FrameTransform& frames) {
  frames_ = &frames;
  unopened_.clear();
}

std::string MediaSession::create_offer(std::vector<base::SocketAddress> local_addresses) {
  rtc::ClientPeerOptions options;
  options.local_addresses = std::move(local_addresses);
  options.slots = options_.slots;
  options.use_udp = options_.use_udp;
  options.use_tcp = options_.use_tcp;
  options.tls_key_log = options_.tls_key_log;
  peer_ = peers_(std::move(options));
  listener_.reset();
  return peer_->create_offer();
}

Result<void> MediaSession::set_answer(Instant now, std::string_view sdp) {
  Result<void> result = peer_->set_answer(now, sdp);
  if (speaker_ && next_speak_ == base::kNever) next_speak_ = now;
  drain_peer(now);
  return result;
}

Result<std::string> MediaSession::create_restart_offer(
    std::vector<base::SocketAddress> local_addresses) {
  return peer_->create_restart_offer(std::move(local_addresses));
}

Result<void> MediaSession::set_restart_answer(Instant now, std::string_view sdp) {
  Result<void> result = peer_->set_restart_answer(now, sdp);
  drain_peer(now);
  return result;
}

void MediaSession::handle_datagram(Instant now, const base::Path& path, base::Bytes datagram) {
  if (!peer_) return;
  peer_->handle_datagram(now, path, datagram);
  drain_peer(now);
}

void MediaSession::handle_tcp_opened(Instant now, const base::SocketAddress& remote,
                                     const base::Path& path) {
  if (!peer_) return;
  peer_->handle_tcp_opened(now, remote, path);
  drain_peer(now);
}

void MediaSession::handle_tcp_failed(Instant now, const base::SocketAddress& remote) {
  if (!peer_) return;
  peer_->handle_tcp_failed(now, remote);
  drain_peer(now);
}

void MediaSession::handle_tcp_closed(Instant now, std::uint64_t connection) {
  if (!peer_) return;
  peer_->handle_tcp_closed(now, connection);
  drain_peer(now);
}

void MediaSession::handle_timeout(Instant now) {
  play_until(now);
  speak_until(now);
  listener_.handle_timeout(now);
  if (peer_ && peer_->next_deadline() <= now) peer_->handle_timeout(now);
  drain_peer(now);
}

Instant MediaSession::next_deadline() const {
  Instant next = std::min(listener_.next_deadline(), next_play_);
  if (peer_) next = std::min(next, peer_->next_deadline());
  if (speaker_runs()) next = std::min(next, next_speak_);
  return next;
}

void MediaSession::drain_peer(Instant now) {
  if (peer_) {
    for (const rtc::PeerEvent& event : peer_->events()) {
      if (const auto* frame = std::get_if<rtc::RemoteFrame>(&event)) {
        handle_frame(now, *frame);
      } else if (const auto* changed = std::get_if<rtc::PeerStateChanged>(&event)) {
        events_.emplace_back(*changed);
      } else if (const auto* opened = std::get_if<rtc::OpenTcpConnection>(&event)) {
        events_.emplace_back(*opened);
      } else if (const auto* closed = std::get_if<rtc::CloseTcpConnection>(&event)) {
        events_.emplace_back(*closed);
      }
    }
    peer_->clear_events();
  }
  for (const SpeakingChange& change : listener_.take_changes()) events_.emplace_back(change);
  if (!first_audio_ && listener_.heard()) {
    first_audio_ = true;
    events_.emplace_back(FirstAudio{});
  }
}

void MediaSession::handle_frame(Instant now, const rtc::RemoteFrame& frame) {
  if (frames_ == nullptr) return;
  const base::Bytes payload = peer_->payload(frame);
  if (options_.payload_log != nullptr) options_.payload_log->add(now, frame.slot, payload);
  const auto opened = frames_->open(payload);
  if (opened) {
    listener_.handle_packet(
        now, frame.slot,
        {frame.sequence, frame.timestamp, frame.marker, opened->seat, opened->opus});
  } else if (opened.error() != e2ee::OpenFault::kDropped) {
    unopened_.push_back(
        {frame.slot, frame.sequence, frame.timestamp, frame.marker, base::to_buffer(payload), now});
  }
}

void MediaSession::play(Instant now, const e2ee::HeldFrame& frame) {
  if (frames_ == nullptr) return;
  const auto opened = frames_->open(frame.payload);
  if (!opened) return;
  listener_.handle_packet(
      now, frame.slot, {frame.sequence, frame.timestamp, frame.marker, opened->seat, opened->opus});
  drain_peer(now);
}

void MediaSession::start_recording(Instant now) {
  if (sink_ != nullptr && next_play_ == base::kNever) next_play_ = now + kFrameDuration;
}

void MediaSession::play_until(Instant now) {
  std::array<std::int16_t, kFrameSamples> mix;
  while (next_play_ <= now) {
    listener_.pull(next_play_, mix);
    next_play_ += kFrameDuration;
    if (Result<void> written = sink_->write(mix); !written) {
      next_play_ = base::kNever;
      events_.emplace_back(SinkFailed{written.error().message});
    }
  }
}

Result<void> MediaSession::finish_recording(Instant now) {
  if (sink_ == nullptr) return {};
  play_until(now);
  next_play_ = base::kNever;
  return sink_->finish();
}

bool MediaSession::speaker_runs() const {
  return speaker_ && !source_finished_ && next_speak_ != base::kNever &&
         (allowed_ || source_->is_live());
}

void MediaSession::set_sending(Instant now, bool allowed, e2ee::FrameTransform* rogue) {
  rogue_ = rogue;
  if (!speaker_ || allowed == allowed_) return;
  next_speak_ = std::min(next_speak_, now + kFrameDuration);
  if (allowed && next_speak_ < now) {
    // A file waited: its sound goes on from here, the sender's time went on without it.
    const auto frames = (now - next_speak_) / kFrameDuration + 1;
    speaker_->skip(static_cast<std::uint32_t>(frames));
    next_speak_ += frames * kFrameDuration;
  }
  if (!allowed) speaker_->stop();
  allowed_ = allowed;
}

void MediaSession::speak_until(Instant now) {
  if (!speaker_runs()) return;
  if (now - next_speak_ > kMaxCatchUp) {
    const auto frames = (now - next_speak_) / kFrameDuration;
    speaker_->skip(static_cast<std::uint32_t>(frames));
    next_speak_ += frames * kFrameDuration;
  }
  std::array<std::uint8_t, e2ee::kMaxPacketBucket> payload;
  e2ee::FrameTransform* const frames = rogue_ != nullptr ? rogue_ : frames_;
  while (next_speak_ <= now && !source_finished_) {
    next_speak_ += kFrameDuration;
    if (peer_ && ++ticks_ % kTicksPerLossUpdate == 0)
      speaker_->set_loss(peer_->statistics().reported_loss);
    const auto frame = speaker_->tick(allowed_ && connected());
    if (frame && frames != nullptr) {
      const auto size = frames->seal(frame->opus, payload);
      if (size)
        peer_->send_frame(now, base::Bytes(payload).first(*size), frame->timestamp, frame->marker);
    } else if (speaker_->finished()) {
      source_finished_ = true;
      events_.emplace_back(SourceFinished{});
    }
  }
}

rtc::ClientPeerStatistics MediaSession::statistics() const {
  return peer_ ? peer_->statistics() : rtc::ClientPeerStatistics{};
}

base::DatagramQueue& MediaSession::outgoing() { return peer_ ? peer_->outgoing() : nothing_; }

std::vector<MediaEvent> MediaSession::take_events() { return std::exchange(events_, {}); }

}  // namespace alcove::client
