/* Uploads a file: upload ENDPOINT TOKEN FILE [BYTES_PER_S]. Run it again after any interruption: it goes on. */
#include <inttypes.h>
#include <partway.h>
#include <stdio.h>

#define TEXT(text) (text), PARTWAY_NUL_TERMINATED
static partway_error_t *error; /* What went wrong, once something did. */

static void on_credential(void *context, partway_credential_ask_t *ask) {
    partway_credential_ask_supply_token(ask, TEXT(context), PARTWAY_NONE, NULL); /* Here, or later, from any thread. */
    partway_credential_ask_free(ask);
}

static void on_changes(void *context, const partway_snapshot_t *const *now, size_t count) {
    (void)context;
    for (size_t i = 0; i < count; i++) {
        const partway_waiting_t *waits = now[i]->waiting; /* No failure: something or somebody can mend it, and then it goes on. */
        fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 " bytes\n", partway_state_name(now[i]->state), now[i]->bytes_shown, now[i]->bytes_total);
        if (waits) fprintf(stderr, "  for %s: %s\n", partway_waiting_name(waits->reason), waits->error ? waits->error->log_line.data : "");
    }
}

static int upload(partway_client_t *client, const char *endpoint, const char *file, const char *bytes_per_s) {
    partway_source_t *source = NULL;
    partway_request_t *request = NULL;
    partway_upload_t *upload = NULL;
    partway_snapshot_t *end = NULL;
    /* A field that is refused refuses the request: the one look at the result of the start is enough. */
    if (partway_source_new_path(TEXT(file), false, &source, &error) != PARTWAY_OK) return 0;
    partway_request_new(PARTWAY_SERVICE_SMH, &request, NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_KEY, TEXT("photo-1"), NULL); /* The same key is the same upload. */
    partway_request_set_text(request, PARTWAY_REQUEST_ENDPOINT, TEXT(endpoint), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_ACCOUNT, TEXT("me"), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_LIBRARY, TEXT("smh-sandbox"), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_PATH, TEXT("photo.jpg"), NULL);
    if (bytes_per_s) partway_request_set_number(request, PARTWAY_REQUEST_RATE_BYTES_PER_S, strtoimax(bytes_per_s, NULL, 10), NULL);
    partway_request_set_source(request, source, NULL);
    if (partway_client_start(client, request, &upload, NULL, &error) == PARTWAY_OK /* Survives a kill from here on. */
        && partway_upload_wait(upload, PARTWAY_FOREVER, &end, &error) == PARTWAY_OK) {
        if (end->receipt) printf("stored as %s, %" PRIu64 " bytes\n", end->receipt->name.data, end->receipt->size_bytes);
        if (end->error) fprintf(stderr, "%s\n", end->error->log_line.data);
        partway_upload_forget(upload, NULL, NULL); /* "I have noted how it ended." */
    }
    int completed = end && end->receipt;
    partway_snapshot_free(end), partway_upload_free(upload), partway_request_free(request), partway_source_free(source);
    return completed;
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    partway_host_t host = {.struct_size = sizeof host, .context = argv[2], .on_changes = on_changes, .on_credential = on_credential};
    partway_config_t *config = partway_config_new();
    partway_client_t *client = NULL;
    partway_config_set_text(config, PARTWAY_CONFIG_STATE_DIR, TEXT("uploads"), NULL);
    partway_config_set_host(config, &host, NULL);
    int good = partway_client_open(config, &client, &error) == PARTWAY_OK && upload(client, argv[1], argv[3], argv[4]);
    if (error) fprintf(stderr, "%s: %s\n", error->log_line.data, error->detail.data);
    partway_client_free(client), partway_config_free(config), partway_error_free(error);
    return good ? 0 : 1;
}
