/* What no scenario needs, each used once as a host would: beyond API CONTROL NAME, in an empty directory. */
#include "world.h"

/* ---- counters that callbacks and the test share */

static pthread_mutex_t counters_lock = PTHREAD_MUTEX_INITIALIZER;

static void add(int *counter) {
    pthread_mutex_lock(&counters_lock);
    ++*counter;
    pthread_mutex_unlock(&counters_lock);
}

static int sum(const int *counter) {
    pthread_mutex_lock(&counters_lock);
    int count = *counter;
    pthread_mutex_unlock(&counters_lock);
    return count;
}

/* ---- descriptors and digests */

/* The cloud has come to the same digests. */
static void as_in_the_cloud(const partway_digests_t *digests) {
    char wanted[120];
    snprintf(wanted, sizeof wanted, "\"sha256\":\"%s\"", digests->sha256.data);
    CHECK(occurrences("/objects", wanted) == 1);
    snprintf(wanted, sizeof wanted, "\"crc64\":\"%s\"", digests->crc64.data);
    CHECK(occurrences("/objects", wanted) == 1);
    snprintf(wanted, sizeof wanted, "\"beginning_hash\":\"%s\"", digests->beginning_hash.data);
    CHECK(occurrences("/objects", wanted) == 1);
    snprintf(wanted, sizeof wanted, "\"full_hash\":\"%s\"", digests->full_hash.data);
    CHECK(occurrences("/objects", wanted) == 1);
}

static partway_digests_t *digest_of(partway_source_t *source) {
    partway_digests_t *digests = NULL;
    GOOD(partway_source_digest(source, PARTWAY_NONE, &digests, &error));
    return digests;
}

static void a_range_of_a_descriptor(void) {
    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("ranges", &host, 0);
    int fd = open(file_of("both", 5 * MIB, 21), O_RDONLY);
    CHECK(fd >= 0);
    partway_source_t *source = NULL;
    GOOD(partway_source_new_fd(fd, false, MIB, 3 * MIB, &source, &error));
    /* It was duplicated: ours is ours. */
    CHECK(close(fd) == 0);
    partway_digests_t *digests = digest_of(source);
    CHECK(digests->size_bytes == 3 * MIB && digests->midstates_count == 0);
    /* KooDrive's digest of the beginning is the SHA-256 of the first KiB. */
    int beginning_fd = open("both", O_RDONLY);
    partway_source_t *beginning = NULL;
    GOOD(partway_source_new_fd(beginning_fd, true, MIB, 1024, &beginning, &error));
    partway_digests_t *of_beginning = digest_of(beginning);
    CHECK(digests->pre_hash.len == 64 && equal(digests->pre_hash, of_beginning->sha256.data));
    partway_digests_free(of_beginning);
    partway_source_free(beginning);
    partway_digests_t *in_parts = NULL;
    GOOD(partway_source_digest(source, MIB, &in_parts, &error));
    CHECK(in_parts->midstates_count == 2 && in_parts->midstates[0].part_number == 2 && in_parts->midstates[1].offset == 2 * MIB);
    partway_digests_free(in_parts);
    done(begin(client, request_for("range", "range.bin", source)));
    as_in_the_cloud(digests);
    stored_range("range.bin", "both", MIB, 3 * MIB);
    partway_digests_free(digests);
    partway_source_free(source);

    fd = open("both", O_RDONLY);
    GOOD(partway_source_new_fd(fd, true, 0, PARTWAY_NONE, &source, &error));
    digests = digest_of(source);
    done(begin(client, request_for("whole", "whole.bin", source)));
    as_in_the_cloud(digests);
    stored("whole.bin", "both");
    partway_digests_free(digests);
    partway_source_free(source);

    int ends[2];
    CHECK(pipe(ends) == 0);
    GOOD(partway_source_new_fd(ends[0], true, 0, PARTWAY_NONE, &source, &error));
    partway_request_t *request = request_for("pipe", "pipe.bin", source);
    BAD(PARTWAY_ERROR_SOURCE_NOT_SEEKABLE, partway_client_start(client, request, NULL, NULL, &error));
    partway_request_free(request);
    partway_source_free(source);
    close(ends[1]);
    end(&host);
}

/* ---- a network that costs something */

static int needs_network(const partway_snapshot_t *s) { return waits_for(s, PARTWAY_WAITING_NETWORK); }
static int network_not_allowed(const partway_snapshot_t *s) { return waits_for(s, PARTWAY_WAITING_NETWORK_POLICY); }

