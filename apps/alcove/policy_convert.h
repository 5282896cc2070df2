#pragma once
// `alcove policy convert`: tables of ranges, as npm's @ip-location-db packages have them, into one
// .mmdb.

#include <string>
#include <vector>

namespace alcove::app {

struct PolicyConvert {
  // Folders where the tables are looked for, as npm installs the three packages or all in one
  // place.
  std::string tables;
  std::vector<std::string> locations;      // further tables: first, last, country
  std::vector<std::string> networks;       // first, last, network number, name
  std::vector<std::string> registrations;  // first, last, country
  std::vector<std::string> anycast;        // lists of networks
  std::string date;                        // YYYY-MM-DD; empty: that of the packages
  std::string output;
};

// Returns the exit status.
int convert_tables(const PolicyConvert& arguments);

}  // namespace alcove::app
