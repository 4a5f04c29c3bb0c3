/* What the tests in C share: the emulator, driven over its control interface, and a host that counts what it is told. */
#ifndef WORLD_H
#define WORLD_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <partway.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEXT(text) (text), PARTWAY_NUL_TERMINATED
#define MIB (1024 * 1024)
/* Nothing takes so long; a test that waits for it has failed. */
#define LONG_MS 120000

#define CHECK(what)                                                                \
    do {                                                                           \
        if (!(what)) {                                                             \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);     \
            exit(1);                                                               \
        }                                                                          \
    } while (0)

#define GOOD(call)                                                                                        \
    do {                                                                                                  \
        partway_error_t *error = NULL;                                                                    \
        partway_status_t status = (call);                                                                 \
        if (status != PARTWAY_OK) {                                                                       \
            fprintf(stderr, "%s:%d: %s: status %" PRIu32 " %s\n", __FILE__, __LINE__, #call, status,      \
                    error ? error->detail.data : "");                                                     \
            exit(1);                                                                                      \
        }                                                                                                 \
        CHECK(error == NULL);                                                                             \
    } while (0)

#define BAD(expected, call)                                                                               \
    do {                                                                                                  \
        partway_error_t *error = NULL;                                                                    \
        partway_status_t status = (call);                                                                 \
        if (status != (expected)) {                                                                       \
            fprintf(stderr, "%s:%d: %s: status %" PRIu32 "\n", __FILE__, __LINE__, #call, status);        \
            exit(1);                                                                                      \
        }                                                                                                 \
        CHECK(error != NULL && error->code == (expected) && error->detail.len > 0);                       \
        partway_error_free(error);                                                                        \
    } while (0)

static const char *api, *control;

static inline int equal(partway_text_t text, const char *word) {
    return text.data != NULL && text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

/* ---- the emulator */

/* One request to the control interface; its answer's body, to be freed. */
static inline char *ask(const char *method, const char *path, const char *body) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strrchr(control, ':') + 1))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    char head[512];
    int length = snprintf(head, sizeof head,
                          "%s %s HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", method, path,
                          strlen(body));
    CHECK(write(fd, head, (size_t)length) == length);
    CHECK(write(fd, body, strlen(body)) == (ssize_t)strlen(body));
    size_t size = 0, room = 1 << 16;
    char *answer = malloc(room);
    for (ssize_t count; (count = read(fd, answer + size, room - size - 1)) > 0;) {
        size += (size_t)count;
        if (room - size < 4096) answer = realloc(answer, room *= 2);
    }
    close(fd);
    answer[size] = 0;
    if (strncmp(answer, "HTTP/1.1 2", 10) != 0) fprintf(stderr, "%s %s %s: %s\n", method, path, body, answer);
    CHECK(strncmp(answer, "HTTP/1.1 2", 10) == 0);
    char *start = strstr(answer, "\r\n\r\n");
    CHECK(start != NULL);
    memmove(answer, start + 4, strlen(start + 4) + 1);
    return answer;
}

static inline void say(const char *path, const char *body) { free(ask("POST", path, body)); }

static inline size_t occurrences(const char *path, const char *word) {
    char *text = ask("GET", path, "");
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word)) count++;
    free(text);
    return count;
}

static inline size_t objects(void) { return occurrences("/objects", "\"file_id\""); }

/* The one object of that path has exactly these bytes of a file. */
static inline void stored_range(const char *path, const char *file, size_t offset, size_t size) {
    char wanted[300] = "\"path\":[\"";
    for (const char *at = path; *at != 0; at++) {
        CHECK(strlen(wanted) + 8 < sizeof wanted);
        if (*at == '/')
            strcat(wanted, "\",\"");
        else
            strncat(wanted, at, 1);
    }
    strcat(wanted, "\"]");
    char *all = ask("GET", "/objects", "");
    char *object = strstr(all, wanted);
    CHECK(object != NULL && strstr(object + 1, wanted) == NULL);
    /* The keys of an object stand in the order of the alphabet. */
    char *name = NULL;
    for (char *at = all; (at = strstr(at, "\"file\":\"")) != NULL && at < object;) name = at += strlen("\"file\":\"");
    CHECK(name != NULL);
    name[strcspn(name, "\"")] = 0;
    FILE *theirs = fopen(name, "rb"), *ours = fopen(file, "rb");
    CHECK(theirs != NULL && ours != NULL && fseek(ours, (long)offset, SEEK_SET) == 0);
    for (size_t at = 0; at < size; at++) {
        int byte = getc(theirs);
        CHECK(byte != EOF && byte == getc(ours));
    }
    CHECK(getc(theirs) == EOF);
    CHECK(fclose(theirs) == 0 && fclose(ours) == 0);
    free(all);
}

