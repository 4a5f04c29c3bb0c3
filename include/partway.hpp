// partway.hpp: C++17 over partway.h, header only.
//
// The rules of partway.h hold, and what a function there says of blocking, threads and errors holds for the one that calls it here. Beyond them: what is made
// here frees itself; errors are exceptions of the type partway::Error; texts that you are given are std::string_view, valid as long as what they were found in.
// Client, Request, Source, Config, Change and Call move and do not copy: what was moved from is NULL to the library, which refuses it. Everything else is a
// holder of something shared, cheap to copy; moving one copies it. An exception that leaves a callback of yours ends there: nothing can be done about it on
// the library's thread.
//
// The names of numbers (partway_state_name and its like) and the versions are used as partway.h has them.
#ifndef PARTWAY_HPP
#define PARTWAY_HPP

#include "partway.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace partway {

/** A text that is given out; empty when there is none. */
inline std::string_view text(const partway_text_t &text) noexcept {
    return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.len);
}

/** A text that you give, in UTF-8, or bytes where bytes are asked for. nullptr, also as a pointer, is none, which is not the same as an empty one. */
class Text {
  public:
    constexpr Text(std::nullptr_t) noexcept {}
    Text(const char *text) noexcept : data_(text), size_(text == nullptr ? 0 : std::char_traits<char>::length(text)) {}
    constexpr Text(std::string_view text) noexcept : data_(text.data() == nullptr ? "" : text.data()), size_(text.size()) {}
    Text(const std::string &text) noexcept : Text(std::string_view(text)) {}

    constexpr const char *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }

  private:
    const char *data_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail {

template <typename T, void (*free)(T *)> struct Free {
    void operator()(T *pointer) const noexcept { free(pointer); }
};
/** The one holder of something of the library's. */
template <typename T, void (*free)(T *)> using Handle = std::unique_ptr<T, Free<T, free>>;

/** One of several holders. It is copied also where it could be moved: what was moved from still has its own. */
template <typename T, void (*free)(T *)> class Shared {
  public:
    explicit Shared(T *pointer) : pointer_(pointer, free) {}
    Shared(const Shared &) noexcept = default;
    Shared &operator=(const Shared &) noexcept = default;
    ~Shared() = default;

    T *get() const noexcept { return pointer_.get(); }

  private:
    std::shared_ptr<T> pointer_;
};

/** A text in a view; empty when there is no view. */
template <typename View> std::string_view text_in(const View *view, partway_text_t View::*field) noexcept {
    return view == nullptr ? std::string_view() : text(view->*field);
}

/** What a number may be given as. */
template <typename N> using IfNumber = std::enable_if_t<std::is_integral_v<N> || std::is_enum_v<N>, int>;

} // namespace detail

/** What went wrong. */
class Error : public std::exception {
  public:
    /** Takes the error over. */
    explicit Error(partway_error_t *error) : error_(error) {}

    const partway_error_t *operator->() const noexcept { return error_.get(); }
    std::uint32_t code() const noexcept { return number(&partway_error_t::code); }
    std::uint32_t remedy() const noexcept { return number(&partway_error_t::remedy); }
    std::uint32_t disposition() const noexcept { return number(&partway_error_t::disposition); }
    std::string_view name() const noexcept { return detail::text_in(error_.get(), &partway_error_t::name); }
    std::string_view detail() const noexcept { return detail::text_in(error_.get(), &partway_error_t::detail); }
    std::string_view log_line() const noexcept { return detail::text_in(error_.get(), &partway_error_t::log_line); }
    const char *what() const noexcept override {
        const char *line = log_line().data();
        return line == nullptr ? "" : line;
    }

  private:
    std::uint32_t number(std::uint32_t partway_error_t::*field) const noexcept {
        return error_.get() == nullptr ? 0 : error_.get()->*field;
    }
    detail::Shared<partway_error_t, partway_error_free> error_;
};

