/* A WebSocket client that is not ours (node's) against our server engine, over a real socket. Skipped without node. */
#include "harness/test.h"
#include "wire/websocket_testing.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exits 0 when everything came back as it went, 77 when this node has no WebSocket. */
static const char script[] =
    "if (typeof WebSocket === 'undefined') process.exit(77);"
    "const ws = new WebSocket('ws://127.0.0.1:' + process.argv[1] + '/x', ['nobody', 'v4.channel.k8s.io']);"
    "ws.binaryType = 'arraybuffer';"
    "const sent = [0, 1, 125, 126, 65535, 65536, 300000].map(n => new Uint8Array(n).map((_, i) => i * 7));"
    "let next = 0, texts = 0;"
    "ws.onerror = e => { console.error(e.message); process.exit(1); };"
    "ws.onopen = () => { if (ws.protocol !== 'v4.channel.k8s.io') process.exit(2);"
    "  ws.send('gr\\u00fc\\u00df \\u{1f30d}'); for (const s of sent) ws.send(s); };"
    "ws.onmessage = e => {"
    "  if (typeof e.data === 'string') { if (e.data !== 'gr\\u00fc\\u00df \\u{1f30d}') process.exit(3); texts++; return; }"
    "  if (Buffer.compare(Buffer.from(e.data), Buffer.from(sent[next]))) process.exit(4);"
    "  if (++next === sent.length) ws.close(4001, 'done'); };"
    "ws.onclose = e => process.exit(e.code === 4001 && e.wasClean && texts === 1 ? 0 : 5);";

static void write_all(int fd, str s)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        CHECK_GT(n, 0);
        s = str_from(s, (size_t)n);
    }
}

static str header_of(str request, str name)
{
    str line, found, value;
    while (str_next(&request, '\n', &line))
        if (str_cut(line, ':', &found, &value) && str_eq_nocase(found, name))
            return str_trim(value);
    FAIL("the request has no header '%" STR_FMT "'", STR_ARG(name));
}

/* Reads the request, which node sends in one piece, and answers it. */
static void shake_hands(int fd)
{
    char text[4096];
    ssize_t n = read(fd, text, sizeof text);
    CHECK_GT(n, 0);
    str request = str_of(text, (size_t)n);
    struct http_header headers[] = {
        {S("sec-websocket-key"), header_of(request, S("sec-websocket-key"))},
        {S("sec-websocket-version"), header_of(request, S("sec-websocket-version"))},
        {S("sec-websocket-protocol"), header_of(request, S("sec-websocket-protocol"))},
    };
    struct http_head head = {.method = S("GET"),
                             .upgrade = S("websocket"),
                             .headers = headers,
                             .header_count = ARRAY_COUNT(headers)};
    str key = STR_NONE, protocol = STR_NONE;
    CHECK_OK(ws_check_request(&head, &key, &e));
    const str ours[] = {S("v5.channel.k8s.io"), S("v4.channel.k8s.io")};
    CHECK_OK(ws_choose_protocol(&head, ours, ARRAY_COUNT(ours), &protocol, &e));
    char accept[WS_ACCEPT_N];
    ws_accept(key, accept);
    char answer[512];
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %.*s\r\nSec-WebSocket-Protocol: %" STR_FMT "\r\n\r\n",
                        WS_ACCEPT_N, accept, STR_ARG(protocol));
    write_all(fd, str_of(answer, (size_t)size));
}

static void echo_until_closed(int fd)
{
    struct ws *w = ws_new(WS_SERVER, NULL);
    char bytes[30000];
    ssize_t n;
    while (!ws_is_over(w) && (n = read(fd, bytes, sizeof bytes)) > 0) {
        str in = str_of(bytes, (size_t)n);
        struct ws_event ev;
        while (ws_next(w, &in, &ev))
            if (ev.type == WS_DATA)
                CHECK_OK(ws_send(w, ev.kind, ev.end ? 0 : WS_MORE, &ev.data, 1, &e));
        CHECK_OK(ws_check(w, &e));
        write_all(fd, ws_output(w));
        ws_written(w, ws_output(w).n);
    }
    CHECK(ws_is_over(w));
    ws_free(w);
}

TEST_WITHIN(websocket_server_understands_the_client_of_node, 60)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_n = sizeof at;
    CHECK_EQ(bind(listener, (const struct sockaddr *)&at, at_n), 0);
    CHECK_EQ(listen(listener, 1), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&at, &at_n), 0);
    char port[8];
    snprintf(port, sizeof port, "%d", ntohs(at.sin_port));
    pid_t child = fork();
    if (child == 0) {
        execlp("node", "node", "--experimental-websocket", "-e", script, port, (char *)NULL);
        _exit(77);
    }
    CHECK_GT(child, 0);
    /* A client that cannot run ends before it connects. */
    int fd = -1, status = 0;
    struct timeval wait_for = {.tv_usec = 100000};
    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &wait_for, sizeof wait_for);
    while ((fd = accept(listener, NULL, NULL)) < 0)
        if (waitpid(child, &status, WNOHANG) == child)
            test_skip("needs a node with a WebSocket client");
    /* The connection has inherited the listener's patience, which a busy machine outlasts. */
    struct timeval for_ever = {0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof for_ever);
    shake_hands(fd);
    echo_until_closed(fd);
    close(fd);
    close(listener);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}
