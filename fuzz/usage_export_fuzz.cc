// A provider's export may be anything: what is read of it is sums, or an error that says which
// record; and a file gives the same in one piece as in many.
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

#include "telemetry/csv_reader.h"
#include "telemetry/json_elements.h"
#include "telemetry/usage_export.h"

namespace {

namespace telemetry = sluice::telemetry;

void check(bool holds) {
  if (!holds) std::abort();
}

// Everything a reader gives out, and whether it complained.
template <class Reader, class Item>
std::string outcome(std::string_view text, size_t piece, Item&& item) {
  std::string out;
  Reader reader([&](const auto& of) {
    item(out, of);
    return true;
  });
  for (size_t i = 0; i < text.size(); i += piece) {
    if (!reader.feed(text.substr(i, piece))) return out + "!";
  }
  return reader.finish() ? out : out + "!";
}

std::string csv(std::string_view text, size_t piece) {
  return outcome<telemetry::CsvReader>(text, piece, [](std::string& out, const auto& row) {
    for (const std::string& field : row) out += std::to_string(field.size()) + ":" + field;
    out += ';';
  });
}

std::string json(std::string_view text, size_t piece) {
  return outcome<telemetry::JsonElements>(
      text, piece, [](std::string& out, std::string_view record) { out += record; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(csv(text, 1) == csv(text, 1 << 20));
  check(json(text, 1) == json(text, 1 << 20));
  for (const auto format : {telemetry::ExportFormat::Auto, telemetry::ExportFormat::OpenAi,
                            telemetry::ExportFormat::Snowflake}) {
    std::istringstream in(text);
    const auto sums = telemetry::read_export(in, format, [](int64_t) {});
    check(sums ? sums->records >= 0 : !sums.error().message().empty());
  }
  return 0;
}
