#pragma once
// `alcove-audit manifest`, `log` and `web`: what a server promises, whether its history holds, and
// whether the web app that it serves is the one that it signed.

#include "options.h"

namespace alcove::app {

int check_manifest(const Options& options);
int check_log(const Options& options);
int check_web(const Options& options);

// A line on standard output, made harmless for a terminal.
void say(const std::string& line);

}  // namespace alcove::app
