#pragma once
// A member of a room without sockets and clocks: signs in, joins, keeps the room's state, listens,
// speaks, obeys the person at the keyboard, comes back when a connection is lost. The caller
// executes effects, datagrams and events after each call. One thread. What the room's log says
// (who is in, who speaks) comes from e2ee::RoomKeys; the server's word is for the rest.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "client/api.h"
#include "client/console_command.h"
#include "client/event_channel.h"
#include "client/house_check.h"
#include "client/known_devices.h"
#include "client/link.h"
#include "client/media_session.h"
#include "client/member_event.h"
#include "client/outcome.h"
#include "client/rogue_frames.h"
#include "client/room_view.h"
#include "e2ee/room_keys.h"

namespace alcove::client {

struct MemberOptions {
  ServerAddress server;
  HouseTrust trust;                  // its guard is that of every connection, and for this server
  bool french = false;               // which of the operator's texts the person reads
  std::optional<base::RoomId> room;  // nullopt: starts a room with title and kind
  std::optional<roomlog::LinkFragment> fragment;  // of the link
  std::string title;
  v1::RoomKind kind = v1::ROOM_KIND_OPEN;
  std::string name;      // of a guest
  std::string username;  // empty: a guest
  std::string password;
  std::optional<crypto::Ed25519Seed> identity;  // nullopt: made for the visit
  KnownDevices known_devices;
  e2ee::KeyLog* key_log = nullptr;  // outlives the member; may be null
  std::string export_log;           // a file for the room's log at the end; empty: none
  MediaOptions media;               // slots are the server's
  bool raise_hand = false;
  bool accept_invitations = false;
  bool invite_all = false;                      // a moderator invites everybody who raises a hand
  bool send_anyway = false;                     // tests: frames go out without a place on the stage
  base::Duration stay = base::Duration::max();  // after joining
};

// To be written, and told by handle_saved().
struct SaveFile {
  std::string path;
  std::string content;
};
using MemberEffect = std::variant<HttpCall, OpenWebSocket, SendWebSocket, CloseWebSocket,
                                  rtc::OpenTcpConnection, rtc::CloseTcpConnection, SaveFile>;

class Member {
 public:
  static constexpr base::Duration kNoMediaNotice = base::seconds(5);
  static constexpr base::Duration kNoMediaEnd = base::seconds(20);
  static constexpr base::Duration kReconnectFor = base::seconds(60);
  static constexpr base::Duration kStatisticsEvery = base::seconds(5);
  static constexpr base::Duration kLeaveTimeout = base::seconds(2);
  // How long the own depart is waited for.
  static constexpr base::Duration kDepartTimeout = base::seconds(1);

  // source and sink may be null; all four outlive this.
  Member(MemberOptions options, base::RandomSource& random, MediaPeerFactory peers,
         AudioSource* source, AudioSink* sink);
  ~Member();

  // local_addresses: bound UDP sockets (rtc::ClientPeerOptions).
  void start(base::Instant now, base::WallTime wall,
             std::vector<base::SocketAddress> local_addresses);
  // The calendar, where it may have moved against the clock.
  void handle_wall_time(base::Instant now, base::WallTime wall);
  // Quietly; outcome() follows at the answer, or soon without one.
  void leave(base::Instant now);
  // One line of console_command.h.
  void handle_line(base::Instant now, std::string_view line);

  void handle_answer(base::Instant now, std::uint64_t id, const base::Result<HttpAnswer>& answer);
  void handle_websocket_opened(base::Instant now, std::uint64_t id);
  void handle_websocket_message(base::Instant now, std::uint64_t id, base::Bytes message);
  // reason: net::WebSocketClientHandler's. kPermissionDenied ends the visit.
  void handle_websocket_closed(base::Instant now, std::uint64_t id, const base::Error& reason = {});
  void handle_datagram(base::Instant now, const base::Path& path, base::Bytes datagram);
  void handle_tcp_opened(base::Instant now, const base::SocketAddress& remote,
                         const base::Path& path);
  void handle_tcp_failed(base::Instant now, const base::SocketAddress& remote);
  void handle_tcp_closed(base::Instant now, std::uint64_t connection);
  // Other addresses than before: the media connection moves over.
  void handle_network_change(base::Instant now, std::vector<base::SocketAddress> local_addresses);
  void handle_saved(const std::string& path, const base::Result<void>& saved);
  void handle_timeout(base::Instant now);
  base::Instant next_deadline() const;

