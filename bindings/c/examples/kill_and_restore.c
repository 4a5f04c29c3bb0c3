/* A process that uploads is killed half-way; the next one goes on: kill_and_restore ENDPOINT TOKEN FILE. POSIX. */
#include <inttypes.h>
#include <partway.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT(text) (text), PARTWAY_NUL_TERMINATED

static void die(partway_error_t *error) {
    fprintf(stderr, "%s: %s\n", error->log_line.data, error->detail.data);
    exit(1);
}

static void on_credential(void *context, partway_credential_ask_t *ask) {
    partway_credential_ask_supply_token(ask, TEXT(context), PARTWAY_NONE, NULL);
    partway_credential_ask_free(ask);
}

static partway_client_t *open_client(char *token, uint64_t rate_bytes_per_s) {
    partway_error_t *error = NULL;
    partway_host_t host = {.struct_size = sizeof host, .context = token, .on_credential = on_credential};
    partway_limits_t limits = {.struct_size = sizeof limits, .rate_bytes_per_s = rate_bytes_per_s};
    partway_config_t *config = partway_config_new();
    partway_client_t *client = NULL;
    partway_config_set_text(config, PARTWAY_CONFIG_STATE_DIR, TEXT("uploads"), NULL);
    partway_config_set_limits(config, &limits, NULL);
    partway_config_set_host(config, &host, NULL);
    if (partway_client_open(config, &client, &error) != PARTWAY_OK) die(error);
    partway_config_free(config);
    return client;
}

/* Starts the upload, and kills its own process once the service has a part of it. */
static void first_life(char **argv) {
    partway_error_t *error = NULL;
    partway_client_t *client = open_client(argv[2], 2 << 20); /* Slowly, so that there is a half-way. */
    partway_source_t *source = NULL;
    partway_request_t *request = NULL;
    partway_upload_t *upload = NULL;
    partway_snapshot_t *now = NULL;
    if (partway_source_new_path(TEXT(argv[3]), false, &source, &error) != PARTWAY_OK) die(error);
    partway_request_new(PARTWAY_SERVICE_SMH, &request, NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_KEY, TEXT("film-1"), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_ENDPOINT, TEXT(argv[1]), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_ACCOUNT, TEXT("me"), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_LIBRARY, TEXT("smh-sandbox"), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_PATH, TEXT("film.mp4"), NULL);
    partway_request_set_number(request, PARTWAY_REQUEST_SMH_MODE, PARTWAY_SMH_MODE_MULTIPART, NULL);
    partway_request_set_number(request, PARTWAY_REQUEST_PART_SIZE_BYTES, 1 << 20, NULL);
    partway_request_set_source(request, source, NULL);
    if (partway_client_start(client, request, &upload, NULL, &error) != PARTWAY_OK) die(error);
    for (uint64_t revision = 0;; revision = now->revision, partway_snapshot_free(now)) {
        if (partway_upload_wait_change(upload, revision, 60000, &now, &error) != PARTWAY_OK) exit(1);
        if (now->parts_done > 0) kill(getpid(), SIGKILL);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) first_life(argv);
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status)) return 1;

    /* The second life: opening the client is all that there is to do. */
    partway_error_t *error = NULL;
    partway_client_t *client = open_client(argv[2], 0);
    partway_snapshot_t *found = NULL, *end = NULL;
    partway_upload_t *upload = NULL;
    if (partway_client_find(client, TEXT("film-1"), &found, &error) != PARTWAY_OK) die(error);
    printf("found with %" PRIu32 " of %" PRIu32 " parts\n", found->parts_done, found->parts_total);
    if (partway_client_upload(client, found->id.data, found->id.len, &upload, &error) != PARTWAY_OK) die(error);
    if (partway_upload_wait(upload, PARTWAY_FOREVER, &end, &error) != PARTWAY_OK) die(error);
    int good = end->state == PARTWAY_STATE_COMPLETED && end->bytes_sent < end->bytes_total;
    printf("%s; sent %" PRIu64 " of %" PRIu64 " bytes in this life\n", partway_state_name(end->state), end->bytes_sent,
           end->bytes_total);
    partway_snapshot_free(found), partway_snapshot_free(end), partway_upload_free(upload), partway_client_free(client);
    return good ? 0 : 1;
}
