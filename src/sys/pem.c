/* pem.c - PEM text as blocks. Ours, because OpenSSL's reader refuses what Go accepts (base64 in one long line) and asks
 * the terminal for passwords. */
#include "base/base64.h"
#include "base/secret.h"
#include "sys/x509_priv.h"

static void wipe_and_free(struct buf *b)
{
    if (b->p)
        bytes_wipe(b->p, b->cap);
    buf_done(b);
}

void pem_block_done(struct pem_block *b)
{
    wipe_and_free(&b->der);
}

/* "-----BEGIN X-----" with the words given: X. */
static bool line_is(str line, str words, str *ret_label)
{
    if (!str_take_prefix(&line, words) || !str_ends(line, S("-----")))
        return false;
    *ret_label = str_slice(line, 0, line.n - 5);
    return true;
}

/* "Proc-Type: 4,ENCRYPTED" and the like, of which only that much matters. */
static bool header_take(struct pem_block *b, str line)
{
    if (str_index_c(line, ':') == SIZE_MAX)
        return false;
    b->encrypted = b->encrypted || str_contains(line, S("ENCRYPTED"));
    return true;
}

/* The inside of a block, from behind its first line through its last one, without line ends. */
static err_code body_take(str *rest, struct pem_block *b, struct buf *ret, struct err *err)
{
    bool in_headers = true;
    str line, label;
    while (str_next(rest, '\n', &line)) {
        line = str_trim(line);
        if (line_is(line, S("-----END "), &label)) {
            if (str_eq(label, b->label))
                return ERR_NONE;
            return err_set(err, ERR_SYNTAX, "it ends as '%" STR_FMT "'", STR_ARG(str_slice(label, 0, 64)));
        }
        in_headers = in_headers && header_take(b, line);
        if (!in_headers)
            buf_add(ret, line);
    }
    return err_set(err, ERR_SYNTAX, "it does not end");
}

static err_code block_read(str *rest, struct pem_block *b, struct err *err)
{
    /* As large as they can get from the start: growing would leave copies of a key behind. */
    CLEANUP(wipe_and_free) struct buf body;
    buf_init(&body, rest->n);
    if (rest->n)
        buf_room(&body, rest->n);
    if (body_take(rest, b, &body, err))
        return err->code;
    if (!body.n)
        return err_set(err, ERR_SYNTAX, "it is empty");
    buf_init(&b->der, body.n);
    buf_room(&b->der, body.n);
    return base64_decode(&b->der, buf_str(&body), BASE64_STD, err);
}

err_code pem_next(str *rest, struct pem_block *ret, bool *ret_found, struct err *err)
{
    *ret = (struct pem_block){0};
    *ret_found = false;
    if (rest->n > X509_PEM_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "PEM text of %zu bytes is larger than %d", rest->n,
                       X509_PEM_SIZE_MAX);
    str line;
    while (str_next(rest, '\n', &line)) {
        if (!line_is(str_trim(line), S("-----BEGIN "), &ret->label))
            continue;
        *ret_found = true;
        if (block_read(rest, ret, err))
            return err_wrap(err, "could not read PEM block '%" STR_FMT "'",
                            STR_ARG(str_slice(ret->label, 0, 64)));
        return ERR_NONE;
    }
    return ERR_NONE;
}
