/* authenticate.c - who asks: by the client certificate of the connection, else by a bearer token, else nobody in particular
 * (system:anonymous). */
#include "base/arena.h"
#include "server/server_priv.h"
#include "server/stages.h"
#include "sys/tls.h"

/* The common name is the user, the organizations are groups, as far as our CA vouches for it. */
static void read_certificate(struct connection *c)
{
    struct tls_info tls;
    struct stream *s = http_pump_stream(c->pump);
    c->cert_known = true;
    if (!s || !tls_stream_info(s, &tls) || !tls.peer_has_cert || tls.trust)
        return;
    struct x509_cert **certs;
    size_t count;
    struct err err = ERR_INIT;
    if (tls_stream_peer_certs(s, &c->arena, &certs, &count, &err) || !count)
        return;
    const struct x509_subject *subject = &x509_cert_info(certs[0])->subject;
    if (!subject->common_name.n)
        return;
    size_t n = subject->organization_count;
    str *groups = ARENA_ARRAY(&c->arena, str, n + 1);
    for (size_t i = 0; i < n; i++)
        groups[i] = subject->organizations[i];
    groups[n] = S("system:authenticated");
    c->cert_user = (struct user){.name = subject->common_name, .groups = groups, .group_count = n + 1};
}

static const str anonymous_groups[] = {S_INIT("system:unauthenticated")};

enum stage_result stage_authenticate(struct request *r)
{
    if (!r->conn->cert_known)
        read_certificate(r->conn);
    if (r->conn->cert_user.name.n) {
        r->user = r->conn->cert_user;
        return STAGE_NEXT;
    }
    if (http_header_find(&r->head, S("authorization")).n)
        return answer_failure(r, status_make(r->arena, ERR_UNAUTHORIZED, "Unauthorized"));
    r->user = (struct user){.name = S("system:anonymous"),
                            .groups = anonymous_groups,
                            .group_count = ARRAY_COUNT(anonymous_groups)};
    return STAGE_NEXT;
}
