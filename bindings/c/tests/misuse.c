/* What must not be done, and does no harm: misuse API CONTROL NAME. */
#include "world.h"

#define USAGE PARTWAY_ERROR_INVALID_ARGUMENT
#define UNKNOWN PARTWAY_ERROR_UNSUPPORTED

/* NULL wherever there is a pointer. A call that gives a status says so; the others give nothing. */
static void null_everywhere(void) {
    partway_error_free(NULL), partway_snapshot_free(NULL), partway_list_free(NULL), partway_explanation_free(NULL);
    partway_source_free(NULL), partway_request_free(NULL), partway_change_free(NULL), partway_config_free(NULL);
    partway_client_free(NULL), partway_upload_free(NULL), partway_call_free(NULL), partway_string_free(NULL);
    partway_digests_free(NULL), partway_remote_task_free(NULL);
    partway_credential_ask_free(NULL), partway_source_ask_free(NULL);
    CHECK(partway_snapshot_copy(NULL) == NULL && !partway_snapshot_ended(NULL) && partway_upload_id(NULL) == NULL);
    CHECK(partway_upload_continued_from(NULL) == NULL);
    CHECK(partway_list_count(NULL) == 0 && partway_list_at(NULL, 0) == NULL && partway_client_problem_count(NULL) == 0);
    CHECK(partway_credential_ask_account(NULL).data == NULL && partway_credential_ask_service(NULL) == 0);
    CHECK(partway_credential_ask_why(NULL) == 0 && partway_source_ask_upload_id(NULL).data == NULL);
    CHECK(partway_source_ask_key(NULL).data == NULL && partway_source_ask_token(NULL).data == NULL);
    CHECK(partway_source_ask_why(NULL) == NULL && partway_call_request(NULL) == NULL);
    CHECK(partway_call_is_cancelled(NULL) && !partway_call_body_range(NULL, NULL));
    partway_call_sent(NULL, 1);

    BAD(USAGE, partway_config_set_text(NULL, PARTWAY_CONFIG_STATE_DIR, TEXT("x"), &error));
    BAD(USAGE, partway_config_set_number(NULL, PARTWAY_CONFIG_AUTOSTART, 1, &error));
    BAD(USAGE, partway_config_set_limits(NULL, NULL, &error));
    BAD(USAGE, partway_config_set_host(NULL, NULL, &error));
    BAD(USAGE, partway_config_set_transport(NULL, NULL, &error));
    BAD(USAGE, partway_client_open(NULL, NULL, &error));
    BAD(USAGE, partway_source_new_path(NULL, 0, false, NULL, &error));
    BAD(USAGE, partway_source_new_memory(NULL, 0, NULL, &error));
    BAD(USAGE, partway_source_new_reader(NULL, NULL, &error));
    BAD(USAGE, partway_source_new_later(NULL, &error));
    BAD(USAGE, partway_source_set_token(NULL, NULL, 0, &error));
    BAD(USAGE, partway_request_new(PARTWAY_SERVICE_SMH, NULL, &error));
    BAD(USAGE, partway_request_set_text(NULL, PARTWAY_REQUEST_KEY, TEXT("x"), &error));
    BAD(USAGE, partway_request_set_number(NULL, PARTWAY_REQUEST_PRIORITY, 1, &error));
    BAD(USAGE, partway_request_add_pair(NULL, PARTWAY_REQUEST_TAG, TEXT("x"), TEXT("y"), &error));
    BAD(USAGE, partway_request_set_source(NULL, NULL, &error));
    BAD(USAGE, partway_change_set_number(NULL, PARTWAY_CHANGE_PRIORITY, 1, &error));
    BAD(USAGE, partway_change_set_text(NULL, PARTWAY_CHANGE_IF_VERSION, TEXT("x"), &error));
    BAD(USAGE, partway_client_close(NULL, 0, &error));
    BAD(USAGE, partway_client_start(NULL, NULL, NULL, NULL, &error));
    BAD(USAGE, partway_client_start_all(NULL, NULL, 1, NULL, NULL, NULL, &error));
    BAD(USAGE, partway_client_upload(NULL, NULL, 0, NULL, &error));
    BAD(USAGE, partway_client_find(NULL, NULL, 0, NULL, &error));
    BAD(USAGE, partway_client_list(NULL, PARTWAY_SELECT_ALL, NULL, 0, NULL, &error));
    BAD(USAGE, partway_client_pause(NULL, PARTWAY_SELECT_ALL, NULL, 0, NULL, &error));
    BAD(USAGE, partway_client_resume(NULL, PARTWAY_SELECT_ALL, NULL, 0, NULL, &error));
    BAD(USAGE, partway_client_cancel(NULL, PARTWAY_SELECT_ALL, NULL, 0, NULL, &error));
    BAD(USAGE, partway_client_forget(NULL, PARTWAY_SELECT_ALL, NULL, 0, NULL, &error));
    BAD(USAGE, partway_client_change(NULL, PARTWAY_SELECT_ALL, NULL, 0, NULL, NULL, &error));
    BAD(USAGE, partway_client_set_token(NULL, TEXT("me"), TEXT("t"), PARTWAY_NONE, &error));
    BAD(USAGE, partway_client_set_app_key(NULL, TEXT("me"), TEXT("a"), TEXT("b"), TEXT("c"), &error));
    BAD(USAGE, partway_client_set_network(NULL, NULL, &error));
    BAD(USAGE, partway_client_set_limits(NULL, NULL, &error));
    BAD(USAGE, partway_client_go(NULL, &error));
    BAD(USAGE, partway_client_hold(NULL, 0, NULL, &error));
    BAD(USAGE, partway_client_wait_idle(NULL, 0, NULL, &error));
    BAD(USAGE, partway_client_idle(NULL, NULL, &error));
    BAD(USAGE, partway_client_problem(NULL, 0, NULL, NULL, &error));
    BAD(USAGE, partway_client_set_app_signer(NULL, TEXT("me"), TEXT("a"), TEXT("b"), &error));
    BAD(USAGE, partway_credential_ask_supply_app_signer(NULL, TEXT("a"), TEXT("b"), &error));
    BAD(USAGE, partway_sign_ask_supply(NULL, TEXT("a"), &error));
    BAD(USAGE, partway_sign_ask_refuse(NULL, &error));
    CHECK(partway_sign_ask_account(NULL).data == NULL && partway_sign_ask_service(NULL) == 0);
    CHECK(partway_sign_ask_app_id(NULL).data == NULL && partway_sign_ask_string_to_sign(NULL).data == NULL);
    CHECK(partway_sign_ask_canonical_request(NULL).data == NULL);
    partway_sign_ask_free(NULL);
    BAD(USAGE, partway_client_sign_out(NULL, TEXT("me"), PARTWAY_SIGN_OUT_HOLD, &error));
    BAD(USAGE, partway_client_set_proxy(NULL, NULL, 0, &error));
    BAD(USAGE, partway_config_set_network(NULL, NULL, &error));
    BAD(USAGE, partway_source_new_fd(0, false, 0, PARTWAY_NONE, NULL, &error));
    BAD(USAGE, partway_source_digest(NULL, PARTWAY_NONE, NULL, &error));
    BAD(USAGE, partway_upload_retry(NULL, NULL, &error));
    BAD(USAGE, partway_upload_timeline_json(NULL, NULL, &error));
    BAD(USAGE, partway_upload_look_remote(NULL, NULL, NULL, &error));
    BAD(USAGE, partway_credential_ask_signed_out(NULL, &error));
    BAD(USAGE, partway_source_ask_preparing(NULL, 0.5, &error));
    BAD(USAGE, partway_source_ask_later(NULL, 1, &error));
    BAD(USAGE, partway_upload_pause(NULL, &error));
    BAD(USAGE, partway_upload_resume(NULL, &error));
    BAD(USAGE, partway_upload_cancel(NULL, &error));
    BAD(USAGE, partway_upload_forget(NULL, NULL, &error));
    BAD(USAGE, partway_upload_change(NULL, NULL, &error));
    BAD(USAGE, partway_upload_answer_conflict(NULL, PARTWAY_CHOICE_RENAME, &error));
    BAD(USAGE, partway_upload_attach_source(NULL, NULL, &error));
    BAD(USAGE, partway_upload_snapshot(NULL, NULL, &error));
    BAD(USAGE, partway_upload_wait(NULL, 0, NULL, &error));
    BAD(USAGE, partway_upload_wait_change(NULL, 0, 0, NULL, &error));
    BAD(USAGE, partway_upload_explain(NULL, NULL, &error));
    BAD(USAGE, partway_credential_ask_supply_token(NULL, TEXT("t"), PARTWAY_NONE, &error));
    BAD(USAGE, partway_credential_ask_supply_app_key(NULL, TEXT("a"), TEXT("b"), TEXT("c"), &error));
    BAD(USAGE, partway_credential_ask_later(NULL, PARTWAY_NONE, &error));
    BAD(USAGE, partway_source_ask_supply(NULL, NULL, &error));
    BAD(USAGE, partway_source_ask_gone(NULL, &error));
    BAD(USAGE, partway_call_read_body(NULL, NULL, 0, NULL, &error));
    BAD(USAGE, partway_call_rewind_body(NULL, &error));
    BAD(USAGE, partway_call_on_cancel(NULL, NULL, NULL, NULL, &error));
    BAD(USAGE, partway_call_respond(NULL, 200, NULL, 0, NULL, 0, &error));
    BAD(USAGE, partway_call_fail(NULL, PARTWAY_FAULT_CUT, &error));
    /* Nobody wants the error: no harm either. */
    CHECK(partway_upload_pause(NULL, NULL) == USAGE);
}

