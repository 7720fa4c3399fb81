/* grpc.c - gRPC on HTTP/2 exchanges: the five byte prefix of messages, status and deadlines in headers, and the short
 * forms for unary calls. A call lives in its exchange's arena. */
#include "wire/grpc.h"
#include "base/mem.h"

enum {
    PREFIX_SIZE = 5,
    MESSAGE_KEPT = 64 * 1024, /* a buffer larger than this is given back after its message */
    OWN_FIELDS_MAX = 6,       /* headers of ours beside the caller's metadata */
};

struct grpc_call {
    struct http_exchange *x;
    struct grpc_handler handler;
    const struct http_head *head;
    int64_t timeout_ns;
    bool is_server;
    bool head_sent; /* server */
    bool peer_ended;
    bool is_done; /* the status is known and told, or given */
    bool is_freed;
    /* the message coming in */
    size_t message_size_max;
    unsigned char prefix[PREFIX_SIZE];
    size_t prefix_n, message_size;
    struct buf message;
    size_t owed; /* of messages the owner has and did not consume */
    size_t held; /* bytes that came and were not given back to the peer's window */
    /* unary: the other side's one message, and who waits for it */
    struct buf kept;
    bool has_kept, was_handled;
    grpc_answer_fn *on_answer;
    void (*handle)(void *ctx, struct grpc_call *call, str request);
    void (*on_gone)(void *ctx, struct grpc_call *call);
    void *unary_ctx;
};

/* --- codes --- */

const char *grpc_code_name(int code)
{
    switch (code) {
#define GRPC_CODE(name, number, err) \
    case number:                     \
        return #name;
#include "wire/grpc_codes.def"
#undef GRPC_CODE
    }
    return "UNKNOWN";
}

err_code grpc_code_to_err(int code)
{
    switch (code) {
#define GRPC_CODE(name, number, err) \
    case number:                     \
        return ERR_##err;
#include "wire/grpc_codes.def"
#undef GRPC_CODE
    }
    return ERR_INTERNAL;
}

enum grpc_code grpc_code_of_err(err_code code)
{
    switch (code) {
    case ERR_NONE: return GRPC_OK;
    case ERR_CANCELED: return GRPC_CANCELLED;
    case ERR_BAD_REQUEST:
    case ERR_INVALID:
    case ERR_SYNTAX:
    case ERR_NOT_ACCEPTABLE:
    case ERR_UNSUPPORTED_MEDIA_TYPE: return GRPC_INVALID_ARGUMENT;
    case ERR_TIMEOUT:
    case ERR_SERVER_TIMEOUT: return GRPC_DEADLINE_EXCEEDED;
    case ERR_NOT_FOUND: return GRPC_NOT_FOUND;
    case ERR_ALREADY_EXISTS: return GRPC_ALREADY_EXISTS;
    case ERR_FORBIDDEN: return GRPC_PERMISSION_DENIED;
    case ERR_TOO_LARGE:
    case ERR_TOO_MANY_REQUESTS:
    case ERR_DISK_FULL: return GRPC_RESOURCE_EXHAUSTED;
    case ERR_CONFLICT: return GRPC_ABORTED;
    case ERR_GONE:
    case ERR_EXPIRED: return GRPC_OUT_OF_RANGE;
    case ERR_UNSUPPORTED:
    case ERR_METHOD_NOT_ALLOWED: return GRPC_UNIMPLEMENTED;
    case ERR_UNAVAILABLE:
    case ERR_AGAIN:
    case ERR_CLOSED: return GRPC_UNAVAILABLE;
    case ERR_CORRUPT: return GRPC_DATA_LOSS;
    case ERR_UNAUTHORIZED: return GRPC_UNAUTHENTICATED;
    case ERR_INTERNAL:
    case ERR_IO:
    case ERR_PROTOCOL:
    case ERR_COUNT_: break;
    }
    return GRPC_INTERNAL;
}

/* For answers that are not gRPC's: a proxy in between, or another server. */
static enum grpc_code code_of_http_status(int status)
{
    switch (status) {
    case 400: return GRPC_INTERNAL;
    case 401: return GRPC_UNAUTHENTICATED;
    case 403: return GRPC_PERMISSION_DENIED;
    case 404: return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504: return GRPC_UNAVAILABLE;
    }
    return GRPC_UNKNOWN;
}

