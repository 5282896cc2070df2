#include "control/well_known.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "control/json.h"
#include "crypto/hash.h"

namespace alcove::control {
namespace {

constexpr std::size_t kEntriesPerPage = 256;

ApiError no_manifest() {
  return {.code = base::ErrorCode::kNotFound,
          .reason = "path.unknown",
          .message = "This server has no manifest."};
}

// The value of from=N; 0 without a query.
std::optional<std::uint64_t> parse_from(std::string_view query) {
  constexpr std::string_view kName = "from=";
  if (query.empty()) return 0;
  if (!query.starts_with(kName)) return std::nullopt;
  const std::string_view text = query.substr(kName.size());
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool lists(std::string_view if_none_match, std::string_view etag) {
  return if_none_match == "*" || if_none_match.find(etag) != std::string_view::npos;
}

}  // namespace

void WellKnown::handle_promises_changed() {
  const v1::SignedManifest& manifest = context_.promises.manifest;
  const std::string hash = base::to_hex(crypto::sha256(base::as_bytes(manifest.manifest())));
  for (const bool binary : {false, true}) {
    Form& form = manifest_.at(binary ? 1 : 0);
    form.response = write_body(manifest, binary, 200);
    form.etag = "\"" + hash.substr(0, 32) + (binary ? "-protobuf\"" : "-json\"");
    form.response.headers.emplace_back("ETag", form.etag);
    form.response.headers.emplace_back("Vary", "Accept");
  }
}

void WellKnown::manifest(Request request) {
  if (context_.promises.manifest.key().empty()) return request.responder.fail(no_manifest());
  const Form& form = manifest_.at(request.responder.binary() ? 1 : 0);
  base::HttpResponse response = form.response;
  if (lists(request.http.if_none_match, form.etag)) {
    response.status = 304;
    response.body.clear();
  }
  request.responder.answer(std::move(response));
}

void WellKnown::log(Request request) {
  if (context_.promises.manifest.key().empty()) return request.responder.fail(no_manifest());
  const auto from = parse_from(request.http.query);
  if (!from) return request.responder.fail(invalid_argument("from is not a number of an entry."));
  const std::vector<v1::SignedTransparencyEntry>& entries = context_.promises.log;
  v1::TransparencyPage page;
  page.set_size(entries.size());
  const std::size_t begin = std::min<std::uint64_t>(*from, entries.size());
  const std::size_t end = std::min(begin + kEntriesPerPage, entries.size());
  for (std::size_t i = begin; i < end; ++i) *page.add_entries() = entries[i];
  request.responder.ok(page);
}

}  // namespace alcove::control