namespace detail {

/** True: done; false: the time was over. Everything else is thrown. */
template <typename Call> bool in_time(Call call) {
    partway_error_t *error = nullptr;
    const partway_status_t status = call(&error);
    if (error != nullptr) throw Error(error);
    return status == PARTWAY_OK;
}

/** False when the error is of that kind. Every other one is thrown. */
template <typename Call> bool unless(std::uint32_t code, Call call) {
    partway_error_t *error = nullptr;
    const partway_status_t status = call(&error);
    if (status != code && error != nullptr) throw Error(error);
    partway_error_free(error);
    return status == PARTWAY_OK;
}

/** An array that the library fills with what is to be freed. */
template <typename T, void (*free)(T *)> class Places {
  public:
    explicit Places(std::size_t count) : places_(count) {}
    Places(const Places &) = delete;
    Places &operator=(const Places &) = delete;
    ~Places() {
        for (T *place : places_) free(place);
    }

    T **data() noexcept { return places_.data(); }
    bool has(std::size_t at) const noexcept { return places_[at] != nullptr; }
    T *take(std::size_t at) noexcept { return std::exchange(places_[at], nullptr); }

  private:
    std::vector<T *> places_;
};

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

namespace detail {

/** Something to be read, as partway.h describes it. */
template <typename T, void (*free)(T *)> class View {
  public:
    /** Takes it over. */
    explicit View(T *view) : view_(view) {}

    const T *operator->() const noexcept { return view_.get(); }
    const T &operator*() const noexcept { return *view_.get(); }

  private:
    Shared<T, free> view_;
};

} // namespace detail

/** Everything about one upload at one moment. */
class Snapshot : public detail::View<partway_snapshot_t, partway_snapshot_free> {
  public:
    using View::View;

    std::string_view id() const noexcept { return detail::text_in(operator->(), &partway_snapshot_t::id); }
    std::string_view key() const noexcept { return detail::text_in(operator->(), &partway_snapshot_t::key); }
    bool ended() const noexcept { return partway_snapshot_ended(operator->()); }
    bool completed() const noexcept { return ended() && operator->()->state == PARTWAY_STATE_COMPLETED; }
};

/** Why an upload does not move, and what would move it. */
using Explanation = detail::View<partway_explanation_t, partway_explanation_free>;
/** The digests of a source. */
using Digests = detail::View<partway_digests_t, partway_digests_free>;
/** What the service itself tells of an upload. */
using RemoteTask = detail::View<partway_remote_task_t, partway_remote_task_free>;

/** What a look at the service led to. */
struct RemoteLook {
    /** PARTWAY_LOOK_…. */
    std::uint32_t look;
    /** There with PARTWAY_LOOK_FOUND. */
    std::optional<RemoteTask> task;
};

/**
 * Bytes that you read. Called on threads of the library, and within Client::start, Client::start_all and Source::digest on the thread of the call, as
 * partway_reader_t says. An exception counts as a source that can't be read. Deleted when nothing holds it any more, on any thread.
 */
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
    static Source path(const Text &path, bool delete_at_end = false) {
        return made([&](partway_source_t **out, partway_error_t **error) {
            return partway_source_new_path(path.data(), path.size(), delete_at_end, out, error);
        });
    }

    /** owned: the descriptor is the library's once this has returned; else it is duplicated. size_bytes PARTWAY_NONE: to its end. */
    static Source fd(int fd, bool owned, std::uint64_t offset = 0, std::uint64_t size_bytes = PARTWAY_NONE) {
        return made([&](partway_source_t **out, partway_error_t **error) {
            return partway_source_new_fd(fd, owned, offset, size_bytes, out, error);
        });
    }

    static Source memory(const void *data, std::size_t size) {
        return made([&](partway_source_t **out, partway_error_t **error) {
            return partway_source_new_memory(static_cast<const std::uint8_t *>(data), size, out, error);
        });
    }

