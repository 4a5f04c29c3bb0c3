/* The scenarios of tests/scenarios.txt: scenarios API CONTROL NAME, in an empty directory. */
#include "world.h"

#include <signal.h>
#include <sys/wait.h>

static void upload(void) {
    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("uploads", &host, 0);
    partway_request_t *request = request_of("photo-1", "Camera/photo.jpg", file_of("photo", 5 * MIB + 1, 1));
    GOOD(partway_request_set_text(request, PARTWAY_REQUEST_GROUP, TEXT("album"), &error));
    GOOD(partway_request_add_pair(request, PARTWAY_REQUEST_TAG, TEXT("thumb"), TEXT("t-1"), &error));
    partway_upload_t *upload = begin(client, request);
    partway_snapshot_t *end_of_it = completed(upload);
    CHECK(equal(end_of_it->receipt->name, "photo.jpg") && end_of_it->receipt->size_bytes == 5 * MIB + 1);
    CHECK(equal(end_of_it->key, "photo-1") && equal(end_of_it->group, "album") && equal(end_of_it->account, "me"));
    CHECK(end_of_it->tags_count == 1 && equal(end_of_it->tags[0].name, "thumb") && equal(end_of_it->tags[0].value, "t-1"));
    CHECK(end_of_it->parts_done == 6 && end_of_it->parts_total == 6 && !end_of_it->receipt->instant);
    CHECK(end_of_it->receipt->path_count == 2 && equal(end_of_it->receipt->path[0], "Camera"));
    CHECK(end_of_it->receipt->crc64.len > 0 && objects() == 1);
    CHECK(partway_upload_continued_from(upload) == NULL);
    stored("Camera/photo.jpg", "photo");
    partway_snapshot_free(end_of_it);
    partway_upload_free(upload);

    /* The same key again is the same upload, until it is forgotten. */
    uint32_t how = 0;
    request = request_of("photo-1", "Camera/photo.jpg", "photo");
    GOOD(partway_client_start(client, request, &upload, &how, &error));
    CHECK(how == PARTWAY_HOW_ALREADY_THERE);
    partway_request_free(request);
    bool gone = false;
    GOOD(partway_upload_forget(upload, &gone, &error));
    CHECK(gone);
    partway_snapshot_t *none = NULL;
    BAD(PARTWAY_ERROR_UNKNOWN_UPLOAD, partway_client_find(client, TEXT("photo-1"), &none, &error));
    CHECK(none == NULL);
    partway_upload_free(upload);
    end(&host);
}

static void instant(void) {
    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("uploads", &host, 0);
    file_of("photo", 3 * MIB, 2);
    done(begin(client, request_of("first", "a.jpg", "photo")));
    partway_request_t *request = request_of("second", "b.jpg", "photo");
    GOOD(partway_request_set_number(request, PARTWAY_REQUEST_INSTANT, PARTWAY_INSTANT_ALWAYS, &error));
    partway_upload_t *upload = begin(client, request);
    partway_snapshot_t *end_of_it = completed(upload);
    CHECK(end_of_it->receipt->instant && end_of_it->bytes_sent == 0 && objects() == 2);
    stored("a.jpg", "photo");
    stored("b.jpg", "photo");
    partway_snapshot_free(end_of_it);
    partway_upload_free(upload);
    end(&host);
}

static void pause_resume_cancel(void) {
    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("uploads", &host, 2 * MIB);
    partway_upload_t *upload = begin(client, request_of("film", "film.mp4", file_of("film", 20 * MIB, 3)));
    gone_to(upload, has_a_part);
    GOOD(partway_upload_pause(upload, &error));
    gone_to(upload, is_paused);
    GOOD(partway_upload_pause(upload, &error));
    GOOD(partway_upload_resume(upload, &error));
    gone_to(upload, is_active);
    uint32_t told = 0;
    GOOD(partway_client_cancel(client, PARTWAY_SELECT_KEY, TEXT("film"), &told, &error));
    CHECK(told == 1);
    partway_snapshot_t *end_of_it = ended(upload);
    CHECK(end_of_it->state == PARTWAY_STATE_CANCELLED && end_of_it->remote == PARTWAY_REMOTE_ABORTED);
    CHECK(end_of_it->receipt == NULL && end_of_it->error == NULL && objects() == 0);
    partway_snapshot_free(end_of_it);

    /* It can be begun again: another id, the same key. */
    partway_limits_t limits = {.struct_size = sizeof limits};
    GOOD(partway_client_set_limits(client, &limits, &error));
    partway_upload_t *again = NULL;
    GOOD(partway_upload_retry(upload, &again, &error));
    CHECK(strcmp(partway_upload_id(again), partway_upload_id(upload)) != 0);
    CHECK(strcmp(partway_upload_continued_from(again), partway_upload_id(upload)) == 0);
    BAD(PARTWAY_ERROR_UNKNOWN_UPLOAD, partway_upload_answer_conflict(upload, PARTWAY_CHOICE_RENAME, &error));
    done(again);
    stored("film.mp4", "film");
    partway_upload_free(upload);
    end(&host);
}

