#include "telemetry/usage_export.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <simdjson.h>
#include <vector>

#include "telemetry/csv_reader.h"
#include "telemetry/export_columns.h"
#include "telemetry/json_elements.h"
#include "telemetry/model_name.h"

namespace sluice::telemetry {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kFormats[] = {"auto",       "openai",  "anthropic",
                                         "openrouter", "portkey", "snowflake"};
constexpr std::string_view kFigureNames[kFigures] = {
    "requests", "prompt", "input", "cache_read", "cache_write",
    "output",   "tokens", "cost",  "upstream",   "credits"};
constexpr size_t kPiece = 256 << 10;
constexpr int64_t kSecondsPerDay = 86'400;
constexpr double kNanos = 1e9;
constexpr double kNanosPerCent = 1e7;
constexpr double kMost = 9e18;

// Names in lower case, values as text; a later one of the same name stands beside the first.
using Fields = std::vector<std::pair<std::string, std::string>>;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<double> number(std::string_view text) {
  if (text.starts_with('$')) text.remove_prefix(1);
  double value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

void flatten(dom::element value, const std::string& name, Fields& fields) {
  if (dom::object object; value.get(object) == simdjson::SUCCESS) {
    for (const auto& [key, inner] : object)
      flatten(inner, (name.empty() ? "" : name + ".") + lower(key), fields);
  } else if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
    fields.emplace_back(name, text);
  } else if (!value.is_array() && !value.is_null()) {
    fields.emplace_back(name, simdjson::minify(value));
  }
}

class Reader {
 public:
  explicit Reader(ExportFormat format) { sums_.format = format; }

  // False: error() says why.
  bool take(const Fields& fields);
  bool take_json(std::string_view text);
  bool take_row(std::span<const std::string> row);

  const std::optional<Error>& error() const { return error_; }
  Result<ExportSums> result() &&;

 private:
  bool fail(std::string_view what);
  bool recognise(const Fields& fields);
  bool add(const Column& column, const std::string& value, Figures& figures);

  ExportSums sums_;
  std::vector<std::string> header_;
  dom::parser parser_;
  std::optional<Error> error_;
};

bool Reader::fail(std::string_view what) {
  error_ = Error(Outcome::BadRequest, fmt::format("record {}: {}", sums_.records, what));
  return false;
}

bool Reader::recognise(const Fields& fields) {
  if (sums_.format != ExportFormat::Auto) return true;
  for (const Column& column : export_columns()) {
    if (!column.signature) continue;
    for (const auto& [name, value] : fields) {
      if (name == column.name) sums_.format = column.format;
    }
    if (sums_.format != ExportFormat::Auto) return true;
  }
  error_ = Error(Outcome::BadRequest, "this is no export that is known; --format names one");
  return false;
}

bool Reader::add(const Column& column, const std::string& value, Figures& figures) {
  const auto figure = static_cast<size_t>(column.figure);
  sums_.states[figure] = true;
  if (column.role == Role::Record) {
    figures[figure] += 1;
    return true;
  }
  if (value.empty()) return true;
  const auto amount = number(value);
  const double scale =
      column.role == Role::Count ? 1 : (column.role == Role::Money ? kNanos : kNanosPerCent);
  if (!amount || std::abs(*amount * scale) > kMost)
    return fail(fmt::format("`{}` is no number: {}", column.name, value.substr(0, 40)));
  figures[figure] += std::llround(*amount * scale);
  return true;
}

bool Reader::take(const Fields& fields) {
  ++sums_.records;
  if (!recognise(fields)) return false;
  Figures figures{};
  std::optional<int64_t> day;
  std::string model;
  bool counted = false;
  for (const Column& column : export_columns()) {
    if (column.format != sums_.format) continue;
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& field) { return field.first == column.name; });
    if (found == fields.end()) continue;
    const std::string& value = found->second;
    if (column.role == Role::Moment) {
      if (!day && !(day = day_of(value))) return fail("has no date that can be read: " + value);
    } else if (column.role == Role::Model || column.role == Role::LineItem) {
      const size_t end = column.role == Role::LineItem ? value.find(',') : std::string::npos;
      if (model.empty()) model = common_model_name(value.substr(0, end));
    } else {
      counted = true;
      if (!add(column, value, figures)) return false;
    }
  }
  if (!day) return fail("has no date");
  if (!counted) return true;  // a day on which nothing was used
  Figures& sum = sums_.sums[{*day, model}];
  for (size_t i = 0; i < kFigures; ++i) sum[i] += figures[i];
  return true;
}

// A record, or a day with its `results`.
bool Reader::take_json(std::string_view text) {
  dom::element root;
  if (parser_.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) {
    ++sums_.records;
    return fail("is no JSON");
  }
  Fields outer;
  flatten(root, "", outer);
  dom::array results;
  if (root["results"].get(results) != simdjson::SUCCESS) return take(outer);
  for (const dom::element result : results) {
    Fields fields = outer;
    flatten(result, "", fields);
    if (!take(fields)) return false;
  }
  return true;
}