static inline size_t size_of(const char *file) {
    struct stat about;
    CHECK(stat(file, &about) == 0);
    return (size_t)about.st_size;
}

/* The one object of that path is the file. */
static inline void stored(const char *path, const char *file) { stored_range(path, file, 0, size_of(file)); }

/* So many parts are taken, the others stand still. */
static inline void stall_after(unsigned parts) {
    char rule[100];
    snprintf(rule, sizeof rule, "{\"step\":\"part\",\"how\":\"stall\",\"after_bytes\":1000,\"after\":%u}", parts);
    say("/rules", rule);
}

static inline void no_rules(void) { free(ask("DELETE", "/rules", "")); }

/* Requests that came to where a rule lets them stand. */
static inline size_t standing(void) { return occurrences("/log", "\"stands\":true"); }

/* ---- time and files */

static inline int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A bound of time for a machine that does nothing else. Valgrind runs one thread at a time and each many times slower: whoever runs the program under it says
 * how many times longer is still in time (xtask/src/c.rs). */
static inline int64_t bound_ms(int64_t ms) {
    const char *slower = getenv("TIMES_SLOWER");
    return slower != NULL ? ms * atoi(slower) : ms;
}

/* Waits until something is so, looking again and again. */
#define UNTIL(what)                                                                         \
    do {                                                                                    \
        int64_t began = now_ms();                                                           \
        while (!(what)) {                                                                   \
            if (now_ms() - began > LONG_MS) CHECK(!"in time" || !#what);                    \
            nanosleep(&(struct timespec){0, 2000000}, NULL);                                \
        }                                                                                   \
    } while (0)

/* A file of so many bytes, different for each seed. */
static inline const char *file_of(const char *name, size_t size, uint64_t seed) {
    FILE *file = fopen(name, "wb");
    CHECK(file != NULL);
    seed = seed * 2862933555777941757u + 3037000493u;
    for (size_t at = 0; at < size; at += 8) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        size_t count = size - at < 8 ? size - at : 8;
        CHECK(fwrite(&seed, 1, count, file) == count);
    }
    CHECK(fclose(file) == 0);
    return name;
}

/* ---- a host */

typedef struct {
    pthread_mutex_t lock;
    partway_client_t *client;
    const char *token; /* What an ask is answered with; NULL: not now. */
    int released, changes, idles, asks, endings, lines;
} host_state_t;

static inline int counted(host_state_t *host, const int *counter) {
    pthread_mutex_lock(&host->lock);
    int count = *counter;
    pthread_mutex_unlock(&host->lock);
    return count;
}

static inline void count(host_state_t *host, int *counter) {
    pthread_mutex_lock(&host->lock);
    CHECK(host->released == 0); /* Nothing is called after the release. */
    ++*counter;
    pthread_mutex_unlock(&host->lock);
}

static inline void on_release(void *context) {
    host_state_t *host = context;
    count(host, &host->released);
}

static inline void on_changes(void *context, const partway_snapshot_t *const *snapshots, size_t many) {
    host_state_t *host = context;
    count(host, &host->changes);
    for (size_t i = 0; i < many; i++)
        if (partway_snapshot_ended(snapshots[i])) count(host, &host->endings);
}

static inline void on_idle(void *context, const partway_idle_t *idle) {
    host_state_t *host = context;
    CHECK(idle->struct_size >= sizeof *idle);
    count(host, &host->idles);
}

