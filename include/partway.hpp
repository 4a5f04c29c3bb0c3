// partway.hpp: C++17 over partway.h, header only.
//
// The rules of partway.h hold. Beyond them: what is made here frees itself; errors are exceptions of the type partway::Error; texts that you are given are
// std::string_view, valid as long as what they were found in. Client, Request, Source, Config and Change move and do not copy; Snapshot and Error are
// cheap to copy. An exception that leaves a callback of yours ends there: nothing can be done about it on the library's thread.
#ifndef PARTWAY_HPP
#define PARTWAY_HPP

#include "partway.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace partway {

/** A text that is given out; empty when there is none. */
inline std::string_view text(const partway_text_t &text) noexcept {
    return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.len);
}

/** What went wrong. */
class Error : public std::exception {
  public:
    /** Takes the error over. */
    explicit Error(partway_error_t *error) : error_(error, partway_error_free) {}

    const partway_error_t *operator->() const noexcept { return error_.get(); }
    std::uint32_t code() const noexcept { return error_->code; }
    std::uint32_t remedy() const noexcept { return error_->remedy; }
    std::uint32_t disposition() const noexcept { return error_->disposition; }
    std::string_view name() const noexcept { return text(error_->name); }
    std::string_view detail() const noexcept { return text(error_->detail); }
    std::string_view log_line() const noexcept { return text(error_->log_line); }
    const char *what() const noexcept override { return error_->log_line.data; }

  private:
    std::shared_ptr<partway_error_t> error_;
};

namespace detail {

/** True: done; false: the time was over. Everything else is thrown. */
template <typename Call> bool in_time(Call call) {
    partway_error_t *error = nullptr;
    const partway_status_t status = call(&error);
    if (error != nullptr) throw Error(error);
    return status == PARTWAY_OK;
}

template <typename T, void (*free)(T *)> struct Free {
    void operator()(T *pointer) const noexcept { free(pointer); }
};
template <typename T, void (*free)(T *)> using Handle = std::unique_ptr<T, Free<T, free>>;

inline std::uint64_t milliseconds(std::optional<std::chrono::milliseconds> time) noexcept {
    return !time ? PARTWAY_FOREVER : time->count() < 0 ? 0 : static_cast<std::uint64_t>(time->count());
}

/** A callback of yours, from which nothing is thrown into the library. */
template <typename Call> void harmless(const Call &call) noexcept {
    try {
        call();
    } catch (...) {
    }
}

} // namespace detail

/** No time-out. */
inline constexpr std::optional<std::chrono::milliseconds> forever = std::nullopt;

/** Everything about one upload at one moment. */
class Snapshot {
  public:
    /** Takes the snapshot over. */
    explicit Snapshot(partway_snapshot_t *snapshot) : snapshot_(snapshot, partway_snapshot_free) {}

    const partway_snapshot_t *operator->() const noexcept { return snapshot_.get(); }
    const partway_snapshot_t &operator*() const noexcept { return *snapshot_; }
    std::string_view id() const noexcept { return text(snapshot_->id); }
    std::string_view key() const noexcept { return text(snapshot_->key); }
    bool ended() const noexcept { return partway_snapshot_ended(snapshot_.get()); }
    bool completed() const noexcept { return snapshot_->state == PARTWAY_STATE_COMPLETED; }

  private:
    std::shared_ptr<const partway_snapshot_t> snapshot_;
};

/** Bytes that you read. Called on threads of the library; an exception counts as a source that can't be read. */
class Reader {
  public:
    virtual ~Reader() = default;
    /** The whole length in bytes, now. */
    virtual std::uint64_t length() = 0;
    /** Fills the beginning of the buffer from the offset: how many bytes. */
    virtual std::size_t read_at(std::uint64_t offset, std::uint8_t *buffer, std::size_t size) = 0;
    /** True: several threads may read at once. */
    virtual bool concurrent() const { return false; }
};

/** The bytes to upload, and your own word for them. */
class Source {
  public:
    static Source path(std::string_view path, bool delete_at_end = false) {
        return made([&](partway_source_t **out, partway_error_t **error) {
            return partway_source_new_path(path.data(), path.size(), delete_at_end, out, error);
        });
    }

