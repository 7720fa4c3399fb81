/* authz.c - the authorizers in their order, and how a refusal reads. */
#include "server/authz.h"
#include "base/utf8.h"

bool authz_is_master(const struct user *u)
{
    return user_in_group(u, S(GROUP_MASTERS));
}

void authz_authorize(const struct authz *z, struct arena *a, const struct snapshot *sn,
                     const struct attributes *at, struct authz_answer *ret)
{
    ret->decision = AUTHZ_ALLOW;
    ret->reason = STR_NONE;
    if (authz_is_master(at->user))
        return;
    str before = STR_NONE;
    if (z->nodes) {
        node_authorize(z->nodes, a, sn, at, ret);
        if (ret->decision != AUTHZ_NO_OPINION)
            return;
        before = ret->reason;
    }
    rbac_authorize(z->rbac, a, sn, at, ret);
    if (ret->decision == AUTHZ_NO_OPINION && before.n)
        ret->reason = ret->reason.n ? str_join(a, (str[]){before, ret->reason}, 2, S("\n")) : before;
}

/* What the user chose goes where a browser might show it: the original takes the sting out of it, and so the same text
 * comes from us. */
static void add_harmless(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&': buf_add_lit(out, "&amp;"); break;
        case '<': buf_add_lit(out, "&lt;"); break;
        case '>': buf_add_lit(out, "&gt;"); break;
        default: buf_add_c(out, s.p[i]);
        }
    }
}

static void add_harmless_quoted(struct buf *out, str s)
{
    struct buf quoted;
    buf_init(&quoted, out->max);
    utf8_add_quoted(&quoted, s);
    add_harmless(out, buf_str(&quoted));
    buf_done(&quoted);
}

static void add_resource(struct buf *out, const struct attributes *at)
{
    struct buf resource;
    buf_init(&resource, out->max);
    buf_add(&resource, at->resource);
    if (at->subresource.n) {
        buf_add_c(&resource, '/');
        buf_add(&resource, at->subresource);
    }
    buf_add_lit(out, "resource ");
    add_harmless_quoted(out, buf_str(&resource));
    buf_done(&resource);
    buf_add_lit(out, " in API group ");
    add_harmless_quoted(out, at->group);
}

/* `pods.example.com "x" is forbidden: `; without a resource only `forbidden: `. */
static void add_head(struct buf *out, const struct attributes *at)
{
    if (at->resource.n || at->group.n) {
        buf_add(out, at->resource);
        if (at->group.n) {
            buf_add_c(out, '.');
            buf_add(out, at->group);
        }
        if (at->name.n) {
            buf_add_c(out, ' ');
            utf8_add_quoted(out, at->name);
        }
        buf_add_lit(out, " is ");
    }
    buf_add_lit(out, "forbidden: ");
}

void authz_forbidden_message(struct buf *out, const struct attributes *at, str reason)
{
    add_head(out, at);
    buf_add_lit(out, "User ");
    add_harmless_quoted(out, at->user->name);
    buf_add_lit(out, " cannot ");
    add_harmless(out, at->verb);
    buf_add_c(out, ' ');
    if (!at->is_resource) {
        buf_add_lit(out, "path ");
        add_harmless_quoted(out, at->path);
    } else {
        add_resource(out, at);
        if (at->ns.n) {
            buf_add_lit(out, " in the namespace ");
            add_harmless_quoted(out, at->ns);
        } else {
            buf_add_lit(out, " at the cluster scope");
        }
    }
    if (reason.n) {
        buf_add_lit(out, ": ");
        buf_add(out, reason);
    }
}