    static Source later(const Text &token) {
        return made([](partway_source_t **out, partway_error_t **error) { return partway_source_new_later(out, error); })
            .token(token);
    }

    static Source reader(std::unique_ptr<Reader> reader) {
        partway_reader_t table{};
        table.struct_size = sizeof table;
        table.context = reader.get();
        table.release = [](void *context) { delete static_cast<Reader *>(context); };
        // Without a reader there is none of its functions, and the library refuses it.
        if (reader == nullptr) return taken(table);
        table.length = [](void *context, std::uint64_t *out_length) -> partway_status_t {
            return told([&] { *out_length = static_cast<Reader *>(context)->length(); });
        };
        table.read_at = [](void *context, std::uint64_t offset, std::uint8_t *buffer, std::size_t size,
                           std::size_t *out_count) -> partway_status_t {
            return told([&] { *out_count = static_cast<Reader *>(context)->read_at(offset, buffer, size); });
        };
        table.concurrent = reader->concurrent() ? 1 : 0;
        Source source = taken(table);
        reader.release(); // The library's, until it is released.
        return source;
    }

    /** Reads it once, here. part_size_bytes: also the states of SHA-256 at each multiple of it, itself one of 64. Blocks. */
    Digests digest(std::optional<std::uint64_t> part_size_bytes = std::nullopt) const {
        partway_digests_t *digests = nullptr;
        detail::in_time([&](partway_error_t **error) {
            return partway_source_digest(source_.get(), part_size_bytes.value_or(PARTWAY_NONE), &digests, error);
        });
        return Digests(digests);
    }

    Source token(const Text &token) && {
        detail::in_time([&](partway_error_t **error) {
            const auto *bytes = reinterpret_cast<const std::uint8_t *>(token.data());
            return partway_source_set_token(source_.get(), bytes, token.size(), error);
        });
        return std::move(*this);
    }

    const partway_source_t *get() const noexcept { return source_.get(); }

  private:
    static Source taken(const partway_reader_t &table) {
        return made([&](partway_source_t **out, partway_error_t **error) {
            return partway_source_new_reader(&table, out, error);
        });
    }

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

    /** nullptr: none. */
    Request &set(std::uint32_t field, const Text &value) & {
        return done([&](partway_error_t **error) {
            return partway_request_set_text(request_.get(), field, value.data(), value.size(), error);
        });
    }
    template <typename N, detail::IfNumber<N> = 0> Request &set(std::uint32_t field, N number) & {
        return done([&](partway_error_t **error) {
            return partway_request_set_number(request_.get(), field, static_cast<std::int64_t>(number), error);
        });
    }
    Request &add(std::uint32_t field, const Text &name, const Text &value) & {
        return done([&](partway_error_t **error) {
            return partway_request_add_pair(request_.get(), field, name.data(), name.size(), value.data(), value.size(), error);
        });
    }
    Request &source(const Source &source) & {
        return done([&](partway_error_t **error) { return partway_request_set_source(request_.get(), source.get(), error); });
    }

