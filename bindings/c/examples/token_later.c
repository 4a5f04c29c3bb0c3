/* A token that is fetched on another thread: token_later ENDPOINT TOKEN FILE. POSIX threads. */
#include <partway.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT(text) (text), PARTWAY_NUL_TERMINATED

typedef struct {
    const char *token;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    partway_credential_ask_t *ask; /* The one that waits to be answered. */
    int asked, over;
} account_t;

/* Called on the library's thread: keeps the ask, and returns at once. */
static void on_credential(void *context, partway_credential_ask_t *ask) {
    account_t *account = context;
    pthread_mutex_lock(&account->lock);
    partway_credential_ask_free(account->ask); /* An older one that nobody answered. */
    account->ask = ask;
    account->asked++;
    pthread_cond_signal(&account->changed);
    pthread_mutex_unlock(&account->lock);
}

static void on_release(void *context) {
    account_t *account = context;
    pthread_mutex_lock(&account->lock);
    account->over = 1; /* Nothing is asked any more. */
    pthread_cond_broadcast(&account->changed);
    pthread_mutex_unlock(&account->lock);
}

/* Your own thread: a round trip to your own service may take as long as it does. */
static void *fetch_tokens(void *context) {
    account_t *account = context;
    pthread_mutex_lock(&account->lock);
    while (!account->over) {
        if (account->ask != NULL) {
            /* The first answer is a token that ran out, to show what comes of it: the service refuses it, and you are asked once more. */
            const char *token = partway_credential_ask_why(account->ask) == PARTWAY_WHY_REFUSED ? account->token : "ran-out";
            partway_credential_ask_supply_token(account->ask, TEXT(token), PARTWAY_NONE, NULL);
            partway_credential_ask_free(account->ask);
            account->ask = NULL;
        }
        if (!account->over) pthread_cond_wait(&account->changed, &account->lock);
    }
    partway_credential_ask_free(account->ask);
    pthread_mutex_unlock(&account->lock);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    account_t account = {argv[2], PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0, 0};
    pthread_t thread;
    if (pthread_create(&thread, NULL, fetch_tokens, &account) != 0) return 1;

    partway_error_t *error = NULL;
    partway_host_t host = {.struct_size = sizeof host, .context = &account, .release = on_release, .on_credential = on_credential};
    partway_config_t *config = partway_config_new();
    partway_client_t *client = NULL;
    partway_source_t *source = NULL;
    partway_request_t *request = NULL;
    partway_upload_t *upload = NULL;
    partway_snapshot_t *end = NULL;
    partway_config_set_text(config, PARTWAY_CONFIG_STATE_DIR, TEXT("uploads"), NULL);
    if (partway_config_set_host(config, &host, &error) != PARTWAY_OK) return 1;
    partway_source_new_path(TEXT(argv[3]), false, &source, NULL);
    partway_request_new(PARTWAY_SERVICE_SMH, &request, NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_KEY, TEXT("photo-1"), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_ENDPOINT, TEXT(argv[1]), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_ACCOUNT, TEXT("me"), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_LIBRARY, TEXT("smh-sandbox"), NULL);
    partway_request_set_text(request, PARTWAY_REQUEST_PATH, TEXT("photo.jpg"), NULL);
    partway_request_set_source(request, source, NULL);
    int good = partway_client_open(config, &client, &error) == PARTWAY_OK &&
               partway_client_start(client, request, &upload, NULL, &error) == PARTWAY_OK &&
               partway_upload_wait(upload, PARTWAY_FOREVER, &end, &error) == PARTWAY_OK &&
               end->state == PARTWAY_STATE_COMPLETED;
    if (error != NULL) fprintf(stderr, "%s: %s\n", error->log_line.data, error->detail.data);
    partway_snapshot_free(end), partway_upload_free(upload), partway_request_free(request), partway_source_free(source);
    partway_client_free(client), partway_config_free(config), partway_error_free(error);
    pthread_join(thread, NULL); /* The release ends it. */
    printf("asked %d times\n", account.asked);
    return good && account.asked == 2 ? 0 : 1;
}
