#include "base/base64.h"
#include "harness/test.h"

/* The first byte chooses the flags. What decodes, encodes to the same text once line ends are taken out (strictly
 * decoded text has one spelling); what is encoded decodes to itself. */
FUZZ(base64)
{
    if (!size)
        return;
    unsigned flags = data[0] & (BASE64_URL | BASE64_NO_PAD);
    str s = str_of((const char *)data + 1, size - 1);
    CLEANUP(buf_done) struct buf bytes, text, clean;
    buf_init(&bytes, size);
    buf_init(&text, size * 2 + 8);
    buf_init(&clean, size);
    struct err e = ERR_INIT, strict_error = ERR_INIT;
    if (base64_decode(&bytes, s, flags | BASE64_STRICT, &strict_error) == ERR_NONE) {
        base64_encode(&text, buf_str(&bytes), flags);
        for (size_t i = 0; i < s.n; i++)
            if (s.p[i] != '\n' && s.p[i] != '\r')
                buf_add_c(&clean, s.p[i]);
        CHECK_STR(buf_str(&text), buf_str(&clean));
        buf_clear(&bytes);
        CHECK_EQ(base64_decode(&bytes, s, flags, &e), ERR_NONE);
    } else {
        CHECK_EQ(strict_error.code, ERR_SYNTAX);
        CHECK_EQ(bytes.n, 0);
        err_ignore(base64_decode(&bytes, s, flags, &e)); /* may be lenient about it */
    }
    buf_clear(&text);
    buf_clear(&bytes);
    base64_encode(&text, s, flags);
    CHECK_EQ(text.n, base64_encoded_size(s.n, flags));
    CHECK_EQ(base64_decode(&bytes, buf_str(&text), flags | BASE64_STRICT, &e), ERR_NONE);
    CHECK_STR(buf_str(&bytes), s);
}
