#include "support/recorded_speech.h"

#include <sndfile.h>

#include <memory>
#include <string>

namespace alcove::test {

std::vector<std::int16_t> recorded_speech() {
  std::vector<std::int16_t> result;
  for (const char* name : {"Front_Center", "Front_Left", "Front_Right", "Rear_Center", "Rear_Left",
                           "Rear_Right", "Side_Left", "Side_Right"}) {
    SF_INFO info{};
    const std::string path = std::string("/usr/share/sounds/alsa/") + name + ".wav";
    const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file(sf_open(path.c_str(), SFM_READ, &info),
                                                           &sf_close);
    if (!file || info.channels != 1 || info.samplerate != 48000) continue;
    std::vector<std::int16_t> samples(static_cast<std::size_t>(info.frames));
    samples.resize(static_cast<std::size_t>(
        sf_read_short(file.get(), samples.data(), static_cast<sf_count_t>(samples.size()))));
    result.insert(result.end(), samples.begin(), samples.end());
  }
  return result;
}

}  // namespace alcove::test