static int has_three_parts(const partway_snapshot_t *s) { return s->parts_done == 3; }

static void kill_and_restore(void) {
    file_of("film", 12 * MIB, 4);
    stall_after(3);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        host_state_t host = HOST_STATE;
        partway_client_t *client = open_client("uploads", &host, 0);
        gone_to(begin(client, request_of("film", "film.mp4", "film")), has_three_parts);
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(objects() == 0);
    no_rules();

    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("uploads", &host, 0);
    partway_snapshot_t *found = NULL;
    GOOD(partway_client_find(client, TEXT("film"), &found, &error));
    CHECK(found->parts_done >= 3);
    partway_upload_t *upload = NULL;
    GOOD(partway_client_upload(client, found->id.data, found->id.len, &upload, &error));
    partway_snapshot_free(found);
    partway_snapshot_t *end_of_it = completed(upload);
    /* What was proven is not sent again, and the object is the file all the same. */
    CHECK(end_of_it->bytes_sent == 9 * (uint64_t)MIB && objects() == 1);
    stored("film.mp4", "film");
    partway_snapshot_free(end_of_it);
    partway_upload_free(upload);
    end(&host);
}

/* An ask that is answered elsewhere. */
static partway_credential_ask_t *kept_ask;
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;

static void keep_ask(void *context, partway_credential_ask_t *ask) {
    host_state_t *host = context;
    count(host, &host->asks);
    pthread_mutex_lock(&kept_lock);
    CHECK(kept_ask == NULL); /* One at a time. */
    kept_ask = ask;
    pthread_mutex_unlock(&kept_lock);
}

static partway_credential_ask_t *take_ask(void) {
    pthread_mutex_lock(&kept_lock);
    partway_credential_ask_t *ask = kept_ask;
    kept_ask = NULL;
    pthread_mutex_unlock(&kept_lock);
    return ask;
}

static void lost_token(void) {
    host_state_t host = HOST_STATE;
    partway_host_t table = host_of(&host);
    table.on_credential = keep_ask;
    partway_client_t *client = host.client = open_with("uploads", &table, 0, true);
    partway_upload_t *upload = begin(client, request_of("photo", "photo.jpg", file_of("photo", 2 * MIB, 5)));
    partway_credential_ask_t *ask = NULL;
    UNTIL((ask = take_ask()) != NULL);
    CHECK(partway_credential_ask_why(ask) == PARTWAY_WHY_FIRST);
    GOOD(partway_credential_ask_supply_token(ask, TEXT("stale"), PARTWAY_NONE, &error));
    BAD(PARTWAY_ERROR_WRONG_STATE, partway_credential_ask_supply_token(ask, TEXT("sandbox-token"), PARTWAY_NONE, &error));
    partway_credential_ask_free(ask);
    UNTIL((ask = take_ask()) != NULL);
    CHECK(partway_credential_ask_why(ask) == PARTWAY_WHY_REFUSED);
    GOOD(partway_credential_ask_later(ask, PARTWAY_NONE, &error));
    partway_credential_ask_free(ask);
    /* Not only asked for: told that there is none now. */
    partway_snapshot_t *waits = until(upload, waits_for_a_person);
    CHECK(waits_for_credential(waits));
    partway_snapshot_free(waits);
    GOOD(partway_client_set_token(client, TEXT("me"), TEXT("sandbox-token"), PARTWAY_NONE, &error));
    done(upload);
    if ((ask = take_ask()) != NULL) partway_credential_ask_free(ask);
    end(&host);
}

