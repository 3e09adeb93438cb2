#include "app/config_tree.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace sluice::app {
namespace {

constexpr size_t kMaxNodes = 100'000;
constexpr size_t kMaxDepth = 64;

// Inside {...} and [...] YAML ends an unquoted scalar at '{', '}', ',', '#' and the like, so
// `{api_key: ${KEY}}` would not parse. These characters of a ${...} are swapped for control
// characters, which YAML does not allow in a file anyway, and swapped back in the scalars. One
// byte for one byte: places stay true.
constexpr std::string_view kSpecial = "{}[],:# ";
constexpr char kFirstStandIn = '\x0e';

std::string with_stand_ins(std::string_view text) {
  std::string out(text);
  for (size_t at = out.find("${"); at != std::string::npos; at = out.find("${", at + 2)) {
    const size_t end = out.find_first_of("}\"'\n\r", at + 2);
    if (end == std::string::npos || out[end] != '}') continue;
    for (size_t i = at + 1; i <= end; ++i) {
      const size_t special = kSpecial.find(out[i]);
      if (special != std::string_view::npos)
        out[i] = static_cast<char>(kFirstStandIn + static_cast<char>(special));
    }
  }
  return out;
}

std::string without_stand_ins(std::string text) {
  for (char& c : text)
    if (c >= kFirstStandIn && c < kFirstStandIn + static_cast<char>(kSpecial.size()))
      c = kSpecial[static_cast<size_t>(c - kFirstStandIn)];
  return text;
}

bool continues_utf8(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

int characters_in(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_utf8(c); }));
}

// Turns the parser's events into nodes. Never throws itself; the first complaint of its own stops
// it from growing further.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view source, const SourceText& text) : source_(source), text_(text) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(Node{.kind = Node::Kind::Null, .spot = spot_of(mark, 1)}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return refuse(spot_of(mark, 1), "this alias refers to itself");
    expanded_ += count(found->second);
    if (expanded_ > kMaxNodes)
      return refuse(spot_of(mark, 1), "the aliases expand to more than 100,000 nodes");
    add(found->second, 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node{
        .kind = Node::Kind::Scalar, .spot = spot_of(mark, 1), .text = without_stand_ins(value)};
    node.quoted = tag == "!";
    node.spot.length = length_of(mark, node.text);
    add(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::List, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::Map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

  void refuse_rest(const YAML::Mark& mark, Rule rule, std::string message) {
    refuse(spot_of(mark, 1), std::move(message), rule);
  }
  void refuse(Spot spot, std::string message, Rule rule = Rule::BadAlias) {
    if (stopped_) return;
    stopped_ = true;
    complain(spot, rule, std::move(message), "");
  }

  Tree take() {
    Tree tree;
    if (!stopped_) tree.root = has_root_ ? std::move(root_) : Node{};
    tree.diagnostics = std::move(diagnostics_);
    return tree;
  }
  bool has_root() const { return has_root_; }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    bool awaits_key = true;
    std::map<std::string, int> lines_of_keys;
  };

  static size_t count(const Node& node) {
    size_t total = 1;
    for (const auto& item : node.items) total += count(item);
    return total;
  }

  // The parser counts lines and bytes from 0.
  Spot spot_of(const YAML::Mark& mark, int length) const {
    const int line = std::max(0, mark.line) + 1;
    const auto before = text_.line(line).substr(0, static_cast<size_t>(std::max(0, mark.column)));
    return Spot{.line = line, .column = characters_in(before) + 1, .length = std::max(1, length)};
  }

  // How many characters a scalar takes in its line: as it stands, in quotes, or, where escapes or
  // line breaks make it differ from its value, all the rest of the line.
  int length_of(const YAML::Mark& mark, std::string_view value) const {
    auto line = text_.line(std::max(0, mark.line) + 1);
    line.remove_prefix(std::min(line.size(), static_cast<size_t>(std::max(0, mark.column))));
    const int length = std::max(1, characters_in(value));
    if (line.starts_with(value) && !value.empty()) return length;
    const bool quoted = line.starts_with('"') || line.starts_with('\'');
    if (quoted && line.substr(1).starts_with(value)) return length + 2;
    return std::max(1, characters_in(line));
  }

  void complain(Spot spot, Rule rule, std::string message, std::string hint) {
    diagnostics_.push_back(Diagnostic{
        .rule = rule,
        .place = Place{std::string(source_), spot.line, spot.column, spot.length},
        .key = "",
        .message = std::move(message),
        .hint = std::move(hint),
        .excerpt = "",
    });
  }

  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxDepth) refuse(spot_of(mark, 1), "nested deeper than 64");
    open_.push_back(Open{.node = Node{.kind = kind, .spot = spot_of(mark, 1)}, .anchor = anchor});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (stopped_) return;
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      has_root_ = true;
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::List)
      parent.node.items.push_back(std::move(node));
    else if (std::exchange(parent.awaits_key, !parent.awaits_key))
      add_key(parent, node);
    else
      add_value(parent.node, std::move(node));
  }

  // "Nothing" stands nowhere: the parser's mark is wherever the next thing begins.
  static void add_value(Node& map, Node value) {
    if (value.kind == Node::Kind::Null) value.spot = map.keys.back().spot;
    map.items.push_back(std::move(value));
  }

  void add_key(Open& map, const Node& key) {
    if (key.kind != Node::Kind::Scalar)
      complain(key.spot, Rule::WrongShape, "a key must be a plain word", "");
    const auto [first, is_new] = map.lines_of_keys.emplace(key.text, key.spot.line);
    if (!is_new && key.kind == Node::Kind::Scalar)
      complain(key.spot, Rule::DuplicateKey, fmt::format("`{}` is written twice", key.text),
               fmt::format("first written in line {}", first->second));
    map.node.keys.push_back(Node::Key{key.text, key.spot});
  }

  std::string_view source_;
  const SourceText& text_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  Node root_;
  std::vector<Diagnostic> diagnostics_;
  size_t expanded_ = 0;
  bool stopped_ = false;
  bool has_root_ = false;
};