    static Source memory(const void *data, std::size_t size) {
        return made([&](partway_source_t **out, partway_error_t **error) {
            return partway_source_new_memory(static_cast<const std::uint8_t *>(data), size, out, error);
        });
    }

    static Source later(std::string_view token) {
        return made([](partway_source_t **out, partway_error_t **error) { return partway_source_new_later(out, error); })
            .token(token);
    }

    static Source reader(std::unique_ptr<Reader> reader) {
        partway_reader_t table{};
        table.struct_size = sizeof table;
        table.context = reader.get();
        table.release = [](void *context) { delete static_cast<Reader *>(context); };
        table.length = [](void *context, std::uint64_t *out_length) -> partway_status_t {
            return told([&] { *out_length = static_cast<Reader *>(context)->length(); });
        };
        table.read_at = [](void *context, std::uint64_t offset, std::uint8_t *buffer, std::size_t size,
                           std::size_t *out_count) -> partway_status_t {
            return told([&] { *out_count = static_cast<Reader *>(context)->read_at(offset, buffer, size); });
        };
        table.concurrent = reader->concurrent() ? 1 : 0;
        Source source = made([&](partway_source_t **out, partway_error_t **error) {
            return partway_source_new_reader(&table, out, error);
        });
        reader.release(); // The library's, until it is released.
        return source;
    }

    Source token(std::string_view token) && {
        detail::in_time([&](partway_error_t **error) {
            const auto *bytes = reinterpret_cast<const std::uint8_t *>(token.data());
            return partway_source_set_token(source_.get(), bytes, token.size(), error);
        });
        return std::move(*this);
    }

    const partway_source_t *get() const noexcept { return source_.get(); }

  private:
    template <typename Make> static Source made(Make make) {
        partway_source_t *source = nullptr;
        detail::in_time([&](partway_error_t **error) { return make(&source, error); });
        return Source(source);
    }

    template <typename Read> static partway_status_t told(Read read) noexcept {
        try {
            read();
            return PARTWAY_OK;
        } catch (const Error &error) {
            return error.code();
        } catch (...) {
            return PARTWAY_ERROR_SOURCE_UNREADABLE;
        }
    }

    explicit Source(partway_source_t *source) : source_(source) {}
    detail::Handle<partway_source_t, partway_source_free> source_;
};

/** One file to one place; the fields are those of partway.h. */
class Request {
  public:
    explicit Request(std::uint32_t service) {
        partway_request_t *request = nullptr;
        detail::in_time([&](partway_error_t **error) { return partway_request_new(service, &request, error); });
        request_.reset(request);
    }

    Request &set(std::uint32_t field, std::string_view value) & {
        return done([&](partway_error_t **error) {
            return partway_request_set_text(request_.get(), field, value.data(), value.size(), error);
        });
    }
    Request &set(std::uint32_t field, std::int64_t number) & {
        return done([&](partway_error_t **error) { return partway_request_set_number(request_.get(), field, number, error); });
    }
    Request &add(std::uint32_t field, std::string_view name, std::string_view value) & {
        return done([&](partway_error_t **error) {
            return partway_request_add_pair(request_.get(), field, name.data(), name.size(), value.data(), value.size(), error);
        });
    }
    Request &source(const Source &source) & {
        return done([&](partway_error_t **error) { return partway_request_set_source(request_.get(), source.get(), error); });
    }

    template <typename Value> Request &&set(std::uint32_t field, const Value &value) && { return std::move(set(field, value)); }
    Request &&add(std::uint32_t field, std::string_view name, std::string_view value) && {
        return std::move(add(field, name, value));
    }
    Request &&source(const Source &from) && { return std::move(source(from)); }

    const partway_request_t *get() const noexcept { return request_.get(); }

  private:
    template <typename Call> Request &done(Call call) {
        detail::in_time(call);
        return *this;
    }
    detail::Handle<partway_request_t, partway_request_free> request_;
};