static int released;
static void note_release(void *context) {
    (void)context;
    released++;
}
static partway_status_t no_length(void *context, uint64_t *length) {
    (void)context, (void)length;
    return 77;
}

static void wrong_sizes_and_fields(void) {
    partway_config_t *config = partway_config_new();
    partway_host_t host = {.release = note_release};
    size_t wrong[] = {0, 1, sizeof(size_t), sizeof host - 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        host.struct_size = wrong[i];
        BAD(USAGE, partway_config_set_host(config, &host, &error));
        partway_limits_t limits = {.struct_size = wrong[i] < sizeof limits ? wrong[i] : 0};
        BAD(USAGE, partway_config_set_limits(config, &limits, &error));
    }
    CHECK(released == 0); /* What failed has taken nothing. */
    /* A table of a later version: what is not known must not be set. */
    struct {
        partway_host_t host;
        void *later;
    } newer = {{.struct_size = sizeof newer, .release = note_release}, NULL};
    newer.later = &newer;
    BAD(UNKNOWN, partway_config_set_host(config, &newer.host, &error));
    /* The config remembers that something was refused. */
    partway_client_t *client = NULL;
    GOOD(partway_config_set_text(config, PARTWAY_CONFIG_STATE_DIR, TEXT("uploads"), &error));
    BAD(USAGE, partway_client_open(config, &client, &error));
    CHECK(client == NULL);
    partway_config_free(config);

    config = partway_config_new();
    newer.later = NULL;
    GOOD(partway_config_set_host(config, &newer.host, &error));
    /* What has no meaning yet is not set either. */
    partway_limits_t limits = {.struct_size = sizeof limits, .reserved = 1};
    partway_network_t network = {.struct_size = sizeof network, .reserved = 1};
    partway_config_t *other = partway_config_new();
    BAD(UNKNOWN, partway_config_set_limits(other, &limits, &error));
    BAD(UNKNOWN, partway_config_set_network(other, &network, &error));
    partway_config_free(other);
    host.struct_size = sizeof host;
    GOOD(partway_config_set_host(config, &host, &error));
    CHECK(released == 1); /* The one that was replaced. */
    partway_config_free(config);
    CHECK(released == 2);

    config = partway_config_new();
    BAD(USAGE, partway_client_open(config, &client, &error)); /* No directory. */
    BAD(UNKNOWN, partway_config_set_text(config, 4711, TEXT("x"), &error));
    BAD(UNKNOWN, partway_config_set_number(config, PARTWAY_CONFIG_STATE_DIR, 1, &error));
    partway_config_free(config);

    partway_request_t *request = NULL;
    BAD(USAGE, partway_request_new(99, &request, &error));
    CHECK(request == NULL);
    GOOD(partway_request_new(PARTWAY_SERVICE_KOODRIVE, &request, &error));
    BAD(UNKNOWN, partway_request_set_text(request, PARTWAY_REQUEST_LIBRARY, TEXT("of the other service"), &error));
    BAD(UNKNOWN, partway_request_set_number(request, PARTWAY_REQUEST_KEY, 1, &error));
    BAD(UNKNOWN, partway_request_add_pair(request, PARTWAY_REQUEST_META, TEXT("a"), TEXT("b"), &error));
    BAD(USAGE, partway_request_set_number(request, PARTWAY_REQUEST_CONFLICT, -1, &error));
    BAD(USAGE, partway_request_set_number(request, PARTWAY_REQUEST_PRIORITY, 128, &error));
    BAD(USAGE, partway_request_set_number(request, PARTWAY_REQUEST_PART_SIZE_BYTES, -1, &error));
    BAD(USAGE, partway_request_set_number(request, PARTWAY_REQUEST_PARALLEL_PARTS, INT64_MAX, &error));
    partway_request_free(request);

    partway_source_t *source = NULL;
    partway_reader_t reader = {.struct_size = sizeof reader, .release = note_release, .length = no_length};
    BAD(USAGE, partway_source_new_reader(&reader, &source, &error));
    CHECK(source == NULL && released == 2);
    static uint8_t large[(16 << 10) + 1];
    GOOD(partway_source_new_later(&source, &error));
    BAD(USAGE, partway_source_set_token(source, large, sizeof large, &error));
    partway_source_free(source);
    partway_transport_t transport = {.struct_size = sizeof transport};
    config = partway_config_new();
    BAD(USAGE, partway_config_set_transport(config, &transport, &error));
    partway_config_free(config);

    CHECK(strcmp(partway_state_name(0), "other") == 0 && strcmp(partway_phase_name(4711), "other") == 0);
    CHECK(strcmp(partway_waiting_name(UINT32_MAX), "other") == 0 && strcmp(partway_remedy_name(UINT32_MAX), "other") == 0);
    CHECK(partway_error_name(0) == NULL && partway_error_meaning(UINT32_MAX) == NULL);
}