static void conflict_answered(void) {
    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("uploads", &host, 0);
    done(begin(client, request_of("theirs", "photo.jpg", file_of("theirs", MIB, 6))));
    partway_request_t *request = request_of("ours", "photo.jpg", file_of("ours", 2 * MIB, 7));
    GOOD(partway_request_set_number(request, PARTWAY_REQUEST_CONFLICT, PARTWAY_CONFLICT_ASK, &error));
    partway_upload_t *upload = begin(client, request);
    partway_snapshot_t *asks = until(upload, waits_for_conflict);
    CHECK(asks->waiting->choices == (PARTWAY_CHOICE_RENAME | PARTWAY_CHOICE_OVERWRITE | PARTWAY_CHOICE_CANCEL));
    CHECK(asks->waiting->error != NULL && asks->waiting->error->code == PARTWAY_ERROR_NAME_CONFLICT);
    CHECK(asks->waiting->error->remedy == PARTWAY_REMEDY_ANSWER_CONFLICT);
    partway_snapshot_free(asks);
    BAD(PARTWAY_ERROR_WRONG_STATE, partway_upload_answer_conflict(upload, PARTWAY_CHOICE_KEEP_IF_SAME, &error));
    GOOD(partway_upload_answer_conflict(upload, PARTWAY_CHOICE_RENAME, &error));
    partway_snapshot_t *end_of_it = completed(upload);
    CHECK(!equal(end_of_it->receipt->name, "photo.jpg") && !end_of_it->receipt->overwritten && objects() == 2);
    stored("photo.jpg", "theirs");
    stored(end_of_it->receipt->name.data, "ours");
    partway_snapshot_free(end_of_it);
    partway_upload_free(upload);
    end(&host);
}

static void give_source(void *context, partway_source_ask_t *ask) {
    host_state_t *host = context;
    count(host, &host->asks);
    CHECK(equal(partway_source_ask_key(ask), "asked") && equal(partway_source_ask_token(ask), "asset-7"));
    CHECK(partway_source_ask_upload_id(ask).len == PARTWAY_ID_SIZE - 1 && partway_source_ask_why(ask)->code != 0);
    size_t tags = 7;
    CHECK(partway_source_ask_tags(ask, &tags) != NULL && tags == 0);
    GOOD(partway_source_ask_preparing(ask, 0.5, &error));
    partway_source_t *source = NULL;
    GOOD(partway_source_new_path(TEXT("photo"), false, &source, &error));
    GOOD(partway_source_ask_supply(ask, source, &error));
    BAD(PARTWAY_ERROR_WRONG_STATE, partway_source_ask_gone(ask, &error));
    BAD(PARTWAY_ERROR_WRONG_STATE, partway_source_ask_preparing(ask, 0.5, &error));
    partway_source_free(source);
    partway_source_ask_free(ask);
}

static void source_given_again(void) {
    static unsigned char bytes[2 * MIB];
    file_of("photo", sizeof bytes, 8);
    FILE *file = fopen("photo", "rb");
    CHECK(file != NULL && fread(bytes, 1, sizeof bytes, file) == sizeof bytes && fclose(file) == 0);
    /* Bytes in memory do not outlive their client. */
    host_state_t first = HOST_STATE;
    partway_host_t table = host_of(&first);
    first.client = open_with("uploads", &table, 0, false);
    partway_source_t *source = NULL;
    GOOD(partway_source_new_memory(bytes, sizeof bytes, &source, &error));
    partway_upload_free(begin(first.client, request_for("by hand", "a.jpg", source)));
    GOOD(partway_source_set_token(source, (const uint8_t *)"asset-7", 7, &error));
    end(&first);

    host_state_t second = HOST_STATE;
    partway_client_t *client = open_client("uploads", &second, 0);
    partway_snapshot_t *found = NULL;
    partway_upload_t *upload = NULL;
    GOOD(partway_client_find(client, TEXT("by hand"), &found, &error));
    GOOD(partway_client_upload(client, found->id.data, found->id.len, &upload, &error));
    partway_snapshot_free(found);
    gone_to(upload, waits_for_source);
    GOOD(partway_upload_attach_source(upload, source, &error));
    done(upload);
    stored("a.jpg", "photo");
    partway_source_free(source);
    end(&second);

    /* One that is to be had later is asked for, by its token. */
    host_state_t third = HOST_STATE;
    table = host_of(&third);
    table.on_source = give_source;
    third.client = open_with("uploads", &table, 0, true);
    GOOD(partway_source_new_later(&source, &error));
    GOOD(partway_source_set_token(source, (const uint8_t *)"asset-7", 7, &error));
    done(begin(third.client, request_for("asked", "b.jpg", source)));
    partway_source_free(source);
    stored("b.jpg", "photo");
    CHECK(objects() == 2);
    end(&third);
}