    template <typename Value> Request &&set(std::uint32_t field, const Value &value) && { return std::move(set(field, value)); }
    Request &&add(std::uint32_t field, const Text &name, const Text &value) && {
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
    template <typename N, detail::IfNumber<N> = 0> Change &set(std::uint32_t field, N number) {
        detail::in_time([&](partway_error_t **error) {
            return partway_change_set_number(change_.get(), field, static_cast<std::int64_t>(number), error);
        });
        return *this;
    }
    /** nullptr: none. */
    Change &set(std::uint32_t field, const Text &value) {
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
    explicit CredentialAsk(partway_credential_ask_t *ask) : ask_(ask) {}

    std::string_view account() const noexcept { return text(partway_credential_ask_account(ask_.get())); }
    std::uint32_t service() const noexcept { return partway_credential_ask_service(ask_.get()); }
    std::uint32_t why() const noexcept { return partway_credential_ask_why(ask_.get()); }
    /** expires_in_ms: how long it will do from now; PARTWAY_NONE: you do not know. */
    void supply_token(const Text &token, std::uint64_t expires_in_ms = PARTWAY_NONE) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_credential_ask_supply_token(ask_.get(), token.data(), token.size(), expires_in_ms, error);
        });
    }
    void supply_app_key(const Text &app_id, const Text &app_secret, const Text &user_id) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_credential_ask_supply_app_key(ask_.get(), app_id.data(), app_id.size(), app_secret.data(),
                                                         app_secret.size(), user_id.data(), user_id.size(), error);
        });
    }
    /** The secret stays with you: Host::on_sign is asked for every request. */
    void supply_app_signer(const Text &app_id, const Text &user_id) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_credential_ask_supply_app_signer(ask_.get(), app_id.data(), app_id.size(), user_id.data(),
                                                            user_id.size(), error);
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
    detail::Shared<partway_credential_ask_t, partway_credential_ask_free> ask_;
};

/** A question for a source. Answer it once, from any thread; dropped it counts as "gone". */
class SourceAsk {
  public:
    /** Takes the ask over. */
    explicit SourceAsk(partway_source_ask_t *ask) : ask_(ask) {}

    std::string_view upload_id() const noexcept { return text(partway_source_ask_upload_id(ask_.get())); }
    std::string_view key() const noexcept { return text(partway_source_ask_key(ask_.get())); }
    std::string_view token() const noexcept { return text(partway_source_ask_token(ask_.get())); }
    /** Your own notes of the upload, by name. */
    std::vector<std::pair<std::string_view, std::string_view>> tags() const {
        std::size_t count = 0;
        const partway_pair_t *pairs = partway_source_ask_tags(ask_.get(), &count);
        std::vector<std::pair<std::string_view, std::string_view>> tags;
        tags.reserve(count);
        for (std::size_t i = 0; i < count; i++) tags.emplace_back(text(pairs[i].name), text(pairs[i].value));
        return tags;
    }
    /** Why it could not be opened without you; as long as the ask. */
    const partway_error_t *why() const noexcept { return partway_source_ask_why(ask_.get()); }
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
    detail::Shared<partway_source_ask_t, partway_source_ask_free> ask_;
};

/** A request to be signed in an application's name. Answer it once, from any thread; dropped it counts as refused. */
class SignAsk {
  public:
    /** Takes the ask over. */
    explicit SignAsk(partway_sign_ask_t *ask) : ask_(ask) {}

    std::string_view account() const noexcept { return text(partway_sign_ask_account(ask_.get())); }
    std::uint32_t service() const noexcept { return partway_sign_ask_service(ask_.get()); }
    std::string_view app_id() const noexcept { return text(partway_sign_ask_app_id(ask_.get())); }
    std::string_view canonical_request() const noexcept { return text(partway_sign_ask_canonical_request(ask_.get())); }
    /** KooDrive: the signature is the lower-case hex of HMAC-SHA256 over these bytes, the application's secret being the key. */
    std::string_view string_to_sign() const noexcept { return text(partway_sign_ask_string_to_sign(ask_.get())); }
    void supply(const Text &signature) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_sign_ask_supply(ask_.get(), signature.data(), signature.size(), error);
        });
    }
    void refuse() const {
        detail::in_time([&](partway_error_t **error) { return partway_sign_ask_refuse(ask_.get(), error); });
    }

  private:
    detail::Shared<partway_sign_ask_t, partway_sign_ask_free> ask_;
};

/** A request to carry, and the place for its answer. Answer it once, from any thread; dropped unanswered it counts as a connection that broke. */
class Call {
  public:
    /** Takes the call over. */
    explicit Call(partway_call_t *call) noexcept : call_(call) {}

