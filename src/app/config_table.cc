#include "app/config_table.h"

#include <vector>

#include "app/config_table_rows.h"

namespace sluice::app {
namespace {

std::vector<Property> all_rows() {
  std::vector<Property> rows;
  for (const auto part : {server_rows(), providers_rows(), routing_rows(), telemetry_rows(),
                          export_rows(), governance_rows(), redis_rows()})
    rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace

std::span<const Property> properties() {
  static const std::vector<Property> kAll = all_rows();
  return kAll;
}

}  // namespace sluice::app