err_code grpc_status_check(const struct grpc_status *status, struct err *err)
{
    if (status->code == GRPC_OK)
        return ERR_NONE;
    return err_set(err, grpc_code_to_err(status->code), "%" STR_FMT " (%s)", STR_ARG(status->message),
                   grpc_code_name(status->code));
}

/* --- small languages in headers --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* What is no escape stands for itself: a message half readable is better than none. */
static str message_decode(struct arena *a, str s)
{
    if (str_index_c(s, '%') == SIZE_MAX)
        return s;
    char *p = arena_alloc(a, s.n, 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int high = s.p[i] == '%' && s.n - i > 2 ? hex_digit(s.p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s.p[i + 2]) : -1;
        p[n++] = low >= 0 ? (char)(high << 4 | low) : s.p[i];
        i += low >= 0 ? 2 : 0;
    }
    return str_of(p, n);
}

static str message_encode(struct arena *a, str s)
{
    static const char digits[] = "0123456789ABCDEF";
    struct buf b;
    buf_init_arena(&b, a, 4096); /* the peer's head has a limit too: what is longer is cut */
    for (size_t i = 0; i < s.n && b.max - b.n >= 3; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c > ' ' && c < 0x7f && c != '%') {
            buf_add_c(&b, (char)c);
        } else if (c == ' ' && i && i + 1 < s.n) {
            buf_add_c(&b, ' ');
        } else {
            char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
            buf_add(&b, str_of(escape, 3));
        }
    }
    return buf_str(&b);
}

static const struct {
    char unit;
    int64_t ns;
} timeout_units[] = {{'n', 1},
                     {'u', 1000},
                     {'m', 1000000},
                     {'S', 1000000000},
                     {'M', 60 * 1000000000LL},
                     {'H', 3600 * 1000000000LL}};

/* At most eight digits, rounded up: the finest unit that holds it. */
static str timeout_format(struct arena *a, int64_t ns)
{
    size_t last = ARRAY_COUNT(timeout_units) - 1;
    for (size_t i = 0; i < last; i++) {
        int64_t n = ns / timeout_units[i].ns + (ns % timeout_units[i].ns != 0);
        if (n <= 99999999)
            return str_format(a, "%lld%c", (long long)n, timeout_units[i].unit);
    }
    return str_format(a, "%lld%c", (long long)(ns / timeout_units[last].ns + 1), timeout_units[last].unit);
}

static bool timeout_parse(str s, int64_t *ret_ns)
{
    uint64_t n;
    if (s.n < 2 || s.n > 9 || !str_parse_u64(str_slice(s, 0, s.n - 1), &n))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(timeout_units); i++)
        if (timeout_units[i].unit == s.p[s.n - 1]) {
            if (__builtin_mul_overflow((int64_t)n, timeout_units[i].ns, ret_ns))
                *ret_ns = INT64_MAX;
            return true;
        }
    return false;
}

static bool is_grpc_type(str type)
{
    str rest = type;
    return str_take_prefix(&rest, S("application/grpc")) && (!rest.n || rest.p[0] == '+' || rest.p[0] == ';');
}

static str header_of(const struct http_header *h, size_t count, str name)
{
    return http_header_find(&(struct http_head){.headers = h, .header_count = count}, name);
}

/* --- life --- */

static void call_buffers_free(void *obj)
{
    struct grpc_call *call = obj;
    buf_done(&call->message);
    buf_done(&call->kept);
}

static struct grpc_call *call_new(struct http_exchange *x, size_t message_size_max)
{
    struct arena *a = http_exchange_arena(x);
    struct grpc_call *call = ARENA_NEW(a, struct grpc_call);
    call->x = x;
    call->message_size_max = message_size_max ? message_size_max : GRPC_MESSAGE_SIZE_MAX;
    buf_init(&call->message, call->message_size_max);
    buf_init(&call->kept, call->message_size_max);
    arena_hold(a, call_buffers_free, call);
    return call;
}

void grpc_call_free(struct grpc_call *call)
{
    if (!call)
        return;
    ASSERT(!call->is_freed);
    call->is_freed = true;
    http_exchange_free(call->x);
}

static void done_tell(struct grpc_call *call, const struct grpc_status *status)
{
    call->is_done = true;
    if (!call->is_freed && call->handler.on_done)
        call->handler.on_done(call->handler.ctx, call, status);
}

