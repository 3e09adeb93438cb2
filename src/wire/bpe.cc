#include "wire/bpe.h"

#include <algorithm>
#include <bit>

namespace sluice::tokens {
namespace {

// Up to here, looking at all pairs for each merge beats keeping them in order.
constexpr size_t kShort = 128;
// Memory for longer pieces is given back after them.
constexpr size_t kKept = 16 << 10;
constexpr uint32_t kNowhere = ~0u;

// Two loops, because the first can take several at once. Signed, which the machine compares faster.
size_t lowest_at(std::span<const Token> tokens) {
  auto lowest = static_cast<int32_t>(kNoToken);
  for (const Token token : tokens) lowest = std::min(lowest, static_cast<int32_t>(token));
  const auto found = std::find(tokens.begin(), tokens.end(), static_cast<Token>(lowest));
  return static_cast<size_t>(found - tokens.begin());
}

}  // namespace

size_t MergeQueue::bucket_of(Token token) const {
  return static_cast<size_t>(std::bit_width(token ^ last_));
}

std::span<const MergeQueue::Entry> MergeQueue::pop() {
  buckets_[0].clear();
  const auto first = std::find_if(buckets_.begin(), buckets_.end(),
                                  [](const auto& bucket) { return !bucket.empty(); });
  if (first == buckets_.end()) return {};
  last_ = std::min_element(first->begin(), first->end(), [](const Entry& a, const Entry& b) {
            return a.token < b.token;
          })->token;
  for (const Entry& entry : *first) push(entry);
  first->clear();
  return buckets_[0];
}

void MergeQueue::clear() {
  last_ = 0;
  for (std::vector<Entry>& bucket : buckets_) {
    bucket.clear();
    if (bucket.capacity() > kKept) bucket.shrink_to_fit();
  }
}

std::span<const Token> Merger::merge(const Vocabulary& vocabulary, std::string_view piece) {
  tokens_.clear();
  for (const char c : piece) tokens_.push_back(vocabulary.of_byte(static_cast<uint8_t>(c)));
  next_made_.assign(tokens_.size(), kNoToken);
  for (size_t i = 0; i + 1 < tokens_.size(); ++i) {
    next_made_[i] = vocabulary.merged(tokens_[i], tokens_[i + 1]);
  }
  return tokens_.size() <= kShort ? merge_short(vocabulary) : merge_long(vocabulary);
}

std::span<const Token> Merger::merge_short(const Vocabulary& vocabulary) {
  const std::span<Token> made(next_made_);
  size_t count = tokens_.size();
  for (;;) {
    const size_t at = lowest_at(made.first(count));
    if (made[at] == kNoToken) break;
    tokens_[at] = made[at];
    std::copy(tokens_.begin() + at + 2, tokens_.begin() + count, tokens_.begin() + at + 1);
    std::copy(made.begin() + at + 2, made.begin() + count, made.begin() + at + 1);
    --count;
    made[at] = at + 1 < count ? vocabulary.merged(tokens_[at], tokens_[at + 1]) : kNoToken;
    if (at > 0) made[at - 1] = vocabulary.merged(tokens_[at - 1], tokens_[at]);
  }
  return std::span(tokens_).first(count);
}

// What the token at `at` and the one after it become from now on.
void Merger::look_at(const Vocabulary& vocabulary, uint32_t at) {
  const uint32_t right = after_[at];
  next_made_[at] = right == kNowhere ? kNoToken : vocabulary.merged(tokens_[at], tokens_[right]);
  if (next_made_[at] != kNoToken) queue_.push({.token = next_made_[at], .at = at});
}

void Merger::join(const Vocabulary& vocabulary, uint32_t at) {
  const uint32_t right = after_[at];
  tokens_[at] = next_made_[at];
  after_[at] = after_[right];
  if (after_[at] != kNowhere) before_[after_[at]] = at;
  tokens_[right] = kNoToken;
  next_made_[right] = kNoToken;
  look_at(vocabulary, at);
  if (before_[at] != kNowhere) look_at(vocabulary, before_[at]);
}

std::span<const Token> Merger::merge_long(const Vocabulary& vocabulary) {
  const auto count = static_cast<uint32_t>(tokens_.size());
  before_.resize(count);
  after_.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    before_[i] = i - 1;  // before the first is kNowhere
    after_[i] = i + 1 < count ? i + 1 : kNowhere;
    if (next_made_[i] != kNoToken) queue_.push({.token = next_made_[i], .at = i});
  }
  for (auto batch = queue_.pop(); !batch.empty(); batch = queue_.pop()) {
    for (const MergeQueue::Entry& entry : batch) {
      // A merge beside it may have made it impossible.
      if (next_made_[entry.at] == entry.token) join(vocabulary, entry.at);
    }
  }
  queue_.clear();
  tokens_.erase(std::remove(tokens_.begin(), tokens_.end(), kNoToken), tokens_.end());
  for (std::vector<uint32_t>* kept : {&next_made_, &before_, &after_}) {
    if (kept->capacity() > kKept) *kept = {};
  }
  return tokens_;
}

}  // namespace sluice::tokens
