/* image_ref.h - names of images: "busybox", "registry.example.com:5000/team/app:v1.2@sha256:...".
 * For files of this folder. */
#ifndef API_RULES_IMAGE_REF_H
#define API_RULES_IMAGE_REF_H

#include "base/str.h"

struct image_ref {
    str tag, digest; /* borrowed; digest with its algorithm. Empty: has none */
};

/* False: not the name of an image. */
bool image_ref_parse(str text, struct image_ref *ret);
/* The tag: "latest" where there is neither tag nor digest, empty for a digest alone and for what is no image's name. */
str image_ref_tag(str text);

#endif
