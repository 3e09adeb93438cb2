// The access log: one JSON line per exchange, from its record.
#pragma once

#include <string>

#include "base/line_sink.h"
#include "telemetry/price.h"
#include "telemetry/record.h"

namespace sluice::telemetry {

// At most so many bytes.
size_t access_line_bound(const Record& record);
// Writes the line with its newline; returns how many bytes. Never content, never a secret.
size_t write_access_line(char* out, const Record& record, const Charge& charge);

}  // namespace sluice::telemetry