static void hold_and_go(void) {
    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("uploads", &host, 0);
    stall_after(2);
    partway_upload_t *upload = begin(client, request_of("film", "film.mp4", file_of("film", 8 * MIB, 9)));
    gone_to(upload, has_two_parts);
    UNTIL(standing() >= 3); /* As many parts as go at once. */
    partway_idle_t idle = {.struct_size = sizeof idle};
    int64_t began = now_ms();
    GOOD(partway_client_hold(client, LONG_MS, &idle, &error));
    CHECK(now_ms() - began < bound_ms(1000));
    CHECK(idle.at_rest == 1 && idle.active == 0 && idle.bytes_remaining == 6 * MIB);
    gone_to(upload, is_held);
    /* The cloud hears of it as it hears of any end. */
    UNTIL(occurrences("/log", "\"ended_ms\":null") == 0);
    no_rules();

    /* Nothing is asked while it is held, whatever is started. */
    size_t before = occurrences("/log", "\"seq\"");
    partway_upload_t *other = begin(client, request_of("other", "other.mp4", "film"));
    GOOD(partway_client_hold(client, LONG_MS, NULL, &error));
    GOOD(partway_client_wait_idle(client, LONG_MS, NULL, &error));
    idle = (partway_idle_t){.struct_size = sizeof idle};
    GOOD(partway_client_idle(client, &idle, &error));
    CHECK(idle.at_rest == 1 && idle.active == 0);
    CHECK(occurrences("/log", "\"seq\"") == before);
    GOOD(partway_client_go(client, &error));
    partway_snapshot_t *end_of_it = completed(upload);
    CHECK(end_of_it->parts_done == 8);
    partway_snapshot_free(end_of_it);
    partway_upload_free(upload);
    done(other);
    stored("film.mp4", "film");
    stored("other.mp4", "film");
    CHECK(objects() == 2);
    end(&host);
}