bool Reader::take_row(std::span<const std::string> row) {
  if (header_.empty()) {
    Fields names;
    for (const std::string& name : row) {
      header_.push_back(lower(name));
      names.emplace_back(header_.back(), "");
    }
    return recognise(names);
  }
  if (row.size() != header_.size()) {
    ++sums_.records;
    return fail(fmt::format("has {} fields, the header {}", row.size(), header_.size()));
  }
  Fields fields;
  for (size_t i = 0; i < row.size(); ++i) fields.emplace_back(header_[i], row[i]);
  return take(fields);
}

Result<ExportSums> Reader::result() && {
  if (error_) return *std::move(error_);
  return std::move(sums_);
}

// Hands the file on in pieces, the first of which decides what it is.
class Feed {
 public:
  Feed(Reader& reader)
      : csv_([&reader](std::span<const std::string> row) { return reader.take_row(row); }),
        json_([&reader](std::string_view record) { return reader.take_json(record); }) {}

  Result<void> feed(std::string_view piece) {
    if (!decided_) {
      const size_t first = piece.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
      if (first == std::string_view::npos) return {};
      decided_ = true;
      is_json_ = piece[first] == '{' || piece[first] == '[';
      piece.remove_prefix(first);
    }
    return is_json_ ? json_.feed(piece) : csv_.feed(piece);
  }
  Result<void> finish() {
    if (!decided_) return Error(Outcome::BadRequest, "the file is empty");
    return is_json_ ? json_.finish() : csv_.finish();
  }

 private:
  CsvReader csv_;
  JsonElements json_;
  bool decided_ = false;
  bool is_json_ = false;
};

}  // namespace

std::optional<ExportFormat> export_format_named(std::string_view name) {
  for (size_t i = 0; i < std::size(kFormats); ++i) {
    if (kFormats[i] == name) return static_cast<ExportFormat>(i);
  }
  return std::nullopt;
}

std::string_view name_of(ExportFormat format) {
  return kFormats[static_cast<size_t>(format)];
}

std::string_view name_of(Figure figure) {
  return kFigureNames[static_cast<size_t>(figure)];
}

std::string common_model_name(std::string_view model) {
  if (const size_t slash = model.rfind('/'); slash != std::string_view::npos)
    model.remove_prefix(slash + 1);
  std::string name = normal_name(without_date(model.substr(0, model.find(':'))));
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::optional<int64_t> day_of(std::string_view moment) {
  const auto digits = [&moment](size_t from, size_t count) -> std::optional<int64_t> {
    if (moment.size() < from + count) return std::nullopt;
    int64_t value = 0;
    const char* end = moment.data() + from + count;
    const auto read = std::from_chars(moment.data() + from, end, value);
    if (read.ec != std::errc() || read.ptr != end || value < 0) return std::nullopt;
    return value;
  };
  if (moment.find_first_not_of("0123456789") == std::string_view::npos && !moment.empty()) {
    const auto seconds = digits(0, moment.size());
    return seconds ? std::optional(*seconds / kSecondsPerDay) : std::nullopt;
  }
  const auto year = digits(0, 4);
  const auto month = digits(5, 2);
  const auto date = digits(8, 2);
  if (!year || !month || !date || moment[4] != '-' || moment[7] != '-') return std::nullopt;
  const std::chrono::year_month_day ymd{std::chrono::year(static_cast<int>(*year)),
                                        std::chrono::month(static_cast<unsigned>(*month)),
                                        std::chrono::day(static_cast<unsigned>(*date))};
  if (!ymd.ok()) return std::nullopt;
  int64_t seconds = std::chrono::sys_days(ymd).time_since_epoch().count() * kSecondsPerDay;
  if (moment.size() > 10) {
    const auto hour = digits(11, 2);
    const auto minute = digits(14, 2);
    if (!hour || !minute || *hour > 24 || *minute > 59) return std::nullopt;
    seconds += (*hour * 60 + *minute) * 60 + digits(17, 2).value_or(0);
    if (const size_t sign = moment.find_first_of("+-", 16); sign != std::string_view::npos) {
      const auto hours = digits(sign + 1, 2);
      const auto minutes = digits(sign + (moment.find(':', sign) == sign + 3 ? 4 : 3), 2);
      if (!hours) return std::nullopt;
      const int64_t offset = (*hours * 60 + minutes.value_or(0)) * 60;
      seconds += moment[sign] == '+' ? -offset : offset;
    }
  }
  return seconds / kSecondsPerDay;
}

Result<ExportSums> read_export(std::istream& in, ExportFormat format,
                               const std::function<void(int64_t)>& read_bytes) {
  Reader reader(format);
  Feed feed(reader);
  std::string piece(kPiece, '\0');
  int64_t read = 0;
  while (in && !reader.error()) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const auto size = static_cast<size_t>(in.gcount());
    if (auto fed = feed.feed(std::string_view(piece).substr(0, size)); !fed) {
      return std::move(fed).error();
    }
    read += in.gcount();
    read_bytes(read);
  }
  if (in.bad()) return Error(Outcome::BadRequest, "the file cannot be read");
  if (!reader.error()) {
    if (auto finished = feed.finish(); !finished) return std::move(finished).error();
  }
  return std::move(reader).result();
}

}  // namespace sluice::telemetry