static void texts_that_are_none(void) {
    partway_request_t *request = NULL;
    GOOD(partway_request_new(PARTWAY_SERVICE_SMH, &request, &error));
    BAD(USAGE, partway_request_set_text(request, PARTWAY_REQUEST_KEY, "\xff\xfe", 2, &error));
    BAD(USAGE, partway_request_set_text(request, PARTWAY_REQUEST_KEY, "caf\xc3", 4, &error));
    BAD(USAGE, partway_request_set_text(request, PARTWAY_REQUEST_KEY, "\xed\xa0\x80", PARTWAY_NUL_TERMINATED, &error));
    BAD(USAGE, partway_request_set_text(request, PARTWAY_REQUEST_KEY, NULL, 5, &error));
    BAD(USAGE, partway_request_set_text(request, PARTWAY_REQUEST_KEY, "x", SIZE_MAX - 1, &error));
    BAD(USAGE, partway_request_add_pair(request, PARTWAY_REQUEST_TAG, NULL, 0, TEXT("x"), &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_GROUP, NULL, 0, &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_GROUP, "", 0, &error));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_KEY, "a\0b", 3, &error)); /* A NUL within a length is a character. */
    partway_request_free(request);
    partway_source_t *source = NULL;
    BAD(USAGE, partway_source_new_memory(NULL, 5, &source, &error));
    BAD(USAGE, partway_source_new_memory((const uint8_t *)"x", SIZE_MAX, &source, &error));
    BAD(USAGE, partway_source_new_path("a\xff", 2, false, &source, &error));
    CHECK(source == NULL);
    GOOD(partway_source_new_memory(NULL, 0, &source, &error)); /* An empty file. */
    partway_source_free(source);
}