static void error_mapping(void) {
    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("uploads", &host, 0);
    file_of("photo", 2 * MIB, 10);

    /* Refused at once. */
    partway_request_t *request = request_of("photo", "photo.jpg", "photo");
    GOOD(partway_request_set_number(request, PARTWAY_REQUEST_PART_SIZE_BYTES, 100, &error));
    partway_error_t *refused = NULL;
    partway_upload_t *upload = NULL;
    CHECK(partway_client_start(client, request, &upload, NULL, &refused) == PARTWAY_ERROR_PART_SIZE_UNUSABLE);
    CHECK(upload == NULL && refused->category == PARTWAY_CATEGORY_USAGE && refused->disposition == PARTWAY_DISPOSITION_FINAL);
    CHECK(equal(refused->name, "part_size_unusable") && refused->http_status == 0 && refused->retry_after_ms == PARTWAY_NONE);
    CHECK(strncmp(refused->log_line.data, "PW-1002 part_size_unusable", 26) == 0);
    CHECK(strcmp(partway_error_name(refused->code), "part_size_unusable") == 0 && partway_error_meaning(1) == NULL);
    partway_error_free(refused);
    partway_request_free(request);

    /* What a person can mend is a wait. */
    say("/config", "{\"quota_bytes\":1}");
    upload = begin(client, request_of("photo", "photo.jpg", "photo"));
    partway_snapshot_t *waits = until(upload, waits_for_a_person);
    const partway_error_t *full = waits->waiting->error;
    CHECK(full != NULL && full->code == PARTWAY_ERROR_QUOTA_EXCEEDED && full->category == PARTWAY_CATEGORY_SERVICE);
    CHECK(full->disposition == PARTWAY_DISPOSITION_ASK_USER && full->remedy == PARTWAY_REMEDY_FREE_CLOUD_SPACE);
    CHECK(full->http_status >= 400 && equal(full->service_code, "QuotaLimitReached") && full->request_id.len > 0);
    CHECK(strcmp(partway_remedy_name(full->remedy), "free_cloud_space") == 0);
    partway_snapshot_free(waits);
    partway_explanation_t *why = NULL;
    GOOD(partway_upload_explain(upload, &why, &error));
    CHECK(why->state == PARTWAY_STATE_WAITING && why->text.len > 0 && why->remedy == PARTWAY_REMEDY_FREE_CLOUD_SPACE);
    CHECK(why->blocked_by_count >= 1 && why->blocked_by[0] >= PARTWAY_WAITING_NETWORK);
    partway_explanation_free(why);
    partway_string_t *timeline = NULL;
    GOOD(partway_upload_timeline_json(upload, &timeline, &error));
    CHECK(timeline->text.data[0] == '{' && strstr(timeline->text.data, "photo") == NULL);
    partway_string_free(timeline);
    say("/config", "{\"quota_bytes\":null}");
    GOOD(partway_upload_resume(upload, &error));
    done(upload);

    /* And what nobody can mend is a failure. */
    say("/rules", "{\"step\":\"confirm\",\"how\":\"status\",\"status\":451}");
    upload = begin(client, request_of("again", "again.jpg", "photo"));
    partway_snapshot_t *end_of_it = ended(upload);
    CHECK(end_of_it->state == PARTWAY_STATE_FAILED && end_of_it->error->code == PARTWAY_ERROR_CONTENT_REFUSED);
    CHECK(end_of_it->error->http_status == 451 && end_of_it->error->disposition == PARTWAY_DISPOSITION_FINAL);
    partway_snapshot_free(end_of_it);
    partway_upload_free(upload);
    end(&host);
}

/* All endings that a listener was told, in order, and all that was forgotten. */
enum { TOLD_MAX = 64 };
typedef struct {
    host_state_t host;
    struct {
        char id[PARTWAY_ID_SIZE];
        uint32_t state; /* 0: forgotten. */
    } told[TOLD_MAX];
    size_t count;
} told_t;

static void note(told_t *told, partway_text_t id, uint32_t state) {
    pthread_mutex_lock(&told->host.lock);
    CHECK(told->count < TOLD_MAX && id.len == PARTWAY_ID_SIZE - 1);
    memcpy(told->told[told->count].id, id.data, PARTWAY_ID_SIZE);
    told->told[told->count++].state = state;
    pthread_mutex_unlock(&told->host.lock);
}

static void note_endings(void *context, const partway_snapshot_t *const *snapshots, size_t many) {
    told_t *told = context;
    for (size_t i = 0; i < many; i++)
        if (partway_snapshot_ended(snapshots[i])) note(told, snapshots[i]->id, snapshots[i]->state);
    on_changes(&told->host, snapshots, many);
}

static void note_forgotten(void *context, const partway_text_t *ids, size_t many) {
    for (size_t i = 0; i < many; i++) note(context, ids[i], 0);
}

static size_t told_count(told_t *told) {
    pthread_mutex_lock(&told->host.lock);
    size_t count = told->count;
    pthread_mutex_unlock(&told->host.lock);
    return count;
}

/* How often an upload's ending was told, and with which state; 0: that it is forgotten. */
static int times_told(told_t *told, const char *id, uint32_t state) {
    int times = 0;
    pthread_mutex_lock(&told->host.lock);
    for (size_t i = 0; i < told->count; i++) times += strcmp(told->told[i].id, id) == 0 && told->told[i].state == state;
    pthread_mutex_unlock(&told->host.lock);
    return times;
}

static partway_client_t *open_told(told_t *told) {
    partway_host_t table = host_of(&told->host);
    table.on_changes = note_endings;
    table.on_forgotten = note_forgotten;
    told->host.client = open_with("uploads", &table, 0, true);
    return told->host.client;
}

