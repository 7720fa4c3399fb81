/* uid.c - random UUIDs. */
#include "server/uid.h"

enum { UID_SIZE = 36 };

str uid_new(struct env *env, struct arena *a)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t b[16];
    char *text = arena_alloc(a, UID_SIZE, 1);
    env_random(env, b, sizeof b);
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    for (size_t i = 0, at = 0; i < sizeof b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        text[at++] = hex[b[i] >> 4];
        text[at++] = hex[b[i] & 15];
    }
    return (str){text, UID_SIZE};
}