/* In a callback: everything is called, nothing waits, and at last the client is closed and freed. */
typedef struct {
    host_state_t base;
    int over;
} inside_t;

static void everything_inside(void *context, const partway_snapshot_t *const *snapshots, size_t many) {
    inside_t *inside = context;
    host_state_t *host = &inside->base;
    pthread_mutex_lock(&host->lock); /* The client is set. */
    partway_client_t *client = host->client;
    pthread_mutex_unlock(&host->lock);
    if (client == NULL) return;
    partway_upload_t *upload = NULL;
    partway_list_t *list = NULL;
    partway_idle_t idle = {.struct_size = sizeof idle};
    GOOD(partway_client_upload(client, snapshots[0]->id.data, snapshots[0]->id.len, &upload, &error));
    GOOD(partway_client_list(client, PARTWAY_SELECT_ALL, NULL, 0, &list, &error));
    CHECK(partway_list_count(list) == 1);
    partway_list_free(list);
    GOOD(partway_client_pause(client, PARTWAY_SELECT_ALL, NULL, 0, NULL, &error));
    GOOD(partway_client_resume(client, PARTWAY_SELECT_ALL, NULL, 0, NULL, &error));
    CHECK(partway_upload_wait(upload, PARTWAY_FOREVER, NULL, NULL) <= PARTWAY_TIMED_OUT);
    CHECK(partway_client_hold(client, PARTWAY_FOREVER, &idle, NULL) <= PARTWAY_TIMED_OUT);
    GOOD(partway_client_go(client, &error));
    partway_remote_task_t *task = NULL;
    BAD(PARTWAY_ERROR_WRONG_STATE, partway_upload_look_remote(upload, NULL, &task, &error));
    partway_upload_free(upload);
    partway_snapshot_t *kept = partway_snapshot_copy(snapshots[many - 1]);
    CHECK(partway_client_close(client, PARTWAY_FOREVER, NULL) <= PARTWAY_TIMED_OUT);
    CHECK(partway_client_close(client, 0, NULL) <= PARTWAY_TIMED_OUT); /* Again is no harm. */
    partway_client_free(client);
    CHECK(kept->id.len == PARTWAY_ID_SIZE - 1); /* What was kept outlives the client. */
    partway_snapshot_free(kept);
    pthread_mutex_lock(&host->lock);
    host->client = NULL;
    inside->over = 1;
    pthread_mutex_unlock(&host->lock);
}