static void networks_and_changes(void) {
    host_state_t host = HOST_STATE;
    partway_host_t table = host_of(&host);
    partway_config_t *config = partway_config_new();
    partway_network_t network = {.struct_size = sizeof network, .state = PARTWAY_NETWORK_OFFLINE, .generation = 1};
    GOOD(partway_config_set_text(config, PARTWAY_CONFIG_STATE_DIR, TEXT("networks"), &error));
    GOOD(partway_config_set_host(config, &table, &error));
    GOOD(partway_config_set_network(config, &network, &error));
    partway_client_t *client = NULL;
    GOOD(partway_client_open(config, &client, &error));
    partway_config_free(config);
    host.client = client;
    size_t before = occurrences("/log", "\"seq\"");
    partway_upload_t *upload = begin(client, request_of("film", "network.mp4", file_of("film", 6 * MIB, 22)));
    gone_to(upload, needs_network);
    CHECK(occurrences("/log", "\"seq\"") == before); /* Offline spends nothing. */
    /* It was not begun there: nobody is asked. */
    uint32_t look = 0;
    partway_remote_task_t *task = NULL;
    GOOD(partway_upload_look_remote(upload, &look, &task, &error));
    CHECK(look == PARTWAY_LOOK_NO_SESSION && task == NULL);
    CHECK(occurrences("/log", "\"seq\"") == before);

    partway_change_t *change = partway_change_new();
    GOOD(partway_change_set_number(change, PARTWAY_CHANGE_NETWORK_POLICY, PARTWAY_NETWORK_POLICY_UNMETERED, &error));
    GOOD(partway_change_set_number(change, PARTWAY_CHANGE_PRIORITY, 3, &error));
    GOOD(partway_upload_change(upload, change, &error));
    partway_change_free(change);
    network.state = PARTWAY_NETWORK_ONLINE;
    network.metered = 1;
    GOOD(partway_client_set_network(client, &network, &error));
    partway_snapshot_t *barred = until(upload, network_not_allowed);
    CHECK(barred->waiting->error->code == PARTWAY_ERROR_NETWORK_NOT_ALLOWED);
    partway_snapshot_free(barred);
    partway_idle_t idle = {.struct_size = sizeof idle};
    GOOD(partway_client_wait_idle(client, LONG_MS, &idle, &error));
    CHECK(idle.at_rest == 1 && idle.wants == PARTWAY_NETWORK_POLICY_UNMETERED);

    /* No proxy, said at run time; and a text that is none. */
    GOOD(partway_client_set_proxy(client, NULL, 0, &error));
    BAD(PARTWAY_ERROR_INVALID_ARGUMENT, partway_client_set_proxy(client, TEXT("not a proxy"), &error));
    network.metered = 0;
    network.generation = 2;
    stall_after(2);
    GOOD(partway_client_set_network(client, &network, &error));
    gone_to(upload, has_two_parts);
    GOOD(partway_upload_look_remote(upload, &look, &task, &error));
    CHECK(look == PARTWAY_LOOK_FOUND && task != NULL && task->complete == 0 && task->created_unix_ms > 0);
    CHECK(task->path_count == 1 && equal(task->path[0], "network.mp4") && task->size_bytes == PARTWAY_NONE);
    CHECK(task->parts_count == 2 && task->parts[0].size_bytes == MIB && task->parts[1].size_bytes == MIB);
    CHECK(task->parts[0].part_number < task->parts[1].part_number && task->parts[0].md5.len == 32);
    CHECK(task->request_id.len > 0);
    partway_remote_task_free(task);
    /* Nobody has to want the number; and what the service forgot is told from what it never knew. */
    say("/forget", "{\"all\":true}");
    GOOD(partway_upload_look_remote(upload, NULL, &task, &error));
    CHECK(task == NULL);
    GOOD(partway_upload_look_remote(upload, &look, &task, &error));
    CHECK(look == PARTWAY_LOOK_GONE && task == NULL);
    no_rules();
    /* What stands still is dropped; forgotten there, it begins anew. */
    GOOD(partway_upload_pause(upload, &error));
    gone_to(upload, is_paused);
    GOOD(partway_upload_resume(upload, &error));
    done(upload);
    stored("network.mp4", "film");
    end(&host);
}

/* ---- changes of many at once */