// A forbidden byte would either confuse the parser or be taken for a stand-in.
std::optional<Spot> first_control_character(const SourceText& text) {
  for (int number = 1; number <= text.line_count(); ++number) {
    const auto line = text.line(number);
    const auto bad = std::find_if(line.begin(), line.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 && c != '\t';
    });
    if (bad == line.end()) continue;
    const auto before = line.substr(0, static_cast<size_t>(bad - line.begin()));
    return Spot{.line = number, .column = characters_in(before) + 1};
  }
  return std::nullopt;
}

// The one place where the YAML library, which throws, is called.
void feed(TreeBuilder& builder, std::string_view text) {
  std::istringstream stream(with_stand_ins(text));
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    if (builder.has_root() && parser) {
      const SourceText unquoted;
      TreeBuilder second("", unquoted);
      if (parser.HandleNextDocument(second) && second.has_root())
        builder.refuse(Spot{}, "the file holds more than one document", Rule::NotOneMap);
    }
  } catch (const YAML::Exception& error) {
    builder.refuse_rest(error.mark, Rule::Syntax, without_stand_ins(error.msg));
  } catch (const std::exception& error) {
    builder.refuse(Spot{}, fmt::format("not readable as YAML: {}", error.what()), Rule::Syntax);
  }
}

}  // namespace

std::string_view word_for(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::Null:
      return "nothing";
    case Node::Kind::Scalar:
      return "a value";
    case Node::Kind::List:
      return "a list";
    case Node::Kind::Map:
      return "a map";
  }
  return "nothing";
}

SourceText::SourceText(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines_.emplace_back(line);
    text.remove_prefix(std::min(text.size(), end + 1));
  }
}

std::string_view SourceText::line(int number) const {
  if (number < 1 || static_cast<size_t>(number) > lines_.size()) return {};
  return lines_[static_cast<size_t>(number - 1)];
}

Tree parse_tree(std::string_view source, std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const SourceText lines(text);
  TreeBuilder builder(source, lines);
  if (const auto bad = first_control_character(lines))
    builder.refuse(*bad, "a control character", Rule::Syntax);
  else
    feed(builder, text);
  Tree tree = builder.take();
  tree.text = lines;
  return tree;
}

}  // namespace sluice::app