static void close_and_free_inside(void) {
    inside_t inside = {.base = HOST_STATE, .over = 0};
    partway_host_t table = host_of(&inside.base);
    table.on_changes = everything_inside;
    partway_client_t *client = open_with("inside", &table, MIB, true);
    partway_request_t *request = request_of("film", "film.mp4", file_of("film", 8 * MIB, 20));
    partway_upload_t *upload = begin(client, request);
    pthread_mutex_lock(&inside.base.lock);
    inside.base.client = client; /* From here on it belongs to the callback. */
    pthread_mutex_unlock(&inside.base.lock);
    UNTIL(counted(&inside.base, &inside.over) == 1);
    UNTIL(counted(&inside.base, &inside.base.released) == 1);
    /* The reference outlives its client. */
    partway_snapshot_t *snapshot = NULL;
    BAD(PARTWAY_ERROR_CLOSED, partway_upload_snapshot(upload, &snapshot, &error));
    CHECK(strlen(partway_upload_id(upload)) == PARTWAY_ID_SIZE - 1 && snapshot == NULL);
    partway_upload_free(upload);
}

/* An ask that outlives its client, one that nobody answers, and one that is answered twice. */
static pthread_mutex_t asks_lock = PTHREAD_MUTEX_INITIALIZER;
static partway_credential_ask_t *late;

static void keep_late(void *context, partway_credential_ask_t *ask) {
    (void)context;
    pthread_mutex_lock(&asks_lock);
    partway_credential_ask_free(late); /* Unanswered: "not now". */
    late = ask;
    pthread_mutex_unlock(&asks_lock);
}