static inline void on_log(void *context, uint32_t level, partway_text_t target, partway_text_t line) {
    host_state_t *host = context;
    CHECK(level >= PARTWAY_LOG_ERROR && level <= PARTWAY_LOG_DEBUG && target.len > 0 && line.len > 0);
    CHECK(strstr(line.data, "sandbox-token") == NULL);
    count(host, &host->lines);
}

static inline void on_credential(void *context, partway_credential_ask_t *ask) {
    host_state_t *host = context;
    count(host, &host->asks);
    CHECK(equal(partway_credential_ask_account(ask), "me") && partway_credential_ask_service(ask) == PARTWAY_SERVICE_SMH);
    if (host->token != NULL) GOOD(partway_credential_ask_supply_token(ask, TEXT(host->token), PARTWAY_NONE, &error));
    partway_credential_ask_free(ask);
}

#define HOST_STATE                                                        \
    {                                                                     \
        .lock = PTHREAD_MUTEX_INITIALIZER, .token = "sandbox-token"       \
    }

static inline partway_host_t host_of(host_state_t *state) {
    partway_host_t host = {.struct_size = sizeof host,
                           .context = state,
                           .release = on_release,
                           .on_changes = on_changes,
                           .on_idle = on_idle,
                           .on_credential = on_credential,
                           .on_log = on_log};
    return host;
}

/* A client over a directory; rate_bytes_per_s 0: as fast as it goes. */
static inline partway_client_t *open_with(const char *dir, const partway_host_t *host, uint64_t rate_bytes_per_s, bool go) {
    partway_config_t *config = partway_config_new();
    partway_client_t *client = NULL;
    partway_limits_t limits = {.struct_size = sizeof limits, .rate_bytes_per_s = rate_bytes_per_s};
    GOOD(partway_config_set_text(config, PARTWAY_CONFIG_STATE_DIR, TEXT(dir), &error));
    GOOD(partway_config_set_number(config, PARTWAY_CONFIG_AUTOSTART, go, &error));
    GOOD(partway_config_set_limits(config, &limits, &error));
    GOOD(partway_config_set_number(config, PARTWAY_CONFIG_LOG_LEVEL, PARTWAY_LOG_DEBUG, &error));
    if (host != NULL) GOOD(partway_config_set_host(config, host, &error));
    GOOD(partway_client_open(config, &client, &error));
    partway_config_free(config);
    return client;
}

static inline partway_client_t *open_client(const char *dir, host_state_t *state, uint64_t rate_bytes_per_s) {
    partway_host_t host = host_of(state);
    state->client = open_with(dir, &host, rate_bytes_per_s, true);
    return state->client;
}

/* Closes well, and waits for the release: the context lives on the stack of its test. */
static inline void end(host_state_t *state) {
    GOOD(partway_client_close(state->client, LONG_MS, &error));
    partway_client_free(state->client);
    state->client = NULL;
    UNTIL(counted(state, &state->released) == 1);
}

/* ---- uploads */

static inline partway_request_t *request_for(const char *key, const char *path, partway_source_t *source) {
    partway_request_t *request = NULL;
    GOOD(partway_request_new(PARTWAY_SERVICE_SMH, &request, &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_KEY, TEXT(key), &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_ENDPOINT, TEXT(api), &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_ACCOUNT, TEXT("me"), &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_LIBRARY, TEXT("smh-sandbox"), &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_PATH, TEXT(path), &error));
    GOOD(partway_request_set_number(request, PARTWAY_REQUEST_CREATE_PARENTS, 1, &error));
    GOOD(partway_request_set_number(request, PARTWAY_REQUEST_SMH_MODE, PARTWAY_SMH_MODE_MULTIPART, &error));
    GOOD(partway_request_set_number(request, PARTWAY_REQUEST_PART_SIZE_BYTES, MIB, &error));
    GOOD(partway_request_set_number(request, PARTWAY_REQUEST_INSTANT, PARTWAY_INSTANT_OFF, &error));
    GOOD(partway_request_set_source(request, source, &error));
    return request;
}

