#include "wire/sse.h"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::sse {
namespace {

constexpr std::string_view kBom = "\xef\xbb\xbf";
constexpr uint8_t kPastBom = 4;
constexpr std::string_view kPrefix = "data: ";
constexpr std::string_view kNamePrefix = "event: ";

// The first CR or LF in [p, end), or end.
const char* find_line_end(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i lf = _mm_set1_epi8('\n');
  const __m128i cr = _mm_set1_epi8('\r');
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const int mask =
        _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, lf), _mm_cmpeq_epi8(bytes, cr)));
    if (mask != 0) return p + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (p < end && *p != '\n' && *p != '\r') ++p;
  return p;
}

// One line of a block, without its end; `rest` loses it.
std::string_view take_line(std::string_view* rest) {
  const char* begin = rest->data();
  const char* end = begin + rest->size();
  const char* stop = find_line_end(begin, end);
  const std::string_view line(begin, static_cast<size_t>(stop - begin));
  if (stop != end) stop += (*stop == '\r' && stop + 1 != end && stop[1] == '\n') ? 2 : 1;
  rest->remove_prefix(static_cast<size_t>(stop - begin));
  return line;
}

// Splits "name: value"; one space after the colon is not part of the value.
std::string_view split_field(std::string_view line, std::string_view* value) {
  const size_t colon = std::min(line.find(':'), line.size());
  *value = line.substr(std::min(colon + 1, line.size()));
  if (value->starts_with(' ')) value->remove_prefix(1);
  return line.substr(0, colon);
}

}  // namespace

Step Parser::next(Event* event) {
  drop_delivered();
  while (!too_large_) {
    if (bom_ != kPastBom) skip_bom();
    if (input_.empty()) return Step::NeedMore;
    if (next_canonical(event)) return Step::Event;
    if (too_large_) break;
    const size_t end = find_event_end();
    const bool kept = end != std::string_view::npos || fields_ || !comment_;
    if (kept && carry_.size() + std::min(end, input_.size()) > max_event_) break;
    if (end == std::string_view::npos) {
      // Of a comment between events nothing is kept, however long it grows.
      if (kept) carry_.append(input_);
      input_ = {};
      return Step::NeedMore;
    }
    std::string_view block = input_.substr(0, end);
    input_.remove_prefix(end);
    if (!carry_.empty()) {
      carry_.append(block);
      block = carry_;
      delivered_ = true;
    }
    if (fill(block, event)) return Step::Event;
    drop_delivered();
  }
  too_large_ = true;
  input_ = {};
  release();
  return Step::TooLarge;
}

// The common cases: nothing is pending and the next event is whole and of one data line, with or
// without its name before it.
bool Parser::next_canonical(Event* event) {
  if (!carry_.empty() || !line_empty_ || fields_ || skip_lf_) return false;
  const char* const begin = input_.data();
  const char* const end = begin + input_.size();
  const char* data = begin;
  std::string_view name;
  if (input_.starts_with(kNamePrefix)) {
    const char* stop = find_line_end(begin + kNamePrefix.size(), end);
    if (stop == end || *stop != '\n') return false;
    name = {begin + kNamePrefix.size(), stop};
    data = stop + 1;
  }
  if (!std::string_view(data, end).starts_with(kPrefix)) return false;
  data += kPrefix.size();
  const char* stop = find_line_end(data, end);
  if (end - stop < 2 || stop[0] != '\n' || stop[1] != '\n') return false;
  event->raw = {begin, stop + 2};
  if (event->raw.size() > max_event_) {
    too_large_ = true;
    return false;
  }
  event->data = {data, stop};
  event->name = name;
  event->id = {};
  event->canonical = data == begin + kPrefix.size();
  input_.remove_prefix(event->raw.size());
  return true;
}

void Parser::skip_bom() {
  while (!input_.empty() && bom_ < kBom.size() && input_[0] == kBom[bom_]) {
    input_.remove_prefix(1);
    ++bom_;
  }
  if (bom_ < kBom.size() && input_.empty()) return;
  if (bom_ != 0 && bom_ < kBom.size()) {
    // Half a mark was none: its bytes begin the first line.
    carry_.assign(kBom.substr(0, bom_));
    line_empty_ = false;
  }
  bom_ = kPastBom;
}

// The offset in input_ just after the blank line that ends the current event; npos if it is not
// there yet. What was skipped before the event (blank lines, comments) is gone from input_ after.
size_t Parser::find_event_end() {
  if (skip_lf_ && input_[0] == '\n') input_.remove_prefix(1);
  skip_lf_ = false;
  const char* p = input_.data();
  const char* const end = p + input_.size();
  while (p < end) {
    if (line_empty_ && *p == ':') comment_ = true;
    const char* stop = find_line_end(p, end);
    if (stop != p) line_empty_ = false;
    if (stop == end) break;
    p = stop + 1;
    if (*stop == '\r') {
      if (p == end) skip_lf_ = true;
      if (p < end && *p == '\n') ++p;
    }
    const bool blank = line_empty_;
    const bool comment = comment_;
    line_empty_ = true;
    comment_ = false;
    if (blank && fields_) {
      fields_ = false;
      return static_cast<size_t>(p - input_.data());
    }
    if (!blank && !comment) fields_ = true;
    if (!fields_) {
      // Pings between events are not gathered: a stream may send nothing else for hours.
      release();
      input_.remove_prefix(static_cast<size_t>(p - input_.data()));
    }
  }
  return std::string_view::npos;
}

// False if the block has no data: such a block is no event.
bool Parser::fill(std::string_view block, Event* event) {
  *event = {};
  event->raw = block;
  size_t data_lines = 0;
  size_t lines = 0;
  std::string_view rest = block;
  while (!rest.empty()) {
    const std::string_view line = take_line(&rest);
    if (line.empty()) continue;
    ++lines;
    std::string_view value;
    const std::string_view field = split_field(line, &value);
    if (field == "data") {
      if (data_lines++ == 0) event->data = value;
    } else if (field == "event") {
      event->name = value;
    } else if (field == "id") {
      event->id = value;
    }
  }
  if (data_lines == 0) return false;
  event->canonical = lines == 1 && block.starts_with(kPrefix) &&
                     block.size() == kPrefix.size() + event->data.size() + 2 &&
                     block.ends_with("\n\n");
  if (data_lines > 1) join_data(event);
  return true;
}

// Several data lines become one view; name and id stand behind it, so that one string holds all.
void Parser::join_data(Event* event) {
  std::string joined;
  joined.reserve(event->raw.size());
  std::string_view rest = event->raw;
  bool first = true;
  while (!rest.empty()) {
    std::string_view value;
    const std::string_view line = take_line(&rest);
    if (line.empty() || split_field(line, &value) != "data") continue;
    if (!first) joined += '\n';
    first = false;
    joined += value;
  }
  const size_t data_size = joined.size();
  const size_t name_size = event->name.size();
  joined += event->name;
  joined += event->id;
  carry_ = std::move(joined);
  delivered_ = true;
  event->raw = {};
  event->data = std::string_view(carry_).substr(0, data_size);
  event->name = std::string_view(carry_).substr(data_size, name_size);
  event->id = std::string_view(carry_).substr(data_size + name_size);
}

void Parser::drop_delivered() {
  if (!delivered_) return;
  release();
  delivered_ = false;
}

void Parser::release() {
  std::string().swap(carry_);  // an assignment would keep the memory
}

}  // namespace sluice::sse
