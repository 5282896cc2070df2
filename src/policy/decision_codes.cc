#include "policy/decide.h"

namespace alcove::policy {

std::string_view code_of(Reason reason) {
  switch (reason) {
    case Reason::kAllowedByDefault:
      return "allowed_by_default";
    case Reason::kAllowedCountry:
      return "allowed_country";
    case Reason::kAllowedNetwork:
      return "allowed_network";
    case Reason::kAllowedPrivate:
      return "allowed_private";
    case Reason::kDeniedNetwork:
      return "denied_network";
    case Reason::kDeniedCountry:
      return "denied_country";
    case Reason::kCountryNotAllowed:
      return "country_not_allowed";
    case Reason::kDeniedAsn:
      return "denied_asn";
    case Reason::kDeniedOwnerName:
      return "denied_owner_name";
    case Reason::kDeniedOwnerCountry:
      return "denied_owner_country";
    case Reason::kOwnerCountryNotAllowed:
      return "owner_country_not_allowed";
    case Reason::kUnknownCountry:
      return "unknown_country";
    case Reason::kUnknownOwner:
      return "unknown_owner";
    case Reason::kAnycast:
      return "anycast";
    case Reason::kDeniedPrivate:
      return "denied_private";
    case Reason::kNotUnicast:
      return "not_unicast";
    case Reason::kNotAnAddress:
      return "not_an_address";
  }
  return "";
}

std::string_view code_of(AddressClass address_class) {
  switch (address_class) {
    case AddressClass::kGlobal:
      return "global";
    case AddressClass::kPrivate:
      return "private";
    case AddressClass::kLoopback:
      return "loopback";
    case AddressClass::kLinkLocal:
      return "link_local";
    case AddressClass::kMulticast:
      return "multicast";
    case AddressClass::kReserved:
      return "reserved";
  }
  return "";
}

}  // namespace alcove::policy
