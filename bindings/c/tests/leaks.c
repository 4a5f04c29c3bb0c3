/* 100,000 callbacks, and every context released exactly once: leaks API CONTROL NAME. */
#include "world.h"

enum { ROUNDS = 8, UPLOADS = 13, SIZE = 16 << 10, STEP = 16 };

typedef struct {
    unsigned char bytes[SIZE];
    pthread_mutex_t *lock;
    int *reads, *released;
    int done;
} reader_t;

static partway_status_t length(void *context, uint64_t *out_length) {
    reader_t *reader = context;
    CHECK(!reader->done);
    *out_length = SIZE;
    return PARTWAY_OK;
}

static partway_status_t read_at(void *context, uint64_t offset, uint8_t *buffer, size_t size, size_t *out_count) {
    reader_t *reader = context;
    CHECK(!reader->done && offset < SIZE);
    *out_count = size < STEP ? size : STEP; /* Short reads are normal. */
    if (*out_count > SIZE - offset) *out_count = SIZE - (size_t)offset;
    memcpy(buffer, reader->bytes + offset, *out_count);
    pthread_mutex_lock(reader->lock);
    ++*reader->reads;
    pthread_mutex_unlock(reader->lock);
    return PARTWAY_OK;
}

static void release(void *context) {
    reader_t *reader = context;
    pthread_mutex_lock(reader->lock);
    CHECK(!reader->done);
    reader->done = 1;
    ++*reader->released;
    pthread_mutex_unlock(reader->lock);
}

int main(int argc, char **argv) {
    CHECK(argc == 4);
    api = argv[1], control = argv[2];
    int reads = 0, released = 0, hosts = 0, changes = 0;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    for (int round = 0; round < ROUNDS; round++) {
        host_state_t host = HOST_STATE;
        partway_client_t *client = open_client("uploads", &host, 0);
        reader_t *readers = calloc(UPLOADS, sizeof *readers);
        partway_upload_t *uploads[UPLOADS];
        for (int i = 0; i < UPLOADS; i++) {
            readers[i].lock = &lock, readers[i].reads = &reads, readers[i].released = &released;
            memset(readers[i].bytes, round * UPLOADS + i, SIZE);
            partway_reader_t table = {.struct_size = sizeof table,
                                      .context = &readers[i],
                                      .release = release,
                                      .length = length,
                                      .read_at = read_at,
                                      .concurrent = (uint32_t)(i % 2)};
            partway_source_t *source = NULL;
            GOOD(partway_source_new_reader(&table, &source, &error));
            char name[32];
            snprintf(name, sizeof name, "r%d-%d", round, i);
            uploads[i] = begin(client, request_for(name, name, source));
            partway_source_free(source);
        }
        for (int i = 0; i < UPLOADS; i++) done(uploads[i]);
        end(&host);
        hosts += host.released, changes += host.changes + host.asks + host.idles;
        pthread_mutex_lock(&lock);
        int so_far = released;
        pthread_mutex_unlock(&lock);
        if (so_far != (round + 1) * UPLOADS) {
            int64_t began = now_ms();
            while (so_far != (round + 1) * UPLOADS && now_ms() - began < LONG_MS) {
                nanosleep(&(struct timespec){0, 2000000}, NULL);
                pthread_mutex_lock(&lock);
                so_far = released;
                pthread_mutex_unlock(&lock);
            }
        }
        CHECK(so_far == (round + 1) * UPLOADS);
        free(readers);
    }
    printf("%d reads, %d readers and %d hosts released once, %d other callbacks\n", reads, released, hosts, changes);
    CHECK(reads >= 100000 && released == ROUNDS * UPLOADS && hosts == ROUNDS);
    return 0;
}
