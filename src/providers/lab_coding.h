// Content codings of replies, flushed after every event as a streaming server does it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "providers/lab_faults.h"

namespace sluice::providers {

class LabCoder {
 public:
  virtual ~LabCoder() = default;
  // Encodes `data` so that the peer can decode all of it; `last`: and nothing comes after it.
  virtual std::string encode(std::string_view data, bool last) = 0;
};

// Null for Identity.
std::unique_ptr<LabCoder> make_lab_coder(LabPlan::Coding coding);
// The value of Content-Encoding; empty for Identity.
std::string_view lab_coding_name(LabPlan::Coding coding);

}  // namespace sluice::providers
