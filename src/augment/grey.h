/* SPDX-License-Identifier: GPL-3.0-or-later */
/* grey.h: the grey of a colour (ITU-R 601). */
#ifndef BARLOW_AUGMENT_GREY_H
#define BARLOW_AUGMENT_GREY_H

#define GREY(r, g, b) (0.299f * (r) + 0.587f * (g) + 0.114f * (b))

#endif
