/* libcurl carries the requests in the place of the library: curl_transport ENDPOINT TOKEN FILE. Link with -lcurl. POSIX threads. */
#include <ctype.h>
#include <curl/curl.h>
#include <partway.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(text) (text), PARTWAY_NUL_TERMINATED
enum { HEADERS_MAX = 64 };

typedef struct {
    partway_call_t *call;
    uint64_t body_left;
    uint64_t answer_max;
    partway_pair_t headers[HEADERS_MAX];
    char *header_texts[HEADERS_MAX];
    size_t headers_count;
    uint8_t *body;
    size_t body_size;
} exchange_t;

static size_t give_body(char *buffer, size_t size, size_t many, void *context) {
    exchange_t *exchange = context;
    size_t count = 0;
    if (partway_call_read_body(exchange->call, (uint8_t *)buffer, size * many, &count, NULL) != PARTWAY_OK) {
        return CURL_READFUNC_ABORT;
    }
    return count;
}

static int rewind_body(void *context, curl_off_t offset, int origin) {
    exchange_t *exchange = context;
    if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    return partway_call_rewind_body(exchange->call, NULL) == PARTWAY_OK ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static size_t take_header(char *line, size_t size, size_t many, void *context) {
    exchange_t *exchange = context;
    size_t length = size * many;
    if (length >= 5 && strncmp(line, "HTTP/", 5) == 0) { /* Of a new answer: those of "100 Continue" are none. */
        while (exchange->headers_count > 0) free(exchange->header_texts[--exchange->headers_count]);
        return length;
    }
    char *colon = memchr(line, ':', length);
    if (colon == NULL || exchange->headers_count == HEADERS_MAX) return length;
    char *text = malloc(length);
    if (text == NULL) return 0;
    memcpy(text, line, length);
    size_t name = (size_t)(colon - line), from = name + 1, to = length;
    while (from < to && isspace((unsigned char)text[from])) from++;
    while (to > from && isspace((unsigned char)text[to - 1])) to--;
    exchange->header_texts[exchange->headers_count] = text;
    exchange->headers[exchange->headers_count++] = (partway_pair_t){{text, name}, {text + from, to - from}};
    return length;
}

static size_t take_body(char *data, size_t size, size_t many, void *context) {
    exchange_t *exchange = context;
    size_t count = size * many;
    if (exchange->body_size + count > exchange->answer_max + 1) count = exchange->answer_max + 1 - exchange->body_size;
    uint8_t *body = realloc(exchange->body, exchange->body_size + count + 1);
    if (body == NULL) return 0;
    memcpy(body + exchange->body_size, data, count);
    exchange->body = body;
    exchange->body_size += count;
    return count;
}

static int still_wanted(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    exchange_t *exchange = context;
    return partway_call_is_cancelled(exchange->call);
}

static uint32_t fault_of(CURLcode code) {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST: return PARTWAY_FAULT_RESOLVE;
        case CURLE_COULDNT_RESOLVE_PROXY: return PARTWAY_FAULT_PROXY;
        case CURLE_COULDNT_CONNECT: return PARTWAY_FAULT_CONNECT;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION: return PARTWAY_FAULT_TLS;
        case CURLE_OPERATION_TIMEDOUT: return PARTWAY_FAULT_TIMED_OUT;
        case CURLE_WEIRD_SERVER_REPLY: return PARTWAY_FAULT_MALFORMED;
        default: return PARTWAY_FAULT_CUT;
    }
}

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int over;
} carrier_t;

/* Called once, when the last execute has returned and none will come: before that nothing may go that execute uses, and curl itself is such a thing. */
static void on_release(void *context) {
    carrier_t *carrier = context;
    pthread_mutex_lock(&carrier->lock);
    carrier->over = 1;
    pthread_cond_signal(&carrier->changed);
    pthread_mutex_unlock(&carrier->lock);
}

/* Called on a thread of its own, several at once: here it blocks until there is an answer. */
static void execute(void *context, partway_call_t *call) {
    const partway_http_request_t *request = partway_call_request(call);
    exchange_t exchange = {.call = call, .answer_max = request->answer_bytes_max};
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    (void)context;
    for (size_t i = 0; i < request->headers_count; i++) {
        partway_pair_t pair = request->headers[i];
        char *line = malloc(pair.name.len + pair.value.len + 3);
        /* Without a value curl wants a semicolon, or it takes the header away. */
        sprintf(line, pair.value.len > 0 ? "%s: %s" : "%s;", pair.name.data, pair.value.data);
        headers = curl_slist_append(headers, line);
        free(line);
    }
    if (!request->expect_continue) headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(curl, CURLOPT_URL, request->url.data);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method.data);
    if (strcmp(request->method.data, "HEAD") == 0) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (request->body_bytes > 0 || strcmp(request->method.data, "PUT") == 0 || strcmp(request->method.data, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_bytes);
    }
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, rewind_body);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, still_wanted);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    /* An answer that came while the body was still being sent is an answer. */
    if (code == CURLE_OK || ((code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR) && status >= 300)) {
        partway_call_respond(call, (uint32_t)status, exchange.headers, exchange.headers_count, exchange.body,
                             exchange.body_size, NULL);
    } else {
        partway_call_fail(call, fault_of(code), NULL);
    }
    while (exchange.headers_count > 0) free(exchange.header_texts[--exchange.headers_count]);
    free(exchange.body);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    partway_call_free(call);
}

static void on_credential(void *context, partway_credential_ask_t *ask) {
    partway_credential_ask_supply_token(ask, TEXT(context), PARTWAY_NONE, NULL);
    partway_credential_ask_free(ask);
}

int main(int argc, char **argv) {
    if (argc != 4 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return 2;
    partway_error_t *error = NULL;
    partway_host_t host = {.struct_size = sizeof host, .context = argv[2], .on_credential = on_credential};
    carrier_t carrier = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    partway_transport_t transport = {
        .struct_size = sizeof transport, .context = &carrier, .release = on_release, .execute = execute};
    partway_config_t *config = partway_config_new();
    partway_client_t *client = NULL;
    partway_source_t *source = NULL;
    partway_request_t *request = NULL;
    partway_upload_t *upload = NULL;
    partway_snapshot_t *end = NULL;
    partway_config_set_text(config, PARTWAY_CONFIG_STATE_DIR, TEXT("uploads"), NULL);
    partway_config_set_host(config, &host, NULL);
    partway_config_set_transport(config, &transport, NULL);
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
    partway_client_close(client, 10000, NULL); /* No request is under way any more. */
    partway_client_free(client), partway_config_free(config), partway_error_free(error);
    pthread_mutex_lock(&carrier.lock);
    while (!carrier.over) pthread_cond_wait(&carrier.changed, &carrier.lock);
    pthread_mutex_unlock(&carrier.lock);
    curl_global_cleanup();
    return good ? 0 : 1;
}