/* The client's call ends with what we found ourselves. */
static void client_fail(struct grpc_call *call, int code, str message)
{
    http_exchange_cancel(call->x);
    done_tell(call, &(struct grpc_status){.code = code, .message = message});
}

static void status_send(struct grpc_call *call, int code, str message, const struct http_header *trailers,
                        size_t trailer_count)
{
    struct arena *a = http_exchange_arena(call->x);
    struct http_header *h = ARENA_ARRAY(a, struct http_header, trailer_count + OWN_FIELDS_MAX);
    size_t n = 0;
    if (!call->head_sent)
        h[n++] = (struct http_header){S("content-type"), S("application/grpc")};
    h[n++] = (struct http_header){S("grpc-status"), str_format(a, "%d", code)};
    if (message.n)
        h[n++] = (struct http_header){S("grpc-message"), message_encode(a, message)};
    size_t own = n;
    for (size_t i = 0; i < trailer_count; i++)
        h[n++] = trailers[i];
    call->is_done = true;
    if (call->head_sent) {
        http_send_end(call->x, h, n);
        return;
    }
    call->head_sent = true;
    struct http_head head = {.status = 200, .content_length = -1, .headers = h, .header_count = n};
    struct err err = ERR_INIT;
    if (http_send_head(call->x, &head, true, &err) == ERR_INVALID) {
        head.header_count = own; /* the caller's cannot be sent; the status has to be */
        err_ignore(
            http_send_head(call->x, &head, true, &err)); /* fails when the exchange is over: nobody listens */
    }
}

/* The server's call ends with what we found: both sides hear of it. */
static void server_fail(struct grpc_call *call, int code, str message)
{
    status_send(call, code, message, NULL, 0);
    done_tell(call, &(struct grpc_status){.code = code, .message = message});
}

static void call_fail(struct grpc_call *call, int code, str message)
{
    if (call->is_server)
        server_fail(call, code, message);
    else
        client_fail(call, code, message);
}

/* --- messages in --- */

static void give_back(struct grpc_call *call)
{
    if (call->owed || !call->held || call->is_freed)
        return;
    size_t n = call->held;
    call->held = 0;
    http_consumed(call->x, n);
}

static void message_deliver(struct grpc_call *call, str message)
{
    call->prefix_n = 0;
    if (call->handler.on_message) {
        call->owed += message.n;
        call->handler.on_message(call->handler.ctx, call, message);
    }
}

static bool prefix_is_sound(struct grpc_call *call)
{
    const unsigned char *p = call->prefix;
    call->message_size = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
    struct arena *a = http_exchange_arena(call->x);
    if (p[0] == 1) {
        str encoding = call->head ? http_header_find(call->head, S("grpc-encoding")) : STR_NONE;
        bool said = encoding.n && !str_is(encoding, "identity");
        call_fail(call, said && call->is_server ? GRPC_UNIMPLEMENTED : GRPC_INTERNAL,
                  said ? str_format(a, "compression '%" STR_FMT "' is not supported", STR_ARG(encoding))
                       : S("a message claims to be compressed and its stream does not"));
    } else if (p[0]) {
        call_fail(call, GRPC_INTERNAL, str_format(a, "invalid message flag %d", p[0]));
    } else if (call->message_size > call->message_size_max) {
        call_fail(call, GRPC_RESOURCE_EXHAUSTED,
                  str_format(a, "received a message of %zu bytes, larger than %zu", call->message_size,
                             call->message_size_max));
    }
    return !call->is_done;
}

/* What it can of one message; false: no more can be done with what is there. */
static bool message_step(struct grpc_call *call, str *data)
{
    if (call->prefix_n < PREFIX_SIZE) {
        size_t n = size_min(PREFIX_SIZE - call->prefix_n, data->n);
        if (n)
            memcpy(call->prefix + call->prefix_n, data->p, n);
        call->prefix_n += n;
        *data = str_from(*data, n);
        if (call->prefix_n < PREFIX_SIZE || !prefix_is_sound(call))
            return false;
    }
    size_t missing = call->message_size - call->message.n;
    str here = str_slice(*data, 0, missing);
    *data = str_from(*data, here.n);
    if (here.n < missing) {
        buf_add(&call->message, here);
        return false;
    }
    if (!call->message.n) {
        message_deliver(call, here); /* all of it in one piece: no copy */
        return true;
    }
    buf_add(&call->message, here);
    message_deliver(call, buf_str(&call->message));
    buf_clear(&call->message);
    if (call->message.cap > MESSAGE_KEPT)
        buf_done(&call->message);
    return true;
}