static int has_late(void) {
    pthread_mutex_lock(&asks_lock);
    int has = late != NULL;
    pthread_mutex_unlock(&asks_lock);
    return has;
}

static void asks_after_the_end(void) {
    host_state_t host = HOST_STATE;
    partway_host_t table = host_of(&host);
    table.on_credential = keep_late;
    partway_client_t *client = open_with("late", &table, 0, true);
    partway_upload_t *upload = begin(client, request_of("photo", "photo.jpg", file_of("photo", MIB, 21)));
    UNTIL(has_late());
    partway_client_free(client);
    UNTIL(counted(&host, &host.released) == 1);
    GOOD(partway_credential_ask_supply_token(late, TEXT("sandbox-token"), PARTWAY_NONE, &error)); /* Nobody hears it. */
    BAD(PARTWAY_ERROR_WRONG_STATE, partway_credential_ask_later(late, PARTWAY_NONE, &error));
    BAD(PARTWAY_ERROR_WRONG_STATE,
        partway_credential_ask_supply_app_key(late, TEXT("a"), TEXT("b"), TEXT("c"), &error));
    partway_credential_ask_free(late);
    partway_upload_free(upload);
}

/* After a close the client is still there to be asked, until it is freed. */
static void use_after_close(void) {
    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("closed", &host, 0);
    partway_upload_t *upload = begin(client, request_of("photo", "closed.jpg", file_of("photo", MIB, 22)));
    partway_snapshot_free(completed(upload));
    GOOD(partway_client_close(client, LONG_MS, &error));
    GOOD(partway_client_close(client, LONG_MS, &error));
    partway_snapshot_t *snapshot = NULL;
    GOOD(partway_client_find(client, TEXT("photo"), &snapshot, &error));
    CHECK(snapshot->state == PARTWAY_STATE_COMPLETED);
    partway_snapshot_free(snapshot);
    partway_request_t *request = request_of("late", "late.jpg", "photo");
    BAD(PARTWAY_ERROR_CLOSED, partway_client_start(client, request, NULL, NULL, &error));
    partway_request_free(request);
    GOOD(partway_client_go(client, &error));
    GOOD(partway_client_set_token(client, TEXT("me"), TEXT("t"), PARTWAY_NONE, &error));
    GOOD(partway_upload_cancel(upload, &error));
    CHECK(partway_upload_wait(upload, PARTWAY_FOREVER, NULL, NULL) == PARTWAY_OK);
    partway_error_t *problem = NULL;
    CHECK(partway_client_problem_count(client) == 0);
    BAD(USAGE, partway_client_problem(client, 0, NULL, &problem, &error));
    partway_network_t network = {.struct_size = sizeof network, .state = 99};
    BAD(USAGE, partway_client_set_network(client, &network, &error));
    BAD(USAGE, partway_client_list(client, 99, TEXT("x"), NULL, &error));
    partway_list_t *list = NULL;
    BAD(USAGE, partway_client_list(client, 99, TEXT("x"), &list, &error));
    BAD(USAGE, partway_client_list(client, PARTWAY_SELECT_KEY, NULL, 0, &list, &error));
    partway_client_free(client);
    partway_upload_free(upload);
    UNTIL(counted(&host, &host.released) == 1);
}

/* A directory that is none. */
static void no_directory(void) {
    file_of("plain", 10, 23);
    partway_config_t *config = partway_config_new();
    partway_client_t *client = NULL;
    GOOD(partway_config_set_text(config, PARTWAY_CONFIG_STATE_DIR, TEXT("plain/uploads"), &error));
    BAD(PARTWAY_ERROR_STATE_DIR_UNUSABLE, partway_client_open(config, &client, &error));
    CHECK(client == NULL);
    partway_config_free(config);
}

int main(int argc, char **argv) {
    CHECK(argc == 4);
    api = argv[1], control = argv[2];
    null_everywhere();
    wrong_sizes_and_fields();
    texts_that_are_none();
    no_directory();
    close_and_free_inside();
    asks_after_the_end();
    use_after_close();
    return 0;
}