/** What to change of uploads under way. */
class Change {
  public:
    Change &set(std::uint32_t field, std::int64_t number) {
        detail::in_time([&](partway_error_t **error) {
            return partway_change_set_number(change_.get(), field, number, error);
        });
        return *this;
    }
    Change &set(std::uint32_t field, std::string_view value) {
        detail::in_time([&](partway_error_t **error) {
            return partway_change_set_text(change_.get(), field, value.data(), value.size(), error);
        });
        return *this;
    }
    const partway_change_t *get() const noexcept { return change_.get(); }

  private:
    detail::Handle<partway_change_t, partway_change_free> change_{partway_change_new()};
};

/** A question for a credential. Answer it once, from any thread; dropped it counts as "not now". */
class CredentialAsk {
  public:
    /** Takes the ask over. */
    explicit CredentialAsk(partway_credential_ask_t *ask) : ask_(ask, partway_credential_ask_free) {}

    std::string_view account() const noexcept { return text(partway_credential_ask_account(ask_.get())); }
    std::uint32_t service() const noexcept { return partway_credential_ask_service(ask_.get()); }
    std::uint32_t why() const noexcept { return partway_credential_ask_why(ask_.get()); }
    /** expires_in_ms: how long it will do from now; PARTWAY_NONE: you do not know. */
    void supply_token(std::string_view token, std::uint64_t expires_in_ms = PARTWAY_NONE) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_credential_ask_supply_token(ask_.get(), token.data(), token.size(), expires_in_ms, error);
        });
    }
    void supply_app_key(std::string_view app_id, std::string_view app_secret, std::string_view user_id) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_credential_ask_supply_app_key(ask_.get(), app_id.data(), app_id.size(), app_secret.data(),
                                                         app_secret.size(), user_id.data(), user_id.size(), error);
        });
    }
    void later(std::uint64_t retry_in_ms = PARTWAY_NONE) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_credential_ask_later(ask_.get(), retry_in_ms, error);
        });
    }
    void signed_out() const {
        detail::in_time([&](partway_error_t **error) { return partway_credential_ask_signed_out(ask_.get(), error); });
    }

  private:
    std::shared_ptr<partway_credential_ask_t> ask_;
};

/** A question for a source. Answer it once, from any thread; dropped it counts as "gone". */
class SourceAsk {
  public:
    /** Takes the ask over. */
    explicit SourceAsk(partway_source_ask_t *ask) : ask_(ask, partway_source_ask_free) {}

    std::string_view upload_id() const noexcept { return text(partway_source_ask_upload_id(ask_.get())); }
    std::string_view key() const noexcept { return text(partway_source_ask_key(ask_.get())); }
    std::string_view token() const noexcept { return text(partway_source_ask_token(ask_.get())); }
    void supply(const Source &source) const {
        detail::in_time([&](partway_error_t **error) { return partway_source_ask_supply(ask_.get(), source.get(), error); });
    }
    void preparing(double fraction) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_source_ask_preparing(ask_.get(), fraction, error);
        });
    }
    void later(std::uint64_t retry_in_ms = PARTWAY_NONE) const {
        detail::in_time([&](partway_error_t **error) { return partway_source_ask_later(ask_.get(), retry_in_ms, error); });
    }
    void gone() const {
        detail::in_time([&](partway_error_t **error) { return partway_source_ask_gone(ask_.get(), error); });
    }

  private:
    std::shared_ptr<partway_source_ask_t> ask_;
};

/** What you give to a client; leave empty what you do not provide. */
struct Host {
    /** All but on_log are called on one thread of the library, in order, and delay each other. They may call the client, but what waits does not wait there. */
    std::function<void(const std::vector<Snapshot> &)> on_changes{};
    std::function<void(const std::vector<std::string_view> &)> on_forgotten{};
    std::function<void(const partway_idle_t &)> on_idle{};
    std::function<void(CredentialAsk)> on_credential{};
    std::function<void(SourceAsk)> on_source{};
    std::function<void(std::uint32_t level, std::string_view target, std::string_view line)> on_log{};
};