static void on_body(void *ctx, struct http_exchange *x, str data)
{
    struct grpc_call *call = ctx;
    call->held += data.n;
    while (!call->is_done && !call->is_freed && message_step(call, &data) && data.n)
        ;
    if (call->is_done)
        call->owed = 0;
    give_back(call);
}

static void on_room(void *ctx, struct http_exchange *x)
{
    struct grpc_call *call = ctx;
    if (!call->is_done && call->handler.on_room)
        call->handler.on_room(call->handler.ctx, call);
}

void grpc_consumed(struct grpc_call *call, size_t n)
{
    call->owed -= size_min(n, call->owed);
    give_back(call);
}

/* --- messages out --- */

static bool message_begin(struct grpc_call *call, size_t size)
{
    struct err err = ERR_INIT;
    if (call->is_done || UNEXPECTED(size > UINT32_MAX))
        return false;
    if (call->is_server && !call->head_sent && grpc_send_head(call, NULL, 0, &err))
        return false;
    const char prefix[PREFIX_SIZE] = {0, (char)(size >> 24), (char)(size >> 16), (char)(size >> 8),
                                      (char)size};
    http_send_body(call->x, str_of(prefix, sizeof prefix));
    return true;
}

void grpc_send(struct grpc_call *call, str message)
{
    if (message_begin(call, message.n) && message.n)
        http_send_body(call->x, message);
}

void grpc_send_ref(struct grpc_call *call, str message, void (*release)(void *obj), void *obj)
{
    if (message_begin(call, message.n))
        http_send_body_ref(call->x, message, release, obj);
    else if (release)
        release(obj);
}

size_t grpc_queued(const struct grpc_call *call)
{
    return http_queued(call->x);
}

const struct http_head *grpc_call_head(const struct grpc_call *call)
{
    return call->head;
}

struct arena *grpc_call_arena(struct grpc_call *call)
{
    return http_exchange_arena(call->x);
}

/* --- client --- */

static void client_status(struct grpc_call *call, const struct http_header *h, size_t count)
{
    struct arena *a = http_exchange_arena(call->x);
    str text = header_of(h, count, S("grpc-status"));
    uint64_t code;
    if (call->prefix_n || call->message.n) {
        client_fail(call, GRPC_INTERNAL, S("the answer ended inside a message"));
    } else if (!text.p) {
        client_fail(call, GRPC_INTERNAL, S("the server ended its answer without a status"));
    } else if (!str_parse_u64(text, &code) || code > INT32_MAX) {
        client_fail(call, GRPC_UNKNOWN, str_format(a, "malformed grpc-status '%" STR_FMT "'", STR_ARG(text)));
    } else {
        done_tell(call,
                  &(struct grpc_status){.code = (int)code,
                                        .message = message_decode(a, header_of(h, count, S("grpc-message"))),
                                        .trailers = h,
                                        .trailer_count = count});
    }
}

static void client_head(void *ctx, struct http_exchange *x, const struct http_head *head, bool end)
{
    struct grpc_call *call = ctx;
    if (call->is_done || head->status < 200)
        return;
    call->head = head;
    str type = http_header_find(head, S("content-type"));
    if (end && http_header_find(head, S("grpc-status")).p) {
        client_status(call, head->headers, head->header_count);
    } else if (head->status != 200 || !is_grpc_type(type)) {
        int code = head->status == 200 ? GRPC_UNKNOWN : (int)code_of_http_status(head->status);
        client_fail(call, code,
                    str_format(http_exchange_arena(x),
                               "the server answered status %d with '%" STR_FMT "', not gRPC", head->status,
                               STR_ARG(type)));
    } else if (end) {
        client_status(call, head->headers, head->header_count);
    }
}

static void client_end(void *ctx, struct http_exchange *x, const struct http_header *trailers,
                       size_t trailer_count)
{
    struct grpc_call *call = ctx;
    if (!call->is_done)
        client_status(call, trailers, trailer_count);
}

static void client_reset(void *ctx, struct http_exchange *x, const struct err *why)
{
    struct grpc_call *call = ctx;
    if (call->is_done)
        return;
    done_tell(call, &(struct grpc_status){.code = grpc_code_of_err(why->code),
                                          .message = str_from_c(why->msg),
                                          .is_unprocessed = why->code == ERR_AGAIN});
}