    /** What to send; it holds secrets. As long as the call; nullptr for one that was moved from. */
    const partway_http_request_t *request() const noexcept { return partway_call_request(call_.get()); }
    /** The next bytes of the body; 0 at its end. An error: the call is over. Blocks. */
    std::size_t read_body(void *buffer, std::size_t size) const {
        std::size_t count = 0;
        detail::in_time([&](partway_error_t **error) {
            return partway_call_read_body(call_.get(), static_cast<std::uint8_t *>(buffer), size, &count, error);
        });
        return count;
    }
    /** Back to the first byte. Blocks. */
    void rewind_body() const {
        detail::in_time([&](partway_error_t **error) { return partway_call_rewind_body(call_.get(), error); });
    }
    /** Where the body's bytes lie, when they are those of a file: to be read there, and told with sent. Blocks. */
    std::optional<partway_body_range_t> body_range() const noexcept {
        partway_body_range_t range{};
        range.struct_size = sizeof range;
        return partway_call_body_range(call_.get(), &range) ? std::optional<partway_body_range_t>(range) : std::nullopt;
    }
    void sent(std::uint64_t bytes) const noexcept { partway_call_sent(call_.get(), bytes); }
    bool is_cancelled() const noexcept { return partway_call_is_cancelled(call_.get()); }
    /** What to do at the moment when nobody wants the answer any more: on any thread, here as well when that is past. It must not block. */
    void on_cancel(std::function<void()> hook) const {
        auto kept = std::make_unique<std::function<void()>>(std::move(hook));
        detail::in_time([&](partway_error_t **error) {
            return partway_call_on_cancel(
                call_.get(), [](void *context) { detail::harmless(*static_cast<std::function<void()> *>(context)); },
                kept.get(), [](void *context) { delete static_cast<std::function<void()> *>(context); }, error);
        });
        kept.release(); // The library's, until it is released; it may be gone already.
    }
    /** The answer. False: it was too late, or not the first. */
    bool respond(std::uint32_t status, const std::vector<std::pair<std::string, std::string>> &headers,
                 const Text &body) const {
        std::vector<partway_pair_t> pairs;
        pairs.reserve(headers.size());
        for (const auto &[name, value] : headers)
            pairs.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
        return detail::unless(PARTWAY_ERROR_WRONG_STATE, [&](partway_error_t **error) {
            return partway_call_respond(call_.get(), status, pairs.data(), pairs.size(),
                                        reinterpret_cast<const std::uint8_t *>(body.data()), body.size(), error);
        });
    }
    /** There is no answer: PARTWAY_FAULT_…. False: it was too late, or not the first. */
    bool fail(std::uint32_t fault) const {
        return detail::unless(PARTWAY_ERROR_WRONG_STATE, [&](partway_error_t **error) {
            return partway_call_fail(call_.get(), fault, error);
        });
    }

  private:
    detail::Handle<partway_call_t, partway_call_free> call_;
};

/** Carries requests in the place of the library, as partway_transport_t says. Deleted after its last call, when nothing holds it any more, on any thread. */
class Transport {
  public:
    virtual ~Transport() = default;
    /** Called on threads of its own, several at once; it may block, and answer here or later. An exception drops the call. */
    virtual void execute(Call call) = 0;
};

/** What you give to a client; leave empty what you do not provide. */
struct Host {
    /** All but on_log are called on one thread of the library, in order, and delay each other. They may call the client, but what waits does not wait there. */
    std::function<void(const std::vector<Snapshot> &)> on_changes{};
    std::function<void(const std::vector<std::string_view> &)> on_forgotten{};
    std::function<void(const partway_idle_t &)> on_idle{};
    std::function<void(CredentialAsk)> on_credential{};
    std::function<void(SourceAsk)> on_source{};
    std::function<void(SignAsk)> on_sign{};
    std::function<void(std::uint32_t level, std::string_view target, std::string_view line)> on_log{};
};

/** How a client is opened. */
class Config {
  public:
    explicit Config(const Text &state_dir) { set(PARTWAY_CONFIG_STATE_DIR, state_dir); }