/** How a client is opened. */
class Config {
  public:
    explicit Config(std::string_view state_dir) { set(PARTWAY_CONFIG_STATE_DIR, state_dir); }

    Config &set(std::uint32_t field, std::string_view value) {
        detail::in_time([&](partway_error_t **error) {
            return partway_config_set_text(config_.get(), field, value.data(), value.size(), error);
        });
        return *this;
    }
    Config &set(std::uint32_t field, std::int64_t number) {
        detail::in_time([&](partway_error_t **error) {
            return partway_config_set_number(config_.get(), field, number, error);
        });
        return *this;
    }
    Config &limits(const partway_limits_t &limits) {
        detail::in_time([&](partway_error_t **error) { return partway_config_set_limits(config_.get(), &limits, error); });
        return *this;
    }
    Config &transport(const partway_transport_t &transport) {
        detail::in_time([&](partway_error_t **error) {
            return partway_config_set_transport(config_.get(), &transport, error);
        });
        return *this;
    }
    Config &host(Host host) {
        auto kept = std::make_unique<Host>(std::move(host));
        partway_host_t table{};
        table.struct_size = sizeof table;
        table.context = kept.get();
        table.release = [](void *context) { delete static_cast<Host *>(context); };
        if (kept->on_changes) {
            table.on_changes = [](void *context, const partway_snapshot_t *const *snapshots, std::size_t count) {
                detail::harmless([&] {
                    std::vector<Snapshot> changes;
                    changes.reserve(count);
                    for (std::size_t i = 0; i < count; i++) changes.emplace_back(partway_snapshot_copy(snapshots[i]));
                    static_cast<Host *>(context)->on_changes(changes);
                });
            };
        }
        if (kept->on_forgotten) {
            table.on_forgotten = [](void *context, const partway_text_t *ids, std::size_t count) {
                detail::harmless([&] {
                    std::vector<std::string_view> forgotten;
                    forgotten.reserve(count);
                    for (std::size_t i = 0; i < count; i++) forgotten.push_back(text(ids[i]));
                    static_cast<Host *>(context)->on_forgotten(forgotten);
                });
            };
        }
        if (kept->on_idle) {
            table.on_idle = [](void *context, const partway_idle_t *idle) {
                detail::harmless([&] { static_cast<Host *>(context)->on_idle(*idle); });
            };
        }
        if (kept->on_credential) {
            table.on_credential = [](void *context, partway_credential_ask_t *ask) {
                detail::harmless([&] { static_cast<Host *>(context)->on_credential(CredentialAsk(ask)); });
            };
        }
        if (kept->on_source) {
            table.on_source = [](void *context, partway_source_ask_t *ask) {
                detail::harmless([&] { static_cast<Host *>(context)->on_source(SourceAsk(ask)); });
            };
        }
        if (kept->on_log) {
            table.on_log = [](void *context, std::uint32_t level, partway_text_t target, partway_text_t line) {
                detail::harmless([&] { static_cast<Host *>(context)->on_log(level, text(target), text(line)); });
            };
        }
        detail::in_time([&](partway_error_t **error) { return partway_config_set_host(config_.get(), &table, error); });
        kept.release(); // The library's, until it is released.
        return *this;
    }

    const partway_config_t *get() const noexcept { return config_.get(); }

  private:
    detail::Handle<partway_config_t, partway_config_free> config_{partway_config_new()};
};

/** A reference to an upload; the upload does not depend on it. */
class Upload {
  public:
    /** Takes the reference over. */
    explicit Upload(partway_upload_t *upload) : upload_(upload, partway_upload_free) {}