static void a_change_of_many(void) {
    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("changes", &host, 0);
    file_of("old", MIB, 31);
    file_of("new", 2 * MIB, 32);
    done(begin(client, request_of("old", "changed.bin", "old")));

    partway_request_t *request = request_of("new", "changed.bin", "new");
    GOOD(partway_request_set_number(request, PARTWAY_REQUEST_CONFLICT, PARTWAY_CONFLICT_REFUSE, &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_GROUP, TEXT("both"), &error));
    partway_upload_t *upload = begin(client, request);
    /* Refused is not failed: it makes nothing, and waits for an answer. */
    partway_snapshot_t *asks = until(upload, waits_for_conflict);
    CHECK(asks->waiting->needs_host && (asks->waiting->choices & PARTWAY_CHOICE_OVERWRITE) != 0);
    partway_snapshot_free(asks);
    stored("changed.bin", "old");

    partway_idle_t idle = {.struct_size = sizeof idle};
    GOOD(partway_client_idle(client, &idle, &error));
    CHECK(idle.waiting_for_person == 1);
    partway_change_t *change = partway_change_new();
    GOOD(partway_change_set_number(change, PARTWAY_CHANGE_PRIORITY, 1, &error));
    GOOD(partway_change_set_number(change, PARTWAY_CHANGE_CONFLICT, PARTWAY_CONFLICT_OVERWRITE, &error));
    GOOD(partway_change_set_text(change, PARTWAY_CHANGE_IF_VERSION, TEXT("of-another"), &error));
    uint32_t count = 7;
    GOOD(partway_client_change(client, PARTWAY_SELECT_GROUP, TEXT("none"), change, &count, &error));
    CHECK(count == 0);
    GOOD(partway_client_change(client, PARTWAY_SELECT_GROUP, TEXT("both"), change, &count, &error));
    CHECK(count == 1);
    /* It is tried, refused, and asked for once more. */
    UNTIL(occurrences("/log", "content_cas=of-another") > 0);
    gone_to(upload, waits_for_conflict);
    stored("changed.bin", "old");
    /* Whatever it is there. */
    GOOD(partway_change_set_text(change, PARTWAY_CHANGE_IF_VERSION, NULL, 0, &error));
    GOOD(partway_upload_change(upload, change, &error));
    partway_change_free(change);
    partway_snapshot_t *end_of_it = completed(upload);
    CHECK(end_of_it->receipt->overwritten);
    partway_snapshot_free(end_of_it);
    partway_upload_free(upload);
    stored("changed.bin", "new");
    end(&host);
}

/* ---- a journal that is damaged */

static void a_damaged_journal(void) {
    host_state_t first = HOST_STATE;
    partway_host_t table = host_of(&first);
    first.client = open_with("damaged", &table, 0, false);
    partway_upload_t *whole = begin(first.client, request_of("whole", "whole.jpg", file_of("jpg", MIB, 33)));
    partway_upload_t *broken = begin(first.client, request_of("broken", "broken.jpg", "jpg"));
    CHECK(partway_client_problem_count(first.client) == 0);
    char id[PARTWAY_ID_SIZE], path[100];
    memcpy(id, partway_upload_id(broken), sizeof id);
    partway_upload_free(broken);
    partway_upload_free(whole);
    end(&first);

    snprintf(path, sizeof path, "damaged/%s.journal", id);
    FILE *journal = fopen(path, "r+b");
    CHECK(journal != NULL && fputs("#", journal) >= 0 && fclose(journal) == 0);

    host_state_t second = HOST_STATE;
    partway_client_t *client = open_client("damaged", &second, 0);
    CHECK(partway_client_problem_count(client) == 1);
    char whose[PARTWAY_ID_SIZE] = "";
    partway_error_t *problem = NULL;
    GOOD(partway_client_problem(client, 0, whose, &problem, &error));
    CHECK(strcmp(whose, id) == 0 && problem->code == PARTWAY_ERROR_JOURNAL_CORRUPT);
    CHECK(problem->category == PARTWAY_CATEGORY_STATE && problem->detail.len > 0);
    partway_error_free(problem);
    GOOD(partway_client_problem(client, 0, NULL, &problem, &error));
    partway_error_free(problem);
    BAD(PARTWAY_ERROR_INVALID_ARGUMENT, partway_client_problem(client, 1, whose, &problem, &error));
    /* It was set aside, not deleted, and harms no other. */
    CHECK(access(path, F_OK) != 0);
    strcat(path, ".corrupt-1");
    CHECK(access(path, F_OK) == 0);
    partway_snapshot_t *found = NULL;
    BAD(PARTWAY_ERROR_UNKNOWN_UPLOAD, partway_client_find(client, TEXT("broken"), &found, &error));
    GOOD(partway_client_find(client, TEXT("whole"), &found, &error));
    GOOD(partway_client_upload(client, found->id.data, found->id.len, &whole, &error));
    partway_snapshot_free(found);
    done(whole);
    stored("whole.jpg", "jpg");
    end(&second);
}

