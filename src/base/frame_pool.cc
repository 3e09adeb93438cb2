#include "base/frame_pool.h"

#include <array>
#include <cstdlib>
#include <new>

namespace sluice {
namespace {

constexpr size_t kStep = 16;      // as malloc rounds
constexpr size_t kClasses = 256;  // up to 4 KiB
// A burst of streams must not pin its frames for ever: beyond this many, a class gives back to
// malloc.
constexpr size_t kKeepPerClass = 256;

struct FreeList {
  struct Node {
    Node* next;
  };
  Node* head = nullptr;
  size_t length = 0;

  ~FreeList() {
    while (head != nullptr) {
      Node* next = head->next;
      std::free(head);
      head = next;
    }
  }
};

thread_local std::array<FreeList, kClasses> free_lists;

constexpr size_t class_of(size_t bytes) {
  return (bytes - 1) / kStep;
}

}  // namespace

void* allocate_frame(size_t bytes) {
  const size_t index = class_of(bytes);
  size_t rounded = bytes;
  if (index < kClasses) {
    FreeList& list = free_lists[index];
    if (list.head != nullptr) {
      FreeList::Node* node = list.head;
      list.head = node->next;
      --list.length;
      return node;
    }
    rounded = (index + 1) * kStep;
  }
  void* memory = std::malloc(rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void free_frame(void* frame, size_t bytes) {
  const size_t index = class_of(bytes);
  if (index >= kClasses || free_lists[index].length >= kKeepPerClass) {
    std::free(frame);
    return;
  }
  FreeList& list = free_lists[index];
  auto* node = static_cast<FreeList::Node*>(frame);
  node->next = list.head;
  list.head = node;
  ++list.length;
}

}  // namespace sluice
