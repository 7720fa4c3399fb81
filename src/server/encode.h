/* encode.h - stored objects into the form and encoding that a client asked for: alone, as items of a list, as events of a
 * watch. What is stored is composed into JSON without being parsed; everything else is made on demand.
 * An encoder is plain data in the request's arena; two with equal keys give equal bytes, so what one made another may send. */
#ifndef SERVER_ENCODE_H
#define SERVER_ENCODE_H

#include "server/request.h"

enum table_include { TABLE_METADATA, TABLE_NONE, TABLE_OBJECT };

struct encoder {
    const struct served_kind *kind;
    struct media media;
    enum table_include include;
    struct env *env; /* for ages in tables */
};

/* NOT_ACCEPTABLE: protobuf of a custom resource. BAD_REQUEST: includeObject. */
err_code encoder_init(struct request *r, struct encoder *ret, struct err *err);
str encoder_content_type(const struct encoder *e);

/* A whole answer. `scratch` is used and may be reset afterwards. */
err_code encode_object(const struct encoder *e, struct arena *scratch, struct buf *out,
                       const struct object *o, struct err *err);

struct list_head {
    int64_t revision;
    str continue_token; /* empty: this was all */
    int64_t remaining;  /* -1: not known */
};
/* The pieces of a list: begin, items, end. JSON may be sent as it is made (encoder_streams); the others are made of the whole,
 * so `out`, a buffer on the heap, has to keep all of it until the end, which replaces it. */
bool encoder_streams(const struct encoder *e);
void encode_list_begin(const struct encoder *e, struct buf *out, const struct list_head *head);
err_code encode_list_item(const struct encoder *e, struct arena *scratch, struct buf *out,
                          const struct object *o, bool first, struct err *err);
err_code encode_list_end(const struct encoder *e, struct arena *scratch, struct buf *out, struct err *err);

/* A watch event with its frame, of an object as of a revision (what left a selector: later than its own). */
err_code encode_event(const struct encoder *e, struct arena *scratch, struct buf *out, str type,
                      const struct object *o, int64_t revision, struct err *err);
void encode_bookmark(const struct encoder *e, struct arena *scratch, struct buf *out, int64_t revision,
                     bool initial_events_end);
void encode_error_event(const struct encoder *e, struct arena *scratch, struct buf *out,
                        const struct status *st);

#endif
