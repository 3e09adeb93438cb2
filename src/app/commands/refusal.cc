#include "app/commands/refusal.h"

#include <fmt/format.h>

#include "app/json_node.h"

namespace sluice::app {
namespace {

constexpr int kExitFailed = 1;

}  // namespace

CommandResult refusal(const AdminReply& reply) {
  const Result<Node> problem = node_of_json(reply.body);
  const Node* detail = problem ? find_member(*problem, "detail") : nullptr;
  const std::string words =
      detail != nullptr ? detail->text : fmt::format("the gateway answered {}", reply.status);
  return {.exit_code = reply.status == 400 ? kExitInvalid : kExitFailed,
          .out = "",
          .err = fmt::format("sluice: {}\n", words)};
}

}  // namespace sluice::app