struct grpc_call *grpc_call_start(struct http_conn *c, const struct grpc_spec *spec,
                                  struct grpc_handler handler, struct err *err)
{
    CLEANUP(arena_done) struct arena scratch;
    arena_init(&scratch, 0);
    struct http_header *h = ARENA_ARRAY(&scratch, struct http_header, spec->metadata_count + OWN_FIELDS_MAX);
    size_t n = 0;
    h[n++] = (struct http_header){S("te"), S("trailers")};
    h[n++] = (struct http_header){S("content-type"), S("application/grpc")};
    h[n++] = (struct http_header){S("grpc-accept-encoding"), S("identity")};
    if (spec->timeout_ns > 0)
        h[n++] = (struct http_header){S("grpc-timeout"), timeout_format(&scratch, spec->timeout_ns)};
    for (size_t i = 0; i < spec->metadata_count; i++)
        h[n++] = spec->metadata[i];
    struct http_head head = {.method = S("POST"),
                             .target = spec->path,
                             .authority = spec->authority,
                             .scheme = spec->scheme.n ? spec->scheme : S("http"),
                             .headers = h,
                             .header_count = n,
                             .content_length = -1};
    struct http_exchange *x = http_request(c, &head, false, (struct http_handler){0}, err);
    if (!x)
        return NULL;
    struct grpc_call *call = call_new(x, spec->message_size_max);
    call->handler = handler;
    http_exchange_set_handler(x, (struct http_handler){.on_head = client_head,
                                                       .on_body = on_body,
                                                       .on_end = client_end,
                                                       .on_reset = client_reset,
                                                       .on_room = on_room,
                                                       .ctx = call});
    return call;
}

void grpc_send_end(struct grpc_call *call)
{
    ASSERT(!call->is_server);
    http_send_end(call->x, NULL, 0);
}

/* --- unary --- */

/* True: it is the first. */
static bool message_keep(struct grpc_call *call, str message)
{
    grpc_consumed(call, message.n);
    if (call->has_kept) {
        call_fail(call, GRPC_INTERNAL, S("a unary call got more than one message"));
        return false;
    }
    call->has_kept = true;
    if (message.n && message.p == call->message.p) {
        struct buf empty = call->kept;
        call->kept = call->message;
        call->message = empty;
    } else {
        buf_add(&call->kept, message);
    }
    return true;
}

static void unary_message(void *ctx, struct grpc_call *call, str message)
{
    message_keep(call, message);
}

static void unary_done(void *ctx, struct grpc_call *call, const struct grpc_status *status)
{
    static const struct grpc_status none = {.code = GRPC_INTERNAL,
                                            .message = S_INIT("the answer has no message")};
    if (status->code == GRPC_OK && !call->has_kept)
        status = &none;
    call->on_answer(ctx, status, status->code == GRPC_OK ? buf_str(&call->kept) : STR_NONE);
    if (!call->is_freed)
        grpc_call_free(call);
}

struct grpc_call *grpc_unary(struct http_conn *c, const struct grpc_spec *spec, str request,
                             grpc_answer_fn *on_answer, void *ctx, struct err *err)
{
    struct grpc_handler handler = {.on_message = unary_message, .on_done = unary_done, .ctx = ctx};
    struct grpc_call *call = grpc_call_start(c, spec, handler, err);
    if (!call)
        return NULL;
    call->on_answer = on_answer;
    grpc_send(call, request);
    grpc_send_end(call);
    return call;
}

/* --- server --- */

static void server_end(void *ctx, struct http_exchange *x, const struct http_header *trailers,
                       size_t trailer_count)
{
    struct grpc_call *call = ctx;
    call->peer_ended = true;
    if (call->is_done)
        return;
    if (call->prefix_n || call->message.n)
        server_fail(call, GRPC_INTERNAL, S("the request ended inside a message"));
    else if (call->handler.on_end)
        call->handler.on_end(call->handler.ctx, call);
}

static void server_reset(void *ctx, struct http_exchange *x, const struct err *why)
{
    struct grpc_call *call = ctx;
    if (!call->is_done)
        done_tell(call, &(struct grpc_status){.code = grpc_code_of_err(why->code),
                                              .message = str_from_c(why->msg)});
}

