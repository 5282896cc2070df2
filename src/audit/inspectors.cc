#include "audit/inspectors.h"

#include "audit/content_inspector.h"
#include "audit/dns_inspector.h"
#include "audit/http_inspector.h"
#include "audit/key_log.h"
#include "audit/media_inspector.h"
#include "audit/name_table.h"
#include "audit/stun_inspector.h"
#include "audit/tls_decrypt.h"
#include "audit/tls_inspector.h"

namespace alcove::audit {

struct Inspectors::Parts {
  Parts(const InspectorOptions& options, Findings& findings)
      : where(options.policy, options.database, options.manifest, names, findings),
        dns(options.policy, options.database, options.manifest, names, findings),
        tls(findings),
        stun(findings),
        content(options.identifiers, findings),
        http(content, findings),
        tls_decrypt(findings, keys),
        media(findings, keys) {
    keys.add(options.key_log);
  }

  KeyLog keys;
  NameTable names;
  WhereInspector where;
  DnsInspector dns;
  TlsInspector tls;
  StunInspector stun;
  ContentInspector content;
  HttpInspector http;
  TlsDecrypt tls_decrypt;
  MediaInspector media;
};

Inspectors::Inspectors(const InspectorOptions& options, Findings& findings)
    : parts_(std::make_unique<Parts>(options, findings)) {}
Inspectors::~Inspectors() = default;

// TlsInspector names what the others leave alone; what TlsDecrypt opens goes to all at once.
std::vector<Inspector*> Inspectors::all() const {
  return {&parts_->where, &parts_->dns,  &parts_->tls,     &parts_->tls_decrypt,
          &parts_->stun,  &parts_->http, &parts_->content, &parts_->media};
}
const WhereInspector& Inspectors::where() const { return parts_->where; }
void Inspectors::use(FlowTable& flows) { parts_->tls_decrypt.set_flow_table(&flows); }
void Inspectors::handle_secrets(base::Bytes key_log) { parts_->keys.add(base::as_text(key_log)); }
bool Inspectors::has_keys() const { return !parts_->keys.empty(); }
std::size_t Inspectors::identifiers() const { return parts_->content.identifiers(); }
const std::vector<MediaStreamSummary>& Inspectors::media_streams() const {
  return parts_->media.summaries();
}
std::uint64_t Inspectors::sessions_left_out() const {
  return parts_->tls_decrypt.counters().left_out + parts_->keys.left_out();
}

}  // namespace alcove::audit
