// Replies of Snowflake's own Cortex endpoints.
//
//   inference:complete  {"choices":[{"message":{"content","content_list"}}],"usage":{...}}, or
//                       `data: {"id","model","choices":[{"delta":{"type",...}}],"usage":{}}`
//                       events; usage comes with the last, the stream ends with the body, without
//                       [DONE]
//   inference:embed     {"object":"list","data":[{"object","index","embedding":[[...]]}],...}
#pragma once

#include <cstdint>
#include <string>

#include "providers/lab_encoder.h"

namespace sluice::providers {

class LabSnowflakeEncoder final : public LabEncoder {
 public:
  using LabEncoder::LabEncoder;

  std::string buffered() const override;

 private:
  void render(std::string& out, const LabStep& step) override;
  void append_chunk(std::string& out, std::string_view delta, bool with_usage) const;
  void append_usage(std::string& out) const;
  std::string delta_of(const LabStep& step) const;
};

// One inner vector for each text.
std::string lab_snowflake_embeddings_body(const LabRequest& request, const LabModel& model,
                                          uint64_t seed);

}  // namespace sluice::providers
