#include "control/context.h"

namespace alcove::control {

std::optional<ApiError> Context::check_offer(const base::IpAddress& visitor) {
  if (offer_to(visitor) != policy::OfferDecision::kDenied) return std::nullopt;
  metrics.count_offer_denied();
  const policy::Policy::Offer& offer = promises.gate->policy().offer;
  return ApiError{.code = base::ErrorCode::kPermissionDenied,
                  .reason = "offer.denied",
                  .message = "This server is not offered where you connect from.",
                  .status = 451,
                  .text_en = offer.text_en,
                  .text_fr = offer.text_fr};
}

}  // namespace alcove::control
