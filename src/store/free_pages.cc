#include "store/free_pages.h"

#include <string>
#include <utility>

namespace sluice::store {
namespace {

// Of all pages: when so much of the file is free.
constexpr int64_t kFreeShare = 10;
constexpr int64_t kPagesPerPiece = 256;

}  // namespace

Result<int64_t> give_back_pages(Database& database) {
  auto free = database.integer("PRAGMA freelist_count");
  if (!free) return std::move(free).error();
  auto pages = database.integer("PRAGMA page_count");
  if (!pages) return std::move(pages).error();
  if (*free < kPagesPerPiece || *free < *pages / kFreeShare) return 0;
  const std::string vacuum = "PRAGMA incremental_vacuum(" + std::to_string(kPagesPerPiece) + ")";
  if (auto done = database.exec(vacuum.c_str()); !done) return std::move(done).error();
  auto left = database.integer("PRAGMA page_count");
  if (!left) return std::move(left).error();
  auto size = database.integer("PRAGMA page_size");
  if (!size) return std::move(size).error();
  return (*pages - *left) * *size;
}

}  // namespace sluice::store