static void refuse(struct http_exchange *x, int status, str why)
{
    struct http_header type = {S("content-type"), S("text/plain")};
    struct http_head head = {
        .status = status, .headers = &type, .header_count = 1, .content_length = (int64_t)why.n};
    struct err err = ERR_INIT;
    if (!http_send_head(x, &head, false, &err)) {
        http_send_body(x, why);
        http_send_end(x, NULL, 0);
    }
    http_exchange_free(x);
}

struct grpc_call *grpc_accept(struct http_exchange *x, const struct http_head *head, bool end,
                              size_t message_size_max)
{
    if (http_conn_version(http_exchange_conn(x)) != HTTP_2) {
        refuse(x, 505, S("gRPC needs HTTP/2\n"));
        return NULL;
    }
    if (!is_grpc_type(http_header_find(head, S("content-type")))) {
        refuse(x, 415, S("gRPC requests only\n"));
        return NULL;
    }
    if (!str_is(head->method, "POST")) {
        refuse(x, 405, S("gRPC requests are POST\n"));
        return NULL;
    }
    struct grpc_call *call = call_new(x, message_size_max);
    call->is_server = true;
    call->head = head;
    call->peer_ended = end;
    str timeout = http_header_find(head, S("grpc-timeout"));
    if (timeout.p && !timeout_parse(timeout, &call->timeout_ns)) {
        grpc_finish(call, GRPC_INTERNAL, S("malformed grpc-timeout"));
        return NULL;
    }
    http_exchange_set_handler(x, (struct http_handler){.on_body = on_body,
                                                       .on_end = server_end,
                                                       .on_reset = server_reset,
                                                       .on_room = on_room,
                                                       .ctx = call});
    return call;
}

str grpc_call_path(const struct grpc_call *call)
{
    return call->head->target;
}

int64_t grpc_call_timeout_ns(const struct grpc_call *call)
{
    return call->timeout_ns;
}

void grpc_call_set_handler(struct grpc_call *call, struct grpc_handler handler)
{
    call->handler = handler;
    /* Over with the head already: there will be no other event to tell it. */
    if (call->peer_ended && !call->is_done && handler.on_end)
        handler.on_end(handler.ctx, call);
}

err_code grpc_send_head(struct grpc_call *call, const struct http_header *metadata, size_t metadata_count,
                        struct err *err)
{
    ASSERT(call->is_server && !call->head_sent);
    struct arena *a = http_exchange_arena(call->x);
    struct http_header *h = ARENA_ARRAY(a, struct http_header, metadata_count + OWN_FIELDS_MAX);
    size_t n = 0;
    h[n++] = (struct http_header){S("content-type"), S("application/grpc")};
    for (size_t i = 0; i < metadata_count; i++)
        h[n++] = metadata[i];
    struct http_head head = {.status = 200, .content_length = -1, .headers = h, .header_count = n};
    if (http_send_head(call->x, &head, false, err))
        return err->code;
    call->head_sent = true;
    return ERR_NONE;
}

void grpc_finish_with(struct grpc_call *call, int code, str message, const struct http_header *trailers,
                      size_t trailer_count)
{
    ASSERT(call->is_server);
    if (!call->is_done)
        status_send(call, code, message, trailers, trailer_count);
    grpc_call_free(call);
}

void grpc_finish(struct grpc_call *call, int code, str message)
{
    grpc_finish_with(call, code, message, NULL, 0);
}

void grpc_answer(struct grpc_call *call, str message)
{
    grpc_send(call, message);
    grpc_finish(call, GRPC_OK, STR_NONE);
}

static void served_end(void *ctx, struct grpc_call *call)
{
    if (!call->has_kept) {
        server_fail(call, GRPC_INTERNAL, S("a unary call got no message"));
        return;
    }
    call->was_handled = true;
    call->handle(ctx, call, buf_str(&call->kept));
}

static void served_gone(void *ctx, struct grpc_call *call, const struct grpc_status *status)
{
    if (call->was_handled && call->on_gone)
        call->on_gone(ctx, call);
    if (!call->is_freed)
        grpc_call_free(call);
}

void grpc_serve_unary(struct grpc_call *call, void (*handle)(void *ctx, struct grpc_call *call, str request),
                      void (*on_gone)(void *ctx, struct grpc_call *call), void *ctx)
{
    call->handle = handle;
    call->on_gone = on_gone;
    grpc_call_set_handler(
        call, (struct grpc_handler){
                  .on_message = unary_message, .on_end = served_end, .on_done = served_gone, .ctx = ctx});
}
