// Memory for coroutine frames: freed frames wait in per-thread lists by size, so that a request in
// the steady state allocates none. Sizes above the largest class go to malloc.
#pragma once

#include <cstddef>

namespace sluice {

void* allocate_frame(size_t bytes);
void free_frame(void* frame, size_t bytes);

}  // namespace sluice