static void exactly_one_ending(void) {
    enum { EACH = 3, ALL = 3 * EACH };
    static const char *const KINDS[] = {"fine", "bad", "gone"};
    static const uint32_t STATES[] = {PARTWAY_STATE_COMPLETED, PARTWAY_STATE_FAILED, PARTWAY_STATE_CANCELLED};
    say("/rules", "{\"step\":\"begin\",\"how\":\"status\",\"status\":400,\"code\":\"ParamInvalid\",\"path_contains\":\"bad\"}");
    say("/rules", "{\"step\":\"part\",\"how\":\"stall\",\"after_bytes\":1000,\"path_contains\":\"gone\"}");
    file_of("photo", MIB, 11);
    told_t first = {.host = HOST_STATE};
    partway_client_t *client = open_told(&first);
    partway_limits_t limits = {.struct_size = sizeof limits, .parallel_uploads = ALL, .parallel_parts = ALL};
    GOOD(partway_client_set_limits(client, &limits, &error));
    partway_upload_t *uploads[ALL];
    char ids[ALL][PARTWAY_ID_SIZE];
    for (int i = 0; i < ALL; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%d", KINDS[i % 3], i);
        partway_request_t *request = request_of(name, name, "photo");
        GOOD(partway_request_set_text(request, PARTWAY_REQUEST_GROUP, TEXT(KINDS[i % 3]), &error));
        uploads[i] = begin(client, request);
        memcpy(ids[i], partway_upload_id(uploads[i]), PARTWAY_ID_SIZE);
    }
    UNTIL(standing() == EACH);
    for (int i = 0; i < ALL; i++)
        if (i % 3 != 2) partway_snapshot_free(ended(uploads[i]));
    /* Cancelled while parts are under way: what these count comes after the ending, and must not tell it again. */
    uint32_t count = 7;
    GOOD(partway_client_cancel(client, PARTWAY_SELECT_GROUP, TEXT("gone"), &count, &error));
    CHECK(count == EACH);
    for (int i = 0; i < ALL; i++) {
        partway_snapshot_t *end_of_it = ended(uploads[i]);
        CHECK(end_of_it->state == STATES[i % 3]);
        CHECK((end_of_it->receipt != NULL) == (i % 3 == 0) && (end_of_it->error != NULL) == (i % 3 == 1));
        CHECK(end_of_it->remote == (i % 3 == 2 ? PARTWAY_REMOTE_ABORTED : 0));
        partway_snapshot_free(end_of_it);
    }
    UNTIL(told_count(&first) >= ALL);
    /* What comes too late changes nothing, and tells nothing. */
    GOOD(partway_client_resume(client, PARTWAY_SELECT_ALL, NULL, 0, &count, &error));
    CHECK(count == 0);
    GOOD(partway_client_pause(client, PARTWAY_SELECT_ALL, NULL, 0, &count, &error));
    CHECK(count == 0);
    GOOD(partway_client_cancel(client, PARTWAY_SELECT_ALL, NULL, 0, &count, &error));
    CHECK(count == 0);
    GOOD(partway_client_wait_idle(client, LONG_MS, NULL, &error));
    end(&first.host);
    CHECK(first.count == ALL && first.host.endings == ALL);
    for (int i = 0; i < ALL; i++) CHECK(times_told(&first, ids[i], STATES[i % 3]) == 1);
    for (int i = 0; i < ALL; i++) partway_upload_free(uploads[i]);

    /* Kept until they are taken: each client that opens tells each of them once. */
    for (int again = 0; again < 2; again++) {
        told_t next = {.host = HOST_STATE};
        client = open_told(&next);
        UNTIL(told_count(&next) >= ALL);
        if (again == 1) {
            GOOD(partway_client_forget(client, PARTWAY_SELECT_ALL, NULL, 0, &count, &error));
            CHECK(count == ALL);
            UNTIL(told_count(&next) >= 2 * ALL);
            GOOD(partway_client_forget(client, PARTWAY_SELECT_ALL, NULL, 0, &count, &error));
            CHECK(count == 0);
        }
        GOOD(partway_client_wait_idle(client, LONG_MS, NULL, &error));
        end(&next.host);
        CHECK(next.count == (again == 1 ? 2 * ALL : ALL));
        for (int i = 0; i < ALL; i++)
            CHECK(times_told(&next, ids[i], STATES[i % 3]) == 1 && times_told(&next, ids[i], 0) == again);
    }

    told_t last = {.host = HOST_STATE};
    client = open_told(&last);
    partway_list_t *list = NULL;
    GOOD(partway_client_list(client, PARTWAY_SELECT_ALL, NULL, 0, &list, &error));
    CHECK(partway_list_count(list) == 0 && partway_list_at(list, 0) == NULL);
    partway_list_free(list);
    GOOD(partway_client_wait_idle(client, LONG_MS, NULL, &error));
    end(&last.host);
    CHECK(last.count == 0 && last.host.endings == 0);
    CHECK(objects() == EACH); /* One for each that was completed. */
}

