/* negotiate.h - in which encoding and form the client wants its answer, and in which its body is.
 * Encodings: JSON, YAML, protobuf (built-in kinds); forms: the object, a Table, metadata only. */
#ifndef SERVER_NEGOTIATE_H
#define SERVER_NEGOTIATE_H

#include "server/request.h"

/* Reads the Accept header into r->accept: the first of what the client likes best that we have. False: NOT_ACCEPTABLE. */
bool negotiate_accept(struct request *r, struct err *err);
/* Is protobuf asked for and possible? Custom resources are served as JSON and YAML only. */
str media_content_type(const struct media *m);

/* Of a body: parameters are ignored. MEDIA_OTHER: none of ours (patches have types of their own). */
enum media_type media_of_content_type(str content_type);

#endif