    std::string_view id() const noexcept { return partway_upload_id(upload_.get()); }
    void pause() const { call(partway_upload_pause); }
    void resume() const { call(partway_upload_resume); }
    void cancel() const { call(partway_upload_cancel); }
    /** "I have stored how it ended." False: it has not ended. */
    bool forget() const {
        bool gone = false;
        detail::in_time([&](partway_error_t **error) { return partway_upload_forget(upload_.get(), &gone, error); });
        return gone;
    }
    void change(const Change &change) const {
        detail::in_time([&](partway_error_t **error) { return partway_upload_change(upload_.get(), change.get(), error); });
    }
    void answer_conflict(std::uint32_t choice) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_upload_answer_conflict(upload_.get(), choice, error);
        });
    }
    void attach_source(const Source &source) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_upload_attach_source(upload_.get(), source.get(), error);
        });
    }
    /** A failed or cancelled one begins again, under a new id. */
    Upload retry() const {
        partway_upload_t *upload = nullptr;
        detail::in_time([&](partway_error_t **error) { return partway_upload_retry(upload_.get(), &upload, error); });
        return Upload(upload);
    }
    Snapshot snapshot() const {
        partway_snapshot_t *snapshot = nullptr;
        detail::in_time([&](partway_error_t **error) { return partway_upload_snapshot(upload_.get(), &snapshot, error); });
        return Snapshot(snapshot);
    }
    /** The ending, or how things are when the time is over. */
    Snapshot wait(std::optional<std::chrono::milliseconds> timeout = forever) const {
        partway_snapshot_t *snapshot = nullptr;
        detail::in_time([&](partway_error_t **error) {
            return partway_upload_wait(upload_.get(), detail::milliseconds(timeout), &snapshot, error);
        });
        return Snapshot(snapshot);
    }
    /** A snapshot that is newer than the revision, or how things are when the time is over. */
    Snapshot wait_change(std::uint64_t revision, std::optional<std::chrono::milliseconds> timeout = forever) const {
        partway_snapshot_t *snapshot = nullptr;
        detail::in_time([&](partway_error_t **error) {
            return partway_upload_wait_change(upload_.get(), revision, detail::milliseconds(timeout), &snapshot, error);
        });
        return Snapshot(snapshot);
    }

  private:
    template <typename Verb> void call(Verb verb) const {
        detail::in_time([&](partway_error_t **error) { return verb(upload_.get(), error); });
    }
    std::shared_ptr<partway_upload_t> upload_;
};

/** Which uploads a call is for. */
struct Select {
    std::uint32_t which = PARTWAY_SELECT_ALL;
    std::string text{};

    static Select all() { return {}; }
    static Select id(std::string id) { return {PARTWAY_SELECT_ID, std::move(id)}; }
    static Select key(std::string key) { return {PARTWAY_SELECT_KEY, std::move(key)}; }
    static Select group(std::string group) { return {PARTWAY_SELECT_GROUP, std::move(group)}; }
    static Select account(std::string account) { return {PARTWAY_SELECT_ACCOUNT, std::move(account)}; }
};

/** What a start led to, PARTWAY_HOW_…. */
struct Started {
    Upload upload;
    std::uint32_t how;
};

/**
 * A client: one a state directory and process. Its functions may be called by several threads at once, and never block unless they say so: start, forget and
 * sign_out write the disk; close, hold and wait_idle wait. Destroying it ends what is under way and does not wait: callbacks may still be running, so what they
 * refer to must outlive them, or close it first.
 */
class Client {
  public:
    explicit Client(const Config &config) {
        partway_client_t *client = nullptr;
        detail::in_time([&](partway_error_t **error) { return partway_client_open(config.get(), &client, error); });
        client_.reset(client);
    }