/* ---- what comes within a call of one's own */

typedef struct {
    pthread_t owner;
    int here, elsewhere, released, released_here;
} within_t;

static void where(within_t *within) { add(pthread_equal(pthread_self(), within->owner) ? &within->here : &within->elsewhere); }

static partway_status_t within_length(void *context, uint64_t *out_length) {
    where(context);
    *out_length = 1000;
    return PARTWAY_OK;
}

static partway_status_t within_read_at(void *context, uint64_t offset, uint8_t *buffer, size_t size, size_t *out_count) {
    where(context);
    CHECK(offset < 1000);
    *out_count = size < 1000 - offset ? size : (size_t)(1000 - offset);
    memset(buffer, 7, *out_count);
    return PARTWAY_OK;
}

static void within_release(void *context) {
    within_t *within = context;
    add(&within->released);
    if (pthread_equal(pthread_self(), within->owner)) add(&within->released_here);
}

static void what_comes_within_a_call(void) {
    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("within", &host, 0);
    within_t within = {.owner = pthread_self()};
    partway_reader_t reader = {.struct_size = sizeof reader,
                               .context = &within,
                               .release = within_release,
                               .length = within_length,
                               .read_at = within_read_at};
    partway_source_t *source = NULL;
    GOOD(partway_source_new_reader(&reader, &source, &error));
    CHECK(sum(&within.here) == 0 && sum(&within.elsewhere) == 0);
    partway_digests_free(digest_of(source)); /* Reads here. */
    int digested = sum(&within.here);
    CHECK(digested >= 2 && sum(&within.elsewhere) == 0);
    partway_request_t *request = request_for("within", "within.bin", source);
    CHECK(sum(&within.here) == digested);
    partway_upload_t *upload = begin(client, request); /* Asks for the length here, and reads elsewhere. */
    int started = sum(&within.here);
    CHECK(started > digested);
    done(upload);
    CHECK(sum(&within.here) == started && sum(&within.elsewhere) > 0 && sum(&within.released) == 0);
    end(&host);
    partway_source_free(source); /* Held by nothing else any more, it is released here. */
    CHECK(sum(&within.released) == 1 && sum(&within.released_here) == 1);
}

/* ---- nobody signed in */

static void nobody(void *context, partway_credential_ask_t *ask) {
    host_state_t *host = context;
    count(host, &host->asks);
    GOOD(partway_credential_ask_signed_out(ask, &error));
    partway_credential_ask_free(ask);
}

static void signed_out(void) {
    host_state_t host = HOST_STATE;
    partway_host_t table = host_of(&host);
    table.on_credential = nobody;
    partway_client_t *client = host.client = open_with("accounts", &table, 0, true);
    partway_upload_t *upload = begin(client, request_of("a", "account.jpg", file_of("account", 3 * MIB, 23)));
    UNTIL(counted(&host, &host.asks) == 1);
    gone_to(upload, waits_for_a_person);
    GOOD(partway_client_set_token(client, TEXT("me"), TEXT("sandbox-token"), PARTWAY_NONE, &error));
    done(upload);
    say("/rules", "{\"step\":\"begin\",\"how\":\"stall_answer\"}");
    upload = begin(client, request_of("b", "b.jpg", "account"));
    gone_to(upload, is_active);
    GOOD(partway_client_sign_out(client, TEXT("me"), PARTWAY_SIGN_OUT_HOLD, &error));
    gone_to(upload, waits_for_credential);
    no_rules();
    /* Nobody was asked meanwhile. */
    CHECK(counted(&host, &host.asks) == 1);
    GOOD(partway_client_sign_out(client, TEXT("me"), PARTWAY_SIGN_OUT_CANCEL, &error));
    partway_snapshot_t *gone = ended(upload);
    CHECK(gone->state == PARTWAY_STATE_CANCELLED);
    partway_snapshot_free(gone);
    partway_upload_free(upload);
    end(&host);
}

/* ---- KooDrive, with an application's key here, and with one that stays elsewhere */

#define APP_ID "sandbox-app"
#define APP_SECRET "sandbox-app-secret"
#define USER_ID "1505084218764547200"

static void sha256(const unsigned char *bytes, size_t size, unsigned char out[32]) {
    partway_source_t *source = NULL;
    GOOD(partway_source_new_memory(bytes, size, &source, &error));
    partway_digests_t *digests = digest_of(source);
    for (size_t i = 0; i < 32; i++) {
        unsigned byte = 0;
        CHECK(sscanf(digests->sha256.data + 2 * i, "%2x", &byte) == 1);
        out[i] = (unsigned char)byte;
    }
    partway_digests_free(digests);
    partway_source_free(source);
}

