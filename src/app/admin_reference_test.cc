// The table of routes in docs/admin-api.md is the one the gateway answers by.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "api/admin_routes.h"

namespace sluice::app {
namespace {

TEST(AdminReference, TheDocumentHasTheRoutesOfTheTable) {
  const std::filesystem::path path = std::filesystem::path(SLUICE_SOURCE_DIR) / "docs/admin-api.md";
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  std::string page = content.str();
  const size_t begin = page.find("\n", page.find("<!-- made from the route table")) + 1;
  const size_t end = page.find("<!-- end of the route table");
  ASSERT_LT(begin, end);
  if (std::getenv("SLUICE_REWRITE_GOLDEN") != nullptr) {
    page.replace(begin, end - begin, api::admin_reference());
    std::ofstream(path, std::ios::binary) << page;
    return;
  }
  EXPECT_EQ(page.substr(begin, end - begin), api::admin_reference())
      << "`make golden` writes it anew";
}

}  // namespace
}  // namespace sluice::app
