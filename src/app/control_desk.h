// Where organisations, teams, keys and end users' policy are made and changed: what the admin API
// made (control.db) and what the file says, together. A change is checked by the table of the
// configuration, built, stored with its audit row, and in force on every loop before it is
// confirmed; what fails on the way changes nothing.
//
// Used by the control thread, and by the main thread before that is started.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/control.h"
#include "app/config.h"
#include "app/config_tree.h"
#include "app/control_thread.h"
#include "app/governance_stack.h"
#include "app/settings.h"
#include "base/id.h"
#include "base/log.h"
#include "governance/control_store.h"
#include "governance/directory.h"
#include "governance/sealed_secret.h"
#include "telemetry/body_store.h"

namespace sluice::app {

using DirectoryPointer = std::shared_ptr<const governance::Directory>;

class ControlDesk final : public api::Control {
 public:
  struct Parts {
    const Clock& clock;
    Logger& log;
    GovernanceStack& governance;
    ControlThread& thread;
    telemetry::BodyStore& bodies;
    std::string ledger_path;
    std::string data_dir;
    std::string config_file;
    // Returns when every loop works by it.
    std::function<void(const DirectoryPointer&)> apply;
    // Loads the configuration anew; what it says is in force on every loop when this returns.
    // Errors: the old one stays.
    std::function<Result<void>(std::string_view why)> reload;
    // As it is now; nothing: there is none.
    std::function<Result<std::optional<governance::SecretsKey>>()> secrets_key;
    // The other instances, if there are any.
    std::function<void(std::vector<governance::Revocation>)> tell_others;
  };
  // Opens the store, and sees to it that <data_dir>/admin-token holds a token of role admin.
  static Result<std::unique_ptr<ControlDesk>> open(Parts parts);

  // What the file and the admin API say together. Errors: a name is in both, or an object of the
  // API does not fit the file ("keys.prod.team"). Accounts get their policies: what is not adopted
  // must be undone.
  struct Candidate {
    Settings settings;
    DirectoryPointer directory;
  };
  Result<Candidate> candidate(const Settings& file);
  void adopt(Candidate candidate);
  void undo();

  // Texts of keys that were revoked on other instances. Before the first candidate().
  Result<void> remember(const std::vector<governance::Revocation>& revoked);
  // Likewise, and in force on every loop when it returns.
  void hear(const std::vector<governance::Revocation>& revoked);
  // All that is known of them.
  std::vector<governance::Revocation> revoked() const;

  // The audit row of a configuration file that is read anew; secrets are masked.
  Result<void> note_reload(const std::vector<Change>& changes);

  bool post(std::function<void()> work) override;
  std::optional<api::Admin> admin_of(std::string_view token) override;
  void note_refused(std::string_view peer, std::string_view why) override;
  api::AdminAnswer list(const api::AdminCall& call) override;
  api::AdminAnswer get(const api::AdminCall& call) override;
  api::AdminAnswer create(const api::AdminCall& call) override;
  api::AdminAnswer change(const api::AdminCall& call) override;
  api::AdminAnswer remove(const api::AdminCall& call) override;
  api::AdminAnswer rotate(const api::AdminCall& call) override;
  api::AdminAnswer revoke(const api::AdminCall& call) override;
  api::AdminAnswer budgets(const api::AdminCall& call) override;
  api::AdminAnswer audit(const api::AdminCall& call) override;
  api::AdminAnswer show_bodies(const api::AdminCall& call) override;
  api::AdminAnswer forget_bodies(const api::AdminCall& call) override;
  api::AdminAnswer list_tokens(const api::AdminCall& call) override;
  api::AdminAnswer create_token(const api::AdminCall& call) override;
  api::AdminAnswer remove_token(const api::AdminCall& call) override;
  api::AdminAnswer list_secrets(const api::AdminCall& call) override;
  api::AdminAnswer get_secret(const api::AdminCall& call) override;
  api::AdminAnswer put_secret(const api::AdminCall& call) override;
  api::AdminAnswer remove_secret(const api::AdminCall& call) override;

 private:
  using ObjectId = std::pair<governance::ObjectKind, std::string>;
  struct State {
    Settings settings;  // the file's, and the objects
    std::map<ObjectId, governance::StoredObject> objects;
    std::vector<governance::StoredText> texts;          // in the order they were made
    std::map<governance::Digest, std::string> revoked;  // KeyDigest::shared -> key
  };
  // Writes what differs; gets the number of the audit row.
  using Write = std::function<void(governance::ControlStore::Change&, int64_t revision)>;
  using WriteMore = std::function<void(governance::ControlStore::Change&)>;

  ControlDesk(Parts parts, governance::ControlStore store, governance::ControlContent content);
  Result<void> keep_local_token();
  // A wrong one must not be found out at the next reload.
  Result<void> check_secrets_key() const;
  std::string secret_json(const governance::SealedSecret& secret) const;
  // Nothing is in `to` where there is none of that name. The answer: the store cannot be read.
  std::optional<api::AdminAnswer> find_secret(std::string_view name,
                                              std::optional<governance::SealedSecret>& to) const;
  governance::DirectoryParts directory_parts_of(const State& state) const;
  // `next` differs in the object `id` and in what `more` writes. Nothing: it is stored and in
  // force.
  std::optional<api::AdminAnswer> put_in_force(State next, const ObjectId& id,
                                               governance::AuditNote note,
                                               const WriteMore& more = {});
  // A row of the audit chain that changes nothing here.
  Result<void> note(governance::AuditNote note);
  Result<int64_t> store(governance::AuditNote note, const Write& write);
  governance::AuditNote note_of(const api::AdminCall& call, std::string_view verb,
                                std::string_view target) const;

  // Why the object that a call is about cannot be changed.
  std::optional<api::AdminAnswer> unchangeable(const api::AdminCall& call) const;
  api::AdminAnswer missing(const api::AdminCall& call) const;
  // In place of the object's body; a body that is empty takes the policy of end users away.
  // `revoked`: texts of it that open nothing any more.
  api::AdminAnswer replace(const api::AdminCall& call, std::string_view verb, Node body,
                           const std::vector<governance::Revocation>& revoked = {});
  api::AdminAnswer revoke_filed(const api::AdminCall& call);
  // Its texts that still open something, as other instances know them.
  std::vector<governance::Revocation> texts_of(const KeySettings& key) const;
  // Its own fields, then what the gateway knows of it.
  Node described(Settings& settings, governance::ObjectKind kind, const std::string& name) const;
  void describe_key(Node& node, const Settings& settings, const std::string& name) const;
  api::AdminAnswer answer_with(const api::AdminCall& call, const std::string& name, int status,
                               const Secret& key = Secret());
  governance::StoredText text_of(const std::string& key, const Secret& secret) const;
  // "sk-sluice-…x7Kq" of the newest text; empty: not known.
  std::string shown(const std::string& key) const;
  // Why nothing is kept of a request.
  api::AdminAnswer not_kept(const std::string& request_id, const RequestIdParts& id) const;
  int64_t now() const { return parts_.clock.wall_micros(); }

  Parts parts_;
  governance::ControlStore store_;
  State state_;
  std::vector<governance::StoredToken> tokens_;
  // Refused calls are audited, a few a minute: whoever guesses must not fill the disk.
  int64_t refused_minute_ = 0;
  int64_t refused_count_ = 0;
};

}  // namespace sluice::app