  std::vector<MemberEffect> take_effects();
  std::vector<MemberEvent> take_events();
  // To be sent, then cleared by the caller.
  base::DatagramQueue& datagrams();
  // After the outcome: the recording's end, of this moment. kUnavailable when the disk refuses.
  base::Result<void> finish_recording(base::Instant now);
  // The visit is over: nothing more is to be done.
  const std::optional<Outcome>& outcome() const { return outcome_; }

  const RoomView& room() const { return room_; }
  bool reconnecting() const { return reconnecting_; }
  const KnownDevices& known_devices() const { return options_.known_devices; }

 private:
  // kWaiting: until a stage member's client admits. kDeparting: until the log has it.
  enum class Phase {
    kNew,
    kPreparing,
    kJoining,
    kWaiting,
    kJoined,
    kDeparting,
    kLeaving,
    kFinished
  };
  enum class Ask {
    kHouseCheck,
    kConfig,
    kLogIn,
    kStartRoom,
    kGenesis,
    kJoin,
    kRestart,
    kCommand,
    kLeave,
    kFindMember,
    kListMembers
  };
  struct Pending {
    Ask ask = Ask::kHouseCheck;
    std::string verb = {};         // of kCommand and kFindMember
    std::string target = {};       // whom kFindMember looks for
    v1::RoomCommand command = {};  // what is then done to them
    LogCommand log = LogCommand::kNone;
    unsigned pages = 0;
  };

  // member.cc
  void settle(base::Instant now);
  void call(Pending pending, std::string method, std::string target, std::string body);
  void report(std::string name, std::vector<std::pair<std::string, EventValue>> fields,
              std::string text);
  void report_error(std::string_view command, const ApiError& error);
  void finish(ExitStatus status, std::string message);
  void finish_by(const ApiError& error);
  std::int64_t milliseconds_since_start(base::Instant now) const;
  base::WallTime wall(base::Instant now) const;
  bool has_join() const { return phase_ == Phase::kWaiting || phase_ == Phase::kJoined; }
  void handle_command(base::Instant now, ConsoleCommand command);
  void send_leave(base::Instant now);

  // member_join.cc
  void handle_house_check(base::Instant now, const base::Result<HttpAnswer>& answer);
  void report_manifest();
  void handle_config(const base::Result<HttpAnswer>& answer);
  void handle_log_in(const base::Result<HttpAnswer>& answer);
  void start_room();
  void handle_start_room(const base::Result<HttpAnswer>& answer);
  void handle_genesis(const base::Result<HttpAnswer>& answer);
  void prepare_next();
  void join();
  void handle_join(base::Instant now, const base::Result<HttpAnswer>& answer);
  void handle_join_refused(base::Instant now, const ApiError& error);
  void handle_join_accepted(base::Instant now, const v1::JoinRoomResponse& response);
  void enter_room(base::Instant now, const v1::RoomState& room);
  void rejoin(base::Instant now);

  // member_media.cc
  void drain_media(base::Instant now);
  void handle_media(base::Instant now, const rtc::PeerStateChanged& changed);
  void handle_media(base::Instant now, const rtc::OpenTcpConnection& open);
  void handle_media(base::Instant now, const rtc::CloseTcpConnection& close);
  void handle_media(base::Instant now, const SpeakingChange& change);
  void handle_media(base::Instant now, const FirstAudio& first);
  void handle_media(base::Instant now, const SourceFinished& finished);
  void handle_media(base::Instant now, const SinkFailed& failed);
  void handle_media_connected(base::Instant now);
  void restart_media(base::Instant now);
  void handle_restart(base::Instant now, const base::Result<HttpAnswer>& answer);
  void handle_media_deadlines(base::Instant now);
  void update_reconnecting(base::Instant now);
  void update_sending(base::Instant now);
  void report_statistics(base::Instant now);
  struct Diagnosis {
    std::string failed;  // "udp", "tcp", "udp_and_tcp", "dtls"
    std::string message;
  };
  Diagnosis diagnose() const;

