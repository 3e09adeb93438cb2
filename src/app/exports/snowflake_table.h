// A copy of the ledger in a table of Snowflake's, by its SQL API (v2): POST /api/v2/statements with
// a requestId, asked again under the same one until there is an answer, so that no statement runs
// twice; 202 is polled.
//
// Source: Snowflake, "Snowflake SQL API reference".
#pragma once

#include <memory>
#include <string>

#include "app/blocking_call.h"
#include "app/exports/destination.h"
#include "app/settings_export.h"
#include "providers/credential.h"

namespace sluice::app {

// How patient an export is.
struct SnowflakePatience {
  Nanos first_pause = 200 * kMillisecond;  // after a failure, then doubled
  Nanos longest_pause = 20 * kSecond;
  int attempts = 9;                 // of a submission, in a row: about half a minute
  Nanos statement = 900 * kSecond;  // until a statement that runs has to end
  Nanos call = 60 * kSecond;        // without an answer to one call
};

class SnowflakeTable final : public Destination {
 public:
  // BadRequest: a setting is missing or wrong; the message names it. Borrows the clock.
  static Result<std::unique_ptr<SnowflakeTable>> make(const SnowflakeExportSettings& settings,
                                                      const Clock& clock,
                                                      SnowflakePatience patience = {});

  const std::string& name() const override { return name_; }
  bool keeps_window() const override { return false; }
  Result<int64_t> prepare(const ExportStart& start) override;
  Result<void> write(const ExportBatch& batch) override;

 private:
  struct Reply {
    int status = 0;
    std::string code;
    std::string state;
    std::string message;
    std::string handle;
  };
  struct Submission {
    std::string body;
    std::string request_id;
    bool again = false;
  };

  SnowflakeTable(const SnowflakeExportSettings& settings, const Clock& clock,
                 SnowflakePatience patience);

  Result<void> run(const Submission& submission);
  // Until the statement has ended, well or badly; an error: it is not known.
  Result<Reply> submit(Submission submission);
  Result<Reply> await(const std::string& handle);
  Result<Reply> call(std::string_view method, const std::string& path, const std::string& body);
  Error refusal(const Reply& reply) const;
  std::string body_of(std::string_view statement, const std::string& bound) const;
  void pause(int failures) const;

  const SnowflakeExportSettings settings_;
  const Clock& clock_;
  const SnowflakePatience patience_;
  std::string name_;
  std::shared_ptr<const net::Origin> origin_;
  std::shared_ptr<const providers::Credential> credential_;
};

}  // namespace sluice::app