static inline partway_request_t *request_of(const char *key, const char *path, const char *file) {
    partway_source_t *source = NULL;
    GOOD(partway_source_new_path(TEXT(file), false, &source, &error));
    partway_request_t *request = request_for(key, path, source);
    partway_source_free(source);
    return request;
}

static inline partway_upload_t *begin(partway_client_t *client, partway_request_t *request) {
    partway_upload_t *upload = NULL;
    uint32_t how = 0;
    GOOD(partway_client_start(client, request, &upload, &how, &error));
    CHECK(how == PARTWAY_HOW_NEW && strlen(partway_upload_id(upload)) == PARTWAY_ID_SIZE - 1);
    partway_request_free(request);
    return upload;
}

static inline partway_snapshot_t *look(partway_upload_t *upload) {
    partway_snapshot_t *snapshot = NULL;
    GOOD(partway_upload_snapshot(upload, &snapshot, &error));
    return snapshot;
}

/* Waits for a snapshot that is as it should be; to be freed. */
static inline partway_snapshot_t *until(partway_upload_t *upload, int (*good)(const partway_snapshot_t *)) {
    int64_t began = now_ms();
    for (partway_snapshot_t *snapshot = look(upload);;) {
        if (good(snapshot)) return snapshot;
        CHECK(!partway_snapshot_ended(snapshot));
        CHECK(now_ms() - began < LONG_MS);
        uint64_t revision = snapshot->revision;
        partway_snapshot_free(snapshot);
        CHECK(partway_upload_wait_change(upload, revision, 1000, &snapshot, NULL) <= PARTWAY_TIMED_OUT);
    }
}

static inline int is_active(const partway_snapshot_t *s) { return s->state == PARTWAY_STATE_ACTIVE; }
static inline int has_two_parts(const partway_snapshot_t *s) { return s->parts_done == 2; }
static inline int is_paused(const partway_snapshot_t *s) { return s->state == PARTWAY_STATE_PAUSED; }
static inline int has_a_part(const partway_snapshot_t *s) { return s->parts_done >= 1; }
static inline int waits_for(const partway_snapshot_t *s, uint32_t reason) {
    return s->state == PARTWAY_STATE_WAITING && s->waiting->reason == reason;
}
static inline int waits_for_credential(const partway_snapshot_t *s) { return waits_for(s, PARTWAY_WAITING_CREDENTIAL); }
static inline int waits_for_conflict(const partway_snapshot_t *s) { return waits_for(s, PARTWAY_WAITING_CONFLICT); }
static inline int waits_for_source(const partway_snapshot_t *s) { return waits_for(s, PARTWAY_WAITING_SOURCE); }
static inline int is_held(const partway_snapshot_t *s) { return waits_for(s, PARTWAY_WAITING_HELD); }
static inline int waits_for_a_person(const partway_snapshot_t *s) {
    return s->state == PARTWAY_STATE_WAITING && s->waiting->needs_host;
}

static inline void gone_to(partway_upload_t *upload, int (*good)(const partway_snapshot_t *)) {
    partway_snapshot_free(until(upload, good));
}

/* Waits for the ending; to be freed. */
static inline partway_snapshot_t *ended(partway_upload_t *upload) {
    partway_snapshot_t *snapshot = NULL;
    GOOD(partway_upload_wait(upload, LONG_MS, &snapshot, &error));
    CHECK(partway_snapshot_ended(snapshot));
    return snapshot;
}

static inline partway_snapshot_t *completed(partway_upload_t *upload) {
    partway_snapshot_t *snapshot = ended(upload);
    if (snapshot->error != NULL) fprintf(stderr, "%s: %s\n", snapshot->error->log_line.data, snapshot->error->detail.data);
    CHECK(snapshot->state == PARTWAY_STATE_COMPLETED && snapshot->receipt != NULL);
    CHECK(snapshot->receipt->size_bytes == snapshot->bytes_total && snapshot->bytes_shown == snapshot->bytes_total);
    return snapshot;
}

static inline void done(partway_upload_t *upload) {
    partway_snapshot_free(completed(upload));
    partway_upload_free(upload);
}

#endif