static void fifty_parallel_uploads(void) {
    enum { MANY = 50 };
    host_state_t host = HOST_STATE;
    partway_client_t *client = open_client("uploads", &host, 0);
    partway_limits_t limits = {.struct_size = sizeof limits, .parallel_uploads = MANY, .parallel_parts = MANY};
    GOOD(partway_client_set_limits(client, &limits, &error));
    say("/rules", "{\"step\":\"part\",\"how\":\"hold\",\"after_bytes\":0}");
    partway_request_t *requests[MANY + 1];
    partway_upload_t *uploads[MANY + 1];
    partway_error_t *errors[MANY + 1];
    uint32_t hows[MANY + 1];
    char name[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "photo-%d", i);
        requests[i] = request_of(name, name, file_of(name, 100000 + (size_t)i, 100 + (uint64_t)i));
        GOOD(partway_request_set_text(requests[i], PARTWAY_REQUEST_GROUP, TEXT("fifty"), &error));
    }
    requests[MANY] = request_of("", "no key", "photo-0"); /* One that is refused harms no other. */
    BAD(PARTWAY_ERROR_INVALID_ARGUMENT,
        partway_client_start_all(client, (const partway_request_t *const *)requests, MANY + 1, uploads, hows, errors, &error));
    for (int i = 0; i <= MANY; i++) partway_request_free(requests[i]);
    CHECK(uploads[MANY] == NULL && hows[MANY] == 0 && errors[MANY]->code == PARTWAY_ERROR_INVALID_ARGUMENT);
    partway_error_free(errors[MANY]);

    /* Each has a part under way, all at the same time. */
    UNTIL(standing() == MANY);
    partway_list_t *list = NULL;
    GOOD(partway_client_list(client, PARTWAY_SELECT_GROUP, TEXT("fifty"), &list, &error));
    CHECK(partway_list_count(list) == MANY);
    for (size_t i = 0; i < MANY; i++) CHECK(is_active(partway_list_at(list, i)));
    partway_list_free(list);
    partway_idle_t idle = {.struct_size = sizeof idle};
    GOOD(partway_client_idle(client, &idle, &error));
    CHECK(idle.active == MANY && idle.queued == 0 && idle.at_rest == 0);
    no_rules();
    for (int i = 0; i < MANY; i++) {
        CHECK(hows[i] == PARTWAY_HOW_NEW && errors[i] == NULL);
        done(uploads[i]);
        snprintf(name, sizeof name, "photo-%d", i);
        stored(name, name);
    }
    CHECK(objects() == MANY && standing() == MANY);
    UNTIL(counted(&host, &host.endings) == MANY);
    end(&host);
    CHECK(host.endings == MANY);
}

/* In C nothing is thrown: the listener that misbehaves calls back into the client, waits there, and blocks. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void on_changes_blocking(void *context, const partway_snapshot_t *const *snapshots, size_t many) {
    host_state_t *host = context;
    partway_snapshot_t *snapshot = partway_snapshot_copy(snapshots[many - 1]);
    partway_upload_t *upload = NULL;
    pthread_mutex_lock(&gate); /* Until the upload has ended without it; it also says that `client` is set. */
    GOOD(partway_client_upload(host->client, snapshot->id.data, snapshot->id.len, &upload, &error));
    GOOD(partway_upload_resume(upload, &error));
    CHECK(partway_upload_wait(upload, PARTWAY_FOREVER, NULL, NULL) <= PARTWAY_TIMED_OUT);
    CHECK(partway_client_wait_idle(host->client, PARTWAY_FOREVER, NULL, NULL) <= PARTWAY_TIMED_OUT);
    partway_upload_free(upload);
    partway_snapshot_free(snapshot);
    pthread_mutex_unlock(&gate);
    on_changes(context, snapshots, many);
}

