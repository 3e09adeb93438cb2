// What the columns of the providers' exports mean. Not for other rooms.
#pragma once

#include <span>
#include <string_view>

#include "telemetry/usage_export.h"

namespace sluice::telemetry {

enum class Role : uint8_t {
  Moment,
  Model,
  LineItem,  // "gpt-5-mini-2025-08-07, input": a model, then what of it
  Record,    // its presence makes the record one request
  Count,     // adds to the figure
  Money,     // likewise, in whole dollars or credits
  Cents,     // likewise, in hundredths
};

struct Column {
  ExportFormat format;
  std::string_view name;  // in lower case; of nested objects "outer.inner"
  Role role;
  Figure figure = Figure::Requests;
  bool signature = false;  // no other provider's export has it
};

std::span<const Column> export_columns();

}  // namespace sluice::telemetry