    /**
     * Waits until all is at rest and no callback runs any more: then what your callbacks refer to may go. False: the time was too short, or it was called
     * in a callback.
     */
    bool close(std::optional<std::chrono::milliseconds> timeout) const {
        return detail::in_time([&](partway_error_t **error) {
            return partway_client_close(client_.get(), detail::milliseconds(timeout), error);
        });
    }
    Started start(const Request &request) const {
        partway_upload_t *upload = nullptr;
        std::uint32_t how = 0;
        detail::in_time([&](partway_error_t **error) {
            return partway_client_start(client_.get(), request.get(), &upload, &how, error);
        });
        return {Upload(upload), how};
    }
    Upload upload(std::string_view id) const {
        partway_upload_t *upload = nullptr;
        detail::in_time([&](partway_error_t **error) {
            return partway_client_upload(client_.get(), id.data(), id.size(), &upload, error);
        });
        return Upload(upload);
    }
    std::optional<Snapshot> find(std::string_view key) const {
        partway_snapshot_t *snapshot = nullptr;
        const auto status = partway_client_find(client_.get(), key.data(), key.size(), &snapshot, nullptr);
        return status == PARTWAY_OK ? std::optional<Snapshot>(Snapshot(snapshot)) : std::nullopt;
    }
    std::vector<Snapshot> list(const Select &select = {}) const {
        partway_list_t *list = nullptr;
        detail::in_time([&](partway_error_t **error) {
            return partway_client_list(client_.get(), select.which, select.text.data(), select.text.size(), &list, error);
        });
        const detail::Handle<partway_list_t, partway_list_free> held(list);
        std::vector<Snapshot> snapshots;
        for (std::size_t i = 0; i < partway_list_count(list); i++)
            snapshots.emplace_back(partway_snapshot_copy(partway_list_at(list, i)));
        return snapshots;
    }
    std::uint32_t pause(const Select &select) const { return verb(partway_client_pause, select); }
    std::uint32_t resume(const Select &select) const { return verb(partway_client_resume, select); }
    std::uint32_t cancel(const Select &select) const { return verb(partway_client_cancel, select); }
    std::uint32_t forget(const Select &select) const { return verb(partway_client_forget, select); }
    std::uint32_t change(const Select &select, const Change &change) const {
        std::uint32_t count = 0;
        detail::in_time([&](partway_error_t **error) {
            return partway_client_change(client_.get(), select.which, select.text.data(), select.text.size(), change.get(),
                                         &count, error);
        });
        return count;
    }
    void set_token(std::string_view account, std::string_view token, std::uint64_t expires_in_ms = PARTWAY_NONE) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_client_set_token(client_.get(), account.data(), account.size(), token.data(), token.size(),
                                            expires_in_ms, error);
        });
    }
    /** then: PARTWAY_SIGN_OUT_…. */
    void sign_out(std::string_view account, std::uint32_t then) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_client_sign_out(client_.get(), account.data(), account.size(), then, error);
        });
    }
    void set_network(const partway_network_t &network) const {
        detail::in_time([&](partway_error_t **error) { return partway_client_set_network(client_.get(), &network, error); });
    }
    void set_limits(const partway_limits_t &limits) const {
        detail::in_time([&](partway_error_t **error) { return partway_client_set_limits(client_.get(), &limits, error); });
    }
    void go() const {
        detail::in_time([&](partway_error_t **error) { return partway_client_go(client_.get(), error); });
    }
    /** Nothing is sent any more. at_rest == 0: the time was too short. Waits. */
    partway_idle_t hold(std::optional<std::chrono::milliseconds> timeout) const {
        return idle_of(partway_client_hold, detail::milliseconds(timeout));
    }
    /** Until nothing works. Waits. */
    partway_idle_t wait_idle(std::optional<std::chrono::milliseconds> timeout = forever) const {
        return idle_of(partway_client_wait_idle, detail::milliseconds(timeout));
    }
    partway_idle_t idle() const {
        partway_idle_t idle{};
        idle.struct_size = sizeof idle;
        detail::in_time([&](partway_error_t **error) { return partway_client_idle(client_.get(), &idle, error); });
        return idle;
    }

    /** For what is only in partway.h. */
    const partway_client_t *get() const noexcept { return client_.get(); }

  private:
    template <typename Verb> std::uint32_t verb(Verb verb, const Select &select) const {
        std::uint32_t count = 0;
        detail::in_time([&](partway_error_t **error) {
            return verb(client_.get(), select.which, select.text.data(), select.text.size(), &count, error);
        });
        return count;
    }
    template <typename Rest> partway_idle_t idle_of(Rest rest, std::uint64_t timeout_ms) const {
        partway_idle_t idle{};
        idle.struct_size = sizeof idle;
        detail::in_time([&](partway_error_t **error) { return rest(client_.get(), timeout_ms, &idle, error); });
        return idle;
    }
    detail::Handle<partway_client_t, partway_client_free> client_;
};

} // namespace partway

#endif