/* What the application's own server does. */
static void hmac_hex(partway_text_t text, char out[65]) {
    unsigned char inner[64 + 4096], outer[64 + 32], digest[32];
    CHECK(text.len <= 4096);
    for (size_t i = 0; i < 64; i++) {
        unsigned char key = i < strlen(APP_SECRET) ? (unsigned char)APP_SECRET[i] : 0;
        inner[i] = key ^ 0x36, outer[i] = key ^ 0x5c;
    }
    memcpy(inner + 64, text.data, text.len);
    sha256(inner, 64 + text.len, outer + 64);
    sha256(outer, sizeof outer, digest);
    for (size_t i = 0; i < 32; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static int refuses;

static void sign(void *context, partway_sign_ask_t *ask) {
    host_state_t *host = context;
    count(host, &host->lines);
    CHECK(equal(partway_sign_ask_account(ask), "me") && partway_sign_ask_service(ask) == PARTWAY_SERVICE_KOODRIVE);
    CHECK(equal(partway_sign_ask_app_id(ask), APP_ID) && partway_sign_ask_canonical_request(ask).len > 0);
    if (refuses) {
        GOOD(partway_sign_ask_refuse(ask, &error));
    } else {
        char signature[65];
        hmac_hex(partway_sign_ask_string_to_sign(ask), signature);
        GOOD(partway_sign_ask_supply(ask, TEXT(signature), &error));
        BAD(PARTWAY_ERROR_WRONG_STATE, partway_sign_ask_supply(ask, TEXT(signature), &error));
    }
    partway_sign_ask_free(ask);
}

static void key_is_here(void *context, partway_credential_ask_t *ask) {
    count(context, &((host_state_t *)context)->asks);
    GOOD(partway_credential_ask_supply_app_key(ask, TEXT(APP_ID), TEXT(APP_SECRET), TEXT(USER_ID), &error));
    partway_credential_ask_free(ask);
}

static void key_is_elsewhere(void *context, partway_credential_ask_t *ask) {
    count(context, &((host_state_t *)context)->asks);
    GOOD(partway_credential_ask_supply_app_signer(ask, TEXT(APP_ID), TEXT(USER_ID), &error));
    partway_credential_ask_free(ask);
}

static partway_request_t *koodrive(const char *key, const char *file) {
    partway_request_t *request = NULL;
    partway_source_t *source = NULL;
    GOOD(partway_source_new_path(TEXT(file), false, &source, &error));
    GOOD(partway_request_new(PARTWAY_SERVICE_KOODRIVE, &request, &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_KEY, TEXT(key), &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_ENDPOINT, TEXT(api), &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_ACCOUNT, TEXT("me"), &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_CONTAINER,
                                  TEXT("IAADpartwaysandbox0000000000000000000000000000a"), &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_PARENT, TEXT("root"), &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_NAME, TEXT(key), &error));
    GOOD(partway_request_set_source(request, source, &error));
    partway_source_free(source);
    return request;
}

static void applications(void) {
    size_t before = objects();
    host_state_t here = HOST_STATE;
    partway_host_t table = host_of(&here);
    table.on_credential = key_is_here;
    here.client = open_with("koo-here", &table, 0, true);
    done(begin(here.client, koodrive("here.bin", file_of("koo", 11 * MIB, 24))));
    CHECK(counted(&here, &here.asks) == 1);
    end(&here);

    host_state_t elsewhere = HOST_STATE;
    table = host_of(&elsewhere);
    table.on_credential = key_is_elsewhere;
    table.on_sign = sign;
    table.on_log = NULL;
    partway_client_t *client = elsewhere.client = open_with("koo-elsewhere", &table, 0, true);
    refuses = 1;
    partway_upload_t *upload = begin(client, koodrive("elsewhere.bin", file_of("koo2", 11 * MIB, 25)));
    UNTIL(counted(&elsewhere, &elsewhere.lines) == 1);
    gone_to(upload, waits_for_a_person);
    refuses = 0;
    GOOD(partway_client_set_app_signer(client, TEXT("me"), TEXT(APP_ID), TEXT(USER_ID), &error));
    done(upload);
    CHECK(counted(&elsewhere, &elsewhere.lines) == 3); /* One was refused; a begin and a complete. */
    GOOD(partway_client_set_app_key(client, TEXT("me"), TEXT(APP_ID), TEXT(APP_SECRET), TEXT(USER_ID), &error));
    int signed_before = counted(&elsewhere, &elsewhere.lines);
    done(begin(client, koodrive("key.bin", file_of("koo3", MIB, 26))));
    CHECK(counted(&elsewhere, &elsewhere.lines) == signed_before);
    CHECK(objects() == before + 3);
    end(&elsewhere);
}

/* ---- a source that is had later */

static int source_asks;

static void soon(void *context, partway_source_ask_t *ask) {
    (void)context;
    add(&source_asks);
    if (sum(&source_asks) == 1) {
        GOOD(partway_source_ask_later(ask, 50, &error));
    } else {
        partway_source_t *source = NULL;
        GOOD(partway_source_new_path(TEXT("late"), false, &source, &error));
        GOOD(partway_source_ask_supply(ask, source, &error));
        partway_source_free(source);
    }
    partway_source_ask_free(ask);
}

static void a_source_that_is_had_later(void) {
    host_state_t host = HOST_STATE;
    partway_host_t table = host_of(&host);
    table.on_source = soon;
    host.client = open_with("later", &table, 0, true);
    file_of("late", 2 * MIB, 27);
    partway_source_t *source = NULL;
    GOOD(partway_source_new_later(&source, &error));
    GOOD(partway_source_set_token(source, (const uint8_t *)"t", 1, &error));
    done(begin(host.client, request_for("late", "late.bin", source)));
    partway_source_free(source);
    CHECK(sum(&source_asks) == 2);
    end(&host);
}

/* ---- a transport of the host's own, over a bare socket */

static int ranges, cancelled_calls, released_hooks;

static void on_cancelled(void *fd) {
    add(&cancelled_calls);
    shutdown(*(int *)fd, SHUT_RDWR);
}

static void on_released(void *fd) {
    add(&released_hooks);
    free(fd);
}

static int write_all(int fd, const void *bytes, size_t size) {
    for (size_t at = 0; at < size;) {
        ssize_t count = send(fd, (const char *)bytes + at, size - at, MSG_NOSIGNAL);
        if (count <= 0) return 0;
        at += (size_t)count;
    }
    return 1;
}

/* True when the whole body left. */
static int send_body(int fd, const partway_call_t *call, uint64_t size) {
    static const size_t STEP = 64 * 1024;
    unsigned char *buffer = malloc(STEP);
    partway_body_range_t range = {.struct_size = sizeof range};
    int good = 1;
    if (size > 0 && partway_call_body_range(call, &range)) {
        CHECK(range.size_bytes == size);
        add(&ranges);
        for (uint64_t at = 0; good && at < size;) {
            ssize_t count = pread(range.fd, buffer, size - at < STEP ? size - at : STEP, (off_t)(range.offset + at));
            good = count > 0 && write_all(fd, buffer, (size_t)count);
            if (good) partway_call_sent(call, at += (uint64_t)count);
        }
    } else {
        for (uint64_t at = 0; good && at < size;) {
            size_t count = 0;
            good = partway_call_read_body(call, buffer, STEP, &count, NULL) == PARTWAY_OK && write_all(fd, buffer, count);
            at += count;
        }
    }
    free(buffer);
    return good;
}

static partway_client_t *carried; /* The client whose requests they are. */
static pthread_mutex_t carried_lock = PTHREAD_MUTEX_INITIALIZER;

static void execute(void *context, partway_call_t *call) {
    (void)context;
    /* The client may be called here; what waits elsewhere does not. */
    pthread_mutex_lock(&carried_lock);
    partway_list_t *list = NULL;
    GOOD(partway_client_list(carried, PARTWAY_SELECT_ALL, NULL, 0, &list, &error));
    CHECK(partway_list_count(list) >= 1);
    partway_list_free(list);
    CHECK(partway_client_wait_idle(carried, PARTWAY_FOREVER, NULL, NULL) == PARTWAY_TIMED_OUT);
    pthread_mutex_unlock(&carried_lock);
    const partway_http_request_t *request = partway_call_request(call);
    char host[64];
    unsigned port = 0;
    int at = 0;
    CHECK(sscanf(request->url.data, "http://%63[^:/]:%u%n", host, &port, &at) == 2);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    /* Stays open for the hook, which may run later than this function. */
    int *hooked = malloc(sizeof *hooked);
    *hooked = dup(fd);
    int kept = *hooked;
    GOOD(partway_call_on_cancel(call, on_cancelled, hooked, on_released, &error));
    size_t room = 1 << 16, size = 0;
    char *text = malloc(room);
    int length = snprintf(text, room, "%s %s HTTP/1.1\r\nHost: %s:%u\r\nContent-Length: %" PRIu64 "\r\nConnection: close\r\n",
                          request->method.data, request->url.data + at, host, port, request->body_bytes);
    for (size_t i = 0; i < request->headers_count; i++)
        length += snprintf(text + length, room - (size_t)length, "%s: %s\r\n", request->headers[i].name.data,
                           request->headers[i].value.data);
    length += snprintf(text + length, room - (size_t)length, "\r\n");
    int good = write_all(fd, text, (size_t)length) && send_body(fd, call, request->body_bytes);
    for (ssize_t count; good && size + 1 < room && (count = read(fd, text + size, room - size - 1)) > 0;) size += (size_t)count;
    text[size] = 0;
    unsigned status = 0;
    char *body = strstr(text, "\r\n\r\n");
    if (good && body != NULL && sscanf(text, "HTTP/1.1 %u", &status) == 1) {
        partway_pair_t headers[32];
        size_t many = 0;
        body[2] = 0;
        for (char *line = strstr(text, "\r\n") + 2, *next; many < 32 && (next = strstr(line, "\r\n")) != NULL; line = next + 2) {
            char *colon = strchr(line, ':');
            CHECK(colon != NULL && colon < next);
            headers[many].name = (partway_text_t){line, (size_t)(colon - line)};
            while (*++colon == ' ') {
            }
            headers[many++].value = (partway_text_t){colon, (size_t)(next - colon)};
        }
        partway_call_respond(call, status, headers, many, (const uint8_t *)body + 4, size - (size_t)(body + 4 - text), NULL);
    } else {
        partway_call_fail(call, PARTWAY_FAULT_CUT, NULL);
    }
    free(text);
    partway_call_free(call);
    close(kept);
    close(fd);
}

static void the_hosts_own_sockets(void) {
    host_state_t host = HOST_STATE;
    partway_host_t table = host_of(&host);
    partway_transport_t transport = {.struct_size = sizeof transport, .execute = execute};
    partway_config_t *config = partway_config_new();
    GOOD(partway_config_set_text(config, PARTWAY_CONFIG_STATE_DIR, TEXT("sockets"), &error));
    GOOD(partway_config_set_host(config, &table, &error));
    GOOD(partway_config_set_transport(config, &transport, &error));
    partway_client_t *client = NULL;
    GOOD(partway_client_open(config, &client, &error));
    partway_config_free(config);
    host.client = client;
    pthread_mutex_lock(&carried_lock);
    carried = client;
    pthread_mutex_unlock(&carried_lock);
    file_of("film", 5 * MIB, 28);
    partway_source_t *source = NULL;
    GOOD(partway_source_new_path(TEXT("film"), false, &source, &error));
    partway_digests_t *digests = digest_of(source);
    done(begin(client, request_of("carried", "carried.mp4", "film")));
    as_in_the_cloud(digests);
    stored("carried.mp4", "film");
    partway_digests_free(digests);
    partway_source_free(source);
    CHECK(sum(&ranges) == 5);

    say("/rules", "{\"step\":\"part\",\"how\":\"stall_answer\"}");
    partway_upload_t *upload = begin(client, request_of("cancelled", "cancelled.mp4", "film"));
    UNTIL(sum(&ranges) > 5);
    GOOD(partway_upload_cancel(upload, &error));
    UNTIL(sum(&cancelled_calls) > 0);
    partway_snapshot_free(ended(upload));
    partway_upload_free(upload);
    no_rules();
    end(&host);
    UNTIL(sum(&released_hooks) > 5);
}

/* ---- ends */

static int forgotten;

static void on_forgotten(void *context, const partway_text_t *ids, size_t many) {
    host_state_t *host = context;
    CHECK(counted(host, &host->endings) >= 1); /* Its ending came first. */
    for (size_t i = 0; i < many; i++) CHECK(ids[i].len == PARTWAY_ID_SIZE - 1);
    add(&forgotten);
}

static void *wait_for_ever(void *upload) {
    CHECK(partway_upload_wait(upload, PARTWAY_FOREVER, NULL, NULL) == PARTWAY_ERROR_CLOSED);
    return NULL;
}

static void a_client_that_is_freed_while_others_wait(void) {
    host_state_t host = HOST_STATE;
    partway_host_t table = host_of(&host);
    table.on_forgotten = on_forgotten;
    partway_client_t *client = host.client = open_with("freed", &table, 0, true);
    partway_upload_t *upload = begin(client, request_of("first", "first.jpg", file_of("first", MIB, 29)));
    partway_snapshot_free(completed(upload));
    bool gone = false;
    GOOD(partway_upload_forget(upload, &gone, &error));
    CHECK(gone);
    UNTIL(sum(&forgotten) == 1);
    partway_upload_free(upload);

    /* A start after a cancel goes on under the same key. */
    say("/rules", "{\"step\":\"part\",\"how\":\"stall_answer\"}");
    upload = begin(client, request_of("second", "second.jpg", "first"));
    gone_to(upload, is_active);
    CHECK(partway_upload_continued_from(upload) == NULL);
    char second[PARTWAY_ID_SIZE];
    memcpy(second, partway_upload_id(upload), sizeof second);
    GOOD(partway_upload_cancel(upload, &error));
    partway_snapshot_free(ended(upload));
    partway_upload_free(upload);
    uint32_t how = 0;
    partway_request_t *request = request_of("second", "second.jpg", "first");
    GOOD(partway_client_start(client, request, &upload, &how, &error));
    CHECK(how == PARTWAY_HOW_CONTINUED && strcmp(partway_upload_continued_from(upload), second) == 0);
    partway_request_free(request);
    UNTIL(sum(&forgotten) == 2);

    /* It stands still, so a hold of no time can't be over. */
    size_t under_way = occurrences("/log", "\"ended_ms\":null");
    UNTIL((under_way = occurrences("/log", "\"ended_ms\":null")) > 0);
    partway_idle_t idle = {.struct_size = sizeof idle};
    CHECK(partway_client_hold(client, 0, &idle, NULL) == PARTWAY_TIMED_OUT && idle.at_rest == 0);
    int64_t began = now_ms();
    GOOD(partway_client_hold(client, LONG_MS, &idle, &error));
    CHECK(idle.at_rest == 1 && now_ms() - began < bound_ms(1000));
    UNTIL(occurrences("/log", "\"ended_ms\":null") == 0);

    pthread_t waiter;
    CHECK(pthread_create(&waiter, NULL, wait_for_ever, upload) == 0);
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    partway_client_free(client);
    CHECK(pthread_join(waiter, NULL) == 0);
    UNTIL(counted(&host, &host.released) == 1);
    BAD(PARTWAY_ERROR_CLOSED, partway_upload_resume(upload, &error));
    partway_upload_free(upload);
}

/* The call that keeps the client is under way; who holds it is gone. */
static void *look_for_long(void *upload) {
    partway_remote_task_t *task = NULL;
    partway_status_t status = partway_upload_look_remote(upload, NULL, &task, NULL);
    CHECK(status == PARTWAY_OK || status == PARTWAY_ERROR_CLOSED);
    partway_remote_task_free(task);
    return NULL;
}

static void a_client_that_is_freed_during_a_call(void) {
    host_state_t first = HOST_STATE;
    partway_client_t *client = open_client("during", &first, 0);
    no_rules();
    stall_after(2);
    partway_upload_t *upload = begin(client, request_of("during", "during.mp4", file_of("lasting", 4 * MIB, 34)));
    gone_to(upload, has_two_parts);
    say("/rules", "{\"step\":\"task\",\"how\":\"hold_answer\"}");
    size_t before = standing();
    pthread_t looking;
    CHECK(pthread_create(&looking, NULL, look_for_long, upload) == 0);
    UNTIL(standing() > before);
    partway_client_free(client);
    BAD(PARTWAY_ERROR_CLOSED, partway_upload_resume(upload, &error));

    /* Nobody has the client any more: the directory is opened anew, with the host that is given now. */
    host_state_t second = HOST_STATE;
    client = open_client("during", &second, 0);
    UNTIL(counted(&second, &second.asks) == 1);
    partway_snapshot_t *found = NULL;
    partway_upload_t *again = NULL;
    GOOD(partway_client_find(client, TEXT("during"), &found, &error));
    GOOD(partway_client_upload(client, found->id.data, found->id.len, &again, &error));
    partway_snapshot_free(found);
    no_rules();
    CHECK(pthread_join(looking, NULL) == 0);
    partway_upload_free(upload);
    UNTIL(counted(&first, &first.released) == 1);
    /* What stood still is dropped. */
    GOOD(partway_upload_pause(again, &error));
    gone_to(again, is_paused);
    GOOD(partway_upload_resume(again, &error));
    done(again);
    stored("during.mp4", "lasting");
    end(&second);
}

int main(int argc, char **argv) {
    CHECK(argc == 4);
    api = argv[1], control = argv[2];
    a_range_of_a_descriptor();
    networks_and_changes();
    a_change_of_many();
    a_damaged_journal();
    what_comes_within_a_call();
    signed_out();
    a_source_that_is_had_later();
    the_hosts_own_sockets();
    a_client_that_is_freed_while_others_wait();
    a_client_that_is_freed_during_a_call();
    no_rules();
    applications();
    return 0;
}