static void listener_that_throws(void) {
    host_state_t host = HOST_STATE;
    partway_host_t table = host_of(&host);
    table.on_changes = on_changes_blocking;
    pthread_mutex_lock(&gate);
    partway_client_t *client = host.client = open_with("uploads", &table, 0, true);
    /* The one thread of callbacks will be blocked: nothing can be asked there. */
    GOOD(partway_client_set_token(client, TEXT("me"), TEXT("sandbox-token"), PARTWAY_NONE, &error));
    done(begin(client, request_of("photo", "photo.jpg", file_of("photo", 2 * MIB, 12))));
    stored("photo.jpg", "photo");
    CHECK(counted(&host, &host.changes) == 0);
    pthread_mutex_unlock(&gate);
    UNTIL(counted(&host, &host.endings) == 1);
    end(&host);
}

static void *wait_for_the_end(void *upload) {
    partway_status_t status = partway_upload_wait(upload, PARTWAY_FOREVER, NULL, NULL);
    CHECK(status == PARTWAY_TIMED_OUT || status == PARTWAY_ERROR_CLOSED);
    return NULL;
}

static void client_closed_early(void) {
    host_state_t first = HOST_STATE;
    partway_client_t *client = open_client("uploads", &first, 2 * MIB);
    partway_upload_t *upload = begin(client, request_of("film", "film.mp4", file_of("film", 8 * MIB, 13)));
    gone_to(upload, has_a_part);
    pthread_t waiter;
    CHECK(pthread_create(&waiter, NULL, wait_for_the_end, upload) == 0);
    CHECK(partway_client_close(client, 0, NULL) <= PARTWAY_TIMED_OUT);
    CHECK(pthread_join(waiter, NULL) == 0);
    partway_request_t *request = request_of("late", "late.mp4", "film");
    BAD(PARTWAY_ERROR_CLOSED, partway_client_start(client, request, NULL, NULL, &error));
    partway_request_free(request);
    partway_client_free(client);
    BAD(PARTWAY_ERROR_CLOSED, partway_upload_resume(upload, &error));
    partway_upload_free(upload);
    UNTIL(counted(&first, &first.released) == 1);

    /* Nothing was cancelled: the next client goes on. */
    host_state_t second = HOST_STATE;
    client = open_client("uploads", &second, 0);
    partway_snapshot_t *found = NULL;
    GOOD(partway_client_find(client, TEXT("film"), &found, &error));
    CHECK(found->parts_done >= 1);
    GOOD(partway_client_upload(client, found->id.data, found->id.len, &upload, &error));
    partway_snapshot_free(found);
    done(upload);
    stored("film.mp4", "film");
    CHECK(objects() == 1);
    end(&second);
}

static const struct {
    const char *name;
    void (*run)(void);
} SCENARIOS[] = {
    {"upload", upload},
    {"instant", instant},
    {"pause_resume_cancel", pause_resume_cancel},
    {"kill_and_restore", kill_and_restore},
    {"lost_token", lost_token},
    {"conflict_answered", conflict_answered},
    {"source_given_again", source_given_again},
    {"hold_and_go", hold_and_go},
    {"error_mapping", error_mapping},
    {"exactly_one_ending", exactly_one_ending},
    {"fifty_parallel_uploads", fifty_parallel_uploads},
    {"listener_that_throws", listener_that_throws},
    {"client_closed_early", client_closed_early},
};

int main(int argc, char **argv) {
    CHECK(argc == 4);
    api = argv[1], control = argv[2];
    CHECK(partway_abi_version() >= PARTWAY_ABI_VERSION);
    unsigned major = 0, minor = 0, patch = 0;
    CHECK(sscanf(partway_library_version(), "%u.%u.%u", &major, &minor, &patch) == 3 && major + minor + patch > 0);
    for (size_t i = 0; i < sizeof SCENARIOS / sizeof *SCENARIOS; i++)
        if (strcmp(SCENARIOS[i].name, argv[3]) == 0) {
            SCENARIOS[i].run();
            return 0;
        }
    fprintf(stderr, "there is no scenario %s\n", argv[3]);
    return 2;
}