    /** nullptr: none. */
    Config &set(std::uint32_t field, const Text &value) {
        detail::in_time([&](partway_error_t **error) {
            return partway_config_set_text(config_.get(), field, value.data(), value.size(), error);
        });
        return *this;
    }
    template <typename N, detail::IfNumber<N> = 0> Config &set(std::uint32_t field, N number) {
        detail::in_time([&](partway_error_t **error) {
            return partway_config_set_number(config_.get(), field, static_cast<std::int64_t>(number), error);
        });
        return *this;
    }
    Config &limits(const partway_limits_t &limits) {
        detail::in_time([&](partway_error_t **error) { return partway_config_set_limits(config_.get(), &limits, error); });
        return *this;
    }
    Config &network(const partway_network_t &network) {
        detail::in_time([&](partway_error_t **error) {
            return partway_config_set_network(config_.get(), &network, error);
        });
        return *this;
    }
    Config &transport(std::unique_ptr<Transport> transport) {
        partway_transport_t table{};
        table.struct_size = sizeof table;
        table.context = transport.get();
        table.release = [](void *context) { delete static_cast<Transport *>(context); };
        // Without a transport there is no such function, and the library refuses it.
        if (transport != nullptr) {
            table.execute = [](void *context, partway_call_t *call) {
                detail::harmless([&] { static_cast<Transport *>(context)->execute(Call(call)); });
            };
        }
        this->transport(table);
        transport.release(); // The library's, until it is released.
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
        if (kept->on_sign) {
            table.on_sign = [](void *context, partway_sign_ask_t *ask) {
                detail::harmless([&] { static_cast<Host *>(context)->on_sign(SignAsk(ask)); });
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
    explicit Upload(partway_upload_t *upload) : upload_(upload) {}

    std::string_view id() const noexcept { return of(partway_upload_id(upload_.get())); }
    /** The id of the upload whose proof this one took over, as partway_upload_continued_from says; empty without one. */
    std::string_view continued_from() const noexcept { return of(partway_upload_continued_from(upload_.get())); }
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
    Explanation explain() const {
        partway_explanation_t *explanation = nullptr;
        detail::in_time([&](partway_error_t **error) {
            return partway_upload_explain(upload_.get(), &explanation, error);
        });
        return Explanation(explanation);
    }
    /** JSON for a bug report. Blocks. */
    std::string timeline_json() const {
        partway_string_t *json = nullptr;
        detail::in_time([&](partway_error_t **error) { return partway_upload_timeline_json(upload_.get(), &json, error); });
        const detail::Handle<partway_string_t, partway_string_free> held(json);
        return std::string(text(json->text));
    }
    /** Asks the service for its own view. Blocks; refused in a callback. */
    RemoteLook look_remote() const {
        std::uint32_t look = 0;
        partway_remote_task_t *task = nullptr;
        detail::in_time([&](partway_error_t **error) {
            return partway_upload_look_remote(upload_.get(), &look, &task, error);
        });
        return {look, task == nullptr ? std::optional<RemoteTask>() : std::optional<RemoteTask>(RemoteTask(task))};
    }

  private:
    static std::string_view of(const char *id) noexcept { return id == nullptr ? std::string_view() : std::string_view(id); }
    template <typename Verb> void call(Verb verb) const {
        detail::in_time([&](partway_error_t **error) { return verb(upload_.get(), error); });
    }
    detail::Shared<partway_upload_t, partway_upload_free> upload_;
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

/** One of many starts: the one or the other. */
struct StartResult {
    std::optional<Started> started{};
    std::optional<Error> error{};
};

/** A journal that could not be read at open. It was left as it is, or set aside; no other upload is harmed. */
struct Problem {
    /** Whose. */
    std::string id;
    /** Why. */
    Error error;
};

/**
 * A client: one a state directory and process. Its functions may be called by several threads at once. Opening it, start, start_all, forget and sign_out
 * block for the disk; close, hold and wait_idle wait; no other blocks. Destroying it ends what is under way and does not wait: callbacks may still be running,
 * so what they refer to must outlive them, or close it first.
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
    /** Starts many together, and gives a result for each, in their order. One that is refused harms no other. */
    std::vector<StartResult> start_all(const std::vector<Request> &requests) const {
        const std::size_t count = requests.size();
        std::vector<const partway_request_t *> given;
        given.reserve(count);
        for (const Request &request : requests) given.push_back(request.get());
        detail::Places<partway_upload_t, partway_upload_free> uploads(count);
        detail::Places<partway_error_t, partway_error_free> errors(count);
        std::vector<std::uint32_t> hows(count);
        std::vector<StartResult> results(count);
        partway_error_t *error = nullptr;
        partway_client_start_all(client_.get(), given.data(), count, uploads.data(), hows.data(), errors.data(), &error);
        detail::Handle<partway_error_t, partway_error_free> first(error);
        bool told = false;
        for (std::size_t i = 0; i < count; i++) {
            told = told || errors.has(i);
            if (uploads.has(i)) results[i].started = Started{Upload(uploads.take(i)), hows[i]};
            if (errors.has(i)) results[i].error = Error(errors.take(i));
        }
        // An error of none of them is one of the call.
        if (first != nullptr && !told) throw Error(first.release());
        return results;
    }
    Upload upload(const Text &id) const {
        partway_upload_t *upload = nullptr;
        detail::in_time([&](partway_error_t **error) {
            return partway_client_upload(client_.get(), id.data(), id.size(), &upload, error);
        });
        return Upload(upload);
    }
    std::optional<Snapshot> find(const Text &key) const {
        partway_snapshot_t *snapshot = nullptr;
        const bool found = detail::unless(PARTWAY_ERROR_UNKNOWN_UPLOAD, [&](partway_error_t **error) {
            return partway_client_find(client_.get(), key.data(), key.size(), &snapshot, error);
        });
        return found ? std::optional<Snapshot>(Snapshot(snapshot)) : std::nullopt;
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
    void set_token(const Text &account, const Text &token, std::uint64_t expires_in_ms = PARTWAY_NONE) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_client_set_token(client_.get(), account.data(), account.size(), token.data(), token.size(),
                                            expires_in_ms, error);
        });
    }
    void set_app_key(const Text &account, const Text &app_id, const Text &app_secret, const Text &user_id) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_client_set_app_key(client_.get(), account.data(), account.size(), app_id.data(), app_id.size(),
                                              app_secret.data(), app_secret.size(), user_id.data(), user_id.size(), error);
        });
    }
    void set_app_signer(const Text &account, const Text &app_id, const Text &user_id) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_client_set_app_signer(client_.get(), account.data(), account.size(), app_id.data(),
                                                 app_id.size(), user_id.data(), user_id.size(), error);
        });
    }
    /** then: PARTWAY_SIGN_OUT_…. */
    void sign_out(const Text &account, std::uint32_t then) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_client_sign_out(client_.get(), account.data(), account.size(), then, error);
        });
    }
    /** nullptr: none. */
    void set_proxy(const Text &proxy) const {
        detail::in_time([&](partway_error_t **error) {
            return partway_client_set_proxy(client_.get(), proxy.data(), proxy.size(), error);
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

    /** Journals that could not be read at open. */
    std::vector<Problem> problems() const {
        std::vector<Problem> problems;
        const std::size_t count = partway_client_problem_count(client_.get());
        problems.reserve(count);
        for (std::size_t i = 0; i < count; i++) {
            char id[PARTWAY_ID_SIZE] = "";
            partway_error_t *problem = nullptr;
            detail::in_time([&](partway_error_t **error) {
                return partway_client_problem(client_.get(), i, id, &problem, error);
            });
            Error why(problem);
            problems.push_back({id, why});
        }
        return problems;
    }

    /** As partway.h has it. */
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