  // member_keys.cc
  void make_keys();
  void drain_keys(base::Instant now);
  void handle_keys(base::Instant now, const e2ee::WaitingChanged& changed);
  void handle_keys(base::Instant now, const e2ee::AdmittedEvent& admitted);
  void handle_keys(base::Instant now, const e2ee::LogChanged& changed);
  void handle_keys(base::Instant now, const e2ee::EpochChanged& changed);
  void handle_keys(base::Instant now, const e2ee::WarningEvent& warning);
  void handle_keys(base::Instant now, const e2ee::RosterReady& ready);
  void report_device(const DeviceWatch::Met& met);
  void write_log(base::Instant now, std::string_view verb, LogCommand command,
                 const roomlog::Hash& leaf);
  void invite_keys(base::Instant now, std::string_view verb,
                   const std::vector<crypto::Ed25519PublicKey>& keys);
  // What the log says of the member; null where it does not name it.
  const roomlog::Certificate* certificate_of(const v1::Member& member) const;
  std::string name_of(const v1::Member& member) const;
  std::string link_text(const roomlog::LinkFragment& fragment) const;
  void report_code();
  void report_link();
  void report_key();
  void report_roster_member(const roomlog::Certificate& certificate);
  void save_log(std::string path);

  // member_room.cc
  void drain_channel(base::Instant now);
  void handle_channel(base::Instant now, const ChannelConnected& connected);
  void handle_channel(base::Instant now, const ChannelLost& lost);
  void handle_channel(base::Instant now, const v1::KeysFromServer& message);
  void handle_channel(base::Instant now, const v1::Welcome& welcome);
  void handle_channel(base::Instant now, const v1::EventBatch& batch);
  void handle_channel(base::Instant now, const v1::Goodbye& goodbye);
  void handle_room_event(base::Instant now, const v1::RoomEvent& event);
  void handle_removed(base::Instant now, const v1::Removed& removed);
  void report_self(const v1::Member& before);
  void report_stage_member(const v1::Member& member, bool present);
  void report_hands(const std::set<std::uint32_t>& before);
  void act_by_itself(base::Instant now);
  void send_command(base::Instant now, std::string verb, v1::RoomCommand command);
  void command_on_member(base::Instant now, Pending pending);
  void act_on_member(base::Instant now, Pending pending, const v1::Member& member);
  void invite(base::Instant now, std::string verb, const v1::Member& member);
  void request_members(Pending pending, std::string_view cursor);
  void handle_members(base::Instant now, Pending pending, const base::Result<HttpAnswer>& answer);
  void report_member(const v1::Member& member);
  void list_hands();

  MemberOptions options_;
  base::RandomSource& random_;
  MediaPeerFactory peers_;
  AudioSource* source_;
  AudioSink* sink_;

  HouseCheck house_check_;
  bool house_is_checked_ = false;  // for the next join
  bool manifest_reported_ = false;

  Phase phase_ = Phase::kNew;
  base::Instant started_at_;
  base::Instant wall_set_at_;
  base::WallTime wall_;
  std::vector<base::SocketAddress> local_addresses_;
  std::uint64_t next_call_ = 0;
  std::map<std::uint64_t, Pending> pending_;
  std::string authorization_;
  std::string join_token_;
  std::string room_id_;
  v1::ServerConfig config_;
  RoomView room_;
  EventChannel channel_;
  std::unique_ptr<MediaSession> media_;

  std::string account_ = "guest";
  std::string display_name_;
  crypto::Ed25519PrivateKey identity_;
  std::optional<roomlog::Genesis> genesis_;
  DeviceWatch devices_;
  std::unique_ptr<e2ee::RoomKeys> keys_;  // of the present join
  std::optional<RogueFrames> rogue_;
  std::uint32_t link_generation_ = 0;
  bool may_send_ = false;
  bool roster_asked_ = false;

  bool joined_once_ = false;
  unsigned lost_waits_ = 0;
  bool channel_was_live_ = false;
  bool media_was_connected_ = false;
  bool media_down_ = false;
  bool relay_saw_us_ = false;
  bool restart_pending_ = false;
  bool reconnecting_ = false;
  bool muted_here_ = false;  // by the person at the keyboard, ahead of the server's word
  bool raised_hand_ = false;
  bool accepting_ = false;
  std::set<std::uint32_t> inviting_;
  std::set<std::uint64_t> tcp_connections_;

  Backoff join_backoff_{base::seconds(1), base::seconds(8)};
  Backoff restart_backoff_{base::seconds(3), base::seconds(10)};
  base::Instant join_at_ = base::kNever;
  base::Instant restart_at_ = base::kNever;
  base::Instant notice_at_ = base::kNever;
  base::Instant give_up_at_ = base::kNever;
  base::Instant statistics_at_ = base::kNever;
  base::Instant leave_at_ = base::kNever;
  base::Instant depart_until_ = base::kNever;

  std::vector<MemberEffect> effects_;
  std::vector<MemberEvent> events_;
  base::DatagramQueue nothing_;
  Outcome leaving_with_;
  std::optional<Outcome> outcome_;
};

}  // namespace alcove::client
