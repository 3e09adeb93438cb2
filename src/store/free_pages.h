// Free pages of a database, given back to the file system a piece at a time.
#pragma once

#include "base/result.h"
#include "store/sqlite.h"

namespace sluice::store {

// One piece; how many bytes shorter the file will be when the write-ahead log is moved into it. 0:
// hardly any page is free, and those will soon be written to again; or the file is of before pages
// could be given back.
Result<int64_t> give_back_pages(Database& database);

}  // namespace sluice::store
