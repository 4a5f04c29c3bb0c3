/* Bytes that are no file of their own, here a stretch of one: reader ENDPOINT TOKEN FILE. POSIX. */
#include <errno.h>
#include <fcntl.h>
#include <partway.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT(text) (text), PARTWAY_NUL_TERMINATED

typedef struct {
    int fd;
    uint64_t length;
} asset_t;

static partway_status_t length(void *context, uint64_t *out_length) {
    asset_t *asset = context;
    *out_length = asset->length;
    return PARTWAY_OK;
}

/* Called on threads of the library, here by several at once: pread has no position of its own. Fewer bytes than asked for are no harm. */
static partway_status_t read_at(void *context, uint64_t offset, uint8_t *buffer, size_t size, size_t *out_count) {
    asset_t *asset = context;
    ssize_t count = pread(asset->fd, buffer, size, (off_t)offset);
    if (count < 0) return errno == EACCES ? PARTWAY_ERROR_SOURCE_DENIED : PARTWAY_ERROR_SOURCE_UNREADABLE;
    *out_count = (size_t)count;
    return PARTWAY_OK;
}

static void release(void *context) { /* Once, when nothing reads any more. */
    asset_t *asset = context;
    close(asset->fd);
    free(asset);
}

static void on_credential(void *context, partway_credential_ask_t *ask) {
    partway_credential_ask_supply_token(ask, TEXT(context), PARTWAY_NONE, NULL);
    partway_credential_ask_free(ask);
}

int main(int argc, char **argv) {
    struct stat about;
    asset_t *asset = malloc(sizeof *asset);
    if (argc != 4 || asset == NULL || (asset->fd = open(argv[3], O_RDONLY)) < 0 || fstat(asset->fd, &about) != 0) return 2;
    asset->length = (uint64_t)about.st_size;

    partway_error_t *error = NULL;
    partway_host_t host = {.struct_size = sizeof host, .context = argv[2], .on_credential = on_credential};
    partway_reader_t reader = {.struct_size = sizeof reader, .context = asset, .release = release,
                               .length = length, .read_at = read_at, .concurrent = 1};
    partway_config_t *config = partway_config_new();
    partway_client_t *client = NULL;
    partway_source_t *source = NULL;
    partway_request_t *request = NULL;
    partway_upload_t *upload = NULL;
    partway_snapshot_t *end = NULL;
    partway_config_set_text(config, PARTWAY_CONFIG_STATE_DIR, TEXT("uploads"), NULL);
    partway_config_set_host(config, &host, NULL);
    if (partway_source_new_reader(&reader, &source, &error) != PARTWAY_OK) return 1;
    /* After a kill the reader is gone; on_source is asked, and given this word, to open it again. */
    partway_source_set_token(source, (const uint8_t *)argv[3], PARTWAY_NUL_TERMINATED, NULL);
    partway_request_new(PARTWAY_SERVICE_SMH, &request, NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_KEY, TEXT("asset-1"), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_ENDPOINT, TEXT(argv[1]), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_ACCOUNT, TEXT("me"), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_LIBRARY, TEXT("smh-sandbox"), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_PATH, TEXT("asset.bin"), NULL);
    partway_request_set_source(request, source, NULL);
    partway_source_free(source); /* The request has what it needs. */
    int good = partway_client_open(config, &client, &error) == PARTWAY_OK &&
               partway_client_start(client, request, &upload, NULL, &error) == PARTWAY_OK &&
               partway_upload_wait(upload, PARTWAY_FOREVER, &end, &error) == PARTWAY_OK &&
               end->state == PARTWAY_STATE_COMPLETED;
    if (error != NULL) fprintf(stderr, "%s: %s\n", error->log_line.data, error->detail.data);
    partway_snapshot_free(end), partway_upload_free(upload), partway_request_free(request);
    partway_client_close(client, 10000, NULL);
    partway_client_free(client), partway_config_free(config), partway_error_free(error);
    return good ? 0 : 1;
}
