// The reader accepts what simdjson's DOM accepts, apart from the rules that are ours.
#include <cstdlib>
#include <simdjson.h>
#include <string_view>

#include "wire/json.h"

using sluice::json::Fault;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Fault fault = Fault::Utf8;
  if (sluice::json::is_utf8(text)) {
    sluice::json::Reader reader(text);
    if (reader.skip()) reader.finish();
    fault = reader.fault();
    if (reader.at() > size) std::abort();
    if (reader.failed()) sluice::json::error_of(sluice::Outcome::BadRequest, text, reader);
  } else {
    sluice::json::utf8_error(sluice::Outcome::BadRequest, text);
  }
  // Ours alone: bounds, paired surrogates.
  if (fault == Fault::TooDeep || fault == Fault::LoneSurrogate || fault == Fault::NumberTooLong) {
    return 0;
  }
  static simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::error_code error = parser.parse(text.data(), text.size()).get(root);
  // simdjson has no integers over 64 bits; its escapes may hide half a pair.
  if (error == simdjson::NUMBER_ERROR && fault == Fault::None) return 0;
  if ((error == simdjson::SUCCESS) != (fault == Fault::None)) std::abort();
  return 0;
}
